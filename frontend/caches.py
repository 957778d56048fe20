"""The staged forms of functions, kept with the functions, so that both die together."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from .errors import ArgumentError

if TYPE_CHECKING:
    from .stage import Staged

_ATTRIBUTE: Final = "__gradatim__"
_CACHED_CALLABLES: Final = 128


class _Cache(dict[Any, "Staged"]):
    """The staged forms of one function, kept on the function itself.

    ``functools.wraps`` copies a function's attributes; ``function`` tells the original.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def __reduce__(self) -> Any:  # what is compiled is not pickled with the function
        return dict, ()


def cache_of(function: Callable[..., Any]) -> dict[Any, Staged]:
    """Return the staged forms of a function, by what is asked of them.

    Raises:
        ArgumentError: (a TypeError) if it cannot be called.
    """
    if type(function) is not FunctionType and not _is_its_own_key(function):
        return _cache_of_equal(function)
    found = function.__dict__.get(_ATTRIBUTE)
    if type(found) is not _Cache or found.function is not function:
        found = function.__dict__[_ATTRIBUTE] = _Cache(function)
    return found


def _is_its_own_key(function: Any) -> bool:
    """Tell whether a callable is equal to itself only, and can keep its cache."""
    return (
        callable(function)
        and getattr(type(function), "__hash__", None) is object.__hash__
        and type(getattr(function, "__dict__", None)) is dict
    )


def _cache_of_equal(function: Callable[..., Any]) -> dict[Any, Staged]:
    """Return the cache of a bound method or another callable, kept for those used last."""
    if not callable(function):
        raise ArgumentError(f"expected a function, found {function!r}")
    try:
        return _recent(function)
    except TypeError:  # not hashable
        return {}


@functools.lru_cache(maxsize=_CACHED_CALLABLES)
def _recent(function: Callable[..., Any]) -> dict[Any, Staged]:
    return {}


def forget(function: Callable[..., Any]) -> None:
    """Forget the staged forms of a callable that has become another function."""
    cache_of(function).clear()
