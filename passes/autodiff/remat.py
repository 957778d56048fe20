"""Marking a function for recomputation in reverse mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass

from ...ir.functions import BlockBuilder, return_of
from ..blocks import append_block
from ..functions import replace_functions, visibility_of
from .signature import with_arguments


def remat(function: FuncOp, policy: str = "nothing") -> FuncOp:
    """Return the function with its body in an `array.remat`.

    Args:
        function: a function without calls; it is left as it is.
        policy: what reverse mode may keep of it: ``nothing``, ``everything``, ``dots``, or
            ``names:a,b``.

    Raises:
        GradatimError: if there is no such policy.
    """
    new = with_arguments(function, (), ())
    source = function.body.block
    names = [argument.name_hint for argument in source.args]
    body = BlockBuilder(source.arg_types, names, function.location)
    block = body.finish(append_block(body.block, source, body.arguments))
    new.builder.location = return_of(function).location
    results = new.builder.remat(policy, new.arguments, block)
    return new.finish(results, visibility_of(function))


@dataclass(frozen=True)
class ArrayRemat(ModulePass):
    """Let reverse mode compute a function again instead of keeping what it needs of it.

    The function's body becomes that of an ``array.remat``. Calls are inlined first.

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %y = array.sin %x : tensor<f64>
          func.return %y : tensor<f64>
        }

    becomes

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %0 = array.remat policy "nothing" operands(%x : tensor<f64>) {
          ^bb0(%x_1: tensor<f64>):
            %y = array.sin %x_1 : tensor<f64>
            array.yield %y : tensor<f64>
          }
          func.return %0 : tensor<f64>
        }

    Options:
        function: the function; every public one if left out.
        policy: what reverse mode may keep: ``nothing``, ``everything``, ``dots``, or ``names:a,b``.
    """

    name: ClassVar[str] = "array-remat"

    function: str | None = None
    policy: str = "nothing"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function."""
        replace_functions(op, self.function, lambda f: remat(f, self.policy))
