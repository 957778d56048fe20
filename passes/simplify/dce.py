"""Dead code elimination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.traits import Pure

from ...ir.array.ordering import SortOp
from .ordering import without_unused
from .rewriting import functions_of


@cache
def is_pure(op_type: type[Operation]) -> bool:
    """Tell whether ops of this type have no effect but their results."""
    return op_type.has_trait(Pure)


def eliminate_dead_code(function: FuncOp) -> bool:
    """Erase the pure ops of a function that no result depends on, in one backward walk.

    Arrays that are sorted along with others to no purpose are dropped, too. Returns whether there
    was anything to do.
    """
    block = function.body.block
    found = False
    for op in reversed(tuple(block.ops)):
        if not is_pure(type(op)):
            continue
        if not any(result.first_use for result in op.results):
            block.erase_op(op)
            found = True
        elif type(op) is SortOp and (smaller := without_unused(op)) is not None:
            block.insert_op_before(smaller, op)
            block.erase_op(op)
            found = True
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
