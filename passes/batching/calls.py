"""Batching of calls, which remain only where a derivative rule of the user's calls itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.dialects.builtin import FunctionType, ModuleOp, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation

from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.functions import FunctionBuilder, find_function
from ...ir.locations import spell_location
from .batched import Batched, Flags, LaneRule, Lanes, batched_type
from .control.common import in_front


class _Call(LaneRule):
    """The call of a batch of the function, which is put beside the function in the module.

    All results carry the batch in front, so that a function that calls itself needs few of them.
    """

    def batched(self, lanes: Lanes, op: CallOp, batched: Flags, /) -> Flags:
        """Return all results."""
        return [any(batched)] * len(op.results)

    def append(
        self, lanes: Lanes, b: Builder, op: CallOp, operands: Sequence[Batched], /
    ) -> Sequence[Batched]:
        """Append the call for all lanes."""
        flags = [axis is not None for _, axis in operands]
        function = _batch_of(lanes, op, flags)
        call = CallOp.create(
            operands=in_front(b, operands, flags, lanes.size),
            result_types=list(function.function_type.outputs),
            properties={"callee": SymbolRefAttr(function.sym_name.data)},
            location=b.location,
        )
        b.block.add_op(call)
        return [Batched(value, 0) for value in call.results]


def _batch_of(lanes: Lanes, op: CallOp, flags: Flags) -> FuncOp:
    """Return the batch of the function that is called; it is made at the first call."""
    module = _module_of(op)
    callee = find_function(module, op.callee.root_reference.data)
    pattern = "".join("b" if flag else "s" for flag in flags)
    name = f"{callee.sym_name.data}.vmap{lanes.size}.{pattern}"
    functions = [f for f in module.body.block.ops if isinstance(f, FuncOp)]
    known = next((f for f in functions if f.sym_name.data == name), None)
    if known is not None:
        return known
    source = callee.body.block
    axes = [0 if flag else None for flag in flags]
    types = [batched_type(a.type, axis, lanes.size) for a, axis in zip(source.args, axes)]
    results = [batched_type(t, 0, lanes.size) for t in callee.function_type.outputs]
    announced = FuncOp(name, FunctionType.from_lists(types, results), visibility="private")
    module.body.block.insert_op_before(announced, callee)  # what it calls may call it again
    batch = FunctionBuilder(name, types, [a.name_hint for a in source.args], callee.location)
    given = [Batched(value, axis) for value, axis in zip(batch.arguments, axes)]
    found, _ = lanes.of_size(lanes.size).append(batch.builder, source, given)
    values = in_front(batch.builder, found, [True] * len(found), lanes.size)
    function = batch.finish(values, "private")
    module.body.block.insert_op_before(function, announced)
    module.body.block.detach_op(announced)
    return function


def _module_of(op: Operation) -> ModuleOp:
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, ModuleOp):
        parent = parent.parent_op()
    if parent is None:
        raise GradatimError("vmap has no rule for func.call", spell_location(op.location))
    return parent


RULES: Final = {CallOp: _Call()}
