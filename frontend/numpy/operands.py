"""How functions read their operands: lifting into the trace, conversion, broadcasting."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

import numpy as np
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.locations import spell_location
from ...ir.types import Shape, spell, tensor_info
from ..errors import ShapeError, UnsupportedError
from ..source import user_location
from ..tracer import Tracer
from ..tracing import Operand, Trace, lift_all

xp: Final[Any] = np
"""NumPy where it is called on traced values: its functions lead here again by its protocols."""


def leaves(operand: Any) -> Iterator[Any]:
    """Walk through the elements of nested lists and tuples."""
    if type(operand) in (list, tuple):
        for item in operand:
            yield from leaves(item)
    else:
        yield operand


def is_traced(operands: Iterable[Any]) -> bool:
    """Tell whether a traced value is among the operands or in lists and tuples of them."""
    for operand in operands:
        kind = type(operand)
        if kind is Tracer or (kind in (list, tuple) and is_traced(operand)):
            return True
    return False


def is_one_of(setting: Any, usual: Iterable[Any]) -> bool:
    """Tell whether a setting, of any type, is one of the usual ones."""
    return any(setting is u or (type(setting) is type(u) is str and setting == u) for u in usual)


def lifted(*operands: Any) -> tuple[Trace, list[Operand]]:
    """Begin a function whose Python scalars are weak: lift all operands into one trace.

    A list that has traced values in it is joined.

    Raises:
        ShapeError: if the items of a list differ in shape.
        UnexpectedTracerError, DtypeError, ArgumentError: as `tracing.lift_all`.
    """
    if any(type(x) in (list, tuple) for x in operands):
        marker = _first_traced(operands)
        operands = tuple(_joined(x, marker) if is_traced((x,)) else x for x in operands)
    return lift_all(*operands)


def traced_arrays(*operands: Any) -> tuple[Trace, list[Tracer]]:
    """Begin a function of arrays: as `lifted`, but nothing is weak.

    As by ``numpy.asarray``, Python scalars become 0-d arrays of their own dtype.

    Raises:
        UnsupportedError: if none is traced, so that another argument of the function was.
    """
    if not is_traced(operands):
        raise unsupported(
            "a traced value was given for an argument that must be known while tracing, such as a "
            "count or a shape; make it static (`static_argnums`)"
        )
    trace, found = lifted(*operands)
    return trace, [_strong(trace, x) for x in found]


def traced_array(operand: Any) -> Tracer:
    """Begin a function of one array; see `traced_arrays`."""
    return traced_arrays(operand)[1][0]


def _first_traced(operands: Any) -> Tracer:
    return next(x for x in leaves(operands) if type(x) is Tracer)


def _joined(item: Any, marker: Tracer) -> Any:
    """Stack nested lists and tuples into one array, in the trace of ``marker``."""
    if type(item) not in (list, tuple):
        return item
    _, (_, *parts) = traced_arrays(marker, *[_joined(x, marker) for x in item])
    return stack_parts(parts)


def stack_parts(parts: Sequence[Tracer], axis: int = 0) -> Tracer:
    """Join arrays of one shape along a new axis.

    Raises:
        ShapeError: if the shapes differ.
    """
    trace = parts[0].trace
    shape = parts[0].shape
    for part in parts:
        if part.shape != shape:
            raise shape_error("arrays to be joined must have one shape", parts)
    dtype = np.result_type(*[x.dtype for x in parts])
    builder = trace.builder
    expanded = (*shape[:axis], 1, *shape[axis:])
    columns = [builder.reshape(builder.convert(x.value, dtype), expanded) for x in parts]
    return trace.tracer(builder.concatenate(columns, axis))


def _strong(trace: Trace, operand: Operand) -> Tracer:
    if type(operand) is not Tracer:
        return trace.tracer(trace.builder.constant(np.asarray(operand)))
    return trace.tracer(operand.value) if operand.weak else operand


def converted(x: Tracer, dtype: Any) -> Tracer:
    """Return x in another dtype; x itself if it has it."""
    wanted = np.dtype(dtype)
    if x.dtype == wanted:
        return x
    return x.trace.tracer(x.trace.builder.convert(x.value, wanted))


def constant_like(x: Tracer, value: object) -> Tracer:
    """Return a constant of x's shape and dtype."""
    return x.trace.tracer(x.trace.builder.full_like(x.value, value))


def counting(trace: Trace, shape: Shape, dtype: np.dtype, axis: int = 0) -> Tracer:
    """Return 0, 1, 2, ... along an axis."""
    return trace.tracer(trace.builder.iota(shape, dtype, axis))


def select(predicate: Tracer, x: Tracer, y: Tracer) -> Tracer:
    """Return x where the predicate holds, else y; all of one shape, x and y of one dtype."""
    return x.trace.tracer(x.trace.builder.select(predicate.value, x.value, y.value))


def shape_of(operand: Operand) -> Shape:
    """Return the shape of a lifted operand."""
    return operand.shape if type(operand) is Tracer else ()


def broadcast_shape(operands: Sequence[Operand]) -> Shape:
    """Return the shape that the operands have once broadcast against each other.

    Raises:
        ShapeError: if they cannot be.
    """
    shapes = {shape_of(x) for x in operands}
    shapes.discard(())
    if len(shapes) < 2:
        return shapes.pop() if shapes else ()
    sizes = []
    for column in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        distinct = {n for n in column if n != 1} or {1}
        if len(distinct) > 1:
            raise shape_error("operands could not be broadcast together", operands)
        sizes.append(distinct.pop())
    return tuple(reversed(sizes))


def broadcast_value(b: Builder, x: SSAValue, shape: Shape) -> SSAValue:
    """Repeat x along the dimensions that it lacks and those of size 1.

    Raises:
        ShapeError: if x does not broadcast to ``shape``.
    """
    found, _ = tensor_info(x)
    if found == shape:
        return x
    offset = len(shape) - len(found)
    if offset < 0 or any(n not in (1, m) for n, m in zip(found, shape[offset:])):
        raise ShapeError(
            f"{spell(x)} cannot be broadcast to shape {shape}", spell_location(user_location())
        )
    kept = [d for d, n in enumerate(found) if n == shape[offset + d]]
    squeezed = b.reshape(x, tuple(found[d] for d in kept))
    return b.broadcast(squeezed, shape, [offset + d for d in kept])


def broadcast(x: Tracer, shape: Shape) -> Tracer:
    """Return x repeated to ``shape``; see `broadcast_value`."""
    return x.trace.tracer(broadcast_value(x.trace.builder, x.value, shape))


def prepared(b: Builder, operand: Operand, dtype: np.dtype, shape: Shape) -> SSAValue:
    """Return a lifted operand as a value of ``dtype`` and ``shape``.

    Raises:
        ShapeError: if it does not broadcast to ``shape``.
        OverflowError: if it is a Python int that ``dtype`` cannot hold.
    """
    if type(operand) is not Tracer:
        return b.full(shape, dtype, operand)
    value = operand.value
    if tensor_info(value) == (shape, dtype):
        return value
    return broadcast_value(b, b.convert(value, dtype), shape)


def shape_error(message: str, operands: Sequence[Operand]) -> ShapeError:
    """Return the error that the operands' shapes do not fit, naming their types."""
    types = [spell(x.value) if type(x) is Tracer else repr(x) for x in operands]
    return ShapeError(f"{message}: {', '.join(types)}", spell_location(user_location()))


def unsupported(message: str) -> UnsupportedError:
    """Return the error that something is not supported, at the user's place."""
    return UnsupportedError(message, spell_location(user_location()))
