"""Checks of programs: the conditions of the user's, and those that operations bring along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from xdsl.dialects.builtin import LocationAttr, ModuleOp

from ...ir.array.effect import format_message
from ...ir.functions import find_function
from ...ir.locations import spell_location
from ...passes.checks.insertion import insert_checks
from ...passes.checks.sites import KINDS, Site
from ..arguments import ShapeDtypeStruct
from ..boundary import public
from ..callbacks import FUNCTIONS, require_format
from ..errors import ArgumentError, CheckError
from ..regions import lift_leaf, values_of
from ..source import user_location
from ..tracer import Tracer
from ..tracing import Trace, current_trace
from .kinds import ERRORS, Checks


@public
def check(pred: Any, msg: str, *fmt_args: Any, **fmt_kwargs: Any) -> None:
    """Require that ``pred`` is True.

    Where it is not, a call of the program raises; in a function that `checkify` treats, the error
    becomes a result. Under `vmap` it must hold for all examples. Derivatives pass by it. A function
    that is staged for ``checks`` without `user_checks` does not look at it.

    Args:
        pred: a bool, or a 0-d array of one.
        msg: a format, as of ``str.format``.
        fmt_args: arrays and numbers for the message.
        fmt_kwargs: such by keyword.

    Raises:
        ArgumentError: (a TypeError) if ``pred`` is no bool, what the message shall tell no array,
            or ``msg`` names what is not given.
        CheckError: (a ValueError) when the program runs, or at once outside of a trace, if it does
            not hold.
    """
    require_format(msg, fmt_args, fmt_kwargs)
    names = (*[""] * len(fmt_args), *fmt_kwargs)
    given = (*fmt_args, *fmt_kwargs.values())
    outer = current_trace()
    if outer is None:
        if not _as_condition(np.asarray(pred)):
            raise CheckError(format_message(msg, names, given))
        return
    append_check(outer, lift_leaf(outer, pred), msg, names, given)


def _as_condition(pred: Any) -> Any:
    """Return a condition.

    Raises:
        ArgumentError: if it is not one bool.
    """
    if pred.dtype != np.bool_ or pred.shape != ():
        found = ShapeDtypeStruct(pred.shape, pred.dtype)
        raise ArgumentError(f"a check needs one bool, not {found}; see `np.all`")
    return pred


def append_check(
    outer: Trace,
    pred: Tracer,
    msg: str,
    names: Sequence[str],
    given: Sequence[Any],
    error: type[CheckError] = CheckError,
) -> None:
    """Append a check to what is traced.

    Args:
        outer: the trace.
        pred: the condition.
        msg: a format.
        names: for each value that it tells the keyword, or an empty string.
        given: these values.
        error: what a call raises if the condition does not hold.

    Raises:
        ArgumentError: (a TypeError) if ``pred`` is not one bool.
    """
    if "user" not in outer.checks:
        return
    where = spell_location(user_location())
    location = outer.locate()
    payload = values_of([lift_leaf(outer, value) for value in given])
    condition = _as_condition(pred).value
    number = _number_of(_Raise(error, msg, tuple(names), where))
    with outer.builder.at(location):
        outer.builder.check(condition, msg, payload, names, number=number)


def add_checks(module: ModuleOp, name: str, checks: Checks) -> None:
    """Add automatic checks to a function, behind the ops that have none yet.

    Args:
        module: holds the function.
        name: of the function; its calls are inlined.
        checks: what is to be checked.
    """

    def number(kind: str, site: Site, location: LocationAttr) -> int:
        return _number_of(_Raise(ERRORS[kind], site.message, None, spell_location(location)))

    kinds = [kind for kind in KINDS if kind in checks]
    if kinds:
        insert_checks(module, find_function(module, name), kinds, number)


def _number_of(function: _Raise) -> int:
    FUNCTIONS.append(function)
    return len(FUNCTIONS) - 1


def raiser(number: int) -> _Raise:
    """Return what raises the errors of a check, by its number."""
    found = FUNCTIONS[number]
    assert isinstance(found, _Raise)
    return found


@dataclass(frozen=True)
class _Raise:
    """Raises the error of a check, called by a program.

    Attributes:
        error: its class.
        message: a format of the payload.
        names: for each value of the payload its keyword, or an empty string; None if there are no
            keywords.
        where: the user's file and line.
    """

    error: type[CheckError]
    message: str
    names: tuple[str, ...] | None
    where: str | None

    def __call__(self, *payload: Any) -> Sequence[Any]:
        raise self.error_of(payload)

    def error_of(self, payload: Sequence[Any]) -> CheckError:
        """Return the error about values of the payload."""
        names = [""] * len(payload) if self.names is None else self.names
        return self.error(format_message(self.message, names, payload), self.where)
