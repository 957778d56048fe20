"""Elementwise ops: the same function of each element, on operands of equal shape.

Operands are never broadcast implicitly: the frontend inserts ``array.broadcast``.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import (
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Commutative

from ..attributes import ComparePredicateAttr
from ..errors import DtypeError, ShapeError
from ..types import Tensor, dtype_of, shape_of, spell, spell_dtype, tensor_info, tensor_type
from . import reference
from .base import (
    ANY,
    BITS,
    FLOATS,
    INEXACT,
    INTEGERS,
    NUMERIC,
    REAL,
    Properties,
    PureOp,
    require_kinds,
)

_BOOL = np.dtype(np.bool_)


class ElementwiseOp(PureOp, ABC):
    """Base of all elementwise ops."""

    NUMPY: ClassVar[Callable[..., Any]]
    """The NumPy function that is the op's reference semantics."""

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Apply the NumPy function."""
        return np.asarray(type(self).NUMPY(*operands))

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray:
        """Apply the op to the elements."""
        return self.evaluate(*elements)


class UnaryOp(ElementwiseOp, ABC):
    """An elementwise function of one operand, of the operand's type."""

    T: ClassVar = VarConstraint("T", base(TensorType))
    operand = operand_def(T)
    result = result_def(T)
    assembly_format = "$operand attr-dict `:` type($operand)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type."""
        require_kinds(cls.name, cls.KINDS, operands)
        return operands[0]


class BinaryOp(ElementwiseOp, ABC):
    """An elementwise function of two operands of one type, of that type."""

    T: ClassVar = VarConstraint("T", base(TensorType))
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(T)
    assembly_format = "$lhs `,` $rhs attr-dict `:` type($lhs)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operands' common type."""
        require_kinds(cls.name, cls.KINDS, operands[:1])
        require_same(cls.name, operands)
        return operands[0]


def require_same(op_name: str, operands: Sequence[Tensor]) -> None:
    """Raise ShapeError or DtypeError if operands are not of one type."""
    first = operands[0]
    for other in operands[1:]:
        if other is not first and other != first:
            error = ShapeError if shape_of(other) != shape_of(first) else DtypeError
            raise error(f"{op_name} needs operands of one type, got {spell_all(operands)}")


def spell_all(types: Sequence[Tensor]) -> str:
    """Return the types as a message names them."""
    return " and ".join(map(spell, types))


# Arithmetic


@irdl_op_definition
class NegOp(UnaryOp):
    """-x; integers wrap."""

    name = "array.neg"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = np.negative


@irdl_op_definition
class SignOp(UnaryOp):
    """-1, 0 or 1 by the sign of x; NaN stays NaN; x / abs(x) for complex x."""

    name = "array.sign"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = np.sign


@irdl_op_definition
class AddOp(BinaryOp):
    """x + y; integers wrap."""

    name = "array.add"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = np.add
    traits = traits_def(Commutative())


@irdl_op_definition
class SubOp(BinaryOp):
    """x - y; integers wrap."""

    name = "array.sub"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = np.subtract


@irdl_op_definition
class MulOp(BinaryOp):
    """x * y; integers wrap."""

    name = "array.mul"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = np.multiply
    traits = traits_def(Commutative())


@irdl_op_definition
class DivOp(BinaryOp):
    """x / y; integers round towards zero and wrap, and an integer divided by zero is zero."""

    name = "array.div"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = reference.divide


@irdl_op_definition
class RemOp(BinaryOp):
    """The remainder of x / y with the sign of x (C's fmod); an integer modulo zero is zero."""

    name = "array.rem"
    KINDS: ClassVar = REAL
    NUMPY: ClassVar = np.fmod


@irdl_op_definition
class PowOp(BinaryOp):
    """x to the power y, with C99's special cases; of floats and complex numbers."""

    name = "array.pow"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = reference.power


@irdl_op_definition
class MaxOp(BinaryOp):
    """The larger of x and y; NaN if either is NaN."""

    name = "array.max"
    KINDS: ClassVar = REAL
    NUMPY: ClassVar = np.maximum
    traits = traits_def(Commutative())


@irdl_op_definition
class MinOp(BinaryOp):
    """The smaller of x and y; NaN if either is NaN."""

    name = "array.min"
    KINDS: ClassVar = REAL
    NUMPY: ClassVar = np.minimum
    traits = traits_def(Commutative())


@irdl_op_definition
class CopySignOp(BinaryOp):
    """The magnitude of x with the sign of y."""

    name = "array.copy_sign"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.copysign


@irdl_op_definition
class NextAfterOp(BinaryOp):
    """The next float after x towards y."""

    name = "array.next_after"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.nextafter


@irdl_op_definition
class Atan2Op(BinaryOp):
    """The angle of the point (y, x), operands in this order, in radians."""

    name = "array.atan2"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.arctan2


# Rounding


@irdl_op_definition
class FloorOp(UnaryOp):
    """The largest integer that is not above x."""

    name = "array.floor"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.floor


@irdl_op_definition
class CeilOp(UnaryOp):
    """The smallest integer that is not below x."""

    name = "array.ceil"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.ceil


@irdl_op_definition
class TruncOp(UnaryOp):
    """x rounded towards zero."""

    name = "array.trunc"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.trunc


@irdl_op_definition
class RoundEvenOp(UnaryOp):
    """The integer nearest to x, the even one of two."""

    name = "array.round_even"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.rint


# Powers, exponentials, logarithms


@irdl_op_definition
class SqrtOp(UnaryOp):
    """The square root."""

    name = "array.sqrt"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.sqrt


@irdl_op_definition
class RsqrtOp(UnaryOp):
    """1 / sqrt(x)."""

    name = "array.rsqrt"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = reference.rsqrt


@irdl_op_definition
class CbrtOp(UnaryOp):
    """The cube root."""

    name = "array.cbrt"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.cbrt


@irdl_op_definition
class ExpOp(UnaryOp):
    """e to the power x."""

    name = "array.exp"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.exp


@irdl_op_definition
class Exp2Op(UnaryOp):
    """2 to the power x."""

    name = "array.exp2"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.exp2


@irdl_op_definition
class Expm1Op(UnaryOp):
    """exp(x) - 1, accurate near 0."""

    name = "array.expm1"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.expm1


@irdl_op_definition
class LogOp(UnaryOp):
    """The natural logarithm."""

    name = "array.log"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.log


@irdl_op_definition
class Log2Op(UnaryOp):
    """The logarithm to base 2."""

    name = "array.log2"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.log2


@irdl_op_definition
class Log10Op(UnaryOp):
    """The logarithm to base 10."""

    name = "array.log10"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.log10


@irdl_op_definition
class Log1pOp(UnaryOp):
    """log(1 + x), accurate near 0."""

    name = "array.log1p"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.log1p


@irdl_op_definition
class LogisticOp(UnaryOp):
    """1 / (1 + exp(-x))."""

    name = "array.logistic"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = reference.logistic


# Trigonometric and hyperbolic functions


@irdl_op_definition
class SinOp(UnaryOp):
    """The sine of x radians."""

    name = "array.sin"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.sin


@irdl_op_definition
class CosOp(UnaryOp):
    """The cosine of x radians."""

    name = "array.cos"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.cos


@irdl_op_definition
class TanOp(UnaryOp):
    """The tangent of x radians."""

    name = "array.tan"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.tan


@irdl_op_definition
class AsinOp(UnaryOp):
    """The angle in radians whose sine is x."""

    name = "array.asin"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.arcsin


@irdl_op_definition
class AcosOp(UnaryOp):
    """The angle in radians whose cosine is x."""

    name = "array.acos"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.arccos


@irdl_op_definition
class AtanOp(UnaryOp):
    """The angle in radians whose tangent is x."""

    name = "array.atan"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.arctan


@irdl_op_definition
class SinhOp(UnaryOp):
    """The hyperbolic sine."""

    name = "array.sinh"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.sinh


@irdl_op_definition
class CoshOp(UnaryOp):
    """The hyperbolic cosine."""

    name = "array.cosh"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.cosh


@irdl_op_definition
class TanhOp(UnaryOp):
    """The hyperbolic tangent."""

    name = "array.tanh"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.tanh


@irdl_op_definition
class AsinhOp(UnaryOp):
    """The inverse hyperbolic sine."""

    name = "array.asinh"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.arcsinh


@irdl_op_definition
class AcoshOp(UnaryOp):
    """The inverse hyperbolic cosine."""

    name = "array.acosh"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.arccosh


@irdl_op_definition
class AtanhOp(UnaryOp):
    """The inverse hyperbolic tangent."""

    name = "array.atanh"
    KINDS: ClassVar = INEXACT
    NUMPY: ClassVar = np.arctanh


# Special functions


@irdl_op_definition
class ErfOp(UnaryOp):
    """The error function."""

    name = "array.erf"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = reference.erf


@irdl_op_definition
class ErfcOp(UnaryOp):
    """1 - erf(x), accurate for large x."""

    name = "array.erfc"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = reference.erfc


@irdl_op_definition
class ErfInvOp(UnaryOp):
    """The inverse of the error function."""

    name = "array.erf_inv"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = reference.erf_inv


@irdl_op_definition
class LgammaOp(UnaryOp):
    """The logarithm of the absolute value of the gamma function."""

    name = "array.lgamma"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = reference.lgamma


@irdl_op_definition
class DigammaOp(UnaryOp):
    """The derivative of the logarithm of the gamma function."""

    name = "array.digamma"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = reference.digamma


# Bits


@irdl_op_definition
class NotOp(UnaryOp):
    """The complement of each bit; the negation of a bool."""

    name = "array.not"
    KINDS: ClassVar = BITS
    NUMPY: ClassVar = np.invert


@irdl_op_definition
class PopulationCountOp(UnaryOp):
    """The number of set bits, as an integer of the operand's dtype."""

    name = "array.population_count"
    KINDS: ClassVar = INTEGERS
    NUMPY: ClassVar = reference.population_count


@irdl_op_definition
class CountLeadingZerosOp(UnaryOp):
    """The number of zero bits above the highest set one, in the operand's dtype."""

    name = "array.count_leading_zeros"
    KINDS: ClassVar = INTEGERS
    NUMPY: ClassVar = reference.count_leading_zeros


@irdl_op_definition
class AndOp(BinaryOp):
    """Bitwise and."""

    name = "array.and"
    KINDS: ClassVar = BITS
    NUMPY: ClassVar = np.bitwise_and
    traits = traits_def(Commutative())


@irdl_op_definition
class OrOp(BinaryOp):
    """Bitwise or."""

    name = "array.or"
    KINDS: ClassVar = BITS
    NUMPY: ClassVar = np.bitwise_or
    traits = traits_def(Commutative())


@irdl_op_definition
class XorOp(BinaryOp):
    """Bitwise exclusive or."""

    name = "array.xor"
    KINDS: ClassVar = BITS
    NUMPY: ClassVar = np.bitwise_xor
    traits = traits_def(Commutative())


@irdl_op_definition
class ShiftLeftOp(BinaryOp):
    """x shifted left by y bits; zero where y is the width or more (read as unsigned)."""

    name = "array.shift_left"
    KINDS: ClassVar = INTEGERS
    NUMPY: ClassVar = np.left_shift


@irdl_op_definition
class ShiftRightArithmeticOp(BinaryOp):
    """x shifted right by y bits, copies of the sign moving in; y is read as unsigned."""

    name = "array.shift_right_arithmetic"
    KINDS: ClassVar = INTEGERS
    NUMPY: ClassVar = np.right_shift


@irdl_op_definition
class ShiftRightLogicalOp(BinaryOp):
    """x shifted right by y bits, zeros moving in; y is read as unsigned."""

    name = "array.shift_right_logical"
    KINDS: ClassVar = INTEGERS
    NUMPY: ClassVar = reference.shift_right_logical


# Ops whose result type is not the operands'


class MappedTypeOp(ElementwiseOp, ABC):
    """An elementwise op of one operand whose dtype changes."""

    operand = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$operand attr-dict `:` type($operand) `->` type($result)"


@irdl_op_definition
class AbsOp(MappedTypeOp):
    """The absolute value; of a complex number a real one. The least integer stays itself."""

    name = "array.abs"
    KINDS: ClassVar = NUMERIC
    NUMPY: ClassVar = np.abs

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type, the real one for complex operands."""
        require_kinds(cls.name, cls.KINDS, operands)
        return real_type(operands[0])


@irdl_op_definition
class IsFiniteOp(MappedTypeOp):
    """Whether x is neither infinite nor NaN."""

    name = "array.is_finite"
    KINDS: ClassVar = FLOATS
    NUMPY: ClassVar = np.isfinite

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return a bool type of the operand's shape."""
        require_kinds(cls.name, cls.KINDS, operands)
        return tensor_type(shape_of(operands[0]), _BOOL)


@irdl_op_definition
class RealOp(MappedTypeOp):
    """The real part of a complex number."""

    name = "array.real"
    KINDS: ClassVar = "c"
    NUMPY: ClassVar = np.real

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the parts."""
        require_kinds(cls.name, cls.KINDS, operands)
        return real_type(operands[0])


@irdl_op_definition
class ImagOp(MappedTypeOp):
    """The imaginary part of a complex number."""

    name = "array.imag"
    KINDS: ClassVar = "c"
    NUMPY: ClassVar = np.imag

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the parts."""
        require_kinds(cls.name, cls.KINDS, operands)
        return real_type(operands[0])


@irdl_op_definition
class ConjOp(UnaryOp):
    """The complex conjugate."""

    name = "array.conj"
    KINDS: ClassVar = "c"
    NUMPY: ClassVar = np.conj


def real_type(type_: Tensor) -> Tensor:
    """Return the type of a complex type's parts; other types are their own."""
    shape, dtype = tensor_info(type_)
    if dtype.kind != "c":
        return type_
    return tensor_type(shape, np.dtype(f"f{dtype.itemsize // 2}"))


def complex_type(type_: Tensor) -> Tensor:
    """Return the complex type whose parts have the given float type."""
    shape, dtype = tensor_info(type_)
    return tensor_type(shape, np.dtype(f"c{dtype.itemsize * 2}"))


@irdl_op_definition
class ComplexOp(ElementwiseOp):
    """The complex number of a real and an imaginary part."""

    name = "array.complex"
    KINDS: ClassVar = FLOATS
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the complex type of the parts' type."""
        require_kinds(cls.name, cls.KINDS, operands)
        require_same(cls.name, operands)
        return complex_type(operands[0])

    @staticmethod
    def NUMPY(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
        """Join the parts without arithmetic, which would spoil infinities."""
        joined = np.empty(np.shape(real), np.result_type(real.dtype, np.complex64))
        joined.real, joined.imag = real, imag
        return joined


@irdl_op_definition
class CompareOp(ElementwiseOp):
    """Compare x and y elementwise; complex numbers only for equality."""

    name = "array.compare"
    T: ClassVar = VarConstraint("T", base(TensorType))
    predicate = prop_def(ComparePredicateAttr)
    lhs = operand_def(T)
    rhs = operand_def(T)
    result = result_def(TensorType)
    assembly_format = "$predicate $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)"

    NUMPY_OF: ClassVar = {
        "eq": np.equal,
        "ne": np.not_equal,
        "lt": np.less,
        "le": np.less_equal,
        "gt": np.greater,
        "ge": np.greater_equal,
    }

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return a bool type of the operands' shape."""
        require_same(cls.name, operands)
        predicate = properties["predicate"]
        assert isinstance(predicate, ComparePredicateAttr)
        if predicate.data not in ("eq", "ne"):
            require_kinds(f"{cls.name} {predicate.data}", BITS + FLOATS, operands[:1])
        return tensor_type(shape_of(operands[0]), _BOOL)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Apply NumPy's comparison."""
        return np.asarray(self.NUMPY_OF[self.predicate.data](*operands))


@irdl_op_definition
class SelectOp(ElementwiseOp):
    """The element of the second operand where the first is true, else that of the third."""

    name = "array.select"
    T: ClassVar = VarConstraint("T", base(TensorType))
    predicate = operand_def(TensorType)
    on_true = operand_def(T)
    on_false = operand_def(T)
    result = result_def(T)
    assembly_format = (
        "$predicate `,` $on_true `,` $on_false attr-dict `:` type($predicate) `,` type($on_true)"
    )
    NUMPY: ClassVar = np.where

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the two choices."""
        predicate, on_true, _ = operands
        require_same(cls.name, operands[1:])
        if dtype_of(predicate) != _BOOL:
            raise DtypeError(f"{cls.name} needs a bool predicate, got {spell_all(operands)}")
        if shape_of(predicate) != shape_of(on_true):
            raise ShapeError(
                f"{cls.name} needs a predicate of the choices' shape, got {spell_all(operands)}"
            )
        return on_true


@irdl_op_definition
class ClampOp(ElementwiseOp):
    """min(max(x, low), high) for operands low, x, high; NaN if any is NaN."""

    name = "array.clamp"
    KINDS: ClassVar = REAL
    T: ClassVar = VarConstraint("T", base(TensorType))
    low = operand_def(T)
    operand = operand_def(T)
    high = operand_def(T)
    result = result_def(T)
    assembly_format = "$low `,` $operand `,` $high attr-dict `:` type($operand)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operands' common type."""
        require_kinds(cls.name, cls.KINDS, operands[:1])
        require_same(cls.name, operands)
        return operands[0]

    @staticmethod
    def NUMPY(low: np.ndarray, x: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Clamp as NumPy's clip does."""
        return np.asarray(np.minimum(np.maximum(x, low), high))


class RequestedTypeOp(MappedTypeOp, ABC):
    """An elementwise op of one operand whose result dtype is the caller's choice."""

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the requested type, which must have the operand's shape."""
        assert requested is not None
        if shape_of(requested) != shape_of(operands[0]):
            raise ShapeError(
                f"{cls.name} keeps the shape, but {spell(operands[0])} became {spell(requested)}"
            )
        return requested


@irdl_op_definition
class ConvertOp(RequestedTypeOp):
    """Conversion to another dtype.

    Floats round to nearest even, or towards zero on the way to integers, where they saturate and
    NaN becomes 0; integers wrap; anything but 0 is true; a complex number loses its imaginary part.
    """

    name = "array.convert"
    KINDS: ClassVar = ANY

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Convert by the reference rule."""
        return reference.convert(operands[0], dtype_of(self.result))


@irdl_op_definition
class BitcastConvertOp(RequestedTypeOp):
    """The same bits read as another dtype of equal size."""

    name = "array.bitcast_convert"
    KINDS: ClassVar = REAL

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the requested type, which must have elements of the same size."""
        result = super().infer(operands, properties, requested)
        require_kinds(cls.name, cls.KINDS, (operands[0], result))
        source, target = dtype_of(operands[0]), dtype_of(result)
        if source.itemsize != target.itemsize:
            raise DtypeError(
                f"{cls.name} needs dtypes of one size, got "
                f"{spell_dtype(source)} and {spell_dtype(target)}"
            )
        return result

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """View the bits as the result's dtype."""
        return (
            np.ascontiguousarray(operands[0])
            .view(dtype_of(self.result))
            .reshape(np.shape(operands[0]))
        )
