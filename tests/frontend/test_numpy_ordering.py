"""Sorting and searching: special values, compiled programs, derivatives, batches."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradatim as gd
import gradatim.frontend.numpy as gnp
from gradatim.frontend.errors import UnsupportedError

from .numpy_harness import F32, F64, compare, eager, run_traced, samples

INF, NAN = np.inf, np.nan
SPECIAL = np.array([NAN, 1.0, -0.0, INF, 0.0, -NAN, -INF, 1.0, -2.0, NAN, 0.0, -0.0])
COMPLEX = np.array([complex(x, y) for x in (NAN, 1.0, -0.0, INF) for y in (0.0, NAN, -INF, -0.0)])
stable = partial(np.argsort, kind="stable")

PROGRAMS = [
    np.sort,
    stable,
    lambda x: np.lexsort((stable(x), x)),
    lambda x: np.searchsorted(np.sort(x), x),
    lambda x: np.searchsorted(np.sort(x), x, side="right"),
    lambda x: np.searchsorted(np.sort(np.tile(x, 5)), x),
    lambda x: np.searchsorted(np.sort(np.tile(x, 5)), x, side="right"),
    lambda x: np.isin(x, x[:3]),
    lambda x: np.isin(x, np.tile(x, 5)),
    np.median,
    np.nanmedian,
    lambda x: np.median(x.reshape(2, -1), axis=1),
    lambda x: np.nanmedian(x.reshape(2, -1), axis=1),
]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("x", [SPECIAL, SPECIAL.astype(F32), COMPLEX], ids=["f64", "f32", "c128"])
def test_special_values(program, x: np.ndarray):
    compare(program, [x])
    compare(program, [x[::-1][: len(x) // 2 * 2]])


QUANTILES = [
    lambda x: np.quantile(x, [0.0, 0.3, 1.0]),
    lambda x: np.nanquantile(x, [0.0, 0.3, 1.0]),
    lambda x: np.nanquantile(x.reshape(3, -1), 0.5, axis=1, keepdims=True),
    lambda x: np.nanpercentile(x.reshape(3, -1), [20, 80], axis=0, method="weibull"),
    lambda x: np.nanquantile(x.reshape(3, -1), 0.3, axis=0, method="inverted_cdf"),
    lambda x: np.nanquantile(x, 0.3, method="averaged_inverted_cdf"),
    lambda x: np.digitize(x, [-1.0, 0.0, 1.0]),
]


@pytest.mark.parametrize("program", QUANTILES)
def test_quantiles_of_special_values(program):
    for x in (SPECIAL, SPECIAL[np.isfinite(SPECIAL)].repeat(3), np.full(6, NAN)):
        compare(program, [x])


@pytest.mark.parametrize("kind", ["stable", "mergesort"])
def test_a_stable_sort_keeps_the_order_of_zeros(kind: str):
    expected = np.sort(SPECIAL, kind=kind)
    found = gd.stage(lambda x: np.sort(x, kind=kind))(SPECIAL)
    np.testing.assert_array_equal(np.signbit(found[found == 0]), np.signbit(expected[2:6]))


def test_a_sort_keeps_all_zeros():
    found = gd.stage(np.sort)(SPECIAL)
    assert np.signbit(found[found == 0]).sum() == np.signbit(SPECIAL[SPECIAL == 0]).sum()


@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.sort(x, axis=0),
        lambda x: np.argsort(x[:, ::-1], axis=1, kind="stable"),
        lambda x: np.lexsort((x, np.floor(x))),
        lambda x: np.median(x, axis=1),
        lambda x: np.percentile(x, [5, 50], axis=0),
        lambda x: np.nanquantile(np.where(x > 1, np.nan, x), 0.3, axis=1),
        lambda x: np.searchsorted(np.sort(x.ravel()), x),
        lambda x: np.digitize(x, np.linspace(-2, 2, 60)),
        lambda x: np.isin(np.round(x), np.round(x[:3])),
        lambda x: np.sort(x + 1j * x[::-1], axis=1),
        lambda x: np.sort(np.exp(x), axis=1)[:, :3] * np.sum(np.sort(x, axis=1)),
    ],
)
def test_compiled_programs(program):
    for dtype in (F32, F64):
        for shape in ((20, 30), (7, 3), (1, 100)):
            x = samples(dtype, shape)
            expected = eager(program, [x])
            found = gd.stage(program)(x)
            np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == F32 else 1e-12)
            assert found.dtype == expected.dtype


def test_not_contiguous_arguments():
    x = samples(F64, (20, 30))
    sort = gd.stage(lambda x: np.sort(x, axis=0))
    for view in (x.T, x[::2, ::-3], np.asfortranarray(x), np.broadcast_to(x[0], (4, 30))):
        np.testing.assert_array_equal(sort(view), np.sort(view, axis=0))


def test_large_arrays():
    x = np.random.default_rng(0).normal(size=(3, 50_001))
    order = gd.stage(partial(np.argsort, axis=1))(x)
    np.testing.assert_array_equal(order, stable(x, axis=1))
    np.testing.assert_array_equal(gd.stage(np.sort)(x), np.sort(x))
    found = gd.stage(np.searchsorted)(np.sort(x[0]), x)
    np.testing.assert_array_equal(found, np.searchsorted(np.sort(x[0]), x))


def test_traced_quantiles():
    x = samples(F64, (4, 9))
    for q in (np.array(0.3), np.array([0.0, 0.25, 1.0])):
        for program in (
            lambda x, q: np.quantile(x, q, axis=1),
            lambda x, q: np.nanquantile(np.where(x > 2, NAN, x), q, axis=0),
            lambda x, q: np.percentile(x, q * 100, axis=1, method="hazen"),
            lambda x, q: np.quantile(x, q, axis=0, method="nearest"),
            lambda x, q: np.quantile(x, q, weights=np.ones(9), axis=1, method="inverted_cdf"),
        ):
            compare(program, [x, q])
    compare(lambda x, q: np.quantile(x, q), [samples(F32, (5,)), 0.3])


def test_what_must_be_known_is_named():
    x = samples(F64, (3,))
    with pytest.raises(UnsupportedError, match="needs to know `kth` while tracing"):
        run_traced(lambda x: np.partition(x, gnp.astype(x[0], int)), [x])


# Derivatives


def test_the_gradient_of_a_sort_goes_where_elements_came_from():
    x, weights = np.array([3.0, 1.0, 2.0, 1.0]), np.array([1.0, 10.0, 100.0, 1000.0])
    gradient = gd.grad(lambda x: np.sum(weights * np.sort(x)))(x)
    np.testing.assert_array_equal(gradient, [1000.0, 1.0, 100.0, 10.0])


@pytest.mark.parametrize(("count", "expected"), [(3, [0, 1, 0]), (4, [0, 0.5, 0.5, 0])])
def test_the_gradient_of_a_median(count: int, expected: list[float]):
    x = np.array([1.0, 5.0, 8.0, 9.0])[:count]
    np.testing.assert_array_equal(gd.grad(np.median)(x), expected)


def test_the_derivative_of_a_quantile_by_its_place():
    x = np.array([1.0, 2.0, 6.0, 3.0])
    slope = gd.grad(lambda q: np.quantile(x, q))(0.9)
    np.testing.assert_allclose(slope, 3 * (6.0 - 3.0), rtol=1e-12)


def test_second_derivatives_of_a_trimmed_mean():
    def trimmed(x):
        return np.mean(np.sort(np.sin(x))[2:-2])

    x = samples(F64, (9,))
    hessian = _hessian(trimmed, x)
    kept = stable(np.sin(x))[2:-2]
    expected = np.zeros((9, 9))
    expected[kept, kept] = -np.sin(x[kept]) / 5
    np.testing.assert_allclose(hessian, expected, rtol=1e-12, atol=1e-15)


def _hessian(function, x):
    gradient = gd.grad(function)
    rows = gd.vmap(lambda v: gd.grad(lambda x: np.sum(gradient(x) * v))(x))
    return rows(np.eye(x.size))


# Batches


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    "function",
    [
        np.sort,
        np.argsort,
        np.median,
        lambda x: np.searchsorted(np.sort(x), x),
        lambda x: np.lexsort((x, np.round(x))),
        gd.grad(lambda x: np.sum(np.sort(x)[:3] ** 2)),
    ],
)
def test_vmap(function, axis: int):
    x = samples(F64, (6, 5))
    found = gd.vmap(function, in_axes=axis)(x)
    examples = x if axis == 0 else x.T
    np.testing.assert_allclose(found, [function(e) for e in examples], rtol=1e-14)


def test_vmap_of_what_is_sorted_by_shared_keys():
    keys, values = samples(F64, (5,)), samples(F64, (3, 5), 1)
    found = gd.vmap(lambda v: v[np.argsort(keys)])(values)
    np.testing.assert_array_equal(found, values[:, np.argsort(keys)])


# Properties


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([NAN, -INF, -1.5, -0.0, 0.0, 1.0, 2.0]), min_size=1, max_size=40),
    st.lists(st.sampled_from([NAN, -INF, -1.5, 0.0, 1.0, 3.0, INF]), max_size=5),
)
def test_search_agrees_with_numpy(sample: list[float], wanted: list[float]):
    a, v = np.sort(np.array(sample)), np.array(wanted, F64)
    for side in ("left", "right"):
        found = run_traced(lambda a, v, side=side: np.searchsorted(a, v, side), [a, v])
        np.testing.assert_array_equal(found, np.searchsorted(a, v, side))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=30), min_size=1, max_size=3),
    st.sampled_from(["?", "i1", "u8", "f4", "f8", "c16"]),
)
def test_lexsort_is_stable(rows: list[list[int]], dtype: str):
    count = min(map(len, rows))
    keys = tuple(np.array(row[:count]).astype(dtype) for row in rows)
    found = run_traced(lambda *keys: np.lexsort(keys), keys)
    np.testing.assert_array_equal(found, np.lexsort(keys))
