"""Every form of control flow, alone and nested in others, under every transformation.

Values are those of plain Python, first derivatives those of differences of values, second ones
those of differences of first ones. One program computes all transformations of a function, at the
points and a step before and behind them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

import gradatim as gd

from .forms import ALL, PAIRS, POINTS, smooth
from .transformations import TRANSFORMATIONS

STEP = 1e-6
NESTED = [name for name, t in TRANSFORMATIONS.items() if t.nested]
CELLS = [
    *(((form,), name) for form in ALL for name in TRANSFORMATIONS),
    *((pair, name) for pair in PAIRS for name in NESTED),
]


def spelled(forms: tuple[str, ...], name: str) -> str:
    return f"{' in '.join(forms)}: {name}"


@pytest.mark.parametrize(("forms", "name"), CELLS, ids=[spelled(*cell) for cell in CELLS])
def test_cell(forms: tuple[str, ...], name: str) -> None:
    """``forms`` are the innermost first."""
    result, expected = found(forms)[name], wanted(forms, TRANSFORMATIONS[name].order)
    shape = np.shape(result)
    whole = {0: expected[0], 1: expected, 2: np.diag(expected)}[len(shape)]
    tolerance = 1e-7 if TRANSFORMATIONS[name].order else 1e-13
    scale = np.max(np.abs(whole)) + 1
    np.testing.assert_allclose(result, whole, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("form", ALL)
def test_every_form_is_nested_in_another_one_and_around_one(form: str) -> None:
    assert {"if", "while", "for", "checkpoint", "custom_jvp", "custom_vjp"} < ALL.keys()
    assert any(inner == form != outer for inner, outer in PAIRS)
    assert any(outer == form != inner for inner, outer in PAIRS)


def found(forms: tuple[str, ...]) -> dict[str, Any]:
    """Return what the transformations give at the points."""
    return results(forms)[0]


def wanted(forms: tuple[str, ...], order: int) -> Any:
    """Return the values, or the derivatives by differences, at the points."""
    if order == 0:
        return values(forms, POINTS)
    if order == 1:
        before, behind = (values(forms, POINTS + step) for step in (-STEP, STEP))
    else:
        before, behind = (part["vmap of grad"] for part in results(forms)[1:])
    return (behind - before) / (2 * STEP)


def values(forms: tuple[str, ...], points: Any) -> Any:
    f = smooth
    for form in forms:
        f = ALL[form].plain(f)
    return np.array([f(x) for x in points])


@lru_cache(maxsize=1)
def results(forms: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what one program gives for the points, and for those before and behind them."""
    f = smooth
    for form in forms:
        f = ALL[form].traced(f)
    names = TRANSFORMATIONS if len(forms) == 1 else NESTED
    program = gd.stage(lambda xs: {name: TRANSFORMATIONS[name].apply(f, xs) for name in names})
    return [program(POINTS + step) for step in (0.0, -STEP, STEP)]
