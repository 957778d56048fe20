"""The order of ops around updates: what is to be updated in place is read before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import prod

from xdsl.ir import Operation, SSAValue

from ...ir.array.shape import ReshapeOp
from ...ir.types import shape_of

Test = Callable[[Operation], bool]


def read_before_updates(
    ops: Sequence[Operation], updates: Test, is_inline: Test
) -> tuple[list[Operation], set[Operation]]:
    """Order ops so that what reads an array that is updated comes before the update.

    That is all that does not depend on the update. Where an op does that evaluates in place what
    reads the old array, that part of it is to be computed before.

    Args:
        ops: all ops of a block.
        updates: whether an op stores over the array that it updates.
        is_inline: whether an op is evaluated where its result is needed.

    Returns:
        The ops in their order, and those that are to be computed where they stand.
    """
    ordering = _Ordering(ops, is_inline)
    for op in ops:
        if updates(op):
            ordering.read_before(op)
    return ordering.ops, ordering.computed


class _Ordering:
    def __init__(self, ops: Sequence[Operation], is_inline: Test) -> None:
        self.ops = list(ops)
        self.computed: set[Operation] = set()
        self._is_inline = is_inline
        self._number = {op: i for i, op in enumerate(self.ops)}

    def read_before(self, update: Operation) -> None:
        """Bring forward what reads the array that an op updates."""
        start = self._number[update]
        last = max((self._number[op] for _, op in self._readers(update, frozenset())), default=0)
        if last <= start:
            return
        dependent = _dependents(update, self.ops[start : last + 1])
        end = start
        for value, op in self._readers(update, dependent):
            if op in dependent:
                if not isinstance(value.owner, Operation) or not self._is_inline(value.owner):
                    continue  # it needs all of the old array
                op = self._smallest(value.owner)
                self.computed.add(op)
            end = max(end, self._number[op])
        span = self.ops[start : end + 1]
        free = [op for op in span if op not in dependent]
        self.ops[start : end + 1] = [*free, *(op for op in span if op in dependent)]
        self._number.update((op, i) for i, op in enumerate(self.ops[start : end + 1], start))

    def _readers(
        self, update: Operation, dependent: AbstractSet[Operation]
    ) -> Iterator[tuple[SSAValue, Operation]]:
        """Yield the ops that read the old array when they run, and the value that each one needs.

        Ops of ``dependent`` are not looked through.
        """
        pending = [root_of(update.operands[0])]
        while pending:
            value = pending.pop()
            for op in dict.fromkeys(use.operation for use in value.uses):
                if op is update or op not in self._number:
                    continue
                if self._passes(op) and op not in dependent:
                    pending += op.results
                else:
                    yield value, op

    def _smallest(self, op: Operation) -> Operation:
        """Return the op of the fewest elements among those evaluated in place of the old array."""
        best = op
        while isinstance(inner := op.operands[0].owner, Operation) and self._is_inline(inner):
            op = inner
            if not op.operands:
                break
            if prod(shape_of(op.results[0])) < prod(shape_of(best.results[0])):
                best = op
        return best

    def _passes(self, op: Operation) -> bool:
        """Tell whether an op is computed by those that need it, or is a view of its operand."""
        if op in self.computed:
            return False
        return self._is_inline(op) or isinstance(op, ReshapeOp)


def _dependents(update: Operation, ops: Sequence[Operation]) -> set[Operation]:
    """Return those of the ops that depend on the update, and itself."""
    found = {update}
    for op in ops:
        if any(v.owner in found for v in op.operands):
            found.add(op)
    return found


def root_of(value: SSAValue) -> SSAValue:
    """Return the value that a value is perhaps a view of."""
    while isinstance(value.owner, ReshapeOp):
        value = value.owner.operand
    return value
