"""The reference interpreter of bufferised kernels: runs them on the memory of NumPy arrays."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from xdsl.dialects import arith, memref, scf, tensor
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, MemRefType, ModuleOp, i32
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import IsTerminator

from ..array.base import ArrayOp
from ..errors import GradatimError
from ..functions import find_function, in_out_numbers
from ..interpreter import Interpreter
from ..locations import spell_location
from ..types import shape_of, tensor_info, to_numpy
from .buffers import value_type
from .memory import LoadOp, StoreOp
from .ops import FusionOp
from .tape import TapeFreeOp, TapeNewOp, TapePopOp, TapePushOp

UNDEFINED_BYTE: Final = 0xA5
"""What fresh memory holds, so that reading what nobody wrote shows."""


def has_buffers(function: FuncOp) -> bool:
    """Tell whether a function is bufferised: it takes memory and returns at most a status."""
    types = function.function_type
    is_status = all(type_ == i32 for type_ in types.outputs)
    return is_status and all(isinstance(type_, MemRefType) for type_ in types.inputs)


class BufferInterpreter:
    """Runs the bufferised functions of a module, whose last arguments are results.

    Memory is NumPy arrays that share it; small arrays in registers are arrays of their own.
    """

    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self.values = Interpreter(module)
        self.found: dict[SSAValue, Any] = {}

    def call(self, name: str, *arguments: np.ndarray) -> list[np.ndarray]:
        """Run the function ``name`` on the given arguments and return its results.

        Raises:
            GradatimError: if there is no such function, if it writes to arguments that are not
                in-out ones, or if an op has no meaning at this level.
        """
        function = find_function(self.module, name)
        block = function.body.block
        given = [np.ascontiguousarray(a).reshape(np.shape(a)) for a in arguments]
        added = [_fresh(out) for out in block.args[len(given) :]]
        numbers = in_out_numbers(function, len(added))
        given = [a.copy() if i in numbers else a for i, a in enumerate(given)]
        before = [a.copy() for i, a in enumerate(given) if i not in numbers]
        separate = iter(added)
        outs = [next(separate) if number is None else given[number] for number in numbers]
        with np.errstate(all="ignore"):
            status = self.run_block(block, [*given, *added])
        if any(status):
            raise GradatimError(f"@{name} failed with status {int(status[0])}")
        kept = (a for i, a in enumerate(given) if i not in numbers)
        if any(a.tobytes() != b.tobytes() for a, b in zip(kept, before)):
            raise GradatimError(f"@{name} writes to its arguments")
        return outs

    def run_block(self, block: Block, arguments: Sequence[Any]) -> list[Any]:
        """Run a block's ops in order and return the operands of its terminator."""
        self.found.update(zip(block.args, arguments))
        for op in block.ops:
            operands = [self.found[value] for value in op.operands]
            if op.has_trait(IsTerminator, value_if_unregistered=False):
                return operands
            if isinstance(op, ArrayOp):
                results = self.values.run_op(op, operands)
            else:
                rule = _RULES.get(type(op))
                if rule is None:
                    where = spell_location(op.location)
                    raise GradatimError(f"{op.name} has no reference semantics on buffers", where)
                results = rule(self, op, operands)
            self.found.update(zip(op.results, results))
        return []


def _fusion(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    """Write what the body yields, and return the rest of it."""
    assert isinstance(op, FusionOp)
    count = len(op.ins)
    values, outs = operands[:count], operands[count:]
    _require_apart(op, values, outs)
    results = [np.array(r) for r in interpreter.values.run_block(op.body.block, values)]
    for out, result in zip(outs, results):
        out[...] = result
    return results[len(outs) :]


# Memory


def _allocate(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    return [_fresh(op.results[0])]


def _reshaped(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    shape = shape_of(value_type(op.results[0].type))
    return [operands[0].reshape(shape, copy=False)]


def _view(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    arena, shift = operands
    shape, dtype = tensor_info(value_type(op.results[0].type))
    size = int(np.prod(shape)) * dtype.itemsize
    return [arena[int(shift) : int(shift) + size].view(dtype).reshape(shape)]


def _part(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    """Parts are at a place of the first dimension, or from there on."""
    assert isinstance(op, memref.SubviewOp)
    buffer, place = operands
    (count, *_), type_ = op.static_sizes.get_values(), op.result.type
    assert isinstance(type_, MemRefType)
    return [buffer[int(place) : int(place) + count].reshape(type_.get_shape())]


def _get_global(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    assert isinstance(op, memref.GetGlobalOp)
    symbol = op.name_.root_reference.data
    definitions = (o for o in interpreter.module.body.block.ops if isinstance(o, memref.GlobalOp))
    (value,) = (d.initial_value for d in definitions if d.sym_name.data == symbol)
    assert isinstance(value, DenseIntOrFPElementsAttr)
    return [to_numpy(value)]


def _copy(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    source, target = operands
    is_same = source.ctypes.data == target.ctypes.data
    if source.size and not is_same and np.may_share_memory(source, target):
        where = spell_location(op.location)
        raise GradatimError(f"{op.name} between pieces of memory that overlap", where)
    target[...] = source
    return []


def _load(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    return [operands[0].copy()]


def _store(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    operands[1][...] = operands[0]
    return []


# Numbers


def _constant(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    value = op.properties["value"]
    assert isinstance(value, IntegerAttr)
    return [np.array(value.value.data)]


def _is_equal(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    """Compare two integers, the status and 0."""
    return [np.array(int(operands[0]) == int(operands[1]))]


_INTEGERS: Final[dict[type[Operation], Callable[[int, int], int]]] = {
    arith.AddiOp: operator.add,
    arith.SubiOp: operator.sub,
    arith.MuliOp: operator.mul,
    arith.MinSIOp: min,
    arith.AndIOp: operator.and_,
}


def _integers(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    return [np.array(_INTEGERS[type(op)](*map(int, operands)))]


def _same(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    return operands


def _scalar(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    return [np.asarray(operands[0], np.int64).reshape(())]


# Tapes


class _Tape(NamedTuple):
    """A tape: its records in memory, of which the first ones are in use."""

    records: list[np.ndarray]
    size: int


def _new_tape(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    return [_Tape([], 0)]


def _push(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    """What was there before must not be used any more, nor what the tape moves away from."""
    records, size = operands[0]
    if size == len(records):
        moved = [record.copy() for record in records]
        _forget(records)
        records = [*moved, *(_fresh(op.results[1]) for _ in range(max(size, 1)))]
    _scribble(records[size])
    return [_Tape(records, size + 1), records[size]]


def _pop(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    records, size = operands[0]
    if not size:
        raise GradatimError(f"{op.name} of an empty tape", spell_location(op.location))
    return [_Tape(records, size - 1), records[size - 1]]


def _free(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    _forget(operands[0].records)
    return []


def _forget(records: list[np.ndarray]) -> None:
    for record in records:
        _scribble(record)


# Loops and branches


def _for(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    lower, upper, step, *carried = operands
    for i in range(int(lower), int(upper), int(step)):
        carried = interpreter.run_block(op.regions[0].block, [np.array(i), *carried])
    return carried


def _parallel(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    """Steps may come in any order, so they come backwards."""
    for i in reversed(range(*map(int, operands))):
        interpreter.run_block(op.regions[0].block, [np.array(i)])
    return []


def _while(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    before, after = (region.block for region in op.regions)
    while True:
        more, *passed = interpreter.run_block(before, operands)
        if not more:
            return passed
        operands = interpreter.run_block(after, passed)


def _if(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    chosen = op.regions[0 if operands[0] else 1]
    return interpreter.run_block(chosen.block, [])


def _switch(interpreter: BufferInterpreter, op: Operation, operands: list[Any]) -> list[Any]:
    assert isinstance(op, scf.IndexSwitchOp)
    numbers = list(op.cases.get_values())
    number = int(operands[0])
    place = numbers.index(number) + 1 if number in numbers else 0
    return interpreter.run_block(op.regions[place].block, [])


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


Rule: TypeAlias = Callable[[BufferInterpreter, Operation, list[Any]], list[Any]]

_RULES: Final[dict[type[Operation], Rule]] = {
    FusionOp: _fusion,
    memref.AllocOp: _allocate,
    memref.AllocaOp: _allocate,
    memref.DeallocOp: lambda interpreter, op, operands: [],
    memref.ReinterpretCastOp: _reshaped,
    memref.CollapseShapeOp: _reshaped,
    memref.ExpandShapeOp: _reshaped,
    memref.ViewOp: _view,
    memref.SubviewOp: _part,
    memref.GetGlobalOp: _get_global,
    memref.CopyOp: _copy,
    LoadOp: _load,
    StoreOp: _store,
    memref.LoadOp: _load,
    memref.StoreOp: _store,
    TapeNewOp: _new_tape,
    TapePushOp: _push,
    TapePopOp: _pop,
    TapeFreeOp: _free,
    arith.ConstantOp: _constant,
    **dict.fromkeys(_INTEGERS, _integers),
    arith.CmpiOp: _is_equal,
    arith.IndexCastOp: _same,
    tensor.FromElementsOp: _scalar,
    tensor.ExtractOp: _same,
    scf.ForOp: _for,
    scf.ParallelOp: _parallel,
    scf.WhileOp: _while,
    scf.IfOp: _if,
    scf.IndexSwitchOp: _switch,
}
