"""Programs that make, move, join and repeat elements, for `test_numpy_functions`."""

from __future__ import annotations

from functools import partial

import numpy as np

import gradatim.frontend.numpy as gnp

from .numpy_case import EDGES, FLOATS, MATRIX, NUMBERS, RANKS, REAL, Case, each
from .numpy_harness import BOOL, F32, F64, I32

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
        [np.take_along_axis, np.choose, np.compress, np.extract, np.delete, np.insert],
        [
            lambda x: np.take_along_axis(x, np.array([[2, 0, -1, 1]]), axis=1),
            lambda x: np.take_along_axis(x, np.argmax(x.real, axis=0)[None], axis=0),
            lambda x: np.choose([[0], [1]], [x, x[:1]]),
            lambda x: np.choose(np.argmax(x.real, axis=1), x.T),
            lambda x: np.compress([True, False, True], x, axis=1),
            lambda x: np.extract([0, 1, 1, 0, 1], x),
            lambda x: np.delete(x, [0, -1], axis=1),
            lambda x: np.insert(x, 1, x[0], axis=0),
        ],
        MATRIX,
    ),
    Case(
        [np.unravel_index, np.ravel_multi_index],
        [
            lambda x: np.unravel_index(np.argmax(x), x.shape),
            lambda x: np.unravel_index(np.argmin(x, axis=0), (2,)),
            lambda x: np.ravel_multi_index((np.argmax(x, axis=0), np.array([0, 2, 1])), x.shape),
        ],
        MATRIX,
        REAL,
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
]
