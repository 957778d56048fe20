"""Simplification of control flow keeps what programs compute, and is done after one application."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.array.control import INDEX, ScanOp
from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.types import shape_of, tensor_type
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.simplify.canonicalize import canonicalize
from gradatim.passes.simplify.cse import merge_equal_ops
from gradatim.passes.simplify.dce import eliminate_dead_code
from gradatim.passes.simplify.fold import fold_constants

from .control_programs import F64, FORMS, block, smooth, types
from .differentiation import make, run

X = np.array([0.4, 0.9])
W = np.array([0.3, 0.7])
G = np.array([1.5, -0.5])

PASSES = {
    "canonicalize": canonicalize,
    "cse": merge_equal_ops,
    "dce": eliminate_dead_code,
    "fold": fold_constants,
}


def transformed(function: FuncOp) -> list[tuple[FuncOp, list[np.ndarray]]]:
    """Return a function and its transformations, with arguments for each."""
    return [
        (function, [X, W]),
        (vjp(function, (0, 1)), [X, W, G]),
        (jvp(function, (0, 1)), [X, W, G, X]),
        (vmap(function, 2, [0, -1]), [np.stack([X, G]), W]),
    ]


@pytest.mark.parametrize("inner", FORMS)
@pytest.mark.parametrize("outer", FORMS)
def test_keeps_results_and_is_done(outer: str, inner: str):
    function = make(FORMS[outer](FORMS[inner](smooth)), X, W)
    for program, arguments in transformed(function):
        expected = run(program, *arguments)
        for name, simplify in PASSES.items():
            copy = program.clone()
            simplify(copy)
            copy.verify()
            check_function(copy)
            for found, value in zip(run(copy, *arguments), expected, strict=True):
                np.testing.assert_allclose(found, value, rtol=1e-12, atol=1e-14)
            once = str(copy)
            simplify(copy)
            assert str(copy) == once, name


def _scan(body, *stacks: np.ndarray):
    """Return a function of a scan over 20 steps of ``body(builder, index, w, x, *parts)``."""

    def run_scan(b: Builder, x: SSAValue, w: SSAValue, *elements: SSAValue):
        parts = [tensor_type(shape_of(e)[1:], F64) for e in elements]
        new = block(b, [INDEX, *types(w, x), *parts], body)
        return b.scan(20, [w], [x], elements, new)

    return make(run_scan, X, W, *stacks)


def _names_in_loops(function: FuncOp) -> list[str]:
    loops = [op for op in function.body.block.ops if isinstance(op, ScanOp)]
    return [inner.name for op in loops for inner in op.body.block.ops]


def test_numbers_that_do_not_depend_on_carries_are_computed_in_vectors():
    def body(c: Builder, i, w, x, e):
        angle = c.mul(c.convert(i, F64), c.full((), F64, 0.1))
        factor = c.mul(c.sin(angle), c.exp(e))
        return [c.mul(x, c.broadcast(factor, shape_of(x), ())), c.exp(e)]

    e = np.linspace(-1, 1, 20)
    function = _scan(body, e)
    expected = run(function, X, W, e)
    canonicalize(function)
    for found, value in zip(run(function, X, W, e), expected, strict=True):
        np.testing.assert_array_equal(found, value)
    inside = _names_in_loops(function)
    assert "array.exp" not in inside and "array.sin" not in inside


def test_vectors_stay_in_the_loop():
    """Where steps fill vectors, nothing is gained by computing all of them at once."""

    def body(c: Builder, i, w, x, e):
        return [c.mul(x, c.reduce("add", c.exp(e), (0,)))]

    function = _scan(body, np.ones((20, 50, 2)))
    canonicalize(function)
    assert "array.exp" in _names_in_loops(function)


def test_products_with_few_rows_become_one():
    def whole(b: Builder, x, e, m):
        parts = types(m, x)
        step = tensor_type(shape_of(e)[1:], F64)

        def body(c: Builder, i, m, x, e):
            product = c.dot_general(e, m, contract=((1,), (0,)))
            return [c.tanh(c.add(x, c.reduce("max", product, (0,))))]

        return b.scan(20, [m], [x], [e], block(b, [INDEX, *parts, step], body))

    rng = np.random.default_rng(0)
    arguments = [rng.normal(size=s) for s in ((30,), (20, 4, 40), (40, 30))]
    function = make(whole, *arguments)
    expected = run(function, *arguments)
    canonicalize(function)
    np.testing.assert_allclose(run(function, *arguments)[0], expected[0], rtol=1e-12)
    assert "array.dot_general" not in _names_in_loops(function)


def test_what_loops_within_give_is_not_computed_at_once():
    def body(c: Builder, i, w, x, e):
        def half(d: Builder, y):
            return [d.mul(y, d.full_like(y, 0.5))]

        def large(d: Builder, y):
            return [d.compare("gt", y, d.full_like(y, 0.1))]

        halved = c.while_([], [e], block(c, types(e), large), block(c, types(e), half))[0]
        return [c.mul(x, c.broadcast(c.exp(halved), shape_of(x), ()))]

    e = np.linspace(0.5, 10, 20)
    function = _scan(body, e)
    expected = run(function, X, W, e)
    canonicalize(function)
    assert "array.while" in _names_in_loops(function)
    np.testing.assert_array_equal(run(function, X, W, e)[0], expected[0])
