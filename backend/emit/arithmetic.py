"""Emitters of ``arith`` and ``math``: one instruction, intrinsic or vector math call each."""

from __future__ import annotations

from typing import Final

from xdsl.dialects import arith, math
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import Operation

from .function import Emit, FunctionEmitter, fast_math, mangle
from .literals import constant_literal
from .types import ValueType, value_type

INTEGER_BINARY: Final[dict[type[Operation], str]] = {
    arith.AddiOp: "add",
    arith.SubiOp: "sub",
    arith.MuliOp: "mul",
    arith.DivSIOp: "sdiv",
    arith.DivUIOp: "udiv",
    arith.RemSIOp: "srem",
    arith.RemUIOp: "urem",
    arith.AndIOp: "and",
    arith.OrIOp: "or",
    arith.XOrIOp: "xor",
    arith.ShLIOp: "shl",
    arith.ShRSIOp: "ashr",
    arith.ShRUIOp: "lshr",
}

FLOAT_BINARY: Final[dict[type[Operation], str]] = {
    arith.AddfOp: "fadd",
    arith.SubfOp: "fsub",
    arith.MulfOp: "fmul",
    arith.DivfOp: "fdiv",
}

CASTS: Final[dict[type[Operation], str]] = {
    arith.ExtSIOp: "sext",
    arith.ExtUIOp: "zext",
    arith.TruncIOp: "trunc",
    arith.ExtFOp: "fpext",
    arith.TruncFOp: "fptrunc",
    arith.SIToFPOp: "sitofp",
    arith.UIToFPOp: "uitofp",
    arith.FPToSIOp: "fptosi",
    arith.FPToUIOp: "fptoui",
    arith.BitcastOp: "bitcast",
}

INTRINSICS: Final[dict[type[Operation], str]] = {
    arith.MaximumfOp: "maximum",
    arith.MinimumfOp: "minimum",
    arith.MaxnumfOp: "maxnum",
    arith.MinnumfOp: "minnum",
    arith.MaxSIOp: "smax",
    arith.MaxUIOp: "umax",
    arith.MinSIOp: "smin",
    arith.MinUIOp: "umin",
    math.SqrtOp: "sqrt",
    math.AbsFOp: "fabs",
    math.FloorOp: "floor",
    math.CeilOp: "ceil",
    math.TruncOp: "trunc",
    math.RoundEvenOp: "roundeven",
    math.CopySignOp: "copysign",
    math.CtPopOp: "ctpop",
    math.FmaOp: "fma",
}

INTRINSICS_WITH_FLAG: Final[dict[type[Operation], str]] = {
    math.AbsIOp: "abs",
    math.CountLeadingZerosOp: "ctlz",
    math.CountTrailingZerosOp: "cttz",
}
"""Intrinsics whose last argument says whether an edge case is undefined; it never is."""

VECTOR_MATH: Final[dict[type[Operation], str]] = {
    math.SinOp: "sin",
    math.CosOp: "cos",
    math.TanOp: "tan",
    math.AsinOp: "asin",
    math.AcosOp: "acos",
    math.AtanOp: "atan",
    math.Atan2Op: "atan2",
    math.SinhOp: "sinh",
    math.CoshOp: "cosh",
    math.TanhOp: "tanh",
    math.AsinhOp: "asinh",
    math.AcoshOp: "acosh",
    math.AtanhOp: "atanh",
    math.ExpOp: "exp",
    math.Exp2Op: "exp2",
    math.ExpM1Op: "expm1",
    math.LogOp: "log",
    math.Log2Op: "log2",
    math.Log10Op: "log10",
    math.Log1pOp: "log1p",
    math.CbrtOp: "cbrt",
    math.RsqrtOp: "rsqrt",
    math.PowFOp: "pow",
    math.ErfOp: "erf",
}

_INTEGER_PREDICATES: Final = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
_FLOAT_PREDICATES: Final = (
    *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
    *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
)


def _type(op: Operation) -> ValueType:
    return value_type(op._operands[0].type)


def _operands(e: FunctionEmitter, op: Operation) -> str:
    return ", ".join([e.names[value] for value in op._operands])


def _constant(e: FunctionEmitter, op: Operation) -> None:
    e.bind(op.results[0], constant_literal(op.properties["value"]))


def _integer_binary(e: FunctionEmitter, op: Operation) -> None:
    e.result(op, f"{INTEGER_BINARY[type(op)]} {_type(op).text} {_operands(e, op)}")


def _float_binary(e: FunctionEmitter, op: Operation) -> None:
    instruction = FLOAT_BINARY[type(op)]
    e.result(op, f"{instruction} {fast_math(op)}{_type(op).text} {_operands(e, op)}")


def _negf(e: FunctionEmitter, op: Operation) -> None:
    e.result(op, f"fneg {_type(op).text} {_operands(e, op)}")


def _cast(e: FunctionEmitter, op: Operation) -> None:
    target = value_type(op.results[0].type)
    e.result(op, f"{CASTS[type(op)]} {_type(op).text} {_operands(e, op)} to {target.text}")


def _index_cast(e: FunctionEmitter, op: Operation) -> None:
    source, target = _type(op), value_type(op.results[0].type)
    if source.scalar == target.scalar:
        e.bind(op.results[0], e.ref(op.operands[0]))
        return
    cast = "sext" if source.scalar.bytes < target.scalar.bytes else "trunc"
    e.result(op, f"{cast} {source.text} {_operands(e, op)} to {target.text}")


def _predicate(op: Operation) -> int:
    predicate = op.properties["predicate"]
    assert isinstance(predicate, IntegerAttr)
    return predicate.value.data


def _cmpi(e: FunctionEmitter, op: Operation) -> None:
    name = _INTEGER_PREDICATES[_predicate(op)]
    e.result(op, f"icmp {name} {_type(op).text} {_operands(e, op)}")


def _cmpf(e: FunctionEmitter, op: Operation) -> None:
    name = _FLOAT_PREDICATES[_predicate(op)]
    e.result(op, f"fcmp {name} {_type(op).text} {_operands(e, op)}")


def _select(e: FunctionEmitter, op: Operation) -> None:
    e.result(op, "select " + ", ".join(map(e.typed, op.operands)))


def _intrinsic(e: FunctionEmitter, op: Operation) -> None:
    arguments = [e.ref(value) for value in op._operands]
    e.bind(op.results[0], e.intrinsic(INTRINSICS[type(op)], _type(op), arguments))


def _intrinsic_with_flag(e: FunctionEmitter, op: Operation) -> None:
    type_ = _type(op)
    symbol = f"llvm.{INTRINSICS_WITH_FLAG[type(op)]}.{mangle(type_)}"
    e.result(op, f"call {type_.text} @{symbol}({type_.text} {_operands(e, op)}, i1 false)")


def _vector_math(e: FunctionEmitter, op: Operation) -> None:
    e.vector_math(op, VECTOR_MATH[type(op)])


RULES: Final[dict[type[Operation], Emit]] = {
    arith.ConstantOp: _constant,
    arith.NegfOp: _negf,
    arith.IndexCastOp: _index_cast,
    arith.CmpiOp: _cmpi,
    arith.CmpfOp: _cmpf,
    arith.SelectOp: _select,
    **dict.fromkeys(INTEGER_BINARY, _integer_binary),
    **dict.fromkeys(FLOAT_BINARY, _float_binary),
    **dict.fromkeys(CASTS, _cast),
    **dict.fromkeys(INTRINSICS, _intrinsic),
    **dict.fromkeys(INTRINSICS_WITH_FLAG, _intrinsic_with_flag),
    **dict.fromkeys(VECTOR_MATH, _vector_math),
}
