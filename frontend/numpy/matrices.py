"""Triangles and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tracer import Tracer
from ..views import ReadOnly, view
from .manipulation import moveaxis, ravel, reshaped, sliced
from .operands import broadcast, constant_like, counting, select, traced_array, xp
from .promotion import INT64
from .reductions import sum_
from .registry import implements


@implements(np.tril)
def tril(m: Any, k: int = 0) -> Tracer:
    """Return the matrices with zeros above the k-th diagonal."""
    x = _matrices(m)
    return select(_on_or_below(x, k), x, constant_like(x, 0))


@implements(np.triu)
def triu(m: Any, k: int = 0) -> Tracer:
    """Return the matrices with zeros below the k-th diagonal."""
    x = _matrices(m)
    return select(_on_or_below(x, k - 1), constant_like(x, 0), x)


def _matrices(m: Any) -> Tracer:
    """Return m, of which a single row stands for all rows of a square matrix."""
    x = traced_array(m)
    return broadcast(x, (x.size, x.size)) if x.ndim == 1 else x


def _on_or_below(x: Tracer, k: int) -> Tracer:
    row = counting(x.trace, x.shape, INT64, x.ndim - 2)
    column = counting(x.trace, x.shape, INT64, x.ndim - 1)
    return row + k >= column


@implements(np.diagonal, views=True)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tracer:
    """Return the diagonals of the matrices that two axes span, as the last dimension, to read."""
    x = traced_array(a)
    if x.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    x = moveaxis(x, (axis1, axis2), (-2, -1))
    rows, columns = x.shape[-2:]
    start = offset if offset >= 0 else -offset * columns
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    flat = reshaped(x, (*x.shape[:-2], rows * columns))
    if not length:
        return sliced(flat, flat.ndim - 1, 0, 0)
    limit = start + (length - 1) * (columns + 1) + 1
    return view(sliced(flat, flat.ndim - 1, start, limit, columns + 1), ReadOnly())


@implements(np.linalg.diagonal, views=True)
def linalg_diagonal(x: Any, *, offset: int = 0) -> Tracer:
    """Return the diagonals of matrices, which are the last two dimensions."""
    return diagonal(x, offset, -2, -1)


@implements(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tracer:
    """Return the sums along diagonals."""
    return sum_(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@implements(np.linalg.trace)
def linalg_trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Tracer:
    """Return the sums along diagonals of matrices, which are the last two dimensions."""
    return trace(x, offset, -2, -1, dtype)


@implements(np.diag, views=True)
def diag(v: Any, k: int = 0) -> Tracer:
    """Return the k-th diagonal of a matrix, or the matrix that has it and zeros elsewhere."""
    x = traced_array(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    size = x.size + abs(k)
    if not x.size:
        return broadcast(_zero(x), (size, size))
    start = k if k >= 0 else -k * size
    end = size * size - start - (x.size - 1) * (size + 1) - 1
    builder = x.trace.builder
    flat = builder.pad(x.value, _zero(x).value, [start], [end], [size])
    return reshaped(x.trace.tracer(flat), (size, size))


def _zero(x: Tracer) -> Tracer:
    return x.trace.tracer(x.trace.builder.full((), x.dtype, 0))


@implements(np.diagflat)
def diagflat(v: Any, k: int = 0) -> Tracer:
    """Return the matrix that has all elements on its k-th diagonal."""
    return diag(ravel(v), k)


@implements(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tracer:
    """Return the matrix whose columns are the powers of a vector."""
    base = traced_array(x)
    if base.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    count = base.size if N is None else N
    dtype = np.promote_types(base.dtype, int)
    powers = [base.astype(dtype) ** n for n in range(count)]
    if not powers:
        return broadcast(_zero(base), (base.size, 0)).astype(dtype)
    return xp.stack(powers if increasing else powers[::-1], axis=1)
