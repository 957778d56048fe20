"""vmap of control flow against a loop over lanes: every form, in every other, with derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.array.control import ScanOp
from gradatim.ir.builder import Builder
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.simplify.canonicalize import canonicalize

from .control_programs import FORMS, block, integer, smooth, types
from .differentiation import check_derivatives, make, run

LANES = 3
X = np.array([0.4, 0.9])
W = np.array([0.3, 0.7])
BATCH = np.array([[0.4, 0.9], [-0.8, 0.2], [1.3, -0.4]])


def check_lanes(function: FuncOp, arguments: list[np.ndarray], in_axes: list[int]) -> None:
    """Compare vmap with a loop over lanes."""
    size = next(a.shape[x] for a, x in zip(arguments, in_axes) if x >= 0)
    batched = vmap(function, size, in_axes)
    batched.verify()
    found = run(batched, *arguments)
    lanes = [
        run(function, *(a if x < 0 else a.take(lane, x) for a, x in zip(arguments, in_axes)))
        for lane in range(size)
    ]
    for results, *expected in zip(found, *lanes, strict=True):
        np.testing.assert_allclose(results, np.stack(expected), rtol=1e-10, atol=1e-12)


AXES = {
    "both": ([BATCH, BATCH[::-1]], [0, 0]),
    "first": ([BATCH, W], [0, -1]),
    "second": ([X, BATCH.T], [-1, 1]),
}


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", FORMS)
def test_vmap(name: str, axes: str):
    arguments, in_axes = AXES[axes]
    check_lanes(make(FORMS[name](smooth), X, W), arguments, in_axes)


@pytest.mark.parametrize("inner", FORMS)
@pytest.mark.parametrize("outer", FORMS)
def test_vmap_of_forms_in_forms(outer: str, inner: str):
    function = make(FORMS[outer](FORMS[inner](smooth)), X, W)
    check_lanes(function, *AXES["both"])


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("name", FORMS)
def test_vmap_of_derivatives(name: str, axes: str):
    function = make(FORMS[name](smooth), X, W)
    arguments, in_axes = AXES[axes]
    check_lanes(vjp(function, (0, 1)), [*arguments, BATCH], [*in_axes, 0])
    check_lanes(jvp(function, (0, 1)), [*arguments, BATCH, W], [*in_axes, 0, -1])


@pytest.mark.parametrize("name", FORMS)
def test_derivatives_of_vmap(name: str):
    function = vmap(make(FORMS[name](smooth), X, W), LANES, [0, -1])
    check_derivatives(function, [BATCH, W])


# Lanes that go different ways


def _collatz(b: Builder, n: SSAValue) -> list[SSAValue]:
    """Return the steps that n takes to 1, which for 0 are none."""

    def condition(c: Builder, n, steps):
        return [c.compare("gt", n, integer(c, 1))]

    def body(c: Builder, n, steps):
        one = integer(c, 1)
        odd = c.compare("eq", c.and_(n, one), one)
        up = c.add(c.mul(n, integer(c, 3)), one)
        return [c.select(odd, up, c.shift_right_arithmetic(n, one)), c.add(steps, one)]

    start = integer(b, 0)
    blocks = [block(b, types(n, start), part) for part in (condition, body)]
    return [b.while_([], [n, start], *blocks)[1]]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 33, 100])
def test_lanes_of_different_lengths(size: int):
    """More lanes than a block has run block by block, the last of which may be filled up."""
    n = np.arange(size)
    batched = vmap(make(_collatz, np.int64(1)), size)
    batched.verify()
    expected = [0] * size
    for start in range(size):
        k = start
        while k > 1:
            k, expected[start] = 3 * k + 1 if k % 2 else k // 2, expected[start] + 1
    assert run(batched, n)[0].tolist() == expected
    scans = [op for op in batched.body.block.ops if isinstance(op, ScanOp)]
    assert len(scans) == (size > 16)


def test_a_lane_that_has_stopped_does_not_loop_for_ever():
    """The inner loop ends for lanes that run the outer one, and would not for the others."""

    def whole(b: Builder, n: SSAValue):
        def inner_condition(c: Builder, k):
            return [c.compare("ne", k, integer(c, 0))]

        def inner(c: Builder, k):
            return [c.sub(k, integer(c, 2))]

        def even(c: Builder, n):
            one = integer(c, 1)
            positive = c.compare("gt", n, integer(c, 0))
            return [c.and_(positive, c.compare("eq", c.and_(n, one), integer(c, 0)))]

        def body(c: Builder, n):
            blocks = [block(c, types(n), part) for part in (inner_condition, inner)]
            (zero,) = c.while_([], [n], *blocks)
            return [c.add(zero, c.shift_right_arithmetic(n, integer(c, 1)))]

        return b.while_([], [n], *[block(b, types(n), part) for part in (even, body)])

    for size in (4, 40):
        n = np.resize([1, 8, 7, 12], size)
        found = run(vmap(make(whole, np.int64(0)), size), n)[0]
        assert found.tolist() == np.resize([1, 1, 7, 3], size).tolist()


def test_a_branch_that_is_not_taken_does_not_loop_for_ever():
    def whole(b: Builder, n: SSAValue):
        def stays(c: Builder, n):
            return [n]

        def counts(c: Builder, n):
            def condition(d: Builder, k):
                return [d.compare("ne", k, integer(d, 0))]

            def body(d: Builder, k):
                return [d.sub(k, integer(d, 1))]

            return c.while_([], [n], *[block(c, types(n), part) for part in (condition, body)])

        positive = b.compare("gt", n, integer(b, 0))
        return b.case(positive, [n], [block(b, types(n), part) for part in (stays, counts)])

    n = np.array([-5, 3, 0, 9])
    assert run(vmap(make(whole, np.int64(0)), 4), n)[0].tolist() == [-5, 0, 0, 0]


def test_gradients_of_lanes_of_different_lengths():
    """Lanes that took fewer steps wait, going back, until their own entries come."""

    def whole(b: Builder, x: SSAValue, n: SSAValue):
        def condition(c: Builder, n, x):
            return [c.compare("gt", n, integer(c, 0))]

        def body(c: Builder, n, x):
            return [c.sub(n, integer(c, 1)), c.sin(c.mul(x, x))]

        return b.while_([], [n, x], *[block(b, types(n, x), p) for p in (condition, body)])[1]

    function = make(whole, np.float64(0), np.int64(0))
    x, n = np.linspace(0.3, 1.2, 6), np.array([3, 0, 7, 1, 1, 5])
    once = vjp(function, (0,))
    check_lanes(once, [x, n, x], [0, 0, 0])
    check_lanes(vjp(once, (0, 2)), [x, n, x, x, x], [0, 0, 0, 0, 0])
    check_lanes(vmap(once, 3, [0, 0, -1]), [x.reshape(3, 2), n.reshape(3, 2), x[:2]], [1, 1, 0])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_more_branches_than_a_dtype_has_numbers(dtype: type):
    def whole(b: Builder, n: SSAValue, x: SSAValue):
        def branch(number: int):
            return lambda c, x: [c.add(x, c.full((), np.dtype(float), number))]

        return b.case(n, [x], [block(b, types(x), branch(k)) for k in range(300)])

    function = make(whole, np.zeros((), dtype), np.float64(0))
    n = np.array([0, 5, 100, 127], dtype)
    assert run(vmap(function, 4, [0, -1]), n, np.float64(0.5))[0].tolist() == (n + 0.5).tolist()
    canonicalize(function, select_branches=True)
    for number in n:
        assert run(function, number, np.float64(0.5))[0] == number + 0.5
