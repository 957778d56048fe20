"""Reading parts of traced values: slices, single positions, and arrays of positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.types import Shape, shape_of, tensor_info
from ..errors import NonConcreteBooleanIndexError
from ..numpy.operands import broadcast_value
from ..tracer import Tracer
from ..tracing import Trace, lift_all
from .parsing import Index, Part, parse, traced_in

INT64 = np.dtype(np.int64)


def indexed(x: Tracer, index: Any) -> Tracer:
    """Return ``x[index]`` as NumPy does.

    Computed positions out of range are read at the nearest edge.

    Raises:
        IndexError: if there are more indices than dimensions, if a known position is out of range,
            if a mask does not fit, or if an item is nothing to index by.
        NonConcreteBooleanIndexError: if an index is a traced mask.
        TracerIntegerConversionError: if an end of a slice is traced.
    """
    trace, (lifted, *_) = lift_all(x, *traced_in(index))
    assert isinstance(lifted, Tracer)
    plan = parse(x.shape, index)
    for mask in plan.masks:
        raise mask.value.unknown(
            NonConcreteBooleanIndexError,
            "indexing by a mask, whose result has as many elements as the mask has True ones,",
            "choose by `np.where` instead",
        )
    return trace.tracer(read(trace, lifted.value, plan))


def read(trace: Trace, x: SSAValue, plan: Index) -> SSAValue:
    """Append what an index without masks takes of a value."""
    b = trace.builder
    if not plan.has_arrays:
        return b.reshape(read_window(trace, x, plan), plan.result)
    window = _sliced(b, x, plan.parts)
    indices = index_values(trace, plan, plan.common)
    if not indices:  # bools of no dimension only
        return _repeated(b, window, plan)
    taken = b.gather(window, indices, indexed_dims(plan))
    arrays = range(len(plan.common))
    parts = range(len(arrays), len(shape_of(taken)))
    placed = b.transpose(taken, (*parts[: plan.place], *arrays, *parts[plan.place :]))
    return b.reshape(placed, plan.result)


def read_window(trace: Trace, x: SSAValue, plan: Index) -> SSAValue:
    """Append what slices and single positions take, which are dimensions of size one here."""
    b, shape = trace.builder, shape_of(x)
    if plan.is_known:
        fixed = [*plan.parts, *(Part(p.dim, p.value, 1, 1) for p in plan.positions)]  # type: ignore[arg-type]
        return _sliced(b, x, sorted(fixed))
    starts, sizes = [b.full((), INT64, 0)] * len(shape), list(shape)
    for part in plan.parts:
        starts[part.dim] = b.full((), INT64, part.low)
        sizes[part.dim] = part.span
    for position, value in zip(plan.positions, index_values(trace, plan, ())):
        assert position.dim is not None
        starts[position.dim], sizes[position.dim] = value, 1
    window = b.dynamic_slice(x, starts, tuple(sizes))
    within = [p._replace(start=p.start - p.low) for p in plan.parts]
    return _sliced(b, window, within)


def _sliced(b: Builder, x: SSAValue, parts: Sequence[Part]) -> SSAValue:
    """Append the slices of some dimensions."""
    shape = shape_of(x)
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    for part in parts:
        starts[part.dim], limits[part.dim] = part.low, part.low + part.span
        strides[part.dim] = abs(part.step)
    taken = b.slice(x, starts, limits, strides)
    return b.reverse(taken, [part.dim for part in parts if part.step < 0])


def _repeated(b: Builder, x: SSAValue, plan: Index) -> SSAValue:
    """Append x with the dimensions that 0-d bools make."""
    shape = shape_of(x)
    place = plan.place
    kept = [d if d < place else d + len(plan.common) for d in range(len(shape))]
    widened = b.broadcast(x, (*shape[:place], *plan.common, *shape[place:]), kept)
    return b.reshape(widened, plan.result)


def indexed_dims(plan: Index) -> list[int]:
    """Return the dimensions that positions index."""
    return [position.dim for position in plan.positions if position.dim is not None]


def index_values(trace: Trace, plan: Index, shape: Shape) -> list[SSAValue]:
    """Append the index of each dimension that positions index, broadcast to a shape."""
    return [
        _index_value(trace, position.value, plan.shape[position.dim], shape)
        for position in plan.positions
        if position.dim is not None
    ]


def _index_value(
    trace: Trace, value: int | np.ndarray | Tracer, size: int, shape: Shape
) -> SSAValue:
    b = trace.builder
    if isinstance(value, int):
        return b.full(shape, INT64, value)
    if isinstance(value, np.ndarray):
        counted = _counted(b, value, shape)
        if counted is not None:
            return counted
        lifted = trace.lift(value)
        assert isinstance(lifted, Tracer)
        return broadcast_value(b, lifted.value, shape)
    lifted = trace.lift(value)
    assert isinstance(lifted, Tracer)
    return broadcast_value(b, from_front(b, lifted.value, size), shape)


def _counted(b: Builder, array: np.ndarray, shape: Shape) -> SSAValue | None:
    """Append known positions that are equally spaced along a dimension, as ``arange`` gives them.

    None if they are not.
    """
    dims = [d for d, n in enumerate(array.shape, len(shape) - array.ndim) if n > 1]
    line = array.reshape(-1)
    if not dims and line.size:
        return b.full(shape, INT64, line[0])
    if len(dims) != 1:
        return None
    steps = np.diff(line)
    if (steps != steps[0]).any():
        return None
    return counting(b, shape, dims[0], int(line[0]), int(steps[0]))


def counting(b: Builder, shape: Shape, dim: int, start: int, step: int) -> SSAValue:
    """Append ``start, start + step, ...`` along a dimension."""
    numbers = b.iota(shape, INT64, dim)
    if step != 1:
        numbers = b.mul(numbers, b.full(shape, INT64, step))
    return b.add(numbers, b.full(shape, INT64, start)) if start else numbers


def from_front(b: Builder, index: SSAValue, size: int) -> SSAValue:
    """Append positions as 64-bit integers, negative ones counted from the end."""
    shape, dtype = tensor_info(index)
    if dtype.kind == "u":
        if dtype.itemsize == 8:  # the largest ones would become negative
            index = b.min(index, b.full(shape, dtype, size))
        return b.convert(index, INT64)
    index = b.convert(index, INT64)
    negative = b.compare("lt", index, b.full(shape, INT64, 0))
    return b.select(negative, b.add(index, b.full(shape, INT64, size)), index)
