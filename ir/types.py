"""Tensor types and their NumPy counterparts.

A value of the array dialect is a builtin ``tensor`` of static shape. Its element type stands for
one NumPy dtype: ``i1`` is ``bool``, signless ``iN`` is ``intN``, ``uiN`` is ``uintN``, ``f32``,
``f64``, ``complex<f32>`` and ``complex<f64>`` are what they say. Types are interned, so that
building one costs a dictionary lookup.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
from xdsl.dialects.builtin import (
    BytesAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    Float32Type,
    Float64Type,
    IntegerType,
    Signedness,
    TensorType,
)

from .errors import DtypeError

if TYPE_CHECKING:
    from xdsl.ir import Attribute, SSAValue

Shape: TypeAlias = tuple[int, ...]
Tensor: TypeAlias = TensorType  # the one type of array values

ELEMENT_TYPES: Final[dict[np.dtype, Attribute]] = {
    np.dtype(np.bool_): IntegerType(1),
    **{np.dtype(f"i{n // 8}"): IntegerType(n) for n in (8, 16, 32, 64)},
    **{np.dtype(f"u{n // 8}"): IntegerType(n, Signedness.UNSIGNED) for n in (8, 16, 32, 64)},
    np.dtype(np.float32): Float32Type(),
    np.dtype(np.float64): Float64Type(),
    np.dtype(np.complex64): ComplexType(Float32Type()),
    np.dtype(np.complex128): ComplexType(Float64Type()),
}
"""Every supported dtype and its MLIR element type."""

_DTYPES: Final[dict[Attribute, np.dtype]] = {e: d for d, e in ELEMENT_TYPES.items()}


class TensorInfo(NamedTuple):
    """Shape and dtype of a tensor type."""

    shape: Shape
    dtype: np.dtype


_interned: dict[TensorInfo, Tensor] = {}
_info_by_identity: dict[int, TensorInfo] = {}  # of interned types only, which are never freed


def tensor_type(shape: Shape, dtype: np.dtype) -> Tensor:
    """Return the tensor type of ``shape`` and ``dtype``.

    Raises:
        DtypeError: if the array dialect has no element type for ``dtype``.
    """
    info = TensorInfo(shape, dtype)
    found = _interned.get(info)
    if found is None:
        found = TensorType(element_type(dtype), shape)
        found = _interned.setdefault(info, found)
        _info_by_identity[id(found)] = info
    return found


def element_type(dtype: np.dtype) -> Attribute:
    """Return the MLIR element type of ``dtype``.

    Raises:
        DtypeError: if the array dialect has no element type for ``dtype``.
    """
    try:
        return ELEMENT_TYPES[dtype]
    except KeyError:
        known = ", ".join(map(str, ELEMENT_TYPES))
        raise DtypeError(f"dtype {dtype} is not supported; supported are {known}") from None


def tensor_info(value: SSAValue | Attribute) -> TensorInfo:
    """Return shape and dtype of an array value or of its type.

    Raises:
        DtypeError: if it is no tensor of a supported element type and static shape.
    """
    type_: Attribute = getattr(value, "type", value)  # type: ignore[arg-type]
    found = _info_by_identity.get(id(type_))
    return found if found is not None else _read(type_)


def _read(type_: Attribute) -> TensorInfo:
    if not isinstance(type_, TensorType):
        raise DtypeError(f"expected a tensor type, found {type_}")
    dtype = _DTYPES.get(type_.element_type)
    shape = type_.get_shape()
    if dtype is None or any(n < 0 for n in shape):
        raise DtypeError(f"{type_} has no NumPy counterpart")
    return TensorInfo(shape, dtype)


def shape_of(value: SSAValue | Attribute) -> Shape:
    """Return the shape of an array value or of its type."""
    return tensor_info(value).shape


def dtype_of(value: SSAValue | Attribute) -> np.dtype:
    """Return the NumPy dtype of an array value or of its type."""
    return tensor_info(value).dtype


@lru_cache(maxsize=4096)
def row_major(shape: Shape) -> Shape:
    """Return the strides of a C-contiguous array, in elements."""
    return tuple(prod(shape[d + 1 :]) for d in range(len(shape)))


def spell_dtype(dtype: np.dtype) -> str:
    """Spell a dtype as messages do: ``f32``, ``i64``, ``u8``, ``c128``, ``bool``."""
    if dtype not in ELEMENT_TYPES:
        return str(dtype)
    return "bool" if dtype.kind == "b" else f"{dtype.kind}{8 * dtype.itemsize}"


_DTYPES_BY_SPELLING: Final = {spell_dtype(dtype): dtype for dtype in ELEMENT_TYPES}


def spell(value: SSAValue | Attribute) -> str:
    """Spell an array type as messages do: ``f32[3,4]``."""
    return spell_info(*tensor_info(value))


def spell_info(shape: Shape, dtype: np.dtype) -> str:
    """Spell a shape and a dtype, supported or not, as messages do: ``f32[3,4]``."""
    return f"{spell_dtype(dtype)}[{','.join(map(str, shape))}]"


_SPELLED = re.compile(r"(bool|[iufc]\d+)\[((?:\d+(?:,\d+)*)?)\]")


def parse_spelling(text: str) -> TensorInfo:
    """Read an array type as messages spell it: ``f32[3,4]``.

    Raises:
        DtypeError: if it is not so spelled, or if there is no such dtype.
    """
    match = _SPELLED.fullmatch(text.strip())
    dtype = _DTYPES_BY_SPELLING.get(match[1]) if match else None
    if match is None or dtype is None:
        raise DtypeError(f"{text!r} is no array type, which is spelled as in f32[3,4] or i64[]")
    return TensorInfo(tuple(map(int, filter(None, match[2].split(",")))), dtype)


def dense(array: np.ndarray) -> DenseIntOrFPElementsAttr:
    """Return ``array`` as a dense attribute; equal elements are stored once (a splat)."""
    return _dense(tensor_type(array.shape, array.dtype), _element_bytes(array))


def normalized(attribute: DenseIntOrFPElementsAttr) -> DenseIntOrFPElementsAttr:
    """Return the attribute as ``dense`` makes it, from one that was read from text.

    xDSL's parser repeats the element of a splat, and stores a true ``i1`` as 255.

    Raises:
        DtypeError: if its type is no tensor of a supported element type.
    """
    shape, dtype = tensor_info(attribute.type)
    elements = np.frombuffer(attribute.data.data, np.uint8 if dtype == np.bool_ else dtype)
    if dtype == np.bool_:
        elements = elements != 0
    spread = () if elements.size == 1 else shape  # a copied op's splat is stored once already
    return dense(np.broadcast_to(elements.reshape(spread), shape))


def splat(shape: Shape, dtype: np.dtype, value: object) -> DenseIntOrFPElementsAttr:
    """Return the dense attribute of ``shape`` whose elements all are ``value``; it is interned."""
    return _splat(shape, dtype, np.asarray(value, dtype).tobytes() if 0 not in shape else b"")


@lru_cache(maxsize=4096)
def _splat(shape: Shape, dtype: np.dtype, data: bytes) -> DenseIntOrFPElementsAttr:
    return _dense(tensor_type(shape, dtype), data)


def _dense(type_: Tensor, data: bytes) -> DenseIntOrFPElementsAttr:
    return DenseIntOrFPElementsAttr(type_, BytesAttr(data))  # type: ignore[arg-type]


def _element_bytes(array: np.ndarray) -> bytes:
    if array.size > 1:
        first = array[(0,) * array.ndim].tobytes()
        if all(s == 0 for s in array.strides) or array.tobytes() == first * array.size:
            return first
    return array.tobytes()


def is_splat(attribute: DenseIntOrFPElementsAttr) -> bool:
    """Tell whether the attribute stores one element for all."""
    return len(attribute.data.data) == dtype_of(attribute.type).itemsize


def element_of(attribute: DenseIntOrFPElementsAttr) -> np.ndarray:
    """Return the element of a splat as a 0-d array."""
    return np.frombuffer(attribute.data.data, dtype_of(attribute.type)).reshape(())


def to_numpy(attribute: DenseIntOrFPElementsAttr) -> np.ndarray:
    """Return the array that a dense attribute holds (read-only; a splat takes no memory)."""
    shape, dtype = tensor_info(attribute.type)
    if is_splat(attribute):
        return np.broadcast_to(element_of(attribute), shape)
    return np.frombuffer(attribute.data.data, dtype).reshape(shape)
