"""``in_axes`` and ``out_axes`` of vmap: trees of integers and None that are prefixes of others."""

from __future__ import annotations

import operator
from collections.abc import Hashable
from typing import Any, NamedTuple, TypeAlias

from . import tree
from .errors import AxesError
from .tree import NodeKind, TreeDef


class AxesNode(NamedTuple):
    """A container of axes."""

    kind: NodeKind
    data: Hashable
    children: tuple[Axes, ...]


Axes: TypeAlias = "int | AxesNode | None"


def freeze(axes: Any, name: str) -> Axes:
    """Return axes as a hashable value.

    Raises:
        AxesError: if a leaf is neither an integer nor None.
    """
    if axes is None or type(axes) is int:
        return axes
    kind, data, children = tree.flatten_one_level(axes)
    if kind is not None:
        return AxesNode(kind, data, tuple([freeze(child, name) for child in children]))
    try:
        if isinstance(axes, bool):
            raise TypeError
        return operator.index(axes)
    except TypeError:
        raise AxesError(
            f"{name} must be an int, None or containers of these, found {axes!r}"
        ) from None


def spread(axes: Axes, structure: TreeDef, name: str, path: str) -> list[int | None]:
    """Return one axis for each leaf of ``structure``, of which ``axes`` is a prefix.

    Raises:
        AxesError: if it is none; names the place.
    """
    if not isinstance(axes, AxesNode):
        return [axes] * structure.num_leaves
    same = axes.kind is structure.kind and axes.data == structure.data
    # A tuple may stand for a list and the other way round, as in JAX's in_axes.
    sequences = {axes.kind, structure.kind} <= {tree.TUPLE, tree.LIST}
    if not (same or sequences) or len(axes.children) != len(structure.children):
        raise AxesError(
            f"{name} has {_spell(axes)} where {path or 'the result'} is {structure}; it must have "
            "the same containers, or one axis for all that is below"
        )
    keys = axes.kind.keys(axes.data, len(axes.children))
    return [
        axis
        for child, below, key in zip(axes.children, structure.children, keys)
        for axis in spread(child, below, name, f"{path}{key}")
    ]


def _spell(axes: Axes) -> str:
    if not isinstance(axes, AxesNode):
        return repr(axes)
    plain = [_Spelled(_spell(child)) for child in axes.children]
    return repr(axes.kind.unflatten(axes.data, plain))


class _Spelled(str):
    """Text whose repr has no quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
