"""Loops in segments compute what plain loops do, and reverse mode keeps less of them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp

from gradatim.ir.array.control import INDEX, RematOp, ScanOp, TapeType
from gradatim.ir.builder import Builder
from gradatim.ir.errors import GradatimError
from gradatim.ir.types import shape_of
from gradatim.passes.autodiff.checkpointing import checkpointed_scan, checkpointed_while
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.simplify.canonicalize import canonicalize

from .control_programs import block, integer, types
from .differentiation import check_derivatives, make, run

X = np.array([0.4, 0.9])
W = np.array([0.3, 0.7])
G = np.array([1.5, -0.5])


def _scan_body(c: Builder, i, w, x, e):
    scaled = c.mul(c.broadcast(c.convert(i, np.dtype(float)), shape_of(x), ()), e)
    y = c.sin(c.add(c.mul(x, w), scaled))
    return [y, c.mul(y, c.exp(x))]


def scan_of(length: int, every, reverse: bool = False) -> Callable:
    """Return a body with a scan, plain if ``every`` is 0."""

    def run_scan(b: Builder, x, w, e):
        body = block(b, [INDEX, *types(w, x, x)], _scan_body)
        if every == 0:
            last, ys = b.scan(length, [w], [x], [e], body, reverse=reverse)
        else:
            last, ys = checkpointed_scan(
                b, length, [w], [x], [e], body, every=every, reverse=reverse
            )
        return [last, ys]

    return run_scan


def while_of(length: int, every) -> Callable:
    """Return a body with a while, plain if ``every`` is 0."""

    def run_while(b: Builder, x, w):
        def condition(c: Builder, w, n, x):
            return [c.compare("lt", n, integer(c, length))]

        def body(c: Builder, w, n, x):
            return [c.add(n, integer(c, 1)), c.sin(c.add(c.mul(x, w), c.mul(x, x)))]

        start = integer(b, 0)
        blocks = [block(b, types(w, start, x), part) for part in (condition, body)]
        if every == 0:
            return b.while_([w], [start, x], *blocks)[1]
        return checkpointed_while(b, [w], [start, x], *blocks, every=every)[1]

    return run_while


EVERY = [1, 3, 4, 12, 50, None, (6, 2), (5, 3, 2), ()]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("every", EVERY, ids=str)
@pytest.mark.parametrize("length", [0, 1, 12, 13])
def test_scans_in_segments(length: int, every, reverse: bool):
    e = np.linspace(-1, 1, 2 * length).reshape(length, 2)
    plain = vjp(make(scan_of(length, 0, reverse), X, W, e), (0, 1, 2))
    segmented = vjp(make(scan_of(length, every, reverse), X, W, e), (0, 1, 2))
    segmented.verify()
    arguments = [X, W, e, G, np.ones((length, 2))]
    for found, expected in zip(run(segmented, *arguments), run(plain, *arguments), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("every", [1, 3, 4, 12, 50, (6, 2), (5, 2)], ids=str)
@pytest.mark.parametrize("length", [0, 1, 12, 13])
def test_whiles_in_segments(length: int, every):
    plain = vjp(make(while_of(length, 0), X, W), (0, 1))
    segmented = vjp(make(while_of(length, every), X, W), (0, 1))
    segmented.verify()
    for found, expected in zip(run(segmented, X, W, G), run(plain, X, W, G), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_second_order():
    e = np.linspace(-1, 1, 10).reshape(5, 2)
    check_derivatives(make(scan_of(5, 2), X, W, e), [X, W, e], order=2)
    check_derivatives(make(while_of(5, 2), X, W), [X, W], order=2)


def _stacked(function: FuncOp) -> int:
    """Return the elements of all that scans of a function stack, in and out of regions."""
    scans = [op for op in function.walk() if isinstance(op, ScanOp)]
    return sum(prod(shape_of(value)) for op in scans for value in op.results[len(op.groups[1]) :])


def test_memory_grows_with_the_root_of_the_length():
    def kept(length: int, every) -> int:
        def body(b: Builder, x, w):
            def step(c: Builder, i, w, x):
                return [c.sin(c.tanh(c.mul(x, w)))]

            new = block(b, [INDEX, *types(w, x)], step)
            if every == 0:
                return b.scan(length, [w], [x], [], new)
            return checkpointed_scan(b, length, [w], [x], [], new, every=every)

        gradient = vjp(make(body, X, W), (0, 1), value=False)
        canonicalize(gradient)
        return _stacked(gradient)

    assert kept(10_000, 0) >= 20_000
    assert kept(10_000, None) <= 1_500
    assert kept(10_000, (500, 20)) <= 500


def test_tapes_of_a_while_are_local_to_a_segment():
    gradient = vjp(make(while_of(100, 10), X, W), (0, 1), value=False)
    canonicalize(gradient)
    outer = [v for op in gradient.body.block.ops for v in op.results]
    tapes = [v.type for v in outer if isinstance(v.type, TapeType)]
    inner = [op for op in gradient.walk() if isinstance(op, RematOp)]
    assert tapes and inner
    assert all(len(tape.types) <= 2 for tape in tapes)  # no more than what is carried


def test_segments_have_steps():
    with pytest.raises(GradatimError, match="a segment of a loop must have steps, not 0"):
        make(scan_of(3, (2, 0)), X, W, np.ones((3, 2)))
    with pytest.raises(GradatimError, match="must have steps, not -1"):
        make(while_of(3, -1), X, W)
