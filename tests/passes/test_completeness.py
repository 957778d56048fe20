"""Every op of the array dialect has its rules, in the room of its family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array.control import CONTROL_OPS
from gradatim.ir.attributes import ReduceKind
from gradatim.passes.autodiff import rules as derivatives
from gradatim.passes.autodiff.kinds import ByKind
from gradatim.passes.batching import vmap as batching

OPS = {**OPS_BY_FAMILY, "control": CONTROL_OPS}
"""Every op of the dialect but for the terminator of regions, by family."""


def _names(table: Mapping[type, Any]) -> set[str]:
    return {op.name for op in table}


@pytest.mark.parametrize("family", OPS)
def test_derivative_rule_or_reason(family: str):
    """An op has a rule or a written reason why no derivative flows through it, never both."""
    room = derivatives.FAMILIES[family]
    ops = {op.name for op in OPS[family]}
    assert _names(room.RULES) | _names(room.NON_DIFFERENTIABLE) == ops
    assert not _names(room.RULES) & _names(room.NON_DIFFERENTIABLE)
    assert all(len(why) > 10 for why in room.NON_DIFFERENTIABLE.values())


BITWISE = {ReduceKind.AND, ReduceKind.OR, ReduceKind.XOR}


def test_derivative_rule_of_each_kind():
    """An op whose kind decides has a rule for each kind that floats or complex numbers may have."""
    by_kind = {op: rule for op, rule in derivatives.RULES.items() if isinstance(rule, ByKind)}
    assert by_kind
    for op, rule in by_kind.items():
        allowed = set(getattr(op, "ALLOWED", ReduceKind))
        assert set(rule.rules) == allowed - BITWISE


@pytest.mark.parametrize("family", OPS)
def test_batching_rule_or_reason(family: str):
    """An op has a rule or a written reason why it never meets a batched operand, never both."""
    room = batching.FAMILIES[family]
    reasons = getattr(room, "NEVER_BATCHED", {})
    assert _names(room.RULES) | _names(reasons) == {op.name for op in OPS[family]}
    assert not _names(room.RULES) & _names(reasons)
    assert all(len(why) > 10 for why in reasons.values())
