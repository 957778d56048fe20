"""How a function is staged, besides what is done to it."""

from __future__ import annotations

from typing import Final, NamedTuple

from .checks.kinds import Checks
from .static import StaticArguments


class StageOptions(NamedTuple):
    """How a function is traced and compiled.

    Attributes:
        static: the arguments that are compiled in.
        check: what is checked when it compiles, ``"each-pass"`` or None.
        convert: whether Python's control flow on traced values is rewritten.
        checks: what is checked when it runs; None for the user's conditions or, inside of another
            function, for what that checks.
        inout: positions of the in-out arguments, if the function returns their new contents behind
            its result, as `inout.InOut` has it, and the program is to store them there.
    """

    static: StaticArguments = StaticArguments()
    check: str | None = None
    convert: bool = True
    checks: Checks | None = None
    inout: tuple[int, ...] = ()


DEFAULTS: Final = StageOptions()
"""The options of a function about which nothing is said."""
