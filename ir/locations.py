"""Source locations: where in the user's program an op comes from.

The tracer gives each op the file, line, column and function of the user's code; passes hand it on,
and name themselves where a rule made a new op: ``loc("vjp"("f"("model.py":12:8)))``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from xdsl.dialects.builtin import (
    ArrayAttr,
    CallSiteLoc,
    FileLineColLoc,
    FusedLoc,
    IntAttr,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute

UNKNOWN = UnknownLoc()

CHECKED: Final = "insert-checks"
"""The mark of ops that have their automatic checks, or are to have none."""


@lru_cache(maxsize=65536)
def source_location(file: str, line: int, column: int, function: str) -> LocationAttr:
    """Return the location of an expression in the user's source."""
    place = FileLineColLoc(StringAttr(file), IntAttr(line), IntAttr(column))
    return NameLoc(StringAttr(function), place)


_derived: dict[tuple[int, str], tuple[LocationAttr, LocationAttr]] = {}


def derived(location: LocationAttr, rule: str) -> LocationAttr:
    """Return ``location`` marked as the work of a rule such as ``vjp``; marking twice is once."""
    if location is UNKNOWN or (isinstance(location, NameLoc) and location.desc.data == rule):
        return location
    key = (id(location), rule)
    found = _derived.get(key)
    if found is None or found[0] is not location:
        if len(_derived) > 65536:
            _derived.clear()
        found = (location, NameLoc(StringAttr(rule), location))
        _derived[key] = found
    return found[1]


FUSED_LIMIT = 8
"""An op that stands for many remembers the places of the first ones only."""


def fused(locations: Iterable[LocationAttr]) -> LocationAttr:
    """Return the location of an op that stands for several; what merged before is not nested."""
    by_identity = {id(part): part for location in locations for part in _unfused(location)}
    if len(by_identity) == 1:
        return next(iter(by_identity.values()))
    distinct = [loc for loc in dict.fromkeys(by_identity.values()) if loc != UNKNOWN][:FUSED_LIMIT]
    if not distinct:
        return UNKNOWN
    return distinct[0] if len(distinct) == 1 else FusedLoc(ArrayAttr(distinct), NoneAttr())


def _unfused(location: LocationAttr) -> Iterable[LocationAttr]:
    if not isinstance(location, FusedLoc):
        return (location,)
    assert isinstance(location.locations, ArrayAttr)
    return location.locations


def file_and_line(location: Attribute) -> tuple[str, int] | None:
    """Return the user's file and line of a location.

    Of several that merged it is the first that is known, and of a call the place in the callee.
    """
    if isinstance(location, FileLineColLoc):
        return location.filename.data, location.line.data
    return next(filter(None, map(file_and_line, _parts_of(location))), None)


def _parts_of(location: Attribute) -> Iterable[Attribute]:
    if isinstance(location, NameLoc):
        return (location.location,)
    if isinstance(location, CallSiteLoc):
        return (location.callee, location.caller)
    if isinstance(location, FusedLoc):
        assert isinstance(location.locations, ArrayAttr)
        return tuple(location.locations)
    return ()


def marks_of(location: Attribute) -> Iterator[str]:
    """Yield the rules that a location is marked by, the last one first, and then the function.

    Of places that merged, those of the first one.
    """
    while not isinstance(location, FileLineColLoc | UnknownLoc):
        if isinstance(location, NameLoc):
            yield location.desc.data
        location = next(iter(_parts_of(location)), UNKNOWN)


def spell_location(location: LocationAttr) -> str | None:
    """Spell the user's place as ``file:line``, or None where it is not known."""
    place = file_and_line(location)
    return f"{place[0]}:{place[1]}" if place else None
