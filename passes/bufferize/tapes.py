"""Tapes on buffers: records that are written and read where they are.

A push takes place as early as it can, when the tape is known, so that kernels write into the new
record. A tape that nothing uses any more is given back, when what was popped from it has been read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from xdsl.dialects import memref
from xdsl.dialects.builtin import IntegerAttr, MemRefType, i8, i64
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array import control
from ...ir.kernel.buffers import buffer_type
from ...ir.kernel.registers import is_small
from ...ir.kernel.tape import Record, TapeFreeOp, TapeNewOp, TapePopOp, TapePushOp, TapeType

if TYPE_CHECKING:
    from .bufferize import Bufferize


def is_tape(value: SSAValue) -> bool:
    """Tell whether a value is a tape."""
    return isinstance(value.type, control.TapeType)


def enter(b: Bufferize, values: Iterable[SSAValue]) -> None:
    """Push on the tapes among values that have just come to be known, or give them back."""
    for value in values:
        if is_tape(value):
            user = next((use.operation for use in value.uses), None)
            if user is None:
                _free(b, value)
            elif isinstance(user, control.TapePushOp) and b.plan.pushes[user].is_early:
                _make_record(b, user)


def _layout(tape: SSAValue) -> Record:
    assert isinstance(tape.type, control.TapeType)
    return Record.of(tape.type.types)


def _free(b: Bufferize, tape: SSAValue) -> None:
    size = IntegerAttr(_layout(tape).size, i64)
    b.add(TapeFreeOp, (b.tensors[tape],), properties={"record": size})


def _record_types(tape: SSAValue) -> list[Attribute]:
    return [TapeType(), MemRefType(i8, [_layout(tape).size])]


def _fields(b: Bufferize, record: SSAValue, tape: SSAValue) -> Sequence[SSAValue]:
    """Return the buffers of a record's fields."""
    assert isinstance(tape.type, control.TapeType)
    return [
        b.append(memref.ViewOp, (record, b.index(offset)), buffer_type(type_))
        for offset, type_ in zip(_layout(tape).offsets, tape.type.types)
    ]


def _new(b: Bufferize, op: Operation) -> None:
    assert isinstance(op, control.TapeNewOp)
    b.tensors[op.result] = b.append(TapeNewOp, (), TapeType())
    enter(b, op.results)


def _make_record(b: Bufferize, op: control.TapePushOp) -> None:
    assert b.status is not None
    operands = (b.tensors[op.tape], b.status)
    b.tensors[op.result], record = b.add(TapePushOp, operands, _record_types(op.tape)).results
    b.storages.update(zip(b.plan.pushes[op].fields, _fields(b, record, op.tape)))


def _push(b: Bufferize, op: Operation) -> None:
    assert isinstance(op, control.TapePushOp)
    plan = b.plan.pushes[op]
    if not plan.is_early:
        _make_record(b, op)
    b.append_copies(plan.copies)
    if op.result.first_use is None:
        _free(b, op.result)


def _pop(b: Bufferize, op: Operation) -> None:
    assert isinstance(op, control.TapePopOp)
    new = b.add(TapePopOp, (b.tensors[op.tape],), _record_types(op.tape))
    b.tensors[op.rest], record = new.results
    b.buffers.update(zip(op.values, _fields(b, record, op.tape)))
    for value in op.values:
        if is_small(value.type) and value.first_use is not None:
            b.tensor(value)
    copies = b.plan.pops[op]
    b.append_copies(copies)
    for copy in copies:
        del b.buffers[copy.value]
    if op.rest.first_use is None:
        b.at_end.append(lambda: _free(b, op.rest))
    else:
        enter(b, [op.rest])


RULES: Final[dict[type[Operation], Callable[[Bufferize, Operation], None]]] = {
    control.TapeNewOp: _new,
    control.TapePushOp: _push,
    control.TapePopOp: _pop,
}
"""What tape ops become."""
