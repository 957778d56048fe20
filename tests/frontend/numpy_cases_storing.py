"""Programs that store in arrays by NumPy's functions, for `test_numpy_functions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .numpy_case import EDGES, FLOATS, MATRIX, RANKS, REAL, Case, each
from .numpy_harness import BOOL, C128, F32, F64, I32, I64


def storing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a program that stores in a copy of its first argument and returns that."""

    def program(x: Any, *others: Any) -> Any:
        y = np.copy(x)
        function(y, *others)
        return y

    return program


def places(shape: tuple[int, ...]) -> Any:
    """Return a fixed array of numbers, some of them negative."""
    return np.arange(float(np.prod(shape))).reshape(shape) - 3


CASES = [
    Case(
        [np.copyto],
        [
            storing(lambda y: np.copyto(y, 3)),
            storing(lambda y: np.copyto(y, 2.5)),
            storing(lambda y: np.copyto(y, np.arange(3))),
            storing(lambda y: np.copyto(y, np.arange(3.0), casting="unsafe")),
            storing(lambda y: np.copyto(y, y[::-1])),
            storing(lambda y: np.copyto(y, 1, where=np.array([True, False, True]))),
            storing(lambda y: np.copyto(y, np.ones((3, 3), bool))),
        ],
        MATRIX,
    ),
    Case([np.copyto], [storing(lambda y: np.copyto(y, True))], EDGES),
    Case(
        [np.put],
        [
            storing(lambda y: np.put(y, [0, -1, 2], [1, 0])),
            storing(lambda y: np.put(y, 7, 1)),
            storing(lambda y: np.put(y, [7, -8], 1, mode="wrap")),
            storing(lambda y: np.put(y, [[77], [0]], True, mode="clip")),
            storing(lambda y: np.put(y, [], 1)),
            storing(lambda y: y.put([1, 1], [0, 1])),
        ],
        MATRIX,
    ),
    Case(
        [np.place],
        [
            storing(lambda y: np.place(y, places((2, 3)) > -1, [1, 0])),
            storing(lambda y: np.place(y, y > 0, [1, 0, 1])),
            storing(lambda y: np.place(y, places((2, 3)), y[1].copy())),
            storing(lambda y: np.place(y, places((6, 1)) > 0, 1)),
            storing(lambda y: np.place(y, places((2, 3)) > 0, [])),
            storing(lambda y: np.place(y, places((2, 2)) > 0, 1)),
        ],
        MATRIX,
        REAL,
    ),
    Case(
        [np.putmask],
        [
            storing(lambda y: np.putmask(y, y > 0, y[::-1])),
            storing(lambda y: np.putmask(y, places((2, 3)) > 0, [0, 1])),
            storing(lambda y: np.putmask(y, places((2, 3)), 1)),
            storing(lambda y: np.putmask(y, places((2, 2)) > 0, 1)),
        ],
        MATRIX,
        REAL,
    ),
    Case(
        [np.put_along_axis],
        [
            storing(lambda y: np.put_along_axis(y, np.array([[0, 2], [1, 1]]), 1, 1)),
            storing(lambda y: np.put_along_axis(y, np.array([[1, 0, 1]]), y[:1], axis=0)),
            storing(lambda y: np.put_along_axis(y, np.array([0, 5]), 1, None)),
            storing(lambda y: np.put_along_axis(y, np.argmax(y, 1, keepdims=True), 0, -1)),
        ],
        MATRIX,
        REAL,
    ),
    Case(
        [np.fill_diagonal],
        [
            storing(lambda y: np.fill_diagonal(y, 1)),
            storing(lambda y: np.fill_diagonal(y, [1, 0])),
            storing(lambda y: np.fill_diagonal(y, 1, wrap=True)),
            storing(lambda y: np.fill_diagonal(y, y[0], True)),
            storing(lambda y: np.fill_diagonal(y.T, 0)),
        ],
        each((2, 3), (5, 2), (3, 3), (2, 2, 2), (0, 2), (3,), (2, 3, 2)),
    ),
    # Methods and operators
    Case(
        [],
        [
            storing(lambda y: y.fill(1)),
            storing(lambda y: y.T.fill(0)),
            storing(lambda y: y.__setitem__(..., y[..., ::-1])),
            storing(lambda y: y.sort()),
            storing(lambda y: y.sort(0, kind="stable")),
            storing(lambda y: y[::-1].sort(axis=0)),
            storing(lambda y: y.T.sort()),
            storing(lambda y: y.partition(range(y.shape[-1]))),
        ],
        [*RANKS, *each((0, 3), (1,))],
    ),
    Case(
        [],
        [
            storing(lambda y: y.__iadd__(1)),
            storing(lambda y: y.__isub__(y[::-1])),
            storing(lambda y: y.__imul__(2.5)),
            storing(lambda y: y.__itruediv__(2)),
            storing(lambda y: y.__ifloordiv__(2)),
            storing(lambda y: y.__imod__(3)),
            storing(lambda y: y.__ipow__(2)),
            storing(lambda y: y.__iand__(3)),
            storing(lambda y: y.__ior__(True)),
            storing(lambda y: y.__ixor__(y)),
            storing(lambda y: y.__ilshift__(1)),
            storing(lambda y: y.__irshift__(1)),
            storing(lambda y: y.__iadd__(np.ones((3, 2, 3)))),
        ],
        MATRIX,
        (BOOL, I32, I64, F32, F64, C128),
    ),
    Case([], [storing(lambda y: y.__imatmul__(places((3, 3))))], MATRIX, FLOATS, sums=True),
    # Outputs
    Case(
        [],
        [
            storing(lambda y: np.add(y, y[0], out=y)),
            storing(lambda y: np.add(y, y[0], y)),
            storing(lambda y: np.sum(y, axis=0, out=y[1])),
            storing(lambda y: np.cumsum(y, axis=0, out=y)),
            storing(lambda y: y.max(axis=1, out=y[:, 0])),
            storing(lambda y: np.add.reduce(y, out=y[0])),
            storing(lambda y: np.concatenate([y[1:], y[1:]], out=y)),
            storing(lambda y: np.clip(y, 0, 1, out=y)),
            storing(lambda y: np.mean(y, axis=0, out=y[0])),
            storing(lambda y: np.round(y, out=y)),
            storing(lambda y: np.multiply(y, 2, out=y, where=y > 0)),
            storing(lambda y: np.negative(y[0], out=y)),
            storing(lambda y: np.add(y, 1, out=y[0])),
            storing(lambda y: np.divmod(y, 2, out=(y, None))),
            storing(lambda y: np.sqrt(np.abs(y), out=y, casting="unsafe")),
            storing(lambda y: np.sum(y, out=y)),
        ],
        MATRIX,
        (I32, F32, F64),
        sums=True,
    ),
    Case(
        [],
        [
            lambda x: np.divide(1, x, where=x != 0, out=np.zeros_like(x, dtype=float)),
            lambda x: np.log(x, where=x > 0, out=np.ones_like(x, dtype=float)),
            lambda x: np.modf(x, out=(None, np.zeros_like(x)), where=np.array(True)),
        ],
        MATRIX,
        (I32, F64),
    ),
    # Ufuncs at positions
    Case(
        [],
        [
            storing(lambda y: np.add.at(y, [0, 0, 1], 1)),
            storing(lambda y: np.subtract.at(y, ([0, 0, 1], [1, 1, -1]), 2)),
            storing(lambda y: np.multiply.at(y, (0, slice(None)), 2)),
            storing(lambda y: np.multiply.at(y, [1, 1], np.arange(3))),
            storing(lambda y: np.maximum.at(y, [0, 0], [[1], [0]])),
            storing(lambda y: np.minimum.at(y, np.array([False, True]), 1)),
            storing(lambda y: np.negative.at(y, [0])),
            storing(lambda y: np.true_divide.at(y, 1, 2)),
            storing(lambda y: np.power.at(y, (slice(None), 0), 2)),
        ],
        MATRIX,
        (I32, I64, F32, F64),
    ),
    Case([np.nan_to_num], [storing(lambda y: np.nan_to_num(y, copy=False))], MATRIX, (F64, C128)),
]
