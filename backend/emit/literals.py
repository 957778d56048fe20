"""Constants as LLVM IR spells them."""

from __future__ import annotations

import struct

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FloatAttr, IntegerAttr
from xdsl.ir import Attribute

from .types import ScalarType, scalar_type


def float_literal(value: float) -> str:
    """Spell a float exactly; LLVM reads float and double alike from the bits of a double."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def scalar_literal(value: float | int, scalar: ScalarType) -> str:
    """Spell a scalar constant."""
    if scalar.is_float:
        return float_literal(float(value))
    if scalar.text == "i1":
        return "true" if value else "false"
    return str(int(value))


def constant_literal(value: Attribute) -> str:
    """Spell the value of an ``arith.constant`` without its type."""
    if isinstance(value, IntegerAttr):
        return scalar_literal(value.value.data, scalar_type(value.type))
    if isinstance(value, FloatAttr):
        return float_literal(value.value.data)
    assert isinstance(value, DenseIntOrFPElementsAttr)
    scalar = scalar_type(value.type.element_type)
    elements = [scalar_literal(v, scalar) for v in value.get_values()]
    if len(elements) == 1 or len(set(elements)) == 1:
        return f"splat ({scalar.text} {elements[0]})"
    return "<" + ", ".join(f"{scalar.text} {e}" for e in elements) + ">"


def bytes_literal(data: bytes) -> str:
    """Spell raw bytes as an ``[n x i8]`` constant."""
    if not any(data):
        return "zeroinitializer"
    return 'c"' + "".join(f"\\{byte:02X}" for byte in data) + '"'


def dense_bytes(value: DenseIntOrFPElementsAttr) -> bytes:
    """Return a dense attribute's elements as they lie in memory, splats spelled out."""
    data = value.data.data
    size = int(np.prod(value.get_shape())) * value.type.element_type.compile_time_size
    return data * (size // len(data)) if len(data) < size else data
