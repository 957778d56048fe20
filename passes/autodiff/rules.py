"""The derivative rules of all ops, by the ops' classes."""

from __future__ import annotations

from typing import Final

from xdsl.ir import Operation

from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from . import (
    collective,
    contraction,
    control,
    effect,
    elementwise,
    indexing,
    ordering,
    random,
    reduction,
    shape,
)
from .kinds import ByKind, Composed, OpRule, RegionRule, Rule

FAMILIES: Final = {
    "elementwise": elementwise,
    "shape": shape,
    "indexing": indexing,
    "reduction": reduction,
    "contraction": contraction,
    "ordering": ordering,
    "random": random,
    "effect": effect,
    "collective": collective,
    "control": control,
}
"""The modules that hold the rules, by family of ops."""

RULES: Final[dict[type[Operation], OpRule]] = {
    op: rule for family in FAMILIES.values() for op, rule in family.RULES.items()
}

NON_DIFFERENTIABLE: Final[dict[type[Operation], str]] = {
    op: why for family in FAMILIES.values() for op, why in family.NON_DIFFERENTIABLE.items()
}
"""Ops through which no derivative flows, and why."""


def rule_of(op: Operation) -> Rule | Composed:
    """Return the rule by which an op is differentiated.

    Raises:
        GradatimError: if it has none.
    """
    rule = RULES.get(type(op))
    if isinstance(rule, ByKind):
        rule = rule.rules.get(op.properties["kind"].data)  # type: ignore[attr-defined]
    if rule is None or isinstance(rule, RegionRule):
        raise GradatimError(f"{op.name} has no derivative rule", spell_location(op.location))
    return rule


def region_rule_of(op: Operation) -> RegionRule:
    """Return the rule by which an op with regions is differentiated.

    Raises:
        GradatimError: if it has none.
    """
    rule = RULES.get(type(op))
    if not isinstance(rule, RegionRule):
        raise GradatimError(f"{op.name} has no derivative rule", spell_location(op.location))
    return rule
