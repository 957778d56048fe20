"""The paths of decisions that a function has been compiled for.

A function in which Python decides by values is traced for the values of a call, and compiled code
checks that another call decides alike. If it does not, the next path is tried; if none fits, the
function is traced again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

from .compiled import Compiled
from .errors import PathsWarning
from .execution import GuardFailed, Interpreted
from .traced import Traced

MAXIMUM_PATHS: Final = 16
"""For more paths of decisions, the one compiled longest ago is dropped."""

Decisions = tuple[tuple[str, bytes], ...]


class Paths:
    """The code for arguments of one structure and types, by what was decided.

    Args:
        name: of the function.
        add: lets compiled calls try a path's program first.
        tried: tells whether they have tried a path's program already.
    """

    def __init__(
        self, name: str, add: Callable[[Compiled], None], tried: Callable[[Compiled], bool]
    ) -> None:
        self._name = name
        self._add = add
        self._tried = tried
        self._known: dict[Decisions, Compiled] = {}

    def follow(self, leaves: Sequence[Any]) -> Any:
        """Return the result for the leaves of arguments.

        Raises:
            GuardFailed: if no path fits.
        """
        for compiled in reversed(self._known.values()):
            if self._tried(compiled):
                continue
            try:
                result = compiled.run(leaves)
            except GuardFailed:
                continue
            self._add(compiled)
            return result
        raise GuardFailed

    def take(self, traced: Traced, compile_: Callable[[], Compiled], leaves: Sequence[Any]) -> Any:
        """Return the result for the arguments that a path was traced for.

        Args:
            traced: the path.
            compile_: compiles it.
            leaves: of the arguments.
        """
        decisions = tuple([(guard.where, guard.expected.tobytes()) for guard in traced.guards])
        compiled = self._known.get(decisions)
        if compiled is None:
            self._make_room(traced)
            compiled = self._known[decisions] = compile_()
            self._add(compiled)
        try:
            return compiled.run(leaves)
        except GuardFailed:
            # Compiled code rounds otherwise than what the decision was taken by.
            found = Interpreted(traced.without_guards()).run(leaves)
            return traced.out_tree.unflatten(found)

    def _make_room(self, traced: Traced) -> None:
        if len(self._known) < MAXIMUM_PATHS:
            return
        del self._known[next(iter(self._known))]
        guard = traced.guards[-1]
        file, _, line = guard.where.rpartition(":")
        warnings.warn_explicit(
            f"`{self._name}` is compiled again for each of many values: {guard.what} asks for a "
            "number that depends on the arguments. Write it so that the number stays an array, or "
            "make the argument static (`static_argnums`)",
            PathsWarning,
            file,
            int(line or 0),
        )
