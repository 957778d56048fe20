"""The reference interpreter of bufferised kernels: runs them on the memory of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, MemRefType, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from ..errors import GradatimError
from ..functions import find_function
from ..interpreter import Interpreter
from ..locations import spell_location
from ..types import tensor_info, to_numpy
from .buffers import value_type
from .ops import FusionOp

UNDEFINED_BYTE: Final = 0xA5
"""What fresh memory holds, so that reading what nobody wrote shows."""


def has_buffers(function: FuncOp) -> bool:
    """Tell whether a function is bufferised: it takes memory and returns nothing."""
    types = function.function_type
    return not types.outputs.data and all(isinstance(t, MemRefType) for t in types.inputs)


class BufferInterpreter:
    """Runs the bufferised functions of a module, whose last arguments are the results."""

    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self._values = Interpreter(module)
        self._memory: dict[SSAValue, np.ndarray] = {}

    def call(self, name: str, *arguments: np.ndarray) -> list[np.ndarray]:
        """Run the function ``name`` on the given arguments and return its results.

        Raises:
            GradatimError: if there is no such function, if it writes to its arguments, or if an op
                has no meaning at this level.
        """
        block = find_function(self.module, name).body.block
        given = [np.ascontiguousarray(a).reshape(np.shape(a)) for a in arguments]
        outs = [_fresh(out) for out in block.args[len(given) :]]
        before = [a.copy() for a in given]
        self._memory.update(zip(block.args, (*given, *outs)))
        with np.errstate(all="ignore"):
            for op in block.ops:
                self._run(op)
        if any(a.tobytes() != b.tobytes() for a, b in zip(given, before)):
            raise GradatimError(f"@{name} writes to its arguments")
        return outs

    def _run(self, op: Operation) -> None:
        rule = _RULES.get(type(op))
        if rule is None:
            raise GradatimError(
                f"{op.name} has no reference semantics on buffers", spell_location(op.location)
            )
        rule(self, op)

    def _run_fusion(self, op: Operation) -> None:
        """Write what the body yields."""
        assert isinstance(op, FusionOp)
        values = [self._memory[v] for v in op.ins]
        outs = [self._memory[v] for v in op.outs]
        _require_apart(op, values, outs)
        results = [np.array(r) for r in self._values.run_block(op.body.block, values)]
        for out, result in zip(outs, results):
            out[...] = result

    def _allocate(self, op: Operation) -> None:
        self._memory[op.results[0]] = _fresh(op.results[0])

    def _reinterpret(self, op: Operation) -> None:
        assert isinstance(op, memref.ReinterpretCastOp)
        shape, _ = tensor_info(value_type(op.result.type))
        self._memory[op.result] = self._memory[op.source].reshape(shape)

    def _view(self, op: Operation) -> None:
        assert isinstance(op, memref.ViewOp)
        shape, dtype = tensor_info(value_type(op.result.type))
        start = int(self._memory[op.byte_shift])
        size = int(np.prod(shape)) * dtype.itemsize
        self._memory[op.result] = self._memory[op.source][start : start + size].view(dtype)
        self._memory[op.result] = self._memory[op.result].reshape(shape)

    def _constant(self, op: Operation) -> None:
        value = op.properties["value"]
        assert isinstance(value, IntegerAttr)
        self._memory[op.results[0]] = np.array(value.value.data)

    def _get_global(self, op: Operation) -> None:
        assert isinstance(op, memref.GetGlobalOp)
        symbol = op.name_.root_reference.data
        for other in self.module.body.block.ops:
            if isinstance(other, memref.GlobalOp) and other.sym_name.data == symbol:
                assert isinstance(other.initial_value, DenseIntOrFPElementsAttr)
                self._memory[op.memref] = to_numpy(other.initial_value)

    def _copy(self, op: Operation) -> None:
        assert isinstance(op, memref.CopyOp)
        self._memory[op.destination][...] = self._memory[op.source]


def _require_apart(op: Operation, ins: list[np.ndarray], outs: list[np.ndarray]) -> None:
    """Raise GradatimError if an out overlaps another, or an in that is not exactly it."""
    for i, out in enumerate(outs):
        same = [a for a in ins if a.ctypes.data == out.ctypes.data and a.dtype == out.dtype]
        others = [*outs[:i], *(a for a in ins if all(a is not b for b in same))]
        if out.size and any(np.may_share_memory(out, a) for a in others):
            raise GradatimError(f"memory is written twice or while read, by {op.name}")


def _fresh(buffer: SSAValue) -> np.ndarray:
    array = np.empty(*tensor_info(value_type(buffer.type)))
    _scribble(array)
    return array


def _scribble(array: np.ndarray) -> None:
    array.reshape(-1).view(np.uint8)[...] = 1 if array.dtype == np.bool_ else UNDEFINED_BYTE


_RULES: Final[dict[type[Operation], Callable[[BufferInterpreter, Operation], None]]] = {
    FusionOp: BufferInterpreter._run_fusion,
    memref.AllocOp: BufferInterpreter._allocate,
    memref.AllocaOp: BufferInterpreter._allocate,
    memref.DeallocOp: lambda interpreter, op: None,
    memref.ReinterpretCastOp: BufferInterpreter._reinterpret,
    memref.ViewOp: BufferInterpreter._view,
    memref.GetGlobalOp: BufferInterpreter._get_global,
    memref.CopyOp: BufferInterpreter._copy,
    arith.ConstantOp: BufferInterpreter._constant,
    ReturnOp: lambda interpreter, op: None,
}
