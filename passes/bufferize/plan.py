"""The memory plan of a function: where each value is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final, NamedTuple, TypeAlias

from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue

from ...ir.array.control import CaseOp, ScanOp, TapePopOp, TapePushOp, WhileOp
from ...ir.array.regions import YieldOp, terminator_of
from ...ir.array.shape import ConstantOp
from ...ir.functions import in_out_arguments, return_of
from ...ir.kernel.ops import FusionOp
from ...ir.kernel.schedule import PARALLEL_STEPS
from ...ir.types import tensor_info
from .arena import ALIGNMENT, Place, Storage, plan_arena
from .held import held_values
from .in_place import choose_in_place
from .liveness import Liveness, home_of
from .moves import Move, in_order
from .rotation import Rotation, after, rotate

Wanted: TypeAlias = Mapping[SSAValue, Storage]
"""Where values are to be in the end, if that can be."""


class Copy(NamedTuple):
    """A copy that the program makes.

    Attributes:
        value: what is copied.
        storage: where it is copied to.
        reason: why it cannot be there in the first place.
        location: the op that needs it there.
        source: where it was put aside; None: it is where the plan has it.
    """

    value: SSAValue
    storage: Storage
    reason: str
    location: LocationAttr
    source: Storage | None = None


@dataclass
class PushPlan:
    """Where what is pushed on a tape is put.

    Attributes:
        fields: the memory of each value in the new record.
        is_early: the record is there before the values are, which kernels then write into it.
        copies: copies of what is not.
    """

    fields: list[Storage]
    is_early: bool
    copies: list[Copy] = field(default_factory=list)


@dataclass
class LoopPlan:
    """Where a loop keeps what it carries in memory.

    Attributes:
        storages: the memory of each carry that is not held, by its number.
        slots: the step's part of each stacked result, by the result's number.
        rotation: the pieces of memory that change places after each step.
        elements: memory for the arrays that steps take parts of, where they are held.
        before: copies before the loop.
        first: copies at the start of each step.
        last: copies at the end of each step.
    """

    storages: dict[int, Storage] = field(default_factory=dict)
    slots: dict[int, Storage] = field(default_factory=dict)
    rotation: Rotation = field(default_factory=dict)
    elements: dict[SSAValue, Storage] = field(default_factory=dict)
    before: list[Copy] = field(default_factory=list)
    first: list[Copy] = field(default_factory=list)
    last: list[Copy] = field(default_factory=list)


class MemoryPlan:
    """Where the values of a function at the kernel level are kept.

    Attributes:
        held: the values that are in no memory.
        liveness: when values are read, and which are views of others.
        storage: the memory of each root that is no constant, not held, and no argument but an
            in-out one.
        outs: the memory of each result.
        also: where else the kernel that computes a root writes it.
        loops: the plan of each loop.
        pushes: the plan of each push on a tape.
        pops: the copies of what is popped from a tape that is pushed on again.
        first: the copies at the start of the function.
        ends: the copies at the end of a block, beside those of loops.
        copies: all copies that are no stores of what is in registers.
        arena_sizes: the bytes of all temporaries of the function (None), and of each scan whose
            steps run on several threads.
    """

    def __init__(self, function: FuncOp) -> None:
        self.held = held_values(function.body.block)
        self.liveness = Liveness(function)
        self.storage: dict[SSAValue, Storage] = {}
        self.also: dict[SSAValue, list[Storage]] = {}
        self.loops: dict[Operation, LoopPlan] = {}
        self.pushes: dict[Operation, PushPlan] = {}
        self.pops: dict[Operation, list[Copy]] = {}
        self.first: list[Copy] = []
        self.ends: dict[Block, list[Copy]] = {}
        self.copies: list[Copy] = []
        self._body = function.body.block
        self._frame: Operation | None = None
        self._occupants: dict[Storage, tuple[SSAValue, ...]] = {}
        self._protected: set[SSAValue] = set()
        self._made: list[Storage] = []
        self.outs = self._outs(return_of(function), in_out_arguments(function))
        self._plan_function(return_of(function))
        self.arena_sizes = self._plan_arenas()

    def _outs(self, terminator: Operation, arguments: Sequence[int | None]) -> list[Storage]:
        """Return the memory of each result, which may be that of an in-out argument."""
        outs = []
        for number, (value, argument) in enumerate(zip(terminator.operands, arguments)):
            out = Storage(_bytes_of(value), 0, self.liveness.number[terminator], argument=argument)
            if argument is None:
                out.result = number
            else:
                root = self._body.args[argument]
                self.storage[root] = out
                self._occupants[out] = (root,)
            outs.append(out)
        return outs

    def _plan_function(self, terminator: Operation) -> None:
        root = self.liveness.root
        wanted: dict[SSAValue, Storage] = {}
        pairs = []
        for number, (value, out) in enumerate(zip(terminator.operands, self.outs)):
            if self.liveness.is_returned_at_once(number, value):
                reason = "an in-out argument is returned as it was"
                self.first.append(self._copy(value, out, terminator, reason))
            else:
                pairs.append((value, out))
        for value, out in sorted(pairs, key=lambda pair: pair[1].argument is None):
            if value in self.held:
                self._want(value, out, self._body, wanted)
            else:
                wanted.setdefault(root[value], out)
        self._plan_block(self._body, wanted)
        self.ends[self._body] = self._moved(
            [(value, out, _why_not_out(root[value], out)) for value, out in pairs], terminator
        )

    def _plan_arenas(self) -> dict[Operation | None, int]:
        frames: dict[Operation | None, list[Storage]] = {}
        for storage in self._made:
            if storage.is_temporary:
                frames.setdefault(storage.frame, []).append(storage)
        return {f: max(plan_arena(storages), ALIGNMENT) for f, storages in frames.items()}

    # Memory

    def _new(self, value: SSAValue, op: Operation) -> Storage:
        """Return new memory for a value, which is used from the start of an op to its end."""
        number, end = self.liveness.number[op], self.liveness.end[op]
        storage = Storage(_bytes_of(value), number, end, frame=self._frame)
        self._made.append(storage)
        return storage

    def _keep(self, value: SSAValue, storage: Storage, op: Operation) -> None:
        """Note that a value that an op makes is in a piece of memory."""
        number, end = self.liveness.number[op], self.liveness.end[op]
        storage.extend(number, max(end, self.liveness.last.get(value, end)))
        self.storage[value] = storage
        self._occupants[storage] = (value,)

    def _is_in(self, value: SSAValue, storage: Storage) -> bool:
        """Tell whether a value is, or is also, in a piece of memory."""
        root = self.liveness.root[value]
        found = self.storage.get(root)
        if found is not None and (found is storage or None is not found.result == storage.result):
            return True
        return storage in self.also.get(root, ())

    def _is_free(self, storage: Storage, op: Operation) -> bool:
        """Tell whether what is in a piece of memory is not needed by an op and after it."""
        occupants = self._occupants.get(storage, ())
        return all(self.liveness.is_dead_before(value, op) for value in occupants)

    def _copy(self, value: SSAValue, storage: Storage, op: Operation, reason: str) -> Copy:
        copy = Copy(value, storage, reason, op.location)
        if value not in self.held:
            self.copies.append(copy)
        return copy

    def _moved(self, wanted: Iterable[tuple[SSAValue, Storage, str]], op: Operation) -> list[Copy]:
        """Return the copies that bring values at the end of a block to where they are wanted.

        Each one is told with the reason why it is copied, if it is somewhere else.
        """
        reasons = {}
        moves = []
        for value, storage, reason in wanted:
            if not self._is_in(value, storage):
                found = None if value in self.held else self.storage.get(self.liveness.root[value])
                moves.append(Move(value, found, storage))
                reasons[storage] = reason
        aside = "what it is copied from is overwritten"
        copies = []
        for value, source, storage in in_order(moves, lambda value: self._new(value, op)):
            copy = self._copy(value, storage, op, reasons.get(storage, aside))
            is_aside = source is not None and source is not self.storage[self.liveness.root[value]]
            copies.append(copy._replace(source=source if is_aside else None))
        return copies

    def _want(
        self, value: SSAValue, storage: Storage, block: Block, wanted: dict[SSAValue, Storage]
    ) -> None:
        """Ask for a value that a block yields to be computed in a piece of memory."""
        root = self.liveness.root[value]
        if home_of(root) is not block or isinstance(root, BlockArgument):
            return
        if root not in self.held and root not in wanted:
            wanted[root] = storage
        elif isinstance(root.owner, FusionOp) and storage not in self._occupants:
            self.also.setdefault(root, []).append(storage)

    def _dying(self, op: Operation, operands: Sequence[SSAValue]) -> dict[int, SSAValue]:
        """Return the operands, by position, whose memory is free after an op."""
        root = self.liveness.root
        reads = Counter(root[v] for v in op.operands)
        return {
            i: root[v] for i, v in enumerate(operands) if reads[root[v]] == 1 and self._dies(v, op)
        }

    def _dies(self, value: SSAValue, op: Operation) -> bool:
        root = self.liveness.root[value]
        storage = self.storage.get(root)
        return (
            storage is not None
            and storage.is_reusable
            and storage.frame is self._frame
            and root not in self._protected
            and self.liveness.dies_at(root, op)
        )

    # Ops

    def _plan_block(self, block: Block, wanted: dict[SSAValue, Storage]) -> None:
        for op in block.ops:
            if isinstance(op, TapePushOp):
                self._make_record(op, block, wanted)
        for op in block.ops:
            rule = _RULES.get(type(op))
            if rule is not None:
                rule(self, op, wanted)

    def _fusion(self, op: Operation, wanted: Wanted) -> None:
        """Let a kernel write where its results are wanted, or over what it is the last to read."""
        assert isinstance(op, FusionOp)
        positions = [i for i, v in enumerate(op.results) if v not in self.held]
        if not positions:
            return
        dying = self._dying(op, op.ins)
        wants = {i: wanted[v] for i, v in enumerate(op.results) if v in wanted}
        outs: dict[int, Storage] = {}
        free: dict[int, Storage] = {}
        preferred: dict[int, int] = {}
        for i, want in wants.items():
            if want.result is not None and op.parent is self._body:
                outs[i] = want
            elif self._is_free(want, op):
                free[i] = want
            else:
                there = (k for k, root in dying.items() if self.storage[root] is want)
                preferred.update((i, k) for k in there)
        rest = [i for i in positions if i not in free]
        in_place = choose_in_place(op.body.block, dying, rest, preferred)
        in_outs = {want for want in wants.values() if want.argument is not None}
        for i in positions:
            value, operand = op.results[i], in_place[i]
            over = None if operand is None else self.storage[dying[operand]]
            if over is None or (over in in_outs and over is not wants.get(i)):
                storage = free.get(i) or outs.get(i) or self._new(value, op)
            else:
                storage = over
                if i in outs and storage.is_temporary:
                    storage.result = outs[i].result
            self._keep(value, storage, op)

    def _case(self, op: Operation, wanted: Wanted) -> None:
        assert isinstance(op, CaseOp)
        yields = [terminator_of(region.block).operands for region in op.regions]
        targets: dict[int, Storage] = {}
        for number, result in enumerate(op.results):
            if result not in self.held:
                target = self._target(op, number, yields, wanted, targets.values())
                target.extend(self.liveness.number[op], self.liveness.end[op])
                targets[number] = target
        occupants = self._occupants
        for region, yielded in zip(op.regions, yields):
            block = region.block
            self._occupants = dict(occupants)
            inner: dict[SSAValue, Storage] = {}
            for number, target in targets.items():
                self._want(yielded[number], target, block, inner)
            self._plan_block(block, inner)
            reason = "a branch gives it as it is"
            self.ends[block] = self._moved(
                [(yielded[number], target, reason) for number, target in targets.items()], op
            )
        self._occupants = occupants
        for number, target in targets.items():
            want = wanted.get(op.results[number])
            if want is not None and target.is_temporary:
                target.result = want.result
            self._keep(op.results[number], target, op)

    def _target(
        self,
        op: CaseOp,
        number: int,
        yields: Sequence[Sequence[SSAValue]],
        wanted: Wanted,
        taken: Iterable[Storage],
    ) -> Storage:
        """Return where all branches are to put a result.

        If a branch gives an operand that is not needed afterwards, it is the operand's memory.
        """
        root = self.liveness.root
        want = wanted.get(op.results[number])
        elsewhere = {root[v] for values in yields for i, v in enumerate(values) if i != number}
        if want is not None and want.result is None:
            occupants = self._occupants.get(want, ())
            if self._is_free(want, op) or all(
                value not in elsewhere and self.liveness.dies_at(value, op) for value in occupants
            ):
                return want
        for values in yields:
            given = root[values[number]]
            if given not in elsewhere and self._dies(given, op):
                storage = self.storage[given]
                if storage not in taken:
                    return storage
        is_out = want is not None and want.result is not None
        return want if want is not None and is_out else self._new(op.results[number], op)

    # Tapes

    def _make_record(self, op: TapePushOp, block: Block, wanted: dict[SSAValue, Storage]) -> None:
        """Let kernels write what is pushed into the record, if it can be there before.

        A push may move the tape, so a record stays where it is until the next push.
        """
        fields = [Storage(_bytes_of(v), 0, 0, place=Place.SLOT) for v in op.values]
        is_early = not isinstance(op.tape.owner, TapePushOp)
        self.pushes[op] = PushPlan(fields, is_early)
        is_last = not any(isinstance(use.operation, TapePushOp) for use in op.result.uses)
        for value, storage in zip(op.values, fields):
            if is_early and (is_last or value in self.held):
                self._want(value, storage, block, wanted)

    def _push(self, op: Operation, wanted: Wanted) -> None:
        assert isinstance(op, TapePushOp)
        plan = self.pushes[op]
        plan.copies = [
            self._copy(value, storage, op, "it is pushed on a tape")
            for value, storage in zip(op.values, plan.fields)
            if not self._is_in(value, storage)
        ]

    def _pop(self, op: Operation, wanted: Wanted) -> None:
        """A record is read where it is, unless a push may come that moves it."""
        assert isinstance(op, TapePopOp)
        self.pops[op] = []
        users = [use.operation for use in op.rest.uses]
        is_pushed_on = any(not isinstance(user, YieldOp | TapePopOp) for user in users)
        for value in op.values if is_pushed_on else ():
            storage = self._new(value, op)
            copy = self._copy(value, storage, op, "the tape it is popped from is used on")
            self.pops[op].append(copy)
            self._keep(value, storage, op)

    # Loops

    def _scan(self, op: Operation, wanted: Wanted) -> None:
        assert isinstance(op, ScanOp)
        count = len(op.groups[1])
        block = op.body.block
        yielded = terminator_of(block).operands
        for result in op.results[count:]:
            self._keep(result, self._stack(op, result, wanted), op)
        plan = self._enter(op, op.groups[1], [op.parts.carries], wanted)
        inner = self._next_wanted(plan, yielded, block)
        held = [value for value in op.groups[2] if value in self.held]
        plan.elements = {value: self._new(value, op) for value in held}
        for number in range(count, len(op.results)):
            size = _bytes_of(yielded[number])
            slot = Storage(size, 0, 0, place=Place.SLOT)
            plan.slots[number] = slot
            self._want(yielded[number], slot, block, inner)
        outer = self._frame
        if PARALLEL_STEPS in op.attributes:
            self._frame = op
        self._plan_block(block, inner)
        self._frame = outer
        for number, slot in plan.slots.items():
            value = yielded[number]
            if not self._is_in(value, slot):
                early = self.liveness.is_given_at_once(value, block)
                reason = f"it is stacked: {'it came in' if early else 'a loop or branch gives it'}"
                copies = plan.first if early else plan.last
                copies.append(self._copy(value, slot, op, reason))
        self._leave(op, plan, yielded, wanted, op.count)

    def _stack(self, op: ScanOp, result: SSAValue, wanted: Wanted) -> Storage:
        want = wanted.get(result)
        return want if want is not None and self._is_free(want, op) else self._new(result, op)

    def _while(self, op: Operation, wanted: Wanted) -> None:
        assert isinstance(op, WhileOp)
        first = len(op.groups[0])
        condition, body = op.condition.block, op.body.block
        arguments = [block.args[first:] for block in (condition, body)]
        self._protected.update(arguments[0])
        yielded = terminator_of(body).operands
        plan = self._enter(op, op.groups[1], arguments, wanted)
        self._plan_block(condition, {})
        self._plan_block(body, self._next_wanted(plan, yielded, body))
        self._leave(op, plan, yielded, wanted, None)

    def _enter(
        self,
        op: Operation,
        carries: Sequence[SSAValue],
        arguments: Sequence[Sequence[SSAValue]],
        wanted: Wanted,
    ) -> LoopPlan:
        """Choose where a loop keeps what it carries: where the initial value is, if it may."""
        plan = self.loops[op] = LoopPlan()
        dying = self._dying(op, carries)
        for k, value in enumerate(carries):
            result = op.results[k]
            if result in self.held:
                continue
            if k in dying:
                storage = self.storage[dying[k]]
            else:
                want = wanted.get(result)
                is_usable = want is not None and want.is_reusable and self._is_free(want, op)
                storage = want if want is not None and is_usable else self._new(result, op)
                reason = _why_not_in_place(value, self.liveness.root[value])
                plan.before.append(self._copy(value, storage, op, f"a loop changes it: {reason}"))
            storage.extend(self.liveness.number[op], self.liveness.end[op])
            plan.storages[k] = storage
            for found in arguments:
                self.storage[found[k]] = storage
                self._occupants[storage] = (found[k],)
        return plan

    def _next_wanted(
        self, plan: LoopPlan, yielded: Sequence[SSAValue], block: Block
    ) -> dict[SSAValue, Storage]:
        wanted: dict[SSAValue, Storage] = {}
        for k, storage in plan.storages.items():
            root = self.liveness.root[yielded[k]]
            if root not in self.held:
                self._want(yielded[k], storage, block, wanted)
        return wanted

    def _leave(
        self,
        op: Operation,
        plan: LoopPlan,
        yielded: Sequence[SSAValue],
        wanted: Wanted,
        steps: int | None,
    ) -> None:
        """Choose what changes places or is copied after each step, and where the results are."""
        start, end = self.liveness.number[op], self.liveness.end[op]
        homes = plan.storages
        own = set(homes.values())

        def is_movable(storage: Storage) -> bool:
            is_inside = storage.first > start and storage.frame is self._frame
            return storage.is_reusable and (storage in own or is_inside)

        sources = {k: self.storage.get(self.liveness.root[yielded[k]]) for k in homes}
        plan.rotation, copied = rotate(
            homes, sources, is_movable, lambda k: self._new(op.results[k], op)
        )
        for k, target in copied.items():
            reason = _why_not_passed_on(sources[k])
            plan.last.append(
                self._copy(yielded[k], target, op, f"the next step takes it: {reason}")
            )
        for storage in plan.rotation:
            storage.extend(start, end)
        either = [op.results[k] for k, home in homes.items() if home in plan.rotation]
        for k, home in homes.items():
            result = op.results[k]
            if steps is None and result in either:
                last = self.liveness.last.get(result, end)
                self._keep(result, Storage(home.size, end, end, place=Place.EITHER), op)
                for storage in plan.rotation:
                    storage.extend(start, last)
                    self._occupants[storage] = tuple(either)
                continue
            final = after(plan.rotation, home, steps or 0)
            want = wanted.get(result)
            if want is not None and want.result is not None and final.is_temporary:
                final.result = want.result
            self._keep(result, final, op)


def _bytes_of(value: SSAValue) -> int:
    shape, dtype = tensor_info(value)
    return prod(shape) * dtype.itemsize


def _why_not_in_place(value: SSAValue, root: SSAValue) -> str:
    """Say why a value cannot be changed where it is, or be where it is wanted."""
    if isinstance(root.owner, ConstantOp):
        return "it is a constant"
    if isinstance(root, BlockArgument):
        return "it is an argument"
    return "it is needed elsewhere"


def _why_not_out(root: SSAValue, out: Storage) -> str:
    """Say why a result is not computed where it is to be."""
    if out.argument is None or not isinstance(root.owner, Operation):
        return _why_not_in_place(root, root)
    if isinstance(root.owner, ConstantOp):
        return "it is a constant"
    return "it is computed while the in-out argument is read, or needed elsewhere"


def _why_not_passed_on(source: Storage | None) -> str:
    """Say why what a step yields cannot be taken over by the next one where it is."""
    if source is None:
        return "it is the same for all steps, or part of an array"
    if source.place is Place.EITHER:
        return "a loop leaves it in either of two places"
    return "it is needed elsewhere"


_RULES: Final[dict[type[Operation], Callable[[MemoryPlan, Operation, Wanted], None]]] = {
    FusionOp: MemoryPlan._fusion,
    CaseOp: MemoryPlan._case,
    ScanOp: MemoryPlan._scan,
    TapePushOp: MemoryPlan._push,
    TapePopOp: MemoryPlan._pop,
    WhileOp: MemoryPlan._while,
}
