"""Elementwise ops as loop-level arithmetic on scalars or vectors.

A rule takes the loop builder, the array op and its lowered operands, and returns the lowered
result. Most ops are one row of a table by the kind of dtype: float, signed, unsigned, bool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from xdsl.dialects import arith, math
from xdsl.dialects.builtin import StringAttr, VectorType
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array import elementwise as e
from ...ir.array import random as r
from ...ir.array.shape import ConstantOp
from ...ir.attributes import ComparePredicate, ComparePredicateAttr, ThreefryWord
from ...ir.kernel.arithmetic import CastOp, CompareOp, MathOp, SelectOp, ThreefryOp
from ...ir.types import dtype_of, element_of, is_splat
from .loop_builder import CONTRACT, NO_OVERFLOW_FLAGS, LoopBuilder, value_type

Rule: TypeAlias = Callable[[LoopBuilder, Operation, Sequence[SSAValue]], SSAValue]

_BOOL = np.dtype(np.bool_)
_FAST_MATH: Final = {"fastmath": CONTRACT}


def lanes_of(value: SSAValue) -> int:
    """Return the number of lanes of a value, 0 for a scalar."""
    return value.type.get_shape()[0] if isinstance(value.type, VectorType) else 0


# One op for one op

_BY_KIND: Final[dict[type[Operation], dict[str, type[Operation]]]] = {
    e.AddOp: {"f": arith.AddfOp, "i": arith.AddiOp, "u": arith.AddiOp},
    e.SubOp: {"f": arith.SubfOp, "i": arith.SubiOp, "u": arith.SubiOp},
    e.MulOp: {"f": arith.MulfOp, "i": arith.MuliOp, "u": arith.MuliOp},
    e.MaxOp: {"f": arith.MaximumfOp, "i": arith.MaxSIOp, "u": arith.MaxUIOp},
    e.MinOp: {"f": arith.MinimumfOp, "i": arith.MinSIOp, "u": arith.MinUIOp},
    e.AndOp: dict.fromkeys("biu", arith.AndIOp),
    e.OrOp: dict.fromkeys("biu", arith.OrIOp),
    e.XorOp: dict.fromkeys("biu", arith.XOrIOp),
    e.CopySignOp: {"f": math.CopySignOp},
    e.FloorOp: {"f": math.FloorOp},
    e.CeilOp: {"f": math.CeilOp},
    e.TruncOp: {"f": math.TruncOp},
    e.RoundEvenOp: {"f": math.RoundEvenOp},
    e.SqrtOp: {"f": math.SqrtOp},
    e.RsqrtOp: {"f": math.RsqrtOp},
    e.CbrtOp: {"f": math.CbrtOp},
    e.ExpOp: {"f": math.ExpOp},
    e.Exp2Op: {"f": math.Exp2Op},
    e.Expm1Op: {"f": math.ExpM1Op},
    e.LogOp: {"f": math.LogOp},
    e.Log2Op: {"f": math.Log2Op},
    e.Log10Op: {"f": math.Log10Op},
    e.Log1pOp: {"f": math.Log1pOp},
    e.SinOp: {"f": math.SinOp},
    e.CosOp: {"f": math.CosOp},
    e.TanOp: {"f": math.TanOp},
    e.AsinOp: {"f": math.AsinOp},
    e.AcosOp: {"f": math.AcosOp},
    e.AtanOp: {"f": math.AtanOp},
    e.Atan2Op: {"f": math.Atan2Op},
    e.SinhOp: {"f": math.SinhOp},
    e.CoshOp: {"f": math.CoshOp},
    e.TanhOp: {"f": math.TanhOp},
    e.AsinhOp: {"f": math.AsinhOp},
    e.AcoshOp: {"f": math.AcoshOp},
    e.AtanhOp: {"f": math.AtanhOp},
    e.ErfOp: {"f": math.ErfOp},
    e.PowOp: {"f": math.PowFOp},
    e.PopulationCountOp: dict.fromkeys("iu", math.CtPopOp),
    e.CountLeadingZerosOp: dict.fromkeys("iu", math.CountLeadingZerosOp),
}

_NAMED: Final[dict[type[Operation], str]] = {
    e.LogisticOp: "logistic",
    e.ErfcOp: "erfc",
    e.ErfInvOp: "erf_inv",
    e.LgammaOp: "lgamma",
    e.DigammaOp: "digamma",
}
"""Float functions without an upstream op, by their name in ``kernel.math``."""

_OVERFLOW_FLAGGED: Final = frozenset({arith.AddiOp, arith.SubiOp, arith.MuliOp, arith.ShLIOp})
_FLAGGED_FLOAT: Final = frozenset(
    {
        *(op for kinds in _BY_KIND.values() for kind, op in kinds.items() if kind == "f"),
        *(math.AbsFOp, arith.DivfOp, arith.NegfOp),
    }
)


def _properties(op: type[Operation]) -> Mapping[str, Attribute]:
    if op in _FLAGGED_FLOAT:
        return _FAST_MATH
    return NO_OVERFLOW_FLAGS if op in _OVERFLOW_FLAGGED else {}


def make(b: LoopBuilder, op: type[Operation], *operands: SSAValue) -> SSAValue:
    """Append an op whose result has the type of its last operand."""
    return b.append(op, operands, operands[-1].type, _properties(op))


def _direct(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    kind = dtype_of(op._operands[0]).kind
    return make(b, _BY_KIND[type(op)][kind], *operands)


def named_math(b: LoopBuilder, name: str, *operands: SSAValue) -> SSAValue:
    """Append a ``kernel.math`` of the given function."""
    return b.append(MathOp, operands, operands[0].type, {"function": StringAttr(name)})


def _named(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    return named_math(b, _NAMED[type(op)], *operands)


# Comparison and choice

_SIGNED: Final = {p: p if p in ("eq", "ne") else f"s{p}" for p in ComparePredicate}
_UNSIGNED: Final = {p: p if p in ("eq", "ne") else f"u{p}" for p in ComparePredicate}
_ORDERED: Final = {p: "une" if p == "ne" else f"o{p}" for p in ComparePredicate}
_PREDICATES: Final = {
    (kind, predicate): StringAttr(name)
    for kind, names in zip("fiub", (_ORDERED, _SIGNED, _UNSIGNED, _UNSIGNED))
    for predicate, name in names.items()
}


def compare(
    b: LoopBuilder, predicate: str, dtype: np.dtype, left: SSAValue, right: SSAValue
) -> SSAValue:
    """Append a comparison of values of ``dtype``."""
    return b.append(
        CompareOp,
        (left, right),
        value_type(_BOOL, lanes_of(left)),
        {"predicate": _PREDICATES[dtype.kind, ComparePredicate(predicate)]},
    )


def select(b: LoopBuilder, condition: SSAValue, yes: SSAValue, no: SSAValue) -> SSAValue:
    """Append a choice."""
    return b.append(SelectOp, (condition, yes, no), yes.type)


def _compare(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    predicate = op.properties["predicate"]
    assert isinstance(predicate, ComparePredicateAttr)
    return compare(b, predicate.data, dtype_of(op.operands[0]), *operands)


def _select(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    return select(b, *operands)


def _clamp(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    low, x, high = operands
    kind = dtype_of(op.operands[0]).kind
    raised = make(b, _BY_KIND[e.MaxOp][kind], x, low)
    return make(b, _BY_KIND[e.MinOp][kind], raised, high)


def _is_finite(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    dtype = dtype_of(op.operands[0])
    magnitude = make(b, math.AbsFOp, operands[0])
    infinity = b.constant(dtype, lanes_of(magnitude), np.inf)
    return compare(b, "lt", dtype, magnitude, infinity)


# Arithmetic that needs more than one op


def _constant_like(b: LoopBuilder, op: Operation, like: SSAValue, value: object) -> SSAValue:
    return b.constant(dtype_of(op.operands[0]), lanes_of(like), value)


def _neg(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    (x,) = operands
    if dtype_of(op.operands[0]).kind == "f":
        return make(b, arith.NegfOp, x)
    return make(b, arith.SubiOp, _constant_like(b, op, x, 0), x)


def _not(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    dtype = dtype_of(op.operands[0])
    ones = np.invert(dtype.type(0))
    return make(b, arith.XOrIOp, operands[0], _constant_like(b, op, operands[0], ones))


def _abs(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    kind = dtype_of(op.operands[0]).kind
    if kind == "f":
        return make(b, math.AbsFOp, operands[0])
    return make(b, math.AbsIOp, operands[0]) if kind == "i" else operands[0]


def _sign(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    (x,) = operands
    dtype = dtype_of(op.operands[0])
    one = _constant_like(b, op, x, 1)
    if dtype.kind == "u":
        return make(b, arith.MinUIOp, x, one)
    zero, minus_one = _constant_like(b, op, x, 0), _constant_like(b, op, x, -1)
    if dtype.kind == "i":
        return make(b, arith.MaxSIOp, make(b, arith.MinSIOp, x, one), minus_one)
    at_zero = select(b, compare(b, "eq", dtype, x, zero), zero, x)  # -0.0 gives 0.0, NaN stays
    below = select(b, compare(b, "lt", dtype, x, zero), minus_one, at_zero)
    return select(b, compare(b, "gt", dtype, x, zero), one, below)


_DIVISIONS: Final[dict[tuple[type[Operation], str], type[Operation]]] = {
    (e.DivOp, "i"): arith.DivSIOp,
    (e.DivOp, "u"): arith.DivUIOp,
    (e.RemOp, "i"): arith.RemSIOp,
    (e.RemOp, "u"): arith.RemUIOp,
}


def _divide(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    """Integer division must not trap: by zero it gives 0, and -2**31 / -1 wraps."""
    x, y = operands
    dtype = dtype_of(op.operands[0])
    if dtype.kind == "f":
        return (
            make(b, arith.DivfOp, x, y) if isinstance(op, e.DivOp) else named_math(b, "rem", x, y)
        )
    zero, one = _constant_like(b, op, y, 0), _constant_like(b, op, y, 1)
    by_zero = compare(b, "eq", dtype, y, zero)
    safe = select(b, by_zero, one, y)
    negated = None
    if dtype.kind == "i":
        by_minus_one = compare(b, "eq", dtype, y, _constant_like(b, op, y, -1))
        safe = select(b, by_minus_one, one, safe)
        wrapped = make(b, arith.SubiOp, zero, x) if isinstance(op, e.DivOp) else zero
        negated = (by_minus_one, wrapped)
    result = make(b, _DIVISIONS[type(op), dtype.kind], x, safe)
    if negated is not None:
        result = select(b, *negated, result)
    return select(b, by_zero, zero, result)


_SHIFTS_OF_KIND: Final[dict[tuple[type[Operation], str], type[Operation]]] = {
    (e.ShiftLeftOp, "i"): arith.ShLIOp,
    (e.ShiftLeftOp, "u"): arith.ShLIOp,
    (e.ShiftRightLogicalOp, "i"): arith.ShRUIOp,
    (e.ShiftRightLogicalOp, "u"): arith.ShRUIOp,
    (e.ShiftRightArithmeticOp, "i"): arith.ShRSIOp,
    (e.ShiftRightArithmeticOp, "u"): arith.ShRUIOp,
}


def _shift(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    """LLVM leaves shifts by the width or more undefined; here all bits move out."""
    x, amount = operands
    dtype = dtype_of(op.operands[0])
    width = 8 * dtype.itemsize
    known = _known_amount(op.operands[1])
    if known is not None and known < width:
        return make(b, _SHIFTS_OF_KIND[type(op), dtype.kind], x, amount)
    last = _constant_like(b, op, x, width - 1)
    inside = compare(b, "le", np.dtype(f"u{dtype.itemsize}"), amount, last)
    shift = _SHIFTS_OF_KIND[type(op), dtype.kind]
    shifted = make(b, shift, x, select(b, inside, amount, last))
    if shift is arith.ShRSIOp:
        return shifted
    return select(b, inside, shifted, _constant_like(b, op, x, 0))


def _known_amount(amount: SSAValue) -> int | None:
    """Return by how many bits all elements are shifted, if that is a constant in the program."""
    owner = amount.owner
    if not isinstance(owner, ConstantOp) or not is_splat(owner.value):
        return None
    element = element_of(owner.value)
    return int(element.view(f"u{element.dtype.itemsize}"))


def _next_after(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    """Step the bits of x, which are ordered like its magnitude (IEEE 754, section 3.4)."""
    x, y = operands
    dtype = dtype_of(op.operands[0])
    bits = np.dtype(f"i{dtype.itemsize}")
    lanes = lanes_of(x)
    zero = b.constant(dtype, lanes, 0)
    pattern = bitcast(b, x, bits)
    outwards = make(
        b,
        arith.XOrIOp,
        compare(b, "gt", dtype, y, x),
        compare(b, "lt", dtype, x, zero),
    )
    step = select(b, outwards, b.constant(bits, lanes, 1), b.constant(bits, lanes, -1))
    stepped = bitcast(b, make(b, arith.AddiOp, pattern, step), dtype)
    smallest = bitcast(b, b.constant(bits, lanes, 1), dtype)
    from_zero = make(b, math.CopySignOp, smallest, y)
    moved = select(b, compare(b, "eq", dtype, x, zero), from_zero, stepped)
    equal = select(b, compare(b, "eq", dtype, x, y), y, moved)
    any_nan = make(b, arith.OrIOp, compare(b, "ne", dtype, x, x), compare(b, "ne", dtype, y, y))
    return select(b, any_nan, make(b, arith.AddfOp, x, y), equal)


# Conversion


def cast(b: LoopBuilder, name: str, x: SSAValue, target: np.dtype) -> SSAValue:
    """Append a ``kernel.cast`` to ``target``."""
    return b.append(CastOp, (x,), value_type(target, lanes_of(x)), {"cast": StringAttr(name)})


def bitcast(b: LoopBuilder, x: SSAValue, dtype: np.dtype) -> SSAValue:
    """Append a reading of the bits as ``dtype``."""
    return x if x.type == value_type(dtype, lanes_of(x)) else cast(b, "bitcast", x, dtype)


def convert(b: LoopBuilder, x: SSAValue, source: np.dtype, target: np.dtype) -> SSAValue:
    """Append a conversion between real dtypes."""
    if target.kind == "b" and source.kind != "b":
        return compare(b, "ne", source, x, b.constant(source, lanes_of(x), 0))
    name = _cast_name(source, target)
    return x if name is None else cast(b, name, x, target)


def _cast_name(source: np.dtype, target: np.dtype) -> str | None:
    """Return the cast between dtypes, or None where they look the same at the loop level."""
    if target.kind == "f" and source.kind != "f":
        return "sitofp" if source.kind == "i" else "uitofp"
    if source.kind == "f" and target.kind != "f":
        return "fptosi_sat" if target.kind == "i" else "fptoui_sat"
    grows = target.itemsize > source.itemsize or source.kind == "b" != target.kind
    if source.itemsize == target.itemsize and not grows:
        return None
    if source.kind == "f":
        return "extf" if grows else "truncf"
    if not grows:
        return "trunci"
    return "extsi" if source.kind == "i" else "extui"


def _convert(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    return convert(b, operands[0], dtype_of(op.operands[0]), dtype_of(op.results[0]))


def _bitcast(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    return bitcast(b, operands[0], dtype_of(op.results[0]))


# The block cipher


def _threefry(b: LoopBuilder, op: Operation, operands: Sequence[SSAValue]) -> SSAValue:
    """Both words come from one op, which those for the other word share."""
    assert isinstance(op, r.ThreefryOp)
    first = b.shared((ThreefryOp, *operands), lambda: _encrypted(b, operands))
    assert isinstance(first.owner, ThreefryOp)
    upper, lower = first.owner.results
    if op.word.data is ThreefryWord.BOTH:
        return make(b, arith.XOrIOp, upper, lower)
    return upper if op.word.data is ThreefryWord.UPPER else lower


def _encrypted(b: LoopBuilder, operands: Sequence[SSAValue]) -> SSAValue:
    op = ThreefryOp.create(
        operands=operands, result_types=[operands[0].type] * 2, location=b.location
    )
    b.block.add_op(op)
    return op.results[0]


RULES: Final[dict[type[Operation], Rule]] = {
    **dict.fromkeys(_BY_KIND, _direct),
    **dict.fromkeys(_NAMED, _named),
    **dict.fromkeys((op for op, _ in _SHIFTS_OF_KIND), _shift),
    e.DivOp: _divide,
    e.RemOp: _divide,
    e.NegOp: _neg,
    e.NotOp: _not,
    e.AbsOp: _abs,
    e.SignOp: _sign,
    e.CompareOp: _compare,
    e.SelectOp: _select,
    e.ClampOp: _clamp,
    e.IsFiniteOp: _is_finite,
    e.NextAfterOp: _next_after,
    e.ConvertOp: _convert,
    e.BitcastConvertOp: _bitcast,
    r.ThreefryOp: _threefry,
}
"""How each elementwise op on real numbers is computed."""

CHEAP: Final = frozenset(
    op for op in RULES if op in _BY_KIND and next(iter(_BY_KIND[op].values())).name[:4] == "arit"
) | {
    *(e.NegOp, e.AbsOp, e.CompareOp, e.SelectOp, e.ConvertOp, e.BitcastConvertOp, e.NotOp),
}
"""Ops of about one instruction, which may be repeated rather than kept in memory."""
