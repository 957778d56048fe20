"""`lax.dynamic_slice` and its relatives."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import gradatim as gd
from gradatim import lax
from gradatim.errors import ArgumentError, ShapeError

X = np.arange(20.0).reshape(4, 5)


def window(starts: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the slices of a window, moved inside."""
    places = []
    for start, size, n in zip(starts, sizes, X.shape):
        first = start + n if start < 0 else start
        places.append(min(max(first, 0), n - size))
    return tuple(slice(i, i + m) for i, m in zip(places, sizes))


@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (4, 5), (0, 2)])
def test_windows(sizes: tuple[int, ...]) -> None:
    update = -np.ones(sizes)
    for starts in product((0, 2, -1, -9, 7), repeat=2):
        places = window(starts, sizes)
        expected = X.copy()
        expected[places] = update
        for given in (starts, np.array(starts), np.array(starts, np.int8)):
            np.testing.assert_array_equal(lax.dynamic_slice(X, given, sizes), X[places])
            np.testing.assert_array_equal(lax.dynamic_update_slice(X, update, given), expected)
            traced = gd.jit(lambda x, at: lax.dynamic_slice(x, at, sizes))(X, given)
            np.testing.assert_array_equal(traced, X[places])


def test_along_one_axis() -> None:
    @gd.jit
    def f(x, i):
        return (
            lax.dynamic_slice_in_dim(x, i, 2, axis=1),
            lax.dynamic_index_in_dim(x, i, axis=0),
            lax.dynamic_index_in_dim(x, i, axis=-1, keepdims=False),
            lax.dynamic_update_slice_in_dim(x, x[:, :2] * 10, i, axis=1),
            lax.dynamic_update_index_in_dim(x, x[0], i, axis=0),
            lax.dynamic_update_index_in_dim(x, x[:, :1], i, axis=1),
        )

    replaced, row, column = X.copy(), X.copy(), X.copy()
    replaced[:, 2:4] = X[:, :2] * 10
    row[2], column[:, 2] = X[0], X[:, 0]
    expected = (X[:, 2:4], X[2:3], X[:, 2], replaced, row, column)
    for found, wanted in zip(f(X, 2), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_update_takes_the_dtype() -> None:
    found = lax.dynamic_update_slice(np.zeros(4, np.int32), np.array([1.7, 2.2]), [1])
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, [0, 1, 2, 0])


def test_transformations() -> None:
    def f(x, i):
        return np.sum(lax.dynamic_slice(x, (i, 1), (2, 3)) ** 2)

    gradient = np.zeros((4, 5))
    gradient[1:3, 1:4] = 2 * X[1:3, 1:4]
    np.testing.assert_allclose(gd.grad(f)(X, 1), gradient)
    found = gd.vmap(f, in_axes=(None, 0))(X, np.arange(3))
    np.testing.assert_allclose(found, [f(X, i) for i in range(3)])


def test_refusals() -> None:
    with pytest.raises(ShapeError, match=r"window of shape \(5, 1\) does not fit into one of"):
        lax.dynamic_slice(X, (0, 0), (5, 1))
    with pytest.raises(ArgumentError, match="2 dimensions needs an integer position along each"):
        lax.dynamic_slice(X, (0,), (1, 1))
    with pytest.raises(ArgumentError, match="needs an integer position"):
        lax.dynamic_slice(X, (0.5, 0), (1, 1))
    with pytest.raises(ArgumentError, match="a sequence of integers"):
        lax.dynamic_slice(X, np.zeros((2, 2), int), (1, 1))
    with pytest.raises(gd.errors.TracerIntegerConversionError, match=r"lax\.dynamic_slice"):
        gd.stage(lambda x, i: x[i : i + 2]).lower(X, 1)
