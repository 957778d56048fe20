"""Functions that change arrays of their caller: ``stage(f, inout=0)``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import tree
from .boundary import public
from .errors import ArgumentError
from .local import LocalArray
from .traced import run
from .tracer import Tracer
from .tracing import current_trace

if TYPE_CHECKING:
    from .lowered import Lowered
    from .stage import Staged
    from .traced import Traced


class InOut:
    """A staged function whose in-out arguments hold after a call what the function left in them.

    Compiled code changes arrays in place, if it can read them as they are (contiguous, aligned, of
    native byte order); others are copied there and back. In a traced function, and where Python
    takes decisions by values of the arguments, it returns new arrays, which are stored afterwards.

    It cannot be transformed: derivatives and batches are of functions that return what they
    compute.

    Attributes:
        function: the user's function.
        positions: of the in-out arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        positions: tuple[int, ...],
        stage: Callable[[Callable[..., Any], tuple[int, ...]], Staged],
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self.function = function
        self.positions = positions
        returning = _WithChanges(function, positions)
        self._staged = stage(returning, ())
        self._in_place = stage(returning, positions)

    def __repr__(self) -> str:
        name = getattr(self.function, "__qualname__", self.function)
        return f"<staged {name} with in-out arguments {self.positions}>"

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call, and store in the arrays of the in-out arguments.

        If the call raises in the midst of it, because a check fails, a Python function that it
        calls raises, or memory is not enough, the arrays may be half changed, as with NumPy.

        Raises:
            ArgumentError: if an in-out argument is missing, or holds anything but arrays.
            ValueError: if such an array cannot be written to, as NumPy does.
        """
        targets = [_targets(args, position) for position in self.positions]
        _require_apart(args, kwargs, self.positions)
        staged = self._in_place if current_trace() is None else self._staged
        result, changes = staged(*args, **kwargs)
        for leaves, values in zip(targets, changes):
            for leaf, value in zip(leaves, values):
                if value is not None:
                    leaf[...] = value
        return result

    @public
    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """Return the function in the IR; its last results are what in-out arguments hold then."""
        return self._in_place.trace(*args, **kwargs)

    @public
    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Return the function at every level of the IR; see `trace`."""
        return self._in_place.lower(*args, **kwargs)

    @public
    def compile(self, *args: Any, **kwargs: Any) -> InOut:
        """Compile for such arguments, and return the function itself."""
        self._in_place.trace(*args, **kwargs)
        self._in_place.compile(*args, **kwargs)
        return self

    def __getattr__(self, name: str) -> NoReturn:
        if name in ("grad", "value_and_grad", "jvp", "vjp", "vmap"):
            raise ArgumentError(
                f"a function with in-out arguments cannot be transformed by `{name}`; stage one "
                "that returns the new arrays"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class _WithChanges:
    """Returns what a function returns, and the new contents of the arrays that it changes."""

    def __init__(self, function: Callable[..., Any], positions: tuple[int, ...]) -> None:
        functools.update_wrapper(self, function, updated=())
        self.__code__ = getattr(function, "__code__", None)  # where errors say that it is defined
        self._function = function
        self._positions = positions

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the result, and for each leaf of an in-out argument its contents, if new."""
        cells = [_cells(args[position]) for position in self._positions]
        before = [[cell.value for cell in leaves] for leaves in cells]
        result = run(self._function, args, kwargs)
        changes = [
            [cell if cell.value is not value else None for cell, value in zip(leaves, values)]
            for leaves, values in zip(cells, before)
        ]
        return result, changes


def _cells(argument: Any) -> list[Tracer]:
    leaves: list[Tracer] = tree.leaves(argument)
    for leaf in leaves:
        leaf.zero_dim = True
    return leaves


def _require_apart(args: Sequence[Any], kwargs: Any, positions: Sequence[int]) -> None:
    """Raise if an array that is to be changed shares memory with another argument's."""
    arrays = [(i, x) for i, value in enumerate((*args, *kwargs.values())) for x in _arrays(value)]
    for number, (i, first) in enumerate(arrays):
        for j, second in arrays[number + 1 :]:
            if (i in positions or j in positions) and _share(first, second):
                raise ArgumentError(
                    "the array of an in-out argument shares memory with another argument's, which "
                    "the function would not see; pass a copy"
                )


def _arrays(argument: Any) -> list[np.ndarray]:
    if type(argument) is np.ndarray:
        return [argument]
    return [leaf for leaf in tree.leaves(argument) if type(leaf) is np.ndarray]


_WORK: Any = 1000
"""How long to look for a common element of two strided arrays before one is assumed."""


def _share(first: np.ndarray, second: np.ndarray) -> bool:
    try:
        return np.may_share_memory(first, second) and np.shares_memory(first, second, _WORK)
    except np.exceptions.TooHardError:
        return True


def _targets(args: Sequence[Any], position: int) -> list[Any]:
    """Return the arrays of an in-out argument."""
    if position >= len(args):
        raise ArgumentError(f"in-out argument {position} has to be given by position")
    leaves = tree.leaves(args[position])
    for leaf in leaves:
        if type(leaf) not in (np.ndarray, Tracer, LocalArray):
            raise ArgumentError(
                f"in-out argument {position} must hold arrays, found a {type(leaf).__name__}"
            )
        if type(leaf) is np.ndarray and not leaf.flags.writeable:
            raise ValueError(f"in-out argument {position} is read-only")
    return leaves
