"""`lax.sort`, `lax.sort_key_val` and `lax.top_k`, and sorts inside of control flow."""

from __future__ import annotations

import numpy as np
import pytest

import gradatim as gd
from gradatim import lax
from gradatim.frontend.errors import ArgumentError, DtypeError, ShapeError

from .numpy_harness import ALL_DTYPES, REAL_DTYPES, samples

X = np.array([3.0, np.nan, -0.0, 0.0, 5, -np.inf, np.nan, 5])


@pytest.mark.parametrize("dtype", ALL_DTYPES, ids=str)
def test_sort(dtype: np.dtype):
    x = samples(dtype, (4, 9))
    np.testing.assert_array_equal(lax.sort(x), np.sort(x))
    np.testing.assert_array_equal(lax.sort(x, 0, is_stable=False), np.sort(x, 0))


def test_sort_together():
    keys, more, values = np.array([[1, 0, 1, 0]]), np.array([[2.0, 1, 1, 1]]), np.arange(4)[None]
    found = lax.sort([keys, more, values], num_keys=2)
    for array, expected in zip(found, ([0, 0, 1, 1], [1, 1, 1, 2], [1, 3, 2, 0])):
        np.testing.assert_array_equal(array, [expected])
    one, other = lax.sort_key_val(keys, values, dimension=1)
    np.testing.assert_array_equal(one, [[0, 0, 1, 1]])
    np.testing.assert_array_equal(other, [[1, 3, 0, 2]])


def top(x: np.ndarray, k: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest elements by NumPy, with NaN first and of equal ones the first one first."""
    flat = np.moveaxis(x, axis, -1)
    order = np.lexsort((np.arange(flat.shape[-1]) + 0 * flat.real, -flat.astype(float)))
    nan = np.isnan(flat.astype(float))
    order = np.take_along_axis(
        order, np.argsort(~np.take_along_axis(nan, order, -1), -1, kind="stable"), -1
    )
    order = np.moveaxis(order[..., :k], -1, axis)
    return np.take_along_axis(x, order, axis), order


@pytest.mark.parametrize("dtype", REAL_DTYPES, ids=str)
def test_top_k(dtype: np.dtype):
    x = samples(dtype, (5, 12))
    for k, axis in ((0, 1), (1, -1), (3, 1), (12, 1), (2, 0)):
        for found, expected in zip(lax.top_k(x, k, axis=axis), top(x, k, axis)):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


def test_top_k_of_special_values():
    values, positions = lax.top_k(X, 6)
    np.testing.assert_array_equal(values, [np.nan, np.nan, 5, 5, 3, 0])
    np.testing.assert_array_equal(positions, [1, 6, 4, 7, 0, 2])
    np.testing.assert_array_equal(lax.top_k(-X.astype(np.float32), 8)[1], [1, 6, 5, 2, 3, 0, 4, 7])


def test_derivatives():
    x, weights = samples(np.dtype(float), (3, 6)), np.array([1.0, 10.0])

    def loss(x):
        return np.sum(lax.top_k(x, 2)[0] ** 2 * weights)

    expected = np.zeros_like(x)
    places = np.argsort(-x, axis=1)[:, :2]
    np.put_along_axis(expected, places, 2 * np.take_along_axis(x, places, 1) * weights, 1)
    np.testing.assert_allclose(gd.grad(loss)(x), expected, rtol=1e-14)
    per_row = gd.vmap(gd.grad(lambda row: np.sum(lax.sort((row, row**3))[1][:2])))(x)
    first = np.argsort(x, axis=1)[:, :2]
    expected = np.zeros_like(x)
    np.put_along_axis(expected, first, 3 * np.take_along_axis(x, first, 1) ** 2, 1)
    np.testing.assert_allclose(per_row, expected, rtol=1e-14)


def test_in_a_loop():
    def merge(best, row):
        best = np.sort(np.concatenate([best, row]))[-4:]
        return best, np.argsort(row)

    rows = samples(np.dtype(float), (7, 5))
    best, orders = gd.stage(lambda rows: lax.scan(merge, np.full(4, -np.inf), rows))(rows)
    np.testing.assert_array_equal(best, np.sort(rows.ravel())[-4:])
    np.testing.assert_array_equal(orders, np.argsort(rows, axis=1))
    gradient = gd.grad(lambda rows: np.sum(lax.scan(merge, np.zeros(4), rows)[0] ** 2))(rows)
    largest = np.sort(rows.ravel())[-4:]
    np.testing.assert_allclose(gradient, np.where(rows >= largest[0], 2 * rows, 0), rtol=1e-14)


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        (lambda: lax.sort((X, X), num_keys=3), ArgumentError, "2 arrays cannot have 3 keys"),
        (lambda: lax.sort((X, X[:2])), ShapeError, r"one shape, not \(8,\), \(2,\)"),
        (lambda: lax.top_k(X, 9), ArgumentError, "no 9 largest of 8 elements along axis -1"),
        (lambda: lax.top_k(np.ones(3) * 1j, 1), DtypeError, "no largest ones"),
    ],
)
def test_errors(program, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        program()
