"""Scatters written out: what is at each position is read, combined with its update, and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeAlias

from xdsl.ir import SSAValue

from ..ir.array.indexing import POSITION
from ..ir.builder import Builder
from ..ir.functions import BlockBuilder
from ..ir.types import dtype_of, shape_of, tensor_type

Values: TypeAlias = Sequence[SSAValue]

Combine: TypeAlias = Callable[[Builder, Values, Values], Values]
"""Appends the new values for the old ones and the updates."""


def combine_at(
    b: Builder,
    arrays: Values,
    updates: Values,
    indices: Values,
    dims: Sequence[int],
    combine: Combine,
    *,
    unique: bool,
) -> Values:
    """Append arrays of one shape updated together: ``combine`` sees one element of each.

    The result of an update is seen by later ones at the same position; where positions may be the
    same, the updates are made one after the other, by a scan.

    Args:
        b: the builder.
        arrays: what is updated.
        updates: an update for each array, of one shape.
        indices: the positions, as a scatter has them.
        dims: the dimensions that they index.
        combine: how elements and updates give new elements.
        unique: whether no two positions in range are the same.
    """
    if 0 in (*shape_of(arrays[0]), *shape_of(updates[0])):
        return arrays
    count = prod(shape_of(indices[0]))
    if unique or count == 1:
        return _combine_once(b, arrays, updates, indices, dims, combine)
    rank = len(shape_of(indices[0]))
    rows = [b.reshape(u, (count, *shape_of(u)[rank:])) for u in updates]
    elements = [*rows, *(b.reshape(index, (count,)) for index in indices)]
    parts = [tensor_type(shape_of(v)[1:], dtype_of(v)) for v in elements]
    step = BlockBuilder([POSITION, *(v.type for v in arrays), *parts], location=b.location)
    _, *arguments = step.arguments
    n = len(arrays)
    carried, new, position = arguments[:n], arguments[n : 2 * n], arguments[2 * n :]
    results = _combine_once(step.builder, carried, new, position, dims, combine)
    return b.scan(count, (), arrays, elements, step.finish(results))


def _combine_once(
    b: Builder,
    arrays: Values,
    updates: Values,
    indices: Values,
    dims: Sequence[int],
    combine: Combine,
) -> Values:
    """Append the update of distinct positions."""
    old = [b.gather(x, indices, dims) for x in arrays]
    new = combine(b, old, updates)
    return [b.scatter("set", x, u, indices, dims, unique=True) for x, u in zip(arrays, new)]
