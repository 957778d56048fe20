"""Attributes of the array dialect: lists of integers, and the kinds of comparison and reduction."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from xdsl.dialects.utils import EnumAttribute
from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


@irdl_attr_definition
class IntegersAttr(Data[tuple[int, ...]]):
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
class DimensionAttr(Data[int]):
    """One dimension of an array, counted from 0."""

    name = "array.dimension"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> int:
        """Parse an integer."""
        return parser.parse_integer()

    def print_parameter(self, printer: Printer) -> None:
        """Print the integer."""
        printer.print_int(self.data)


def integers(values: Iterable[int]) -> IntegersAttr:
    """Return the attribute that lists ``values``."""
    return IntegersAttr(tuple(map(int, values)))


class ComparePredicate(StrEnum):
    """The six comparisons; on floats all but ``ne`` are false where an operand is NaN."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@irdl_attr_definition
class ComparePredicateAttr(EnumAttribute[ComparePredicate]):
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
class ReduceKindAttr(EnumAttribute[ReduceKind]):
    """Which operation a reduction applies."""

    name = "array.reduce_kind"
