"""The border between gradatim and the user's code: errors leave without frames of ours."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

import xdsl

from ..backend.call import CompiledCallable
from ..ir.errors import GradatimError
from ..ir.locations import spell_location
from .source import user_location

P = ParamSpec("P")
R = TypeVar("R")

_HIDDEN_FOLDERS: Final = (
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
    os.path.dirname(os.path.abspath(xdsl.__file__)) + os.sep,
)


def without_our_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of gradatim and xDSL.

    The frames are all kept if the environment variable ``GRADATIM_TRACEBACK`` is ``full``.
    """
    if os.environ.get("GRADATIM_TRACEBACK") == "full":
        return trace
    kept: list[TracebackType] = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_HIDDEN_FOLDERS):
            kept.append(trace)
        trace = trace.tb_next
    rebuilt: TracebackType | None = None
    for entry in reversed(kept):
        rebuilt = TracebackType(rebuilt, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return rebuilt


def _prepare(error: Exception) -> None:
    """Make an error fit to be seen: with the user's place, without our frames."""
    if isinstance(error, GradatimError) and error.where is None:
        error.where = spell_location(user_location())
    error.__traceback__ = without_our_frames(error.__traceback__)


def public(function: Callable[P, R]) -> Callable[P, R]:
    """Let errors leave a function of the public API without our frames."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _prepare(error)
            raise  # without arguments, so that Python adds no frame again

    return wrapper


class PublicCallable(CompiledCallable):
    """A compiled callable whose errors leave without our frames."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call; where the call is compiled, only before the first program exists."""
        try:
            return super().__call__(*args, **kwargs)
        except Exception as error:
            _prepare(error)
            raise
