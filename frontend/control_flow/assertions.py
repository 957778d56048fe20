"""What ``assert`` does about a traced condition.

The values of a call decide, as they do where Python needs a condition; where they are not at hand,
it becomes a check of the program.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from ..errors import FailedAssertionError
from ..tracer import Tracer
from ..tracing import current_trace
from .operators import truth


class Text(NamedTuple):
    """A message that tells traced values.

    Attributes:
        template: a format, as of ``str.format``.
        values: what it tells.
    """

    template: str
    values: tuple[Tracer, ...]


def text(*pieces: str | tuple[Any, str, str]) -> Text:
    """Return an f-string that may tell traced values.

    Args:
        pieces: what it consists of: strings, and values, each with its conversion (``"!r"`` or
            none) and specification.
    """
    template, values = "", []
    for piece in pieces:
        if isinstance(piece, str):
            template += _literally(piece)
            continue
        value, conversion, specification = piece
        field = conversion + (f":{specification}" if specification else "")
        if not isinstance(value, Tracer):
            template += _literally(("{" + field + "}").format(value))
            continue
        # The values come as arrays, whose `repr` is not that of a number.
        shown = field if value.shape else field.removeprefix("!r")
        template += "{" + shown + "}"
        values.append(value)
    return Text(template, tuple(values))


def _literally(piece: str) -> str:
    return piece.replace("{", "{{").replace("}", "}}")


def assert_(test: Tracer, message: Callable[[], Any] | None, source: str) -> None:
    """Require that a traced condition holds.

    Args:
        test: the condition, which a function that is staged without `user_checks` passes by.
        message: gives the message, if there is one.
        source: the condition as the user wrote it.

    Raises:
        AssertionError: if the function is traced for a call whose values do not fulfil it.
        ValueError: if the condition is an array of more than one element, as NumPy does.
    """
    trace = current_trace()
    if trace is not None and "user" not in trace.checks:
        return
    condition = truth(test)
    holds = _decided(condition)
    if holds is None:
        _check(condition, message, source)
    elif not holds:
        raise AssertionError(*[] if message is None else [_evaluated(message())])


def _decided(condition: Tracer) -> bool | None:
    """Return whether a condition holds in the call at hand, if that can be told."""
    from ..guards import Differs, decide

    if condition.trace is not current_trace():
        return None  # what is traced is a branch or a loop, which may not run
    try:
        found = decide(condition, "`assert`")
    except Differs:  # among the lanes of a `vmap`
        return None
    return None if found is None else bool(found)


def _evaluated(found: Any) -> Any:
    """Return what a message is in the call that the function is traced for."""
    if isinstance(found, Text):
        return found.template.format(*map(_evaluated, found.values))
    if not isinstance(found, Tracer):
        return found
    trace = found.trace
    value = trace.example.first(trace, found.value) if trace.example is not None else None
    return str(found) if value is None else value[()]


def _check(condition: Tracer, message: Callable[[], Any] | None, source: str) -> None:
    from ..checks.requiring import append_check
    from ..regions import lift_leaf

    trace = current_trace()
    assert trace is not None
    told = Text(_literally(source), ())
    if message is not None:
        # Python asks for the message only where the condition does not hold.
        with suppress(Exception):
            told = _told(message())
    lifted = lift_leaf(trace, condition)
    names = [""] * len(told.values)
    append_check(trace, lifted, told.template, names, told.values, FailedAssertionError)


def _told(found: Any) -> Text:
    if isinstance(found, Text):
        return found
    return Text("{}", (found,)) if isinstance(found, Tracer) else Text(_literally(str(found)), ())
