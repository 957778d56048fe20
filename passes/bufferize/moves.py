"""The order of copies that read what others write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from xdsl.ir import SSAValue

from .arena import Place, Storage


class Move(NamedTuple):
    """A value that is to be brought to a piece of memory.

    Attributes:
        value: what is brought.
        source: where it is; None: in memory that no move writes to, or in registers.
        target: where it is brought.
    """

    value: SSAValue
    source: Storage | None
    target: Storage

    def may_read(self, storage: Storage) -> bool:
        """Tell whether it reads a piece of memory, as far as that is known."""
        source = self.source
        return source is storage or (source is not None and source.place is Place.EITHER)


def in_order(moves: Iterable[Move], new: Callable[[SSAValue], Storage]) -> Iterator[Move]:
    """Yield moves that are to be done at once, such that none reads what was written before.

    Where they go round in a circle, a value is put aside first.

    Args:
        moves: what is to be done; the targets are different pieces of memory.
        new: makes memory to put a value aside.
    """
    pending = list(moves)

    def is_waited_for(move: Move) -> bool:
        return any(other.may_read(move.target) for other in pending if other is not move)

    while pending:
        place = next((i for i, move in enumerate(pending) if not is_waited_for(move)), None)
        if place is not None:
            yield pending.pop(place)
            continue
        targets = [move.target for move in pending]
        place = next(i for i, move in enumerate(pending) if any(map(move.may_read, targets)))
        aside = pending[place]._replace(target=new(pending[place].value))
        yield aside
        pending[place] = pending[place]._replace(source=aside.target)
