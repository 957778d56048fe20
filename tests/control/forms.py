"""Every form of control flow, around a function of one number, and the same in plain Python.

A form takes a smooth function and makes another one, so that forms nest. What they compute has no
kinks and changes no branch near the points in ``POINTS``. Python's own statements are forms too: of
these the traced function is the plain one. Rules of derivatives, and recomputation, nest alike.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np

import gradatim as gd
from gradatim import lax

Function = Callable[[Any], Any]

POINTS: Final = np.array([0.21, 0.67, 1.13, -0.43])


class Form(NamedTuple):
    """A form of control flow, of traced values and of numbers."""

    traced: Callable[[Function], Function]
    plain: Callable[[Function], Function]


def smooth(x: Any) -> Any:
    """The innermost function."""
    return np.sin(1.3 * x) + 0.5 * x


# Branches


def cond(inner: Function) -> Function:
    return lambda x: lax.cond(x > 0.5, lambda x: inner(x) * x, lambda x: inner(2 * x) - x, x)


def plain_cond(inner: Function) -> Function:
    return lambda x: inner(x) * x if x > 0.5 else inner(2 * x) - x


BRANCHES: Final = (
    lambda inner, x: inner(x) + x,
    lambda inner, x: inner(x) * np.cos(x),
    lambda inner, x: x * x,
)


def switch(inner: Function) -> Function:
    def f(x: Any) -> Any:
        index = np.floor(3 * x).astype(np.int64)
        return lax.switch(index, [lambda x, b=b: b(inner, x) for b in BRANCHES], x)

    return f


def plain_switch(inner: Function) -> Function:
    return lambda x: BRANCHES[min(max(int(np.floor(3 * x)), 0), 2)](inner, x)


# Loops


def while_loop(inner: Function) -> Function:
    def f(x: Any) -> Any:
        def more(state: Any) -> Any:
            return (state[0] < 5) & (np.abs(state[1]) < 1.7)

        def body(state: Any) -> Any:
            i, s = state
            return i + 1, 1.4 * s + 0.1 * inner(s * x)

        return lax.while_loop(more, body, (0, x))[1]

    return f


def plain_while(inner: Function) -> Function:
    def f(x: Any) -> Any:
        i, s = 0, x
        while i < 5 and abs(s) < 1.7:
            i, s = i + 1, 1.4 * s + 0.1 * inner(s * x)
        return s

    return f


def fori_loop(inner: Function) -> Function:
    return lambda x: lax.fori_loop(1, 4, lambda i, s: 0.5 * s + inner(s / i) * x, x)


def plain_fori(inner: Function) -> Function:
    def f(x: Any) -> Any:
        s = x
        for i in range(1, 4):
            s = 0.5 * s + inner(s / i) * x
        return s

    return f


def counted_loop(inner: Function) -> Function:
    """The number of steps depends on x."""

    def f(x: Any) -> Any:
        count = np.floor(4 * np.abs(x)).astype(np.int64)
        return lax.fori_loop(0, count, lambda i, s: 0.6 * s + 0.3 * inner(s) * x, x)

    return f


def plain_counted(inner: Function) -> Function:
    def f(x: Any) -> Any:
        s = x
        for _ in range(int(np.floor(4 * np.abs(x)))):
            s = 0.6 * s + 0.3 * inner(s) * x
        return s

    return f


WEIGHTS: Final = np.array([0.3, -0.7, 1.1])


def scan(inner: Function, reverse: bool = False, **options: Any) -> Function:
    def f(x: Any) -> Any:
        def step(s: Any, w: Any) -> Any:
            s = inner(s * w) + 0.2 * x
            return s, s * s

        last, squares = lax.scan(step, x, WEIGHTS, reverse=reverse, **options)
        return last + np.sum(squares * WEIGHTS)

    return f


def plain_scan(inner: Function, reverse: bool = False) -> Function:
    def f(x: Any) -> Any:
        s, total = x, 0.0
        for w in WEIGHTS[::-1] if reverse else WEIGHTS:
            s = inner(s * w) + 0.2 * x
            total += s * s * w
        return s + total

    return f


# Maps


def mapped(inner: Function) -> Function:
    return lambda x: np.sum(lax.map(lambda w: inner(w * x) * w, WEIGHTS))


def plain_map(inner: Function) -> Function:
    return lambda x: sum(inner(w * x) * w for w in WEIGHTS)


def associative_scan(inner: Function) -> Function:
    """Compositions of affine maps, s -> a s + b."""

    def f(x: Any) -> Any:
        def compose(first: Any, second: Any) -> Any:
            return first[0] * second[0], second[0] * first[1] + second[1]

        a = np.stack([inner(x), x, 0.5 + 0 * x])
        b = np.stack([x, inner(0.5 * x), x * x])
        return np.sum(lax.associative_scan(compose, (a, b))[1])

    return f


def plain_associative(inner: Function) -> Function:
    def f(x: Any) -> Any:
        pairs = [(inner(x), x), (x, inner(0.5 * x)), (0.5, x * x)]
        total = state = pairs[0][1]
        for a, b in pairs[1:]:
            state = a * state + b
            total = total + state
        return total

    return f


# Recomputation and rules


def checkpointed(inner: Function) -> Function:
    return gd.checkpoint(lambda x: inner(np.sin(x)))


def with_tangents(inner: Function) -> Function:
    """Its rule is the product rule, by the rule of what is inside."""
    f = gd.custom_jvp(lambda x: inner(x) * np.sin(x))

    def rule(primals: Any, tangents: Any) -> Any:
        y, slope = gd.jvp(inner, primals, tangents)
        (x,), (t,) = primals, tangents
        return y * np.sin(x), slope * np.sin(x) + y * np.cos(x) * t

    f.defjvp(rule)
    return f


def with_cotangents(inner: Function) -> Function:
    f = gd.custom_vjp(lambda x: inner(x) * np.sin(x))

    def forward(x: Any) -> Any:
        y, slope = gd.value_and_grad(inner)(x)
        return y * np.sin(x), slope * np.sin(x) + y * np.cos(x)

    f.defvjp(forward, lambda slope, cotangent: (slope * cotangent,))
    return f


def plain_product(inner: Function) -> Function:
    return lambda x: inner(x) * np.sin(x)


FORMS: Final[dict[str, Form]] = {
    "cond": Form(cond, plain_cond),
    "switch": Form(switch, plain_switch),
    "while_loop": Form(while_loop, plain_while),
    "fori_loop": Form(fori_loop, plain_fori),
    "fori_loop to a traced bound": Form(counted_loop, plain_counted),
    "scan": Form(scan, plain_scan),
    "map": Form(mapped, plain_map),
    "associative_scan": Form(associative_scan, plain_associative),
}

STATEMENTS: Final[dict[str, Form]] = {
    "if": Form(plain_cond, plain_cond),
    "while": Form(plain_while, plain_while),
    "for": Form(plain_counted, plain_counted),
}

OPTIONS: Final[dict[str, Form]] = {
    "reverse scan": Form(
        lambda inner: scan(inner, reverse=True), lambda inner: plain_scan(inner, reverse=True)
    ),
    "unrolled scan": Form(lambda inner: scan(inner, unroll=2), plain_scan),
    "scan with checkpoints": Form(lambda inner: scan(inner, checkpoint_every=2), plain_scan),
    "checkpoint": Form(checkpointed, lambda inner: lambda x: inner(np.sin(x))),
    "custom_jvp": Form(with_tangents, plain_product),
    "custom_vjp": Form(with_cotangents, plain_product),
}

ALL: Final = FORMS | STATEMENTS | OPTIONS

ONE_OF_EACH: Final = ("cond", "while_loop", "scan")
"""One form for each op with regions that forms become."""

PAIRS: Final = [
    *product(FORMS, FORMS),
    *product(STATEMENTS, STATEMENTS),
    *product(ONE_OF_EACH, STATEMENTS | OPTIONS),
    *product(STATEMENTS | OPTIONS, ONE_OF_EACH),
]
"""The forms that are nested, the inner one first: each in another one, and around another one."""
