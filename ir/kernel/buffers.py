"""Buffers: the ``memref`` types that hold array values in memory."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, StridedLayoutAttr, TensorType
from xdsl.ir import Attribute

from ..errors import DtypeError
from ..integer_arrays import dense_i64, segment_sizes
from ..types import Shape, Tensor, element_type, row_major, tensor_info, tensor_type

STATUS: Final = tensor_type((), np.dtype(np.int32))
"""The type of a program's status: 0, or why its results are not valid."""

NO_MEMORY: Final = 1
"""The status of a program that could not have the memory it needs."""

RAISED: Final = 2
"""The status of a program in which a Python function that it called has raised."""

_buffers: dict[Tensor, MemRefType] = {}
_tensors: dict[MemRefType, Tensor] = {}


def buffer_type(tensor: Tensor) -> MemRefType:
    """Return the type of a row-major buffer that holds a value of type ``tensor``."""
    found = _buffers.get(tensor)
    if found is None:
        shape, dtype = tensor_info(tensor)
        found = MemRefType(element_type(dtype), shape)
        _buffers[tensor] = found
    return found


def part_type(buffer: MemRefType, shape: Shape) -> MemRefType:
    """Return the type of a part of a buffer that lies in one piece, wherever that begins."""
    return _part_type(buffer.element_type, tuple(shape))


@lru_cache(maxsize=4096)
def _part_type(element: Attribute, shape: Shape) -> MemRefType:
    return MemRefType(element, shape, StridedLayoutAttr(row_major(shape), None))


@lru_cache(maxsize=4096)
def part_properties(shape: Shape, count: int) -> Mapping[str, Attribute]:
    """Return the properties of a ``memref.subview`` of ``count`` places along dimension 0.

    They are of a buffer of a shape, and begin at an operand.
    """
    rest = shape[1:]
    return {
        "static_offsets": dense_i64((DYNAMIC_INDEX, *(0 for _ in rest))),
        "static_sizes": dense_i64((count, *rest)),
        "static_strides": dense_i64(1 for _ in shape),
        "operandSegmentSizes": segment_sizes(1, 1, 0, 0),
    }


def value_type(operand: Attribute) -> Tensor:
    """Return the tensor type of what a kernel's operand holds: a buffer's contents, or itself.

    Raises:
        DtypeError: if it is neither a tensor nor a memref of static shape and supported elements.
    """
    if isinstance(operand, TensorType):
        return operand
    if not isinstance(operand, MemRefType):
        raise DtypeError(f"expected a tensor or a memref type, found {operand}")
    found = _tensors.get(operand)
    if found is None:
        info = tensor_info(TensorType(operand.element_type, operand.get_shape()))
        found = _tensors[operand] = tensor_type(*info)
    return found
