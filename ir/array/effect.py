"""Effects: calls of Python functions while compiled code runs, and checks of the user's.

All other ops of the dialect are pure. Those with an effect keep the order of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, TensorType, UnitAttr
from xdsl.ir import Attribute, Operation
from xdsl.irdl import (
    eq,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect

from ..errors import GradatimError
from ..types import Tensor, tensor_type
from .base import ANY, ArrayOp, Properties

DONE: Final = tensor_type((), np.dtype(np.int32))
"""The type of the result of a callback that gives nothing else."""

MAPPINGS: Final = ("sequential", "expand_dims", "broadcast_all")
"""How a callback is mapped over a batch: once for each example, or once for all. Then what all
examples share gets a dimension in front that has size one, or is repeated along it."""


_EFFECTS: Final = traits_def(MemoryReadEffect(), MemoryWriteEffect())


@irdl_op_definition
class CallbackOp(ArrayOp):
    """Call a Python function: the program's function of this number.

    It gets arrays of the operands' types and gives those of ``types``, the results'. If it is
    ``pure``, it may be called once for equal operands, or not at all. ``label`` tells readers what
    it is. ``mapping`` says what becomes of it under vmap.
    """

    name = "array.callback"
    KINDS: ClassVar = ANY
    number = prop_def(IntegerAttr)
    label = prop_def(StringAttr)
    mapping = prop_def(StringAttr)
    types = prop_def(ArrayAttr)
    pure = opt_prop_def(UnitAttr)
    traits = _EFFECTS
    inputs = var_operand_def(TensorType)
    outputs = var_result_def(TensorType)
    assembly_format = (
        "$number $label (`pure` $pure^)? `mapping` $mapping `types` $types "
        "(`operands` `(` $inputs^ `:` type($inputs) `)`)? attr-dict `->` type($outputs)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Return the types that the function gives."""
        mapping, types = properties["mapping"], properties["types"]
        assert isinstance(mapping, StringAttr) and isinstance(types, ArrayAttr)
        if mapping.data not in MAPPINGS:
            raise GradatimError(f"{cls.name}: the mapping is one of {', '.join(MAPPINGS)}")
        if not types.data:
            raise GradatimError(f"{cls.name}: there must be a result")
        return tuple(types.data)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        """Refuse: only an interpreter that knows the program's functions can call them.

        Raises:
            GradatimError: always.
        """
        raise GradatimError(f"{self.name} {self.label} has no meaning without its function")

    def fold_constants(self, operands: Sequence[Attribute | None]) -> None:
        """Return None: the function runs when the program does."""
        return None


CONDITION: Final = tensor_type((), np.dtype(np.bool_))
"""The type of what a check is about."""


@irdl_op_definition
class CheckOp(ArrayOp):
    """Require that a condition holds; the result is the condition.

    Where it does not, the program fails with ``message``, a format of the ``payload``: ``names``
    has for each value the keyword that it is given by, or an empty string. A program that is run
    as it is then calls its Python function of ``number`` on the payload, which raises the error.
    """

    name = "array.check"
    KINDS: ClassVar = "b"
    number = prop_def(IntegerAttr)
    message = prop_def(StringAttr)
    names = prop_def(ArrayAttr)
    traits = _EFFECTS
    condition = operand_def(eq(CONDITION))
    payload = var_operand_def(TensorType)
    result = result_def(eq(CONDITION))
    assembly_format = (
        "$condition $message `raises` $number `names` $names "
        "(`payload` `(` $payload^ `:` type($payload) `)`)? attr-dict"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the condition's type."""
        names = properties["names"]
        assert isinstance(names, ArrayAttr)
        if operands[0] != CONDITION:
            raise GradatimError(f"{cls.name}: the condition must be a 0-d bool")
        if len(names.data) != len(operands) - 1:
            raise GradatimError(
                f"{cls.name}: each value of the payload needs a name, or an empty one"
            )
        return CONDITION

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Return the condition, which must hold.

        Raises:
            GradatimError: if it does not.
        """
        if not operands[0]:
            raise GradatimError(self.text(operands[1:]))
        return operands[0]

    def text(self, payload: Sequence[np.ndarray]) -> str:
        """Return the message about values of the payload."""
        return format_message(self.message.data, [name.data for name in self.names], payload)

    def fold_constants(self, operands: Sequence[Attribute | None]) -> None:
        """Return None: the program fails when it runs."""
        return None


def format_message(message: str, names: Sequence[str], payload: Sequence[Any]) -> str:
    """Format a message by values, those with a name by keyword."""
    pairs = list(zip(names, payload, strict=True))
    unnamed = [value for name, value in pairs if not name]
    return message.format(*unnamed, **{name: value for name, value in pairs if name})


def has_effect(op: Operation) -> bool:
    """Tell whether an op, or one in its regions, does more than compute its results."""
    if type(op) is CheckOp:
        return True
    if type(op) is CallbackOp:
        return op.pure is None
    if not op.regions:
        return False
    blocks = (block for region in op.regions for block in region.blocks)
    return any(has_effect(inner) for block in blocks for inner in block.ops)
