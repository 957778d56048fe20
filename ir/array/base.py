"""What all ops of the array dialect share.

An op is a class that states four things: its operands and properties (by xDSL's declarations), its
shape rule (``infer``), its reference semantics on NumPy arrays (``evaluate``) and its syntax. The
builder and the verifier use the same shape rule; the interpreter and constant folding use the same
semantics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, traits_def
from xdsl.traits import ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException

from ..errors import DtypeError, GradatimError
from ..types import Tensor, dense, spell, spell_dtype, tensor_info, to_numpy

Properties = Mapping[str, Attribute]

FOLD_SIZE_LIMIT = 1024
"""Constant folding makes no constant of more elements than this, splats apart."""

FLOATS = "f"
INEXACT = "fc"
INTEGERS = "iu"
BITS = "biu"
REAL = "iuf"
NUMERIC = "iufc"
ANY = "biufc"


class ArrayOp(IRDLOperation, HasFolderInterface, ABC):
    """Base of all array ops: pure, one result, a shape rule and reference semantics."""

    traits = traits_def(Pure())

    KINDS: ClassVar[str] = ANY
    """NumPy kind letters of the dtypes that operands may have."""

    @classmethod
    @abstractmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the result type for operands of the given types: the op's shape rule.

        ``requested`` is the result type that the caller wants, where the op leaves a choice
        (the shape of a ``broadcast``, the dtype of a ``convert``).

        Raises:
            ShapeError: if the shapes do not fit.
            DtypeError: if the dtypes do not fit.
        """

    @abstractmethod
    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Return the op's result for arrays of the operands' types: its reference semantics."""

    def verify_(self) -> None:
        """Check the result type against the shape rule."""
        found = self.results[0].type
        assert isinstance(found, Tensor)
        operands: list[Tensor] = [value.type for value in self.operands]  # type: ignore[misc]
        try:
            for type_ in (*operands, found):
                tensor_info(type_)
            expected = self.infer(operands, self.properties, found)
        except GradatimError as error:
            raise VerifyException(error.message) from None
        if expected != found:
            raise VerifyException(f"{self.name}: result is {spell(found)}, not {spell(expected)}")

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        """Return the result as a constant if all operands are constants and it is small."""
        attributes = [ConstantLike.get_constant_value(value) for value in self.operands]
        folded = self.fold_constants(attributes)
        return None if folded is None else (folded,)

    def fold_constants(
        self, operands: Sequence[Attribute | None]
    ) -> DenseIntOrFPElementsAttr | None:
        """Return the result for constant operands, or None where one is none or it is too large."""
        arrays = []
        for attribute in operands:
            if not isinstance(attribute, DenseIntOrFPElementsAttr):
                return None
            arrays.append(to_numpy(attribute))
        shape, dtype = tensor_info(self.results[0])
        splat = arrays and all(a.ndim == 0 or not any(a.strides) for a in arrays)
        if int(np.prod(shape)) > FOLD_SIZE_LIMIT and not splat:
            return None
        with np.errstate(all="ignore"):
            value = np.asarray(self.evaluate(*arrays))
        return dense(value.astype(dtype, copy=False))


def require_kinds(op_name: str, kinds: str, operands: Sequence[Tensor]) -> None:
    """Raise DtypeError unless each operand's dtype is of one of the kinds."""
    for type_ in operands:
        dtype = tensor_info(type_).dtype
        if dtype.kind not in kinds:
            raise DtypeError(f"{op_name} does not take {spell_dtype(dtype)} operands")
