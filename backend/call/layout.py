"""How the arrays of a call lie in Python containers.

A layout is a tree: its leaves are numbered arrays or scalars, its inner nodes the containers that
the compiled call knows how to take apart and to build. A structure with a node type registered by
the user has no layout; whoever calls flattens it in Python.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """The array or scalar number `index` of the call's inputs or outputs."""

    index: int


@dataclass(frozen=True, slots=True)
class NoneNode:
    """The object None, which holds no leaf."""


@dataclass(frozen=True, slots=True)
class Static:
    """An object that is part of the structure, such as a static argument.

    An argument matches if it is this very object, or an equal one if both are exactly `int` or
    `str`; in a result the object itself is returned.
    """

    value: object


@dataclass(frozen=True, slots=True)
class Tuple:
    """An object whose type is exactly `tuple`."""

    children: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class List:
    """An object whose type is exactly `list`."""

    children: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Dict:
    """An object whose type is exactly `dict`.

    An argument may have its keys in any order, but is taken apart fastest in the order of `keys`,
    so list them as they came when the program was compiled. A result has the order of `keys`.
    """

    keys: tuple[Hashable, ...]
    children: tuple[Layout, ...]

    def __post_init__(self) -> None:
        _check_counts("dictionary keys", len(self.keys), len(self.children))


@dataclass(frozen=True, slots=True)
class NamedTuple:
    """An object whose type is exactly the named tuple `type`."""

    type: type[tuple[Any, ...]]
    children: tuple[Layout, ...]


@dataclass(frozen=True, slots=True)
class Dataclass:
    """An object whose type is exactly `type`, read and constructed by the named `fields`.

    The fields are read as attributes and passed to the type by keyword. A field that is not data
    is a `Static` child.
    """

    type: type[Any]
    fields: tuple[str, ...]
    children: tuple[Layout, ...]

    def __post_init__(self) -> None:
        _check_counts(f"fields of {self.type.__name__}", len(self.fields), len(self.children))


Layout = Leaf | NoneNode | Static | Tuple | List | Dict | NamedTuple | Dataclass


def leaf_indices(layout: Layout) -> Iterator[int]:
    """Yield the index of each leaf, in depth-first order."""
    match layout:
        case Leaf(index):
            yield index
        case NoneNode() | Static():
            return
        case _:
            for child in layout.children:
                yield from leaf_indices(child)


def _check_counts(what: str, names: int, children: int) -> None:
    if names != children:
        raise ValueError(f"a layout has {names} {what} but {children} children")
