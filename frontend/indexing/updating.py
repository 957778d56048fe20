"""Updating parts of traced values: the functional form of ``x[index] = value``."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final, TypeGuard

import numpy as np
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.locations import spell_location
from ...ir.types import Shape, shape_of, spell, spell_info, tensor_info
from ..errors import NonConcreteBooleanIndexError, ShapeError
from ..numpy.operands import broadcast_value, lifted
from ..source import user_location
from ..tracer import Tracer
from ..tracing import Operand, Trace
from .parsing import Index, Item, Mask, Part, Position, parse, traced_in
from .reading import INT64, counting, index_values, indexed_dims, read, read_window

_COMBINE: Final = {"add": Builder.add, "mul": Builder.mul, "min": Builder.min, "max": Builder.max}

KINDS: Final = ("set", *_COMBINE)
"""What an update does: it replaces elements, or is combined with them."""

_BOOL_KINDS: Final = {"add": "max", "max": "max", "mul": "min", "min": "min"}


def updated(x: Tracer, index: Any, value: Any, kind: str = "set") -> Tracer:
    """Return x after ``x[index] = value``, or with its elements combined with the value.

    The value is converted to x's dtype and broadcast, as NumPy does when assigning. Where an
    element is indexed several times, the last value stays, or all are combined with it in order,
    as the methods ``at`` of NumPy's ufuncs do. Computed positions out of range change nothing.

    Args:
        x: what is updated; itself it stays as it is.
        index: all that NumPy indexes by, traced or not, masks too.
        value: an array or a number, traced or not.
        kind: ``set``, ``add``, ``mul``, ``min`` or ``max``; of bools ``add`` and ``max`` are `or`,
            ``mul`` and ``min`` are `and`.

    Raises:
        IndexError: if there are more indices than dimensions, if a known position is out of range,
            if a mask does not fit, or if an item is nothing to index by.
        ShapeError: if the value cannot be broadcast to what is indexed.
        NonConcreteBooleanIndexError: if a traced mask is used beside arrays.
        TracerIntegerConversionError: if an end of a slice is traced.
        DtypeError: for ``min`` and ``max`` of complex numbers.
    """
    if kind not in KINDS:
        raise ValueError(f"the kinds of update are {', '.join(KINDS)}, not {kind!r}")
    trace, (target, update, *_) = lifted(x, value, *traced_in(index))
    assert isinstance(target, Tracer)
    plan = parse(x.shape, index)
    b, dtype = trace.builder, x.dtype
    converted = _converted(b, update, dtype)
    if dtype.kind == "b" and kind != "set":
        byte = np.dtype(np.uint8)
        old, new = (b.convert(v, byte) for v in (target.value, converted))
        result = _update(trace, plan, old, new, _BOOL_KINDS[kind])
        return trace.tracer(b.convert(result, dtype))
    return trace.tracer(_update(trace, plan, target.value, converted, kind))


def _converted(b: Builder, value: Operand, dtype: np.dtype) -> SSAValue:
    if not isinstance(value, Tracer):
        return b.full((), dtype, value)
    if value.dtype.kind == "c" and dtype.kind != "c":
        return b.convert(b.real(value.value), dtype)
    return b.convert(value.value, dtype)


def _update(trace: Trace, plan: Index, x: SSAValue, value: SSAValue, kind: str) -> SSAValue:
    b = trace.builder
    if plan.masks:
        return _update_masked(trace, plan, x, value, kind)
    update = _fitted(b, value, plan.result)
    if 0 in plan.result:
        return x
    if not plan.has_arrays and plan.is_known and all(p.span == p.length for p in _fixed(plan)):
        return _update_window(trace, plan, x, update, kind)
    return _scatter(trace, plan, x, update, kind)


def _fitted(b: Builder, value: SSAValue, shape: Shape) -> SSAValue:
    """Append the value broadcast to a shape; as when assigning, it may have more ones in front.

    Raises:
        ShapeError: if it cannot be broadcast.
    """
    found, dtype = tensor_info(value)
    extra = max(len(found) - len(shape), 0)
    kept = found[extra:]
    fits = all(n in (1, m) for n, m in zip(kept[::-1], shape[::-1]))
    if not fits or any(n != 1 for n in found[:extra]):
        raise ShapeError(
            f"could not broadcast {spell(value)} into {spell_info(shape, dtype)}, "
            "the shape of what is indexed",
            spell_location(user_location()),
        )
    return broadcast_value(b, b.reshape(value, kept), shape)


# Slices and single positions that are known


def _fixed(plan: Index) -> list[Part]:
    """Return what a known index without arrays takes of each dimension."""
    singles = [Part(p.dim, p.value, 1, 1) for p in plan.positions]  # type: ignore[arg-type]
    return sorted([*plan.parts, *singles])


def _update_window(trace: Trace, plan: Index, x: SSAValue, update: SSAValue, kind: str) -> SSAValue:
    """Append the update of a window without gaps."""
    b, parts = trace.builder, _fixed(plan)
    sizes = tuple(part.length for part in parts)
    window = b.reshape(update, sizes)
    window = b.reverse(window, [part.dim for part in parts if part.step < 0])
    forward = Index(plan.shape, tuple(p._replace(start=p.low, step=1) for p in parts))
    if kind != "set":
        window = _COMBINE[kind](b, read_window(trace, x, forward), window)
    if sizes == plan.shape:
        return window
    return b.dynamic_update_slice(x, window, [b.full((), INT64, part.low) for part in parts])


# Arrays of positions, and slices beside them


def _scatter(trace: Trace, plan: Index, x: SSAValue, update: SSAValue, kind: str) -> SSAValue:
    """Append the update as a scatter.

    A slice that is not of a whole dimension is an index that counts along a dimension of its own.
    """
    b = trace.builder
    counted = [part for part in plan.parts if part.length < plan.shape[part.dim]]
    whole = [part for part in plan.parts if part not in counted]
    common = plan.common
    shape = (*common, *(part.length for part in counted))
    indices = [
        b.broadcast(value, shape, range(len(common))) for value in index_values(trace, plan, common)
    ]
    indices += [
        counting(b, shape, len(common) + i, part.start, part.step) for i, part in enumerate(counted)
    ]
    dims = [*indexed_dims(plan), *(part.dim for part in counted)]
    ordered = _indices_first(b, plan, update, [*counted, *whole])
    if not indices:  # bools of no dimension only: all of x, once
        once = b.reshape(ordered, plan.shape)
        return once if kind == "set" else _COMBINE[kind](b, x, once)
    return b.scatter(kind, x, ordered, indices, dims, unique=_are_distinct(plan))


def _indices_first(b: Builder, plan: Index, update: SSAValue, parts: Sequence[Part]) -> SSAValue:
    """Append the update with the dimensions of the arrays in front, then those of ``parts``."""
    rank, place = len(plan.common), plan.place
    flat = b.reshape(update, _without_new(plan))
    number = {part.dim: i + (rank if i >= place else 0) for i, part in enumerate(plan.parts)}
    arrays = range(place, place + rank)
    placed = b.transpose(flat, (*arrays, *(number[part.dim] for part in parts)))
    whole = [d for d, part in enumerate(parts, rank) if part.length == plan.shape[part.dim]]
    reversed_ = [d for d in whole if parts[d - rank].step < 0]
    return b.reverse(placed, reversed_)


def _without_new(plan: Index) -> Shape:
    """Return the shape of the result without new dimensions."""
    sizes = [part.length for part in plan.parts]
    return (*sizes[: plan.place], *plan.common, *sizes[plan.place :])


def _are_distinct(plan: Index) -> bool:
    """Tell whether it is known that no position is indexed twice."""
    if not plan.has_arrays:
        return True
    if not plan.is_known:
        return False
    dims = indexed_dims(plan)
    arrays = [
        np.broadcast_to(position.value, plan.common).ravel()
        for position in plan.positions
        if position.dim is not None
    ]
    numbers = np.ravel_multi_index(arrays, [plan.shape[d] for d in dims]) if dims else np.zeros(1)
    return bool(np.unique(numbers).size == prod(plan.common))


# Masks


def _update_masked(trace: Trace, plan: Index, x: SSAValue, value: SSAValue, kind: str) -> SSAValue:
    """Append a choice, by a traced mask, between old elements and new ones."""
    b, mask = trace.builder, plan.masks[0]
    if len(plan.masks) > 1 or plan.has_arrays:
        raise mask.value.unknown(
            NonConcreteBooleanIndexError,
            "assigning by a mask beside another mask or an array, of which as many elements are "
            "taken as the mask has True ones,",
            "choose by `np.where` instead",
        )
    unmasked = _without_masks(plan)
    old = read(trace, x, unmasked)
    dims = [item.dim for item in unmasked.items if isinstance(item, Part)]
    places = [dims.index(d) for d in mask.dims]
    lifted_mask = trace.lift(mask.value)
    assert isinstance(lifted_mask, Tracer)
    chosen = b.broadcast(lifted_mask.value, shape_of(old), places)
    new = _spread(b, plan, lifted_mask.value, value, old, places)
    if new is None:
        return x
    if kind != "set":
        new = _COMBINE[kind](b, old, new)
    return _update(trace, unmasked, x, b.select(chosen, new, old), "set")


def _without_masks(plan: Index) -> Index:
    """Return the index with whole dimensions for masks, and without new dimensions."""
    items: list[Item] = []
    for item in plan.items:
        if isinstance(item, Mask):
            items += [Part(d, 0, 1, plan.shape[d]) for d in item.dims]
        elif isinstance(item, Part | Position):
            items.append(item)
    return Index(plan.shape, tuple(items))


def _spread(
    b: Builder, plan: Index, mask: SSAValue, value: SSAValue, old: SSAValue, places: Sequence[int]
) -> SSAValue | None:
    """Append the new element for each old one: where the mask is True, the value's next one.

    The value has one element for all that are True, or one for each; None if it has none at all.
    """
    sizes = [1 if item is None else item.length for item in plan.items if _is_result(item)]
    front = plan.place_among_all
    before = sum(_is_result(item) for item in plan.items[:front])
    behind = len(sizes) - before
    found = shape_of(value)
    count = found[-1 - behind] if len(found) > behind else 1
    fitted = _fitted(b, value, (*sizes[:before], count, *sizes[before:]))
    if count == 0:
        return None
    parts = [item.length for item in plan.items if isinstance(item, Part)]
    flat = b.reshape(fitted, (*parts[: plan.place], count, *parts[plan.place :]))
    others = [d for d in range(len(parts) + 1) if d != plan.place]
    rows = b.transpose(flat, (plan.place, *others))
    rest = [d for d in range(len(shape_of(old))) if d not in places]
    if count == 1:
        return b.broadcast(b.reshape(rows, tuple(parts)), shape_of(old), rest)
    spread = b.gather(rows, [_rank_of_true(b, mask)], [0])
    order = [*places, *rest]
    return b.transpose(spread, [order.index(d) for d in range(len(order))])


def _is_result(item: Item) -> TypeGuard[Part | None]:
    return item is None or isinstance(item, Part)


def _rank_of_true(b: Builder, mask: SSAValue) -> SSAValue:
    """Append how many elements of the mask before each one, in row-major order, are True."""
    shape = shape_of(mask)
    flat = b.reshape(b.convert(mask, INT64), (prod(shape),))
    rank = b.sub(b.cumulative("add", flat, 0), b.full_like(flat, 1))
    return b.reshape(rank, shape)
