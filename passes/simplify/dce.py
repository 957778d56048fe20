"""Dead code elimination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from ...ir.array.effect import CallbackOp, CheckOp, has_effect
from ...ir.array.ordering import SortOp
from ...ir.array.regions import RegionOp
from ...ir.ops import ops_of
from .control.liveness import shrink
from .ordering import without_unused
from .rewriting import functions_of

_WITH_EFFECTS: Final = (CallbackOp, CheckOp)


@cache
def _is_pure_type(op_type: type[Operation]) -> bool:
    return op_type.has_trait(Pure)


def is_pure(op: Operation) -> bool:
    """Tell whether an op, with all that is in its regions, has no effect but its results."""
    if type(op) in _WITH_EFFECTS:
        return not has_effect(op)
    if op.regions and isinstance(op, RegionOp):
        blocks = [region.blocks.first for region in op.regions]
        return all(is_pure(inner) for block in blocks if block for inner in block.ops)
    return _is_pure_type(type(op))


def eliminate_dead_code(function: FuncOp) -> bool:
    """Erase what no result of a function depends on, in one backward walk.

    Pure ops go, and of loops and branches also results, carries and operands that are not used;
    arrays that are sorted along with others to no purpose are dropped. Returns whether there was
    anything to do.
    """
    return _clean(function.body.block)


def _clean(block: Block) -> bool:
    found = False
    for op in reversed(list(ops_of(block))):
        unused = not any(result.first_use for result in op.results)
        if unused and op.next_op is not None and is_pure(op):
            block.erase_op(op)
            found = True
        elif type(op) is SortOp and (smaller := without_unused(op)) is not None:
            block.insert_op_before(smaller, op)
            block.erase_op(op)
            found = True
        elif op.regions and isinstance(op, RegionOp):
            found |= shrink(op, _clean, lambda inner: not is_pure(inner))
    return found


@dataclass(frozen=True)
class ArrayDce(ModulePass):
    """Erase ops whose results nothing uses.

    One backward walk over each function, linear in its ops. Only pure ops go; a call stays, for
    ``array-inline`` to open. Of loops and branches, results, carries and operands go that nothing
    uses, and what computes them.

        %a = array.sin %x : tensor<4xf64>
        %b = array.exp %a : tensor<4xf64>       ->      return %x
        return %x
    """

    name: ClassVar[str] = "array-dce"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            eliminate_dead_code(function)
