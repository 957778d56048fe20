"""Complex arrays as they lie in memory: real ones whose last dimension holds the two parts."""

from __future__ import annotations

import numpy as np
from xdsl.ir import Attribute, SSAValue

from ...ir.builder import Builder
from ...ir.types import Shape, Tensor, shape_of, tensor_info, tensor_type
from .arithmetic import ComplexBuilder, Parts


def part_dtype(dtype: np.dtype) -> np.dtype:
    """Return the dtype of a complex dtype's parts; other dtypes are their own."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def stored_type(value: SSAValue | Attribute) -> Tensor:
    """Return the type of an array as it lies in memory, without complex numbers."""
    shape, dtype = tensor_info(value)
    return (
        tensor_type((*shape, 2), part_dtype(dtype))
        if dtype.kind == "c"
        else tensor_type(shape, dtype)
    )


def loaded(b: Builder, array: SSAValue) -> Parts:
    """Return the parts of an array whose last dimension holds them."""
    shape = shape_of(array)[:-1]
    return Parts(_one_part(b, array, shape, 0), _one_part(b, array, shape, 1))


def _one_part(b: Builder, array: SSAValue, shape: Shape, number: int) -> SSAValue:
    starts = (*(0 for _ in shape), number)
    return b.reshape(b.slice(array, starts, (*shape, number + 1)), shape)


def stored(b: ComplexBuilder, z: Parts) -> SSAValue:
    """Return the array whose last dimension holds the parts."""
    shape = shape_of(z.real)
    columns = [b.b.reshape(part, (*shape, 1)) for part in (z.real, b.imag(z))]
    return b.b.concatenate(columns, len(shape))
