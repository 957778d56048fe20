"""Tracing into regions: a Python function becomes the body of a control-flow op.

What the function closes over, traced values and large arrays, become leading arguments of the
block, and operands of the op. Arrays outside that the function changes become results of the op,
and hold them from then on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

import numpy as np
from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Block, SSAValue

from ..ir.array.regions import YieldOp
from ..ir.locations import UNKNOWN, spell_location
from ..ir.types import Shape
from . import tree
from .arguments import ShapeDtypeStruct
from .control_flow import conversion
from .errors import ArgumentError
from .source import definition_location
from .traced import lift_results, run, symbol_of
from .tracer import Tracer
from .tracing import Mutation, Trace
from .transforms import Results
from .tree import TreeDef


class TracedRegion:
    """A function traced into a block that is still to be ended.

    Attributes:
        function: the user's function.
        results: what it returned, and the structure of that.
        structure: the structure of the result.
    """

    def __init__(
        self,
        outer: Trace,
        function: Callable[..., Any],
        arguments: Sequence[ShapeDtypeStruct],
        unflatten: Callable[[Sequence[Any]], Sequence[Any]],
        captures: Sequence[Tracer] = (),
        code: CodeType | None = None,
    ) -> None:
        """Trace ``function`` on traced values of the types that ``arguments`` gives.

        Args:
            outer: the trace of the op that the region is for.
            function: the user's function.
            arguments: types of the block's arguments behind the captures.
            unflatten: makes the function's positional arguments of them.
            captures: what the block shall take first, whether it needs it or not.
            code: of the user's, whose place is the region's; by default that of ``function``.

        Raises:
            ArgumentError: if ``function`` cannot be called.
        """
        if not callable(function):
            raise ArgumentError(f"expected a function, found {function!r}")
        self.function = function
        self.location = definition_location(code) if code else location_of_function(function)
        types = [type_.tensor for type_ in arguments]
        self._trace = Trace(symbol_of(function), types, (), self.location, outer)
        for capture in captures:
            self._trace.lift(capture)
        with self._trace.open():
            tracers = [
                self._trace.tracer(value, type_.weak_type)
                for value, type_ in zip(self._trace.parameters, arguments)
            ]
            called = conversion.converted(function) if outer.root.convert else function
            result = run(called, unflatten(tracers), {})
            self.results, self.structure = lift_results(self._trace, result, self.location)

    @property
    def types(self) -> tuple[ShapeDtypeStruct, ...]:
        """The types of the leaves of what the function returned."""
        return tuple([ShapeDtypeStruct(r.shape, r.dtype, r.weak) for r in self.results])

    @property
    def returned(self) -> Results:
        """Structure and types of what the function returned."""
        return Results(self.structure, self.types)

    @property
    def outdated(self) -> bool:
        """Whether it has to be traced again if it is to run more than once; see `Trace`."""
        return self._trace.outdated

    @property
    def mutations(self) -> list[Mutation]:
        """The arrays outside that the function changes."""
        return self._trace.mutations

    @property
    def captures(self) -> list[Tracer]:
        """The values of the outer trace that the block takes first."""
        return [capture for capture in self._trace.captures if isinstance(capture, Tracer)]

    @property
    def block(self) -> Block:
        """The block, which `finish` ends."""
        return self._trace.builder.block

    @property
    def size(self) -> int:
        """The number of ops in the block, and in the regions of these."""
        return sum(1 for op in self.block.ops for _ in op.walk())

    @property
    def where(self) -> str:
        """The place of what was traced, ``file:line``."""
        return spell_location(self.location) or "an unknown place"

    def owns(self, tracer: Tracer) -> bool:
        """Tell whether a traced value was made in the region."""
        return tracer._trace is self._trace

    def add_argument(self, type_: ShapeDtypeStruct, position: int | None = None) -> None:
        """Let the block take one more value, which it does not use.

        Args:
            type_: of the value.
            position: among the arguments behind the captures; by default the last.
        """
        block = self._trace.builder.block
        count = len(self._trace.captures)
        index = len(block.args) if position is None else count + position
        argument = block.insert_arg(type_.tensor, index)
        argument.location = self.location

    def on_leak(self, error: BaseException) -> None:
        """Raise ``error`` where a value of the region is used outside, while tracing goes on."""
        self._trace.leak = error

    def lift(self, leaf: Any) -> Tracer:
        """Return a leaf as a value of the region, after it was traced; see `lift_leaf`."""
        return lift_leaf(self._trace, leaf)

    def zeros(self, shape: Shape, dtype: np.dtype, weak: bool) -> Tracer:
        """Return an array of zeros as a value of the region, after it was traced."""
        builder = self._trace.builder
        builder.location = self.location
        return self._trace.tracer(builder.full(shape, dtype, 0), weak)

    def finish(
        self,
        types: Sequence[ShapeDtypeStruct],
        captures: Sequence[Tracer],
        changed: Sequence[Tracer] = (),
    ) -> Block:
        """End the block.

        Args:
            types: of the results that it yields.
            captures: what it takes first; they begin with the region's own.
            changed: arrays outside that one of the op's regions changes; the block yields first
                what this one leaves in them.
        """
        block, builder = self._trace.builder.block, self._trace.builder
        builder.location = self.location
        for capture in captures[len(self._trace.captures) :]:
            self._trace.lift(capture)
        values = [self._trace.held(cell) for cell in changed]
        values += [builder.convert(r.value, t.dtype) for r, t in zip(self.results, types)]
        block.add_op(YieldOp.create(operands=values, location=self.location))
        return block


def changed_cells(regions: Sequence[TracedRegion]) -> list[Tracer]:
    """Return the arrays outside that some of an op's regions change."""
    cells = [mutation.cell for region in regions for mutation in region.mutations]
    return list({id(cell): cell for cell in cells}.values())


def assign_changed(outer: Trace, cells: Sequence[Tracer], values: Sequence[SSAValue]) -> None:
    """Let arrays hold what the regions of an op left in them: the op's first results."""
    for cell, value in zip(cells, values):
        cell.assign(outer.tracer(value))


def location_of_function(function: Callable[..., Any]) -> LocationAttr:
    """Return where a function is defined; of one that wraps another, the other."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return definition_location(code) if code is not None else UNKNOWN


def lift_tree(outer: Trace, value: Any) -> tuple[list[Tracer], TreeDef]:
    """Return the leaves of a tree as values of a trace, and its structure."""
    leaves, structure = tree.flatten(value)
    outer.locate()
    return [lift_leaf(outer, leaf) for leaf in leaves], structure


def lift_leaf(outer: Trace, leaf: Any) -> Tracer:
    """Return a leaf as a value of a trace; a Python scalar stays weak."""
    lifted = outer.lift(leaf)
    return lifted if isinstance(lifted, Tracer) else outer.constant(lifted)


def type_of_tracer(tracer: Tracer) -> ShapeDtypeStruct:
    """Return the type of a traced value."""
    return ShapeDtypeStruct(tracer.shape, tracer.dtype, tracer.weak)


def values_of(tracers: Sequence[Tracer]) -> list[SSAValue]:
    """Return the SSA values of traced values."""
    return [tracer.value for tracer in tracers]


def converted(tracer: Tracer, type_: ShapeDtypeStruct) -> Tracer:
    """Return a traced value as one of the type, which has its shape."""
    trace = tracer.trace
    return trace.tracer(trace.builder.convert(tracer.value, type_.dtype), type_.weak_type)


def wrapped(
    outer: Trace, values: Sequence[SSAValue], types: Sequence[ShapeDtypeStruct]
) -> list[Tracer]:
    """Return the results of an op as traced values."""
    return [outer.tracer(value, type_.weak_type) for value, type_ in zip(values, types)]
