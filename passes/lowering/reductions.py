"""Reductions as loop-level ops: how two partial results combine, and a vector's lanes."""

from __future__ import annotations

from typing import Final

import numpy as np
from xdsl.dialects import arith, vector
from xdsl.dialects.vector import CombiningKindAttr, CombiningKindFlag
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array.reduction import identity_of
from ...ir.attributes import ReduceKind
from . import elementwise
from .loop_builder import REASSOCIATE, LoopBuilder, value_type

_COMBINE: Final[dict[tuple[ReduceKind, str], type[Operation]]] = {
    (ReduceKind.ADD, "f"): arith.AddfOp,
    (ReduceKind.MUL, "f"): arith.MulfOp,
    (ReduceKind.MIN, "f"): arith.MinimumfOp,
    (ReduceKind.MAX, "f"): arith.MaximumfOp,
    **{(ReduceKind.ADD, k): arith.AddiOp for k in "iu"},
    **{(ReduceKind.MUL, k): arith.MuliOp for k in "iu"},
    (ReduceKind.MIN, "i"): arith.MinSIOp,
    (ReduceKind.MAX, "i"): arith.MaxSIOp,
    (ReduceKind.MIN, "u"): arith.MinUIOp,
    (ReduceKind.MAX, "u"): arith.MaxUIOp,
    **{(ReduceKind.AND, k): arith.AndIOp for k in "biu"},
    **{(ReduceKind.OR, k): arith.OrIOp for k in "biu"},
    **{(ReduceKind.XOR, k): arith.XOrIOp for k in "biu"},
}

_LANES: Final[dict[type[Operation], CombiningKindFlag]] = {
    arith.AddfOp: CombiningKindFlag.ADD,
    arith.AddiOp: CombiningKindFlag.ADD,
    arith.MulfOp: CombiningKindFlag.MUL,
    arith.MuliOp: CombiningKindFlag.MUL,
    arith.MinimumfOp: CombiningKindFlag.MINIMUMF,
    arith.MaximumfOp: CombiningKindFlag.MAXIMUMF,
    arith.MinSIOp: CombiningKindFlag.MINSI,
    arith.MaxSIOp: CombiningKindFlag.MAXSI,
    arith.MinUIOp: CombiningKindFlag.MINUI,
    arith.MaxUIOp: CombiningKindFlag.MAXUI,
    arith.AndIOp: CombiningKindFlag.AND,
    arith.OrIOp: CombiningKindFlag.OR,
    arith.XOrIOp: CombiningKindFlag.XOR,
}


def combine(
    b: LoopBuilder, kind: ReduceKind, dtype: np.dtype, left: SSAValue, right: SSAValue
) -> SSAValue:
    """Append the combination of two partial results."""
    return elementwise.make(b, _COMBINE[kind, dtype.kind], left, right)


def add_product(
    b: LoopBuilder, dtype: np.dtype, total: SSAValue, left: SSAValue, right: SSAValue
) -> SSAValue:
    """Append a sum and one more product, which may be rounded once."""
    multiply = arith.MulfOp if dtype.kind == "f" else arith.MuliOp
    return combine(b, ReduceKind.ADD, dtype, total, elementwise.make(b, multiply, left, right))


def combine_lanes(b: LoopBuilder, kind: ReduceKind, dtype: np.dtype, x: SSAValue) -> SSAValue:
    """Append the combination of a vector's lanes; a scalar is its own."""
    if not elementwise.lanes_of(x):
        return x
    properties: dict[str, Attribute] = {
        "kind": CombiningKindAttr(_LANES[_COMBINE[kind, dtype.kind]]),
        "fastmath": REASSOCIATE,
    }
    return b.append(vector.ReductionOp, (x,), value_type(dtype, 0), properties)


def identity(b: LoopBuilder, kind: ReduceKind, dtype: np.dtype, lanes: int) -> SSAValue:
    """Return the constant where a reduction starts."""
    return b.constant(dtype, lanes, identity_of(kind, dtype))
