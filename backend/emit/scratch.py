"""Emitters of scratch memory that several threads share out among themselves.

The first word of a reserve is 1 while it is taken.
"""

from __future__ import annotations

from typing import Final

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Operation

from ...ir.kernel.scratch import HEADER, ScratchGiveOp, ScratchReserveOp, ScratchTakeOp
from .function import Emit, FunctionEmitter
from .types import INDEX, memref_layout

_TAKE: Final = f"""define internal noalias ptr @gd.scratch.take(ptr %reserve, \
i64 %bytes) noinline {{
entry:
  br label %try
try:
  %before = atomicrmw xchg ptr %reserve, i32 1 acquire
  %free = icmp eq i32 %before, 0
  br i1 %free, label %reserved, label %taken
reserved:
  %own = getelementptr i8, ptr %reserve, i64 {HEADER}
  ret ptr %own
taken:
  %new = call ptr @gd.alloc(i64 %bytes)
  %none = icmp eq ptr %new, null
  br i1 %none, label %try, label %allocated
allocated:
  ret ptr %new
}}"""

_GIVE: Final = f"""define internal void @gd.scratch.give(ptr %data, ptr %reserve) noinline {{
entry:
  %own = getelementptr i8, ptr %reserve, i64 {HEADER}
  %reserved = icmp eq ptr %data, %own
  br i1 %reserved, label %release, label %free
release:
  store atomic i32 0, ptr %reserve release, align 64
  ret void
free:
  call void @gd.free(ptr %data)
  ret void
}}"""


def _reserve(e: FunctionEmitter, op: Operation) -> None:
    e.line(f"store i32 0, ptr {e.ref(op.operands[0])}, align {HEADER}")


def _take(e: FunctionEmitter, op: Operation) -> None:
    e.symbols.declare("gd.alloc", "noalias ptr", [INDEX])
    e.symbols.define("@gd.scratch.take", _TAKE)
    type_ = op.results[0].type
    assert isinstance(type_, MemRefType)
    arguments = f"ptr {e.ref(op.operands[0])}, {INDEX} {memref_layout(type_).size}"
    e.result(op, f"call noalias ptr @gd.scratch.take({arguments})")


def _give(e: FunctionEmitter, op: Operation) -> None:
    e.symbols.declare("gd.free", "void", ["ptr"])
    e.symbols.define("@gd.scratch.give", _GIVE)
    data, reserve = map(e.ref, op.operands)
    e.line(f"call void @gd.scratch.give(ptr {data}, ptr {reserve})")


RULES: Final[dict[type[Operation], Emit]] = {
    ScratchReserveOp: _reserve,
    ScratchTakeOp: _take,
    ScratchGiveOp: _give,
}
"""How to emit each op."""
