"""Ops with regions: what they compute, on what types, and their way to text and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import VerifyException

from gradatim.ir.array.control import CustomParts, TapeType
from gradatim.ir.builder import Builder
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import BlockBuilder, FunctionBuilder, block_of, function_of
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.text import parse_module, to_text
from gradatim.ir.types import tensor_type

from .examples import F64, I64, PLACE

SCALAR = tensor_type((), F64)
ROW = tensor_type((3,), F64)
NUMBER = tensor_type((), I64)
BOOL = tensor_type((), np.dtype(bool))
X = np.array([0.5, -1.0, 2.0])

Body = Callable[..., list[Any]]


def block(types: Any, body: Body) -> Any:
    """Return a finished block of what ``body(builder, *arguments)`` appends."""
    region = BlockBuilder(types, (), PLACE)
    return region.finish(body(region.builder, *region.arguments))


def run(types: Any, body: Body, *arguments: Any) -> list[np.ndarray]:
    """Run a function by the interpreter, before and after text."""
    function = FunctionBuilder("f", types, (), PLACE)
    results = body(function.builder, *function.arguments)
    module = ModuleOp([function.finish(results)])
    module.verify()
    text = to_text(module, locations=True)
    again = parse_module(text)
    again.verify()
    assert to_text(again, locations=True) == text
    arrays = [np.asarray(a) for a in arguments]
    found = Interpreter(module).call("f", *arrays)
    for a, b in zip(found, Interpreter(again).call("f", *arrays), strict=True):
        np.testing.assert_array_equal(a, b)
    return found


def _scaled(factor: float) -> Body:
    return lambda b, x: [b.mul(x, b.full_like(x, factor))]


@pytest.mark.parametrize(
    ("dtype", "index", "factor"),
    [
        ("?", False, 1), ("?", True, 2), ("i4", 0, 1), ("i4", 2, 3), ("i8", -5, 1), ("i8", 9, 3),
        ("u1", 255, 3), ("i1", -128, 1),
    ],
)  # fmt: skip
def test_case_runs_the_chosen_region(dtype: str, index: int, factor: float):
    def body(b: Builder, i: Any, x: Any) -> list[Any]:
        count = 2 if dtype == "?" else 3
        return list(b.case(i, [x], [block([ROW], _scaled(k + 1)) for k in range(count)]))

    (found,) = run([tensor_type((), np.dtype(dtype)), ROW], body, np.array(index, dtype), X)
    np.testing.assert_array_equal(found, factor * X)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_scan_carries_and_stacks(length: int, reverse: bool):
    xs = np.arange(length, dtype=float) + 1

    def step(b: Builder, i: Any, c: Any, s: Any, x: Any) -> list[Any]:
        total = b.add(b.mul(s, c), x)
        return [total, b.mul(total, b.convert(i, F64)), i]

    def body(b: Builder, c: Any, s: Any, x: Any) -> list[Any]:
        inner = block([NUMBER, SCALAR, SCALAR, SCALAR], step)
        return list(b.scan(length, [c], [s], [x], inner, reverse=reverse))

    last, ys, steps = run([SCALAR, SCALAR, tensor_type((length,), F64)], body, 0.5, 3.0, xs)
    carry, expected = 3.0, np.zeros(length)
    for i in reversed(range(length)) if reverse else range(length):
        carry = carry * 0.5 + xs[i]
        expected[i] = carry * i
    assert last == carry
    np.testing.assert_array_equal(ys, expected)
    np.testing.assert_array_equal(steps, np.arange(length))


@pytest.mark.parametrize("end", [-1, 0, 1, 7])
def test_while_runs_while_the_condition_holds(end: int):
    def body(b: Builder, n: Any, i: Any, x: Any) -> list[Any]:
        condition = block([NUMBER, NUMBER, ROW], lambda b, n, i, x: [b.compare("lt", i, n)])
        step = block(
            [NUMBER, NUMBER, ROW], lambda b, n, i, x: [b.add(i, b.full_like(i, 1)), b.add(x, x)]
        )
        return list(b.while_([n], [i, x], condition, step))

    i, x = run([NUMBER, NUMBER, ROW], body, end, 0, X)
    assert i == max(end, 0)
    np.testing.assert_array_equal(x, X * 2 ** max(end, 0))


def test_a_tape_gives_back_what_was_pushed():
    def body(b: Builder, x: Any, row: Any) -> list[Any]:
        tape = b.tape_new([SCALAR, ROW])
        tape = b.tape_push(tape, [x, row])
        tape = b.tape_push(tape, [b.neg(x), b.neg(row)])
        tape, second = b.tape_pop(tape)
        _, first = b.tape_pop(tape)
        return [*first, *second]

    found = run([SCALAR, ROW], body, 2.0, X)
    for a, e in zip(found, [2.0, X, -2.0, -X], strict=True):
        np.testing.assert_array_equal(a, e)


def test_popping_an_empty_tape_is_an_error():
    with pytest.raises(GradatimError, match="empty tape"):
        run([SCALAR], lambda b, x: [b.tape_pop(b.tape_new([SCALAR]))[1][0]], 1.0)


def test_a_tape_can_be_carried():
    """A loop pushes 0, 1, ..., n - 1; another one pops and sums with weights."""

    def body(b: Builder, n: Any) -> list[Any]:
        zero, tape = b.full((), I64, 0), b.tape_new([NUMBER])
        types = [NUMBER, NUMBER, TapeType.of([NUMBER])]
        less = block(types, lambda b, n, i, t: [b.compare("lt", i, n)])
        push = block(types, lambda b, n, i, t: [b.add(i, b.full_like(i, 1)), b.tape_push(t, [i])])
        count, tape = b.while_([n], [zero, tape], less, push)

        def pop(b: Builder, i: Any, s: Any, t: Any) -> list[Any]:
            rest, (item,) = b.tape_pop(t)
            return [b.sub(i, b.full_like(i, 1)), b.add(b.add(s, s), item), rest]

        types = [NUMBER, NUMBER, TapeType.of([NUMBER])]
        more = block(types, lambda b, i, s, t: [b.compare("gt", i, b.full_like(i, 0))])
        return [b.while_([], [count, zero, tape], more, block(types, pop))[1]]

    expected = 0
    for item in reversed(range(6)):
        expected = 2 * expected + item
    assert run([NUMBER], body, 6) == [expected]


def test_remat_barrier_name_and_custom_derivative_compute_their_first_region():
    def body(b: Builder, k: Any, x: Any) -> list[Any]:
        (y,) = b.remat("dots", [x], block([ROW], _scaled(2.0)))
        (z,) = b.barrier([b.name("z", y)])
        jvp = block([SCALAR, ROW, ROW], lambda b, k, x, t: [x, t])
        primal = block([SCALAR, ROW], lambda b, k, x: [b.neg(x)])
        return list(b.custom_derivative(1, [k, z], CustomParts(primal, jvp, None, None)))

    (found,) = run([SCALAR, ROW], body, 1.0, X)
    np.testing.assert_array_equal(found, -2 * X)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda b, x: b.scan(-1, [], [], [], block([NUMBER], lambda b, i: [])), "not be negative"),
        (lambda b, x: b.scan(2, [], [], [x], block([NUMBER], lambda b, i: [])), "must have 2"),
        (lambda b, x: b.case(x, [], [block([], lambda b: [])]), "one bool or integer"),
        (lambda b, x: b.remat("some", [x], block([ROW], _scaled(1))), "the policy is one of"),
        (lambda b, x: b.remat("dots", [x], block([SCALAR], _scaled(1))), "arguments are"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_at_the_users_place(build: Any, message: str):
    with pytest.raises(GradatimError, match=message) as caught:
        run([ROW], lambda b, x: list(build(b, x)), X)
    assert caught.value.where == "user.py:12"


def test_the_verifier_checks_tapes():
    def body(b: Builder, x: Any) -> list[Any]:
        b.tape_push(b.tape_new([SCALAR]), [x])
        return []

    with pytest.raises(VerifyException, match="items of the tape"):
        run([ROW], body, X)


def test_blocks_and_functions_are_made_of_each_other():
    original = block([ROW], _scaled(3.0))
    function = function_of(original, "g", PLACE)
    again = function_of(block_of(function), "g", PLACE)
    (found,) = Interpreter(ModuleOp([again])).call("g", X)
    np.testing.assert_array_equal(found, 3 * X)
    assert original.last_op is not None  # it was left as it is


def test_a_guard_keeps_what_its_mask_tells():
    mask, x = np.array([True, False]), np.array([np.inf, 0.0])
    function = FunctionBuilder("f", [tensor_type((2,), a.dtype) for a in (mask, x)])
    result = function.builder.guard(*function.arguments, 2.5)
    module = ModuleOp([function.finish([result])])
    module.verify()
    np.testing.assert_array_equal(Interpreter(module).call("f", mask, x)[0], [np.inf, 2.5])
    wrong = FunctionBuilder("f", [tensor_type((), mask.dtype), tensor_type((2,), x.dtype)])
    with pytest.raises(VerifyException, match=r"array.guard: the mask"):
        wrong.builder.guard(*wrong.arguments, 2.5).owner.verify()
