"""Attributes of the array dialect: lists of integers, and the kinds of compare, reduce, scatter.

Within an op they print bare, ``dims [0, 1]``; elsewhere as ``#array<integers [0, 1]>``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Data, SpacedOpaqueSyntaxAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.utils.str_enum import StrEnum

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


@irdl_attr_definition
class IntegersAttr(Data[tuple[int, ...]], SpacedOpaqueSyntaxAttribute):
    """A list of integers, ``[0, 2]``: dimensions, sizes, starts, strides."""

    name = "array.integers"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> tuple[int, ...]:
        """Parse ``[1, -2]``."""
        return tuple(
            parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
        )

    def print_parameter(self, printer: Printer) -> None:
        """Print ``[1, -2]``."""
        printer.print_string(f"[{', '.join(map(str, self.data))}]")


@irdl_attr_definition
class DimensionAttr(Data[int], SpacedOpaqueSyntaxAttribute):
    """One dimension of an array, counted from 0."""

    name = "array.dimension"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> int:
        """Parse an integer."""
        return parser.parse_integer()

    def print_parameter(self, printer: Printer) -> None:
        """Print the integer."""
        printer.print_int(self.data)


@lru_cache(maxsize=4096)
def _integers(values: tuple[int, ...]) -> IntegersAttr:
    return IntegersAttr(tuple(map(int, values)))


def integers(values: Iterable[int]) -> IntegersAttr:
    """Return the attribute that lists ``values``; equal lists share one attribute."""
    return _integers(tuple(values))


@lru_cache(maxsize=256)
def dimension(value: int) -> DimensionAttr:
    """Return the attribute of dimension ``value``; equal ones are one attribute."""
    return DimensionAttr(int(value))


class ComparePredicate(StrEnum):
    """The six comparisons; on floats all but ``ne`` are false where an operand is NaN."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@irdl_attr_definition
class ComparePredicateAttr(EnumAttribute[ComparePredicate], SpacedOpaqueSyntaxAttribute):
    """Which comparison an ``array.compare`` makes."""

    name = "array.predicate"


class ReduceKind(StrEnum):
    """The associative operations that an array can be reduced by."""

    ADD = "add"
    MUL = "mul"
    MIN = "min"
    MAX = "max"
    AND = "and"
    OR = "or"
    XOR = "xor"


@irdl_attr_definition
class ReduceKindAttr(EnumAttribute[ReduceKind], SpacedOpaqueSyntaxAttribute):
    """Which operation a reduction applies."""

    name = "array.reduce_kind"


class ScatterKind(StrEnum):
    """What a scatter does with an update and the element at its position."""

    SET = "set"
    ADD = "add"
    MUL = "mul"
    MIN = "min"
    MAX = "max"


@irdl_attr_definition
class ScatterKindAttr(EnumAttribute[ScatterKind], SpacedOpaqueSyntaxAttribute):
    """Which operation a scatter applies."""

    name = "array.scatter_kind"


class ThreefryWord(StrEnum):
    """Which word of a block ``array.threefry_2x32`` gives; ``both`` combines them by xor."""

    UPPER = "upper"
    LOWER = "lower"
    BOTH = "both"


@irdl_attr_definition
class ThreefryWordAttr(EnumAttribute[ThreefryWord], SpacedOpaqueSyntaxAttribute):
    """Which word of a block is wanted."""

    name = "array.threefry_word"
