"""Keys: how a child is reached from its container, spelled as in source code."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class SequenceKey:
    """The place in a tuple or list."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


@dataclass(frozen=True)
class DictKey:
    """The key in a dictionary."""

    key: Hashable

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclass(frozen=True)
class GetAttrKey:
    """The name of a field."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True)
class FlattenedIndexKey:
    """The number of a child in a container whose type says no more about it."""

    key: int

    def __str__(self) -> str:
        return f"[<flat index {self.key!r}>]"


KeyPath: TypeAlias = tuple[Any, ...]
"""How a leaf is reached from the root: a key for each container in between."""


def keystr(keys: Iterable[Any], *, simple: bool = False, separator: str = "") -> str:
    """Spell a path.

    Args:
        keys: what leads from the root to a leaf.
        simple: without brackets, dots and quotes.
        separator: what to put between the keys.

    Example:
        >>> path = (DictKey("layers"), SequenceKey(0), GetAttrKey("bias"))
        >>> keystr(path)
        "['layers'][0].bias"
        >>> keystr(path, simple=True, separator="/")
        'layers/0/bias'
    """
    return separator.join(_simple(key) if simple else str(key) for key in keys)


def _simple(key: Any) -> str:
    if isinstance(key, SequenceKey):
        return str(key.idx)
    if isinstance(key, (DictKey, FlattenedIndexKey)):
        return str(key.key)
    return key.name if isinstance(key, GetAttrKey) else str(key)
