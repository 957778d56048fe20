"""Iteration spaces: which loops compute the values of a fusion's body.

All values of a body that are computed element by element share one space of loops, the *domain*:
the shape of the largest of them. Every other value runs along some of the domain's dimensions,
in rising order: the result of a reduction along those that remain, the operand of a broadcast
along those it has.

A value that is only read through an index map (the operand of a slice, a reverse, a transpose, a
pad, a concatenation, a gather, a general reshape or a product) takes no part in the space: it is
evaluated at the positions that the map gives.

Fusion puts ops into one kernel, and lowering finds its loops, by what is told here of each op:
how its operands lie in its loops (`operand_dims`), and what it reads from memory alone
(`needed_in_memory`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import prod
from typing import Any, Final, NamedTuple

from xdsl.ir import Block, Operation, SSAValue

from ..array.effect import CallbackOp
from ..array.elementwise import ElementwiseOp
from ..array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, GatherOp
from ..array.reduction import ArgReduceOp, CumulativeOp, ReduceOp
from ..array.shape import BroadcastOp, ConstantOp, IotaOp, PadOp, ReshapeOp, dim_of
from ..errors import GradatimError
from ..types import Shape, is_splat, shape_of, spell
from .schedule import Schedule

NO_LOOP: Final = -1
"""The axis of a dimension of size one that no loop runs along."""

Axes = tuple[int, ...]


class IterationSpace(NamedTuple):
    """The loops of a fusion.

    Attributes:
        domain: the extents of the loops.
        axes: for each value that is computed or read element by element, the dimension of the
            domain that each of its dimensions runs along, or ``NO_LOOP``. Values that are missing
            are read through index maps.
    """

    domain: Shape
    axes: dict[SSAValue, Axes]


class Link(NamedTuple):
    """How a value lies in a larger one: its dimension ``i`` is ``dims[i]`` of the larger."""

    larger: SSAValue
    smaller: SSAValue
    dims: Axes


def squeeze(shape: Shape) -> Shape:
    """Return the shape without its dimensions of size one."""
    return tuple(n for n in shape if n != 1)


def is_elementwise(op_type: type[Operation]) -> bool:
    """Tell whether a type of ops is elementwise: as ``issubclass``, in less time."""
    found = _elementwise.get(op_type)
    if found is None:
        found = _elementwise[op_type] = issubclass(op_type, ElementwiseOp)
    return found


_elementwise: dict[type[Operation], bool] = {}


def is_numbering(op: Operation) -> bool:
    """Tell whether an op numbers elements in row-major order: the reshape of a flat iota.

    It is computed from the position of an element, as if that were memory; so it runs along all
    loops that joined loops stand for.
    """
    if not isinstance(op, ReshapeOp) or not isinstance(op.operand.owner, IotaOp):
        return False
    return len(shape_of(op.operand)) == 1


def needed_in_memory(op: Operation) -> SSAValue | None:
    """Return the value that is in memory where the op is read at some position, if there is one.

    That is data, the operand of a reshape that makes other rows of it, and an array with padding
    between its elements.
    """
    if isinstance(op, ReshapeOp):
        return None if is_unit_reshape(op) or is_numbering(op) else op.operand
    if isinstance(op, ConstantOp):
        return None if is_splat(op.value) else op.result
    if isinstance(op, PadOp):
        return op.result if any(op.interior.data) else None
    return None


def is_unit_reshape(op: ReshapeOp) -> bool:
    """Tell whether a reshape only adds or drops dimensions of size one."""
    return squeeze(shape_of(op.operand)) == squeeze(shape_of(op.result))


def operand_dims(op: Operation) -> Sequence[Axes | None]:
    """Return how each operand lies in the op's loops; None where it is read by an index map.

    The loops are those over the op's result, but over the operand of an op that reduces.
    Dimension ``i`` of an operand is the ``dims[i]``-th of the loops.
    """
    rule = _OPERAND_DIMS.get(type(op))
    if rule is not None:
        return rule(op)
    if is_elementwise(type(op)):
        return _like_first(op)
    return [None] * len(op.operands)


@cache
def identity_dims(rank: int) -> Axes:
    """Return the dims of an operand that has all loops, in order."""
    return tuple(range(rank))


def _like_first(op: Operation) -> Sequence[Axes | None]:
    operands = op.operands
    return [identity_dims(len(shape_of(operands[0])))] * len(operands)


def _reshape_dims(op: Any) -> Sequence[Axes | None]:
    if not is_unit_reshape(op):
        return [None]
    sized = iter([d for d, n in enumerate(shape_of(op.result)) if n != 1])
    return [tuple(NO_LOOP if n == 1 else next(sized) for n in shape_of(op.operand))]


def _gather_dims(op: Any) -> Sequence[Axes | None]:
    """The indices run along the first dimensions of the result."""
    rank = len(shape_of(op.indices[0]))
    return [None, *[identity_dims(rank)] * len(op.indices)]


def _update_dims(op: Any) -> Sequence[Axes | None]:
    rank = len(op.starts)
    return [identity_dims(rank), None, *[()] * rank]


_OPERAND_DIMS: Final[dict[type[Operation], Callable[[Any], Sequence[Axes | None]]]] = {
    **dict.fromkeys((ReduceOp, ArgReduceOp, CumulativeOp), _like_first),
    BroadcastOp: lambda op: [op.dims.data],
    ReshapeOp: _reshape_dims,
    PadOp: lambda op: [None, ()],
    GatherOp: _gather_dims,
    DynamicSliceOp: lambda op: [None, *[()] * len(op.starts)],
    DynamicUpdateSliceOp: _update_dims,
}


def links_of(op: Operation) -> list[Link]:
    """Return how the op's result and the operands that share its loops lie in each other.

    Operands that are read through an index map have no link.
    """
    if not op.results:
        return []
    if isinstance(op, ReduceOp | ArgReduceOp):
        return [_reduced(op)]
    found = zip(op.operands, operand_dims(op))
    return [Link(op.results[0], operand, dims) for operand, dims in found if dims is not None]


def _reduced(op: ReduceOp | ArgReduceOp) -> Link:
    dims = op.dims.data if isinstance(op, ReduceOp) else (dim_of(op.properties),)
    operand = op.operands[0]
    kept = tuple(d for d in range(len(shape_of(operand))) if d not in dims)
    return Link(operand, op.results[0], kept)


def iterated_values(block: Block) -> list[SSAValue]:
    """Return the values of a body that its loops compute or read element by element, in order.

    What Python computes comes from no loop.
    """
    last = block.last_op
    wanted = set(last.operands) if last is not None else set()
    for op in reversed(list(block.ops)):
        if op.results and op.results[0] in wanted:
            for larger, smaller, _ in links_of(op):
                wanted.update((larger, smaller))
    results = (v for op in block.ops if not isinstance(op, CallbackOp) for v in op.results)
    return [v for v in (*block.args, *results) if v in wanted]


def domain_of(shapes: Sequence[Shape]) -> Shape:
    """Return the largest shape; of several as large, the first one of highest rank."""
    return max(shapes, key=lambda s: (prod(n or 1 for n in s), len(squeeze(s)), len(s)), default=())


def identity_axes(shape: Shape, domain: Shape) -> Axes:
    """Return the axes of a value that has all of the domain's dimensions but for size one."""
    sized = iter([d for d, n in enumerate(domain) if n != 1])
    return tuple(NO_LOOP if n == 1 else next(sized) for n in shape)


def iteration_space(block: Block) -> IterationSpace:
    """Return the iteration space of a fusion's body.

    Raises:
        GradatimError: if there is none: the values do not share one loop nest.
    """
    values = iterated_values(block)
    domain = domain_of([shape_of(v) for v in values])
    full = squeeze(domain)
    axes = {v: identity_axes(shape_of(v), domain) for v in values if squeeze(shape_of(v)) == full}
    wanted = set(values)
    links = [link for op in block.ops for link in links_of(op) if op.results[0] in wanted]
    _propagate(links, axes)
    _require_consistent(links, axes)
    for value in values:
        if value not in axes:
            raise GradatimError(f"a value {spell(value)} is not in the loops over {list(domain)}")
    return IterationSpace(domain, axes)


def _propagate(links: Sequence[Link], axes: dict[SSAValue, Axes]) -> None:
    """Give axes to every value that has a link to one with axes."""
    before = -1
    while len(axes) != before:
        before = len(axes)
        for link in (*links, *reversed(links)):
            if link.smaller not in axes and link.larger in axes:
                axes[link.smaller] = project(link.dims, axes[link.larger])
            elif link.larger not in axes and link.smaller in axes:
                lifted = lift(link, axes[link.smaller])
                if lifted is not None:
                    axes[link.larger] = lifted


def project(inner: Axes, outer: Axes) -> Axes:
    """Return where ``inner`` dimensions lie, by way of the ``outer`` ones they are numbers of."""
    return tuple([NO_LOOP if d == NO_LOOP else outer[d] for d in inner])


def lift(link: Link, smaller: Axes) -> Axes | None:
    """Return the axes of a link's larger value if the smaller one has all of its dimensions."""
    shape = shape_of(link.larger)
    place = dict(zip(link.dims, smaller))
    if any(n != 1 and d not in place for d, n in enumerate(shape)):
        return None
    return tuple(NO_LOOP if n == 1 else place[d] for d, n in enumerate(shape))


def _require_consistent(links: Sequence[Link], axes: dict[SSAValue, Axes]) -> None:
    for link in links:
        if link.larger in axes and link.smaller in axes:
            expected = project(link.dims, axes[link.larger])
            if _sized(link.smaller, expected) != _sized(link.smaller, axes[link.smaller]):
                raise GradatimError(
                    f"a value {spell(link.smaller)} would run along two dimensions at once"
                )


def _sized(value: SSAValue, axes: Axes) -> list[int]:
    return [a for a, n in zip(axes, shape_of(value)) if n != 1]


def reduced_axes(op: ReduceOp, space: IterationSpace) -> frozenset[int]:
    """Return the dimensions of the domain that a reduction runs over, but for size one.

    Raises:
        GradatimError: if the reduction takes no part in the space.
    """
    operand = space.axes.get(op.operand)
    if operand is None:
        raise GradatimError(f"a reduction of {spell(op.operand)} is read through an index map")
    return frozenset(operand[d] for d in op.dims.data) - {NO_LOOP}


def reductions_of(block: Block) -> Iterator[ReduceOp]:
    """Yield the reductions of a body."""
    for op in block.ops:
        if isinstance(op, ReduceOp):
            yield op


def is_used_within(value: SSAValue, block: Block) -> bool:
    """Tell whether an op of the body, the terminator apart, uses the value."""
    return any(use.operation is not block.last_op for use in value.uses)


def require_schedule(block: Block, space: IterationSpace, schedule: Schedule) -> None:
    """Check that a schedule fits a body.

    Raises:
        GradatimError: if a dimension is none of the domain, if the parallel dimensions are not
            outermost, or if the rows are not what a reduction needs: one whose result is used in
            the body runs over all columns, any other over all of them or none.
    """
    dims = range(len(space.domain))
    for name in ("rows", "parallel"):
        listed = getattr(schedule, name)
        if list(listed) != sorted(set(listed)) or not set(listed) <= set(dims):
            raise GradatimError(
                f"{name} = {list(listed)} are not rising dimensions of {list(space.domain)}"
            )
    if min(schedule.vector, schedule.unroll, schedule.tile) < 1:
        raise GradatimError("vector, unroll and tile are at least 1")
    outer = schedule.rows or tuple(dims)
    if schedule.parallel != outer[: len(schedule.parallel)]:
        raise GradatimError(
            f"parallel = {list(schedule.parallel)} are not the first of {list(outer)}"
        )
    columns = {d for d in dims if d not in schedule.rows and space.domain[d] != 1}
    for op in reductions_of(block):
        reduced = reduced_axes(op, space)
        inner = reduced & columns
        used = bool(reduced) and is_used_within(op.result, block)
        if (used and reduced != columns) or (inner and inner != columns):
            raise GradatimError(
                f"a reduction over {sorted(reduced)} does not fit rows = {list(schedule.rows)}"
            )
