"""What the tables of NumPy programs are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .numpy_harness import BOOL, C128, F32, F64, I32, I64, U8

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
