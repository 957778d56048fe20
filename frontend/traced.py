"""Tracing: a Python function becomes a function in the IR, and transformations act on it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp

from ..ir.errors import GradatimError
from ..ir.functions import set_in_out
from ..ir.locations import UNKNOWN, spell_location
from ..ir.ops import copy_module
from ..ir.text import to_text
from ..passes.registry import PASSES
from ..passes.signatures import select_results
from . import tree
from .arguments import Arguments, ShapeDtypeStruct, without_float0
from .boundary import public
from .changes import without_changes
from .checks.kinds import Checks, automatic_checks, user_checks
from .control_flow.conversion import converted_root
from .control_flow.decisions import Decisions, Retrace
from .control_flow.unusable import require_usable
from .errors import ArgumentError, DtypeError, OutputError, TracerMutationError
from .guards import Example, Guard, add_condition
from .leaks import watched
from .options import DEFAULTS, StageOptions
from .source import definition_location
from .tracer import Tracer
from .tracing import Trace, current_trace
from .transforms import Function, PassCall, Results, Transform
from .tree import TreeDef
from .views import detached

if TYPE_CHECKING:
    from .lowered import Lowered

Flatten = Callable[[Sequence[Any], Mapping[str, Any]], tuple[list[Any], Arguments]]
"""Gives the leaves of a call's arguments, and their structure and types."""


class Traced:
    """A function in the IR, for arguments of known structure and types.

    Attributes:
        function: name, arguments and results of the transformed function.
        captures: what the function's leading parameters stand for: arrays, or values of an outer
            trace that the function closes over.
        source: the module of the function as traced, before any transformation.
        passes: the passes that make the transformed function of it.
        names: the positional parameters of the user's function, for messages.
        flatten: gives the leaves of a call's arguments, and their structure and types.
        guards: what arguments must decide alike for the function to hold for them. If there are
            any, it returns a status as a last result that is not among its results.
        checks: what the function checks when it runs.
        in_out: leaves of the arguments, by number, that hold new contents after a call. These are
            the last results of the function in the module, and not among its results.
    """

    def __init__(
        self,
        function: Function,
        captures: Sequence[np.ndarray | Tracer],
        source: ModuleOp,
        passes: Sequence[PassCall],
        names: Sequence[str],
        flatten: Flatten,
        guards: tuple[Guard, ...] = (),
        checks: Checks = user_checks,
        in_out: tuple[int, ...] = (),
    ) -> None:
        self.function = function
        self.captures = tuple(captures)
        self.source = source
        self.passes = tuple(passes)
        self.names = names
        self.flatten = flatten
        self.guards = guards
        self.checks = checks
        self.in_out = in_out
        self._lock = threading.Lock()

    @property
    def fun_name(self) -> str:
        """Name of the function in the module."""
        return self.function.name

    @property
    def in_tree(self) -> TreeDef:
        """Structure of the arguments: a pair of the positional ones and a dictionary."""
        arguments = self.function.arguments
        positional = tree.tuple_of(arguments.trees[: arguments.positional])
        keyword = arguments.trees[arguments.positional :]
        count = sum(structure.num_leaves for structure in keyword)
        by_keyword = TreeDef(tree.DICT, arguments.keywords, keyword, count)
        return tree.tuple_of([positional, by_keyword])

    @property
    def in_avals(self) -> tuple[ShapeDtypeStruct, ...]:
        """Type of each leaf of the arguments."""
        return self.function.arguments.types

    @property
    def out_tree(self) -> TreeDef:
        """Structure of the result."""
        return self.function.results.tree

    @property
    def out_avals(self) -> tuple[ShapeDtypeStruct, ...]:
        """Type of each leaf of the result."""
        return self.function.results.types

    @property
    def out_info(self) -> Any:
        """The result with types in the place of arrays."""
        return self.out_tree.unflatten(self.out_avals)

    def as_text(self, *, debug_info: bool = False) -> str:
        """Return the function as text: transformed, but not simplified yet.

        Args:
            debug_info: print source locations.
        """
        return to_text(self.module, locations=debug_info)

    def __str__(self) -> str:
        return self.as_text()

    def without_guards(self) -> Traced:
        """Return the function for arguments that are known to decide alike."""
        if not self.guards:
            return self
        module, name = copy_module(self.source), guards_of(self.fun_name)
        for op in list(module.body.block.ops):
            if isinstance(op, FuncOp) and op.sym_name.data == name:
                module.body.block.erase_op(op)
        passes = [c for c in self.passes if name not in c.options.values()]
        return Traced(self.function, self.captures, module, passes, self.names, self.flatten)

    @property
    def has_status(self) -> bool:
        """Whether the function returns a status behind its results."""
        return bool(self.guards)

    @property
    def closes_over_tracers(self) -> bool:
        """Whether the function belongs into the trace whose values it closes over."""
        return any(type(capture) is Tracer for capture in self.captures)

    @public
    def lower(self) -> Lowered:
        """Return the function at every level of the IR.

        Raises:
            ArgumentError: if the function closes over values of an outer trace.
        """
        from .lowered import Lowered

        self.require_closed()
        return Lowered(self)

    def require_closed(self) -> None:
        """Raise ArgumentError if the function closes over values of an outer trace."""
        if self.closes_over_tracers:
            raise ArgumentError(
                f"`{self.fun_name}` closes over a traced value, so it cannot be compiled apart"
            )

    @property
    def module(self) -> ModuleOp:
        """The module with the transformed function, its captures as leading parameters."""
        with self._lock:
            return self._transformed

    @cached_property
    def _transformed(self) -> ModuleOp:
        if not self.passes:
            return self.source
        module = copy_module(self.source)
        run_passes(module, self.passes)
        return module


def run_passes(module: ModuleOp, calls: Sequence[PassCall]) -> None:
    """Run passes of the registry on a module."""
    for call in calls:
        PASSES[call.name]()(**call.options).apply(Context(), module)


def trace(
    function: Callable[..., Any],
    transforms: Sequence[Transform],
    outer: Arguments,
    names: Sequence[str],
    flatten: Flatten,
    leaves: Sequence[Any] | None = None,
    options: StageOptions = DEFAULTS,
) -> Traced:
    """Trace a function and note what makes the transformed one of it.

    Args:
        function: the user's function.
        transforms: what to do to it, the first one first.
        outer: what the transformed function is called with.
        names: the positional parameters of ``function``, for messages.
        flatten: gives leaves, structure and types of further calls.
        leaves: of the arguments of the call that it is traced for, if there is one. Python may then
            take decisions by their values, which hold for calls that decide alike.
        options: how to trace it.

    Raises:
        GradatimError: if a transformation does not fit the arguments or the results, or the
            function does with traced values what they cannot do.
    """
    called_with = [outer]
    for transform in reversed(transforms):
        called_with.append(transform.inner_arguments(called_with[-1], names))
    called_with.reverse()
    example = _example(transforms, called_with, leaves)
    run = converted_root(function) if options.convert else function
    with watched(symbol_of(function)):
        axes = _axes_of(transforms, called_with)
        source = _trace_function(run, called_with[0], names, example, options, axes)
    current = source.function
    steps: list[list[PassCall]] = []
    for transform, arguments in zip(transforms, called_with[1:]):
        results = transform.outer_results(arguments, current)
        steps.append(transform.passes(arguments, current))
        current = Function(current.name, current.captures, arguments, results)
    checks = user_checks if options.checks is None else options.checks
    passes = [call for step in steps for call in step]
    if checks & automatic_checks:  # numbered by functions of this process, so it is done at once
        transform_checked(source.module, current.name, steps, checks)
        passes = []
    passes += _status_passes(source, example)
    guards = tuple(source.guards)
    return Traced(
        current,
        source.captures,
        source.module,
        passes,
        names,
        flatten,
        guards,
        checks,
        source.in_out,
    )


def transform_checked(
    module: ModuleOp, name: str, steps: Sequence[Sequence[PassCall]], checks: Checks
) -> None:
    """Run the passes of transformations on a function, with what it is checked for.

    Checks come in before the first step, so that they speak of the user's operations, each lane of
    a batch has its own, and derivatives pass by them; and behind each step for what is new in it.
    """
    from .checks.requiring import add_checks

    add_checks(module, name, checks)
    for step in steps:
        run_passes(module, step)
        add_checks(module, name, checks)


def _axes_of(transforms: Sequence[Transform], called_with: Sequence[Arguments]) -> dict[str, int]:
    """Return the names that a function is mapped under, with the sizes of the batches."""
    found = [t.lanes(arguments) for t, arguments in zip(transforms, called_with[1:])]
    return {lanes.name: lanes.size for lanes in found if lanes is not None and lanes.name}


class _Source(NamedTuple):
    """A function as traced, before any transformation."""

    module: ModuleOp
    function: Function
    captures: list[np.ndarray | Tracer]
    guards: list[Guard]
    in_out: tuple[int, ...]


def _example(
    transforms: Sequence[Transform], called_with: Sequence[Arguments], leaves: Sequence[Any] | None
) -> Example | None:
    """Return the arguments by which decisions are taken, if they are known."""
    if leaves is None or any(type(leaf) in (Tracer, ShapeDtypeStruct) for leaf in leaves):
        return None
    if not all(transform.begins_with_arguments for transform in transforms):
        return None
    count = len(called_with[0].types)
    found = [t.lanes(arguments) for t, arguments in zip(transforms, called_with[1:])]
    lanes = [m._replace(in_axes=m.in_axes[:count]) for m in found if m is not None]
    pairs = zip(leaves, called_with[-1].types[:count])
    return Example([np.asarray(leaf, type_.dtype) for leaf, type_ in pairs], lanes)


def _status_passes(source: _Source, example: Example | None) -> list[PassCall]:
    """Return the passes by which the transformed function checks the guards."""
    if not source.guards:
        return []
    assert example is not None
    captures, count = source.function.captures, len(source.function.arguments.types)
    name = source.function.name
    passes = []
    for lanes in example.lanes:
        axes = (*[-1] * captures, *lanes.in_axes)
        options = {"in_axes": axes, "out_axes": (0,), **lanes.options}
        passes.append(PassCall("array-vmap", {"function": guards_of(name), **options}))
    options = {"condition": guards_of(name), "arguments": captures + count}
    return [*passes, PassCall("array-add-status", {"function": name, **options})]


def guards_of(name: str) -> str:
    """Return the name of the function that checks the guards of another."""
    return f"{name}.guards"


def _trace_function(
    function: Callable[..., Any],
    arguments: Arguments,
    names: Sequence[str],
    example: Example | None,
    options: StageOptions,
    axes: Mapping[str, int],
) -> _Source:
    from . import numpy  # noqa: F401  # fills the tables of NumPy's functions

    decisions: Decisions = {}
    while True:
        try:
            return _trace_once(function, arguments, names, example, decisions, options, axes)
        except Retrace as asked:
            decisions[asked.site] = asked.decision


def _trace_once(
    function: Callable[..., Any],
    arguments: Arguments,
    names: Sequence[str],
    example: Example | None,
    decisions: Decisions,
    options: StageOptions,
    axes: Mapping[str, int],
) -> _Source:
    code = getattr(function, "__code__", None)
    location = definition_location(code) if code is not None else UNKNOWN
    types = [type_.tensor for type_ in arguments.types]
    current = Trace(symbol_of(function), types, _hints(arguments, names), location)
    current.decisions, current.example, current.convert = decisions, example, options.convert
    outer = current_trace()
    current.axes = {**(outer.axes if outer is not None else {}), **axes}
    if options.checks is not None:
        current.checks = options.checks
    with current.open():
        tracers = [
            current.tracer(value, type_.weak_type)
            for value, type_ in zip(current.parameters, arguments.types)
        ]
        args, kwargs = arguments.unflatten(tracers)
        results, structure = lift_results(current, run(function, args, kwargs), location)
        values = [tracer.value for tracer in results]
        body = current.finish([*values, *current.guards])
    _require_no_mutations(current)
    module = ModuleOp([body, *current.functions.values()])
    guards = list(current.guards.values())
    if guards:
        add_condition(module, body, guards, guards_of(current.name))
        select_results(body, tuple(range(len(values))))
    structs = [ShapeDtypeStruct(r.shape, r.dtype, weak_type=r.weak) for r in results]
    returned = Results(structure, tuple(structs))
    in_out: tuple[int, ...] = ()
    if options.inout and not guards:  # a program whose guards fail must have changed nothing
        returned, in_out = without_changes(returned, arguments, options.inout)
        captured = len(current.captures)
        own: list[int | None] = [None] * len(returned.types)
        set_in_out(body, [*own, *(captured + leaf for leaf in in_out)])
    described = Function(current.name, len(current.captures), arguments, returned)
    return _Source(module, described, current.captures, guards, in_out)


def _require_no_mutations(trace: Trace) -> None:
    for mutation in trace.mutations:
        raise TracerMutationError(
            f"`{trace.name}` changes {mutation.cell.described()} which it closes over, while it is "
            "staged or transformed itself; return the new array instead",
            spell_location(mutation.location),
        )


def run(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call the user's function with traced values."""
    try:
        return function(*args, **kwargs)
    except ValueError as error:
        # NumPy hides what a traced value says when it is to be stored in an array.
        if isinstance(error.__cause__, GradatimError):
            raise error.__cause__.with_traceback(error.__traceback__) from None
        raise


def lift_results(
    current: Trace, result: Any, location: LocationAttr
) -> tuple[list[Tracer], TreeDef]:
    """Return the leaves of a function's result as values of its trace, and their structure."""
    leaves, structure = without_float0(*tree.flatten(result))
    current.builder.location = location
    lifted = []
    for i, leaf in enumerate(leaves):
        require_usable(leaf)
        try:
            operand = current.lift(leaf)
        except (ArgumentError, DtypeError) as error:
            path = structure.paths("result")[i]
            raise OutputError(
                f"`{current.name}` returned, as `{path}`, something that is no array or number: "
                f"{error.message}",
                spell_location(location),
            ) from None
        found = operand if isinstance(operand, Tracer) else current.constant(operand)
        lifted.append(detached(found))  # the function may have returned an array that changes again
    return lifted, structure


def symbol_of(function: Callable[..., Any]) -> str:
    """Return a symbol named after a function."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return re.sub(r"\W", "_", name, flags=re.ASCII) if name != "<lambda>" else "lambda"


def _hints(arguments: Arguments, names: Sequence[str]) -> list[str]:
    return [re.sub(r"\W+", "_", path).strip("_") or "x" for path in arguments.paths(names)]


def call_in(
    outer: Trace,
    traced: Traced,
    leaves: Sequence[Any],
    captures: Sequence[Any] | None = None,
) -> list[Tracer]:
    """Call a traced function inside another trace and return its results there.

    Args:
        outer: the trace of the caller.
        traced: what is called; its functions are copied into the caller's module once.
        leaves: the leaves of the arguments.
        captures: what stands in the place of the function's captures, these if left out.
    """
    location = outer.locate()
    given = traced.captures if captures is None else captures
    operands = [outer.lift(value) for value in (*given, *leaves)]
    values = [
        (operand if isinstance(operand, Tracer) else outer.constant(operand)).value
        for operand in operands
    ]
    name = outer.callee(traced, lambda: copy_module(traced.module))
    types = [type_.tensor for type_ in traced.out_avals]
    call = CallOp.create(
        operands=values,
        result_types=types,
        properties={"callee": SymbolRefAttr(name)},
        location=location,
    )
    outer.builder.block.add_op(call)
    return [
        outer.tracer(value, type_.weak_type) for value, type_ in zip(call.results, traced.out_avals)
    ]
