"""Simplification of elementwise ops."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Final

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array import OPS_BY_FAMILY
from ...ir.array import elementwise as e
from ...ir.array.shape import BroadcastOp
from ...ir.attributes import ComparePredicate, ComparePredicateAttr
from ...ir.types import Shape, dtype_of, shape_of, tensor_info, tensor_type
from .ranges import Range, range_of
from .rules import (
    Compositions,
    RuleBuilder,
    Rules,
    Scalar,
    SplatRules,
    array_op_type,
    constant_of,
    integers_of,
    kind_of,
    splat_of,
)

# A constant as right operand


def _is_zero(c: Scalar, *, negative: bool) -> bool:
    """Tell whether a number is the zero of this sign, in both parts if it is complex."""
    parts = (c.real, c.imag) if c.dtype.kind == "c" else (c,)
    return all(part == 0 and np.signbit(part) == negative for part in parts)


def _may_reassociate(b: RuleBuilder, c: Scalar) -> bool:
    return b.fast or c.dtype.kind in "iu"


def _reassociate(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    """``(x op d) op c`` is ``x op (d op c)``."""
    inner = x.owner
    if type(inner) is not type(op) or not _may_reassociate(b, c):
        return None
    y, d = inner.operands
    if constant_of(d) is None:
        return None
    op_type = array_op_type(op)
    return b.create(op_type, (y, b.create(op_type, (d, op.operands[1]))))


def _add(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    """``(x - d) + c`` is ``x - (d - c)``."""
    if c == 0 and (_may_reassociate(b, c) or _is_zero(c, negative=True)):
        return x
    inner = x.owner
    if type(inner) is e.SubOp and _may_reassociate(b, c):
        y, d = inner.operands
        if constant_of(d) is not None:
            return b.sub(y, b.sub(d, op.operands[1]))
    return _reassociate(b, op, x, c)


def _sub(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    """``(x + d) - c`` is ``x + (d - c)`` and ``(x - d) - c`` is ``x - (d + c)``."""
    if c == 0 and (_may_reassociate(b, c) or _is_zero(c, negative=False)):
        return x
    inner = x.owner
    if type(inner) not in (e.AddOp, e.SubOp) or not _may_reassociate(b, c):
        return None
    y, d = inner.operands  # type: ignore[union-attr]
    if constant_of(d) is None:
        return None
    if type(inner) is e.AddOp:
        return b.add(y, b.sub(d, op.operands[1]))
    return b.sub(y, b.add(d, op.operands[1]))


def _mul(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    if c.dtype.kind == "c" and not b.fast:
        return None  # infinities times the absent imaginary part give NaN
    if c == 1:
        return x
    if c == 0 and _may_reassociate(b, c):
        return b.full_like(x, 0)
    if c.dtype.kind != "u" and c == -1:
        return b.neg(x)
    return _reassociate(b, op, x, c)


def _div(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    kind = c.dtype.kind
    if c == 1 and (kind != "c" or b.fast):
        return x
    if kind == "f" and (_has_exact_reciprocal(c) or (b.fast and c != 0)):
        return b.mul(x, b.full_like(x, 1 / c))
    return None


def _has_exact_reciprocal(c: Scalar) -> bool:
    """Tell whether ``c`` is a power of two whose reciprocal is a number."""
    with np.errstate(all="ignore"):
        reciprocal = c.dtype.type(1) / c
    return bool(abs(np.frexp(c)[0]) == 0.5 and np.isfinite(reciprocal))


def _rem(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    return b.full_like(x, 0) if c.dtype.kind in "iu" and c == 1 else None


def _pow(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    """Small powers by products and roots, within the 2 ulp that ``pow`` grants itself."""
    if c.dtype.kind != "f":
        return None
    if float(c) in _HALVES:
        return _half_power(b, x, float(c))
    if c == 0:
        return b.full_like(x, 1)
    if c == 1:
        return x
    if c == 2:
        return b.mul(x, x)
    if c == 3:
        return b.mul(b.mul(x, x), x)
    if c == -1:
        return b.div(b.full_like(x, 1), x)
    return b.sqrt(x) if b.fast and c == 0.5 else None


_HALVES: Final = (1.5, 2.5, -1.5)


def _half_power(b: RuleBuilder, x: SSAValue, exponent: float) -> SSAValue:
    """A power of x or 1 / x, and a square root, in an order in which nothing overflows too soon.

    Only of minus infinity, whose root is NaN, it is not the product; zeros count as positive.
    """
    positive = b.add(x, b.full_like(x, 0))
    root, factor = b.sqrt(positive), positive
    if exponent < 0:
        factor = b.div(b.full_like(x, 1), positive)
    power = b.div(factor, root) if exponent < 0 else b.mul(factor, root)
    if abs(exponent) > 2:
        power = b.mul(power, factor)
    lowest = b.compare("eq", x, b.full_like(x, -np.inf))
    return b.select(lowest, b.full_like(x, np.inf if exponent > 0 else 0), power)


def _max(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    return x if c == _limits(c.dtype)[0] else None


def _min(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    return x if c == _limits(c.dtype)[1] else None


def _limits(dtype: np.dtype) -> tuple[float, float]:
    if dtype.kind == "f":
        return -np.inf, np.inf
    limits = np.iinfo(dtype)
    return limits.min, limits.max


def _copy_sign(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    magnitude = b.abs(x)
    return b.neg(magnitude) if np.signbit(c) else magnitude


def _is_ones(c: Scalar) -> bool:
    """Tell whether all bits are set."""
    return bool(~c == 0)


def _and(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    if c == 0:
        return op.operands[1]
    return x if _is_ones(c) else _reassociate(b, op, x, c)


def _or(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    if c == 0:
        return x
    return op.operands[1] if _is_ones(c) else _reassociate(b, op, x, c)


def _xor(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    if c == 0:
        return x
    return b.not_(x) if _is_ones(c) else _reassociate(b, op, x, c)


def _shift(
    b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar, *, arithmetic: bool = False
) -> SSAValue | None:
    if c == 0:
        return x
    too_far = not 0 <= int(c) < 8 * c.dtype.itemsize
    return b.full_like(x, 0) if too_far and not arithmetic else None


def _compare_splat(b: RuleBuilder, op: Operation, x: SSAValue, c: Scalar) -> SSAValue | None:
    """Comparisons of a bool with a constant, and of an integer with one out of its range."""
    predicate = _predicate(op)
    if c.dtype.kind == "b" and predicate in ("eq", "ne"):
        return x if (predicate == "eq") == bool(c) else b.not_(x)
    if c.dtype.kind in "iu":
        known = _known_comparison(predicate, range_of(x), int(c))
        return None if known is None else _bools_like(b, x, known)
    return None


def _known_comparison(predicate: str, x: Range, c: int) -> bool | None:
    """Return what comparing with ``c`` gives, if it gives the same for all numbers in a range."""
    below, above = x.high < c, x.low > c
    at_most, at_least = x.high <= c, x.low >= c
    true, false = {
        "lt": (below, at_least),
        "le": (at_most, above),
        "gt": (above, at_most),
        "ge": (at_least, below),
        "eq": (at_most and at_least, below or above),
        "ne": (below or above, at_most and at_least),
    }[predicate]
    return true if true or false else None


SPLAT_RULES: Final[SplatRules] = {
    e.AddOp: _add,
    e.SubOp: _sub,
    e.MulOp: _mul,
    e.DivOp: _div,
    e.RemOp: _rem,
    e.PowOp: _pow,
    e.MaxOp: _max,
    e.MinOp: _min,
    e.CopySignOp: _copy_sign,
    e.AndOp: _and,
    e.OrOp: _or,
    e.XorOp: _xor,
    e.ShiftLeftOp: _shift,
    e.ShiftRightLogicalOp: _shift,
    e.ShiftRightArithmeticOp: partial(_shift, arithmetic=True),
    e.CompareOp: _compare_splat,
}

# One op


def _predicate(op: Operation) -> ComparePredicate:
    attribute = op.properties["predicate"]
    assert isinstance(attribute, ComparePredicateAttr)
    return attribute.data


def _bools_like(b: RuleBuilder, x: SSAValue, value: bool) -> SSAValue:
    return b.full(shape_of(x), np.dtype(np.bool_), value)


_SWAPPED: Final = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_NEGATED: Final = {"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def _compare_constant_right(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x, y = op._operands
    if constant_of(x) is None or constant_of(y) is not None:
        return None
    return b.compare(_SWAPPED[_predicate(op)], y, x)


def _compare_same(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """``x < x`` is false, and for all but NaN ``x == x`` is true."""
    x, y = op._operands
    if x is not y:
        return None
    predicate = _predicate(op)
    if predicate in ("lt", "gt"):
        return _bools_like(b, x, False)
    if kind_of(x) in "biu" or b.fast:
        return _bools_like(b, x, predicate != "ne")
    return None


def _same_is_operand(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x, y = op._operands
    return x if x is y else None


def _same_is_zero(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x, y = op._operands
    return b.full_like(x, 0) if x is y and (kind_of(x) in "biu" or b.fast) else None


def _zero_minus(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """``0 - x`` is ``-x``; of floats only if the zero is negative."""
    x, y = op._operands
    c = splat_of(x)
    if c is None or c != 0:
        return None
    return b.neg(y) if _may_reassociate(b, c) or _is_zero(c, negative=True) else None


def _select_choices(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A selection that is decided, between equals, or of truth itself."""
    predicate, on_true, on_false = op._operands
    if on_true is on_false:
        return on_true
    decided = splat_of(predicate)
    if decided is not None:
        return on_true if decided else on_false
    if kind_of(on_true) != "b":
        return None
    true, false = splat_of(on_true), splat_of(on_false)
    if true is None or false is None:
        return None
    return predicate if true else b.not_(predicate)


def _clamp_inside(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """An integer that is within its limits anyway stays as it is."""
    low, x, high = op._operands
    least, greatest = splat_of(low), splat_of(high)
    if kind_of(x) not in "iu" or least is None or greatest is None:
        return None
    found = range_of(x)
    return x if least <= found.low and found.high <= greatest else None


def _clamp_one_side(b: RuleBuilder, op: Operation) -> SSAValue | None:
    low, x, high = op._operands
    lowest, highest = _limits(dtype_of(x))
    if splat_of(low) == lowest:
        return b.min(x, high)
    return b.max(x, low) if splat_of(high) == highest else None


def _no_conversion(b: RuleBuilder, op: Operation) -> SSAValue | None:
    x = op._operands[0]
    return x if dtype_of(x) == dtype_of(op.results[0]) else None


def _rejoin_parts(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A complex number put together from its own parts is itself."""
    real, imag = (value.owner for value in op._operands)
    if type(real) is not e.RealOp or type(imag) is not e.ImagOp:
        return None
    z = real.operands[0]
    return z if z is imag.operands[0] else None


def _hoist_broadcast(b: RuleBuilder, op: Operation) -> SSAValue | None:
    """A function of repeated elements is the repeated function of the elements."""
    operands = op._operands
    repeated = next((v.owner for v in operands if type(v.owner) is BroadcastOp), None)
    if repeated is None:
        return None
    dims = repeated.properties["dims"]
    if not all(_is_repeated(value, dims) for value in operands):
        return None
    small = shape_of(repeated.operands[0])
    shape, dtype = tensor_info(op.results[0])
    value = b.create(
        array_op_type(op),
        [_without_repeats(b, value, small) for value in operands],
        op.properties,
        tensor_type(small, dtype),
    )
    return b.broadcast(value, shape, integers_of(repeated, "dims"))


def _is_repeated(value: SSAValue, dims: Attribute) -> bool:
    """Tell whether a value repeats elements that lie along ``dims``."""
    owner = value.owner
    if type(owner) is BroadcastOp:
        return owner.properties["dims"] == dims
    return splat_of(value) is not None


def _without_repeats(b: RuleBuilder, value: SSAValue, shape: Shape) -> SSAValue:
    owner = value.owner
    if type(owner) is BroadcastOp:
        return owner.operands[0]
    return b.full(shape, dtype_of(value), splat_of(value))


RULES: Final[Rules] = {
    **{op: [_hoist_broadcast] for op in OPS_BY_FAMILY["elementwise"]},
    e.AndOp: [_same_is_operand, _hoist_broadcast],
    e.OrOp: [_same_is_operand, _hoist_broadcast],
    e.MaxOp: [_same_is_operand, _hoist_broadcast],
    e.MinOp: [_same_is_operand, _hoist_broadcast],
    e.XorOp: [_same_is_zero, _hoist_broadcast],
    e.SubOp: [_same_is_zero, _zero_minus, _hoist_broadcast],
    e.CompareOp: [_compare_constant_right, _compare_same, _hoist_broadcast],
    e.SelectOp: [_select_choices, _hoist_broadcast],
    e.ClampOp: [_clamp_inside, _clamp_one_side, _hoist_broadcast],
    e.ConvertOp: [_no_conversion, _hoist_broadcast],
    e.BitcastConvertOp: [_no_conversion, _hoist_broadcast],
    e.ComplexOp: [_rejoin_parts, _hoist_broadcast],
}

# An op and the op that makes its operand


def _operand(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``f(g(x))`` is ``x``."""
    return inner.operands[0]


def _inner(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``f(g(x))`` is ``g(x)``."""
    return op.operands[0]


def _outer(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``f(g(x))`` is ``f(x)``, for x with a sign."""
    x = inner.operands[0]
    if kind_of(x) not in "if":
        return None
    return b.create(array_op_type(op), (x, *op.operands[1:]))


def _neg_of_sub(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``-(x - y)`` is ``y - x``, the sign of zero apart."""
    x, y = inner.operands
    return b.sub(y, x) if kind_of(x) in "iu" or b.fast else None


def _neg_of_mul(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``-(x * c)`` is ``x * -c``."""
    x, c = inner.operands
    return b.mul(x, b.neg(c)) if splat_of(c) is not None and kind_of(c) != "c" else None


def _add_neg_left(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.sub(op.operands[1], inner.operands[0])


def _add_neg_right(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.sub(op.operands[0], inner.operands[0])


def _sub_neg(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.add(op.operands[0], inner.operands[0])


def _neg_in_product(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``-x * -y`` is ``x * y`` and ``-x * c`` is ``x * -c``; quotients of floats likewise."""
    x, y = inner.operands[0], op.operands[1]
    op_type = array_op_type(op)
    if kind_of(x) == "c" or (op_type is e.DivOp and kind_of(x) != "f"):
        return None
    if type(y.owner) is e.NegOp:
        return b.create(op_type, (x, y.owner.operands[0]))
    return b.create(op_type, (x, b.neg(y))) if splat_of(y) is not None else None


def _square_of_abs(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """``|x| * |x|`` is ``x * x`` for real x."""
    x = inner.operands[0]
    return b.mul(x, x) if op.operands[0] is op.operands[1] and kind_of(x) != "c" else None


def _not_of_compare(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """The opposite comparison; where NaN may be, only equality has one."""
    predicate = _predicate(inner)
    x, y = inner.operands
    if predicate not in ("eq", "ne") and kind_of(x) == "f" and not b.fast:
        return None
    return b.compare(_NEGATED[predicate], x, y)


def _select_by_not(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    _, on_true, on_false = op.operands
    return b.select(inner.operands[0], on_false, on_true)


def _select_in_true(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """A choice made before by the same predicate is known."""
    predicate, _, on_false = op.operands
    known, on_true, _ = inner.operands
    return b.select(predicate, on_true, on_false) if known is predicate else None


def _select_in_false(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    predicate, on_true, _ = op.operands
    known, _, on_false = inner.operands
    return b.select(predicate, on_true, on_false) if known is predicate else None


def _convert_of_convert(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    """Two conversions are one where the first loses nothing that the second keeps."""
    x = inner.operands[0]
    source, middle, target = dtype_of(x), dtype_of(inner.results[0]), dtype_of(op.results[0])
    return b.convert(x, target) if _skips(source, middle, target) else None


def _skips(source: np.dtype, middle: np.dtype, target: np.dtype) -> bool:
    if source.kind in "biu" and middle.kind in "iu" and target.kind in "iu":
        return target.itemsize <= middle.itemsize or _keeps_all(source, middle)
    if not _keeps_all(source, middle):
        return False
    saturates = source.kind in "iu" and middle.kind in "fc" and target.kind in "iu"
    return not saturates or _keeps_all(source, target)


def _keeps_all(source: np.dtype, target: np.dtype) -> bool:
    """Tell whether ``target`` has every value of ``source``."""
    if source.kind in "iu" and target.kind in "fc":
        real = np.finfo(target)
        return np.iinfo(source).bits - (source.kind == "i") <= real.nmant + 1
    return np.can_cast(source, target, "safe")


def _bitcast_of_bitcast(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.bitcast_convert(inner.operands[0], dtype_of(op.results[0]))


def _imag_of_complex(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return inner.operands[1]


def _real_of_conj(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.real(inner.operands[0])


def _imag_of_conj(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    return b.neg(b.imag(inner.operands[0]))


def _conj_of_complex(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    real, imag = inner.operands
    return b.complex(real, b.neg(imag))


def _real_of_convert(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    x = inner.operands[0]
    return None if kind_of(x) == "c" else b.convert(x, dtype_of(op.results[0]))


def _imag_of_convert(b: RuleBuilder, op: Operation, inner: Operation) -> SSAValue | None:
    x = inner.operands[0]
    return None if kind_of(x) == "c" else b.full_like(op.results[0], 0)


_ROUNDINGS: Final = (e.FloorOp, e.CeilOp, e.TruncOp, e.RoundEvenOp)

COMPOSITIONS: Final[Compositions] = {
    (e.NegOp, 0, e.NegOp): _operand,
    (e.NegOp, 0, e.SubOp): _neg_of_sub,
    (e.NegOp, 0, e.MulOp): _neg_of_mul,
    (e.AddOp, 0, e.NegOp): _add_neg_left,
    (e.AddOp, 1, e.NegOp): _add_neg_right,
    (e.SubOp, 1, e.NegOp): _sub_neg,
    (e.MulOp, 0, e.NegOp): _neg_in_product,
    (e.DivOp, 0, e.NegOp): _neg_in_product,
    (e.MulOp, 0, e.AbsOp): _square_of_abs,
    (e.AbsOp, 0, e.NegOp): _outer,
    (e.AbsOp, 0, e.AbsOp): _inner,
    (e.AbsOp, 0, e.CopySignOp): _outer,
    (e.CopySignOp, 0, e.NegOp): _outer,
    (e.CopySignOp, 0, e.AbsOp): _outer,
    (e.CopySignOp, 0, e.CopySignOp): _outer,
    (e.CosOp, 0, e.NegOp): _outer,
    (e.CosOp, 0, e.AbsOp): _outer,
    (e.CoshOp, 0, e.NegOp): _outer,
    (e.CoshOp, 0, e.AbsOp): _outer,
    **dict.fromkeys(((f, 0, g) for f, g in product(_ROUNDINGS, _ROUNDINGS)), _inner),
    (e.NotOp, 0, e.NotOp): _operand,
    (e.NotOp, 0, e.CompareOp): _not_of_compare,
    (e.SelectOp, 0, e.NotOp): _select_by_not,
    (e.SelectOp, 1, e.SelectOp): _select_in_true,
    (e.SelectOp, 2, e.SelectOp): _select_in_false,
    (e.ConvertOp, 0, e.ConvertOp): _convert_of_convert,
    (e.BitcastConvertOp, 0, e.BitcastConvertOp): _bitcast_of_bitcast,
    (e.ConjOp, 0, e.ConjOp): _operand,
    (e.ConjOp, 0, e.ComplexOp): _conj_of_complex,
    (e.RealOp, 0, e.ComplexOp): _operand,
    (e.ImagOp, 0, e.ComplexOp): _imag_of_complex,
    (e.RealOp, 0, e.ConjOp): _real_of_conj,
    (e.ImagOp, 0, e.ConjOp): _imag_of_conj,
    (e.RealOp, 0, e.ConvertOp): _real_of_convert,
    (e.ImagOp, 0, e.ConvertOp): _imag_of_convert,
}
