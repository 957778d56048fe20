"""Pieces of memory that change places after each step of a loop, so that nothing is copied.

The next value of a carry is often computed where another value is, since the old one is read until
the end: in memory of its own, or in another carry's. Then the loop passes on where each carry is:
two pieces of memory take turns, or several go round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from .arena import Storage

Rotation: TypeAlias = dict[Storage, Storage]
"""Which piece of memory takes the role of each one in the next step."""


def rotate(
    homes: Mapping[int, Storage],
    sources: Mapping[int, Storage | None],
    is_movable: Callable[[Storage], bool],
    new: Callable[[int], Storage],
) -> tuple[Rotation, dict[int, Storage]]:
    """Return what changes places after a step, and which carries' next values are copied where.

    Args:
        homes: where each carry is at the start of a step.
        sources: where its next value is at the end; None: not in memory of the loop's.
        is_movable: whether a piece of memory may become a carry's.
        new: makes memory for a carry.
    """
    ends = dict(sources)
    staying = {home for k, home in homes.items() if ends[k] is home}
    taken: set[Storage] = set()
    copied = []
    for k, home in homes.items():
        end = ends[k]
        if end is home:
            continue
        if end is None or end in staying or end in taken or not is_movable(end):
            copied.append(k)
        else:
            taken.add(end)
    targets: dict[int, Storage] = {}
    for k in copied:
        read_by_others = any(source is homes[k] for j, source in sources.items() if j != k)
        target = targets[k] = new(k) if read_by_others else homes[k]
        ends[k] = target
        if target is not homes[k]:
            taken.add(target)
    rotation = {home: ends[k] for k, home in homes.items() if ends[k] is not home}
    return _closed(rotation), targets  # type: ignore[arg-type]


def _closed(rotation: Rotation) -> Rotation:
    """Let memory that becomes a carry's be replaced by what no carry needs any more."""
    user = {source: home for home, source in rotation.items()}
    closed = dict(rotation)
    for source in rotation.values():
        if source not in rotation:
            free = source
            while free in user:
                free = user[free]
            closed[source] = free
    return closed


def after(rotation: Mapping[Storage, Storage], storage: Storage, steps: int) -> Storage:
    """Return which piece of memory has a role after some steps."""
    cycle = [storage]
    while (following := rotation.get(cycle[-1], storage)) is not storage:
        cycle.append(following)
    return cycle[steps % len(cycle)]
