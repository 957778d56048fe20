"""What part each op plays in fusion, by its kind and by who uses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from math import prod
from typing import Any, Final, NamedTuple

from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue, Use

from ...ir.array.base import ArrayOp
from ...ir.array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, GatherOp
from ...ir.array.reduction import ReduceOp
from ...ir.array.shape import (
    BroadcastOp,
    ConcatenateOp,
    ConstantOp,
    IotaOp,
    PadOp,
    ReshapeOp,
    ReverseOp,
    SliceOp,
    TransposeOp,
    dim_of,
)
from ...ir.functions import in_out_numbers
from ...ir.kernel.registers import MAX_ELEMENTS, is_read_at_computed_positions, is_small_op
from ...ir.kernel.schedule import SHORT_LOOP
from ...ir.kernel.space import (
    Axes,
    identity_dims,
    is_elementwise,
    is_unit_reshape,
    needed_in_memory,
    operand_dims,
    project,
    squeeze,
)
from ...ir.kernel.updates import UPDATING, known_starts, updates_in_place
from ...ir.ops import ops_of
from ...ir.types import Shape, row_major, shape_of
from .anti_dependences import read_before_updates, root_of
from .carries import parts_read_before
from .cost import flops_of


class Role(Enum):
    """What becomes of an op.

    ``LOOP``: computed in the loops of one fusion. ``INLINE``: evaluated in each fusion that needs
    it, at the positions it is needed at. ``VIEW``: the same memory under another shape. ``GLOBAL``:
    a constant in memory. ``KERNEL``: a fusion of its own. ``OPAQUE``: no array op; stays as it is.
    """

    LOOP = auto()
    INLINE = auto()
    VIEW = auto()
    GLOBAL = auto()
    KERNEL = auto()
    OPAQUE = auto()


MAX_PIECES: Final = 8
"""A concatenation of more arrays is a kernel of its own, which copies one after the other."""

MAX_INLINE_DEPTH: Final = 8
"""Ops that are evaluated where they are needed follow one another at most so many times."""

MAX_REPEATED_FLOPS: Final = 8
"""What evaluating a value again may cost for each element, in place of a store and a load.

In a cache a store and a load take as long as some four additions, in main memory as 16.
"""

LOAD_FLOPS: Final = 2
"""What a load from a cache takes, in additions: an op of two arrays loads one more if repeated."""

MAX_INLINE_FLOPS: Final = 64
"""The size of an expression that is evaluated through an index map, if it is so just once."""

MAX_JOINED_OPS: Final = 192
"""Interleaved arrays are computed by no more ops where they are joined, for the compile time."""

MAX_JOINED_DEPTH: Final = 48
"""Of these ops no more follow one another."""

MIN_REPEATS: Final = 8
"""What is read so often with lanes apart in memory is copied to where they are together."""

MOVING: Final[frozenset[type[Operation]]] = frozenset(
    (SliceOp, ReverseOp, TransposeOp, PadOp, ConcatenateOp, DynamicSliceOp)
)
"""Ops that read their operands through an index map, at other positions than their own."""


class Source(NamedTuple):
    """A value that an operand is computed from, once the ops evaluated in place are followed.

    ``dims`` says how it lies in the operand: its dimension ``i`` is dimension ``dims[i]`` of the
    operand, or has size one. It is None where an index map is in between.
    """

    value: SSAValue
    dims: Axes | None


class Join(NamedTuple):
    """Ops that interleave arrays to one shape, and come after as many other kernels.

    None of them needs another, so that they share a loop.
    """

    shape: Shape
    level: int


def _inline_or(otherwise: Role) -> Callable[[Operation], Role]:
    """Return the rule of ops that are evaluated where they are needed unless that takes memory."""
    return lambda op: Role.INLINE if needed_in_memory(op) is None else otherwise


def _constant_role(op: ConstantOp) -> Role:
    is_data = needed_in_memory(op) is not None and op.value.data.data
    return Role.GLOBAL if is_data else Role.INLINE


def _concatenate_role(op: ConcatenateOp) -> Role:
    return Role.INLINE if len(op.inputs) <= MAX_PIECES else Role.KERNEL


MIN_WHOLE: Final = 0.25
"""If less of an array is replaced, the rest is not computed again along with the new part."""


def _window_update_role(op: DynamicUpdateSliceOp) -> Role:
    """Compute the whole array where a large part of it is new and the old one is needed with it.

    That is if the new part is computed from other elements of the array, if the array cannot be
    overwritten because it is an argument or a constant, or if all of the result is read by loops
    anyway.
    """
    target = root_of(op.operand)
    size, part = (prod(shape_of(v)) for v in (op.operand, op.update))
    if part < MIN_WHOLE * size or size <= MAX_ELEMENTS or known_starts(op) is None:
        return Role.KERNEL
    users = [use.operation for use in op.result.uses]
    if (
        is_kept(target)
        or isinstance(target.owner, ConstantOp)
        or all(is_elementwise(type(user)) for user in users)
        or not updates_in_place(op, lambda v: root_of(v) is target, _perhaps_evaluated)
    ):
        return Role.INLINE
    return Role.KERNEL


def is_kept(value: SSAValue) -> bool:
    """Tell whether a value is an argument of a function that must not be changed."""
    if not isinstance(value, BlockArgument):
        return False
    function = value.owner.parent_op()
    return isinstance(function, FuncOp) and value.index not in in_out_numbers(function, 0)


def _perhaps_evaluated(value: SSAValue) -> Operation | None:
    """Return the op that computes a value if it may be evaluated where it is needed."""
    op = value.owner
    if isinstance(op, Operation) and (is_elementwise(type(op)) or _kind_of(op) is Role.INLINE):
        return op
    return None


_ROLES: Final[dict[type[Operation], Callable[..., Role]]] = {
    ConstantOp: _constant_role,
    PadOp: _inline_or(Role.KERNEL),
    ReshapeOp: _inline_or(Role.VIEW),
    ConcatenateOp: _concatenate_role,
    DynamicUpdateSliceOp: _window_update_role,
    ReduceOp: lambda op: Role.LOOP,
    **dict.fromkeys(
        (IotaOp, BroadcastOp, SliceOp, ReverseOp, TransposeOp, DynamicSliceOp, GatherOp),
        lambda op: Role.INLINE,
    ),
}


def _kind_of(op: Operation) -> Role:
    rule = _ROLES.get(type(op))
    if rule is not None:
        return rule(op)
    if is_elementwise(type(op)):
        return Role.LOOP
    return Role.KERNEL if isinstance(op, ArrayOp) else Role.OPAQUE


class Roles:
    """The roles of a block's ops, and the sources of its values.

    An op that would be evaluated in place gets a loop of its own where its result is needed in
    memory. An elementwise op is evaluated in place if it is read through an index map and that
    repeats little work.

    Attributes:
        ops: the ops, in order.
        role: what becomes of each.
        sources: what each value is computed from.
        small: the ops that can be computed in registers; none if that is not wanted.
    """

    def __init__(self, block: Block, in_registers: bool = False) -> None:
        self.ops = list(ops_of(block))
        self.role: dict[Operation, Role] = {op: _kind_of(op) for op in self.ops}
        self.sources: dict[SSAValue, tuple[Source, ...]] = {}
        self.small: set[Operation] = set()
        if in_registers:
            self.small = small_ops(self.ops)
            self._hold_small()
        self._materialize()
        self._joins = {op: join for op, join in _joins_of(self.ops) if self.role[op] is Role.LOOP}
        self._inline_expressions()
        self._keep_updates_apart()
        parts = parts_read_before(
            block,
            lambda op: self.role.get(op) is Role.LOOP and op not in self.small,
            lambda op: self.role.get(op) is Role.INLINE,
        )
        self.role.update(dict.fromkeys(parts, Role.LOOP))
        self.ops, computed = read_before_updates(
            self.ops, self._updates, lambda op: self.role[op] is Role.INLINE
        )
        self.role.update(dict.fromkeys(computed, Role.LOOP))
        for op in self.ops:
            if op.results and self.role[op] is not Role.OPAQUE:
                self._follow(op)

    def is_inline(self, value: SSAValue) -> bool:
        """Tell whether a value is evaluated wherever it is needed."""
        return self.role.get(value.owner) is Role.INLINE  # type: ignore[arg-type]

    def _hold_small(self) -> None:
        """Compute small ops in registers, with data and reshapes that only such ops need."""
        for op in self.ops:
            role = self.role[op]
            if op not in self.small:
                continue
            if role in (Role.GLOBAL, Role.VIEW):
                result = op.results[0]
                if is_read_at_computed_positions(result):
                    self.small.remove(op)
                elif all(use.operation in self.small for use in result.uses):
                    self.role[op] = Role.INLINE
                else:
                    self.small.remove(op)
            elif role is Role.KERNEL:
                self.role[op] = Role.LOOP

    def _materialize(self) -> None:
        """Give a loop to what is needed in memory, and to the ends of long chains in place."""
        depth: dict[SSAValue, int] = {}
        for op in self.ops:
            role = self.role[op]
            if role is Role.INLINE:
                below = max((depth.get(v, 0) for v in op.operands), default=0)
                depth[op.results[0]] = below + 1
                if below >= MAX_INLINE_DEPTH:
                    self.role[op] = Role.LOOP
                    depth[op.results[0]] = 0
            elif role in (Role.KERNEL, Role.VIEW, Role.OPAQUE):
                for value in op.operands[:1] if self._updates(op) else op.operands:
                    if self.is_inline(value):
                        self.role[value.owner] = Role.LOOP  # type: ignore[index]
            if type(op) is BroadcastOp and self._repeats_strided(op):
                self.role[op.operands[0].owner] = Role.LOOP  # type: ignore[index]

    def _repeats_strided(self, op: Any) -> bool:
        """Tell whether a broadcast has the lanes of vectors read apart in memory many times."""
        operand, result = shape_of(op.operand), shape_of(op.result)
        if not self.is_inline(op.operand) or not operand or op.dims.data[-1] != len(result) - 1:
            return False
        if prod(result) < MIN_REPEATS * prod(operand):
            return False
        strides = self._strides_of(op.operand)
        return strides is not None and operand[-1] > 1 and abs(strides[-1]) > 1

    def _strides_of(self, value: SSAValue) -> Shape | None:
        """Return how far apart in memory neighbours along each dimension are; None if it varies."""
        if not self.is_inline(value):
            return row_major(shape_of(value))
        op = value.owner
        assert isinstance(op, Operation)
        rule = _STRIDES.get(type(op))
        strides = self._strides_of(op.operands[0]) if rule is not None else None
        return None if rule is None or strides is None else rule(op, strides)

    def _inline_expressions(self) -> None:
        """Evaluate elementwise ops in place where index maps read them and little is repeated."""
        paths: dict[Operation, _Paths] = {}
        joined: Counter[Join | None] = Counter()
        for op in reversed(self.ops):
            role = self.role[op]
            if role not in (Role.LOOP, Role.INLINE):
                continue
            found = paths[op] = self._paths_to(op, paths)
            if (
                role is Role.LOOP
                and is_elementwise(type(op))
                and op not in self.small
                and joined[found.join] < MAX_JOINED_OPS
                and found.allow(_is_scalar(op))
            ):
                self.role[op] = Role.INLINE
                joined[found.join] += found.join is not None

    def _keep_updates_apart(self) -> None:
        """Compute before an update what reads the updated array, so that it can be in place."""
        for op in self.ops:
            if self._updates(op):
                self._keep_apart(op)

    def _updates(self, op: Operation) -> bool:
        """Tell whether an op is a kernel that stores over the array that it updates."""
        return type(op) in UPDATING and self.role[op] is Role.KERNEL

    def _keep_apart(self, op: Any) -> None:
        target = root_of(op.operands[0])
        if updates_in_place(op, lambda v: root_of(v) is target, self._evaluated):
            return
        for value in op.operands[1:]:
            if self.is_inline(value) and not isinstance(value.owner, ConstantOp | IotaOp):
                self.role[value.owner] = Role.LOOP

    def _evaluated(self, value: SSAValue) -> Operation | None:
        """Return the op that is evaluated in place where a value is needed."""
        return value.owner if self.is_inline(value) else None  # type: ignore[return-value]

    def _paths_to(self, op: Operation, paths: dict[Operation, _Paths]) -> _Paths:
        """Return how the loops of other ops reach an op's result."""
        direct, flops, depth, in_memory = 0, 0, 0, False
        moved = repeated = 0.0
        joins: set[Join] = set()
        for use in op.results[0].uses:
            user = use.operation
            kind = type(user)
            role = self.role[user]
            join = self._join_of(user, paths) if self._joins else None
            if user in self.small and op not in self.small:
                in_memory = True
            elif join is not None:
                beyond = paths.get(user, _NO_PATHS)
                flops, depth = max(flops, beyond.flops), max(depth, beyond.depth)
                joins.add(join)
            elif role is Role.INLINE or (role is Role.LOOP and _is_moved(use)):
                beyond = paths.get(user, _NO_PATHS)
                reads = (beyond.reads or 1) * _expansion(use)
                if is_elementwise(kind) or beyond.moved or _is_moved(use):
                    moved += reads
                    flops = max(flops, beyond.flops)
                    repeated = max(repeated, beyond.repeated)
                else:
                    direct = 1
            elif role is Role.LOOP:
                direct = 1
            elif self._updates(user) and use.index:
                moved += 1
            else:
                in_memory = True
        lone = next(iter(joins)) if len(joins) == 1 and not direct and not moved else None
        moved += len(joins)
        reads = round(direct + moved, 3)  # so that parts are a whole together
        own = flops_of(type(op))
        if reads > 1:
            repeated += (reads - 1) * (own + LOAD_FLOPS * max(_arrays_read(op) - 1, 0))
        return _Paths(reads, moved, flops + own, repeated, in_memory, lone, depth + 1)

    def _join_of(self, user: Operation, paths: dict[Operation, _Paths]) -> Join | None:
        """Return the loop that interleaves arrays, if a user is evaluated in that one alone.

        There each position is computed for all of the arrays at once, so that what several of them
        need is evaluated once.
        """
        role = self.role[user]
        if role is Role.LOOP:
            return self._joins.get(user)
        if role is not Role.INLINE or user not in paths:
            return None
        keeps = is_elementwise(type(user)) or (type(user) is ReshapeOp and is_unit_reshape(user))
        return paths[user].join if keeps else None

    def _follow(self, op: Operation) -> None:
        """Find the sources of an op's results."""
        for result in op.results:
            self.sources[result] = (Source(result, identity_dims(len(shape_of(result)))),)
        if self.role[op] is Role.INLINE:
            found = self.sources_of(op)
            if len(found) <= MAX_SOURCES:
                self.sources[op.results[0]] = found
            else:
                self.role[op] = Role.LOOP

    def sources_of(self, op: Operation) -> tuple[Source, ...]:
        """Return what an op's result is computed from, each in terms of the op's own loops."""
        operands = op._operands
        if is_elementwise(type(op)) or type(op) is ReduceOp:  # they lie as the op does
            found = self._sources(operands[0])
            for other in operands[1:]:
                found = _union(found, self._sources(other))
            return found
        composed: tuple[Source, ...] = ()
        for operand, dims in zip(operands, operand_dims(op)):
            composed = _union(composed, [_compose(s, dims) for s in self._sources(operand)])
        return composed

    def in_memory(self, op: Operation) -> Iterator[SSAValue]:
        """Yield the values that a kernel of one op reads from memory."""
        if not self._updates(op):
            yield from op.operands
            return
        yield op.operands[0]
        for operand in op.operands[1:]:
            yield from (source.value for source in self._sources(operand))

    def _sources(self, value: SSAValue) -> tuple[Source, ...]:
        found = self.sources.get(value)
        if found is None:  # an argument of the block, or what a loop or a branch gives
            found = self.sources[value] = (Source(value, identity_dims(len(shape_of(value)))),)
        return found


def small_ops(ops: Iterable[Operation]) -> set[Operation]:
    """Return the ops that can be computed in registers, given how their operands are.

    An operand is small, or read by a slice in memory. If it is evaluated in place, that must be
    possible in registers too.
    """
    small: set[Operation] = set()
    for op in ops:
        if len(op.results) == 1 and is_small_op(op):
            owners = [v.owner for v in op._operands]
            if all(o in small or _kind_of_owner(o) is not Role.INLINE for o in owners):
                small.add(op)
    return small


def _kind_of_owner(owner: Operation | Block) -> Role | None:
    return _kind_of(owner) if isinstance(owner, Operation) else None


def _union(left: tuple[Source, ...], right: Iterable[Source]) -> tuple[Source, ...]:
    return left + tuple([source for source in right if source not in left])


MAX_SOURCES: Final = 16
"""A value computed from more than so many others is not evaluated in place."""


class _Paths(NamedTuple):
    """How often loops evaluate a value if it is evaluated in place.

    ``reads`` counts all positions that one element is asked for at, on average, ``moved`` those
    through index maps; ``flops`` is what the expression takes from this value on, ``repeated`` what
    of that is done more than once. ``join`` is the loop that interleaves arrays, if that one alone
    evaluates the value, ``depth`` how many ops are on the way there.
    """

    reads: float
    moved: float
    flops: int
    repeated: float
    in_memory: bool
    join: Join | None = None
    depth: int = 0

    def allow(self, is_scalar: bool) -> bool:
        """Tell whether the op, perhaps one of a single element, is to be evaluated in place."""
        if not self.moved or self.in_memory:
            return False
        if self.join is not None:
            return self.depth <= MAX_JOINED_DEPTH
        if self.reads <= 1 or is_scalar:
            return self.reads * self.flops <= MAX_INLINE_FLOPS
        return self.repeated <= MAX_REPEATED_FLOPS and self.flops <= MAX_INLINE_FLOPS


_NO_PATHS: Final = _Paths(0, 0, 0, 0, False)


def _reshaped_strides(op: ReshapeOp, strides: Shape) -> Shape | None:
    before, after = shape_of(op.operand), shape_of(op.result)
    if squeeze(before) != squeeze(after):
        return None
    sized = iter([stride for n, stride in zip(before, strides) if n != 1])
    return tuple([0 if n == 1 else next(sized) for n in after])


_STRIDES: Final[dict[type[Operation], Callable[[Any, Shape], Shape | None]]] = {
    SliceOp: lambda op, strides: tuple([s * k for s, k in zip(strides, op.strides.data)]),
    TransposeOp: lambda op, strides: tuple([strides[d] for d in op.permutation.data]),
    DynamicSliceOp: lambda op, strides: strides,
    ReshapeOp: _reshaped_strides,
}
"""What the index maps that keep neighbours at one distance make of that distance."""


def _joins_of(ops: Sequence[Operation]) -> Iterator[tuple[Operation, Join]]:
    """Yield the ops that interleave a few arrays, and the loop of each."""
    found = {op for op in ops if type(op) is ConcatenateOp and interleaves(op)}
    level: dict[SSAValue, int] = {}
    for op in ops if found else ():
        own = max([level.get(v, 0) for v in op.operands], default=0)
        if op in found and len(op.operands) <= SHORT_LOOP:
            yield op, Join(shape_of(op.results[0]), own)
        ends = op in found or type(op) is ReduceOp or _kind_of(op) in (Role.KERNEL, Role.OPAQUE)
        level.update(dict.fromkeys(op.results, own + ends))


def interleaves(op: Operation) -> bool:
    """Tell whether a concatenation takes each position of the last dimension from another array."""
    shape = shape_of(op.results[0])
    return dim_of(op.properties) == len(shape) - 1 and len(op.operands) == shape[-1]


def _is_scalar(op: Operation) -> bool:
    return prod(shape_of(op.results[0])) == 1


def _arrays_read(op: Operation) -> int:
    """Return how many operands differ from element to element."""
    return sum(not _repeats_number(v.owner) for v in set(op._operands))


def _repeats_number(owner: Operation | Block) -> bool:
    if type(owner) is BroadcastOp:
        return prod(shape_of(owner.operand)) == 1
    return type(owner) is ConstantOp


def _is_moved(use: Use) -> bool:
    """Tell whether a use is through an index map, or of a position that moves another operand."""
    kind = type(use.operation)
    if kind is GatherOp and use.index:
        return prod(shape_of(use.operation.operands[use.index])) == 1
    if kind is DynamicUpdateSliceOp:
        return use.index > 0
    return kind in MOVING or kind is GatherOp


def _expansion(use: Use) -> float:
    """Return how many elements of the result one of the operand goes to, on average."""
    op = use.operation
    if isinstance(op, BroadcastOp | SliceOp) or (
        isinstance(op, GatherOp | DynamicSliceOp) and use.index == 0
    ):
        operand, result = (prod(shape_of(v)) for v in (op.operands[0], op.results[0]))
        return result / max(operand, 1)
    return 1


def _compose(source: Source, dims: Axes | None) -> Source:
    """Return an operand's source as a source of the op, in which the operand lies by ``dims``."""
    if source.dims is None:
        return source
    if dims is None:
        return Source(source.value, None)
    return Source(source.value, project(source.dims, dims))
