"""The kinds of checks, and what their failures raise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..errors import ArgumentError, CheckError, DivisionCheckError, IndexCheckError, NanCheckError

Checks = frozenset[str]
"""A set of kinds of checks; ``|`` joins two."""

user_checks: Final[Checks] = frozenset({"user"})
"""The conditions of `check`."""

index_checks: Final[Checks] = frozenset({"index"})
"""Computed positions are in range."""

div_checks: Final[Checks] = frozenset({"div"})
"""Nothing is divided by zero."""

nan_checks: Final[Checks] = frozenset({"nan"})
"""No operation makes NaN of numbers."""

float_checks: Final[Checks] = nan_checks | div_checks
"""`nan_checks` and `div_checks`."""

automatic_checks: Final[Checks] = float_checks | index_checks
"""All but the user's."""

all_checks: Final[Checks] = automatic_checks | user_checks
"""All checks."""

ERRORS: Final[dict[str, type[CheckError]]] = {
    "index": IndexCheckError,
    "div": DivisionCheckError,
    "nan": NanCheckError,
}
"""What automatic checks raise, by kind."""


def as_checks(given: Iterable[str]) -> Checks:
    """Return a set of kinds.

    Raises:
        ArgumentError: (a TypeError) if it has something else.
    """
    found: Any = given
    if isinstance(given, Iterable) and not isinstance(given, str):
        kinds = frozenset(given)
        if kinds <= all_checks:
            return kinds
        found = ", ".join(sorted(map(repr, kinds - all_checks)))
    known = ", ".join(sorted(map(repr, all_checks)))
    raise ArgumentError(f"checks must be a set of kinds, some of {known}, found {found}")
