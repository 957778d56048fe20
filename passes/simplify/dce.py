"""Dead code elimination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from ...ir.array.regions import RegionOp
from .rewriting import functions_of


@cache
def is_pure(op_type: type[Operation]) -> bool:
    """Tell whether ops of this type have no effect but their results."""
    return op_type.has_trait(Pure)


def has_no_effects(op: Operation) -> bool:
    """Tell whether an op, and all that is in its regions, has no effect but its results."""
    return is_pure(type(op)) or (
        isinstance(op, RegionOp)
        and all(
            has_no_effects(inner)
            for region in op.regions
            for block in region.blocks
            for inner in block.ops
        )
    )


def eliminate_dead_code(function: FuncOp) -> bool:
    """Erase the pure ops of a function that no result depends on, in one backward walk.

    Returns whether there were any.
    """
    return _eliminate(function.body.block)


def _eliminate(block: Block) -> bool:
    found = False
    for op in reversed(tuple(block.ops)):
        if not any(result.first_use for result in op.results) and has_no_effects(op):
            if op is not block.last_op:
                block.erase_op(op)
                found = True
        elif isinstance(op, RegionOp):
            for region in op.regions:
                for inner in region.blocks:
                    found |= _eliminate(inner)
    return found


@dataclass(frozen=True)
class ArrayDce(ModulePass):
    """Erase ops whose results nothing uses.

    One backward walk over each function, linear in its ops. Only pure ops go; a call stays, for
    ``array-inline`` to open.

        %a = array.sin %x : tensor<4xf64>
        %b = array.exp %a : tensor<4xf64>       ->      return %x
        return %x
    """

    name: ClassVar[str] = "array-dce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            eliminate_dead_code(function)
