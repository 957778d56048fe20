"""Effects: calls of Python functions while compiled code runs.

All other ops of the dialect are pure. Those with an effect keep the order of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, TensorType, UnitAttr
from xdsl.ir import Attribute, Operation
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def, var_operand_def, var_result_def

from ..errors import GradatimError
from ..types import Tensor, tensor_type
from .base import ANY, ArrayOp, Properties

DONE: Final = tensor_type((), np.dtype(np.int32))
"""The type of the result of a callback that gives nothing else."""

MAPPINGS: Final = ("sequential", "expand_dims", "broadcast_all")
"""How a callback is mapped over a batch: once for each example, or once for all. Then what all
examples share gets a dimension in front that has size one, or is repeated along it."""


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


def has_effect(op: Operation) -> bool:
    """Tell whether an op, or one in its regions, does more than compute its results."""
    if isinstance(op, CallbackOp):
        return op.pure is None
    blocks = (block for region in op.regions for block in region.blocks)
    return any(has_effect(inner) for block in blocks for inner in block.ops)
