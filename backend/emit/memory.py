"""Emitters of ``memref`` and ``vector``: memory, and vectors as such.

A bool takes a byte in memory and a bit in registers, so loads and stores of bools convert.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from xdsl.dialects import memref, vector
from xdsl.dialects.builtin import MemRefType, StringAttr, SymbolRefAttr
from xdsl.ir import Operation, SSAValue

from ...ir.kernel.buffers import NO_MEMORY
from .function import Emit, FunctionEmitter, fast_math, is_literal, mangle
from .types import (
    INDEX,
    ScalarType,
    ValueType,
    memref_layout,
    static_integers,
    value_type,
    vector_text,
)

STACK_ALIGNMENT = 64
_REDUCTIONS: Final = {
    "minui": "umin",
    "minsi": "smin",
    "maxui": "umax",
    "maxsi": "smax",
    "minnumf": "fmin",
    "maxnumf": "fmax",
    "minimumf": "fminimum",
    "maximumf": "fmaximum",
}
"""Kinds of reduction whose LLVM intrinsic has another name."""

_NEUTRAL: Final = {"add": "-0.0", "mul": "1.0"}
"""Where a float sum or product starts."""


def _is_bool(type_: ValueType) -> bool:
    return type_.scalar.text == "i1"


def from_memory(e: FunctionEmitter, type_: ValueType, stored: str) -> str:
    """Return a loaded value as a register holds it."""
    if not _is_bool(type_):
        return stored
    zero = "zeroinitializer" if type_.lanes else "0"
    return e.compute(f"icmp ne {type_.storage} {stored}, {zero}")


def to_memory(e: FunctionEmitter, value: SSAValue) -> str:
    """Return a value, with its type, as memory holds it."""
    type_ = value_type(value.type)
    if not _is_bool(type_):
        return e.typed(value)
    return f"{type_.storage} {e.compute(f'zext {e.typed(value)} to {type_.storage}')}"


def _load(e: FunctionEmitter, op: Operation) -> None:
    type_ = value_type(op.results[0].type)
    base, *indices = op.operands
    pointer = e.address(base, indices)
    stored = e.compute(f"load {type_.storage}, ptr {pointer}, align {type_.scalar.bytes}")
    e.bind(op.results[0], from_memory(e, type_, stored))


def _store(e: FunctionEmitter, op: Operation) -> None:
    value, base, *indices = op.operands
    pointer = e.address(base, indices)
    alignment = value_type(value.type).scalar.bytes
    e.line(f"store {to_memory(e, value)}, ptr {pointer}, align {alignment}")


def _masked_load(e: FunctionEmitter, op: Operation) -> None:
    type_ = value_type(op.results[0].type)
    base, *indices, mask, default = op.operands
    pointer = e.address(base, indices)
    symbol = f"llvm.masked.load.{storage_suffix(type_)}.p0"
    arguments = (
        f"ptr align {type_.scalar.bytes} {pointer}, {e.typed(mask)}, {to_memory(e, default)}"
    )
    stored = e.compute(f"call {type_.storage} @{symbol}({arguments})")
    e.bind(op.results[0], from_memory(e, type_, stored))


def _masked_store(e: FunctionEmitter, op: Operation) -> None:
    base, *indices, mask, value = op.operands
    type_ = value_type(value.type)
    pointer = e.address(base, indices)
    symbol = f"llvm.masked.store.{storage_suffix(type_)}.p0"
    stored = to_memory(e, value)
    e.line(
        f"call void @{symbol}({stored}, ptr align {type_.scalar.bytes} {pointer}, {e.typed(mask)})"
    )


def storage_suffix(type_: ValueType) -> str:
    """Spell the type of a value in memory as the suffix of an intrinsic."""
    return mangle(ValueType("", ScalarType(type_.scalar.storage, False, 1), type_.lanes))


def load_at(e: FunctionEmitter, type_: ValueType, pointer: str, place: int) -> str:
    """Return the value, as memory holds it, so many elements after a pointer."""
    moved = e.compute(f"getelementptr {type_.scalar.storage}, ptr {pointer}, {INDEX} {place}")
    return e.compute(f"load {type_.storage}, ptr {moved}, align {type_.scalar.bytes}")


def shuffle(e: FunctionEmitter, text: str, left: str, right: str, lanes: Sequence[int]) -> str:
    """Return lanes of two vectors, those of the second counted on from the first's."""
    mask = ", ".join(f"i32 {lane}" for lane in lanes)
    return e.compute(f"shufflevector {text} {left}, {text} {right}, <{len(lanes)} x i32> <{mask}>")


def splat(e: FunctionEmitter, scalar: str, type_: ValueType) -> str:
    """Return the vector of equal lanes."""
    if not scalar.startswith("%"):
        return f"splat ({type_.scalar.text} {scalar})"
    first = e.compute(f"insertelement {type_.text} poison, {type_.scalar.text} {scalar}, i64 0")
    lanes = vector_text("i32", type_.lanes)
    return e.compute(
        f"shufflevector {type_.text} {first}, {type_.text} poison, {lanes} zeroinitializer"
    )


def _broadcast(e: FunctionEmitter, op: Operation) -> None:
    type_ = value_type(op.results[0].type)
    e.bind(op.results[0], splat(e, e.ref(op.operands[0]), type_))


def _create_mask(e: FunctionEmitter, op: Operation) -> None:
    """The first n lanes are true."""
    lanes = value_type(op.results[0].type).lanes
    count = e.ref(op.operands[0])
    if is_literal(count):
        bits = ", ".join(f"i1 {'true' if i < int(count) else 'false'}" for i in range(lanes))
        e.bind(op.results[0], f"<{bits}>")
        return
    index_vector = ValueType(vector_text(INDEX, lanes), ScalarType(INDEX, False, 8), lanes)
    numbers = ", ".join(f"{INDEX} {i}" for i in range(lanes))
    e.result(op, f"icmp slt {index_vector.text} <{numbers}>, {splat(e, count, index_vector)}")


def _reduction(e: FunctionEmitter, op: Operation) -> None:
    """With ``reassoc``, float sums and products are trees whose shape the lanes give."""
    source = op.operands[0]
    type_ = value_type(source.type)
    kind = op.properties["kind"]
    assert isinstance(kind, vector.CombiningKindAttr)
    scalar = type_.scalar
    arguments, flags = e.typed(source), ""
    name = _REDUCTIONS.get(kind.data.value, kind.data.value)
    if scalar.is_float and name in _NEUTRAL:
        arguments = f"{scalar.text} {_NEUTRAL[name]}, {arguments}"
        flags, name = fast_math(op), f"f{name}"
    symbol = f"llvm.vector.reduce.{name}.{mangle(type_)}"
    e.result(op, f"call {flags}{scalar.text} @{symbol}({arguments})")


def _shuffle(e: FunctionEmitter, op: Operation) -> None:
    lanes = static_integers(op.properties["mask"])
    mask = ", ".join(f"i32 {lane}" for lane in lanes)
    left, right = map(e.typed, op.operands)
    e.result(op, f"shufflevector {left}, {right}, <{len(lanes)} x i32> <{mask}>")


def _position(e: FunctionEmitter, op: Operation, dynamic: SSAValue | None) -> str:
    return (
        e.ref(dynamic)
        if dynamic is not None
        else str(static_integers(op.properties["static_position"])[0])
    )


def _extract(e: FunctionEmitter, op: Operation) -> None:
    source, *dynamic = op.operands
    place = _position(e, op, dynamic[0] if dynamic else None)
    e.result(op, f"extractelement {e.typed(source)}, {INDEX} {place}")


def _insert(e: FunctionEmitter, op: Operation) -> None:
    element, target, *dynamic = op.operands
    place = _position(e, op, dynamic[0] if dynamic else None)
    e.result(op, f"insertelement {e.typed(target)}, {e.typed(element)}, {INDEX} {place}")


def _vector_fma(e: FunctionEmitter, op: Operation) -> None:
    type_ = value_type(op.results[0].type)
    e.bind(op.results[0], e.intrinsic("fma", type_, [e.ref(v) for v in op.operands]))


def _vector_bitcast(e: FunctionEmitter, op: Operation) -> None:
    target = value_type(op.results[0].type).text
    e.result(op, f"bitcast {e.typed(op.operands[0])} to {target}")


def _memref_of(op: Operation) -> MemRefType:
    type_ = op.results[0].type
    assert isinstance(type_, MemRefType)
    return type_


def _alloca(e: FunctionEmitter, op: Operation) -> None:
    type_ = _memref_of(op)
    storage = value_type(type_).scalar.storage
    e.bind(op.results[0], e.stack_slot(storage, max(memref_layout(type_).size, 1), STACK_ALIGNMENT))


def _alloc(e: FunctionEmitter, op: Operation) -> None:
    """If there is no memory for what the entry starts with, its arena, it returns with a status."""
    type_ = _memref_of(op)
    size = max(memref_layout(type_).size, 1) * value_type(type_).scalar.bytes
    e.symbols.declare("gd.alloc", "noalias ptr", [INDEX])
    e.result(op, f"call noalias ptr @gd.alloc({INDEX} {size})")
    if e.is_entry and e.block == "entry":
        fail, start = e.fresh_blocks("fail", "start")
        failed = e.compute(f"icmp eq ptr {e.ref(op.results[0])}, null")
        e.line(f"br i1 {failed}, label %{fail}, label %{start}")
        e.start_block(fail)
        e.line(f"ret i32 {NO_MEMORY}")
        e.start_block(start)


def _dealloc(e: FunctionEmitter, op: Operation) -> None:
    e.symbols.declare("gd.free", "void", ["ptr"])
    e.line(f"call void @gd.free({e.typed(op.operands[0])})")


def _get_global(e: FunctionEmitter, op: Operation) -> None:
    symbol = op.properties["name"]
    assert isinstance(symbol, SymbolRefAttr)
    assert isinstance(symbol.root_reference, StringAttr)
    e.bind(op.results[0], f"@{symbol.root_reference.data}")


def _same_pointer(e: FunctionEmitter, op: Operation) -> None:
    e.bind(op.results[0], e.ref(op.operands[0]))


def _view(strides_of: Callable[[Operation], tuple[int, ...]]) -> Emit:
    """Return the emitter of an op that moves the pointer by offsets, each times a stride."""

    def emit(e: FunctionEmitter, op: Operation) -> None:
        source, *dynamic = op.operands
        offsets = static_integers(op.properties["static_offsets"])
        moved, remaining = "0", iter(dynamic)
        for offset, stride in zip(offsets, strides_of(op)):
            value = e.ref(next(remaining)) if offset < -(1 << 62) else str(offset)
            moved = e.add_index(moved, e.scale_index(value, stride))
        storage = value_type(source.type).scalar.storage
        e.bind(op.results[0], e.element_pointer(e.ref(source), storage, moved))

    return emit


def _view_bytes(e: FunctionEmitter, op: Operation) -> None:
    """A view of a byte buffer: the shift is in bytes, whatever the elements of the view."""
    source, shift = op.operands
    e.bind(op.results[0], e.element_pointer(e.ref(source), "i8", e.ref(shift)))


def _source_strides(op: Operation) -> tuple[int, ...]:
    type_ = op.operands[0].type
    assert isinstance(type_, MemRefType)
    return memref_layout(type_).strides


def _copy(e: FunctionEmitter, op: Operation) -> None:
    source, target = op.operands
    type_ = source.type
    assert isinstance(type_, MemRefType)
    size = memref_layout(type_).size * value_type(type_).scalar.bytes
    e.line(
        f"call void @llvm.memcpy.p0.p0.i64({e.typed(target)}, {e.typed(source)}, "
        f"{INDEX} {size}, i1 false)"
    )


RULES: Final[dict[type[Operation], Emit]] = {
    memref.LoadOp: _load,
    memref.StoreOp: _store,
    vector.LoadOp: _load,
    vector.StoreOp: _store,
    vector.MaskedLoadOp: _masked_load,
    vector.MaskedStoreOp: _masked_store,
    vector.BroadcastOp: _broadcast,
    vector.CreateMaskOp: _create_mask,
    vector.ReductionOp: _reduction,
    vector.ShuffleOp: _shuffle,
    vector.ExtractOp: _extract,
    vector.InsertOp: _insert,
    vector.FMAOp: _vector_fma,
    vector.BitcastOp: _vector_bitcast,
    memref.AllocaOp: _alloca,
    memref.AllocOp: _alloc,
    memref.DeallocOp: _dealloc,
    memref.GetGlobalOp: _get_global,
    memref.CopyOp: _copy,
    memref.CastOp: _same_pointer,
    memref.CollapseShapeOp: _same_pointer,
    memref.ExpandShapeOp: _same_pointer,
    memref.ReinterpretCastOp: _view(lambda op: (1,)),
    memref.SubviewOp: _view(_source_strides),
    memref.ViewOp: _view_bytes,
}
