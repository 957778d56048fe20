"""Every form of control flow, alone and nested in every other one, under every transformation.

A program computes all transformations of a function at once. Values are those of plain Python,
first derivatives those of differences of values, second derivatives those of differences of first.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import gradatim as gd

from .forms import FORMS, POINTS, Function, smooth

PAIRS = list(product(FORMS, FORMS))
STEP = 1e-6


def transformations(f: Function) -> Any:
    """Return all that is asked for, of the points, as one program."""
    df, tangent = gd.grad(f), lambda x: gd.jvp(f, (x,), (np.ones_like(x),))[1]

    def total(xs: Any) -> Any:
        return np.sum(gd.vmap(f)(xs))

    def program(xs: Any) -> dict[str, Any]:
        x = xs[0]
        return {
            "value": f(x),
            "jvp": tangent(x),
            "grad": df(x),
            "vmap": gd.vmap(f)(xs),
            "vmap of grad": gd.vmap(df)(xs),
            "vmap of jvp": gd.vmap(tangent)(xs),
            "grad of vmap": gd.grad(total)(xs),
            "jvp of grad": gd.jvp(df, (x,), (np.ones_like(x),))[1],
            "grad of jvp": gd.grad(tangent)(x),
            "grad of grad": gd.grad(df)(x),
            "vmap of grad of grad": gd.vmap(gd.grad(df))(xs),
        }

    return program


def check(f: Function, plain: Function) -> None:
    found = gd.stage(transformations(f))(POINTS)
    values = np.array([plain(x) for x in POINTS])
    slopes = np.array([(plain(x + STEP) - plain(x - STEP)) / (2 * STEP) for x in POINTS])
    gradient = gd.stage(lambda xs: gd.vmap(gd.grad(f))(xs))
    second = (gradient(POINTS + STEP) - gradient(POINTS - STEP)) / (2 * STEP)
    expected = {
        "value": values[0],
        "vmap": values,
        "jvp": slopes[0],
        "grad": slopes[0],
        "vmap of grad": slopes,
        "vmap of jvp": slopes,
        "grad of vmap": slopes,
        "jvp of grad": second[0],
        "grad of jvp": second[0],
        "grad of grad": second[0],
        "vmap of grad of grad": second,
    }
    for name, want in expected.items():
        exact = name in ("value", "vmap")
        tolerance = 1e-13 if exact else 1e-6
        scale = np.max(np.abs(want)) + 1
        np.testing.assert_allclose(
            found[name], want, rtol=tolerance, atol=tolerance * scale, err_msg=name
        )


@pytest.mark.parametrize("form", FORMS)
def test_alone(form: str):
    traced, plain = FORMS[form]
    check(traced(smooth), plain(smooth))


@pytest.mark.parametrize(("outer", "inner"), PAIRS, ids=" of ".join)
def test_nested(outer: str, inner: str):
    check(
        FORMS[outer].traced(FORMS[inner].traced(smooth)),
        FORMS[outer].plain(FORMS[inner].plain(smooth)),
    )
