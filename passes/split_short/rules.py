"""How ops whose last dimension is short are computed on components."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from xdsl.ir import Operation, SSAValue

from ...ir.array import reduction as r
from ...ir.array import shape as s
from ...ir.array.base import ArrayOp
from ...ir.attributes import ReduceKind
from ...ir.builder import Builder
from ...ir.kernel.space import is_elementwise
from ...ir.types import dtype_of, is_splat, shape_of, tensor_info, tensor_type, to_numpy
from .components import Components, joined

Take: TypeAlias = Callable[[SSAValue], Components]
"""Gives the components of a value."""

Rule: TypeAlias = Callable[[Builder, Any, Take], Components]
"""Computes the components of an op's result."""


def _elementwise(b: Builder, op: ArrayOp, take: Take) -> Components:
    """Compute each component; those whose operands are the same are one."""
    shape, dtype = tensor_info(op.results[0])
    type_ = tensor_type(shape[:-1], dtype)
    made: dict[tuple[SSAValue, ...], SSAValue] = {}
    found = []
    for operands in zip(*map(take, op.operands)):
        if operands not in made:
            (made[operands],) = b.create_results(type(op), operands, op.properties, type_)
        found.append(made[operands])
    return found


def _broadcast(b: Builder, op: s.BroadcastOp, take: Take) -> Components:
    *outer, count = shape_of(op.result)
    dims = op.dims.data
    if len(outer) in dims:
        return [b.broadcast(c, tuple(outer), dims[:-1]) for c in take(op.operand)]
    return [b.broadcast(op.operand, tuple(outer), dims)] * count


def _constant(b: Builder, op: s.ConstantOp, take: Take) -> Components:
    *outer, count = shape_of(op.result)
    if is_splat(op.value):
        element = to_numpy(op.value).flat[0]
        return [b.full(tuple(outer), dtype_of(op.result), element)] * count
    array = to_numpy(op.value)
    return [b.constant(array[..., i]) for i in range(count)]


def _iota(b: Builder, op: s.IotaOp, take: Take) -> Components:
    shape, dtype = tensor_info(op.result)
    *outer, count = shape
    dim = s.dim_of(op.properties)
    if dim == len(outer):
        return [b.full(tuple(outer), dtype, i) for i in range(count)]
    return [b.iota(tuple(outer), dtype, dim)] * count


def _concatenate(b: Builder, op: s.ConcatenateOp, take: Take) -> Components:
    """Arrays joined along the last dimension have all of their components."""
    return [component for array in op.inputs for component in take(array)]


OWNERS: Final[dict[type[Operation], Rule]] = {
    s.BroadcastOp: _broadcast,
    s.ConstantOp: _constant,
    s.IotaOp: _iota,
    s.ConcatenateOp: _concatenate,
}
"""Ops beside the elementwise ones whose results can be computed as components."""


def makes_components(op: Operation) -> bool:
    """Tell whether an op's result can be computed as components."""
    if isinstance(op, s.ConcatenateOp):
        return s.dim_of(op.properties) == len(shape_of(op.result)) - 1
    return is_elementwise(type(op)) or type(op) in OWNERS


def make_components(b: Builder, op: ArrayOp, take: Take) -> Components:
    """Compute the components of an op's result."""
    return OWNERS.get(type(op), _elementwise)(b, op, take)


# Ops that need components, and give arrays that have none

_COMBINE: Final[dict[ReduceKind, Callable[[Builder, SSAValue, SSAValue], SSAValue]]] = {
    ReduceKind.ADD: Builder.add,
    ReduceKind.MUL: Builder.mul,
    ReduceKind.MIN: Builder.min,
    ReduceKind.MAX: Builder.max,
    ReduceKind.AND: Builder.and_,
    ReduceKind.OR: Builder.or_,
    ReduceKind.XOR: Builder.xor,
}


def _reduce(b: Builder, op: r.ReduceOp, components: Components) -> SSAValue | Components:
    last = len(shape_of(op.operand)) - 1
    kind, dims = op.kind.data, [d for d in op.dims.data if d != last]
    if len(dims) == len(op.dims.data):
        return [b.reduce(kind, component, dims) for component in components]
    total, *others = components
    for other in others:
        total = _COMBINE[kind](b, total, other)
    return b.reduce(kind, total, dims)


def _slice(b: Builder, op: s.SliceOp, components: Components) -> SSAValue | Components:
    starts, limits, strides = (p.data for p in (op.starts, op.limits, op.strides))
    chosen = components[starts[-1] : limits[-1] : strides[-1]]
    if not chosen:
        return b.full(*tensor_info(op.result), 0)  # of no elements
    return [b.slice(c, starts[:-1], limits[:-1], strides[:-1]) for c in chosen]


USERS: Final[dict[type[Operation], Callable[..., SSAValue | Components]]] = {
    r.ReduceOp: _reduce,
    s.SliceOp: _slice,
}
"""Ops whose results are computed from components, as one array or as fewer elements of each."""


def from_components(
    b: Builder, op: Operation, components: Components
) -> tuple[SSAValue, Components | None]:
    """Compute an op from the components of its operand.

    Returns its result, and the components of that, if it has any.
    """
    found = USERS[type(op)](b, op, components)
    return (found, None) if isinstance(found, SSAValue) else (joined(b, found), found)
