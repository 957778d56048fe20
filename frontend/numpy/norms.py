"""Norms of vectors and matrices, as far as they need no decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tracer import Tracer
from .manipulation import moveaxis
from .operands import constant_like, converted, select, traced_array, unsupported, xp
from .promotion import inexact_dtype
from .reductions import axes_of, count_of, kept, max_, min_, sum_
from .registry import implements


def _root(total: Tracer, order: float = 2) -> Tracer:
    """Return the root of a sum of powers, whose derivative at 0 is taken to be 0.

    A norm has no derivative at the zero vector; 0 is the shortest of its subgradients.
    """
    at_zero = total == 0
    root = select(at_zero, constant_like(total, 1), total) ** (1.0 / order)
    return select(at_zero, constant_like(total, 0), root)


def _euclidean(x: Tracer, axes: Any) -> Tracer:
    parts = [x.real, x.imag] if x.dtype.kind == "c" else [x]
    squares = [sum_(p * p, axes) for p in parts]
    return _root(squares[0] if len(squares) == 1 else squares[0] + squares[1])


def _vector(x: Tracer, order: Any, axes: Any) -> Tracer:
    """Return the norms of vectors along axes."""
    if order is None or order == 2:
        return _euclidean(x, axes)
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    magnitudes = xp.abs(x)
    if order in (np.inf, -np.inf):
        return _largest(magnitudes, axes) if order > 0 else min_(magnitudes, axes)
    if order == 0:
        return sum_(converted(x != 0, magnitudes.dtype), axes)
    if order == 1:
        return sum_(magnitudes, axes)
    total = sum_(magnitudes**order, axes)
    return _root(total, order) if order > 0 else total ** (1.0 / order)


def _matrix(x: Tracer, order: Any, axes: tuple[int, int]) -> Tracer:
    """Return the norms of the matrices that two axes span.

    Raises:
        UnsupportedError: if the norm is one of singular values.
    """
    if order in (None, "fro", "f"):
        return _euclidean(x, axes)
    if order in (2, -2, "nuc"):
        raise unsupported(
            f"the norm {order!r} of traced matrices needs singular values, which are not "
            "supported; use 'fro', 1, -1, inf or -inf"
        )
    if order not in (1, -1, np.inf, -np.inf):
        raise ValueError("Invalid norm order for matrices.")
    rows, columns = axes if abs(order) == 1 else axes[::-1]
    sums = moveaxis(xp.abs(x), (rows, columns), (0, 1)).sum(axis=0)
    return _largest(sums, 0) if order > 0 else min_(sums, 0)


def _largest(magnitudes: Tracer, axes: Any) -> Tracer:
    """Return the largest magnitudes, 0 where there is none."""
    empty = count_of(magnitudes, axes) == 0
    return max_(magnitudes, axes, **({"initial": 0} if empty else {}))


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tracer:
    """Return the norms of vectors (one axis) or matrices (two); of all elements without ``axis``.

    Its derivative at zero is 0.

    Raises:
        UnsupportedError: for the orders 2, -2 and "nuc" of matrices.
    """
    a = _inexact(x)
    if axis is None and (ord is None or (ord == 2 and a.ndim == 1)):
        result = _euclidean(a, None)
        return kept(result, a, axes_of(a, None)) if keepdims else result
    axes = axes_of(a, axis)
    if len(axes) not in (1, 2):
        raise ValueError("Improper number of dimensions to norm.")
    result = _vector(a, ord, axes) if len(axes) == 1 else _matrix(a, ord, axes)  # type: ignore[arg-type]
    return kept(result, a, axes) if keepdims else result


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tracer:
    """Return the norms of vectors along axes, all elements being one vector without ``axis``."""
    a = _inexact(x)
    axes = axes_of(a, axis)
    result = _vector(a, ord, axes)
    return kept(result, a, axes) if keepdims else result


@implements(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Tracer:
    """Return the norms of the matrices in the last two dimensions."""
    return norm(x, ord, (-2, -1), keepdims)


def _inexact(x: Any) -> Tracer:
    a = traced_array(x)
    return converted(a, inexact_dtype(a.dtype))
