"""An emitter of LLVM IR in which floating-point algorithms read like formulas.

A :class:`Value` is an SSA value; its Python operators append one instruction each to the
:class:`Builder` that made it. Equal instructions are emitted once (value numbering), for no
LLVM optimisation pass runs over the text later. No fast-math flag is ever set and every
fused multiply-add is explicit, so a function gives the same bits for scalars and for
vectors of any width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .formats import F32, F64, Format, round_to_float

if TYPE_CHECKING:
    from .function import MathFunction
    from .target import Target

Number = float | int


_SUFFIXES = {"float": "f32", "double": "f64"}


def type_text(element: str, lanes: int) -> str:
    """The LLVM type of ``lanes`` elements: the scalar type for one lane, else a vector."""
    return element if lanes == 1 else f"<{lanes} x {element}>"


def type_suffix(element: str, lanes: int) -> str:
    """The type in an overloaded name: ``f64`` or ``v8f64``."""
    name = _SUFFIXES.get(element, element)
    return name if lanes == 1 else f"v{lanes}{name}"


def _constant_text(element: str, lanes: int, number: Number) -> str:
    if element == "i1":
        literal = "true" if number else "false"
    elif element[0] == "i":
        width = int(element[1:])
        wrapped = int(number) & ((1 << width) - 1)
        literal = str(wrapped - (1 << width) if wrapped >> (width - 1) else wrapped)
    else:
        if element == "float" and math.isfinite(number):
            number = round_to_float(number)
        literal = f"0x{F64.bits(float(number)):016X}"
    return literal if lanes == 1 else f"splat ({element} {literal})"


class Value:
    """An SSA value or constant: ``lanes`` elements of the LLVM type ``element``."""

    __slots__ = ("builder", "element", "lanes", "text")

    def __init__(self, builder: Builder, element: str, lanes: int, text: str) -> None:
        self.builder = builder
        self.element = element
        self.lanes = lanes
        self.text = text

    @property
    def type(self) -> str:
        """The LLVM type."""
        return type_text(self.element, self.lanes)

    @property
    def format(self) -> Format:
        """The floating-point format, also of an integer of the same width."""
        return F32 if self.element in ("float", "i32") else F64

    @property
    def is_float(self) -> bool:
        """Whether this is floating-point."""
        return self.element in ("float", "double")

    def constant(self, number: Number) -> Value:
        """A constant of this type."""
        text = _constant_text(self.element, self.lanes, number)
        return Value(self.builder, self.element, self.lanes, text)

    def _with(self, instruction: str, other: Value | Number, swapped: bool = False) -> Value:
        right = other if isinstance(other, Value) else self.constant(other)
        first, second = (right, self) if swapped else (self, right)
        text = f"{instruction} {self.type} {first.text}, {second.text}"
        return self.builder.emit(text, self.element)

    def _arithmetic(self, name: str, other: Value | Number, swapped: bool = False) -> Value:
        return self._with("f" + name if self.is_float else name, other, swapped)

    def __add__(self, other: Value | Number) -> Value:
        return self._arithmetic("add", other)

    def __radd__(self, other: Number) -> Value:
        return self._arithmetic("add", other)

    def __sub__(self, other: Value | Number) -> Value:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Number) -> Value:
        return self._arithmetic("sub", other, swapped=True)

    def __mul__(self, other: Value | Number) -> Value:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: Number) -> Value:
        return self._arithmetic("mul", other)

    def __truediv__(self, other: Value | Number) -> Value:
        return self._with("fdiv", other)

    def __rtruediv__(self, other: Number) -> Value:
        return self._with("fdiv", other, swapped=True)

    def __neg__(self) -> Value:
        return self.builder.emit(f"fneg {self.type} {self.text}", self.element)

    def __and__(self, other: Value | Number) -> Value:
        return self._with("and", other)

    def __or__(self, other: Value | Number) -> Value:
        return self._with("or", other)

    def __xor__(self, other: Value | Number) -> Value:
        return self._with("xor", other)

    def __invert__(self) -> Value:
        return self._with("xor", -1)

    def __lshift__(self, count: int) -> Value:
        return self._with("shl", count)

    def __rshift__(self, count: int) -> Value:
        """Shift right, filling with zeros."""
        return self._with("lshr", count)

    def _compare(self, predicate: str, other: Value | Number) -> Value:
        right = other if isinstance(other, Value) else self.constant(other)
        kind = "fcmp" if self.is_float else "icmp"
        text = f"{kind} {predicate} {self.type} {self.text}, {right.text}"
        return self.builder.emit(text, "i1")

    def __lt__(self, other: Value | Number) -> Value:
        return self._compare("olt" if self.is_float else "slt", other)

    def __le__(self, other: Value | Number) -> Value:
        return self._compare("ole" if self.is_float else "sle", other)

    def __gt__(self, other: Value | Number) -> Value:
        return self._compare("ogt" if self.is_float else "sgt", other)

    def __ge__(self, other: Value | Number) -> Value:
        return self._compare("oge" if self.is_float else "sge", other)

    def equals(self, other: Value | Number) -> Value:
        """The mask of equal lanes; a NaN equals nothing."""
        return self._compare("oeq" if self.is_float else "eq", other)

    def differs(self, other: Value | Number) -> Value:
        """The mask of lanes that are not equal; a NaN differs from everything."""
        return self._compare("une" if self.is_float else "ne", other)

    def unordered(self, other: Value) -> Value:
        """The mask of lanes where one of both is a NaN."""
        return self._compare("uno", other)

    def _cast(self, instruction: str, element: str) -> Value:
        target = type_text(element, self.lanes)
        return self.builder.emit(f"{instruction} {self.type} {self.text} to {target}", element)

    def bits(self) -> Value:
        """The bit pattern, as an integer."""
        return self._cast("bitcast", self.format.integer)

    def as_float(self) -> Value:
        """The number whose bit pattern this integer is."""
        return self._cast("bitcast", self.format.llvm)

    def widened(self) -> Value:
        """A ``float`` as ``double``."""
        return self._cast("fpext", "double")

    def narrowed(self) -> Value:
        """A ``double`` rounded to ``float``, or an ``i64`` cut to ``i32``."""
        return self._cast("fptrunc", "float") if self.is_float else self._cast("trunc", "i32")


class Builder:
    """Collects the instructions of one function and the functions it needs."""

    def __init__(self, target: Target, lanes: int, precision: str) -> None:
        """An empty function for ``target``.

        ``precision`` names the result's accuracy for the coefficient tables: ``f32``,
        ``f64``, or ``wide`` (a result of f32, computed in f64).
        """
        self.target = target
        self.lanes = lanes
        self.precision = precision
        self.lines: list[str] = []
        self.requires: dict[str, MathFunction] = {}
        self._numbered: dict[str, Value] = {}

    def emit(self, text: str, element: str) -> Value:
        """The value of the pure instruction ``text``; an earlier equal one is reused."""
        known = self._numbered.get(text)
        if known is None:
            known = Value(self, element, self.lanes, f"%v{len(self.lines)}")
            self.lines.append(f"  {known.text} = {text}")
            self._numbered[text] = known
        return known

    def intrinsic(self, name: str, *operands: Value) -> Value:
        """Call an LLVM intrinsic overloaded on the type of its first operand."""
        first = operands[0]
        symbol = f"llvm.{name}.{type_suffix(first.element, first.lanes)}"
        return self._call(symbol, first, operands)

    def call(self, function: MathFunction, *operands: Value) -> Value:
        """Call another math function, which the module must then hold too."""
        self.requires[function.symbol] = function
        return self._call(function.symbol, operands[0], operands)

    def _call(self, symbol: str, like: Value, operands: Sequence[Value]) -> Value:
        arguments = ", ".join(f"{operand.type} {operand.text}" for operand in operands)
        return self.emit(f"call {like.type} @{symbol}({arguments})", like.element)

    def select(self, mask: Value, yes: Value | Number, no: Value | Number) -> Value:
        """``yes`` where ``mask`` holds, else ``no`` (at least one is a value)."""
        if not isinstance(yes, Value):
            assert isinstance(no, Value)
            yes = no.constant(yes)
        elif not isinstance(no, Value):
            no = yes.constant(no)
        operands = ", ".join(f"{v.type} {v.text}" for v in (mask, yes, no))
        return self.emit(f"select {operands}", yes.element)

    def fma(self, x: Value, y: Value | Number, z: Value | Number) -> Value:
        """``x * y + z``, rounded once where the target has a fused multiply-add.

        Without it two instructions round twice (never a call of libm's ``fma``).
        """
        factor = y if isinstance(y, Value) else x.constant(y)
        addend = z if isinstance(z, Value) else x.constant(z)
        if self.target.fma:
            return self.intrinsic("fma", x, factor, addend)
        return x * factor + addend

    def absolute(self, x: Value) -> Value:
        """``|x|``."""
        return self.intrinsic("fabs", x)

    def square_root(self, x: Value) -> Value:
        """The correctly rounded square root."""
        return self.intrinsic("sqrt", x)

    def copysign(self, magnitude: Value, sign: Value) -> Value:
        """``magnitude`` with the sign of ``sign``."""
        return self.intrinsic("copysign", magnitude, sign)

    def at_most(self, x: Value, bound: Value | Number) -> Value:
        """The smaller of both; a NaN in ``x`` stays."""
        limit = bound if isinstance(bound, Value) else x.constant(bound)
        return self.select(limit < x, limit, x)

    def at_least(self, x: Value, bound: Value | Number) -> Value:
        """The larger of both; a NaN in ``x`` stays."""
        limit = bound if isinstance(bound, Value) else x.constant(bound)
        return self.select(limit > x, limit, x)

    def load_exponent(self, x: Value, exponent: Value) -> Value:
        """``x * 2**exponent`` for an ``i32`` exponent, by ``llvm.ldexp``.

        Only where the target scales by a power of two in one instruction; elsewhere LLVM
        would call the C library's ``ldexp`` for each lane.
        """
        types = f"{type_suffix(x.element, x.lanes)}.{type_suffix('i32', x.lanes)}"
        operands = f"{x.type} {x.text}, {exponent.type} {exponent.text}"
        return self.emit(f"call {x.type} @llvm.ldexp.{types}({operands})", x.element)

    def smallest_integer(self, x: Value, bound: int) -> Value:
        """The smaller of both signed integers."""
        return self.intrinsic("smin", x, x.constant(bound))

    def largest_integer(self, x: Value, bound: int) -> Value:
        """The larger of both signed integers."""
        return self.intrinsic("smax", x, x.constant(bound))

    def round(self, x: Value) -> Value:
        """``x`` to the nearest integer, for ``|x|`` below 2**22 (f32) or 2**51 (f64)."""
        return (x + x.format.rounder) - x.format.rounder

    def polynomial(self, x: Value, coefficients: Sequence[float]) -> Value:
        """``c[0] + c[1] x + c[2] x**2 + ...``

        Short ones by Horner's rule; from six terms on the even and the odd powers are two
        chains in ``x**2``, which halves the latency for one more multiplication.
        """
        if len(coefficients) < 6:
            return self.horner(x, coefficients)
        square = x * x
        even = self.horner(square, coefficients[0::2])
        odd = self.horner(square, coefficients[1::2])
        return self.fma(odd, x, even)

    def horner(self, x: Value, coefficients: Sequence[float]) -> Value:
        """The same by Horner's rule alone, which is the more accurate where terms alternate."""
        result = x.constant(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            result = self.fma(x, result, coefficient)
        return result

    def fast_two_sum(self, larger: Value, smaller: Value) -> tuple[Value, Value]:
        """The sum and its rounding error, for ``|larger| >= |smaller|`` (Dekker 1971)."""
        total = larger + smaller
        return total, smaller - (total - larger)

    def two_sum(self, x: Value, y: Value) -> tuple[Value, Value]:
        """The sum and its rounding error, for any two numbers (Knuth)."""
        total = x + y
        y_part = total - x
        return total, (x - (total - y_part)) + (y - y_part)

    def two_product(self, x: Value, y: Value | Number) -> tuple[Value, Value]:
        """The product and its rounding error.

        By one fused multiply-add, or by Dekker's algorithm (1971) on halves that are cut
        off by a bit mask, as in Muller et al., Handbook of Floating-Point Arithmetic, 4.4.
        """
        factor = y if isinstance(y, Value) else x.constant(y)
        product = x * factor
        if self.target.fma:
            return product, self.fma(x, factor, -product)
        if x.format is F32:
            wide = x.widened() * factor.widened()
            return product, (wide - product.widened()).narrowed()
        x_high, x_low = self._halves(x)
        y_high, y_low = self._halves(factor)
        error = (x_high * y_high - product) + x_high * y_low + x_low * y_high
        return product, error + x_low * y_low

    def remainder(self, numerator: Value | Number, quotient: Value, divisor: Value) -> Value:
        """``numerator - quotient * divisor``, exact where it fits the format."""
        if self.target.fma:
            return self.fma(-quotient, divisor, numerator)
        if quotient.format is F32:
            wide = quotient.widened() * divisor.widened()
            whole = numerator.widened() if isinstance(numerator, Value) else numerator
            return (whole - wide).narrowed()
        product, error = self.two_product(quotient, divisor)
        return (numerator - product) - error

    def _halves(self, x: Value) -> tuple[Value, Value]:
        low_bits = x.format.mantissa_bits // 2 + 1
        high = (x.bits() & -(1 << low_bits)).as_float()
        return high, x - high

    def branch(self, bit: str, function: MathFunction, arguments: str, usual: Value) -> Value:
        """``usual``, or the call of ``function`` where the ``i1`` named ``bit`` is set."""
        self.requires[function.symbol] = function
        self.lines += [
            f"  br i1 {bit}, label %rare, label %end",
            "rare:",
            f"  %exact = tail call {usual.type} @{function.symbol}({arguments})",
            "  br label %end",
            "end:",
            f"  %result = phi {usual.type} [ {usual.text}, %entry ], [ %exact, %rare ]",
        ]
        return Value(self, usual.element, self.lanes, "%result")
