"""Private functions of a trace, each traced once for a signature, that may call themselves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from xdsl.dialects.builtin import StringAttr, SymbolRefAttr
from xdsl.dialects.func import CallOp
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.locations import spell_location
from ..arguments import ShapeDtypeStruct
from ..control_flow.conversion import converted
from ..errors import CustomRuleError, UnsupportedError
from ..recursion import endless
from ..regions import location_of_function
from ..traced import lift_results, run, symbol_of
from ..tracer import Tracer
from ..tracing import Trace, origin_of
from ..tree import TreeDef


class Callee(NamedTuple):
    """A private function.

    Attributes:
        symbol: its name.
        captures: values of outer traces that it takes first.
        types: of its results.
        structure: of what the Python function returned.
    """

    symbol: str
    captures: tuple[Tracer, ...]
    types: tuple[ShapeDtypeStruct, ...]
    structure: TreeDef

    def call(self, builder: Builder, operands: Sequence[SSAValue]) -> Sequence[SSAValue]:
        """Append a call; the operands include the captures."""
        call = CallOp.create(
            operands=operands,
            result_types=[type_.tensor for type_ in self.types],
            properties={"callee": SymbolRefAttr(self.symbol)},
            location=builder.location,
        )
        builder.block.add_op(call)
        return call.results


class _Entry:
    """What is known of a function that is being traced, or was.

    Attributes:
        symbol: its name.
        callee: the function, once it has been traced.
        called: whether it was called before that, by itself.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.callee: Callee | None = None
        self.called = False


def callee_of(
    outer: Trace,
    key: Hashable,
    name: str,
    function: Callable[..., Any],
    types: Sequence[ShapeDtypeStruct],
    unflatten: Callable[[Sequence[Any]], Sequence[Any]],
) -> Callee | None:
    """Return a function as a private one of a trace, traced when it is first asked for.

    Args:
        outer: the trace in which it is called.
        key: stands for the function and its signature.
        name: what to call it, if the name is free.
        function: the Python function.
        types: of the leaves of its arguments.
        unflatten: makes its positional arguments of them.

    Returns:
        The function, or None where it calls itself and is being traced for the first time. It is
        traced once more then, with itself known, so that what is made of it now does not matter.
    """
    entry = outer.memo.get(key)
    if entry is None:
        entry = outer.memo[key] = _Entry(outer.reserve(name))
        try:
            entry.callee = _traced(outer, entry.symbol, function, types, unflatten, ())
            if entry.called:
                entry.callee = _with_itself(outer, entry.callee, function, types, unflatten)
        except BaseException:
            del outer.memo[key]
            raise
    elif entry.callee is None:
        entry.called = True
    return entry.callee


def _with_itself(
    outer: Trace,
    callee: Callee,
    function: Callable[..., Any],
    types: Sequence[ShapeDtypeStruct],
    unflatten: Callable[[Sequence[Any]], Sequence[Any]],
) -> Callee:
    """Trace a function again that calls itself, as what it turned out to be the first time."""
    again = _traced(outer, callee.symbol, function, types, unflatten, callee.captures)
    if len(again.captures) > len(callee.captures):
        raise CustomRuleError(
            f"`{function.__name__}` calls itself, and closes over other arrays each time that it "
            "is traced; let it take them as arguments",
            spell_location(location_of_function(function)),
        )
    return again


def required(callee: Callee | None, name: str) -> Callee:
    """Return a function that does not call itself.

    Raises:
        TracingRecursionError: if it is None because it does.
    """
    if callee is None:
        raise endless(name)
    return callee


def _traced(
    outer: Trace,
    symbol: str,
    function: Callable[..., Any],
    types: Sequence[ShapeDtypeStruct],
    unflatten: Callable[[Sequence[Any]], Sequence[Any]],
    captures: Sequence[Tracer],
) -> Callee:
    location = location_of_function(function)
    inner = Trace(symbol, [type_.tensor for type_ in types], (), location, outer)
    for capture in captures:
        inner.lift(capture)
    with inner.open():
        tracers = [
            inner.tracer(value, type_.weak_type) for value, type_ in zip(inner.parameters, types)
        ]
        called = converted(function) if outer.root.convert else function
        result = run(called, unflatten(tracers), {})
        results, structure = lift_results(inner, result, location)
        body = inner.finish([tracer.value for tracer in results])
    for mutation in inner.mutations:
        raise UnsupportedError(
            f"`{symbol_of(function)}` has derivative rules, or is one, and changes an array of the "
            "function around it; return the new array instead",
            spell_location(mutation.location),
        )
    body.properties["sym_visibility"] = StringAttr("private")
    outer.functions[symbol] = body
    return Callee(
        symbol,
        tuple([origin_of(c) for c in inner.captures if isinstance(c, Tracer)]),
        tuple([ShapeDtypeStruct(r.shape, r.dtype, r.weak) for r in results]),
        structure,
    )
