"""Finding traced values that outlive the function they were made in."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import CellType, FrameType, GeneratorType, ModuleType
from typing import TYPE_CHECKING, Any

from .errors import LeakedTracerError

if TYPE_CHECKING:
    from .tracer import Tracer


class _Watching(threading.local):
    """What is watched in a thread."""

    def __init__(self) -> None:
        self.enabled = False
        self.made: list[weakref.ref[Tracer]] | None = None


_watching = _Watching()


@contextmanager
def checking_leaks() -> Iterator[None]:
    """Check, in a ``with`` block, that no traced value outlives the function it was made in.

    A value that a traced function stores in a list, an attribute or a global variable is an error
    when it is used later. Here it is one as soon as the function has been traced, with the place
    where the value was made and what holds it. This takes time for each function that is traced.

    Raises, in the block:
        LeakedTracerError: (a TypeError) if a traced value is still referred to.

    Example:
        >>> kept = []
        >>> with checking_leaks():
        ...     jit(lambda x: kept.append(x))(1.0)
        Traceback (most recent call last):
        LeakedTracerError: traced f64[], made at ...
    """
    before = _watching.enabled
    _watching.enabled = True
    try:
        yield
    finally:
        _watching.enabled = before


@contextmanager
def watched(name: str) -> Iterator[None]:
    """Trace a function in a ``with`` block; if leaks are checked, its values must be gone then.

    Args:
        name: of the function.

    Raises:
        LeakedTracerError: if one is still referred to.
    """
    if not _watching.enabled:
        yield
        return
    outer = _watching.made
    made = _watching.made = []
    try:
        yield
    finally:
        _watching.made = outer
    gc.collect()
    for reference in made:
        tracer = reference()
        if tracer is not None:
            raise _leak(tracer, name)


def note(tracer: Tracer) -> None:
    """Note that a traced value was made."""
    if _watching.made is not None:
        _watching.made.append(weakref.ref(tracer))


def _leak(tracer: Tracer, name: str) -> LeakedTracerError:
    holders = [text for holder in gc.get_referrers(tracer) if (text := _describe(holder))]
    held = f" and held by {holders[0]}" if holders else ""
    return LeakedTracerError(
        f"{tracer.described()} outlives the tracing of `{name}`{held}; return the value from the "
        "function instead of storing it elsewhere"
    )


def _describe(holder: Any) -> str | None:
    """Return what an object that refers to a traced value is, None if it is none of the user's."""
    if isinstance(holder, CellType):
        return "a variable of an enclosing function"
    if isinstance(holder, dict):
        owners = gc.get_referrers(holder)
        modules = [owner for owner in owners if isinstance(owner, ModuleType)]
        return f"a global variable of {modules[0].__name__}" if modules else "a dictionary"
    kind = type(holder)
    if kind in (FrameType, GeneratorType) or kind.__module__.startswith("gradatim."):
        return None
    return f"an object of type {kind.__qualname__}"
