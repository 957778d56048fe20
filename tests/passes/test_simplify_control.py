"""Simplification of control flow keeps what programs compute, and is done after one application."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp

from gradatim.ir.checks import check_function
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.simplify.canonicalize import canonicalize
from gradatim.passes.simplify.cse import merge_equal_ops
from gradatim.passes.simplify.dce import eliminate_dead_code
from gradatim.passes.simplify.fold import fold_constants

from .control_programs import FORMS, smooth
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
