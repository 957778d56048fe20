"""The ops of a bufferised function, and of the loops and branches in it, one after the other.

Small arrays that are kept in registers are tensors until here. Loops and branches that carry them
are built anew to carry the scalars and vectors that hold them (`registers.widths_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol

from xdsl.dialects import arith, scf, tensor
from xdsl.dialects.builtin import IntegerAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...ir.array.shape import ReshapeOp
from ...ir.kernel.memory import LoadOp, StoreOp
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.schedule import UNROLL
from ...ir.ops import append_op, take_ops
from . import registers
from .loop_builder import LoopBuilder
from .registers import Parts


class EmitFusion(Protocol):
    """Appends what computes a fusion, and returns the parts of its results."""

    def __call__(self, builder: LoopBuilder, fusion: FusionOp, held: Held) -> list[Parts]:
        """Emit the fusion."""


Held = dict[SSAValue, Parts]
"""The values that hold each small array."""


class BodyLowering:
    """Takes ops out of their blocks and appends what they become to the builder's."""

    def __init__(self, builder: LoopBuilder, emit_fusion: EmitFusion) -> None:
        self.b = builder
        self.emit_fusion = emit_fusion
        self.held: Held = {}
        self._values: dict[SSAValue, SSAValue] = {}
        self._replaced: list[Operation] = []

    def run(self, block: Block) -> None:
        """Take the ops out of a block and append what they become."""
        self._lower(take_ops(block))
        for op in reversed(self._replaced):
            op.erase(safe_erase=False)

    def _lower(self, ops: Iterable[Operation]) -> None:
        for op in ops:
            self.b.location = op.location
            rule = _RULES.get(type(op))
            if rule is not None:
                rule(self, op)
                self._replaced.append(op)
            else:
                if any(value in self._values for value in op.operands):
                    op.operands = [self._values.get(value, value) for value in op.operands]
                append_op(self.b.block, op)

    def _fusion(self, op: Operation) -> None:
        assert isinstance(op, FusionOp)
        mapped = self._values
        if any(value in mapped for value in op.operands):
            op.operands = [mapped.get(value, value) for value in op.operands]
        self.held.update(zip(op.results, self.emit_fusion(self.b, op, self.held)))

    def _rebuild(self, op: Operation) -> None:
        """Build a loop or a branch anew on scalars and vectors."""
        location = op.location
        new = type(op).create(
            operands=self._flat(op.operands),
            result_types=_flat_types(result.type for result in op.results),
            properties=op.properties,
            attributes=op.attributes,
            regions=[self._region(region) for region in op.regions],
            location=location,
        )
        self.b.block.add_op(new)
        self._bind(op.results, new.results)
        if isinstance(op, scf.ParallelOp):  # whose chunks may have arenas
            self.b.symbols.has_scratch = True

    def _region(self, region: Region) -> Region:
        block = region.block
        new = Block(arg_types=_flat_types(block.arg_types))
        self._bind(block.args, new.args)
        with self.b.within(new):
            self._lower(take_ops(block))
        return Region(new)

    # Loops whose steps are written out

    def _for(self, op: Operation) -> None:
        assert isinstance(op, scf.ForOp)
        factor = op.attributes.get(UNROLL)
        bounds = [_known(value) for value in op.operands[:3]]
        if not isinstance(factor, IntegerAttr) or None in bounds:
            self._rebuild(op)
            return
        start, end, _ = bounds
        assert start is not None and end is not None
        self._unrolled(op, start, end, min(factor.value.data, end - start))

    def _unrolled(self, op: scf.ForOp, start: int, end: int, factor: int) -> None:
        """Build a loop of several steps at a time, and write out what is left over."""
        left = (end - start) % factor if factor else 0
        bodies = [op.body.clone().block for _ in range(factor + left)]
        carried = self._flat(op.iter_args)
        if factor and end - left > start:
            with self.b.loop(start, end - left, factor, carried) as loop:
                loop.next = loop.carried
                for i, body in enumerate(bodies[:factor]):
                    index = self.b.sum(loop.variable, i)
                    loop.next = self._step(body, index, loop.next)
            carried = loop.results
        for i, body in enumerate(bodies[factor:], end - left):
            carried = self._step(body, self.b.index(i), carried)
        self._bind(op.results, carried)

    def _step(self, body: Block, index: SSAValue, carried: Sequence[SSAValue]) -> list[SSAValue]:
        """Append one step of a loop, and return what it carries on."""
        self._bind(body.args, [index, *carried])
        *ops, terminator = take_ops(body)
        self._lower(ops)
        self._replaced.append(terminator)
        return self._flat(terminator.operands)

    def _end(self, op: Operation) -> None:
        new = type(op).create(operands=self._flat(op.operands), location=op.location)
        self.b.block.add_op(new)

    def _flat(self, values: Iterable[SSAValue]) -> list[SSAValue]:
        """Return the values with the parts of small arrays in their stead."""
        flat: list[SSAValue] = []
        for value in values:
            if isinstance(value.type, TensorType):
                flat += self.held[value]
            else:
                flat.append(self._values.get(value, value))
        return flat

    def _bind(self, before: Iterable[SSAValue], after: Sequence[SSAValue]) -> None:
        """Let new values stand for old ones, several for a small array."""
        rest = iter(after)
        for value in before:
            if isinstance(value.type, TensorType):
                count = len(registers.types_of(value.type))
                self.held[value] = tuple(next(rest) for _ in range(count))
            else:
                self._values[value] = new = next(rest)
                if not isinstance(new.owner, arith.ConstantOp):  # which is shared
                    new.name_hint = value.name_hint

    # Between scalars, memory and small arrays

    def _from_elements(self, op: Operation) -> None:
        (element,) = op.operands
        self.held[op.results[0]] = (self._values.get(element, element),)

    def _extract(self, op: Operation) -> None:
        (self._values[op.results[0]],) = self.held[op.operands[0]]

    def _load(self, op: Operation) -> None:
        (buffer,) = op.operands
        type_: Any = op.results[0].type
        self.held[op.results[0]] = registers.load(self.b, self._values.get(buffer, buffer), type_)

    def _store(self, op: Operation) -> None:
        source, buffer = op.operands
        type_: Any = source.type
        registers.store(self.b, self.held[source], self._values.get(buffer, buffer), type_)

    def _reshape(self, op: Operation) -> None:
        self.held[op.results[0]] = self.held[op.operands[0]]


def _known(value: SSAValue) -> int | None:
    """Return the number that an index is, if it is a constant."""
    owner = value.owner
    constant = owner.properties["value"] if isinstance(owner, arith.ConstantOp) else None
    return constant.value.data if isinstance(constant, IntegerAttr) else None


def _flat_types(types: Iterable[Attribute]) -> list[Attribute]:
    flat: list[Attribute] = []
    for type_ in types:
        flat += registers.types_of(type_) if isinstance(type_, TensorType) else [type_]
    return flat


_RULES: Final[dict[type[Operation], Callable[[BodyLowering, Operation], None]]] = {
    FusionOp: BodyLowering._fusion,
    **dict.fromkeys(
        (scf.WhileOp, scf.IfOp, scf.IndexSwitchOp, scf.ParallelOp), BodyLowering._rebuild
    ),
    scf.ForOp: BodyLowering._for,
    scf.YieldOp: BodyLowering._end,
    scf.ConditionOp: BodyLowering._end,
    tensor.FromElementsOp: BodyLowering._from_elements,
    tensor.ExtractOp: BodyLowering._extract,
    LoadOp: BodyLowering._load,
    StoreOp: BodyLowering._store,
    ReshapeOp: BodyLowering._reshape,
}
