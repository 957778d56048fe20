"""Derivatives through control flow: every form, in every other, to second order."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.ir import SSAValue

from gradatim.ir.array.contraction import DotGeneralOp
from gradatim.ir.array.control import INDEX, ScanOp
from gradatim.ir.builder import Builder
from gradatim.ir.types import shape_of, tensor_type
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.simplify.canonicalize import canonicalize

from .control_programs import FORMS, block, smooth, types
from .differentiation import check_derivatives, make

X = np.array([0.4, 0.9])
W = np.array([0.3, 0.7])


@pytest.mark.parametrize("name", FORMS)
def test_derivatives_to_second_order(name: str):
    function = make(FORMS[name](smooth), X, W)
    check_derivatives(function, [X, W], order=2)


@pytest.mark.parametrize("inner", FORMS)
@pytest.mark.parametrize("outer", FORMS)
def test_derivatives_of_forms_in_forms(outer: str, inner: str):
    function = make(FORMS[outer](FORMS[inner](smooth)), X, W)
    check_derivatives(function, [X, W], tolerance=1e-6)


def _network(b: Builder, h: SSAValue, w: SSAValue, u: SSAValue, bias: SSAValue, x: SSAValue):
    """A recurrent network, which uses its weights twice in each step."""

    def body(c: Builder, i, w, u, bias, h, x):
        moved = c.dot_general(h, w, contract=((1,), (0,)))
        entered = c.dot_general(x, u, contract=((1,), (0,)))
        added = c.add(c.add(moved, entered), c.broadcast(bias, shape_of(h), (1,)))
        mixed = c.dot_general(c.tanh(added), w, contract=((1,), (0,)))
        return [c.sin(mixed)]

    step = tensor_type(shape_of(x)[1:], np.dtype(np.float64))
    new = block(b, [INDEX, *types(w, u, bias, h), step], body)
    return b.scan(shape_of(x)[0], [w, u, bias], [h], [x], new)


def _network_arguments(steps: int, rows: int, width: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = [(rows, width), (width, width), (width, width), (width,), (steps, rows, width)]
    return [rng.normal(size=shape) / np.sqrt(width) for shape in shapes]


def test_products_over_all_steps():
    """The gradients of weights are one product each, not a sum in a loop, and right."""
    arguments = _network_arguments(12, 4, 40)
    function = make(_network, *arguments)
    check_derivatives(function, arguments, tolerance=1e-6)
    gradient = vjp(function, range(5), value=False)
    canonicalize(gradient)
    loops = [op for op in gradient.body.block.ops if isinstance(op, ScanOp)]
    carried = {shape_of(value) for op in loops for value in op.groups[1]}
    assert (40, 40) not in carried  # the cotangent of a weight
    outside = [op for op in gradient.body.block.ops if isinstance(op, DotGeneralOp)]
    assert sum(shape_of(op.result) == (40, 40) for op in outside) >= 2


def test_small_products_are_added_up():
    arguments = _network_arguments(3, 2, 3)
    check_derivatives(make(_network, *arguments), arguments, tolerance=1e-6, order=2)


def test_many_rows_are_added_up():
    """Where a step's product is large already, its factors are not stacked."""
    gradient = vjp(make(_network, *_network_arguments(12, 300, 40)), range(5), value=False)
    canonicalize(gradient)
    loops = [op for op in gradient.body.block.ops if isinstance(op, ScanOp)]
    carried = {shape_of(value) for op in loops for value in op.groups[1]}
    assert (40, 40) in carried


def test_invariants_are_differentiated_once():
    """What is the same in all steps leaves the loop before it is differentiated."""

    def body(b: Builder, x: SSAValue, w: SSAValue):
        def step(c: Builder, i, w, x):
            return [c.mul(x, c.exp(w))]

        return b.scan(4, [w], [x], [], block(b, [INDEX, *types(w, x)], step))

    gradient = vjp(make(body, X, W), (0, 1), value=False)
    loops = [op for op in gradient.body.block.ops if isinstance(op, ScanOp)]
    assert len(loops) == 2
    names = {inner.name for op in loops for inner in op.walk()}
    assert "array.exp" not in names
