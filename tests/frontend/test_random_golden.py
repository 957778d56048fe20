"""Random draws against JAX's."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest

import gradatim as gd
from gradatim import random

from .random_golden import EXACT, GOLDEN, ROUNDED, Golden, evaluate, spelled_default, stored

ROWS = list(stored())
KEY = random.key(42)

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
"""JAX's own logarithm of 1 + x is 2e-14 off in float64, its inverse error function 3e-7 in float32;
differences grow where results cancel."""


def rows(calls: list[str]) -> list:
    return [pytest.param(row, id=row.name) for row in ROWS if row.call in calls]


@pytest.mark.parametrize("golden", rows(EXACT))
def test_equals_jax(golden: Golden):
    found = np.asarray(evaluate(golden.call, random))
    if golden.mode == "x64" and "replace=False" not in golden.call:  # there JAX has int32
        assert found.dtype == golden.value.dtype
    np.testing.assert_array_equal(found, golden.value)


@pytest.mark.parametrize("golden", rows(ROUNDED))
def test_agrees_with_jax(golden: Golden):
    found = np.asarray(evaluate(golden.call, random))
    assert found.dtype == golden.value.dtype
    tolerance = TOLERANCE[found.real.dtype.type]
    np.testing.assert_allclose(found, golden.value, rtol=tolerance, atol=tolerance)


SIGNATURES = json.loads(GOLDEN.read_text())["signatures"]


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_is_that_of_jax(name: str):
    parameters = inspect.signature(getattr(random, name)).parameters.values()
    found = [[p.name, p.kind is p.KEYWORD_ONLY, spelled_default(p.default)] for p in parameters]
    assert found == SIGNATURES[name]


def test_there_is_nothing_but_what_jax_has():
    assert set(random.__all__) == SIGNATURES.keys()


def test_every_call_has_a_golden_result():
    assert {row.call for row in ROWS} == {*EXACT, *ROUNDED}


@pytest.mark.parametrize("call", ["bits(k, (3, 5))", "normal(k, (2, 3))", "split(k, (2, 2))"])
def test_in_a_trace_as_outside(call: str):
    def of(k):
        return eval(call, {**vars(random), "k": k})

    np.testing.assert_array_equal(gd.stage(of)(KEY), of(KEY))
