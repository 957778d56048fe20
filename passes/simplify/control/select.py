"""Branches that take less time than a jump to one of them: all are computed, and one selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import SSAValue

from ....ir.array.base import ArrayOp
from ....ir.array.effect import has_effect
from ....ir.builder import Builder
from ....ir.types import dtype_of, shape_of
from ...costs import cost_of_block
from .draft import Draft

SMALL: Final = 20_000
"""The picoseconds that all branches take together at most."""


def is_small(draft: Draft) -> bool:
    """Tell whether all branches of a case together take less time than a jump."""
    blocks = draft.blocks
    ops = [op for block in blocks for op in block.ops if op.next_op]
    if any(has_effect(op) or not isinstance(op, ArrayOp) for op in ops):
        return False
    return sum(map(cost_of_block, blocks)) <= SMALL


def selected(b: Builder, index: SSAValue, branches: Sequence[Sequence[SSAValue]]) -> list[SSAValue]:
    """Append selections among what the branches give, by the number of a branch."""
    index = wide_enough(b, index, len(branches))
    return [_one_of(b, index, values) for values in zip(*branches)]


def _one_of(b: Builder, index: SSAValue, values: Sequence[SSAValue]) -> SSAValue:
    if dtype_of(index).kind == "b":
        values = values[:2]  # a boolean numbers no other
    found = values[-1]
    for number, value in reversed(list(enumerate(values[:-1]))):
        if dtype_of(index).kind == "b":
            found = b.select(_repeated(b, index, found), found, value)
        else:
            chosen = b.compare("le", index, b.full_like(index, number))
            found = b.select(_repeated(b, chosen, value), value, found)
    return found


def wide_enough(b: Builder, index: SSAValue, count: int) -> SSAValue:
    """Return numbers of branches in a dtype that has the numbers of all branches."""
    dtype = dtype_of(index)
    if dtype.kind == "b" or count - 1 <= np.iinfo(dtype).max:
        return index
    return b.convert(index, np.dtype(np.int64))


def _repeated(b: Builder, predicate: SSAValue, like: SSAValue) -> SSAValue:
    return b.broadcast(predicate, shape_of(like), ())
