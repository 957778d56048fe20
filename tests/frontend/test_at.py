"""``x.at[index].set(value)`` and its like, of traced values and of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
import gradatim.numpy as gnp
from gradatim import errors

X = np.arange(5.0) + 1
M = np.arange(12.0).reshape(3, 4)

INDICES: list[tuple[np.ndarray, Any]] = [
    (X, np.array([0, 0, -1, 3])),
    (X, [4, 1]),
    (X, slice(1, 3)),
    (X, 2),
    (X, np.array([True, False, True, False, False])),
    (M, (slice(None), [1, 1, 2])),
    (M, (Ellipsis, -1)),
    (M, ([0, 2], slice(None, None, 2))),
    (M, (None, 1, [0, 3])),
    (M, np.arange(12).reshape(3, 4) % 5 == 0),
]

UPDATES: dict[str, Callable[[np.ndarray, Any, float], None]] = {
    "set": lambda x, i, v: x.__setitem__(i, v),
    "add": lambda x, i, v: np.add.at(x, i, v),
    "subtract": lambda x, i, v: np.subtract.at(x, i, v),
    "multiply": lambda x, i, v: np.multiply.at(x, i, v),
    "mul": lambda x, i, v: np.multiply.at(x, i, v),
    "divide": lambda x, i, v: np.divide.at(x, i, v),
    "power": lambda x, i, v: np.power.at(x, i, v),
    "min": lambda x, i, v: np.minimum.at(x, i, v),
    "max": lambda x, i, v: np.maximum.at(x, i, v),
}


@pytest.mark.parametrize("name", UPDATES)
def test_updates(name: str) -> None:
    for x, index in INDICES:
        expected = x.copy()
        UPDATES[name](expected, index, 2.5)

        def f(x: Any, v: Any, index: Any = index) -> Any:
            return getattr(x.at[index], name)(v), x

        found, same = gd.stage(f)(x, np.float64(2.5))
        np.testing.assert_allclose(found, expected, rtol=1e-15)
        np.testing.assert_array_equal(same, x)
        np.testing.assert_allclose(getattr(gnp.at(x)[index], name)(2.5), expected, rtol=1e-15)


def test_get_and_apply() -> None:
    for x, index in INDICES:
        expected = x.copy()
        expected[index] = np.sin(x[index])
        found = gd.stage(lambda x, index=index: (x.at[index].get(), x.at[index].apply(np.sin)))(x)
        np.testing.assert_array_equal(found[0], x[index])
        np.testing.assert_allclose(found[1], expected)
        np.testing.assert_array_equal(gnp.at(x, index).apply(np.sin), expected)


OUT_OF_RANGE: list[tuple[Callable[..., Any], Any]] = [
    (lambda x, i: x.at[i].set(9.0), [9, 2, 3, 4, 9]),
    (lambda x, i: x.at[i].set(9.0, mode="drop"), [9, 2, 3, 4, 9]),
    (lambda x, i: x.at[i].set(9.0, wrap_negative_indices=False), [9, 2, 3, 4, 5]),
    (lambda x, i: x.at[i].add(1.0), [3, 2, 3, 4, 6]),
    (lambda x, i: x.at[i].add(1.0, mode="clip"), [4, 2, 3, 4, 7]),
    (lambda x, i: x.at[i].add(1.0, mode="wrap"), [3, 3, 4, 4, 6]),
    (lambda x, i: x.at[i].multiply(2.0), [4, 2, 3, 4, 10]),
    (lambda x, i: x.at[i].get(), [1, 1, 5, 5, 1]),
    (lambda x, i: x.at[i].get(mode="clip", indices_are_sorted=False), [1, 1, 5, 5, 1]),
    (lambda x, i: x.at[i].get(mode="fill"), [1, 1, 5, np.nan, np.nan]),
    (lambda x, i: x.at[i].get(mode="fill", fill_value=-1), [1, 1, 5, -1, -1]),
    (lambda x, i: x.astype("i4").at[i].get(mode="fill")[3:], [-(2**31)] * 2),
    (lambda x, i: x.astype("u1").at[i].get(mode="fill")[3:], [255] * 2),
    (lambda x, i: (x > 9).at[i].get(mode="fill")[3:], [True] * 2),
    (lambda x, i: x.at[i[:1]].set(7, unique_indices=True, mode="promise_in_bounds")[:1], [7]),
]


@pytest.mark.parametrize(("program", "expected"), OUT_OF_RANGE)
def test_positions_out_of_range(program: Callable[..., Any], expected: list[float]) -> None:
    i = np.array([0, 0, -1, 7, -9])
    np.testing.assert_array_equal(gd.stage(program)(X, i), expected)
    np.testing.assert_array_equal(gd.stage(lambda x: program(x, i))(X), expected)


def test_positions_out_of_range_of_several_dimensions() -> None:
    index = (np.array([0, 5, 2]), slice(None), None)

    def f(x: Any) -> Any:
        return x.at[index].set(-1.0), x.at[index].get(mode="fill", fill_value=0.5)

    new = M.copy()
    new[[0, 2]] = -1
    part = np.stack([M[0], np.full(4, 0.5), M[2]])[..., None]
    for found in (gd.stage(f)(M), (gnp.at(M)[index].set(-1.0), None)):
        np.testing.assert_array_equal(found[0], new)
    np.testing.assert_array_equal(gd.stage(f)(M)[1], part)


def test_arrays_take_traced_indices_and_values() -> None:
    def f(i: Any, v: Any) -> Any:
        return gnp.at(X)[i].set(v), gnp.at(X, i).get(), gnp.at(X)[i].max(v)

    found = gd.stage(f)(np.int64(1), 9.0)
    np.testing.assert_array_equal(found[0], [1, 9, 3, 4, 5])
    assert found[1] == 2
    np.testing.assert_array_equal(found[2], [1, 9, 3, 4, 5])


def test_gradients() -> None:
    i = np.array([1, 1, 4])

    def f(x: Any, v: Any) -> Any:
        return (x.at[i].set(v) ** 2).sum() + (x.at[i].add(v) ** 2).sum()

    v = np.array([0.5, 2.0, -1.0])
    dx, dv = gd.grad(f, (0, 1))(X, v)
    added = X.copy()
    np.add.at(added, i, v)
    kept = np.array([1, 0, 1, 1, 0])
    np.testing.assert_allclose(dx, 2 * X * kept + 2 * added)
    np.testing.assert_allclose(dv, np.array([0, 4.0, -2.0]) + 2 * added[i])


def test_misuse() -> None:
    with pytest.raises(errors.ArgumentError, match="mode must be one of None, 'drop'"):
        gd.stage(lambda x: x.at[0].set(1, mode="nonsense")).trace(X)
    with pytest.raises(errors.NonConcreteBooleanIndexError):
        gd.stage(lambda x: x.at[x > 0].get()).trace(X)
    assert repr(gnp.at(X)).endswith(".at")
