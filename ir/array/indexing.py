"""Indexing: parts of arrays at positions computed at run time.

A window's position is given by one 0-d integer for each dimension (``dynamic_slice``,
``dynamic_update_slice``). Scattered positions are given by integer arrays of one shape, one for
each dimension that is indexed; all of every other dimension is taken (``gather``, ``scatter``).
Whatever NumPy indexes by, or a batch of any of these ops, is a gather or a scatter again: a slice
or a batch beside indexed dimensions is an index that counts along a dimension of its own.

Windows that reach out of range are moved inside. Single positions out of range are read at the
nearest edge, and not written.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Final

import numpy as np
from xdsl.dialects.builtin import TensorType, UnitAttr
from xdsl.irdl import (
    RangeOf,
    VarConstraint,
    base,
    eq,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    var_operand_def,
)

from ..attributes import IntegersAttr, ScatterKind, ScatterKindAttr
from ..errors import DtypeError, ShapeError
from ..types import Shape, Tensor, dtype_of, shape_of, spell, tensor_info, tensor_type
from .base import ANY, NUMERIC, REAL, Properties, PureOp, require_kinds
from .shape import common_element, integers_of, require_dims

POSITION: Final = tensor_type((), np.dtype(np.int64))
"""The type of a window's position along one dimension."""

KINDS_OF: Final = {
    ScatterKind.SET: ANY,
    ScatterKind.ADD: NUMERIC,
    ScatterKind.MUL: NUMERIC,
    ScatterKind.MIN: REAL,
    ScatterKind.MAX: REAL,
}

_NUMPY: Final[dict[ScatterKind, np.ufunc]] = {
    ScatterKind.ADD: np.add,
    ScatterKind.MUL: np.multiply,
    ScatterKind.MIN: np.minimum,
    ScatterKind.MAX: np.maximum,
}


def kind_of(properties: Properties) -> ScatterKind:
    """Return the ``kind`` property of a scatter."""
    attribute = properties["kind"]
    assert isinstance(attribute, ScatterKindAttr)
    return attribute.data


def _require_window(op_name: str, x: Tensor, window: Tensor, starts: Sequence[Tensor]) -> None:
    """Raise unless the window fits into x and has a position along each dimension."""
    shape, dtype = tensor_info(x)
    sizes = shape_of(window)
    if len(starts) != len(shape):
        raise ShapeError(f"{op_name}: {spell(x)} needs {len(shape)} starts, not {len(starts)}")
    for start in starts:
        if start != POSITION:
            raise DtypeError(f"{op_name}: a start must be {spell(POSITION)}, not {spell(start)}")
    if len(sizes) != len(shape) or any(n > m for n, m in zip(sizes, shape)):
        raise ShapeError(f"{op_name}: a window {spell(window)} does not fit into {spell(x)}")
    if dtype_of(window) != dtype:
        raise DtypeError(f"{op_name}: a window {spell(window)} of {spell(x)}")


def _window(shape: Shape, sizes: Shape, starts: Sequence[np.ndarray]) -> tuple[slice, ...]:
    """Return the slices of a window, moved inside."""
    places = [min(max(int(i), 0), n - m) for i, n, m in zip(starts, shape, sizes)]
    return tuple(slice(i, i + m) for i, m in zip(places, sizes))


@irdl_op_definition
class DynamicSliceOp(PureOp):
    """The window of the result's shape at computed positions, moved inside where it reaches out."""

    name = "array.dynamic_slice"
    operand = operand_def(TensorType)
    starts = var_operand_def(RangeOf(eq(POSITION)))
    result = result_def(TensorType)
    assembly_format = "$operand `[` $starts `]` attr-dict `:` type($operand) `->` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the requested type."""
        assert requested is not None
        _require_window(cls.name, operands[0], requested, operands[1:])
        return tensor_type(*tensor_info(requested))

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray:
        """Return the operand's element."""
        return elements[0]

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Slice as NumPy does."""
        x, *starts = operands
        return x[_window(x.shape, shape_of(self.result), starts)]


@irdl_op_definition
class DynamicUpdateSliceOp(PureOp):
    """An array with a window at computed positions replaced, moved inside where it reaches out."""

    name = "array.dynamic_update_slice"
    T: ClassVar = VarConstraint("T", base(TensorType))
    operand = operand_def(T)
    update = operand_def(TensorType)
    starts = var_operand_def(RangeOf(eq(POSITION)))
    result = result_def(T)
    assembly_format = (
        "$operand `[` $starts `]` `,` $update attr-dict `:` type($operand) `,` type($update)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type."""
        x, update, *starts = operands
        _require_window(cls.name, x, update, starts)
        return x

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray | None:
        """Return the element if it is replaced by itself."""
        return common_element(elements[:2])

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Assign to a copy as NumPy does."""
        x, update, *starts = operands
        result = np.array(x)
        result[_window(x.shape, update.shape, starts)] = update
        return result


def _require_indices(
    op_name: str, x: Tensor, indices: Sequence[Tensor], properties: Properties
) -> tuple[Shape, Shape]:
    """Return the shape of the indices and that of the dimensions that are not indexed.

    Raises:
        ShapeError: if the indices differ in shape, or are not one for each of distinct dimensions.
        DtypeError: if an index is not of 64-bit integers.
    """
    shape = shape_of(x)
    dims = integers_of(properties, "dims")
    require_dims(op_name, dims, len(shape))
    if not indices or len(dims) != len(indices):
        raise ShapeError(f"{op_name}: {len(indices)} indices for dimensions {list(dims)}")
    for index in indices:
        if dtype_of(index) != np.int64:
            raise DtypeError(f"{op_name}: an index must be of i64, not {spell(index)}")
        if shape_of(index) != shape_of(indices[0]):
            raise ShapeError(
                f"{op_name}: indices {spell(indices[0])} and {spell(index)} differ in shape"
            )
    return shape_of(indices[0]), tuple(n for d, n in enumerate(shape) if d not in dims)


def _selection(rank: int, dims: Sequence[int], indices: Sequence[np.ndarray]) -> tuple[Any, ...]:
    """Return what NumPy indexes by after the indexed dimensions were brought to the front."""
    return (*indices, *[slice(None)] * (rank - len(dims)))


def indexed_first(rank: int, dims: Sequence[int]) -> tuple[int, ...]:
    """Return the permutation that brings the indexed dimensions to the front, in their order."""
    return (*dims, *(d for d in range(rank) if d not in dims))


@irdl_op_definition
class GatherOp(PureOp):
    """The elements, or slices along the dimensions not indexed, at positions given by arrays.

    ``indices`` has an array for each dimension of ``dims``. The result's first dimensions are those
    of the indices; the operand's dimensions that are not indexed follow.
    """

    name = "array.gather"
    operand = operand_def(TensorType)
    indices = var_operand_def(TensorType)
    dims = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$operand `[` $indices `]` `dims` $dims attr-dict "
        "`:` type($operand) `,` type($indices) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of what is taken."""
        x, *indices = operands
        shape, dtype = tensor_info(x)
        taken = sum(_require_indices(cls.name, x, indices, properties), ())
        dims = integers_of(properties, "dims")
        if prod(taken) and any(shape[d] == 0 for d in dims):
            raise ShapeError(f"{cls.name}: {spell(x)} has no element to take along {list(dims)}")
        return tensor_type(taken, dtype)

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray:
        """Return the operand's element."""
        return elements[0]

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Index as NumPy does, from the nearest edge where a position is out of range."""
        x, *indices = operands
        if 0 in shape_of(self.result):
            return np.empty(*tensor_info(self.result))
        dims = self.dims.data
        inside = [np.clip(i, 0, x.shape[d] - 1) for i, d in zip(indices, dims)]
        first = x.transpose(indexed_first(x.ndim, dims))
        return np.asarray(first[_selection(x.ndim, dims, inside)])


@irdl_op_definition
class ScatterOp(PureOp):
    """An array with elements, or slices, at positions given by arrays replaced or combined.

    The positions are given as for a gather; ``update`` has the shape that a gather there would
    have. Each update replaces what is at its position (``set``) or is combined with it (``add``,
    ``mul``, ``min``, ``max``), one after the other in row-major order of the indices. Those out of
    range are dropped. ``unique`` says that no two positions are the same, but for those out of
    range.
    """

    name = "array.scatter"
    T: ClassVar = VarConstraint("T", base(TensorType))
    operand = operand_def(T)
    update = operand_def(TensorType)
    indices = var_operand_def(TensorType)
    kind = prop_def(ScatterKindAttr)
    dims = prop_def(IntegersAttr)
    unique = opt_prop_def(UnitAttr)
    result = result_def(T)
    assembly_format = (
        "$kind $operand `[` $indices `]` `,` $update `dims` $dims (`unique` $unique^)? attr-dict "
        "`:` type($operand) `,` type($update) `,` type($indices)"
    )

    ALLOWED: ClassVar = tuple(ScatterKind)

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type."""
        x, update, *indices = operands
        kind, dtype = kind_of(properties), dtype_of(x)
        require_kinds(f"{cls.name} {kind}", KINDS_OF[kind], (x,))
        if dtype_of(update) != dtype:
            raise DtypeError(f"{cls.name}: {spell(x)} updated by {spell(update)}")
        expected = sum(_require_indices(cls.name, x, indices, properties), ())
        if shape_of(update) != expected:
            raise ShapeError(
                f"{cls.name}: the update must be {spell(tensor_type(expected, dtype))}, "
                f"not {spell(update)}"
            )
        return x

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Apply the updates that are in range in their order."""
        x, update, *indices = operands
        dims = self.dims.data
        result = np.array(x)
        first = result.transpose(indexed_first(x.ndim, dims))
        flat = [index.reshape(-1) for index in indices]
        inside = [(i >= 0) & (i < x.shape[d]) for i, d in zip(flat, dims)]
        kept = np.flatnonzero(np.logical_and.reduce(inside))
        values = update.reshape(flat[0].size, *first.shape[len(dims) :])
        kind = self.kind.data
        if kind is ScatterKind.SET:
            kept = _last_of_equal([index[kept] for index in flat], kept)
        selection = _selection(x.ndim, dims, [index[kept] for index in flat])
        if kind is ScatterKind.SET:
            first[selection] = values[kept]
        else:
            _NUMPY[kind].at(first, selection, values[kept])
        return result


def _last_of_equal(positions: Sequence[np.ndarray], numbers: np.ndarray) -> np.ndarray:
    """Return the numbers of the updates that no later one overwrites."""
    last = dict(zip(zip(*(p.tolist() for p in positions)), numbers.tolist()))
    return np.array(list(last.values()), np.int64)
