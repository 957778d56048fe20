"""What a traced mask selects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors

A = np.arange(12.0).reshape(4, 3) - 4


def by_row(x: Any) -> Any:
    return x[:, 0] > 0


PROGRAMS: list[Callable[[Any], Any]] = [
    lambda x: x[x > 0].sum(),
    lambda x: x[by_row(x)].sum(),
    lambda x: x[by_row(x)].sum(axis=0),
    lambda x: x[by_row(x)].sum(axis=(0, 1)),
    lambda x: np.sum(x[x > 99]),
    lambda x: x[x > 0].mean(),
    lambda x: np.mean(x[by_row(x)], axis=0),
    lambda x: x[x > 3].std(),
    lambda x: x[x > 3].var(ddof=1),
    lambda x: x[x > 3].max(),
    lambda x: x.astype(np.int32)[x < 3].max(),
    lambda x: x[by_row(x)].min(axis=0),
    lambda x: np.prod(x[x > 3] - 2),
    lambda x: np.add.reduce(x[by_row(x)]),
    lambda x: ((x[x > 0] ** 2 + 1) * x[x > 0]).sum(),
    lambda x: (x[by_row(x)] + np.ones(3) + np.ones((1, 3))).sum(axis=0),
    lambda x: (x[x > 0] > 3).any(),
    lambda x: np.all(x[x > 0] > 3),
    lambda x: x[x > 0].shape[0],
    lambda x: x[by_row(x)].size,
    lambda x: np.where(x[x > 0] > 2, x[x > 0], 0.5).sum(),
    lambda x: np.clip(x[x > 0], 1, 3).sum(),
    lambda x: x[x > 0].clip(1, 3).sum(),
    lambda x: x[x > 0].astype(np.int64).sum(),
    lambda x: (x + 1j * x)[x > 0].imag.sum(),
    lambda x: (x[x > 0].copy() + x[x > 0].real).sum(),
    lambda x: np.modf(x[x > 0] / 2)[0].sum(),
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_computing_with_what_a_mask_selects(program: Callable[[Any], Any]) -> None:
    found, expected = gd.stage(program)(A), program(A)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert np.asarray(found).dtype == np.asarray(expected).dtype


STORES: list[Callable[[Any], Any]] = [
    lambda x: x.__setitem__(x < 0, -x[x < 0]),
    lambda x: x.__setitem__(by_row(x), x[by_row(x)] * 2 + np.arange(3)),
    lambda x: x.__setitem__(x > 2, (x.T.copy().T + 1)[x > 2]),
    lambda x: x[::2].__setitem__(x[::2] > 0, np.sqrt(x[::2][x[::2] > 0])),
    lambda x: x.astype(np.int32).__setitem__(x > 0, x[x > 0]),
]


@pytest.mark.parametrize("store", STORES)
def test_storing_what_a_mask_selects(store: Callable[[Any], Any]) -> None:
    def program(x: Any) -> Any:
        store(x)
        x[x > 5] += 1
        return x

    np.testing.assert_allclose(gd.stage(program)(A), program(A.copy()))


def test_what_is_not_selected_has_no_nan_in_its_gradient() -> None:
    def loss(x: Any) -> Any:
        y = np.zeros_like(x)
        y[x > 0] = np.log(x[x > 0]) + np.sqrt(x[x > 0])
        return y.sum()

    positive = np.where(A > 0, A, 1)
    expected = np.where(A > 0, 1 / positive + 0.5 / np.sqrt(positive), 0)
    np.testing.assert_allclose(gd.grad(loss)(A), expected)


REFUSED: list[Callable[[Any], Any]] = [
    lambda x: x[x > 0],
    lambda x: len(x[x > 0]),
    lambda x: list(x[x > 0]),
    lambda x: x[x > 0][0],
    lambda x: x[x > 0] + x[x > 1],
    lambda x: x[x > 0] + np.ones(5),
    lambda x: x[by_row(x)].sum(axis=1),
    lambda x: x[x > 0].reshape(3),
    lambda x: np.sort(x[x > 0]),
    lambda x: np.concatenate([x[x > 0], [1.0]]),
    lambda x: np.add.accumulate(x[x > 0]),
    lambda x: np.asarray(x[x > 0]),
    lambda x: x.__setitem__(x > 0, x[x > 1]),
    lambda x: np.zeros(4)[x[:, 0] > 0],
]


@pytest.mark.parametrize("program", REFUSED)
def test_what_needs_the_number_of_elements(program: Callable[[Any], Any]) -> None:
    with pytest.raises((errors.NonConcreteBooleanIndexError, errors.TracerArrayConversionError)):
        gd.stage(program).trace(A)


def test_a_mask_of_another_shape() -> None:
    with pytest.raises(IndexError, match=r"size of axis is 4 but size of corresponding .* is 3"):
        gd.stage(lambda x: x[x[0] > 0]).trace(A)
