"""Branches: `cond` and `switch`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..arguments import ShapeDtypeStruct
from ..boundary import public
from ..errors import ArgumentError, BranchError
from ..regions import (
    TracedRegion,
    assign_changed,
    changed_cells,
    lift_leaf,
    lift_tree,
    type_of_tracer,
    values_of,
    wrapped,
)
from ..tracer import Tracer
from ..tracing import Trace, current_trace
from .common import all_captures, common_type, describe, here

_UNSET: Final = object()


@public
def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = _UNSET,
) -> Any:
    """Return ``true_fun(*operands)`` if ``pred`` holds, else ``false_fun(*operands)``.

    Where ``pred`` is traced, compiled code runs one of the two. They must return the same
    structure, shapes and dtypes; Python scalars take the dtype of what they meet. Where it is
    known, this is a plain call.

    Args:
        pred: one bool, or a number, which counts as True unless it is 0.
        true_fun: takes the operands; may close over traced values.
        false_fun: takes the operands.
        operands: trees of arrays.
        operand: the only operand, as older programs pass it.

    Raises:
        BranchError: (a TypeError) if the functions return different structures or types.
        ArgumentError: (a TypeError) if ``pred`` is not one number.
    """
    arguments = operands if operand is _UNSET else (operand,)
    chosen = _scalar(pred, "pred")
    if not isinstance(chosen, Tracer):
        return (true_fun if chosen else false_fun)(*arguments)
    if chosen.dtype.kind != "b":
        chosen = chosen != 0
    return branch(chosen, (false_fun, true_fun), arguments)


@public
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return ``branches[index](*operands)``, with the index clamped to the branches there are.

    Args:
        index: one integer.
        branches: functions of the operands that return the same structure, shapes and dtypes.
        operands: trees of arrays.

    Raises:
        BranchError: (a TypeError) if the functions return different structures or types.
        ArgumentError: (a TypeError) if there are no branches, or ``index`` is not one integer.
    """
    functions = tuple(branches)
    if not functions:
        raise ArgumentError("switch needs at least one branch", here())
    chosen = _scalar(index, "index")
    if not isinstance(chosen, Tracer):
        if isinstance(chosen, (float, np.floating, bool, np.bool_)):
            raise ArgumentError(f"switch needs an integer as index, found {chosen!r}", here())
        return functions[min(max(operator.index(chosen), 0), len(functions) - 1)](*operands)
    if chosen.dtype.kind not in "iu":
        raise ArgumentError(f"switch needs an integer as index, found {chosen}", here())
    if len(functions) == 1:
        return functions[0](*operands)
    return branch(chosen, functions, operands)


def branch(
    index: Tracer,
    functions: Sequence[Callable[..., Any]],
    operands: Sequence[Any],
    promote: bool = False,
) -> Any:
    """Append the op that calls one of the functions, and return its result.

    Args:
        index: a 0-d bool (False: the first function) or integer.
        functions: what to choose from.
        operands: what the functions take.
        promote: whether results of several dtypes are promoted as NumPy does.

    Raises:
        BranchError: if the functions return different structures or types.
    """
    outer = current_trace() or index.trace
    leaves, structure = lift_tree(outer, tuple(operands))
    regions: list[TracedRegion] = []
    for function in functions:
        captures = all_captures(regions)
        types = [type_of_tracer(leaf) for leaf in leaves]
        regions.append(TracedRegion(outer, function, types, structure.unflatten, captures))
    results = _common_results(regions, promote)
    return _append(outer, index, leaves, regions, results)


def _append(
    outer: Trace,
    index: Tracer,
    leaves: Sequence[Tracer],
    regions: Sequence[TracedRegion],
    types: Sequence[ShapeDtypeStruct],
) -> Any:
    captures = all_captures(regions)
    changed = changed_cells(regions)
    blocks = [region.finish(types, captures, changed) for region in regions]
    outer.locate()
    chosen = lift_leaf(outer, index).value
    values = outer.builder.case(chosen, values_of([*captures, *leaves]), blocks)
    assign_changed(outer, changed, values)
    return regions[0].structure.unflatten(wrapped(outer, values[len(changed) :], types))


def _scalar(value: Any, what: str) -> Any:
    """Return a 0-d traced value as it is, and another number as Python or NumPy scalar."""
    shape = np.shape(value) if not isinstance(value, Tracer) else value.shape
    if shape:
        raise ArgumentError(f"`{what}` must be one number, found one of shape {shape}", here())
    return value if isinstance(value, Tracer) else np.asarray(value)[()]


def _common_results(regions: Sequence[TracedRegion], promote: bool) -> list[ShapeDtypeStruct]:
    first, *others = regions
    for other in others:
        if other.structure != first.structure:
            raise BranchError(
                "the branches must return one structure, but "
                f"{describe(first.function)} returns {first.structure} and "
                f"{describe(other.function)} returns {other.structure}",
                here(),
            )
    paths = first.structure.paths("result")
    columns = zip(*(region.types for region in regions))
    return [_common(regions, path, column, promote) for path, column in zip(paths, columns)]


def _common(
    regions: Sequence[TracedRegion],
    path: str,
    types: Sequence[ShapeDtypeStruct],
    promote: bool,
) -> ShapeDtypeStruct:
    joined: ShapeDtypeStruct | None = types[0]
    for type_ in types[1:]:
        joined = joined and common_type(joined, type_, promote)
    if joined is not None:
        return joined
    pairs = zip(regions, types)
    given = ", ".join(f"{type_} from {describe(region.function)}" for region, type_ in pairs)
    raise BranchError(
        f"the branches must return one type, but `{path}` is {given}; convert one, for example by "
        "`astype`",
        here(),
    )
