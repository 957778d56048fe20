"""What random numbers are made of: a block cipher.

It could be composed of additions, shifts and exclusive ors, some eighty of them for each draw, and
all that a program with many draws would take to compile. So it is an op, as it is a primitive of
JAX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import (
    VarConstraint,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
)

from .. import threefry
from ..attributes import ThreefryWord, ThreefryWordAttr
from ..errors import DtypeError
from ..types import Tensor, dtype_of
from .base import Properties
from .elementwise import ElementwiseOp, require_same, spell_all

_WORD: Final = np.dtype(np.uint32)


@irdl_op_definition
class ThreefryOp(ElementwiseOp):
    """A word of what Threefry-2x32 makes of a counter under a key, or both words, combined by xor.

    Keys and counters are given by two words each, the upper one first, as arrays of u32.
    """

    name = "array.threefry_2x32"
    KINDS: ClassVar = "u"
    T: ClassVar = VarConstraint("T", base(TensorType))
    word = prop_def(ThreefryWordAttr)
    upper_key = operand_def(T)
    lower_key = operand_def(T)
    upper_counter = operand_def(T)
    lower_counter = operand_def(T)
    result = result_def(T)
    assembly_format = (
        "$word $upper_key `,` $lower_key `,` $upper_counter `,` $lower_counter attr-dict `:` "
        "type($upper_key)"
    )

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> Tensor:
        """Return the operands' common type, of u32."""
        require_same(cls.name, operands)
        if dtype_of(operands[0]) != _WORD:
            raise DtypeError(f"{cls.name} takes u32 operands, got {spell_all(operands)}")
        return operands[0]

    def evaluate(self, *operands: np.ndarray) -> np.ndarray:
        """Encrypt by NumPy."""
        upper, lower = threefry.encrypt(*operands)
        if self.word.data is ThreefryWord.BOTH:
            return np.asarray(upper ^ lower)
        return np.asarray(upper if self.word.data is ThreefryWord.UPPER else lower)
