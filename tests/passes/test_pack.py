"""Operands of products in loops are put in order before the loops; results stay."""

from __future__ import annotations

import numpy as np
import pytest

import gradatim as gd
from gradatim import lax
from gradatim.ir.array.control import ScanOp
from gradatim.ir.array.shape import TransposeOp
from gradatim.ir.checks import check_function
from gradatim.ir.functions import find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.text import parse_module
from gradatim.passes.fusion.pack import ArrayPackOperands
from gradatim.passes.pipeline import run_passes

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.standard_normal((24, 24)) / 5
ROWS = RANDOM.standard_normal((6, 24))


def repeated(w, h):
    return lax.scan(lambda h, _: (np.tanh(h @ w.T) @ w, None), h, None, length=200)[0]


def branching(w, h):
    """Products in a branch and in a loop within the loop."""

    def step(h, _):
        h = lax.cond(np.sum(h) > 0, lambda h: h @ w.T, lambda h: h * 0.5, h)
        return lax.fori_loop(0, 3, lambda i, g: np.tanh(g @ w.T), h), None

    return lax.scan(step, h, None, length=100)[0]


@pytest.mark.parametrize("f", [repeated, branching])
def test_same_results(f):
    module = gd.stage(f).trace(WEIGHTS, ROWS).module
    packed = module.clone()
    run_passes(packed, [ArrayPackOperands()])
    packed.verify()
    check_function(find_function(packed, f.__name__))
    want, got = (Interpreter(m).call(f.__name__, WEIGHTS, ROWS) for m in (module, packed))
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_gradient_packs_once():
    """A gradient multiplies by transposed weights: these are transposed before the loop back."""
    loss = gd.stage(lambda w, h: np.sum(repeated(w, h))).grad()
    program = loss.lower(WEIGHTS, ROWS).as_text("array")
    module = parse_module(program)
    run_passes(module, [ArrayPackOperands()])
    function = find_function(module, "lambda")
    loops = [op for op in function.walk() if isinstance(op, ScanOp)]
    inside = [op for loop in loops for op in loop.walk()]
    transposes = [op for op in function.walk() if isinstance(op, TransposeOp)]
    assert transposes
    assert not set(transposes) & set(inside)


def test_compiled():
    f = gd.stage(repeated)
    np.testing.assert_allclose(f(WEIGHTS, ROWS), repeated(WEIGHTS, ROWS), rtol=1e-10)
