"""Programs that compute, for `test_numpy_functions`."""

from __future__ import annotations

from functools import partial

import numpy as np

from .numpy_case import ANY, EDGES, FLOATS, NUMBERS, RANKS, REAL, Case, Shape, each
from .numpy_harness import BOOL, C128, F32, F64, I32, U8

CASES = [
    # Reductions
    Case(
        [np.sum, np.prod],
        [
            np.sum,
            np.prod,
            lambda x: np.sum(x, axis=-1),
            lambda x: x.sum(axis=(0, -1), keepdims=True),
            lambda x: np.sum(x, 0, np.float32),
            lambda x: np.sum(x, dtype=np.int8),
            lambda x: np.sum(x, 0, None, None, True),
            lambda x: np.prod(x, axis=0, keepdims=False),
            lambda x: np.sum(x, initial=3),
            lambda x: np.sum(x, axis=0, where=x != 0),
            lambda x: x.prod(where=np.array(True)),
            lambda x: np.sum(x, axis=()),
            lambda x: np.sum(x, axis=7),
            lambda x: np.add.reduce(x),
            lambda x: np.multiply.reduce(x, axis=None),
        ],
        [*RANKS, *EDGES],
        sums=True,
    ),
    Case(
        [np.max, np.amax, np.min, np.amin],
        [
            np.max,
            np.min,
            lambda x: np.max(x, axis=0),
            lambda x: x.min(axis=-1, keepdims=True),
            lambda x: np.max(x, initial=2),
            lambda x: np.min(x, axis=0, initial=1, where=x > 0),
            lambda x: np.max(x, where=x > 0),
            lambda x: np.maximum.reduce(x),
        ],
        [*RANKS, *EDGES, [(0, 3)]],
        REAL,
    ),
    Case(
        [np.all, np.any, np.count_nonzero],
        [
            np.all,
            np.any,
            np.count_nonzero,
            lambda x: x.all(axis=0),
            lambda x: np.any(x, axis=-1, keepdims=True),
            lambda x: np.count_nonzero(x, axis=0, keepdims=True),
            lambda x: np.any(x, where=x > 0),
        ],
        [*RANKS, *EDGES],
        ANY,
    ),
    Case([np.ptp], [np.ptp, lambda x: np.ptp(x, axis=0, keepdims=True)], [*RANKS, *EDGES], REAL),
    Case(
        [np.argmax, np.argmin],
        [
            np.argmax,
            np.argmin,
            lambda x: x.argmax(axis=-1),
            lambda x: np.argmin(x, 0, keepdims=True),
            lambda x: np.argmax(x, keepdims=True),
        ],
        [*RANKS, *EDGES],
        REAL,
    ),
    Case(
        [np.cumsum, np.cumprod, np.cumulative_sum, np.cumulative_prod],
        [
            np.cumsum,
            np.cumprod,
            lambda x: x.cumsum(axis=-1),
            lambda x: np.cumsum(x, 0, np.float32),
            lambda x: np.cumulative_sum(x, axis=0, include_initial=True),
            lambda x: np.cumulative_prod(x, axis=-1, include_initial=True),
            np.cumulative_sum,
        ],
        [*RANKS, *EDGES],
        sums=True,
    ),
    Case(
        [np.cumsum], [np.add.accumulate, partial(np.multiply.accumulate, axis=-1)], RANKS, sums=True
    ),
    # Statistics
    Case(
        [np.mean, np.var, np.std],
        [
            np.mean,
            np.var,
            np.std,
            lambda x: x.mean(axis=0),
            lambda x: np.mean(x, axis=-1, keepdims=True, dtype=np.float32),
            lambda x: np.mean(x, where=x != 0),
            lambda x: np.var(x, axis=0, ddof=1, keepdims=True),
            lambda x: np.std(x, axis=-1, correction=1),
            lambda x: np.var(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)),
            lambda x: np.var(x, axis=0, where=x != 0),
            lambda x: np.std(x, ddof=1, correction=1),
        ],
        [*RANKS, *EDGES],
        ANY,
        sums=True,
    ),
    Case(
        [np.average],
        [
            np.average,
            lambda x: np.average(x, axis=0, weights=np.arange(1, x.shape[0] + 1)),
            lambda x: np.average(x, weights=np.ones(x.shape)),
            lambda x: np.average(
                x, axis=-1, weights=np.arange(1.0, x.shape[-1] + 1), keepdims=True
            ),
            lambda x: np.average(x, axis=0, weights=np.arange(1, x.shape[0] + 1), returned=True),
            lambda x: np.average(x, returned=True),
            lambda x: np.average(x, weights=[1.0]),
            lambda x: np.average(x, axis=0, weights=[1.0, 2.0, 3.0, 4.0, 5.0]),
        ],
        RANKS,
        (BOOL, I32, F32, F64),
        sums=True,
    ),
    Case(
        [np.average],
        [lambda x: np.average(x, axis=(2, 0), weights=np.arange(8.0).reshape(4, 2))],
        each((2, 3, 4)),
        FLOATS,
        sums=True,
    ),
    Case(
        [np.cov],
        [
            np.cov,
            lambda x: np.cov(x, rowvar=False),
            lambda x: np.cov(x, x, bias=True),
            lambda x: np.cov(x, ddof=0),
        ],
        each((3, 5), (6,)),
        (I32, F64),
        sums=True,
    ),
    # Selection
    Case(
        [np.where],
        [
            lambda x, y: np.where(x > 0, x, y),
            lambda x, y: np.where(x, y, 0),
            lambda x, y: np.where(x != y, 1.5, y),
            lambda x, y: np.where(x > 0, [1, 2, 3], y),
            lambda x, y: np.where(np.True_, x, y),
        ],
        [[(2, 3), (3,)], [(3,), ()], [(), (0,)], [(2,), (3,)]],
    ),
    Case(
        [np.select],
        [
            lambda x, y: np.select([x > 0, y > 0], [x, y]),
            lambda x, y: np.select([x > 0], [x], default=-1.5),
            lambda x, y: np.select([x], [y]),
            lambda x, y: np.select([x > 0, y > 0], [x]),
        ],
        [[(2, 3), (3,)], [(), ()]],
        REAL,
    ),
    Case(
        [np.clip],
        [
            lambda x: np.clip(x, 1, 2),
            lambda x: np.clip(x, 0.5, None),
            lambda x: x.clip(None, 2),
            lambda x: np.clip(x, max=1),
            lambda x: np.clip(x, min=0, max=1.5),
            lambda x: np.clip(x, np.ones((2, 1), np.float32), 3),
            lambda x: np.clip(x, 2, 1),
        ],
        each((3,), ()),
        (I32, U8, F32, F64),
    ),
    Case(
        [np.real, np.imag, np.angle, np.isreal, np.iscomplex, np.iscomplexobj, np.isrealobj],
        [
            np.real,
            np.imag,
            np.isreal,
            np.iscomplex,
            lambda x: x.real + x.imag,
            lambda x: x * np.iscomplexobj(x) + np.isrealobj(x),
        ],
        [*RANKS, *EDGES],
        ANY,
    ),
    Case([np.angle, np.real_if_close], [np.angle, lambda x: np.angle(x, deg=True)], RANKS, NUMBERS),
    Case([np.real_if_close], [np.real_if_close], RANKS, REAL),
    Case(
        [np.isclose, np.allclose, np.array_equal, np.array_equiv],
        [
            np.isclose,
            lambda x, y: np.isclose(x, x + 1e-6),
            lambda x, y: np.allclose(x, x, rtol=0.0),
            lambda x, y: np.isclose(x, y, atol=10, equal_nan=True),
            lambda x, y: np.array_equal(x, x),
            lambda x, y: np.array_equal(x, y),
            lambda x, y: np.array_equiv(x, x),
            lambda x, y: np.array_equal(x, x, equal_nan=True),
        ],
        [[(2, 3), (2, 3)], [(), ()]],
        (I32, F32, F64),
    ),
    Case(
        [np.shape, np.ndim, np.size, np.result_type],
        [
            lambda x: x * np.ndim(x) + np.size(x) + np.size(x, 0) + np.shape(x)[0],
            lambda x: x.astype(np.result_type(x, np.float32)),
            lambda x: x.astype(np.result_type(x, 2.5)),
        ],
        RANKS,
        (I32, F32),
    ),
    # Differences
    Case(
        [np.diff, np.ediff1d],
        [
            np.diff,
            lambda x: np.diff(x, n=2),
            lambda x: np.diff(x, axis=0),
            lambda x: np.diff(x, n=0),
            lambda x: np.diff(x, prepend=1, append=x),
            lambda x: np.diff(x, n=9),
            lambda x: np.diff(x, n=-1),
            np.ediff1d,
            lambda x: np.ediff1d(x, to_end=[1, 2], to_begin=3),
        ],
        [*RANKS, *each((0,), (1,), ())],
        (BOOL, I32, F32, F64),
    ),
    Case(
        [np.trapezoid],
        [
            np.trapezoid,
            lambda x: np.trapezoid(x, dx=0.5, axis=0),
            lambda x: np.trapezoid(x, np.arange(x.shape[-1]) ** 2),
            lambda x: np.trapezoid(x, x),
        ],
        RANKS,
        (I32, F32, F64),
        sums=True,
    ),
    Case(
        [np.gradient],
        [
            np.gradient,
            lambda x: np.gradient(x, 0.5),
            lambda x: np.gradient(x, axis=-1, edge_order=2),
            lambda x: np.gradient(x, np.arange(x.shape[-1]) ** 2.0, axis=-1),
            lambda x: np.gradient(x, np.arange(x.shape[-1]) ** 2.0, axis=-1, edge_order=2),
            lambda x: np.gradient(x, 1.0, 2.0),
            lambda x: np.gradient(x, np.arange(4.0)),
            lambda x: np.gradient(x, np.arange(9.0)),
            lambda x: np.gradient(x, axis=(0,)),
            lambda x: np.gradient(x, edge_order=3),
        ],
        each((4,), (3, 4), (2, 2)),
        FLOATS,
        sums=True,
    ),
    Case(
        [np.unwrap],
        [
            np.unwrap,
            lambda x: np.unwrap(x * 3),
            lambda x: np.unwrap(x, axis=0, period=4),
            lambda x: np.unwrap(x * 2, discont=3.5),
        ],
        each((20,), (6, 4)),
        (I32, F64),
        sums=True,
    ),
    # Mathematics
    Case(
        [np.round, np.around, np.fix, np.sinc, np.nan_to_num],
        [
            np.round,
            lambda x: np.round(x, 1),
            lambda x: x.round(-1),
            np.fix,
            lambda x: np.nan_to_num(x),
            lambda x: np.nan_to_num(x / 0, nan=7, posinf=1),
        ],
        RANKS,
        (I32, F32, F64, C128),
    ),
    Case(
        [np.sinc],
        [np.sinc, lambda x: np.sinc(x / 10), lambda x: np.sinc(x * 0)],
        RANKS,
        FLOATS,
        ulps=8,
    ),
    Case(
        [np.polyval],
        [
            lambda p, x: np.polyval(p, x),
            lambda p, x: np.polyval([1, 2.5, 3], x),
            lambda p, x: np.polyval(p, 2.0),
        ],
        [[(3,), (4,)], [(1,), ()], [(2,), (2, 2)]],
        NUMBERS,
    ),
    Case(
        [np.isposinf, np.isneginf],
        [np.isposinf, np.isneginf, lambda x: np.isneginf(-x / 0)],
        RANKS,
        (I32, F32, F64),
    ),
    # Products
    Case(
        [np.dot, np.inner, np.outer, np.vdot, np.linalg.outer],
        [
            np.dot,
            lambda x, y: x.dot(y),
            np.inner,
            np.outer,
            np.vdot,
            lambda x, y: np.dot(x, 2.0),
            lambda x, y: np.dot(np.ones(x.shape[-1:], np.float32), y) if y.ndim else y,
        ],
        [
            [(3,), (3,)],
            [(2, 3), (3, 4)],
            [(2, 3), (3,)],
            [(), (3,)],
            [(2, 3), (2, 3)],
            [(2, 1, 3), (4, 3, 2)],
            [(0,), (0,)],
        ],
        sums=True,
    ),
    Case([np.linalg.outer], [np.linalg.outer], [[(2,), (3,)]], NUMBERS),
    Case(
        [np.linalg.matmul, np.linalg.vecdot],
        [
            lambda x, y: x @ y,
            np.matmul,
            lambda x, y: np.matmul(x, y, dtype=np.complex128),
            np.linalg.matmul,
            np.vecdot,
            np.matvec,
            np.vecmat,
        ],
        [
            [(2, 3), (3, 4)],
            [(3,), (3,)],
            [(2, 3), (3,)],
            [(3,), (3, 2)],
            [(5, 2, 3), (3, 4)],
            [(2, 3), (5, 3, 4)],
            [(5, 1, 2, 3), (4, 3, 3)],
            [(2, 2, 3), (2, 3, 1)],
            [(1, 2, 3), (1, 3, 1)],
            [(0, 3), (3, 2)],
            [(2, 0), (0, 2)],
            [(0, 2, 3), (1, 3, 4)],
            [(2, 3), (2, 3)],
            [(), (3,)],
            [(4, 2, 3), (2, 3)],
            [(2, 3, 3), (2, 3)],
            [(3, 2, 3), (2, 3, 2)],
        ],
        ANY,
        sums=True,
    ),
    Case(
        [np.linalg.vecdot],
        [np.linalg.vecdot, lambda x, y: np.linalg.vecdot(x, y, axis=0)],
        [[(2, 3), (2, 3)]],
        NUMBERS,
    ),
    Case(
        [np.tensordot, np.linalg.tensordot],
        [
            np.tensordot,
            lambda x, y: np.tensordot(x, y, 1),
            lambda x, y: np.tensordot(x, y, 0),
            lambda x, y: np.tensordot(x, y, ([0, -1], [0, -1])),
            lambda x, y: np.linalg.tensordot(x, y, axes=(1, 1)),
            lambda x, y: np.tensordot(x, y, ((0, 1), (1, 0))),
        ],
        [[(2, 3), (2, 3)], [(3, 3), (3, 3)], [(2, 3, 4), (3, 4, 5)]],
        NUMBERS,
        sums=True,
    ),
    Case(
        [np.kron], [np.kron], [[(2,), (3,)], [(2, 2), (2, 3)], [(2,), (2, 2)], [(), (2,)]], NUMBERS
    ),
    Case(
        [np.convolve, np.correlate],
        [
            lambda x, y, f=f, mode=mode: f(x, y, mode)
            for f in (np.convolve, np.correlate)
            for mode in ("valid", "same", "full")
        ],
        [[(5,), (3,)], [(2,), (5,)], [(4,), (4,)], [(1,), (1,)], [(6,), (1,)]],
        (BOOL, *NUMBERS),
        sums=True,
    ),
    Case([np.convolve], [np.convolve], [[(), (3,)], [(2,), ()]], NUMBERS),
    Case([np.correlate], [np.correlate], [[(5,), (4,)]], NUMBERS),
    Case(
        [np.cross, np.linalg.cross],
        [
            np.cross,
            lambda x, y: np.cross(x, y, axis=0),
            lambda x, y: np.cross(x, y, axisa=0, axisb=0, axisc=0),
            np.linalg.cross,
        ],
        [[(3,), (3,)], [(4, 3), (3,)], [(3, 3), (3, 3)], [(4,), (4,)]],
        NUMBERS,
    ),
    Case(
        [np.linalg.multi_dot, np.linalg.matrix_power],
        [
            lambda x, y: np.linalg.multi_dot([x, y]),
            lambda x, y: np.linalg.multi_dot([x, y, x, y]),
            lambda x, y: np.linalg.multi_dot([x[0], y, x]),
            lambda x, y: np.linalg.multi_dot([x, y, x[:, 0]]),
            *(lambda x, y, n=n: np.linalg.matrix_power(x @ y, n) for n in (0, 1, 2, 5)),
            lambda x, y: np.linalg.matrix_power(x, 2),
        ],
        [[(2, 3), (3, 2)]],
        (F32, F64),
        sums=True,
    ),
    Case(
        [np.linalg.norm, np.linalg.vector_norm, np.linalg.matrix_norm],
        [
            np.linalg.norm,
            np.linalg.vector_norm,
            lambda x: np.linalg.norm(x, keepdims=True),
            *(
                partial(np.linalg.norm, ord=o, axis=-1)
                for o in (None, 0, 1, 2, 3, 2.5, np.inf, -np.inf)
            ),
            *(partial(np.linalg.norm, ord=o) for o in ("fro", 1, -1, np.inf, -np.inf, 7)),
            *(
                partial(np.linalg.norm, ord=o, axis=(-1, 0), keepdims=True)
                for o in ("fro", 1, np.inf)
            ),
            np.linalg.matrix_norm,
            lambda x: np.linalg.matrix_norm(x, ord=1, keepdims=True),
            lambda x: np.linalg.vector_norm(x, axis=(0, -1), ord=1),
        ],
        [*RANKS, *each((0,), (2, 0))],
        (I32, F32, F64, C128),
        sums=True,
    ),
]


def _einsum(formula: str, *shapes: Shape) -> Case:
    return Case(
        [np.einsum],
        [partial(np.einsum, formula), partial(np.einsum, formula, optimize=True)],
        [shapes],
        (BOOL, I32, F64, C128),
        sums=True,
    )


CASES += [
    _einsum("ij,jk->ik", (2, 3), (3, 4)),
    _einsum("ij,jk", (2, 3), (3, 4)),
    _einsum("ji,jk->ki", (3, 2), (3, 4)),
    _einsum("i,i", (3,), (3,)),
    _einsum("i,j->ij", (3,), (2,)),
    _einsum("i,j->ji", (3,), (2,)),
    _einsum("ii", (3, 3)),
    _einsum("ii->i", (3, 3)),
    _einsum("iij->ji", (2, 2, 3)),
    _einsum("iii->i", (2, 2, 2)),
    _einsum("ij->", (2, 3)),
    _einsum("ij->j", (2, 3)),
    _einsum("ba", (2, 3)),
    _einsum("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    _einsum("...ij,jk", (5, 2, 3), (3, 4)),
    _einsum("i...->...", (2, 3, 4)),
    _einsum("b...i,b...i->b...", (2, 5, 3), (2, 1, 3)),
    _einsum("ij,ij->ij", (2, 3), (1, 3)),
    _einsum("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    _einsum("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    _einsum("ab,bc,cd->ad", (2, 3), (3, 4), (4, 2)),
    _einsum("ab,bc,cd,de", (2, 3), (3, 2), (2, 3), (3, 1)),
    _einsum("i,i,i->i", (3,), (3,), (3,)),
    _einsum("ij,k->ij", (2, 3), (4,)),
    _einsum("ij,jk,kl->", (2, 3), (3, 2), (2, 2)),
    _einsum(",i->i", (), (3,)),
    _einsum("->", ()),
    _einsum("ij,jk->ik", (2, 3), (4, 2)),
    _einsum("ij->ik", (2, 3)),
    _einsum("ij->ii", (2, 3)),
    _einsum("i-j->ij", (2, 3)),
    _einsum("ij", (2,)),
    _einsum("ij,jk->ik", (2, 0), (0, 3)),
    Case([np.einsum], [lambda x: np.einsum("...ij->ij", x)], each((2, 2, 3)), FLOATS),
    _einsum("...ij->ij", (2, 3)),
    Case(
        [np.einsum],
        [lambda x: np.einsum(x, [10, 2]), lambda x: np.einsum(x, [3, 3])],
        each((2, 2)),
        (I32, F64),
    ),
    Case(
        [np.einsum],
        [
            lambda x, y: np.einsum(x, [0, 1], y, [1, 2]),
            lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]),
            lambda x, y: np.einsum(x, [..., 1], y, [1, 2], [2, ...]),
            lambda x, y: np.einsum("ij,jk", x, y, dtype=np.float64),
        ],
        [[(2, 3), (3, 4)]],
        (I32, F64),
        sums=True,
    ),
]
