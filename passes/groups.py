"""Lists that go in groups, or by flags: operands, arguments and results of ops with regions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from xdsl.ir import Attribute, SSAValue

T = TypeVar("T")


def parts_of(values: Sequence[T], sizes: Iterable[int]) -> list[Sequence[T]]:
    """Cut a list into parts of the given sizes."""
    parts, start = [], 0
    for size in sizes:
        parts.append(values[start : start + size])
        start += size
    return parts


def joined(groups: Iterable[Iterable[T]]) -> list[T]:
    """Return the members of all groups."""
    return [value for group in groups for value in group]


def chosen(values: Iterable[T], flags: Iterable[bool]) -> list[T]:
    """Return the values whose flag is set."""
    return [value for value, flag in zip(values, flags) if flag]


def spread(values: Iterable[T], flags: Iterable[bool]) -> list[T | None]:
    """Return the values at the places whose flag is set, None at the others."""
    rest = iter(values)
    return [next(rest) if flag else None for flag in flags]


def types_of(values: Iterable[SSAValue]) -> list[Attribute]:
    """Return the types of values."""
    return [value.type for value in values]
