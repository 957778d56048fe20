"""Array functions of traced values against NumPy: one table of programs, over dtypes and shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest

import gradatim.frontend.numpy as gnp
from gradatim.frontend.dispatch import FUNCTIONS
from gradatim.frontend.numpy.registry import REFUSED, qualified

from .numpy_harness import BOOL, C128, F32, F64, I32, I64, U8, compare, samples

Shape = tuple[int, ...]

REAL = (BOOL, I32, U8, I64, F32, F64)
NUMBERS = (I32, F32, F64, C128)
ANY = (*REAL, C128)
INEXACT = (F32, F64, C128)
FLOATS = (F32, F64)


class Case(NamedTuple):
    """Programs that all are run on arguments of the given shapes, in each dtype."""

    functions: Sequence[Any]
    programs: Sequence[Callable[..., Any]]
    shapes: Sequence[Sequence[Shape]]
    dtypes: Sequence[np.dtype] = ANY
    ulps: int = 8
    sums: bool = False
    """Whether results are sums, so that terms may cancel; see `assert_same`."""


def each(*shapes: Shape) -> list[list[Shape]]:
    """Return the shapes for programs of one argument."""
    return [[shape] for shape in shapes]


MATRIX = each((2, 3))
RANKS = each((3,), (2, 3), (2, 3, 4))
EDGES = each((), (0,), (1,), (3, 0))

CASES = [
    # Shape
    Case(
        [np.reshape],
        [
            lambda x: np.reshape(x, (3, -1)),
            lambda x: np.reshape(x, 6, order="F"),
            lambda x: np.reshape(x, (3, 2), order="F"),
            lambda x: x.reshape(3, 2),
            lambda x: x.reshape((-1,)),
            lambda x: np.reshape(x, (4, 2)),
            lambda x: np.reshape(x, (4, -1)),
            lambda x: np.reshape(x, (-1, -1)),
        ],
        MATRIX,
    ),
    Case([np.reshape], [lambda x: np.reshape(x, (0, 4)), lambda x: np.reshape(x, -1)], EDGES),
    Case([np.ravel], [np.ravel, lambda x: np.ravel(x, order="F")], [*RANKS, *EDGES]),
    Case(
        [np.transpose, np.permute_dims],
        [
            np.transpose,
            lambda x: np.permute_dims(x, (1, 0)),
            lambda x: x.T,
            lambda x: x.transpose(1, 0),
        ],
        MATRIX,
    ),
    Case(
        [np.transpose],
        [lambda x: x.transpose((2, 0, -2)), lambda x: np.transpose(x, (0, 1))],
        RANKS,
    ),
    Case(
        [np.matrix_transpose, np.linalg.matrix_transpose],
        [np.matrix_transpose, np.linalg.matrix_transpose, lambda x: x.mT],
        RANKS,
    ),
    Case([np.swapaxes], [lambda x: np.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, 1)], RANKS),
    Case(
        [np.moveaxis, np.rollaxis],
        [
            lambda x: np.moveaxis(x, 0, -1),
            lambda x: np.moveaxis(x, (0, 1), (-1, -2)),
            lambda x: np.rollaxis(x, -1),
            lambda x: np.rollaxis(x, 1, 3),
            lambda x: np.rollaxis(x, 0, 2),
            lambda x: np.moveaxis(x, 5, 0),
        ],
        each((2, 3, 4)),
        FLOATS,
    ),
    Case(
        [np.expand_dims],
        [lambda x: np.expand_dims(x, 0), lambda x: np.expand_dims(x, (0, -1))],
        [*RANKS, *EDGES],
        FLOATS,
    ),
    Case(
        [np.squeeze],
        [
            np.squeeze,
            lambda x: np.squeeze(x, 0),
            lambda x: np.squeeze(x, axis=(0, -1)),
            lambda x: x.squeeze(),
        ],
        each((1, 2, 1), (2, 1), ()),
        FLOATS,
    ),
    Case(
        [np.broadcast_to],
        [lambda x: np.broadcast_to(x, (4, 2, 3)), lambda x: np.broadcast_to(x, 5)],
        each((2, 3), (3,), (1, 1), (1,), ()),
        FLOATS,
    ),
    Case(
        [np.broadcast_arrays],
        [np.broadcast_arrays],
        [[(2, 1), (3,)], [(), (4,)], [(2,), (3,)]],
        FLOATS,
    ),
    Case(
        [np.atleast_1d, np.atleast_2d, np.atleast_3d],
        [np.atleast_1d, np.atleast_2d, np.atleast_3d],
        [*RANKS, *EDGES],
        FLOATS,
    ),
    Case([np.atleast_1d], [np.atleast_1d], [[(), (2,)]], FLOATS),
    Case(
        [np.flip, np.fliplr, np.flipud],
        [np.flip, np.fliplr, np.flipud, lambda x: np.flip(x, 0), lambda x: np.flip(x, (0, -1))],
        [*RANKS, *EDGES],
        FLOATS,
    ),
    Case(
        [np.rot90],
        [partial(np.rot90, k=k) for k in range(-1, 5)]
        + [lambda x: np.rot90(x, axes=(-1, 0)), lambda x: np.rot90(x, axes=(0, 0))],
        RANKS,
        FLOATS,
    ),
    Case(
        [np.roll],
        [
            lambda x: np.roll(x, 1),
            lambda x: np.roll(x, -4, axis=-1),
            lambda x: np.roll(x, (1, 2), axis=(0, -1)),
            lambda x: np.roll(x, 1, axis=(0, -1)),
            lambda x: np.roll(x, (1, 2), axis=0),
        ],
        [*RANKS, *each((0,), (3, 0))],
        FLOATS,
    ),
    Case(
        [np.fft.fftshift, np.fft.ifftshift],
        [np.fft.fftshift, np.fft.ifftshift, partial(np.fft.fftshift, axes=-1)],
        RANKS,
        FLOATS,
    ),
    # Joining, splitting, repeating
    Case(
        [np.concatenate, np.concat, np.append],
        [
            lambda x, y: np.concatenate([x, y]),
            lambda x, y: np.concat((x, y, x), axis=-1),
            lambda x, y: np.concatenate([x, y], axis=None),
            lambda x, y: np.concatenate([x, y], dtype=np.float32),
            lambda x, y: np.append(x, y),
            lambda x, y: np.append(x, y, axis=0),
            lambda x, y: np.concatenate([x, np.ones(y.shape, np.int8)]),
        ],
        [[(2, 3), (2, 3)], [(2, 3), (1, 3)], [(2,), (0,)], [(), ()]],
        (BOOL, I32, F32, F64),
    ),
    Case(
        [np.stack, np.vstack, np.hstack, np.dstack, np.column_stack],
        [
            lambda x, y: np.stack([x, y]),
            lambda x, y: np.stack([x, y], axis=-1),
            lambda x, y: np.stack([x, 2 * x], axis=1, dtype=np.float64),
            lambda x, y: np.vstack([x, y]),
            lambda x, y: np.hstack([x, y]),
            lambda x, y: np.dstack([x, y]),
            lambda x, y: np.column_stack([x, y]),
            lambda x, y: np.vstack([x]),
        ],
        [[(2, 3), (2, 3)], [(2,), (2,)], [(), ()], [(2, 3), (2,)], [(2, 3, 1), (2, 3, 1)]],
        (I32, F32),
    ),
    Case(
        [np.block],
        [
            lambda x, y: np.block([[x, y], [y, x]]),
            lambda x, y: np.block([x, y]),
            lambda x, y: np.block([[x], [y]]),
            lambda x, y: np.block([[x, np.eye(2)], [np.zeros((2, 2)), y]]),
        ],
        [[(2, 2), (2, 2)], [(3,), (3,)]],
        FLOATS,
    ),
    Case(
        [np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack],
        [
            lambda x: np.split(x, 2),
            lambda x: np.split(x, [1, 3], axis=-1),
            lambda x: np.split(x, [3, 1, -1]),
            lambda x: np.array_split(x, 3),
            lambda x: np.array_split(x, 9, axis=-1),
            lambda x: np.hsplit(x, 2),
            lambda x: np.vsplit(x, [1]),
            lambda x: np.dsplit(x, 2),
            np.unstack,
            lambda x: np.unstack(x, axis=1),
            lambda x: np.array_split(x, 0),
        ],
        each((4,), (5,), (4, 6), (2, 2, 4), (4, 0)),
        FLOATS,
    ),
    Case(
        [np.tile, np.repeat, np.resize],
        [
            lambda x: np.tile(x, 2),
            lambda x: np.tile(x, (2, 1, 3)),
            lambda x: np.tile(x, (0, 2)),
            lambda x: np.repeat(x, 3),
            lambda x: np.repeat(x, 2, axis=-1),
            lambda x: np.repeat(x, [2], axis=0),
            lambda x: np.resize(x, (3, 4)),
            lambda x: np.resize(x, 2),
        ],
        [*RANKS, *each((0,), (1,))],
        FLOATS,
    ),
    Case(
        [np.repeat, np.take],
        [
            lambda x: np.repeat(x, [1, 0, 2], axis=0),
            lambda x: x.repeat([3, 1, 1]),
            lambda x: np.take(x, [2, 0, 1, 1], axis=0),
            lambda x: np.take(x, [[0, -1], [1, 2]]),
            lambda x: np.take(x, 1, axis=0),
            lambda x: x.take([7, -9], mode="wrap"),
            lambda x: np.take(x, [7], mode="clip"),
            lambda x: np.take(x, [30]),
            lambda x: np.take(x, np.zeros(0, int)),
        ],
        each((3,), (3, 2)),
        FLOATS,
    ),
    Case(
        [np.pad],
        [
            lambda x: np.pad(x, 1),
            lambda x: np.pad(x, ((1, 2),), constant_values=3),
            lambda x: np.pad(x, 2, constant_values=(1, 2)),
            lambda x: np.pad(x, {-1: (0, 2)}),
            lambda x: np.pad(x, 0),
            lambda x: np.pad(x, -1),
            lambda x: np.pad(x, 1.5),
            lambda x: np.pad(x, (1, 2, 3)),
            *(
                partial(np.pad, pad_width=w, mode=m)
                for w in (1, (0, 2), (5, 7))
                for m in ("edge", "reflect", "symmetric", "wrap")
            ),
        ],
        each((3,), (2, 4), (1,)),
        (I32, F32),
    ),
    # Creation
    Case(
        [np.array, np.asarray, np.full],
        [
            lambda x: gnp.array([x, x]) if not isinstance(x, np.ndarray) else np.array([x, x]),
            lambda x: gnp.asarray([[x, 1.0], [2, 3]]) if x.ndim == 0 else gnp.asarray([x]),
            lambda x: gnp.array(x, dtype=np.float32, ndmin=3),
            lambda x: gnp.full((2, *x.shape), x),
            lambda x: gnp.full((2, *x.shape), x, np.float32),
        ],
        each((), (2,)),
        (BOOL, I32, F32, F64),
    ),
    Case(
        [np.zeros_like, np.ones_like, np.empty_like, np.full_like, np.copy],
        [
            np.zeros_like,
            np.ones_like,
            lambda x: np.zeros_like(x, dtype=np.int8, shape=(2, 2)),
            lambda x: np.ones_like(x, shape=3),
            lambda x: np.empty_like(x) * 0,
            lambda x: np.full_like(x, 2.5),
            lambda x: np.full_like(x, 2, dtype=np.float32, shape=(2,)),
            np.copy,
            lambda x: x.copy(),
        ],
        [*RANKS, *EDGES],
    ),
    Case(
        [np.astype],
        [partial(np.astype, dtype=d) for d in ("?", "i4", "u1", "f4", "f8", "c8")]
        + [lambda x: x.astype(float), lambda x: x.astype("f4", copy=False)],
        each((2, 3), ()),
    ),
    Case(
        [np.linspace, np.logspace],
        [
            lambda a, b: np.linspace(a, b, 5),
            lambda a, b: np.linspace(a, b, 4, endpoint=False, dtype=np.float32),
            lambda a, b: np.linspace(a, 2.0, 1),
            lambda a, b: np.linspace(a, b, 0),
            lambda a, b: np.linspace(a, b, 3, retstep=True),
            lambda a, b: np.linspace(a, b, 3, axis=-1),
            lambda a, b: np.linspace(a, b, 7, dtype=int),
            lambda a, b: np.logspace(a, b, 5),
            lambda a, b: np.logspace(a, b, 5, base=2.0, endpoint=False),
        ],
        [[(), ()], [(3,), ()]],
        (I32, F32, F64),
        sums=True,
    ),
    Case(
        [np.meshgrid],
        [
            np.meshgrid,
            partial(np.meshgrid, indexing="ij"),
            partial(np.meshgrid, sparse=True),
            lambda x, y: np.meshgrid(x, y, np.arange(2.0)),
        ],
        [[(2,), (3,)], [(), (2,)]],
        FLOATS,
    ),
    # Matrices
    Case(
        [np.tril, np.triu, np.diagonal, np.trace, np.diag, np.linalg.diagonal, np.linalg.trace],
        [
            *(partial(f, k=k) for f in (np.tril, np.triu) for k in (0, 1, -2)),
            *(partial(np.diagonal, offset=k) for k in (0, 1, -1, 5)),
            lambda x: x.diagonal(0, -1, 0),
            np.trace,
            lambda x: np.trace(x, offset=1, dtype=np.float32),
            lambda x: np.linalg.diagonal(x, offset=1),
            lambda x: np.linalg.trace(x, offset=-1),
        ],
        each((3, 4), (2, 3, 3), (3,), (0, 2)),
        (BOOL, I32, F32),
    ),
    Case(
        [np.diag, np.diagflat],
        [
            np.diag,
            lambda x: np.diag(x, 2),
            lambda x: np.diag(x, -1),
            np.diagflat,
            lambda x: np.diagflat(x, -2),
        ],
        each((3,), (1,), (0,), (2, 2), (2, 1, 1)),
        NUMBERS,
    ),
    Case(
        [np.vander],
        [
            np.vander,
            lambda x: np.vander(x, 2),
            lambda x: np.vander(x, 4, True),
            lambda x: np.vander(x, 0),
        ],
        each((3,), (2, 2)),
        (I32, F32),
        ulps=16,
    ),
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

NAN_PROGRAMS = [
    lambda f: f,
    lambda f: lambda x: f(x, axis=0),
    lambda f: lambda x: f(x, axis=-1, keepdims=True),
]
NAN_FUNCTIONS = [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd]


def _label(case: Case) -> str:
    return "-".join(dict.fromkeys(f.__name__ for f in case.functions))


@pytest.mark.parametrize("case", CASES, ids=_label)
def test_function(case):
    for dtype in case.dtypes:
        for shapes in case.shapes:
            arguments = [samples(dtype, shape, seed) for seed, shape in enumerate(shapes)]
            for number, program in enumerate(case.programs):
                label = f"program {number} of {dtype} {shapes}"
                compare(program, arguments, ulps=case.ulps, label=label, sums=case.sums)


def with_nans(shape: Shape, dtype: np.dtype) -> np.ndarray:
    x = samples(dtype, shape)
    if dtype.kind in "fc" and x.ndim == 2:
        x[0, 1] = np.nan
        x[:, 0] = np.nan
    return x


@pytest.mark.parametrize("function", NAN_FUNCTIONS, ids=lambda f: f.__name__)
def test_functions_that_pass_over_nan(function):
    for dtype in (I32, F32, F64):
        for shape in ((3, 4), (1, 2), (4,), ()):
            x = with_nans(shape, dtype)
            for program in NAN_PROGRAMS if shape else NAN_PROGRAMS[:1]:
                compare(program(function), [x], sums=True, label=f"{dtype} {shape}")
    if function in (np.nanvar, np.nanstd):
        compare(lambda x: function(x, axis=0, ddof=2), [with_nans((3, 4), F64)], sums=True)


@pytest.mark.parametrize("function", [np.nancumsum, np.nancumprod], ids=lambda f: f.__name__)
def test_accumulations_that_pass_over_nan(function):
    for dtype in (I32, F64):
        compare(function, [with_nans((3, 4), dtype)], sums=True)
        compare(lambda x: function(x, axis=0), [with_nans((3, 4), dtype)], sums=True)


@pytest.mark.parametrize(
    "function", [np.max, np.min, np.argmax, np.argmin, np.ptp, np.cumsum, np.mean]
)
def test_nan_wins(function):
    compare(function, [with_nans((3, 4), F64)])
    compare(lambda x: function(x, axis=1), [with_nans((3, 4), F32)])


# NumPy asks only some arguments for an implementation; for the others there is gradatim.numpy.
ONLY_AN_OPTION_IS_TRACED = [
    lambda s: gnp.sum(np.arange(3.0), initial=s),
    lambda s: gnp.sum(np.arange(3.0), where=s > 0),
    lambda s: np.var(np.arange(3.0), mean=s),
    lambda s: np.clip(np.arange(3.0), None, s),
    lambda s: np.isclose(np.arange(3.0), 1.0, atol=s),
    lambda s: gnp.nan_to_num(np.array([np.nan, 1.0]), nan=s),
    lambda s: np.diff(np.arange(3.0), append=s),
    lambda s: np.ediff1d(np.arange(3.0), to_end=s),
    lambda s: np.trapezoid(np.arange(3.0), dx=s),
    lambda s: np.gradient(np.arange(4.0) ** 2, s),
    lambda s: np.average(np.arange(3.0), weights=s * np.ones(3)),
    lambda s: np.linspace(0, s, 3),
    lambda s: np.polyval([1, 2.0], s),
    lambda s: np.polyval(np.stack([s, s]), 3.0),
    lambda s: gnp.pad(np.arange(3.0), 1, constant_values=s),
    lambda s: np.where(np.arange(3) > 1, s, np.float32(2)),
    lambda s: gnp.full_like(np.arange(3), s),
    lambda s: np.matmul(np.ones((2, 1)), s[None]),
]


@pytest.mark.parametrize("program", ONLY_AN_OPTION_IS_TRACED)
def test_functions_of_arrays_that_are_not_traced(program):
    compare(program, [np.array(0.75)])


def test_traced_python_scalars_are_weak_where_numpys_are():
    x = samples(F32, (3,))
    for program in (
        lambda s, x: np.where(x > 0, s, x),
        lambda s, x: np.clip(x, s, 2 * s),
        lambda s, x: np.select([x > 0], [x], default=s),
        lambda s, x: np.linspace(s, x, 3),
        lambda s, x: np.dot(x, s),
        lambda s, x: np.stack([np.ravel(s), x[:1]]),
        lambda s, x: np.sum(x * s) / s,
        lambda s, x: x**s,
    ):
        compare(program, [0.5, x])


def test_infinities_and_nan_in_selections():
    x = np.array([np.nan, np.inf, -np.inf, 1.0, -0.0])
    for program in (
        np.nan_to_num,
        lambda x: np.clip(x, -1, 1),
        lambda x: np.clip(x, np.nan, 1),
        lambda x: np.isclose(x, x),
        lambda x: np.isclose(x, x, equal_nan=True),
        lambda x: np.array_equal(x, x),
        lambda x: np.array_equal(x, x, equal_nan=True),
        np.isposinf,
        np.isneginf,
    ):
        compare(program, [x], ulps=0)


def test_every_supported_function_is_tried():
    tried = {f for case in CASES for f in case.functions}
    tried |= {*NAN_FUNCTIONS, np.nancumsum, np.nancumprod, np.asanyarray, np.ascontiguousarray}
    missing = [qualified(f) for f in FUNCTIONS if f not in REFUSED and f not in tried]
    assert not missing
