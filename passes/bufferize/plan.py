"""The memory plan of a function: where each value is kept."""

from __future__ import annotations

from collections import Counter
from math import prod

from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from ...ir.array.shape import ConstantOp, ReshapeOp
from ...ir.errors import GradatimError
from ...ir.functions import return_of
from ...ir.kernel.ops import FusionOp
from ...ir.locations import spell_location
from ...ir.types import tensor_info
from .arena import ALIGNMENT, Storage, plan_arena
from .in_place import choose_in_place


class MemoryPlan:
    """Where the values of a function at the kernel level are kept.

    Attributes:
        root: the value that each value is a view of; itself where it is none.
        storage: the memory of each result of a kernel.
        copies: the function's results that are copied at the end, by their numbers: arguments,
            constants, and values that are a result already.
        arena_size: the bytes of all temporaries together.
    """

    def __init__(self, function: FuncOp) -> None:
        self._ops = list(function.body.block.ops)
        self.root: dict[SSAValue, SSAValue] = {a: a for a in function.body.block.args}
        self.storage: dict[SSAValue, Storage] = {}
        self._last_read: dict[SSAValue, int] = {}
        for number, op in enumerate(self._ops):
            self._read(number, op)
        self._results: dict[SSAValue, int] = {}
        self.copies = self._assign_results(return_of(function))
        for number, op in enumerate(self._ops):
            if isinstance(op, FusionOp):
                self._store_results(number, op)
        temporaries = {id(s): s for s in self.storage.values() if s.result is None}
        size = plan_arena(temporaries.values())
        self.arena_size = max(size, ALIGNMENT) if temporaries else 0

    def _read(self, number: int, op: Operation) -> None:
        """Note what an op reads, and which value its results are views of."""
        if not isinstance(op, FusionOp | ReshapeOp | ConstantOp | ReturnOp):
            raise GradatimError(
                f"{op.name} cannot be bufferised: array-inline and array-fuse come before",
                spell_location(op.location),
            )
        if isinstance(op, ReshapeOp):
            self.root[op.result] = self.root[op.operand]
            return
        for operand in op.operands:
            self._last_read[self.root[operand]] = number
        self.root.update((result, result) for result in op.results)

    def _assign_results(self, terminator: ReturnOp) -> list[int]:
        """Let kernels write the function's results where they belong; return those to copy."""
        copies = []
        for number, value in enumerate(terminator.operands):
            root = self.root[value]
            if isinstance(root.owner, FusionOp) and root not in self._results:
                self._results[root] = number
            else:
                copies.append(number)
        return copies

    def _store_results(self, number: int, fusion: FusionOp) -> None:
        """Give each result of a kernel memory: that of an operand it is the last to read, if
        it can be written in place."""
        free = self._dying(number, fusion)
        for value, operand in zip(fusion.results, choose_in_place(fusion.body.block, free)):
            result = self._results.get(value)
            last = self._last_read.get(value, number)
            if operand is None:
                shape, dtype = tensor_info(value)
                size = prod(shape) * dtype.itemsize
                self.storage[value] = Storage(size, number, last, result)
                continue
            storage = self.storage[value] = self.storage[free[operand]]
            storage.last, storage.result = last, result

    def _dying(self, number: int, fusion: FusionOp) -> dict[int, SSAValue]:
        """Return the operands, by position, that are temporaries and not read afterwards."""
        reads = Counter(self.root[v] for v in fusion.ins)
        return {
            i: value
            for i, value in enumerate(fusion.ins)
            if value in self.storage
            and self.storage[value].result is None
            and self._last_read[value] == number
            and reads[value] == 1
        }
