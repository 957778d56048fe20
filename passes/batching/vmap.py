"""vmap: one forward sweep that follows where each value carries the batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.base import ArrayOp
from ...ir.array.control import TapeNewOp, TapePopOp, TapeType
from ...ir.array.effect import CheckOp
from ...ir.builder import Builder
from ...ir.errors import GradatimError, ShapeError
from ...ir.functions import FunctionBuilder, return_of
from ...ir.locations import derived, spell_location
from ...ir.types import shape_of, spell
from ..blocks import append_copy, name_argument
from ..functions import replace_functions
from . import (
    calls,
    collective,
    contraction,
    control,
    effect,
    elementwise,
    indexing,
    ordering,
    random,
    reduction,
    shape,
)
from .batched import Batched, BatchingRule, Flags, LaneRule, Lanes, at_axis, batched_type
from .collective import is_resolved
from .guards import guarded

FAMILIES: Final = {
    "elementwise": elementwise,
    "shape": shape,
    "indexing": indexing,
    "reduction": reduction,
    "contraction": contraction,
    "ordering": ordering,
    "random": random,
    "effect": effect,
    "collective": collective,
    "control": control,
    "calls": calls,
}
"""The modules that hold the rules, by family of ops."""

RULES: Final[dict[type[Operation], BatchingRule | LaneRule]] = {
    op: rule for family in FAMILIES.values() for op, rule in family.RULES.items()
}
"""The batching rule of each op that has operands."""

NOT_MAPPED: Final = -1
"""The axis of an argument or result that is the same for all examples."""


def vmap(
    function: FuncOp,
    size: int,
    in_axes: Sequence[int] | None = None,
    out_axes: Sequence[int] | None = None,
    axis_name: str | None = None,
) -> FuncOp:
    """Return the function that does for ``size`` examples what ``function`` does for one.

    What does not depend on a mapped argument is computed once.

    Args:
        function: a function without calls; it is left as it is.
        size: how many examples a batch has; 0 is allowed.
        in_axes: for each argument the dimension that counts the examples, or -1 where it is the
            same for all; 0 for each argument if left out.
        out_axes: for each result the dimension that shall count the examples, or -1 where it is
            the same for all; 0 for each result if left out.
        axis_name: by which collectives in the function know the batch.

    Raises:
        ShapeError: if ``size`` is negative, if the axes are too many or too few or no dimensions
            of their arrays, or if a result without an axis differs between examples.
        GradatimError: if an op has no batching rule.
    """
    if size < 0:
        raise ShapeError(f"vmap: a batch cannot have {size} examples")
    arguments, terminator = function.body.block.args, return_of(function)
    axes = _checked_axes("in_axes", in_axes, arguments)
    places = _checked_axes("out_axes", out_axes, terminator.operands)
    batch = FunctionBuilder(
        function.sym_name.data,
        [batched_type(argument.type, axis, size) for argument, axis in zip(arguments, axes)],
        [argument.name_hint for argument in arguments],
        function.location,
    )
    given = [Batched(new, axis) for new, axis in zip(batch.arguments, axes)]
    found, _ = _Lanes(size, axis_name).append(batch.builder, function.body.block, given)
    batch.builder.location = derived(terminator.location, "vmap")
    results = [
        _placed(batch.builder, result, place, size, index)
        for index, (result, place) in enumerate(zip(found, places))
    ]
    visibility = function.sym_visibility
    return batch.finish(results, visibility.data if visibility else None)


class _Lanes(Lanes):
    def __init__(self, size: int, name: str | None = None, mask: SSAValue | None = None) -> None:
        self.size = size
        self.name = name
        self.mask = mask

    def append(
        self, b: Builder, body: Block, arguments: Sequence[Batched], mask: SSAValue | None = None
    ) -> tuple[list[Batched], SSAValue | None]:
        inner = _Lanes(self.size, self.name, mask)
        environment: dict[SSAValue, Batched] = dict(zip(body.args, arguments))
        for old, (new, _) in zip(body.args, arguments):
            name_argument(new, old.name_hint)
        terminator = body.last_op
        assert terminator is not None
        for op in sorted(body.ops, key=_order):
            if op is not terminator:
                _append(b, op, environment, inner)
        return [environment[value] for value in terminator._operands], inner.mask

    def of_size(self, size: int) -> Lanes:
        return _Lanes(size, self.name)

    def batched(self, body: Block, batched: Flags) -> list[bool]:
        found = {
            v
            for v, flag in zip(body.args, batched, strict=True)
            if flag or isinstance(v.type, TapeType)
        }
        for op in body.ops:
            rule = RULES.get(type(op))
            if isinstance(rule, LaneRule):
                flags = rule.batched(self, op, [v in found for v in op._operands])
                found.update(v for v, flag in zip(op.results, flags) if flag)
            elif not found.isdisjoint(op._operands):
                found.update(op.results)
        assert body.last_op is not None
        return [value in found for value in body.last_op._operands]


def append_ops(
    b: Builder, ops: Iterable[Operation], environment: dict[SSAValue, Batched], size: int
) -> None:
    """Append ops of a block for all lanes, for values of the block that the environment has.

    The environment grows by their results.
    """
    lanes = _Lanes(size)
    for op in ops:
        _append(b, op, environment, lanes)


def _order(op: Operation) -> bool:
    """Sort pops from tapes of the caller to the front: they tell which lanes go on."""
    return not (isinstance(op, TapePopOp) and isinstance(op.tape, BlockArgument))


def _append(b: Builder, op: Operation, environment: dict[SSAValue, Batched], lanes: Lanes) -> None:
    """Append an op for all lanes and note its results."""
    operands = [environment[value] for value in op._operands]
    rule = RULES.get(type(op))
    b.location = derived(op.location, "vmap")
    results: Sequence[Batched]
    shared = all(axis is None for _, axis in operands)
    if shared and not _asks_for_lanes(op, lanes):
        results = [Batched(value, None) for value in _copied(b, op, operands)]
    elif isinstance(rule, LaneRule):
        results = rule.append(lanes, b, op, operands)
    elif rule is not None:
        found = rule(b, op, guarded(lanes, b, op, operands), lanes.size)
        results = [found] if isinstance(found, Batched) else list(found)
    else:
        raise _missing_rule(op)
    for old, new in zip(op.results, results):
        environment[old] = new
        if old.name_hint is not None and new.value.name_hint is None:
            new.value.name_hint = old.name_hint


def _asks_for_lanes(op: Operation, lanes: Lanes) -> bool:
    """Tell whether an op depends on the batch though no operand does."""
    if isinstance(op, CheckOp):
        return lanes.mask is not None
    return isinstance(op, TapeNewOp) or is_resolved(lanes, op)


def _copied(b: Builder, op: Operation, operands: Sequence[Batched]) -> Sequence[SSAValue]:
    """Append an op that is the same for all lanes."""
    if not isinstance(op, ArrayOp) and type(op) not in RULES:
        raise _missing_rule(op)
    values = [value for value, _ in operands]
    return append_copy(b.block, op, dict(zip(op._operands, values))).results


def _missing_rule(op: Operation) -> GradatimError:
    return GradatimError(f"vmap has no rule for {op.name}", spell_location(op.location))


def _placed(b: Builder, result: Batched, place: int | None, size: int, index: int) -> SSAValue:
    """Return a result with the batch where the caller wants it."""
    if place is not None:
        return at_axis(b, result, place, size)
    if result.axis is None:
        return result.value
    raise ShapeError(
        f"vmap: result {index} differs between examples, so it needs an axis in out_axes"
    )


def _checked_axes(
    name: str, axes: Sequence[int] | None, values: Sequence[SSAValue]
) -> list[int | None]:
    """Return the axes with None for ``NOT_MAPPED``."""
    if axes is None:
        return [0] * len(values)
    if len(axes) != len(values):
        raise ShapeError(f"vmap: {name} {list(axes)} must have {len(values)} entries")
    for axis, value in zip(axes, values):
        if not NOT_MAPPED <= axis <= len(shape_of(value)):
            raise ShapeError(
                f"vmap: {name} has {axis}, but a batch of {spell(value)} has dimensions "
                f"0 to {len(shape_of(value))}"
            )
    return [None if axis == NOT_MAPPED else axis for axis in axes]


@dataclass(frozen=True)
class ArrayVmap(ModulePass):
    """Map a function over a batch.

    One forward sweep that follows, for each value, whether and in which dimension it carries the
    batch. Values that are the same for all examples stay as they are; dimensions move only where
    an op needs it. Calls are inlined first.

        func.func @f(%x: tensor<3xf64>, %w: tensor<3xf64>) -> tensor<f64> {
          %y = array.mul %x, %w : tensor<3xf64>
          %s = array.reduce add %y dims [0] : tensor<3xf64> -> tensor<f64>
          func.return %s : tensor<f64>
        }

    becomes with ``array-vmap{size=8 in-axes=0,-1}``

        func.func @f(%x: tensor<8x3xf64>, %w: tensor<3xf64>) -> tensor<8xf64> {
          %0 = array.broadcast %w dims [1] : tensor<3xf64> -> tensor<8x3xf64>
          %y = array.mul %x, %0 : tensor<8x3xf64>
          %s = array.reduce add %y dims [1] : tensor<8x3xf64> -> tensor<8xf64>
          func.return %s : tensor<8xf64>
        }

    Options:
        size: the number of examples.
        function: the function to map; every public one if left out.
        in-axes: the dimension of the batch in each argument, -1 where there is none; all 0 if left
            out.
        out-axes: the same for each result.
        axis-name: by which collectives in the function know the batch.
    """

    name: ClassVar[str] = "array-vmap"

    size: int
    function: str | None = None
    in_axes: tuple[int, ...] | None = None
    out_axes: tuple[int, ...] | None = None
    axis_name: str | None = None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to the function or functions it names."""
        replace_functions(
            op,
            self.function,
            lambda f: vmap(f, self.size, self.in_axes, self.out_axes, self.axis_name),
        )
