"""The op of a function with rules, and what its rules are checked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from xdsl.dialects.builtin import UnitAttr
from xdsl.ir import Block, SSAValue

from ...ir.array.control import CLOSES_OVER, CustomParts
from ...ir.functions import BlockBuilder
from ...ir.locations import spell_location
from .. import numpy as surface
from .. import tree
from ..arguments import FLOAT0, ShapeDtypeStruct, type_of
from ..errors import ArgumentError, CustomRuleError, DtypeError
from ..regions import (
    lift_leaf,
    lift_tree,
    location_of_function,
    type_of_tracer,
    values_of,
    wrapped,
)
from ..source import user_location
from ..traced import symbol_of
from ..tracer import Tracer
from ..tracing import Trace
from ..tree import TreeDef
from .callee import Callee


class Call(NamedTuple):
    """A call of a function with rules, in a trace.

    Attributes:
        outer: the trace.
        function: what is called.
        leaves: of the arguments that have derivatives.
        structure: of these, a tuple.
        positions: which arguments they are.
        others: the arguments by position, None in the place of those.
        key: stands for the signature.
    """

    outer: Trace
    function: Callable[..., Any]
    leaves: list[Tracer]
    structure: TreeDef
    positions: tuple[int, ...]
    others: tuple[Any, ...]
    key: Hashable

    @property
    def types(self) -> list[ShapeDtypeStruct]:
        """The types of the leaves."""
        return [type_of_tracer(leaf) for leaf in self.leaves]

    @property
    def inexact(self) -> list[ShapeDtypeStruct]:
        """The types of the leaves that have derivatives."""
        return [type_ for type_ in self.types if type_.inexact]

    def all_arguments(self, leaves: Sequence[Any]) -> list[Any]:
        """Return the arguments by position, with other leaves."""
        arguments = list(self.others)
        for position, value in zip(self.positions, self.structure.unflatten(leaves)):
            arguments[position] = value
        return arguments

    @property
    def fixed(self) -> list[Any]:
        """The arguments without derivatives, which rules take first."""
        return [v for i, v in enumerate(self.others) if i not in self.positions]


def begin(
    outer: Trace, function: Callable[..., Any], args: Sequence[Any], fixed: Sequence[int]
) -> Call:
    """Read the arguments of a call.

    Args:
        outer: the trace of the call.
        function: what is called.
        args: its arguments.
        fixed: positions of those without derivatives.

    Raises:
        ArgumentError: if one of the others is no tree of arrays.
    """
    skipped = {_position(n, len(args)) for n in fixed}
    positions = tuple([i for i in range(len(args)) if i not in skipped])
    others = tuple([value if i in skipped else None for i, value in enumerate(args)])
    try:
        leaves, structure = lift_tree(outer, tuple([args[i] for i in positions]))
    except (ArgumentError, DtypeError) as error:
        raise ArgumentError(
            f"{error.message}; name arguments of {describe(function)} that are no arrays in "
            "`nondiff_argnums`",
            error.where,
        ) from None
    types = tuple([type_of_tracer(leaf) for leaf in leaves])
    key = (structure, types, positions, tuple(map(_identity, others)))
    return Call(outer, function, leaves, structure, positions, others, key)


def fixed_positions(
    function: Callable[..., Any],
    nondiff_argnums: int | Sequence[int],
    nondiff_argnames: str | Sequence[str] = (),
) -> tuple[int, ...]:
    """Return the positions of arguments without derivatives.

    Raises:
        ArgumentError: if a name is no parameter of the function.
    """
    numbers = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
    names = (nondiff_argnames,) if isinstance(nondiff_argnames, str) else tuple(nondiff_argnames)
    if not names:
        return numbers
    parameters = list(inspect.signature(function).parameters)
    for name in names:
        if name not in parameters:
            raise ArgumentError(f"{describe(function)} has no parameter {name!r}")
    return (*numbers, *(parameters.index(name) for name in names))


def _position(number: int, count: int) -> int:
    if not -count <= number < count:
        raise ArgumentError(f"nondiff_argnums has {number} for a call with {count} arguments")
    return number % count


def bound(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return the arguments of a call by position, with defaults filled in.

    Raises:
        ArgumentError: if some can only be passed by keyword, or they do not fit the function.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        if kwargs:
            raise ArgumentError(f"{describe(function)} takes arguments by position only") from None
        return list(args)
    try:
        arguments = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ArgumentError(f"{describe(function)}: {error}") from None
    arguments.apply_defaults()
    if arguments.kwargs:
        raise ArgumentError(
            f"{describe(function)} has rules for derivatives, so all its arguments must have a "
            f"position; {', '.join(arguments.kwargs)} cannot be passed by one"
        )
    return list(arguments.args)


class _ById:
    """An object that is only equal to itself."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is _ById and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _identity(value: Any) -> Hashable:
    """Return what an argument without derivatives is in a key."""
    try:
        hash(value)
    except TypeError:
        return _ById(value)
    return tree.Static(value)


def append(
    call: Call,
    primal: Callee,
    jvp: Callee | None = None,
    forward: Callee | None = None,
    backward: Callee | None = None,
) -> Any:
    """Append the op that calls a function with rules; return the function's result.

    Without rules, which is where they are being traced for the first time, it is a plain call.
    """
    outer = call.outer
    callees = [callee for callee in (primal, jvp, forward, backward) if callee is not None]
    captures = _distinct(capture for callee in callees for capture in callee.captures)
    outer.locate()
    lifted = [lift_leaf(outer, capture) for capture in captures]
    operands = values_of([*lifted, *call.leaves])
    if not jvp and not (forward and backward):
        return _unflatten(outer, primal, primal.call(outer.builder, operands))
    blocks = _Blocks(call, primal, captures)
    parts = CustomParts(
        blocks.calling(primal),
        blocks.calling(jvp, [type_.tensor for type_ in call.inexact]) if jvp else None,
        blocks.forward(forward, backward) if forward and backward else None,
        blocks.backward(forward, backward) if forward and backward else None,
    )
    results = outer.builder.custom_derivative(len(lifted), operands, parts)
    last = outer.builder.block.last_op
    assert last is not None
    if any(type_of_tracer(capture).inexact for capture in lifted):
        last.attributes[CLOSES_OVER] = UnitAttr()
    return _unflatten(outer, primal, results)


def _unflatten(outer: Trace, primal: Callee, results: Sequence[SSAValue]) -> Any:
    return primal.structure.unflatten(wrapped(outer, results, primal.types))


class _Blocks:
    """Makes the regions of an op, which call private functions."""

    def __init__(self, call: Call, primal: Callee, captures: Sequence[Tracer]) -> None:
        self._places = {capture.value: i for i, capture in enumerate(captures)}
        self._types = [v.value.type for v in (*captures, *call.leaves)]
        self._location = call.outer.builder.location
        self._results = primal.types

    def calling(self, callee: Callee, more: Sequence[Any] = ()) -> Block:
        """Return the block that calls a function with all operands and further arguments."""
        block = self._begun([*self._types, *more])
        return block.finish(self._call(block, callee, block.arguments))

    def forward(self, forward: Callee, backward: Callee) -> Block:
        """Return the block of the forward rule, which hands on what the other one captures."""
        block = self._begun(self._types)
        results = self._call(block, forward, block.arguments)
        return block.finish([*results, *self._captured(backward, block.arguments)])

    def backward(self, forward: Callee, backward: Callee) -> Block:
        """Return the block of the backward rule."""
        residuals = [type_.tensor for type_ in forward.types[len(self._results) :]]
        handed = [capture.value.type for capture in backward.captures]
        cotangents = [type_.tensor for type_ in self._results if type_.inexact]
        block = self._begun([*residuals, *handed, *cotangents])
        split = len(residuals)
        own, others = block.arguments[:split], block.arguments[split:]
        middle = len(handed)
        operands = [*others[:middle], *own, *others[middle:]]
        return block.finish(backward.call(block.builder, operands))

    def _begun(self, types: Sequence[Any]) -> BlockBuilder:
        return BlockBuilder(types, (), self._location)

    def _captured(self, callee: Callee, arguments: Sequence[SSAValue]) -> list[SSAValue]:
        return [arguments[self._places[capture.value]] for capture in callee.captures]

    def _call(
        self, block: BlockBuilder, callee: Callee, arguments: Sequence[SSAValue]
    ) -> Sequence[SSAValue]:
        others = arguments[len(self._places) :]
        return callee.call(block.builder, [*self._captured(callee, arguments), *others])


def _distinct(tracers: Iterable[Tracer]) -> list[Tracer]:
    return list({tracer.value: tracer for tracer in tracers}.values())


# What rules give


def converted(
    found: Any, structure: TreeDef, types: Sequence[ShapeDtypeStruct], what: str
) -> list[Any]:
    """Return the leaves of what a rule gave, which must be of the structure and types.

    Args:
        found: what the rule gave.
        structure: what it must be.
        types: of the leaves.
        what: names it, for messages.

    Raises:
        CustomRuleError: if it is something else.
    """
    leaves, given = tree.flatten(found)
    if given != structure:
        raise CustomRuleError(f"{what} must have the structure {structure}, found {given}", here())
    paths = structure.paths(what)
    return [_leaf(leaf, type_, f"`{path}`") for leaf, type_, path in zip(leaves, types, paths)]


def _leaf(leaf: Any, type_: ShapeDtypeStruct, what: str) -> Any:
    if not type_.inexact and getattr(leaf, "dtype", None) == FLOAT0:
        return leaf
    found = type_of(leaf)
    fits = found.shape == type_.shape and (found.dtype == type_.dtype or found.weak_type)
    if not fits:
        raise CustomRuleError(f"{what} must be {type_.strong()}, found {found}", here())
    return surface.astype(surface.asarray(leaf), type_.dtype)


def cotangents_for(found: Any, call: Call, what: str) -> list[Any]:
    """Return cotangents of the leaves with derivatives, from what a backward rule gave.

    None stands for zeros, also in the place of a container.

    Raises:
        CustomRuleError: if it has another structure or other types than the arguments.
    """
    if not isinstance(found, (tuple, list)) or len(found) != len(call.positions):
        raise CustomRuleError(
            f"{what} must be a tuple with an entry for each of the {len(call.positions)} arguments "
            f"of {describe(call.function)}, found {tree.structure(found)}",
            here(),
        )
    parts = _spread(tuple(found), call.structure, what)
    paths = call.structure.paths()
    return [
        zeros_of(type_) if part is None else _leaf(part, type_, f"`{path}` of {what}")
        for part, type_, path in zip(parts, call.types, paths)
        if type_.inexact
    ]


def zeros_of(type_: ShapeDtypeStruct) -> Any:
    """Return zeros of a type."""
    return surface.zeros(type_.shape, type_.dtype)


def _spread(found: Any, structure: TreeDef, what: str) -> list[Any]:
    """Return what stands at each leaf of a structure; None below a None."""
    if found is None:
        return [None] * structure.num_leaves
    if structure.kind is None:
        return [found]
    kind, data, nodes = tree.flatten_one_level(found)
    if kind is not structure.kind or data != structure.data:
        raise CustomRuleError(
            f"{what} must have the structure {structure}, found {tree.structure(found)}", here()
        )
    pairs = zip(nodes, structure.children)
    return [part for node, child in pairs for part in _spread(node, child, what)]


def describe(function: Callable[..., Any]) -> str:
    """Return a function's name and place, for messages."""
    place = spell_location(location_of_function(function))
    return f"`{symbol_of(function)}` at {place}" if place else f"`{symbol_of(function)}`"


def here() -> str | None:
    """Return the user's place."""
    return spell_location(user_location())
