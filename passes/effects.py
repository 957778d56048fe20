"""Effects of functions: printing, calls of Python, checks."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation

from ..ir.array.effect import CallbackOp, CheckOp, has_effect
from .simplify.inline import inline_calls
from .simplify.rewriting import functions_of


def any_effects(module: ModuleOp) -> bool:
    """Tell whether a function of a module has effects."""
    return any(has_effect(op) for function in functions_of(module) for op in _ops_of(function))


def drop_effects(module: ModuleOp, function: FuncOp) -> bool:
    """Take the effects out of a function, whose calls are inlined; return whether all are out.

    Those that a result is computed with stay.
    """
    inline_calls(module, function)
    _drop(function.body.block)
    return not any(map(has_effect, _ops_of(function)))


def _drop(block: Block) -> None:
    for op in reversed(list(block.ops)):
        for region in op.regions:
            for inner in region.blocks:
                _drop(inner)
        if isinstance(op, CheckOp):
            op.result.replace_all_uses_with(op.condition)
            block.erase_op(op)
        elif isinstance(op, CallbackOp) and not any(result.first_use for result in op.results):
            block.erase_op(op)


def _ops_of(function: FuncOp) -> list[Operation]:
    return list(function.body.block.ops)
