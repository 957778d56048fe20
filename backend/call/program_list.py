"""What compiled callables have in common, whichever way they run their programs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

from .program import Program

# As many of the programs used last are tried before a call goes the slow way.
MAXIMUM_PROGRAMS = 8


class ProgramList:
    """A function with a bounded list of programs that it tries in turn.

    It binds as a method, takes attributes and weak references, and is its own copy, as a Python
    function is.
    """

    __slots__ = ()

    _on_error: Callable[..., Any]
    _programs: tuple[Program, ...]
    _slow: Callable[..., Any]

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs that are tried, in this order."""
        return self._programs

    def add(self, program: Program) -> None:
        """Try `program` first from now on; the one added longest ago may be dropped."""
        others = tuple(other for other in self._programs if other is not program)
        self._replace((program, *others)[:MAXIMUM_PROGRAMS])

    def clear(self) -> None:
        """Drop all programs."""
        self._replace(())

    @abstractmethod
    def _replace(self, programs: tuple[Program, ...]) -> None:
        """Make `programs` the list."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self
