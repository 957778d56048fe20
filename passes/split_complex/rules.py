"""How each op that takes or gives complex values is computed on their parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Operation, SSAValue

from ...ir.array import contraction as c
from ...ir.array import effect as f
from ...ir.array import elementwise as e
from ...ir.array import indexing as n
from ...ir.array import ordering as o
from ...ir.array import reduction as r
from ...ir.array import shape as s
from ...ir.array.base import ArrayOp
from ...ir.attributes import ReduceKind, ReduceKindAttr, ScatterKind
from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from ...ir.types import dtype_of, shape_of, tensor_info, tensor_type, to_numpy
from ..scatters import Values, combine_at
from ..windows import combine_windows
from .arithmetic import ComplexBuilder, Parts
from .storage import loaded, part_dtype, stored, stored_type

Rule: TypeAlias = Callable[[ComplexBuilder, Operation, Sequence[Parts]], Parts | Sequence[Parts]]
"""Computes an op on the parts of its operands; returns its result, or all of its results."""

_UNARY: Final[dict[type[ArrayOp], Callable[[ComplexBuilder, Parts], Parts]]] = {
    e.NegOp: ComplexBuilder.neg,
    e.ConjOp: ComplexBuilder.conj,
    e.SignOp: ComplexBuilder.sign,
    e.SqrtOp: ComplexBuilder.sqrt,
    e.RsqrtOp: ComplexBuilder.rsqrt,
    e.ExpOp: ComplexBuilder.exp,
    e.Exp2Op: ComplexBuilder.exp2,
    e.Expm1Op: ComplexBuilder.expm1,
    e.LogOp: ComplexBuilder.log,
    e.Log2Op: ComplexBuilder.log2,
    e.Log10Op: ComplexBuilder.log10,
    e.Log1pOp: ComplexBuilder.log1p,
    e.SinOp: ComplexBuilder.sin,
    e.CosOp: ComplexBuilder.cos,
    e.TanOp: ComplexBuilder.tan,
    e.AsinOp: ComplexBuilder.asin,
    e.AcosOp: ComplexBuilder.acos,
    e.AtanOp: ComplexBuilder.atan,
    e.SinhOp: ComplexBuilder.sinh,
    e.CoshOp: ComplexBuilder.cosh,
    e.TanhOp: ComplexBuilder.tanh,
    e.AsinhOp: ComplexBuilder.asinh,
    e.AcoshOp: ComplexBuilder.acosh,
    e.AtanhOp: ComplexBuilder.atanh,
}

_BINARY: Final[dict[type[ArrayOp], Callable[[ComplexBuilder, Parts, Parts], Parts]]] = {
    e.AddOp: ComplexBuilder.add,
    e.SubOp: ComplexBuilder.sub,
    e.MulOp: ComplexBuilder.mul,
    e.DivOp: ComplexBuilder.div,
    e.PowOp: ComplexBuilder.pow,
}


def _unary(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    return _UNARY[type(op)](b, parts[0])  # type: ignore[index]


def _binary(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    return _BINARY[type(op)](b, parts[0], parts[1])  # type: ignore[index]


# Between complex and real


def _real(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    return Parts(parts[0].real, None)


def _imag(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    return Parts(b.imag(parts[0]), None)


def _absolute(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    return Parts(b.absolute(parts[0]), None)


def _complex(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    return Parts(parts[0].real, parts[1].real)


def _convert(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    dtype = part_dtype(dtype_of(op.results[0]))
    (z,) = parts
    if dtype.kind == "b":
        nonzero = b.b.convert(z.real, dtype)
        return Parts(
            nonzero if z.imag is None else b.b.or_(nonzero, b.b.convert(z.imag, dtype)), None
        )
    is_complex = dtype_of(op.results[0]).kind == "c"
    imag = b.b.convert(z.imag, dtype) if is_complex and z.imag is not None else None
    return Parts(b.b.convert(z.real, dtype), imag)


def _compare(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    assert isinstance(op, e.CompareOp)
    predicate = op.predicate.data.value
    x, y = parts
    real = b.b.compare(predicate, x.real, y.real)
    imag = b.b.compare(predicate, b.imag(x), b.imag(y))
    return Parts(b.b.and_(real, imag) if predicate == "eq" else b.b.or_(real, imag), None)


# Structure: the op of each part


def _each(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    """Apply the op itself to the real parts and to the imaginary parts."""
    real = _again(b, op, [z.real for z in parts])
    if all(z.imag is None for z in parts):
        return Parts(real, None)
    return Parts(real, _again(b, op, [b.imag(z) for z in parts]))


def _again(b: ComplexBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    assert isinstance(op, ArrayOp)
    shape, dtype = tensor_info(op.results[0])
    requested = tensor_type(shape, part_dtype(dtype))
    return b.b.create(type(op), operands, op.properties, requested)


def _read(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    """Read the parts at the same positions."""
    return _at_positions(b, op, parts[:1], parts[1:])


def _write(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    """Write the parts at the same positions; products need both."""
    if isinstance(op, n.ScatterOp) and op.kind.data is ScatterKind.MUL:
        return _multiply_at(b, op, parts)
    return _at_positions(b, op, parts[:2], parts[2:])


def _at_positions(
    b: ComplexBuilder, op: Operation, arrays: Sequence[Parts], positions: Sequence[Parts]
) -> Parts:
    places = [z.real for z in positions]
    real = _again(b, op, [*(z.real for z in arrays), *places])
    if all(z.imag is None for z in arrays):
        return Parts(real, None)
    return Parts(real, _again(b, op, [*map(b.imag, arrays), *places]))


def _multiply_at(b: ComplexBuilder, op: n.ScatterOp, parts: Sequence[Parts]) -> Parts:
    x, update, *positions = parts
    if x.imag is None and update.imag is None:
        return _at_positions(b, op, (x, update), positions)

    def multiply(builder: Builder, old: Values, new: Values) -> Values:
        product = ComplexBuilder(builder).mul(Parts(*old), Parts(*new))
        assert product.imag is not None
        return (product.real, product.imag)

    real, imag = combine_at(
        b.b,
        (x.real, b.imag(x)),
        (update.real, b.imag(update)),
        [z.real for z in positions],
        op.dims.data,
        multiply,
        unique=op.unique is not None,
    )
    return Parts(real, imag)


def _select(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    condition, yes, no = parts
    real = b.b.select(condition.real, yes.real, no.real)
    if yes.imag is None and no.imag is None:
        return Parts(real, None)
    return Parts(real, b.b.select(condition.real, b.imag(yes), b.imag(no)))


def _constant(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    value = op.properties["value"]
    assert isinstance(value, DenseIntOrFPElementsAttr)
    return b.constant(to_numpy(value))


def _contract(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    x, y = parts

    def product(left: SSAValue | None, right: SSAValue | None) -> SSAValue | None:
        return None if left is None or right is None else _again(b, op, (left, right))

    real, crossed = product(x.real, y.real), product(x.imag, y.imag)
    assert real is not None
    if crossed is not None:
        real = b.b.sub(real, crossed)
    terms = [t for t in (product(x.real, y.imag), product(x.imag, y.real)) if t is not None]
    imag = b.b.add(*terms) if len(terms) == 2 else (terms[0] if terms else None)
    return Parts(real, imag)


def _reduce(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    kind = op.properties["kind"]
    assert isinstance(kind, ReduceKindAttr)
    if kind.data is ReduceKind.ADD:
        return _each(b, op, parts)
    if isinstance(op, r.ReduceOp):
        return _product(b, op, parts[0])
    assert isinstance(op, r.CumulativeOp)
    return _cumulative_product(b, op, parts[0])


def _product(b: ComplexBuilder, op: r.ReduceOp, z: Parts) -> Parts:
    """Multiply halves with each other until one element of each dimension is left."""
    for dim in op.dims.data:
        z = _product_along(b, z, dim)
    shape = shape_of(op.result)
    return _map(z, lambda part: b.b.reshape(part, shape))


def _product_along(b: ComplexBuilder, z: Parts, dim: int) -> Parts:
    length = shape_of(z.real)[dim]
    if length == 0:
        shape = tuple(1 if d == dim else n for d, n in enumerate(shape_of(z.real)))
        return Parts(b.b.full(shape, dtype_of(z.real), 1), None)
    while length > 1:
        half = length // 2
        product = b.mul(_part(b, z, dim, 0, half), _part(b, z, dim, half, 2 * half))
        if length % 2:
            product = _joined(b, [product, _part(b, z, dim, 2 * half, length)], dim)
        z, length = product, half + length % 2
    return z


def _cumulative_product(b: ComplexBuilder, op: r.CumulativeOp, z: Parts) -> Parts:
    """Scan by doubling (Hillis and Steele, Comm. ACM 29, 1986)."""
    dim = s.dim_of(op.properties)
    length = shape_of(z.real)[dim]
    reverse = op.reverse is not None
    step = 1
    while step < length:
        if reverse:
            product = b.mul(_part(b, z, dim, 0, length - step), _part(b, z, dim, step, length))
            z = _joined(b, [product, _part(b, z, dim, length - step, length)], dim)
        else:
            product = b.mul(_part(b, z, dim, step, length), _part(b, z, dim, 0, length - step))
            z = _joined(b, [_part(b, z, dim, 0, step), product], dim)
        step *= 2
    return z


def _reduce_window(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Parts:
    assert isinstance(op, r.ReduceWindowOp)
    if op.kind.data is ReduceKind.ADD:
        return _each(b, op, parts)
    shape = shape_of(op.result)
    if 0 in shape:
        return Parts(b.b.full(shape, dtype_of(parts[0].real), 1), None)
    return combine_windows(
        _within_ones(b, op, parts[0]),
        shape_of(op.operand),
        r.windows_of(op.properties),
        partial(_part, b),
        b.mul,
    )


def _within_ones(b: ComplexBuilder, op: r.ReduceWindowOp, z: Parts) -> Parts:
    """Return the operand of a product within its padding."""

    def padded(part: SSAValue, value: int) -> SSAValue:
        scalar = b.b.full((), dtype_of(part), value)
        return b.b.pad(part, scalar, op.low.data, op.high.data)

    return Parts(padded(z.real, 1), None if z.imag is None else padded(z.imag, 0))


# Effects


def _call_back(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> list[Parts]:
    """Hand complex arrays over as they lie in memory, and take them so."""
    assert isinstance(op, f.CallbackOp)
    operands = [
        stored(b, z) if dtype_of(v).kind == "c" else z.real for v, z in zip(op.inputs, parts)
    ]
    types = [stored_type(type_) for type_ in op.types.data]
    number, label = op.number.value.data, op.label.data
    results = b.b.callback(number, label, operands, types, pure=op.pure is not None)
    return [
        loaded(b.b, value) if dtype_of(old).kind == "c" else Parts(value, None)
        for old, value in zip(op.results, results)
    ]


# Ordering


def _sort(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> list[Parts]:
    """Sort the parts: by real parts, then imaginary ones, of complex keys."""
    assert isinstance(op, o.SortOp)
    keys = op.keys.value.data
    ranks = [_nan_rank(b, z) for z in parts[:keys] if z.imag is not None]
    remaining = iter(ranks)
    operands: list[SSAValue] = []
    for number, z in enumerate(parts):
        if number < keys and z.imag is not None:
            operands.append(next(remaining))
        operands += [part for part in z if part is not None]
    key_count = keys + 2 * len(ranks)
    results = iter(b.b.sort(operands, op.dim.data, key_count))
    found = []
    for number, z in enumerate(parts):
        if number < keys and z.imag is not None:
            next(results)
        found.append(Parts(next(results), None if z.imag is None else next(results)))
    return [*found, Parts(next(results), None)]


def _nan_rank(b: ComplexBuilder, z: Parts) -> SSAValue:
    """Append what sorts before the parts do: NaN imaginary parts behind, NaN real ones last."""
    u8 = np.dtype(np.uint8)
    real, imag = (b.b.convert(b.b.compare("ne", x, x), u8) for x in (z.real, b.imag(z)))
    return b.b.add(b.b.add(real, real), imag)


def _map(z: Parts, function: Callable[[SSAValue], SSAValue]) -> Parts:
    return Parts(function(z.real), None if z.imag is None else function(z.imag))


def _part(b: ComplexBuilder, z: Parts, dim: int, start: int, limit: int, stride: int = 1) -> Parts:
    def cut(part: SSAValue) -> SSAValue:
        shape = shape_of(part)
        starts = [start if d == dim else 0 for d in range(len(shape))]
        limits = [limit if d == dim else n for d, n in enumerate(shape)]
        strides = [stride if d == dim else 1 for d in range(len(shape))]
        return b.b.slice(part, starts, limits, strides)

    return _map(z, cut)


def _joined(b: ComplexBuilder, parts: Sequence[Parts], dim: int) -> Parts:
    real = b.b.concatenate([z.real for z in parts], dim)
    if all(z.imag is None for z in parts):
        return Parts(real, None)
    return Parts(real, b.b.concatenate([b.imag(z) for z in parts], dim))


_STRUCTURAL: Final = (
    s.IotaOp,
    s.BroadcastOp,
    s.ReshapeOp,
    s.TransposeOp,
    s.SliceOp,
    s.PadOp,
    s.ConcatenateOp,
    s.ReverseOp,
)

RULES: Final[dict[type[Operation], Rule]] = {
    **dict.fromkeys(_UNARY, _unary),
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(_STRUCTURAL, _each),
    e.RealOp: _real,
    e.ImagOp: _imag,
    e.AbsOp: _absolute,
    e.ComplexOp: _complex,
    e.ConvertOp: _convert,
    e.CompareOp: _compare,
    e.SelectOp: _select,
    s.ConstantOp: _constant,
    n.DynamicSliceOp: _read,
    n.GatherOp: _read,
    n.DynamicUpdateSliceOp: _write,
    n.ScatterOp: _write,
    r.ReduceOp: _reduce,
    r.CumulativeOp: _reduce,
    r.ReduceWindowOp: _reduce_window,
    c.DotGeneralOp: _contract,
    c.ConvolutionOp: _contract,
    o.SortOp: _sort,
    f.CallbackOp: _call_back,
}
"""Every op that may take or give complex values."""


def split_op(b: ComplexBuilder, op: Operation, parts: Sequence[Parts]) -> Sequence[Parts]:
    """Compute an op on parts, and return those of its results.

    Raises:
        GradatimError: the op is not defined on complex values.
    """
    rule = RULES.get(type(op))
    if rule is None:
        raise GradatimError(f"{op.name} does not take complex values", spell_location(op.location))
    found = rule(b, op, parts)
    return [found] if isinstance(found, Parts) else found
