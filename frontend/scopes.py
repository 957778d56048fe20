"""Names that the user gives to parts of a program; they appear in the locations of its ops."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from xdsl.dialects.builtin import LocationAttr

from ..ir.locations import derived
from .errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")


class _Scopes(threading.local):
    """The names of the scopes that are open in a thread, joined by slashes."""

    def __init__(self) -> None:
        self.path = ""


_scopes = _Scopes()


def scoped(location: LocationAttr) -> LocationAttr:
    """Return a location marked by the names of the open scopes."""
    path = _scopes.path
    return derived(location, path) if path else location


@contextmanager
def named_scope(name: str) -> Iterator[None]:
    """Give a name to what is traced in a ``with`` block, or by the function that it decorates.

    The names of nested scopes are joined by slashes. They appear in the locations of the IR's ops
    (``lower(...).as_text(debug_info=True)``) and change nothing else.

    Raises:
        ArgumentError: (a TypeError) if the name is no text.

    Example:
        >>> def f(x):
        ...     with named_scope("attention"):
        ...         return np.exp(x)
    """
    if not isinstance(name, str):
        raise ArgumentError(f"the name of a scope must be a str, not {name!r}")
    before = _scopes.path
    _scopes.path = f"{before}/{name}" if before else name
    try:
        yield
    finally:
        _scopes.path = before


def named_call(fun: Callable[P, R], *, name: str | None = None) -> Callable[P, R]:
    """Return ``fun``, each call of which is a scope; see `named_scope`.

    Args:
        fun: the function.
        name: the scope's name, that of the function by default.
    """
    label: Any = name if name is not None else getattr(fun, "__name__", type(fun).__name__)

    @functools.wraps(fun)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with named_scope(label):
            return fun(*args, **kwargs)

    return call
