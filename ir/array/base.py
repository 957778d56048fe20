"""What all ops of the array dialect share.

An op is a class that states four things: its operands and properties (by xDSL's declarations), its
shape rule (``infer``), its reference semantics on NumPy arrays (``evaluate``) and its syntax. The
builder and the verifier use the same shape rule; the interpreter and constant folding use the same
semantics.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import ClassVar, Self, TypeGuard

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, LocationAttr
from xdsl.interfaces import HasFolderInterface
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import IRDLOperation, traits_def
from xdsl.traits import ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException

from ..errors import DtypeError, GradatimError
from ..ops import make_op
from ..types import (
    Tensor,
    dense,
    element_of,
    is_splat,
    shape_of,
    spell,
    spell_dtype,
    splat,
    tensor_info,
    to_numpy,
)

Properties = Mapping[str, Attribute]

FOLD_SIZE_LIMIT = 1024
"""Constant folding neither reads nor makes constants of more elements than this, splats apart."""

FLOATS = "f"
INEXACT = "fc"
INTEGERS = "iu"
BITS = "biu"
REAL = "iuf"
NUMERIC = "iufc"
ANY = "biufc"


class ArrayOp(IRDLOperation, HasFolderInterface, ABC):
    """Base of all array ops: a shape rule and reference semantics.

    Nearly all have one result, and their ``infer`` and ``evaluate`` return it; those of an op with
    several return tuples. ``infer_results`` and ``evaluate_results`` return tuples for every op.
    """

    KINDS: ClassVar[str] = ANY
    """NumPy kind letters of the dtypes that operands may have."""

    @classmethod
    @abstractmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor | tuple[Tensor, ...]:
        """Return the result type for operands of the given types: the op's shape rule.

        ``requested`` is the result type that the caller wants, where an op of one result leaves a
        choice (the shape of a ``broadcast``, the dtype of a ``convert``).

        Raises:
            ShapeError: if the shapes do not fit.
            DtypeError: if the dtypes do not fit.
        """

    @abstractmethod
    def evaluate(self, *operands: np.ndarray) -> np.ndarray | tuple[np.ndarray, ...]:
        """Return the op's result for arrays of the operands' types: its reference semantics."""

    @classmethod
    def infer_results(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return the types of all results, by the shape rule."""
        found = cls.infer(operands, properties, requested)
        return found if isinstance(found, tuple) else (found,)

    def evaluate_results(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return all results for arrays of the operands' types, by the reference semantics."""
        found = self.evaluate(*operands)
        return tuple(map(np.asarray, found if isinstance(found, tuple) else (found,)))

    @classmethod
    def make(
        cls,
        operands: Sequence[SSAValue],
        results: Sequence[Tensor],
        properties: Properties,
        location: LocationAttr,
    ) -> Self:
        """Return a new op with results of these types; an array op has no regions."""
        return make_op(cls, operands, results, properties, location)

    def with_operands(self, operands: Sequence[SSAValue]) -> Self:
        """Return the same op of other operands of the same types."""
        return self.make(operands, _types_of(self.results), self.properties, self.location)

    def verify_(self) -> None:
        """Check the result types against the shape rule."""
        operands, results = _types_of(self.operands), _types_of(self.results)
        try:
            for type_ in (*operands, *results):
                tensor_info(type_)
            inferred = self.infer_results(operands, self.properties, results[0])
        except GradatimError as error:
            raise VerifyException(error.message) from None
        if len(inferred) != len(results):
            raise VerifyException(f"{self.name}: {len(results)} results, not {len(inferred)}")
        for found, expected in zip(results, inferred):
            if found != expected:
                raise VerifyException(
                    f"{self.name}: result is {spell(found)}, not {spell(expected)}"
                )

    def evaluate_splat(self, *elements: np.ndarray) -> np.ndarray | None:
        """Return the element of the one result where each operand has one element throughout.

        ``elements`` are 0-d. None means that the result may have different elements.
        """
        return None

    def fold(self) -> Sequence[SSAValue | Attribute] | None:
        """Return the results as constants if all operands are constants and they are small."""
        return self.fold_constants(
            [ConstantLike.get_constant_value(value) for value in self.operands]
        )

    def fold_constants(
        self, operands: Sequence[Attribute | None]
    ) -> tuple[DenseIntOrFPElementsAttr, ...] | None:
        """Return the results for constant operands.

        None where an operand is no constant, where there are no operands (an ``iota`` is shorter
        than its elements), or where a constant is larger than ``FOLD_SIZE_LIMIT`` and no splat.
        """
        constants = [a for a in operands if isinstance(a, DenseIntOrFPElementsAttr)]
        if not constants or len(constants) < len(operands):
            return None
        with np.errstate(all="ignore"):
            if all(map(is_splat, constants)):
                element = self.evaluate_splat(*map(element_of, constants))
                if element is not None:
                    return (splat(*tensor_info(self.results[0]), element),)
            types = (*_types_of(self.results), *(a.type for a in constants))
            if max([prod(shape_of(type_)) for type_ in types]) > FOLD_SIZE_LIMIT:
                return None
            return tuple(map(dense, self.evaluate_results(*map(to_numpy, constants))))


class PureOp(ArrayOp, ABC):
    """Base of the ops that do nothing but compute their results, which are nearly all."""

    traits = traits_def(Pure())


def is_array_op(op: object) -> TypeGuard[ArrayOp]:
    """Tell whether something is an `ArrayOp`: as ``isinstance``, which is slow for an ABC.

    Passes ask it of every op.
    """
    found = _array_types.get(type(op))
    if found is None:
        found = _array_types[type(op)] = isinstance(op, ArrayOp)
    return found


_array_types: dict[type, bool] = {}


def _types_of(values: Iterable[SSAValue]) -> list[Tensor]:
    return [value.type for value in values]  # type: ignore[misc]


def require_kinds(op_name: str, kinds: str, operands: Sequence[Tensor]) -> None:
    """Raise DtypeError unless each operand's dtype is of one of the kinds."""
    for type_ in operands:
        dtype = tensor_info(type_).dtype
        if dtype.kind not in kinds:
            raise DtypeError(f"{op_name} does not take {spell_dtype(dtype)} operands")
