"""Emitters of tapes: stacks of records that grow.

    %tape = { ptr, i64, i64 }                ; records, their number, how many there is room for

A push is a comparison, an increment and the stores of its record; growing is a call. When there is
no more memory, a tape becomes a ring of the records it has room for, one in static memory if there
are none. So the program runs on, with wrong derivatives, to its end, where its status says so.
"""

from __future__ import annotations

from typing import Final

from xdsl.dialects.builtin import IntegerAttr, MemRefType
from xdsl.ir import Operation

from ...ir.kernel.buffers import NO_MEMORY
from ...ir.kernel.tape import TapeFreeOp, TapeNewOp, TapePopOp, TapePushOp
from .function import Emit, FunctionEmitter
from .types import INDEX, TAPE, memref_layout

_FIRST_BYTES: Final = 4096
"""How much room a tape has at first."""

_GROW: Final = f"""define internal {TAPE} @gd.tape.grow({TAPE} %tape, i64 %record, ptr %ring, \
ptr %status) noinline cold {{
entry:
  %data = extractvalue {TAPE} %tape, 0
  %size = extractvalue {TAPE} %tape, 1
  %room = extractvalue {TAPE} %tape, 2
  %new = icmp eq i64 %room, 0
  %few = udiv i64 {_FIRST_BYTES}, %record
  %first = call i64 @llvm.umax.i64(i64 %few, i64 1)
  %twice = shl i64 %room, 1
  %more = select i1 %new, i64 %first, i64 %twice
  %bytes = mul i64 %more, %record
  %grown = call ptr @gd.alloc(i64 %bytes)
  %failed = icmp eq ptr %grown, null
  br i1 %failed, label %fail, label %move
move:
  %used = mul i64 %size, %record
  call void @llvm.memcpy.p0.p0.i64(ptr %grown, ptr %data, i64 %used, i1 false)
  %static = icmp eq ptr %data, %ring
  %kept = select i1 %static, i1 true, i1 %new
  br i1 %kept, label %done, label %free
free:
  call void @gd.free(ptr %data)
  br label %done
fail:
  store i32 {NO_MEMORY}, ptr %status
  %place = select i1 %new, ptr %ring, ptr %data
  %rest = call i64 @llvm.umax.i64(i64 %room, i64 1)
  br label %done
done:
  %records = phi ptr [ %grown, %move ], [ %grown, %free ], [ %place, %fail ]
  %number = phi i64 [ %size, %move ], [ %size, %free ], [ 0, %fail ]
  %capacity = phi i64 [ %more, %move ], [ %more, %free ], [ %rest, %fail ]
  %a = insertvalue {TAPE} poison, ptr %records, 0
  %b = insertvalue {TAPE} %a, i64 %number, 1
  %c = insertvalue {TAPE} %b, i64 %capacity, 2
  ret {TAPE} %c
}}"""


def _ring(e: FunctionEmitter, record: int) -> str:
    """Return static memory for one record, which is used when there is no other."""
    name = f"@gd.tape.ring.{record}"
    e.symbols.define(name, f"{name} = internal global [{record} x i8] zeroinitializer, align 64")
    return name


def _record_size(op: Operation) -> int:
    type_ = op.results[1].type
    assert isinstance(type_, MemRefType)
    return memref_layout(type_).size


def _field(e: FunctionEmitter, tape: str, number: int) -> str:
    return e.compute(f"extractvalue {TAPE} {tape}, {number}")


def _new(e: FunctionEmitter, op: Operation) -> None:
    e.bind(op.results[0], "zeroinitializer")


def _address(e: FunctionEmitter, tape: str, number: str, record: int) -> str:
    offset = e.scale_index(number, record)
    return e.element_pointer(_field(e, tape, 0), "i8", offset)


def _push(e: FunctionEmitter, op: Operation) -> None:
    e.symbols.declare("gd.alloc", "noalias ptr", [INDEX])
    e.symbols.declare("gd.free", "void", ["ptr"])
    e.symbols.define("@gd.tape.grow", _GROW)
    tape, status = (e.ref(value) for value in op.operands)
    record = _record_size(op)
    grow, push = e.fresh_blocks("grow", "push")
    is_full = e.compute(f"icmp eq {INDEX} {_field(e, tape, 1)}, {_field(e, tape, 2)}")
    before = e.block
    e.line(f"br i1 {is_full}, label %{grow}, label %{push}")
    e.start_block(grow)
    ring = _ring(e, record)
    arguments = f"{TAPE} {tape}, {INDEX} {record}, ptr {ring}, ptr {status}"
    grown = e.compute(f"call {TAPE} @gd.tape.grow({arguments})")
    e.branch(push)
    e.start_block(push)
    found = e.compute(f"phi {TAPE} [ {tape}, %{before} ], [ {grown}, %{grow} ]")
    size = _field(e, found, 1)
    e.bind(op.results[1], _address(e, found, size, record))
    following = e.compute(f"add {INDEX} {size}, 1")
    e.result(op, f"insertvalue {TAPE} {found}, {INDEX} {following}, 1")


def _pop(e: FunctionEmitter, op: Operation) -> None:
    """In a ring the last record comes before the first one."""
    tape = e.ref(op.operands[0])
    size = _field(e, tape, 1)
    is_first = e.compute(f"icmp eq {INDEX} {size}, 0")
    end = e.compute(f"select i1 {is_first}, {INDEX} {_field(e, tape, 2)}, {INDEX} {size}")
    last = e.compute(f"add {INDEX} {end}, -1")
    e.bind(op.results[1], _address(e, tape, last, _record_size(op)))
    e.result(op, f"insertvalue {TAPE} {tape}, {INDEX} {last}, 1")


def _free(e: FunctionEmitter, op: Operation) -> None:
    size = op.properties["record"]
    assert isinstance(size, IntegerAttr)
    e.symbols.declare("gd.free", "void", ["ptr"])
    free, done = e.fresh_blocks("free", "done")
    tape = e.ref(op.operands[0])
    data = _field(e, tape, 0)
    ring = _ring(e, size.value.data)
    is_static = e.compute(f"icmp eq ptr {data}, {ring}")
    is_new = e.compute(f"icmp eq ptr {data}, null")
    is_kept = e.compute(f"or i1 {is_static}, {is_new}")
    e.line(f"br i1 {is_kept}, label %{done}, label %{free}")
    e.start_block(free)
    e.line(f"call void @gd.free(ptr {data})")
    e.branch(done)
    e.start_block(done)


RULES: Final[dict[type[Operation], Emit]] = {
    TapeNewOp: _new,
    TapePushOp: _push,
    TapePopOp: _pop,
    TapeFreeOp: _free,
}
