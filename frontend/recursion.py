"""Functions that call themselves while they are traced.

Traced values cannot end a recursion: at the next call they look the same. What can are static
arguments and shapes, which make another signature.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable
from types import TracebackType
from typing import Final

from xdsl.dialects.builtin import LocationAttr

from ..ir.locations import spell_location
from .errors import TracingRecursionError
from .source import innermost_user_location, user_location

_LIMIT: Final = 32
"""How often a function may be traced for one signature inside itself.

More than once makes sense where variables of Python's end the recursion.
"""


class _Tracing(threading.local):
    """What is being traced in a thread: how often for each function and signature."""

    def __init__(self) -> None:
        self.depth: Counter[Hashable] = Counter()


_tracing = _Tracing()


class entered:
    """A ``with`` block in which a function is traced; gives how often it is being traced already.

    Args:
        name: of the function.
        key: stands for the function and the signature that it is traced for.

    Raises:
        TracingRecursionError: if it calls itself, or others call it, without end.
    """

    def __init__(self, name: str, key: Hashable) -> None:
        self._name = name
        self._key = key

    def __enter__(self) -> int:
        before = _tracing.depth[self._key]
        if before >= _LIMIT:
            raise endless(self._name)
        _tracing.depth[self._key] = before + 1
        return before

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _tracing.depth[self._key] -= 1
        if not _tracing.depth[self._key]:
            del _tracing.depth[self._key]
        if isinstance(error, RecursionError) and not isinstance(error, TracingRecursionError):
            raise endless(self._name, innermost_user_location(trace)) from None


def endless(name: str, location: LocationAttr | None = None) -> TracingRecursionError:
    """Return the error about a recursion, at a place, or else the user's current one."""
    return TracingRecursionError(
        f"the recursion in `{name}` does not end while it is traced, or is too deep; traced values "
        "look the same in each call, so let a static argument (`static_argnums`) or a shape end "
        "it, or write a loop (`gradatim.lax.while_loop`)",
        spell_location(location or user_location()),
    )
