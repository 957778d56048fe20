"""Vectors that run along rows of a few elements: whole rows are loaded and stored at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from ...ir.kernel.memory import InterleavedLoadOp, InterleavedStoreOp
from ...ir.kernel.schedule import SHORT_LOOP
from .affine import Affine
from .loop_builder import value_type

if TYPE_CHECKING:
    from .nest import Store
    from .reader import Leaf, Reader


def is_part(reader: Reader, leaf: Leaf, place: Affine) -> bool:
    """Tell whether the lanes at a place are at one position in rows that are in memory as a whole.

    That is so if all loops go from row to row and the buffer is made of rows.
    """
    if reader.mask is not None or reader.is_scattered(place):
        return False
    step = reader.vector_step(place)
    if not 1 < step <= SHORT_LOOP or any(c % step for _, c in place.terms):
        return False
    assert isinstance(leaf.buffer.type, MemRefType)
    size = prod(leaf.buffer.type.get_shape())  # negative if it is not known
    return size >= step * reader.lanes and size % step == 0


def load(reader: Reader, leaf: Leaf, place: Affine, dtype: np.dtype) -> SSAValue:
    """Load the position in rows that a place is at, with all others if they are not loaded yet."""
    step = reader.vector_step(place)
    position = place.constant % step
    offset = reader.b.affine(place.shifted(-position), reader.positions)

    def load_all() -> SSAValue:
        type_ = value_type(dtype, reader.lanes)
        op = InterleavedLoadOp.create(
            operands=(leaf.buffer, offset), result_types=[type_] * step, location=reader.b.location
        )
        reader.b.block.add_op(op)
        return op.results[0]

    key = (InterleavedLoadOp, leaf.buffer, offset, step, dtype, reader.lanes, reader.version)
    return reader.b.shared(key, load_all).owner.results[position]  # type: ignore[union-attr]


def store(reader: Reader, stores: Sequence[Store]) -> None:
    """Store values at the positions of a row, in order, to whole rows."""
    values = [reader.as_vector(reader.value(s.value, s.at), reader.lanes) for s in stores]
    leaf, place = stores[0].leaf, stores[0].place
    offset = reader.b.affine(place, reader.positions)
    reader.b.effect(InterleavedStoreOp, (*values, leaf.buffer, offset))


def grouped(reader: Reader, stores: Sequence[Store]) -> list[Sequence[Store]]:
    """Put stores together that fill whole rows; others stay alone."""
    groups: dict[object, list[Store]] = {}
    for store in stores:
        step = reader.vector_step(store.place)
        joins = 1 < step <= SHORT_LOOP and store.combine is None and not store.within
        row = (
            (store.leaf, store.place.terms, store.place.constant // step) if joins else len(groups)
        )
        groups.setdefault(row, []).append(store)
    found: list[Sequence[Store]] = []
    for group in groups.values():
        ordered = sorted(group, key=lambda s: s.place.constant)
        first = ordered[0].place.constant
        places = [s.place.constant - first for s in ordered]
        if len(group) > 1 and places == list(range(reader.vector_step(group[0].place))):
            found.append(ordered)
        else:
            found += [(store,) for store in group]
    return found
