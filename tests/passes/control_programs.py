"""Programs with control flow, for the tests of all passes: each form, and forms in forms.

A form wraps a step, ``step(b, x, w) -> x`` on vectors of one type, into control flow, and is a step
again; so any form can be nested in any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from xdsl.ir import Attribute, Block, SSAValue

from gradatim.ir.array.control import INDEX, CustomParts
from gradatim.ir.builder import Builder
from gradatim.ir.functions import BlockBuilder
from gradatim.ir.types import shape_of

Step: TypeAlias = Callable[[Builder, SSAValue, SSAValue], SSAValue]
Form: TypeAlias = Callable[[Step], Step]

F64, I64 = np.dtype(np.float64), np.dtype(np.int64)


def block(b: Builder, types: Sequence[Attribute], body: Callable[..., Sequence[SSAValue]]) -> Block:
    """Return a block of what ``body(builder, *arguments)`` appends and returns."""
    new = BlockBuilder(types, (), b.location)
    return new.finish(list(body(new.builder, *new.arguments)))


def types(*values: SSAValue) -> list[Attribute]:
    return [value.type for value in values]


def integer(b: Builder, value: int) -> SSAValue:
    return b.full((), I64, value)


def total(b: Builder, x: SSAValue) -> SSAValue:
    return b.reduce("add", x, range(len(shape_of(x))))


# Steps


def smooth(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
    """A step that needs transcendentals, both operands, and its own result again."""
    y = b.tanh(b.add(b.mul(x, w), b.sin(w)))
    return b.add(b.mul(y, y), b.mul(b.full_like(x, 0.5), x))


def linear(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
    """A step that is linear in each operand."""
    return b.add(b.mul(b.full_like(x, 0.9), x), b.mul(b.full_like(x, 0.3), w))


# Forms


def in_scan(step: Step) -> Step:
    """Three steps, which use index, elements and stacked results."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        elements = b.broadcast(w, (3, *shape_of(w)), range(1, 1 + len(shape_of(w))))
        elements = b.mul(elements, b.convert(b.iota(shape_of(elements), I64, 0), F64))

        def body(c: Builder, i: SSAValue, w: SSAValue, x: SSAValue, e: SSAValue):
            scale = c.broadcast(c.convert(i, F64), shape_of(x), ())
            y = step(c, x, c.add(w, c.mul(c.full_like(e, 0.1), e)))
            return [y, c.mul(c.mul(y, x), c.add(scale, e))]

        new = block(b, [INDEX, *types(w, x, w)], body)
        last, stacked = b.scan(3, [w], [x], [elements], new)
        return b.add(last, b.reduce("add", stacked, (0,)))

    return run


def in_reversed_scan(step: Step) -> Step:
    """Two steps back, one of whose carries does not vary, and another that is not used."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        elements = b.concatenate([b.reshape(v, (1, *shape_of(v))) for v in (w, x)], 0)

        def body(c: Builder, i: SSAValue, w: SSAValue, n: SSAValue, x: SSAValue, u, e: SSAValue):
            y = step(c, x, c.mul(w, c.cos(w)))
            factor = c.broadcast(c.convert(n, F64), shape_of(e), ())
            return [c.add(n, i), c.tanh(c.add(y, c.mul(factor, e))), c.mul(u, y), c.sin(x)]

        count = integer(b, 1)
        new = block(b, [INDEX, *types(w, count, x, w, w)], body)
        _, last, _, stacked = b.scan(2, [w], [count, x, w], [elements], new, reverse=True)
        return b.mul(last, b.reduce("add", stacked, (0,)))

    return run


def in_while(step: Step) -> Step:
    """Steps until the counter has run out."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        def condition(c: Builder, w: SSAValue, n: SSAValue, x: SSAValue):
            return [c.compare("lt", n, integer(c, 3))]

        def body(c: Builder, w: SSAValue, n: SSAValue, x: SSAValue):
            y = step(c, x, w)
            return [c.add(n, integer(c, 1)), c.mul(y, c.cos(w))]

        start = integer(b, 0)
        parts = types(w, start, x)
        _, last = b.while_([w], [start, x], block(b, parts, condition), block(b, parts, body))
        return last

    return run


def in_data_dependent_while(step: Step) -> Step:
    """Steps until the sum has grown enough."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        def condition(c: Builder, w: SSAValue, x: SSAValue, s: SSAValue):
            return [c.compare("lt", s, c.full((), F64, 4.0))]

        def body(c: Builder, w: SSAValue, x: SSAValue, s: SSAValue):
            y = step(c, x, w)
            return [c.add(y, c.full_like(y, 0.3)), c.add(s, total(c, c.mul(y, y)))]

        start = b.full((), F64, 1.0)
        start = b.add(start, b.mul(b.full((), F64, 0.1), total(b, b.mul(x, x))))
        parts = types(w, x, start)
        last, grown = b.while_([w], [x, start], block(b, parts, condition), block(b, parts, body))
        return b.mul(last, b.broadcast(grown, shape_of(last), ()))

    return run


def in_case(step: Step) -> Step:
    """The step, its negative twice over, or an operand as it is, by the sign of a sum."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        def first(c: Builder, x: SSAValue, w: SSAValue):
            return [step(c, x, w), w]

        def second(c: Builder, x: SSAValue, w: SSAValue):
            y = step(c, w, x)
            return [c.neg(c.mul(y, c.exp(x))), x]

        def third(c: Builder, x: SSAValue, w: SSAValue):
            return [x, c.full_like(w, 2.0)]

        index = b.convert(b.compare("gt", total(b, x), total(b, w)), I64)
        blocks = [block(b, types(x, w), branch) for branch in (first, second, third)]
        y, z = b.case(index, [x, w], blocks)
        return b.add(y, b.mul(z, w))

    return run


def in_remat(policy: str) -> Form:
    """The step, of which only something is kept."""

    def form(step: Step) -> Step:
        def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
            def body(c: Builder, x: SSAValue, w: SSAValue):
                y = step(c, x, w)
                named = c.name("kept", c.sin(y))
                square = c.dot_general(named, y, contract=((0,), (0,)))
                return [c.mul(named, c.exp(w)), square]

            y, square = b.remat(policy, [x, w], block(b, types(x, w), body))
            return b.mul(y, b.broadcast(square, shape_of(y), ()))

        return run

    return form


def in_custom_derivative(step: Step) -> Step:
    """sin(x) times the step of a constant by rules of its own, all of them given."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        return _custom(b, step, x, w, jvp=True, reverse=True)

    return run


def in_custom_jvp(step: Step) -> Step:
    """The same with a forward rule only."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        return _custom(b, step, x, w, jvp=True, reverse=False)

    return run


def in_custom_vjp(step: Step) -> Step:
    """The same with a reverse rule only."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        return _custom(b, step, x, w, jvp=False, reverse=True)

    return run


def _custom(b: Builder, step: Step, x: SSAValue, w: SSAValue, *, jvp: bool, reverse: bool):
    n = integer(b, 2)

    def value(c: Builder, n: SSAValue, x: SSAValue, w: SSAValue):
        return [c.mul(c.sin(x), w), n]

    def pushed(c: Builder, n, x, w, dx, dw):
        return [c.mul(c.sin(x), w), n, c.add(c.mul(c.mul(c.cos(x), w), dx), c.mul(c.sin(x), dw))]

    def forward(c: Builder, n, x, w):
        return [c.mul(c.sin(x), w), n, c.cos(x), x, w]

    def backward(c: Builder, cosine, x, w, g):
        return [c.mul(c.mul(cosine, w), g), c.mul(c.sin(x), g)]

    parts = CustomParts(
        block(b, types(n, x, w), value),
        block(b, types(n, x, w, x, w), pushed) if jvp else None,
        block(b, types(n, x, w), forward) if reverse else None,
        block(b, types(x, x, w, x), backward) if reverse else None,
    )
    y, _ = b.custom_derivative(1, [n, step(b, x, w), w], parts)
    return y


def through_tape(step: Step) -> Step:
    """The step on what has been pushed on a tape and popped again."""

    def run(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
        n = integer(b, 3)
        tape = b.tape_new(types(x, n, w))
        tape = b.tape_push(tape, [b.sin(x), n, w])
        tape = b.tape_push(tape, [w, n, x])
        tape, (first, count, second) = b.tape_pop(tape)
        tape, (third, _, _) = b.tape_pop(tape)
        scale = b.broadcast(b.convert(count, F64), shape_of(x), ())
        return b.add(b.mul(step(b, second, first), scale), third)

    return run


FORMS: dict[str, Form] = {
    "scan": in_scan,
    "reversed_scan": in_reversed_scan,
    "while": in_while,
    "data_dependent_while": in_data_dependent_while,
    "case": in_case,
    "remat_nothing": in_remat("nothing"),
    "remat_everything": in_remat("everything"),
    "remat_dots": in_remat("dots"),
    "remat_names": in_remat("names:kept,others"),
    "custom_derivative": in_custom_derivative,
    "custom_jvp": in_custom_jvp,
    "custom_vjp": in_custom_vjp,
    "tape": through_tape,
}
"""Every form by its name."""
