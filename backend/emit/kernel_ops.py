"""Emitters of the kernel dialect's ops at the loop level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.dialects import vector
from xdsl.dialects.builtin import IntegerAttr, StringAttr
from xdsl.ir import Operation, SSAValue

from ...ir import threefry
from ...ir.kernel.arithmetic import CastOp, CompareOp, MathOp, SelectOp, ThreefryOp
from ...ir.kernel.memory import (
    GatherLoadOp,
    InterleavedLoadOp,
    InterleavedStoreOp,
    ScatterStoreOp,
    StridedLoadOp,
    StridedStoreOp,
)
from .function import Emit, FunctionEmitter, mangle
from .interleaved import interleaved_load, interleaved_store
from .memory import from_memory, load_at, shuffle, splat, storage_suffix, to_memory
from .types import INDEX, ValueType, value_type


def _name(op: Operation, property_name: str) -> str:
    attribute = op.properties[property_name]
    assert isinstance(attribute, StringAttr)
    return attribute.data


def _math(e: FunctionEmitter, op: Operation) -> None:
    e.vector_math(op, _name(op, "function"))


def _compare(e: FunctionEmitter, op: Operation) -> None:
    type_ = value_type(op.operands[0].type)
    instruction = "fcmp" if type_.scalar.is_float else "icmp"
    left, right = map(e.ref, op.operands)
    e.result(op, f"{instruction} {_name(op, 'predicate')} {type_.text} {left}, {right}")


def _select(e: FunctionEmitter, op: Operation) -> None:
    e.result(op, "select " + ", ".join(map(e.typed, op.operands)))


def _threefry(e: FunctionEmitter, op: Operation) -> None:
    """Twenty rounds of addition, rotation and exclusive or, on the two halves of a block."""
    type_ = value_type(op.operands[0].type)
    keys, counters = op.operands[:2], op.operands[2:]
    words, injected = _extended_key(e, keys, type_)
    x, y = (e.compute(f"add {type_.text} {e.ref(c)}, {w}") for c, w in zip(counters, words))
    for injection, amounts in enumerate(threefry.AMOUNTS, 1):
        for amount in amounts:
            x = e.compute(f"add {type_.text} {x}, {y}")
            rotated = e.intrinsic("fshl", type_, (y, y, _integer(type_, amount)))
            y = e.compute(f"xor {type_.text} {x}, {rotated}")
        x = e.compute(f"add {type_.text} {x}, {words[injection % 3]}")
        y = e.compute(f"add {type_.text} {y}, {injected[injection - 1]}")
    for result, name in zip(op.results, (x, y)):
        e.bind(result, name)


def _extended_key(
    e: FunctionEmitter, keys: Sequence[SSAValue], type_: ValueType
) -> tuple[list[str], list[str]]:
    """Return the three words of the extended key, and what is added to the lower half.

    Of a key that is the same for all lanes they are computed as numbers, which LLVM moves out of
    loops.
    """
    narrow = type_
    scalars = [v.owner.operands[0] for v in keys if isinstance(v.owner, vector.BroadcastOp)]
    if len(scalars) == len(keys):
        keys, narrow = scalars, value_type(scalars[0].type)

    def combine(instruction: str, x: str, y: str) -> str:
        return e.compute(f"{instruction} {narrow.text} {x}, {y}")

    first, second = map(e.ref, keys)
    third = combine("xor", combine("xor", first, second), _integer(narrow, threefry.PARITY))
    words = [first, second, third]
    injected = [combine("add", words[(i + 1) % 3], _integer(narrow, i)) for i in range(1, 6)]
    if narrow is type_:
        return words, injected
    return [splat(e, w, type_) for w in words], [splat(e, w, type_) for w in injected]


def _integer(type_: ValueType, value: int) -> str:
    return f"splat (i32 {value})" if type_.lanes else str(value)


_CASTS: Final = {
    "extsi": "sext",
    "extui": "zext",
    "trunci": "trunc",
    "extf": "fpext",
    "truncf": "fptrunc",
    "sitofp": "sitofp",
    "uitofp": "uitofp",
    "bitcast": "bitcast",
}
_SATURATING: Final = {"fptosi_sat": "llvm.fptosi.sat", "fptoui_sat": "llvm.fptoui.sat"}


def _cast(e: FunctionEmitter, op: Operation) -> None:
    source, target = value_type(op.operands[0].type), value_type(op.results[0].type)
    name = _name(op, "cast")
    if name in _SATURATING:
        symbol = f"{_SATURATING[name]}.{mangle(target)}.{mangle(source)}"
        e.result(op, f"call {target.text} @{symbol}({e.typed(op.operands[0])})")
    else:
        e.result(op, f"{_CASTS[name]} {e.typed(op.operands[0])} to {target.text}")


def _stride(op: Operation) -> int:
    attribute = op.properties["stride"]
    assert isinstance(attribute, IntegerAttr)
    return attribute.value.data


def _strided(
    e: FunctionEmitter, op: Operation, buffer: SSAValue, offset: SSAValue, type_: ValueType
) -> str:
    """Return the vector of pointers to elements a stride apart."""
    stride = _stride(op)
    steps = ", ".join(f"{INDEX} {lane * stride}" for lane in range(type_.lanes))
    return _pointers(e, buffer, offset, f"<{type_.lanes} x {INDEX}> <{steps}>", type_)


def _pointers(
    e: FunctionEmitter, buffer: SSAValue, offset: SSAValue, positions: str, type_: ValueType
) -> str:
    """Return the vector of pointers to elements at positions from an offset on."""
    storage = type_.scalar.storage
    first = e.element_pointer(e.ref(buffer), storage, e.ref(offset))
    return e.compute(f"getelementptr {storage}, ptr {first}, {positions}")


def _mask(e: FunctionEmitter, mask: list[SSAValue], lanes: int) -> str:
    return e.typed(mask[0]) if mask else f"<{lanes} x i1> splat (i1 true)"


def _load_lanes(e: FunctionEmitter, op: Operation, pointers: str, mask: list[SSAValue]) -> None:
    type_ = value_type(op.results[0].type)
    lanes, size = type_.lanes, type_.scalar.bytes
    symbol = f"llvm.masked.gather.{storage_suffix(type_)}.v{lanes}p0"
    stored = e.compute(
        f"call {type_.storage} @{symbol}(<{lanes} x ptr> align {size} {pointers}, "
        f"{_mask(e, mask, lanes)}, {type_.storage} zeroinitializer)"
    )
    e.bind(op.results[0], from_memory(e, type_, stored))


def _store_lanes(e: FunctionEmitter, value: SSAValue, pointers: str, mask: list[SSAValue]) -> None:
    type_ = value_type(value.type)
    lanes, size = type_.lanes, type_.scalar.bytes
    symbol = f"llvm.masked.scatter.{storage_suffix(type_)}.v{lanes}p0"
    e.line(
        f"call void @{symbol}({to_memory(e, value)}, <{lanes} x ptr> align {size} {pointers}, "
        f"{_mask(e, mask, lanes)})"
    )


LARGEST_SHUFFLED_STRIDE: Final = 4
"""Lanes so far apart take fewer instructions as whole vectors and shuffles than one by one."""


def _is_shuffled(op: Operation, mask: list[SSAValue]) -> bool:
    return not mask and 1 < _stride(op) <= LARGEST_SHUFFLED_STRIDE


def _strided_load(e: FunctionEmitter, op: Operation) -> None:
    buffer, offset, *mask = op.operands
    type_ = value_type(op.results[0].type)
    if _is_shuffled(op, mask):
        _shuffled_load(e, op, type_)
    else:
        _load_lanes(e, op, _strided(e, op, buffer, offset, type_), mask)


def _strided_store(e: FunctionEmitter, op: Operation) -> None:
    value, buffer, offset, *mask = op.operands
    type_ = value_type(value.type)
    if _is_shuffled(op, mask):
        _shuffled_store(e, op, type_)
    else:
        _store_lanes(e, value, _strided(e, op, buffer, offset, type_), mask)


def _shuffled_load(e: FunctionEmitter, op: Operation, type_: ValueType) -> None:
    """Load all from the first lane's element to the last one's, and pick the lanes."""
    buffer, offset = op.operands
    lanes, stride = type_.lanes, _stride(op)
    first = e.element_pointer(e.ref(buffer), type_.scalar.storage, e.ref(offset))
    end = (lanes - 1) * stride + 1
    found = "poison"
    for start in range(0, end, lanes):
        begin = min(start, end - lanes)  # not beyond the last lane
        part = load_at(e, type_, first, begin)
        inside = [start <= lane * stride < start + lanes for lane in range(lanes)]
        picked = [
            lanes + lane * stride - begin if here else lane for lane, here in enumerate(inside)
        ]
        found = shuffle(e, type_.storage, found, part, picked)
    e.bind(op.results[0], from_memory(e, type_, found))


def _shuffled_store(e: FunctionEmitter, op: Operation, type_: ValueType) -> None:
    """Spread the lanes over whole vectors, and store their elements of these."""
    value, buffer, offset = op.operands
    lanes, stride, size = type_.lanes, _stride(op), type_.scalar.bytes
    first = e.element_pointer(e.ref(buffer), type_.scalar.storage, e.ref(offset))
    stored = to_memory(e, value).removeprefix(f"{type_.storage} ")
    symbol = f"llvm.masked.store.{storage_suffix(type_)}.p0"
    for start in range(0, (lanes - 1) * stride + 1, lanes):
        places = range(start, start + lanes)
        ours = [place % stride == 0 and place // stride < lanes for place in places]
        spread = [place // stride if own else 0 for place, own in zip(places, ours)]
        part = shuffle(e, type_.storage, stored, "poison", spread)
        moved = e.compute(f"getelementptr {type_.scalar.storage}, ptr {first}, {INDEX} {start}")
        bits = ", ".join(f"i1 {'true' if own else 'false'}" for own in ours)
        arguments = f"{type_.storage} {part}, ptr align {size} {moved}, <{lanes} x i1> <{bits}>"
        e.line(f"call void @{symbol}({arguments})")


def _gather_load(e: FunctionEmitter, op: Operation) -> None:
    buffer, offset, positions, *mask = op.operands
    type_ = value_type(op.results[0].type)
    _load_lanes(e, op, _pointers(e, buffer, offset, e.typed(positions), type_), mask)


def _scatter_store(e: FunctionEmitter, op: Operation) -> None:
    value, buffer, offset, positions, *mask = op.operands
    pointers = _pointers(e, buffer, offset, e.typed(positions), value_type(value.type))
    _store_lanes(e, value, pointers, mask)


RULES: Final[dict[type[Operation], Emit]] = {
    MathOp: _math,
    CompareOp: _compare,
    SelectOp: _select,
    ThreefryOp: _threefry,
    CastOp: _cast,
    StridedLoadOp: _strided_load,
    StridedStoreOp: _strided_store,
    InterleavedLoadOp: interleaved_load,
    InterleavedStoreOp: interleaved_store,
    GatherLoadOp: _gather_load,
    ScatterStoreOp: _scatter_store,
}
