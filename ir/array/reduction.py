"""Reductions: many elements become one by an associative operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, prop_def, result_def

from ..attributes import IntegersAttr, ReduceKind, ReduceKindAttr
from ..types import Tensor, shape_of, tensor_info, tensor_type
from .base import BITS, NUMERIC, REAL, ArrayOp, Properties, require_kinds
from .shape import integers_of, require_dims

_KINDS: Final = {
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


@irdl_op_definition
class ReduceOp(ArrayOp):
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
        kind = properties["kind"]
        assert isinstance(kind, ReduceKindAttr)
        require_kinds(f"{cls.name} {kind.data}", _KINDS[kind.data], operands)
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
