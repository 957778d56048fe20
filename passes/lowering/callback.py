"""Callbacks: calls of Python functions, resolved when the program is linked.

A call refers to a symbol that says all that the other side must know: the function's number and
the types of operands and results, as ``gd.callback.0.f64x3_i32.to.f64``. It passes the memory of
these and, last, the program's status, which the other side changes if the function raises. Nothing
is called after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Final

import numpy as np
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import IntegerAttr, i1, i32, i64
from xdsl.ir import SSAValue

from ...ir.array.effect import CallbackOp
from ...ir.kernel.ops import FusionOp
from ...ir.types import dtype_of, shape_of, spell_dtype, tensor_info
from .library import call_routine
from .loop_builder import LoopBuilder

_EQUAL: Final = 0  # the predicate of an upstream comparison


class CallbackLowering:
    """Emits the call of one fusion that is a callback."""

    def __init__(self, builder: LoopBuilder, fusion: FusionOp, op: CallbackOp) -> None:
        self.b = builder
        self.fusion = fusion
        self.op = op

    def emit(self) -> None:
        """Emit the call, on the memory of operands and results."""
        memory: dict[SSAValue, SSAValue] = dict(zip(self.fusion.body.block.args, self.fusion.ins))
        memory.update(zip(self.fusion.terminator.operands, self.fusion.outs))
        values = (*self.op.inputs, *self.op.outputs)
        buffers = [self._flat(value, memory[value]) for value in values]
        status = self.fusion.ins[-1]
        found = self.b.append(memref.LoadOp, (status,), i32)
        zero = self.b.constant(np.dtype(np.int32), 0, 0)
        predicate = {"predicate": IntegerAttr(_EQUAL, i64)}
        with self.b.when(self.b.append(arith.CmpiOp, (found, zero), i1, predicate)):
            call_routine(self.b, _symbol(self.op), [*buffers, status])

    def _flat(self, value: SSAValue, buffer: SSAValue) -> SSAValue:
        return self.b.flat(buffer, dtype_of(value), prod(shape_of(value)))


def _symbol(op: CallbackOp) -> str:
    number = op.number.value.data
    return f"gd.callback.{number}.{_spell(op.inputs)}.to.{_spell(op.outputs)}"


def _spell(values: Iterable[SSAValue]) -> str:
    infos = [tensor_info(value) for value in values]
    return "_".join("x".join(map(str, (spell_dtype(d), *shape))) for shape, d in infos)
