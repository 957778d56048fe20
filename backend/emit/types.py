"""How types of the loop level are spelled in LLVM IR, and how memrefs are laid out."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from xdsl.dialects.builtin import (
    DenseArrayBase,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    VectorType,
)
from xdsl.ir import Attribute

from ...ir.kernel.tape import TapeType
from ...ir.types import row_major

INDEX = "i64"

TAPE = "{ ptr, i64, i64 }"
"""A tape: its records, their number, how many there is room for."""


class ScalarType(NamedTuple):
    """An LLVM scalar type: its spelling, whether it is a float, and its size in memory."""

    text: str
    is_float: bool
    bytes: int

    @property
    def storage(self) -> str:
        """The type in memory, where a bool takes a byte."""
        return "i8" if self.text == "i1" else self.text


class ValueType(NamedTuple):
    """The LLVM type of an SSA value: a scalar, a vector of it, or a pointer to it."""

    text: str
    scalar: ScalarType
    lanes: int  # 0 for scalars

    @property
    def storage(self) -> str:
        """The type in memory, where a bool takes a byte."""
        return vector_text(self.scalar.storage, self.lanes)


_FLOATS = {Float32Type: ScalarType("float", True, 4), Float64Type: ScalarType("double", True, 8)}
_INTEGERS = {n: ScalarType(f"i{n}", False, max(n // 8, 1)) for n in (1, 8, 16, 32, 64)}

_cache: dict[int, tuple[Attribute, ValueType]] = {}


def vector_text(scalar: str, lanes: int) -> str:
    """Spell a vector type, or the scalar type for no lanes."""
    return f"<{lanes} x {scalar}>" if lanes else scalar


def value_type(type_: Attribute) -> ValueType:
    """Return the LLVM type of a value of the given type."""
    found = _cache.get(id(type_))
    if found is None:
        if len(_cache) > 4096:
            _cache.clear()
        found = _cache[id(type_)] = (type_, _value_type(type_))
    return found[1]


def _value_type(type_: Attribute) -> ValueType:
    if isinstance(type_, MemRefType):
        return ValueType("ptr", scalar_type(type_.element_type), 0)
    if isinstance(type_, VectorType):
        scalar = scalar_type(type_.element_type)
        lanes = prod(type_.get_shape())
        return ValueType(vector_text(scalar.text, lanes), scalar, lanes)
    if isinstance(type_, TapeType):
        return ValueType(TAPE, ScalarType(TAPE, False, 24), 0)
    scalar = scalar_type(type_)
    return ValueType(scalar.text, scalar, 0)


def scalar_type(type_: Attribute) -> ScalarType:
    """Return the LLVM type of a scalar type; signedness is a matter of the ops."""
    if isinstance(type_, IntegerType):
        return _INTEGERS[type_.width.data]
    if isinstance(type_, IndexType):
        return _INTEGERS[64]
    return _FLOATS[type(type_)]  # type: ignore[index]


class Layout(NamedTuple):
    """Where the elements of a memref are, counted in elements from its pointer."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


def memref_layout(type_: MemRefType) -> Layout:
    """Return the layout of a memref type of static shape and strides."""
    shape = type_.get_shape()
    layout = type_.layout
    if isinstance(layout, NoneAttr):
        return Layout(shape, row_major(shape))
    assert isinstance(layout, StridedLayoutAttr)
    strides = [stride.data for stride in layout.strides]  # type: ignore[union-attr]
    return Layout(shape, tuple(strides))


def static_integers(attribute: Attribute) -> Sequence[int]:
    """Return the values of an integer array property."""
    assert isinstance(attribute, DenseArrayBase)
    return attribute.get_values()
