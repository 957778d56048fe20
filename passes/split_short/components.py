"""Arrays as the list of their components: the slices at each position of the last dimension."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.types import shape_of

Components = Sequence[SSAValue]
"""The components of an array, in order, each without the last dimension."""


def components_of(b: Builder, array: SSAValue) -> Components:
    """Take an array apart."""
    *outer, count = shape_of(array)
    shape, first = tuple(outer), (0,) * len(outer)
    return [b.reshape(b.slice(array, (*first, i), (*shape, i + 1)), shape) for i in range(count)]


def joined(b: Builder, components: Components) -> SSAValue:
    """Put an array together."""
    shape = shape_of(components[0])
    return b.concatenate([b.reshape(c, (*shape, 1)) for c in components], len(shape))
