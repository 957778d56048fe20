"""Checks of programs that are run as they are: calls of Python functions that raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.effect import DONE, CheckOp
from ...ir.builder import Builder
from ...ir.functions import BlockBuilder
from ...ir.ops import ops_of
from ...ir.types import tensor_info
from ..simplify.rewriting import blocks_of, functions_of, rewrite_forward


def raise_checks(block: Block) -> None:
    """Let checks call their Python functions where they do not hold."""
    b = Builder(block)
    found = False
    for op in ops_of(block):
        found |= type(op) is CheckOp
        if op.regions:
            for inner in blocks_of(op):
                raise_checks(inner)

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        if not isinstance(op, CheckOp):
            return None
        b.location = op.location
        types = [value.type for value in op.payload]
        fails, holds = (BlockBuilder(types, (), op.location) for _ in range(2))
        number, label = op.number.value.data, op.message.data
        called = fails.builder.callback(number, label, fails.arguments, [DONE])
        done = holds.builder.full(*tensor_info(DONE), 0)
        b.case(op.condition, op.payload, [fails.finish(called), holds.finish([done])])
        return [op.condition]

    if found:
        rewrite_forward(block, visit)


@dataclass(frozen=True)
class ArrayRaiseChecks(ModulePass):
    """Let the checks that are left call the Python functions that raise their errors.

        %0 = array.check %ok "bad" raises 3 : i64 names []

    becomes

        %0 = array.case %ok {
          %1 = array.callback 3 : i64 "bad" mapping "sequential" types [tensor<i32>] -> tensor<i32>
          array.yield %1 : tensor<i32>
        }, {
          %1 = array.constant dense<0> : tensor<i32>
          array.yield %1 : tensor<i32>
        }
    """

    name: ClassVar[str] = "array-raise-checks"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            raise_checks(function.body.block)
