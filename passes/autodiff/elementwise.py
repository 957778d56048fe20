"""Derivative rules of the elementwise family.

In the tables, ``b`` is the builder, ``g`` the tangent or cotangent to multiply, ``z`` the op's
result, ``x`` and ``y`` its operands. What does not depend on ``g`` is computed apart from it, so
that it is shared by all tangents and by the simplifier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from xdsl.ir import SSAValue

from ...ir.array import elementwise as e
from ...ir.array.base import ArrayOp
from ...ir.array.shape import ConstantOp
from ...ir.builder import Builder
from ...ir.types import dtype_of, element_of, is_splat
from .kinds import Derivatives, Linear, OpRule, Own, Partial, Partials
from .special import trigamma


def _scaled(b: Builder, x: SSAValue, factor: float) -> SSAValue:
    return b.mul(x, b.full_like(x, factor))


def _one_plus(b: Builder, x: SSAValue) -> SSAValue:
    return b.add(b.full_like(x, 1), x)


def _one_minus(b: Builder, x: SSAValue) -> SSAValue:
    return b.sub(b.full_like(x, 1), x)


def _one_minus_square(b: Builder, x: SSAValue) -> SSAValue:
    """Append (1 - x)(1 + x), which keeps its accuracy near 1 and -1."""
    return b.mul(_one_minus(b, x), _one_plus(b, x))


def _gaussian(b: Builder, x: SSAValue, factor: float) -> SSAValue:
    return _scaled(b, b.exp(b.neg(b.mul(x, x))), factor)


_UNARY: Final[dict[type[ArrayOp], Partial]] = {
    e.NegOp: lambda b, g, z, x: b.neg(g),
    e.SqrtOp: lambda b, g, z, x: b.div(g, b.add(z, z)),
    e.RsqrtOp: lambda b, g, z, x: b.mul(g, _scaled(b, b.div(z, x), -0.5)),
    e.CbrtOp: lambda b, g, z, x: b.div(g, _scaled(b, b.mul(z, z), 3)),
    e.ExpOp: lambda b, g, z, x: b.mul(g, z),
    e.Exp2Op: lambda b, g, z, x: b.mul(g, _scaled(b, z, math.log(2))),
    e.Expm1Op: lambda b, g, z, x: b.mul(g, b.exp(x)),  # z + 1 would cancel for x << 0
    e.LogOp: lambda b, g, z, x: b.div(g, x),
    e.Log2Op: lambda b, g, z, x: b.div(g, _scaled(b, x, math.log(2))),
    e.Log10Op: lambda b, g, z, x: b.div(g, _scaled(b, x, math.log(10))),
    e.Log1pOp: lambda b, g, z, x: b.div(g, _one_plus(b, x)),
    e.LogisticOp: lambda b, g, z, x: b.mul(g, b.mul(z, _one_minus(b, z))),
    e.SinOp: lambda b, g, z, x: b.mul(g, b.cos(x)),
    e.CosOp: lambda b, g, z, x: b.neg(b.mul(g, b.sin(x))),
    e.TanOp: lambda b, g, z, x: b.mul(g, _one_plus(b, b.mul(z, z))),
    e.AsinOp: lambda b, g, z, x: b.div(g, b.sqrt(_one_minus_square(b, x))),
    e.AcosOp: lambda b, g, z, x: b.neg(b.div(g, b.sqrt(_one_minus_square(b, x)))),
    e.AtanOp: lambda b, g, z, x: b.div(g, _one_plus(b, b.mul(x, x))),
    e.SinhOp: lambda b, g, z, x: b.mul(g, b.cosh(x)),
    e.CoshOp: lambda b, g, z, x: b.mul(g, b.sinh(x)),
    e.TanhOp: lambda b, g, z, x: b.mul(g, _one_minus(b, b.mul(z, z))),
    e.AsinhOp: lambda b, g, z, x: b.div(g, b.sqrt(_one_plus(b, b.mul(x, x)))),
    e.AcoshOp: lambda b, g, z, x: b.div(g, _acosh_slope(b, x)),
    e.AtanhOp: lambda b, g, z, x: b.div(g, _one_minus_square(b, x)),
    e.ErfOp: lambda b, g, z, x: b.mul(g, _gaussian(b, x, 2 / math.sqrt(math.pi))),
    e.ErfcOp: lambda b, g, z, x: b.mul(g, _gaussian(b, x, -2 / math.sqrt(math.pi))),
    e.ErfInvOp: lambda b, g, z, x: b.mul(g, _scaled(b, b.exp(b.mul(z, z)), math.sqrt(math.pi) / 2)),
    e.LgammaOp: lambda b, g, z, x: b.mul(g, b.digamma(x)),
    e.DigammaOp: lambda b, g, z, x: b.mul(g, trigamma(b, x)),
}


def _acosh_slope(b: Builder, x: SSAValue) -> SSAValue:
    """Append sqrt(x - 1) sqrt(x + 1): for complex x, sqrt(x^2 - 1) may be its negative."""
    one = b.full_like(x, 1)
    return b.mul(b.sqrt(b.sub(x, one)), b.sqrt(b.add(x, one)))


def _pow_base(b: Builder, g: SSAValue, z: SSAValue, x: SSAValue, y: SSAValue) -> SSAValue:
    """Append g y x^(y - 1), where 0^0 has 0: the exponent stays 0 and the factor y wins.

    By a known negative exponent it is g z y / x, which takes no power.
    """
    if _is_known_negative(y):
        return b.mul(g, b.mul(z, b.div(y, x)))
    zero = b.full_like(x, 0)
    both_zero = b.and_(b.compare("eq", y, zero), b.compare("eq", x, zero))
    exponent = b.select(both_zero, y, b.sub(y, b.full_like(y, 1)))
    return b.mul(g, b.mul(y, b.pow(x, exponent)))


def _is_known_negative(y: SSAValue) -> bool:
    owner = y.owner
    if not isinstance(owner, ConstantOp) or not is_splat(owner.value) or dtype_of(y).kind != "f":
        return False
    return bool(element_of(owner.value) < 0)


def _pow_exponent(b: Builder, g: SSAValue, z: SSAValue, x: SSAValue, y: SSAValue) -> SSAValue:
    """Append g z log(x), where the logarithm counts as 0 for x = 0, so that 0 * log(0) is 0."""
    at_zero = b.compare("eq", x, b.full_like(x, 0))
    return b.mul(g, b.mul(z, b.log(b.select(at_zero, b.full_like(x, 1), x))))


def _rem_divisor(b: Builder, g: SSAValue, z: SSAValue, x: SSAValue, y: SSAValue) -> SSAValue:
    """Append -g trunc(x / y); the quotient of x - z is whole but for rounding."""
    return b.neg(b.mul(g, b.round_even(b.div(b.sub(x, z), y))))


def _where_beyond(b: Builder, g: SSAValue, predicate: str, x: SSAValue, y: SSAValue) -> SSAValue:
    """Append g where x compares so to y, half of g where they are equal, 0 elsewhere."""
    shared = b.select(b.compare("eq", x, y), _scaled(b, g, 0.5), b.full_like(g, 0))
    return b.select(b.compare(predicate, x, y), g, shared)


def _square_norm(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
    return b.add(b.mul(x, x), b.mul(y, y))


_BINARY: Final[dict[type[ArrayOp], tuple[Partial | None, Partial | None]]] = {
    e.AddOp: (lambda b, g, z, x, y: g, lambda b, g, z, x, y: g),
    e.SubOp: (lambda b, g, z, x, y: g, lambda b, g, z, x, y: b.neg(g)),
    e.MulOp: (lambda b, g, z, x, y: b.mul(g, y), lambda b, g, z, x, y: b.mul(g, x)),
    e.DivOp: (  # the quotient g / y is one op for both after merging
        lambda b, g, z, x, y: b.div(g, y),
        lambda b, g, z, x, y: b.neg(b.mul(b.div(g, y), z)),
    ),
    e.RemOp: (lambda b, g, z, x, y: g, _rem_divisor),
    e.PowOp: (_pow_base, _pow_exponent),
    e.MaxOp: (
        lambda b, g, z, x, y: _where_beyond(b, g, "gt", x, y),
        lambda b, g, z, x, y: _where_beyond(b, g, "gt", y, x),
    ),
    e.MinOp: (
        lambda b, g, z, x, y: _where_beyond(b, g, "lt", x, y),
        lambda b, g, z, x, y: _where_beyond(b, g, "lt", y, x),
    ),
    e.CopySignOp: (lambda b, g, z, x, y: b.mul(g, b.mul(b.sign(x), b.sign(z))), None),
    e.Atan2Op: (  # the operands are y and x of the point, in this order
        lambda b, g, z, y, x: b.mul(g, b.div(x, _square_norm(b, x, y))),
        lambda b, g, z, y, x: b.neg(b.mul(g, b.div(y, _square_norm(b, x, y)))),
    ),
}


def _clamp_low(b: Builder, g: SSAValue, z: SSAValue, *operands: SSAValue) -> SSAValue:
    low, x, high = operands
    holds = b.and_(b.compare("gt", low, x), b.compare("le", low, high))
    return b.select(holds, g, b.full_like(g, 0))


def _clamp_operand(b: Builder, g: SSAValue, z: SSAValue, *operands: SSAValue) -> SSAValue:
    low, x, high = operands
    inside = b.and_(b.compare("gt", x, low), b.compare("lt", x, high))
    return b.select(inside, g, b.full_like(g, 0))


def _clamp_high(b: Builder, g: SSAValue, z: SSAValue, *operands: SSAValue) -> SSAValue:
    low, x, high = operands
    return b.select(b.compare("lt", high, b.max(x, low)), g, b.full_like(g, 0))


# Linear ops


def _transpose_real(b: Builder, op: e.RealOp, g: SSAValue, position: int) -> SSAValue:
    return b.complex(g, b.full_like(g, 0))


def _transpose_imag(b: Builder, op: e.ImagOp, g: SSAValue, position: int) -> SSAValue:
    return b.complex(b.full_like(g, 0), b.neg(g))


def _transpose_conj(b: Builder, op: e.ConjOp, g: SSAValue, position: int) -> SSAValue:
    return b.conj(g)


def _transpose_complex(b: Builder, op: e.ComplexOp, g: SSAValue, position: int) -> SSAValue:
    return b.real(g) if position == 0 else b.neg(b.imag(g))


def _transpose_select(b: Builder, op: e.SelectOp, g: SSAValue, position: int) -> SSAValue:
    zero = b.full_like(g, 0)
    return b.select(op.predicate, *((g, zero) if position == 1 else (zero, g)))


def _transpose_convert(b: Builder, op: e.ConvertOp, g: SSAValue, position: int) -> SSAValue:
    return b.convert(g, dtype_of(op.operand))


# Functions of complex numbers that are linear over the reals only


def _is_complex(value: SSAValue) -> bool:
    return dtype_of(value).kind == "c"


def _abs_jvp(b: Builder, op: e.AbsOp, tangents: Derivatives) -> Derivatives:
    """d|x| = Re(conj(sign(x)) dx); 0 at 0, the middle of the subgradients there."""
    sign, tangent = b.sign(op.operand), tangents[0]
    assert tangent is not None
    if not _is_complex(op.operand):
        return [b.mul(tangent, sign)]
    return [b.real(b.mul(tangent, b.conj(sign)))]


def _abs_vjp(
    b: Builder, op: e.AbsOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    sign, g = b.sign(op.operand), cotangents[0]
    assert g is not None
    if not _is_complex(op.operand):
        return [b.mul(g, sign)]
    return [b.mul(b.convert(g, dtype_of(op.operand)), b.conj(sign))]


def _sign_jvp(b: Builder, op: e.SignOp, tangents: Derivatives) -> Derivatives:
    """dz = i z Im(conj(z) dx) / |x| for complex x; 0 for real x."""
    tangent = tangents[0]
    assert tangent is not None
    if not _is_complex(op.operand):
        return [None]
    return [_turned(b, op.result, b.mul(b.conj(op.result), tangent), op.operand)]


def _sign_vjp(
    b: Builder, op: e.SignOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    g = cotangents[0]
    assert g is not None
    if not _is_complex(op.operand):
        return [None]
    return [_turned(b, b.conj(op.result), b.mul(op.result, g), op.operand)]


def _turned(b: Builder, direction: SSAValue, product: SSAValue, x: SSAValue) -> SSAValue:
    """Append i direction Im(product) / |x|, 0 where x is 0."""
    radius = b.abs(x)
    zero = b.full_like(radius, 0)
    safe = b.select(b.compare("eq", radius, zero), b.full_like(radius, 1), radius)
    return b.mul(direction, b.complex(zero, b.div(b.imag(product), safe)))


RULES: Final[dict[type[ArrayOp], OpRule]] = {
    **{op: Partials((partial,)) for op, partial in _UNARY.items()},
    **{op: Partials(partials) for op, partials in _BINARY.items()},
    e.ClampOp: Partials((_clamp_low, _clamp_operand, _clamp_high)),
    e.RealOp: Linear(_transpose_real),
    e.ImagOp: Linear(_transpose_imag),
    e.ConjOp: Linear(_transpose_conj),
    e.ComplexOp: Linear(_transpose_complex),
    e.SelectOp: Linear(_transpose_select),
    e.ConvertOp: Linear(_transpose_convert),
    e.AbsOp: Own(_abs_jvp, _abs_vjp),
    e.SignOp: Own(_sign_jvp, _sign_vjp),
}

_STEP = "it is constant between its jumps, where it has no derivative"
_BITS = "it works on bits"
_BOOL = "its result is a bool"

NON_DIFFERENTIABLE: Final[dict[type[ArrayOp], str]] = {
    e.FloorOp: _STEP,
    e.CeilOp: _STEP,
    e.TruncOp: _STEP,
    e.RoundEvenOp: _STEP,
    e.NextAfterOp: "it steps through the representable numbers",
    e.NotOp: _BITS,
    e.PopulationCountOp: _BITS,
    e.CountLeadingZerosOp: _BITS,
    e.AndOp: _BITS,
    e.OrOp: _BITS,
    e.XorOp: _BITS,
    e.ShiftLeftOp: _BITS,
    e.ShiftRightArithmeticOp: _BITS,
    e.ShiftRightLogicalOp: _BITS,
    e.BitcastConvertOp: _BITS,
    e.IsFiniteOp: _BOOL,
    e.CompareOp: _BOOL,
}
"""Ops through which no derivative flows, and why: what they give has derivative zero."""
