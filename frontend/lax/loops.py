"""Loops: `scan`, `fori_loop` and `while_loop`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from xdsl.ir import Block, BlockArgument

from ...ir.locations import spell_location
from .. import tree
from ..arguments import ShapeDtypeStruct
from ..boundary import public
from ..checkpointing import checkpoint
from ..errors import ArgumentError, CarryError, TracerMutationError
from ..regions import (
    TracedRegion,
    assign_changed,
    changed_cells,
    converted,
    lift_tree,
    type_of_tracer,
    values_of,
    wrapped,
)
from ..tracer import Tracer
from ..tracing import Trace, current_trace
from ..tree import TreeDef
from .common import all_captures, common_type, describe, here, in_trace

_STEP = ShapeDtypeStruct((), np.dtype(np.int64), True)


@public
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    *,
    checkpoint_every: int | None = None,
) -> tuple[Any, Any]:
    """Run ``carry, y = f(carry, x)`` over the leading axis of ``xs``; return last carry and all ys.

    Args:
        f: takes the carry and one part of ``xs``, of the shapes of the leaves without their first
            dimension; returns the next carry, of the same structure and types, and anything.
        init: the first carry, a tree of arrays. A Python scalar takes the dtype that ``f`` makes of
            it.
        xs: a tree of arrays with one size along dimension 0; None passes None to ``f``.
        length: the number of steps, needed where ``xs`` has no array.
        reverse: whether to begin at the last part; ys are stacked at their parts' positions.
        unroll: how many steps to write out in the loop's body; True for all.
        checkpoint_every: reverse mode keeps the carry of every so many steps only, and runs the
            steps between two of them again; the square root of the number of steps needs the least
            memory. None keeps what the derivative of each step needs.

    Returns:
        The last carry, and the tree of ys with a new dimension 0.

    Raises:
        CarryError: (a TypeError) if a carry changes structure, shape or dtype.
        ArgumentError: (a TypeError) if sizes along dimension 0 differ, ``length`` is missing, or
            ``checkpoint_every`` is less than 1.
    """
    options: dict[str, Any] = {"length": length, "reverse": bool(reverse), "unroll": unroll}
    if checkpoint_every is None:
        return in_trace(_scan, (f,), (init, xs), **options)
    options["every"] = operator.index(checkpoint_every)
    return in_trace(_scan_segments, (f,), (init, xs), **options)


@public
def fori_loop(
    lower: Any,
    upper: Any,
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    unroll: int | bool | None = None,
) -> Any:
    """Run ``val = body_fun(i, val)`` for ``i`` from ``lower`` to below ``upper``; return the last.

    Both bounds may be traced; the loop can be differentiated in both modes all the same.

    Args:
        lower: the first i, an integer.
        upper: the end, an integer.
        body_fun: takes i and a tree of arrays, and returns the next tree, of the same types.
        init_val: the first tree.
        unroll: how many steps to write out in the loop's body, where the bounds are known; True for
            all.

    Raises:
        CarryError: (a TypeError) if a leaf of the tree changes shape or dtype.
        ArgumentError: (a TypeError) if a bound is not one integer.
    """
    bounds = [_bound(lower, "lower"), _bound(upper, "upper")]
    if any(isinstance(bound, Tracer) for bound in bounds):
        return _counted_while(bounds[0], bounds[1], body_fun, init_val)
    first, end = (operator.index(bound) for bound in bounds)
    options: dict[str, Any] = {"first": first, "count": max(end - first, 0), "unroll": unroll or 1}
    return in_trace(_fori, (body_fun,), (init_val,), **options)


@public
def while_loop(
    cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any
) -> Any:
    """Run ``val = body_fun(val)`` while ``cond_fun(val)`` holds; return the last val.

    The number of steps need not be known; the loop can be differentiated in both modes all the
    same.

    Args:
        cond_fun: takes a tree of arrays and returns one bool.
        body_fun: takes the tree and returns the next one, of the same structure and types.
        init_val: the first tree.

    Raises:
        CarryError: (a TypeError) if a leaf of the tree changes shape or dtype, or ``cond_fun`` does
            not return one bool.
    """
    return in_trace(_while, (cond_fun, body_fun), (init_val,))


class Body(NamedTuple):
    """The body of a loop, traced, and carries of the types that it keeps."""

    region: TracedRegion
    carries: list[Tracer]
    types: list[ShapeDtypeStruct]


def trace_body(
    outer: Trace,
    make: Callable[[Sequence[ShapeDtypeStruct]], TracedRegion],
    carries: Sequence[Tracer],
    structure: TreeDef,
    promote: bool = False,
) -> Body:
    """Trace a loop's body on carries whose types it keeps.

    Python scalars among the first carries take the dtypes that the body gives them, for which it is
    traced again. So it is where an array outside turns out to change.

    Args:
        outer: the trace of the loop.
        make: traces the body for types of the carries; its first results are the next ones.
        carries: the first carries.
        structure: their structure, for messages.
        promote: whether carries are promoted as NumPy does, until their types stay.

    Raises:
        CarryError: if a type changes.
    """
    current = list(carries)
    while True:
        types = [type_of_tracer(carry) for carry in current]
        region = make(types)
        if region.outdated:
            continue
        given = region.types[: len(types)]
        common = [
            _next_type(region, structure, i, old, new, promote)
            for i, (old, new) in enumerate(zip(types, given))
        ]
        if common == types:
            return Body(region, current, types)
        outer.locate()
        current = [converted(carry, type_) for carry, type_ in zip(current, common)]


def _next_type(
    region: TracedRegion,
    structure: TreeDef,
    number: int,
    old: ShapeDtypeStruct,
    new: ShapeDtypeStruct,
    promote: bool,
) -> ShapeDtypeStruct:
    found = common_type(old, new, promote)
    if found is not None and (promote or old.weak_type or found.dtype == old.dtype):
        return found
    path = structure.paths("carry")[number]
    raise CarryError(
        f"`{path}` enters {describe(region.function)} as {old} and leaves it as {new}; what a loop "
        "carries must keep its type: convert it, for example by `astype`",
        here(),
    )


def _require_structure(region: TracedRegion, found: TreeDef, expected: TreeDef) -> None:
    if found != expected:
        raise CarryError(
            f"{describe(region.function)} takes a carry of structure {expected} "
            f"and returns {found}",
            here(),
        )


# Scans


def _scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any,
    *,
    length: int | None,
    reverse: bool,
    unroll: int | bool,
) -> tuple[Any, Any]:
    outer = current_trace()
    assert outer is not None
    carries, structure = lift_tree(outer, init)
    elements, elements_structure = lift_tree(outer, xs)
    count = _length(elements, elements_structure, length)
    parts = [ShapeDtypeStruct(x.shape[1:], x.dtype) for x in elements]

    def make(types: Sequence[ShapeDtypeStruct]) -> TracedRegion:
        def unflatten(leaves: Sequence[Any]) -> Sequence[Any]:
            split = 1 + len(types)
            carry = structure.unflatten(leaves[1:split])
            return carry, elements_structure.unflatten(leaves[split:])

        region = TracedRegion(outer, f, [_STEP, *types, *parts], unflatten)
        _require_structure(region, _pair_of(region)[0], structure)
        return region

    body = trace_body(outer, make, carries, structure)
    values, types = append_scan(outer, body, elements, count, reverse, unroll)
    results = wrapped(outer, values, types)
    split = len(body.carries)
    ys = _pair_of(body.region)[1]
    return structure.unflatten(results[:split]), ys.unflatten(results[split:])


def _scan_segments(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any,
    *,
    every: int,
    reverse: bool,
    length: int | None,
    unroll: int | bool,
) -> tuple[Any, Any]:
    """Scan over segments of ``every`` steps, each a scan that is run again in reverse mode."""
    if every < 1:
        raise ArgumentError(f"checkpoint_every must be at least 1: {every}", here())
    outer = current_trace()
    assert outer is not None
    elements, structure = lift_tree(outer, xs)
    count = _length(elements, structure, length)
    segments, rest = divmod(count, every)
    # The rest is run last: it is what is at the end, or in reverse at the beginning.
    whole = slice(rest, None) if reverse else slice(count - rest)
    other = slice(rest) if reverse else slice(count - rest, None)

    def segment(steps: int) -> Callable[[Any, Any], Any]:
        return checkpoint(lambda carry, x: scan(f, carry, x, steps, reverse, unroll))

    parts = [x[whole].reshape(segments, every, *x.shape[1:]) for x in elements]
    carry, ys = scan(segment(every), init, structure.unflatten(parts), segments, reverse)
    ys = tree.map(lambda y: y.reshape(segments * every, *y.shape[2:]), ys)
    if not rest:
        return carry, ys
    parts = [x[other] for x in elements]
    carry, last = segment(rest)(carry, structure.unflatten(parts))
    first, second = (last, ys) if reverse else (ys, last)
    return carry, tree.map(lambda y, z: np.concatenate((y, z)), first, second)


def _pair_of(region: TracedRegion) -> tuple[TreeDef, TreeDef]:
    """Return the structures of the carry and of the ys that the function of a scan returns."""
    structure = region.structure
    if structure.kind not in (tree.TUPLE, tree.LIST) or len(structure.children) != 2:
        raise CarryError(
            f"the function of a scan returns a pair of the next carry and what to stack, but "
            f"{describe(region.function)} returns {structure}",
            here(),
        )
    return structure.children[0], structure.children[1]


def append_scan(
    outer: Trace,
    body: Body,
    elements: Sequence[Tracer],
    count: int,
    reverse: bool,
    unroll: int | bool,
) -> tuple[Sequence[Any], list[ShapeDtypeStruct]]:
    """Append a scan and return its results, the last carries and then the ys, with their types.

    Args:
        outer: the trace of the loop.
        body: takes the step's index, the carries, and the parts of ``elements``.
        elements: what is scanned over.
        count: the number of steps.
        reverse: whether to begin at the last one.
        unroll: how many steps to write out; True for all.
    """
    region = body.region
    ys = [type_.strong() for type_ in region.types[len(body.types) :]]
    captures = region.captures
    changed = changed_cells([region])
    numbers = _numbers_of(region)
    block = region.finish([*body.types, *ys], captures, changed)
    consts = _become_carries(block, numbers, len(captures) + 1, captures)
    _move_argument(block, len(consts), 0)
    outer.locate()
    values = outer.builder.scan(
        count,
        values_of(consts),
        values_of([*(captures[n] for n in numbers), *body.carries]),
        values_of(elements),
        block,
        reverse=reverse,
        unroll=_unrolling(unroll, count),
    )
    assign_changed(outer, changed, values)
    stacked = [ShapeDtypeStruct((count, *type_.shape), type_.dtype) for type_ in ys]
    return values[len(changed) :], [*body.types, *stacked]


def _numbers_of(region: TracedRegion) -> list[int]:
    """Return the numbers of the captures that a loop's body changes, and so carries."""
    return [cast(BlockArgument, mutation.parameter).index for mutation in region.mutations]


def _become_carries(
    block: Block, numbers: Sequence[int], first: int, captures: Sequence[Tracer]
) -> list[Tracer]:
    """Move captures that change before the carries; return the captures that remain.

    Args:
        block: a block of the loop.
        numbers: which captures.
        first: the number of the first carry.
        captures: all of them.
    """
    moved = [block.args[n] for n in numbers]
    for argument in moved:
        _move_argument(block, argument.index, first - 1)
    return [capture for n, capture in enumerate(captures) if n not in numbers]


def _move_argument(block: Block, old: int, new: int) -> None:
    """Move a block's argument to another place among them."""
    argument = block.args[old]
    moved = block.insert_arg(argument.type, new + 1 if new > old else new)
    moved.location, moved.name_hint = argument.location, argument.name_hint
    argument.replace_all_uses_with(moved)
    block.erase_arg(argument)


def _unrolling(unroll: int | bool, count: int) -> int | None:
    wanted = count if unroll is True else int(unroll)
    if wanted < 0:
        raise ArgumentError(f"unroll must not be negative: {unroll}", here())
    return wanted if wanted > 1 else None


def _length(elements: Sequence[Tracer], structure: TreeDef, length: int | None) -> int:
    sizes: dict[int, str] = {}
    for element, path in zip(elements, structure.paths("xs")):
        if not element.shape:
            raise ArgumentError(f"`{path}` has no dimension to scan over: it is {element}", here())
        sizes.setdefault(element.shape[0], f"`{path}` ({type_of_tracer(element)})")
    if length is not None:
        sizes.setdefault(operator.index(length), "length")
    if not sizes:
        raise ArgumentError("a scan without xs needs a length", here())
    if len(sizes) > 1:
        found = ", ".join(f"{size} of {what}" for size, what in sizes.items())
        raise ArgumentError(f"a scan needs one length, found {found}", here())
    (count,) = sizes
    if count < 0:
        raise ArgumentError(f"the length of a scan must not be negative: {count}", here())
    return count


# Loops over a range


def _fori(
    body_fun: Callable[[Any, Any], Any],
    init_val: Any,
    *,
    first: int,
    count: int,
    unroll: int | bool,
    promote: bool = False,
) -> Any:
    outer = current_trace()
    assert outer is not None
    carries, structure = lift_tree(outer, init_val)

    def make(types: Sequence[ShapeDtypeStruct]) -> TracedRegion:
        def unflatten(leaves: Sequence[Any]) -> Sequence[Any]:
            step = leaves[0] + first if first else leaves[0]
            return step, structure.unflatten(leaves[1:])

        region = TracedRegion(outer, body_fun, [_STEP, *types], unflatten)
        _require_structure(region, region.structure, structure)
        return region

    body = trace_body(outer, make, carries, structure, promote)
    values, types = append_scan(outer, body, (), count, False, unroll)
    return structure.unflatten(wrapped(outer, values, types))


def _bound(value: Any, what: str) -> Any:
    if isinstance(value, Tracer):
        if value.shape or value.dtype.kind not in "iu":
            raise ArgumentError(f"`{what}` must be one integer, found {value}", here())
        return value
    array = np.asarray(value)
    if array.shape or array.dtype.kind not in "iu":
        raise ArgumentError(f"`{what}` must be one integer, found {value!r}", here())
    return value


def _counted_while(
    lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any
) -> Any:
    """Loop over a range whose bounds are known only when compiled code runs."""

    def condition(state: tuple[Any, Any, Any]) -> Any:
        i, end, _ = state
        return i < end

    def body(state: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        i, end, val = state
        return i + 1, end, body_fun(i, val)

    body.__name__ = getattr(body_fun, "__name__", body.__name__)
    return in_trace(_while, (condition, body), ((lower, upper, init_val),))[2]


# Loops under a condition


def _while(
    cond_fun: Callable[[Any], Any],
    body_fun: Callable[[Any], Any],
    init_val: Any,
    promote: bool = False,
) -> Any:
    outer = current_trace()
    assert outer is not None
    carries, structure = lift_tree(outer, init_val)

    def unflatten(leaves: Sequence[Any]) -> Sequence[Any]:
        return (structure.unflatten(leaves),)

    def make(types: Sequence[ShapeDtypeStruct]) -> TracedRegion:
        region = TracedRegion(outer, body_fun, types, unflatten)
        _require_structure(region, region.structure, structure)
        return region

    body = trace_body(outer, make, carries, structure, promote)
    condition = TracedRegion(outer, cond_fun, body.types, unflatten, body.region.captures)
    return structure.unflatten(append_while(outer, body, condition))


def append_while(outer: Trace, body: Body, condition: TracedRegion) -> list[Tracer]:
    """Append a loop under a condition and return the last carries.

    Args:
        outer: the trace of the loop.
        body: takes the carries.
        condition: takes them too; its captures begin with the body's.
    """
    _require_unchanging(condition)
    captures = all_captures([body.region, condition])
    changed = changed_cells([body.region])
    numbers = _numbers_of(body.region)
    blocks = [
        condition.finish([_predicate_type(condition)], captures),
        body.region.finish(body.types, captures, changed),
    ]
    for block in blocks:
        consts = _become_carries(block, numbers, len(captures), captures)
    carries = [*(captures[n] for n in numbers), *body.carries]
    outer.locate()
    values = outer.builder.while_(values_of(consts), values_of(carries), *blocks)
    assign_changed(outer, changed, values)
    return wrapped(outer, values[len(changed) :], body.types)


def _require_unchanging(condition: TracedRegion) -> None:
    for mutation in condition.mutations:
        raise TracerMutationError(
            f"the condition of a loop, {describe(condition.function)}, changes "
            f"{mutation.cell.described()} which it closes over; change it in the body",
            spell_location(mutation.location),
        )


def _predicate_type(condition: TracedRegion) -> ShapeDtypeStruct:
    wanted = ShapeDtypeStruct((), np.dtype(np.bool_))
    if condition.structure is not tree.LEAF or condition.types[0].shape:
        found = condition.structure if condition.structure is not tree.LEAF else condition.types[0]
        raise CarryError(
            f"the condition of a loop must be one bool, but {describe(condition.function)} returns "
            f"{found}",
            here(),
        )
    if condition.types[0].dtype.kind != "b":
        raise CarryError(
            f"the condition of a loop must be one bool, but {describe(condition.function)} returns "
            f"{condition.types[0]}; compare it, for example by `!= 0`",
            here(),
        )
    return wanted
