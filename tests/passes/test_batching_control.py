"""vmap of control flow against a loop over lanes: every form, in every other, with derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.func import FuncOp

from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap

from .control_programs import FORMS, smooth
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
