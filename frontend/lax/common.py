"""What the functions of control flow share: running at once, common types, messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...ir.locations import spell_location
from ..arguments import ShapeDtypeStruct
from ..regions import TracedRegion, location_of_function
from ..source import user_location
from ..stage import Staged, stage
from ..traced import symbol_of
from ..tracing import current_trace

_PYTHON_TYPES = {"b": bool, "i": int, "f": float, "c": complex}


def in_trace(
    primitive: Callable[..., Any],
    functions: tuple[Callable[..., Any], ...],
    operands: Sequence[Any],
    **options: Any,
) -> Any:
    """Return ``primitive(*functions, *operands, **options)``.

    Where no trace is open, it is compiled and run at once.
    """
    if current_trace() is not None:
        return primitive(*functions, *operands, **options)
    try:
        staged = _staged(primitive, functions, tuple(options.items()))
    except TypeError:  # a function that cannot be hashed
        staged = _staged.__wrapped__(primitive, functions, tuple(options.items()))
    return staged(*operands)


@lru_cache(maxsize=256)
def _staged(
    primitive: Callable[..., Any],
    functions: tuple[Callable[..., Any], ...],
    options: tuple[tuple[str, Any], ...],
) -> Staged:
    def call(*operands: Any) -> Any:
        return primitive(*functions, *operands, **dict(options))

    call.__name__ = primitive.__name__.lstrip("_")
    return stage(call)


def common_type(
    first: ShapeDtypeStruct, second: ShapeDtypeStruct, promote: bool
) -> ShapeDtypeStruct | None:
    """Return the type that both can be converted to, None if there is none.

    Python scalars take the dtype of what they meet. Arrays must have one dtype, unless ``promote``
    allows NumPy's promotion.
    """
    if first.shape != second.shape:
        return None
    if first.dtype == second.dtype:
        return ShapeDtypeStruct(first.shape, first.dtype, first.weak_type and second.weak_type)
    dtype = np.result_type(_as_operand(first), _as_operand(second))
    strong = [t for t in (first, second) if not t.weak_type]
    if not promote and any(type_.dtype != dtype for type_ in strong):
        return None
    return ShapeDtypeStruct(first.shape, dtype, not strong)


def _as_operand(type_: ShapeDtypeStruct) -> Any:
    """Return what stands for a type in NumPy's promotion."""
    return _PYTHON_TYPES[type_.dtype.kind](0) if type_.weak_type else type_.dtype


def describe(function: Callable[..., Any]) -> str:
    """Return a function's name and place, for messages."""
    place = spell_location(location_of_function(function))
    return f"`{symbol_of(function)}` at {place}" if place else f"`{symbol_of(function)}`"


def here() -> str | None:
    """Return the user's place."""
    return spell_location(user_location())


def all_captures(regions: Sequence[TracedRegion]) -> list[Any]:
    """Return what the last of several regions captures, which began with the others' captures."""
    return regions[-1].captures if regions else []
