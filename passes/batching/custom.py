"""Batching by rules of the user's.

A function with such a rule is a remat that keeps everything, marked by the number of its rule. What
differentiates it drops the mark, and with it the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from .batched import Flags

BATCHING: Final = "batching"
"""The attribute of a remat that has the number of its rule."""

Rule = Callable[[int, Flags], tuple[FuncOp, Flags]]
"""Gives for a size, and for each operand whether it carries the batch, the function of the operands
with the batch in front, without calls, and for each result whether it carries the batch."""

RULES_OF_USERS: Final[list[Rule]] = []
"""The rules, by number."""


def user_rule_of(op: Operation) -> Rule | None:
    """Return the rule that an op is marked by, if it is."""
    number = op.attributes.get(BATCHING)
    return RULES_OF_USERS[number.value.data] if isinstance(number, IntegerAttr) else None
