"""Forgetting what only derivatives ask for: rules of the user's, policies, names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.control import CustomDerivativeOp, RematOp
from ...ir.array.plain import GuardOp, NameOp
from ...ir.ops import ops_of
from .rewriting import functions_of, opened, rewrite_forward

_WITH_BODY: Final = (CustomDerivativeOp, RematOp)
_DROPPED: Final = (*_WITH_BODY, NameOp, GuardOp)


def drop_rules(block: Block) -> None:
    """Put the bodies of ops in their place that only say how to differentiate, in linear time."""
    found = False
    for op in ops_of(block):
        kind = type(op)
        found |= kind in _DROPPED
        for region in op.regions[:1] if kind is CustomDerivativeOp else op.regions:
            for inner in region.blocks:
                drop_rules(inner)

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        if type(op) is NameOp or type(op) is GuardOp:
            return op.operands[-1:]
        return opened(op.regions[0].block, op.operands, block) if type(op) in _WITH_BODY else None

    if found:
        rewrite_forward(block, visit)


@dataclass(frozen=True)
class ArrayDropRules(ModulePass):
    """Forget how to differentiate: open the ops that only say so.

    ``array.custom_derivative`` becomes what its first region does, ``array.remat`` its body, and
    ``array.name`` and ``array.guard`` their operand. It comes when nothing will be differentiated
    any more. Barriers stay.

        %y = array.remat policy "nothing" operands(%x : tensor<f64>) {
        ^bb0(%a: tensor<f64>):
          %s = array.sin %a : tensor<f64>
          array.yield %s : tensor<f64>
        }

    becomes

        %y = array.sin %x : tensor<f64>
    """

    name: ClassVar[str] = "array-drop-rules"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            drop_rules(function.body.block)
