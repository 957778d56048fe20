"""Programs that sort and search, for `test_numpy_functions`."""

from __future__ import annotations

from functools import partial

import numpy as np

import gradatim.frontend.numpy as gnp

from .numpy_case import EDGES, FLOATS, INEXACT, RANKS, REAL, Case, each
from .numpy_harness import F32, F64, I32, U8

LONG = each((70,), (2, 40))
stable = partial(np.argsort, kind="stable")
METHODS = (
    *("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf"),
    *("hazen", "weibull", "linear", "median_unbiased", "normal_unbiased"),
    *("lower", "higher", "midpoint", "nearest"),
)


def _partition(x, kth, axis=-1):
    """What a partition promises: the elements at ``kth``, and those before them, sorted."""
    parted = np.partition(x, kth, axis)
    first = np.moveaxis(parted, axis, 0)[: np.max(kth)]
    return np.take(parted, kth, axis), np.sort(first, 0)


def _argpartition(x, kth):
    return gnp.take_along_axis(x, np.argpartition(x, kth), -1)[..., kth]


def _near_ties(x):
    return np.round(x * 2) / 2


CASES = [
    Case(
        [np.sort],
        [
            np.sort,
            lambda x: np.sort(x, axis=0),
            lambda x: np.sort(x, None),
            lambda x: np.sort(x, axis=-2, kind="heapsort"),
            lambda x: np.sort(x, stable=True),
            lambda x: np.sort(x[::-1].T, kind="mergesort"),
            lambda x: np.sort(x, kind="foo"),
            lambda x: np.sort(x, kind="stable", stable=True),
            lambda x: np.sort(x, order="a"),
            lambda x: np.sort(x, axis=(0,)),
            lambda x: np.sort(-np.sort(-x)),
        ],
        [*RANKS, *EDGES, *LONG],
        ulps=0,
    ),
    Case(
        [np.argsort, np.lexsort],
        [
            stable,
            lambda x: x.argsort(axis=0, kind="stable"),
            lambda x: stable(x, None),
            lambda x: stable(_near_ties(x)),
            lambda x: np.argsort(x, axis=5),
            np.lexsort,
            lambda x: np.lexsort((x,)),
            lambda x: np.lexsort((x, _near_ties(x))),
            lambda x: np.lexsort((np.arange(x.size).reshape(x.shape), _near_ties(x)), axis=0),
            lambda x: np.lexsort((x, x[:1])),
            lambda x: np.lexsort(()),
        ],
        [*RANKS, *EDGES, *LONG],
    ),
    Case(
        [np.partition, np.argpartition],
        [
            lambda x: _partition(x, 1),
            lambda x: _partition(x, [0, 2], 0),
            lambda x: np.partition(x, -1)[..., -1],
            lambda x: np.partition(x, 9),
            lambda x: np.partition(x, 1.0),
            lambda x: np.partition(x, True),
            lambda x: np.partition(x, 0, kind="quick"),
            lambda x: np.partition(x, 1, axis=None)[1],
            lambda x: np.argpartition(x, 7),
        ],
        [*RANKS, *EDGES],
        REAL,
        ulps=0,
    ),
    Case(
        [np.searchsorted, np.digitize],
        [
            lambda a, v: np.searchsorted(np.sort(a), v),
            lambda a, v: np.searchsorted(np.sort(a), v, side="right"),
            lambda a, v: np.sort(a).searchsorted(v.T),
            lambda a, v: np.searchsorted(a, v, sorter=stable(a)),
            lambda a, v: np.searchsorted(np.sort(a), v[0], "right", stable(np.sort(a))),
            lambda a, v: np.searchsorted(np.sort(a), 1.5),
            lambda a, v: gnp.searchsorted(np.arange(50.0), v.real),
            lambda a, v: np.searchsorted(a, v, side="middle"),
            lambda a, v: np.searchsorted(a, v, sorter=a + 0.5),
            lambda a, v: np.searchsorted(a, v, sorter=stable(a)[1:]),
            lambda a, v: np.searchsorted(v, a),
            lambda a, v: np.searchsorted(v[0, 0], a),
            lambda a, v: np.digitize(v.real, np.sort(a.real)),
            lambda a, v: np.digitize(v.real, np.sort(a.real), right=True),
            lambda a, v: np.digitize(v.real, np.sort(a.real)[::-1]),
            lambda a, v: np.digitize(v.real, [0.5, 1, 2]),
            lambda a, v: gnp.digitize(v.real, [3, 0.5], right=True),
            lambda a, v: gnp.digitize(v.real, [3, 0.5, 1]),
            lambda a, v: gnp.digitize(v, [[3, 0.5, 1]]),
            lambda a, v: np.digitize(v, a * 1j),
        ],
        [[(9,), (2, 3)], [(70,), (2, 1)], [(1,), (3, 4)], [(0,), (2, 2)], [(40,), (2, 0)]],
    ),
    Case(
        [np.isin],
        [
            lambda x, y: np.isin(_near_ties(x), _near_ties(y)),
            lambda x, y: np.isin(x, [0, 1, 2], invert=True),
            lambda x, y: np.isin(x, x, assume_unique=True, kind="sort"),
            lambda x, y: np.isin(x, [], kind="sort"),
            lambda x, y: np.isin(x, y, kind="foo"),
        ],
        [[(9,), (2, 3)], [(2, 3), (40,)], [(), (30,)], [(3,), (0,)]],
        REAL,
    ),
    Case(
        [np.median, np.nanmedian],
        [
            np.median,
            lambda x: np.median(x, axis=0),
            lambda x: np.median(x, axis=-1, keepdims=True),
            lambda x: np.median(x, axis=(0, -1)),
            lambda x: np.median(x, axis=(0, 0)),
            lambda x: np.nanmedian(x),
            lambda x: np.nanmedian(x, axis=0, keepdims=True),
        ],
        [*RANKS, *EDGES, *LONG],
    ),
    Case(
        [np.quantile, np.percentile, np.nanquantile, np.nanpercentile],
        [
            lambda x: np.quantile(x, 0.3),
            lambda x: np.quantile(x, [0.1, 0.75, 1], axis=0),
            lambda x: np.percentile(x, np.float64(40), axis=-1, keepdims=True),
            lambda x: np.percentile(x, [[0, 50], [33, 100]], axis=-1, keepdims=True),
            lambda x: np.quantile(x, np.float32(0.3), axis=(0, -1)),
            lambda x: np.quantile(x, 1),
            lambda x: np.quantile(x, np.array([0, 1]), axis=-1),
            lambda x: np.nanquantile(x, 0.3, axis=0),
            lambda x: np.nanpercentile(x, [10, 60], axis=-1, keepdims=True),
            lambda x: np.percentile(x, 101),
            lambda x: np.quantile(x, [0.5, -0.1]),
            lambda x: np.quantile(x, 0.5, method="foo"),
            lambda x: np.quantile(x, np.full((1, 1, 1), 0.5)),
            lambda x: np.quantile(x, 0.5, axis=3),
            *(
                lambda x, method=method, q=q: np.quantile(x, q, axis=-1, method=method)
                for method in METHODS
                for q in (0.37, [0.0, 0.25, 0.5, 0.9, 1.0])
            ),
        ],
        [*each((3,), (2, 3), (2, 5, 4), (70,), (1,), (3, 0), (2, 8))],
        (I32, U8, F32, F64),
    ),
    Case(
        [np.quantile],
        [
            lambda x, w: np.quantile(x, 0.3, weights=w * w, method="inverted_cdf"),
            lambda x, w: np.percentile(
                x, [0, 30, 100], weights=w * w, axis=-1, method="inverted_cdf"
            ),
            lambda x, w: np.nanquantile(
                x,
                [0.2, 1],
                weights=np.round(w * w + 0.4),
                axis=0,
                method="inverted_cdf",
                keepdims=True,
            ),
            lambda x, w: np.quantile(x, 0.5, weights=w * w),
            lambda x, w: np.quantile(x, 0.5, weights=np.full(x.shape, -1.0), method="inverted_cdf"),
        ],
        [[(5,), (5,)], [(2, 5), (2, 5)], [(4, 30), (4, 30)]],
        FLOATS,
    ),
    Case(
        [np.interp],
        [
            lambda x, p: np.interp(x.real, np.sort(p.real), p),
            lambda x, p: np.interp(x.real, np.sort(p.real), p * 1j, left=-9, right=x.real[0, 0]),
            lambda x, p: np.interp(x.real * 7, p.real, p, period=3),
            lambda x, p: np.interp(p.real[0], np.sort(p.real), p),
            lambda x, p: np.interp(np.sort(p.real), np.sort(p.real), p),
            lambda x, p: gnp.interp(2.5, [0.0, 1.0, 4.0], p[:3]),
            lambda x, p: np.interp(x.real, p.real, p, period=0),
            lambda x, p: np.interp(x.real, p.real[1:], p),
            lambda x, p: np.interp(x.real, p.real[None], p[None]),
            lambda x, p: np.interp(x.real, p.real[:0], p[:0]),
            lambda x, p: np.interp(x.real, p.real[:1], p[:1]),
        ],
        [[(2, 3), (5,)], [(40, 1), (60,)]],
        INEXACT,
        ulps=64,
        sums=True,
    ),
    Case(
        [np.histogram],
        [
            np.histogram,
            lambda x: np.histogram(x, 4, (-1, 2)),
            lambda x: np.histogram(x, bins=[-1, 0, 0.5, 2], density=True),
            lambda x: np.histogram(x, np.arange(-2, 4.0)),
            lambda x: np.histogram(x, 40, (-2, 3), weights=x * x),
            lambda x: np.histogram(x, [-2, 0, 2], weights=x * 1j),
            lambda x: np.histogram(x, 0),
            lambda x: np.histogram(x, 3, (2, 1)),
            lambda x: np.histogram(x, [2, 1]),
            lambda x: np.histogram(x, 3, weights=x[:1, None]),
        ],
        each((20,), (3, 30), (0,), (1,)),
        (I32, U8, F32, F64),
        ulps=16,
        sums=True,
    ),
]
