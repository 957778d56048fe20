"""Reductions by an associative operation: of dimensions, of what came before, of windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import numpy as np
from xdsl.dialects.builtin import TensorType, UnitAttr
from xdsl.irdl import (
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
)

from ..attributes import DimensionAttr, IntegersAttr, ReduceKind, ReduceKindAttr
from ..errors import GradatimError, ShapeError
from ..types import Tensor, shape_of, spell, tensor_info, tensor_type
from .base import BITS, NUMERIC, REAL, Properties, PureOp, require_kinds
from .shape import dim_of, integers_of, require_dims, require_length
from .window import Window, require_windows, taps_of

KINDS_OF: Final = {
    ReduceKind.ADD: NUMERIC,
    ReduceKind.MUL: NUMERIC,
    ReduceKind.MIN: REAL,
    ReduceKind.MAX: REAL,
    ReduceKind.AND: BITS,
    ReduceKind.OR: BITS,
    ReduceKind.XOR: BITS,
}

_NUMPY: Final[dict[ReduceKind, Callable[..., Any]]] = {
    ReduceKind.ADD: np.add,
    ReduceKind.MUL: np.multiply,
    ReduceKind.MIN: np.minimum,
    ReduceKind.MAX: np.maximum,
    ReduceKind.AND: np.bitwise_and,
    ReduceKind.OR: np.bitwise_or,
    ReduceKind.XOR: np.bitwise_xor,
}


def identity_of(kind: ReduceKind, dtype: np.dtype) -> np.generic:
    """Return the neutral element: what a reduction over no elements gives."""
    if kind in (ReduceKind.MIN, ReduceKind.MAX):
        highest = kind is ReduceKind.MIN
        if dtype.kind == "f":
            return dtype.type(np.inf if highest else -np.inf)
        limits = np.iinfo(dtype)
        return dtype.type(limits.max if highest else limits.min)
    if kind is ReduceKind.AND:
        return np.invert(dtype.type(0))
    return dtype.type(1 if kind is ReduceKind.MUL else 0)


def kind_of(properties: Properties) -> ReduceKind:
    """Return the ``kind`` property."""
    attribute = properties["kind"]
    assert isinstance(attribute, ReduceKindAttr)
    return attribute.data


def _require_kind(op_name: str, kind: ReduceKind, allowed: Sequence[ReduceKind]) -> None:
    if kind not in allowed:
        raise GradatimError(f"{op_name} is by {', '.join(allowed)}, not by {kind}")


@irdl_op_definition
class ReduceOp(PureOp):
    """Reduce over dimensions, which vanish from the shape.

    The order of floating-point operations is the compiler's choice, but the same at every call.
    """

    name = "array.reduce"
    kind = prop_def(ReduceKindAttr)
    operand = operand_def(TensorType)
    dims = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = "$kind $operand `dims` $dims attr-dict `:` type($operand) `->` type($result)"

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type without the reduced dimensions."""
        kind = kind_of(properties)
        require_kinds(f"{cls.name} {kind}", KINDS_OF[kind], operands)
        shape, dtype = tensor_info(operands[0])
        dims = integers_of(properties, "dims")
        require_dims(cls.name, dims, len(shape))
        return tensor_type(tuple(n for d, n in enumerate(shape) if d not in dims), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Reduce as NumPy does, from the neutral element."""
        operand = operands[0]
        kind = self.kind.data
        reduced = _NUMPY[kind].reduce(  # type: ignore[attr-defined]
            operand,
            axis=self.dims.data,
            dtype=operand.dtype,
            initial=identity_of(kind, operand.dtype),
        )
        return np.asarray(reduced).reshape(shape_of(self.result))


@irdl_op_definition
class ArgReduceOp(PureOp):
    """The position of the least or greatest element along a dimension, which vanishes; an i64.

    The first of several wins, and NaN wins over all numbers, as in NumPy.
    """

    name = "array.argreduce"
    KINDS: ClassVar = BITS + REAL
    kind = prop_def(ReduceKindAttr)
    operand = operand_def(TensorType)
    dim = prop_def(DimensionAttr)
    result = result_def(TensorType)
    assembly_format = "$kind $operand `dim` $dim attr-dict `:` type($operand) `->` type($result)"

    ALLOWED: ClassVar = (ReduceKind.MIN, ReduceKind.MAX)

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the i64 type without the dimension, which must have an element."""
        _require_kind(cls.name, kind_of(properties), cls.ALLOWED)
        require_kinds(cls.name, cls.KINDS, operands)
        shape = shape_of(operands[0])
        dim = dim_of(properties)
        require_dims(cls.name, (dim,), len(shape))
        if shape[dim] == 0:
            raise ShapeError(f"{cls.name}: {spell(operands[0])} has no element along {dim}")
        return tensor_type((*shape[:dim], *shape[dim + 1 :]), np.dtype(np.int64))

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Search as NumPy does."""
        search = np.argmin if self.kind.data is ReduceKind.MIN else np.argmax
        return np.asarray(search(operands[0], axis=dim_of(self.properties)))


@irdl_op_definition
class CumulativeOp(PureOp):
    """Each element combined with all before it along a dimension; after it, if ``reverse``."""

    name = "array.cumulative"
    T: ClassVar = VarConstraint("T", base(TensorType))
    kind = prop_def(ReduceKindAttr)
    operand = operand_def(T)
    dim = prop_def(DimensionAttr)
    reverse = opt_prop_def(UnitAttr)
    result = result_def(T)
    assembly_format = (
        "$kind $operand `dim` $dim (`reverse` $reverse^)? attr-dict `:` type($operand)"
    )

    ALLOWED: ClassVar = (ReduceKind.ADD, ReduceKind.MUL, ReduceKind.MIN, ReduceKind.MAX)

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operand's type."""
        kind = kind_of(properties)
        _require_kind(cls.name, kind, cls.ALLOWED)
        require_kinds(f"{cls.name} {kind}", KINDS_OF[kind], operands)
        require_dims(cls.name, (dim_of(properties),), len(shape_of(operands[0])))
        return operands[0]

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Accumulate as NumPy does."""
        operand = operands[0]
        dim = dim_of(self.properties)
        combine = _NUMPY[self.kind.data].accumulate  # type: ignore[attr-defined]
        if self.reverse is None:
            return np.asarray(combine(operand, axis=dim, dtype=operand.dtype))
        flipped = combine(np.flip(operand, dim), axis=dim, dtype=operand.dtype)
        return np.flip(flipped, dim)


@irdl_op_definition
class ReduceWindowOp(PureOp):
    """Reduce windows of ``sizes`` taps, which slide by ``strides``, to one element each.

    ``low[d]`` and ``high[d]`` neutral elements of the operation surround dimension d, negative ones
    cut elements off; neighbouring taps are ``dilations[d]`` apart. Windows that would pass the end
    are left out. Where a window has several equal extrema, they share the derivative by halves.
    """

    name = "array.reduce_window"
    KINDS: ClassVar = NUMERIC
    kind = prop_def(ReduceKindAttr)
    operand = operand_def(TensorType)
    sizes = prop_def(IntegersAttr)
    strides = prop_def(IntegersAttr)
    dilations = prop_def(IntegersAttr)
    low = prop_def(IntegersAttr)
    high = prop_def(IntegersAttr)
    result = result_def(TensorType)
    assembly_format = (
        "$kind $operand `sizes` $sizes `strides` $strides `dilations` $dilations `low` $low "
        "`high` $high attr-dict `:` type($operand) `->` type($result)"
    )

    ALLOWED: ClassVar = (ReduceKind.ADD, ReduceKind.MUL, ReduceKind.MIN, ReduceKind.MAX)

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the type of one element a window."""
        kind = kind_of(properties)
        _require_kind(cls.name, kind, cls.ALLOWED)
        require_kinds(f"{cls.name} {kind}", KINDS_OF[kind], operands)
        shape, dtype = tensor_info(operands[0])
        lists = {name: integers_of(properties, name) for name in WINDOW_LISTS}
        require_length(cls.name, len(shape), **lists)
        windows = windows_of(properties)
        require_windows(cls.name, spell(operands[0]), shape, windows)
        return tensor_type(tuple(w.count_in(n) for w, n in zip(windows, shape)), dtype)

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Combine what the taps see, one after the other."""
        kind, operand = self.kind.data, operands[0]
        neutral = identity_of(kind, operand.dtype)
        taps = taps_of(operand, windows_of(self.properties), neutral)
        total = np.full(shape_of(self.result), neutral, operand.dtype)
        for tap in taps:
            total = np.asarray(_NUMPY[kind](total, tap, dtype=operand.dtype))
        return total


WINDOW_LISTS: Final = ("sizes", "strides", "dilations", "low", "high")
"""The properties of a ``reduce_window`` that have an entry for each dimension."""


def windows_of(properties: Properties) -> tuple[Window, ...]:
    """Return the window of each dimension of a ``reduce_window``."""
    return tuple(map(Window, *(integers_of(properties, name) for name in WINDOW_LISTS)))
