"""Products of vectors, matrices and tensors, all made of one op: `array.dot_general`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..tracer import Tracer
from .manipulation import moveaxis, permuted, ravel, reshaped
from .operands import (
    broadcast,
    converted,
    shape_error,
    traced_array,
    traced_arrays,
    unsupported,
    xp,
)
from .promotion import BOOL, INT64, loop_dtypes
from .registry import implements
from .ufuncs import register_ufunc

Dims = Sequence[int]


def contracted(
    x: Tracer, y: Tracer, contract: tuple[Dims, Dims], batch: tuple[Dims, Dims] = ((), ())
) -> Tracer:
    """Multiply along batch dimensions and sum over contracted ones, in the common dtype.

    Dimensions of the result: the batch dimensions, x's free ones, y's free ones. A product of bools
    tells whether any pair is true.
    """
    dtype = np.result_type(x.dtype, y.dtype)
    work = INT64 if dtype == BOOL else dtype
    builder = x.trace.builder
    left, right = (builder.convert(v.value, work) for v in (x, y))
    product = builder.dot_general(left, right, batch=batch, contract=contract)
    return converted(x.trace.tracer(product), dtype)


def _require_equal(x: Tracer, y: Tracer, x_axis: int, y_axis: int, name: str) -> None:
    if x.shape[x_axis] != y.shape[y_axis]:
        raise shape_error(
            f"`numpy.{name}` sums over dimensions of sizes {x.shape[x_axis]} and "
            f"{y.shape[y_axis]}, which must be equal",
            [x, y],
        )


def _conjugated(x: Tracer) -> Tracer:
    return xp.conj(x) if x.dtype.kind == "c" else x


def _operands(a: Any, b: Any) -> tuple[Tracer, Tracer]:
    x, y = traced_arrays(a, b)[1]
    return x, y


def _of_ranks(a: Any, b: Any, rank: int, other: int, name: str) -> tuple[Tracer, Tracer]:
    """Lift two operands of at least so many dimensions."""
    x, y = _operands(a, b)
    if x.ndim < rank or y.ndim < other:
        message = f"`numpy.{name}` needs operands of at least {rank} and {other} dimensions"
        raise shape_error(message, [x, y])
    return x, y


@implements(np.dot)
def dot(a: Any, b: Any) -> Tracer:
    """Sum over the last dimension of a and the second to last (or only) one of b."""
    x, y = _operands(a, b)
    if not (x.ndim and y.ndim):
        return x * y
    axis = max(y.ndim - 2, 0)
    _require_equal(x, y, -1, axis, "dot")
    return contracted(x, y, ([x.ndim - 1], [axis]))


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Tracer:
    """Sum over the last dimensions of both."""
    x, y = _operands(a, b)
    if not (x.ndim and y.ndim):
        return x * y
    _require_equal(x, y, -1, -1, "inner")
    return contracted(x, y, ([x.ndim - 1], [y.ndim - 1]))


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Tracer:
    """Sum the products of all elements, those of a conjugated."""
    x, y = _operands(a, b)
    x, y = ravel(x), ravel(y)
    _require_equal(x, y, 0, 0, "vdot")
    return contracted(_conjugated(x), y, ([0], [0]))


@implements(np.outer)
def outer(a: Any, b: Any) -> Tracer:
    """Return the products of each element of a with each of b."""
    x, y = _operands(a, b)
    return reshaped(x, (x.size, 1)) * reshaped(y, (1, y.size))


def _matmul(x1: Any, x2: Any, *, dtype: Any = None) -> Tracer:
    """Multiply matrices, the last two dimensions; the ones before are broadcast."""
    x, y = _of_ranks(x1, x2, 1, 1, "matmul")
    if dtype is not None:
        loop = loop_dtypes(np.matmul, (x.dtype, y.dtype), np.dtype(dtype))
        x, y = converted(x, loop[0]), converted(y, loop[1])
    _require_equal(x, y, -1, -2 if y.ndim > 1 else 0, "matmul")
    x_is_vector, y_is_vector = x.ndim == 1, y.ndim == 1
    x = reshaped(x, (1, *x.shape)) if x_is_vector else x
    y = reshaped(y, (*y.shape, 1)) if y_is_vector else y
    product = _batched_product(x, y)
    shape = product.shape[:-2]
    shape += () if x_is_vector else product.shape[-2:-1]
    return reshaped(product, shape + (() if y_is_vector else product.shape[-1:]))


def _batched_product(x: Tracer, y: Tracer) -> Tracer:
    """Multiply matrices whose leading dimensions broadcast.

    A leading dimension that only one operand has is a free one of that operand, so that nothing is
    repeated and a stack of matrices times one matrix stays one large product.
    """
    rank = max(x.ndim, y.ndim) - 2
    sizes = [_leading_sizes(v, rank) for v in (x, y)]
    if any(a != b and 1 not in (a, b) for a, b in zip(*sizes)):
        raise shape_error("leading dimensions of `numpy.matmul` do not broadcast", [x, y])
    shared = [d for d in range(rank) if sizes[0][d] == sizes[1][d] != 1]
    free = [[d for d in range(rank) if s[d] != 1 and d not in shared] for s in sizes]
    left, right = (_squeezed_leading(v, s) for v, s in zip((x, y), sizes))
    places = [sorted(shared + f) for f in free]
    batch = tuple([p.index(d) for d in shared] for p in places)
    contract = ([left.ndim - 1], [right.ndim - 2])
    product = contracted(left, right, contract, batch)  # type: ignore[arg-type]
    # shared, x's free leading ones, x's rows, y's free leading ones, y's columns
    origin = [*shared, *free[0], rank, *free[1], rank + 1]
    product = permuted(product, np.argsort(origin, kind="stable").tolist())
    leading = [max(a, b) if 0 not in (a, b) else 0 for a, b in zip(*sizes)]
    return reshaped(product, (*leading, x.shape[-2], y.shape[-1]))


def _leading_sizes(x: Tracer, rank: int) -> list[int]:
    return [1] * (rank + 2 - x.ndim) + list(x.shape[:-2])


def _squeezed_leading(x: Tracer, sizes: list[int]) -> Tracer:
    return reshaped(x, (*(n for n in sizes if n != 1), *x.shape[-2:]))


def _vecdot(x1: Any, x2: Any, *, dtype: Any = None) -> Tracer:
    """Sum the products along the last dimensions, those of x1 conjugated; the others broadcast."""
    x, y = _of_ranks(x1, x2, 1, 1, "vecdot")
    row = reshaped(_conjugated(x), (*x.shape[:-1], 1, x.shape[-1]))
    _require_equal(x, y, -1, -1, "vecdot")
    product = _batched_product(row, reshaped(y, (*y.shape, 1)))
    result = reshaped(product, product.shape[:-2])
    return result if dtype is None else converted(result, dtype)


def _matvec(x1: Any, x2: Any, *, dtype: Any = None) -> Tracer:
    """Multiply matrices with vectors; the dimensions before are broadcast."""
    x, y = _of_ranks(x1, x2, 2, 1, "matvec")
    product = _matmul(x, reshaped(y, (*y.shape, 1)), dtype=dtype)
    return reshaped(product, product.shape[:-1])


def _vecmat(x1: Any, x2: Any, *, dtype: Any = None) -> Tracer:
    """Multiply conjugated vectors with matrices; the dimensions before are broadcast."""
    x, y = _of_ranks(x1, x2, 1, 2, "vecmat")
    row = reshaped(_conjugated(x), (*x.shape[:-1], 1, x.shape[-1]))
    product = _matmul(row, y, dtype=dtype)
    return reshaped(product, (*product.shape[:-2], product.shape[-1]))


register_ufunc(np.matmul, _matmul)
register_ufunc(np.vecdot, _vecdot)
if hasattr(np, "matvec"):  # since NumPy 2.2
    register_ufunc(np.matvec, _matvec)
    register_ufunc(np.vecmat, _vecmat)


@implements(np.linalg.matmul)
def linalg_matmul(x1: Any, x2: Any, /) -> Tracer:
    """As ``numpy.matmul``."""
    return _matmul(x1, x2)


@implements(np.linalg.vecdot)
def linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tracer:
    """As ``numpy.vecdot``, along ``axis``."""
    x, y = _operands(x1, x2)
    return _vecdot(moveaxis(x, axis, -1), moveaxis(y, axis, -1))


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Tracer:
    """Sum over pairs of dimensions: so many last ones of a and first ones of b, or those listed."""
    x, y = _operands(a, b)
    if np.ndim(axes) == 0:
        count = int(axes)
        lists: Any = (range(x.ndim - count, x.ndim), range(count))
    else:
        lists = axes
    left = normalize_axis_tuple(lists[0], x.ndim)
    right = normalize_axis_tuple(lists[1], y.ndim)
    if len(left) != len(right) or any(x.shape[i] != y.shape[j] for i, j in zip(left, right)):
        raise shape_error("shape-mismatch for sum: `axes` of `numpy.tensordot` do not fit", [x, y])
    return contracted(x, y, (left, right))


@implements(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Tracer:
    """Return the products of each element of a vector with each of another."""
    x, y = _operands(x1, x2)
    if x.ndim != 1 or y.ndim != 1:
        raise shape_error("`numpy.linalg.outer` needs vectors", [x, y])
    return outer(x, y)


@implements(np.linalg.tensordot)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Tracer:
    """As ``numpy.tensordot``."""
    return tensordot(x1, x2, axes)


@implements(np.kron)
def kron(a: Any, b: Any) -> Tracer:
    """Return the Kronecker product: each element of a times b."""
    x, y = _operands(a, b)
    rank = max(x.ndim, y.ndim)
    first, second = ((1,) * (rank - v.ndim) + v.shape for v in (x, y))
    spread = reshaped(x, tuple(n for size in first for n in (size, 1)))
    product = spread * reshaped(y, tuple(n for size in second for n in (1, size)))
    return reshaped(product, tuple(m * n for m, n in zip(first, second)))


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Tracer:
    """Return the cross products of vectors of three elements (NumPy's form for two: of two)."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = _operands(a, b)
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    if x.shape[-1] not in (2, 3) or y.shape[-1] not in (2, 3):
        raise ValueError(
            "Both input arrays must be (arrays of) 3-dimensional vectors, "
            f"but they are {x.shape[-1]} and {y.shape[-1]} dimensional instead."
        )
    x0, x1, x2 = _components(x)
    y0, y1, y2 = _components(y)
    if x.shape[-1] == y.shape[-1] == 2:
        return x0 * y1 - x1 * y0
    product = xp.stack([x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0], axis=-1)
    return moveaxis(product, -1, axisc)


def _components(x: Tracer) -> tuple[Tracer, Tracer, Tracer]:
    parts = [x[..., i] for i in range(x.shape[-1])]
    return (*parts, xp.zeros_like(parts[0]))[:3]


@implements(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tracer:
    """Return the cross products of vectors of three elements along ``axis``."""
    x, y = _operands(x1, x2)
    if x.shape[axis] != 3 or y.shape[axis] != 3:
        raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")
    return cross(x, y, axis=axis)


@implements(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Tracer:
    """Multiply several matrices in the order that costs least."""
    operands = traced_arrays(*arrays)[1]
    if len(operands) < 2:
        raise ValueError("Expecting at least two arrays.")
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    terms = [letters[i : i + 2] for i in range(len(operands))]
    if operands[0].ndim == 1:
        terms[0] = terms[0][1:]
    if operands[-1].ndim == 1:
        terms[-1] = terms[-1][:1]
    ends = (terms[0][0] if operands[0].ndim > 1 else "") + (terms[-1][1:])
    return xp.einsum(f"{','.join(terms)}->{ends}", *operands, optimize="optimal")


@implements(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Tracer:
    """Multiply a square matrix with itself n times, by repeated squaring."""
    x = traced_array(a)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if n < 0:
        raise unsupported(
            "`numpy.linalg.matrix_power` of traced values does not take negative powers, which "
            "need an inverse"
        )
    if n == 0:
        one = x.trace.lift(np.eye(x.shape[-1], dtype=x.dtype))
        return broadcast(one, x.shape)  # type: ignore[arg-type]
    if n == 1:
        return x
    half = matrix_power(x, n // 2)
    square = half @ half
    return square @ x if n % 2 else square
