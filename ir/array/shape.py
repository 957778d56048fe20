"""Shape ops: they make or move elements and compute nothing.

All sizes and positions are properties; positions computed at run time are the indexing family's.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    AnyAttr,
    ParamAttrConstraint,
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import ConstantLike

from ..attributes import DimensionAttr, IntegersAttr
from ..errors import DtypeError, ShapeError
from ..types import (
    Shape,
    Tensor,
    dtype_of,
    normalized,
    shape_of,
    spell,
    tensor_info,
    tensor_type,
    to_numpy,
)
from .base import NUMERIC, Properties, PureOp, require_kinds


def integers_of(properties: Properties, name: str) -> Shape:
    """Return the integers of a list property."""
    attribute = properties[name]
    assert isinstance(attribute, IntegersAttr)
    return attribute.data


def dim_of(properties: Properties) -> int:
    """Return the ``dim`` property."""
    attribute = properties["dim"]
    assert isinstance(attribute, DimensionAttr)
    return attribute.data


def require_dims(op_name: str, dims: Sequence[int], rank: int) -> None:
    """Raise ShapeError unless ``dims`` are different dimensions of an array of ``rank``."""
    if len(set(dims)) != len(dims) or not all(0 <= d < rank for d in dims):
        raise ShapeError(f"{op_name}: {list(dims)} are not distinct dimensions below {rank}")


def common_element(elements: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return the first of 0-d arrays if all have its bits, else None."""
    return elements[0] if len({e.tobytes() for e in elements}) == 1 else None


def require_length(op_name: str, rank: int, **lists: Sequence[int]) -> None:
    """Raise ShapeError unless each list has an entry for each of ``rank`` dimensions."""
    for name, values in lists.items():
        if len(values) != rank:
            raise ShapeError(f"{op_name}: {name} {list(values)} must have {rank} entries")


@irdl_op_definition
class ConstantOp(PureOp):
    """A constant; equal elements are stored once."""

    name = "array.constant"
    T: ClassVar = VarConstraint("T", base(TensorType))
    value = prop_def(ParamAttrConstraint(DenseIntOrFPElementsAttr, (T, AnyAttr())))
    result = result_def(T)
    traits = traits_def(ConstantLike())
    assembly_format = "$value attr-dict"

    def __post_init__(self) -> None:
        """Normalize a value that was read from text."""
        super().__post_init__()  # type: ignore[no-untyped-call]
        value = self.properties.get("value")
        if type(value) is DenseIntOrFPElementsAttr:
            with suppress(DtypeError):  # an unsupported type is the verifier's to report
                self.properties["value"] = normalized(value)

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the value."""
        value = properties["value"]
        assert isinstance(value, DenseIntOrFPElementsAttr)
        assert isinstance(value.type, TensorType)
        return value.type

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Return the value."""
        return to_numpy(self.value)

    def fold_constants(
        self, operands: Sequence[Attribute | None]
    ) -> tuple[DenseIntOrFPElementsAttr]:
        """Return the value."""
        return (self.value,)


@irdl_op_definition
class IotaOp(PureOp):
    """0, 1, 2, ... along a dimension, the same along all others."""

    name = "array.iota"
    KINDS: ClassVar = NUMERIC
    dim = prop_def(DimensionAttr)
    result = result_def(TensorType)
    assembly_format = "`dim` $dim attr-dict `:` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the requested type."""
        assert requested is not None
        require_kinds(cls.name, cls.KINDS, (requested,))
        require_dims(cls.name, (dim_of(properties),), len(shape_of(requested)))
        return requested

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Count along the dimension."""
        shape, dtype = tensor_info(self.result)
        dim = dim_of(self.properties)
        line = np.arange(shape[dim]).astype(dtype)
        return np.broadcast_to(
            line.reshape([-1 if d == dim else 1 for d in range(len(shape))]), shape
        )


class MovingOp(PureOp, ABC):
    """Base of the ops of one operand whose elements are the operand's, in other places."""

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray:
        """Return the operand's element."""
        return elements[0]


@irdl_op_definition
class BroadcastOp(MovingOp):
    """Repeat an array along new dimensions.

    Dimension ``i`` of the operand becomes dimension ``dims[i]`` of the result, of the same size;
    ``dims`` rise. The other dimensions of the result are the new ones.
    """

    name = "array.broadcast"
    operand = operand_def(TensorType)
    dims = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = "$operand `dims` $dims attr-dict `:` type($operand) `->` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the requested type."""
        assert requested is not None
        shape, dtype = tensor_info(operands[0])
        target = shape_of(requested)
        dims = integers_of(properties, "dims")
        require_length(cls.name, len(shape), dims=dims)
        require_dims(cls.name, dims, len(target))
        if list(dims) != sorted(dims) or any(target[d] != n for d, n in zip(dims, shape)):
            raise ShapeError(
                f"{cls.name}: {spell(operands[0])} with dims {list(dims)} "
                f"does not fit {spell(requested)}"
            )
        return tensor_type(target, dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Broadcast as NumPy does."""
        shape = shape_of(self.result)
        dims = self.dims.data
        aligned = operands[0].reshape([n if d in dims else 1 for d, n in enumerate(shape)])
        return np.broadcast_to(aligned, shape)


@irdl_op_definition
class ReshapeOp(MovingOp):
    """The same elements in row-major order under another shape."""

    name = "array.reshape"
    operand = operand_def(TensorType)
    result = result_def(TensorType)
    assembly_format = "$operand attr-dict `:` type($operand) `->` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the requested type."""
        assert requested is not None
        shape, dtype = tensor_info(operands[0])
        if prod(shape) != prod(shape_of(requested)):
            raise ShapeError(
                f"{cls.name}: {spell(operands[0])} has not as many elements as {spell(requested)}"
            )
        return tensor_type(shape_of(requested), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Reshape as NumPy does."""
        return operands[0].reshape(shape_of(self.result))


@irdl_op_definition
class TransposeOp(MovingOp):
    """Permute dimensions: dimension ``i`` of the result is ``permutation[i]`` of the operand."""

    name = "array.transpose"
    operand = operand_def(TensorType)
    permutation = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$operand `permutation` $permutation attr-dict `:` type($operand) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the permuted type."""
        shape, dtype = tensor_info(operands[0])
        permutation = integers_of(properties, "permutation")
        require_length(cls.name, len(shape), permutation=permutation)
        require_dims(cls.name, permutation, len(shape))
        return tensor_type(tuple(shape[d] for d in permutation), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Transpose as NumPy does."""
        return operands[0].transpose(self.permutation.data)


@irdl_op_definition
class SliceOp(MovingOp):
    """The elements ``start, start + stride, ...`` below ``limit`` of each dimension."""

    name = "array.slice"
    operand = operand_def(TensorType)
    starts = prop_def(IntegersAttr)
    limits = prop_def(IntegersAttr)
    strides = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$operand `starts` $starts `limits` $limits `strides` $strides attr-dict "
        "`:` type($operand) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the part."""
        shape, dtype = tensor_info(operands[0])
        starts, limits, strides = (
            integers_of(properties, name) for name in ("starts", "limits", "strides")
        )
        require_length(cls.name, len(shape), starts=starts, limits=limits, strides=strides)
        for n, start, limit, stride in zip(shape, starts, limits, strides):
            if not (0 <= start <= limit <= n and stride >= 1):
                raise ShapeError(
                    f"{cls.name}: {start}:{limit}:{stride} is not within a dimension of size {n}"
                )
        sizes = (
            -(-(limit - start) // stride) for start, limit, stride in zip(starts, limits, strides)
        )
        return tensor_type(tuple(sizes), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Slice as NumPy does."""
        bounds = zip(self.starts.data, self.limits.data, self.strides.data)
        return operands[0][tuple(slice(*bound) for bound in bounds)]


@irdl_op_definition
class PadOp(PureOp):
    """Surround the elements of each dimension, and part them, by a padding value.

    ``interior[d]`` paddings go between neighbours, then ``low[d]`` and ``high[d]`` at the edges;
    negative edges cut off.
    """

    name = "array.pad"
    operand = operand_def(TensorType)
    value = operand_def(TensorType)
    low = prop_def(IntegersAttr)
    high = prop_def(IntegersAttr)
    interior = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$operand `,` $value `low` $low `high` $high `interior` $interior attr-dict "
        "`:` type($operand) `,` type($value) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the padded type."""
        shape, dtype = tensor_info(operands[0])
        if shape_of(operands[1]) != ():
            raise ShapeError(f"{cls.name}: the padding value must be 0-d, not {spell(operands[1])}")
        if dtype_of(operands[1]) != dtype:
            raise DtypeError(f"{cls.name}: {spell(operands[0])} padded with {spell(operands[1])}")
        low, high, interior = (integers_of(properties, n) for n in ("low", "high", "interior"))
        require_length(cls.name, len(shape), low=low, high=high, interior=interior)
        sizes = [
            a + n + max(n - 1, 0) * inside + b
            for n, a, b, inside in zip(shape, low, high, interior)
        ]
        if min(sizes, default=0) < 0 or min(interior, default=0) < 0:
            raise ShapeError(
                f"{cls.name}: {spell(operands[0])} cannot be padded by low {list(low)}, "
                f"high {list(high)}, interior {list(interior)}"
            )
        return tensor_type(tuple(sizes), dtype)

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray | None:
        """Return the element if it is padded with itself."""
        return common_element(elements)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Place the operand into an array of the padding value."""
        operand, value = operands
        return padded(operand, value, self.low.data, self.high.data, self.interior.data)


def padded(
    x: np.ndarray, value: object, low: Sequence[int], high: Sequence[int], interior: Sequence[int]
) -> np.ndarray:
    """Return the array with paddings of ``value``, as ``array.pad`` has them."""
    sizes = [
        max(a, 0) + n + max(n - 1, 0) * inside + max(b, 0)
        for n, a, b, inside in zip(x.shape, low, high, interior)
    ]
    wide = np.full(sizes, value, x.dtype)
    places = tuple(
        slice(max(a, 0), max(a, 0) + max(n - 1, 0) * (inside + 1) + min(n, 1), inside + 1)
        for n, a, inside in zip(x.shape, low, interior)
    )
    wide[places] = x
    kept = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, a, b in zip(wide.shape, low, high))
    return wide[kept]


@irdl_op_definition
class ConcatenateOp(PureOp):
    """Join one or more arrays along a dimension."""

    name = "array.concatenate"
    inputs = var_operand_def(TensorType)
    dim = prop_def(DimensionAttr)
    result = result_def(TensorType)
    assembly_format = "$inputs `dim` $dim attr-dict `:` type($inputs) `->` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the joined type."""
        if not operands:
            raise ShapeError(f"{cls.name} needs at least one operand")
        dim = dim_of(properties)
        shape, dtype = tensor_info(operands[0])
        require_dims(cls.name, (dim,), len(shape))
        total = 0
        for type_ in operands:
            other, other_dtype = tensor_info(type_)
            if other_dtype != dtype:
                raise DtypeError(f"{cls.name}: {spell(operands[0])} joined with {spell(type_)}")
            if len(other) != len(shape) or any(
                a != b for d, (a, b) in enumerate(zip(shape, other)) if d != dim
            ):
                raise ShapeError(
                    f"{cls.name} along {dim}: {spell(operands[0])} joined with {spell(type_)}"
                )
            total += other[dim]
        return tensor_type((*shape[:dim], total, *shape[dim + 1 :]), dtype)

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray | None:
        """Return the element that all operands have."""
        return common_element(elements)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Concatenate as NumPy does."""
        return np.concatenate(operands, axis=dim_of(self.properties))


@irdl_op_definition
class ReverseOp(MovingOp):
    """Reverse the order of elements along dimensions."""

    name = "array.reverse"
    T: ClassVar = VarConstraint("T", base(TensorType))
    operand = operand_def(T)
    dims = prop_def(IntegersAttr)
    result = result_def(T)
    assembly_format = "$operand `dims` $dims attr-dict `:` type($operand)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type."""
        require_dims(cls.name, integers_of(properties, "dims"), len(shape_of(operands[0])))
        return operands[0]

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Flip as NumPy does."""
        return np.flip(operands[0], self.dims.data)
