"""Contractions: sums of products over shared dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from string import ascii_letters
from typing import ClassVar, Final

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, TensorType, i64
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from ..attributes import IntegersAttr
from ..errors import DtypeError, ShapeError
from ..types import Shape, Tensor, shape_of, spell, tensor_info, tensor_type
from .base import NUMERIC, Properties, PureOp, require_kinds
from .shape import integers_of, require_dims, require_length
from .window import Window, require_windows, taps_of


@irdl_op_definition
class DotGeneralOp(PureOp):
    """Multiply along batch dimensions and sum over contracted ones.

    Dimensions of the result: the batch dimensions, the left operand's free ones, the right's.
    """

    name = "array.dot_general"
    KINDS: ClassVar = NUMERIC
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    lhs_batch = prop_def(IntegersAttr)
    rhs_batch = prop_def(IntegersAttr)
    lhs_contract = prop_def(IntegersAttr)
    rhs_contract = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$lhs `,` $rhs `batch` $lhs_batch `x` $rhs_batch `contract` $lhs_contract `x` "
        "$rhs_contract attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of the product."""
        require_kinds(cls.name, cls.KINDS, operands)
        (left, dtype), (right, right_dtype) = map(tensor_info, operands)
        if dtype != right_dtype:
            raise DtypeError(f"{cls.name}: {spell(operands[0])} times {spell(operands[1])}")
        left_dims, right_dims = _paired_dims(properties)
        require_dims(cls.name, left_dims, len(left))
        require_dims(cls.name, right_dims, len(right))
        batch = len(integers_of(properties, "lhs_batch"))
        if (
            len(left_dims) != len(right_dims)
            or len(integers_of(properties, "rhs_batch")) != batch
            or any(left[a] != right[b] for a, b in zip(left_dims, right_dims))
        ):
            raise ShapeError(
                f"{cls.name}: sizes differ in {spell(operands[0])} dims {list(left_dims)} "
                f"and {spell(operands[1])} dims {list(right_dims)}"
            )
        sizes = [left[d] for d in left_dims[:batch]]
        sizes += [left[d] for d in free_dims(len(left), left_dims)]
        sizes += [right[d] for d in free_dims(len(right), right_dims)]
        return tensor_type(tuple(sizes), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Contract by einsum."""
        lhs, rhs = operands
        left_dims, right_dims = _paired_dims(self.properties)
        batch = len(self.lhs_batch.data)
        left = list(ascii_letters[: lhs.ndim])
        right = list(ascii_letters[lhs.ndim : lhs.ndim + rhs.ndim])
        for a, b in zip(left_dims, right_dims):
            right[b] = left[a]
        out = [left[d] for d in left_dims[:batch]]
        out += [left[d] for d in free_dims(lhs.ndim, left_dims)]
        out += [right[d] for d in free_dims(rhs.ndim, right_dims)]
        formula = f"{''.join(left)},{''.join(right)}->{''.join(out)}"
        return np.asarray(np.einsum(formula, lhs, rhs, dtype=lhs.dtype))


def _paired_dims(properties: Properties) -> tuple[Shape, Shape]:
    """Return the batch and contracted dimensions of both sides, which pair up."""
    left = integers_of(properties, "lhs_batch") + integers_of(properties, "lhs_contract")
    right = integers_of(properties, "rhs_batch") + integers_of(properties, "rhs_contract")
    return left, right


def free_dims(rank: int, paired: Sequence[int]) -> list[int]:
    """Return the dimensions that are neither batch nor contracted ones."""
    return [d for d in range(rank) if d not in paired]


@irdl_op_definition
class ConvolutionOp(PureOp):
    """Slide a kernel over the spatial dimensions and sum products over its taps and the features.

    The operands are ``[batch, spatial..., in]`` and ``[spatial..., in / groups, out]``, the result
    ``[batch, spatial..., out]``. Element i of the result sees element j of ``lhs`` by the kernel's
    tap k where ``j * lhs_dilation = i * strides + k * rhs_dilation - low``: the kernel is not
    reversed. Features are in ``groups``; those out of a group depend on those into it alone.
    """

    name = "array.convolution"
    KINDS: ClassVar = NUMERIC
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    strides = prop_def(IntegersAttr)
    low = prop_def(IntegersAttr)
    high = prop_def(IntegersAttr)
    lhs_dilation = prop_def(IntegersAttr)
    rhs_dilation = prop_def(IntegersAttr)
    groups = prop_def(IntegerAttr.constr(type=i64))
    result = result_def(TensorType)
    assembly_format = (
        "$lhs `,` $rhs `strides` $strides `low` $low `high` $high `lhs_dilation` $lhs_dilation "
        "`rhs_dilation` $rhs_dilation `groups` $groups attr-dict "
        "`:` type($lhs) `,` type($rhs) `->` type($result)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of a sum for each example, window and feature out."""
        require_kinds(cls.name, cls.KINDS, operands)
        (left, dtype), (right, right_dtype) = map(tensor_info, operands)
        if dtype != right_dtype:
            raise DtypeError(f"{cls.name}: {spell(operands[0])} with {spell(operands[1])}")
        if len(left) < 2 or len(left) != len(right):
            raise ShapeError(
                f"{cls.name}: {spell(operands[0])} and {spell(operands[1])} must have a batch, "
                "features and the same number of spatial dimensions"
            )
        lists = {name: integers_of(properties, name) for name in WINDOW_LISTS}
        require_length(cls.name, len(left) - 2, **lists)
        groups = groups_of(properties)
        if groups < 1 or left[-1] != right[-2] * groups or right[-1] % groups:
            raise ShapeError(
                f"{cls.name}: features of {spell(operands[0])} and {spell(operands[1])} do not "
                f"fit {groups} groups"
            )
        windows = windows_of(right, properties)
        require_windows(cls.name, spell(operands[0]), left[1:-1], windows)
        counts = (w.count_in(n) for w, n in zip(windows, left[1:-1]))
        return tensor_type((left[0], *counts, right[-1]), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Add up the products of each tap."""
        lhs, rhs = operands
        groups = groups_of(self.properties)
        windows = windows_of(rhs.shape, self.properties)
        shape = shape_of(self.result)
        total = np.zeros((*shape[:-1], groups, shape[-1] // groups), lhs.dtype)
        depth = rhs.shape[-2]
        matrices = rhs.reshape(prod(rhs.shape[:-2]), depth, groups, shape[-1] // groups)
        for seen, matrix in zip(taps_of(lhs, windows, 0, first=1), matrices):
            grouped = seen.reshape(*shape[:-1], groups, depth)
            total += np.einsum("...gi,igo->...go", grouped, matrix, dtype=lhs.dtype)
        return total.reshape(shape)


WINDOW_LISTS: Final = ("strides", "rhs_dilation", "low", "high", "lhs_dilation")
"""The properties of a ``convolution`` that have an entry for each spatial dimension."""


def windows_of(kernel: Shape, properties: Properties) -> tuple[Window, ...]:
    """Return the window of each spatial dimension of a ``convolution``."""
    lists = (integers_of(properties, name) for name in WINDOW_LISTS)
    return tuple(map(Window, kernel[:-2], *lists))


def groups_of(properties: Properties) -> int:
    """Return the ``groups`` property."""
    attribute = properties["groups"]
    assert isinstance(attribute, IntegerAttr)
    return attribute.value.data
