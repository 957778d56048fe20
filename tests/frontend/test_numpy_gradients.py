"""Derivatives of composed functions: where the formula was chosen for them, and in general."""

from __future__ import annotations

from functools import partial
from math import inf, pi

import numpy as np
import pytest

import gradatim as gd

from .numpy_harness import F64, samples


@pytest.fixture(autouse=True)
def by_interpreter(monkeypatch):
    """Run by the reference semantics: the formula is tested here, not the compiler."""
    monkeypatch.setenv("GRADATIM_EXECUTE", "interpreter")


def gradient(function, *arguments):
    return gd.grad(function, argnums=tuple(range(len(arguments))))(*arguments)


SINGULAR = [
    (np.hypot, (0.0, 0.0), (0.0, 0.0)),
    (np.hypot, (3.0, -4.0), (0.6, -0.8)),
    (np.hypot, (3e200, 4e200), (0.6, 0.8)),
    (np.hypot, (3e-200, 4e-200), (0.6, 0.8)),
    (np.linalg.norm, (np.zeros(3),), (np.zeros(3),)),
    (partial(np.linalg.norm, ord=3), (np.zeros(2),), (np.zeros(2),)),
    (partial(np.linalg.norm, ord=1), (np.array([0.0, -2.0]),), (np.array([0.0, -1.0]),)),
    (np.linalg.matrix_norm, (np.zeros((2, 2)),), (np.zeros((2, 2)),)),
    (np.sinc, (0.0,), (0.0,)),
    (gd.grad(np.sinc), (0.0,), (-(pi**2) / 3,)),
    (np.logaddexp, (1.0, 1.0), (0.5, 0.5)),
    (np.logaddexp, (1e3, -1e3), (1.0, 0.0)),
    (np.logaddexp, (-inf, 1.0), (0.0, 1.0)),
    (np.logaddexp, (-inf, -inf), (0.5, 0.5)),
    (np.logaddexp2, (2.0, 2.0), (0.5, 0.5)),
    (np.abs, (0.0,), (0.0,)),
    (lambda x: x**2, (0.0,), (0.0,)),
    (lambda x: x**0, (0.0,), (0.0,)),
    (lambda x: x**3, (-2.0,), (12.0,)),
    (np.remainder, (7.5, -2.0), (1.0, 4.0)),
    (np.floor_divide, (7.5, -2.0), (0.0, 0.0)),
    (np.fmod, (-7.5, 2.0), (1.0, 3.0)),
    (np.maximum, (1.0, 1.0), (0.5, 0.5)),
    (np.fmax, (np.nan, 2.0), (0.0, 1.0)),
    (lambda x: np.frexp(x)[0], (6.0,), (0.125,)),
    (lambda x: np.ldexp(x, 3), (6.0,), (8.0,)),
    (lambda x: np.modf(x)[0], (-6.5,), (1.0,)),
    (np.heaviside, (0.0, 0.5), (0.0, 1.0)),
    (np.prod, (np.array([0.0, 2.0, 4.0]),), (np.array([8.0, 0.0, 0.0]),)),
    (np.nanmean, (np.array([1.0, np.nan, 3.0]),), (np.array([0.5, 0.0, 0.5]),)),
    (np.nanmax, (np.array([1.0, np.nan, 3.0]),), (np.array([0.0, 0.0, 1.0]),)),
    (lambda x: np.nan_to_num(x).sum(), (np.array([1.0, np.nan, inf]),), (np.array([1.0, 0, 0]),)),
    (lambda x: np.clip(x, 0, 1).sum(), (np.array([-1.0, 0.5, 2.0]),), (np.array([0.0, 1, 0]),)),
]


@pytest.mark.parametrize(("function", "arguments", "expected"), SINGULAR)
def test_derivatives_at_special_points(function, arguments, expected):
    for found, value in zip(gradient(function, *arguments), expected, strict=True):
        np.testing.assert_allclose(found, value, rtol=1e-14)


def weighted(function):
    """Return the function's results, summed with weights that all differ, as one number."""

    def program(*arguments):
        results = function(*arguments)
        parts = results if isinstance(results, (tuple, list)) else (results,)
        return sum(np.sum(p * np.cos(np.arange(p.size)).reshape(p.shape)) for p in parts)

    return program


def difference_quotient(function, arguments, position: int, step: float = 1e-6) -> np.ndarray:
    """Return the gradient by central differences."""
    x = arguments[position]
    slopes = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        sides = []
        for signed in (step, -step):
            moved = x.copy()
            moved[index] += signed
            sides.append(function(*arguments[:position], moved, *arguments[position + 1 :]))
        slopes[index] = (sides[0] - sides[1]) / (2 * step)
    return slopes


SMOOTH = [
    (np.hypot, [(3,), (3,)]),
    (np.logaddexp, [(3,), (2, 3)]),
    (np.sinc, [(5,)]),
    (lambda x: x**-3, [(3,)]),
    (lambda x: np.abs(x) ** 1.5, [(3,)]),
    (lambda x: x**17, [(3,)]),
    (np.tril, [(3, 3)]),
    (lambda x: np.diag(x, 1), [(3,)]),
    (lambda x: np.diagonal(x, -1), [(3, 4)]),
    (np.trace, [(2, 3)]),
    (lambda x: np.pad(x, (2, 3), "reflect"), [(3,)]),
    (lambda x, c: np.pad(x, 1, constant_values=c[0]), [(2, 2), (1,)]),
    (lambda x: np.roll(x, 2), [(2, 3)]),
    (lambda x: np.repeat(x, [1, 0, 3], axis=0), [(3, 2)]),
    (lambda x: np.tile(x, (2, 2)), [(2,)]),
    (lambda a, b: np.linspace(a, b, 4), [(2,), (2,)]),
    (lambda a, b: np.logspace(a, b, 3, base=2.0), [(), ()]),
    (lambda x: np.var(x, axis=0, ddof=1), [(3, 2)]),
    (np.std, [(4,)]),
    (lambda x, w: np.average(x, axis=0, weights=w**2), [(3, 2), (3,)]),
    (np.cov, [(2, 4)]),
    (lambda x: np.linalg.norm(x, axis=1), [(2, 3)]),
    (lambda x: np.linalg.norm(x, 3, axis=0), [(2, 3)]),
    (np.gradient, [(3, 4)]),
    (lambda y, x: np.trapezoid(y, x), [(4,), (4,)]),
    (np.cumprod, [(4,)]),
    (lambda p, x: np.polyval(p, x), [(3,), (2,)]),
    (np.matmul, [(2, 3, 4), (4, 2)]),
    (np.vecdot, [(2, 3), (3,)]),
    (lambda a, b: np.tensordot(a, b, ([0, 1], [1, 0])), [(2, 3), (3, 2)]),
    (np.kron, [(2,), (2, 2)]),
    (partial(np.convolve, mode="same"), [(6,), (3,)]),
    (np.correlate, [(3,), (5,)]),
    (np.cross, [(2, 3), (3,)]),
    (partial(np.einsum, "bij,jk,b->ik"), [(2, 2, 3), (3, 2), (2,)]),
    (partial(np.einsum, "iij,j->i"), [(2, 2, 3), (3,)]),
    (partial(np.linalg.matrix_power, n=3), [(2, 2)]),
    (lambda x, y: np.concatenate([x, y[None]]), [(2, 2), (2,)]),
    (lambda x: np.split(x, [1, 2]), [(4,)]),
    (lambda x, y: np.where(x > 0, x * y, y), [(3,), (3,)]),
    (lambda x: np.unwrap(x), [(4,)]),
    (lambda x: np.round(x * 1.7), [(3,)]),
    (lambda x: np.sort(x * x, axis=0), [(4, 2)]),
    (lambda x: np.sort(x, kind="stable") ** 2, [(5,)]),
    (lambda x: np.median(x, axis=0) ** 2, [(4, 3)]),
    (np.nanmedian, [(3, 3)]),
    (lambda x: np.quantile(x, [0.1, 0.8], axis=1), [(2, 5)]),
    (lambda x, q: np.quantile(x, q * q / 20, method="hazen"), [(5,), (2,)]),
    (lambda x: np.nanpercentile(x, 30, axis=0), [(4, 2)]),
    (lambda x, y: x[np.argsort(y)], [(4,), (4,)]),
]


@pytest.mark.parametrize(("function", "shapes"), SMOOTH)
def test_derivatives_against_differences(function, shapes):
    arguments = [samples(F64, shape, seed=seed + 3) for seed, shape in enumerate(shapes)]
    program = weighted(function)
    for position, found in enumerate(gradient(program, *arguments)):
        expected = difference_quotient(program, arguments, position)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
