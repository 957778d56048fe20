"""Derivative rules of ordering: tangents are taken along by the permutation, cotangents put back.

The permutation does not depend differentiably on anything. Where keys are equal, the order that
they had is the one in which derivatives flow, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.ir import Operation

from ...ir.array import ordering as o
from ...ir.builder import Builder
from .kinds import Derivatives, OpRule, Own


def _jvp(b: Builder, op: o.SortOp, tangents: Derivatives) -> Derivatives:
    """Sort the tangents as the values are."""
    positions = b.positions_along(op.permutation, op.dim.data)
    dims = range(len(positions))
    return [*(t and b.gather(t, positions, dims) for t in tangents), None]


def _vjp(b: Builder, op: o.SortOp, cotangents: Derivatives, wanted: Sequence[bool]) -> Derivatives:
    """Put each cotangent where the value came from."""
    positions = b.positions_along(op.permutation, op.dim.data)
    dims = range(len(positions))
    return [
        b.scatter("set", b.full_like(x, 0), g, positions, dims, unique=True)
        if wants and g is not None
        else None
        for x, g, wants in zip(op.inputs, cotangents, wanted)
    ]


RULES: Final[dict[type[Operation], OpRule]] = {o.SortOp: Own(_jvp, _vjp)}

NON_DIFFERENTIABLE: Final[dict[type[Operation], str]] = {}
