"""What ops with regions share: isolation, blocks and their terminator, and syntax.

A region has one block and sees nothing from outside but the op's operands, which its arguments
stand for. So a region is a function that is written where it is used, and what passes do to
functions they can do to regions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Self

from xdsl.dialects.builtin import DenseArrayBase, LocationAttr
from xdsl.ir import Attribute, Block, Region, SSAValue
from xdsl.irdl import IRDLOperation, irdl_op_definition, traits_def, var_operand_def
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

from ..errors import GradatimError
from ..integer_arrays import segment_sizes

Types = Sequence[Attribute]


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a region and names what it gives."""

    name = "array.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "attr-dict ($values^ `:` type($values))?"


class RegionOp(IRDLOperation, ABC):
    """Base of the ops with regions.

    Operands come in named groups, each of which prints as ``name(%a, %b : type, type)``. The types
    of the results follow from the operands and the regions.
    """

    traits = traits_def(IsolatedFromAbove(), RecursiveMemoryEffect())

    GROUPS: ClassVar[tuple[str, ...]] = ()
    """The names of the groups of operands, in order."""

    WORDS: ClassVar[tuple[str, ...]] = ("",)
    """The word before each region; regions beyond the last one are written with its word."""

    @classmethod
    @abstractmethod
    def infer(
        cls,
        groups: Sequence[Sequence[Attribute]],
        properties: Mapping[str, Attribute],
        regions: Sequence[Region],
    ) -> Types:
        """Return the result types for operands of the given types: the op's type rule.

        Raises:
            ShapeError: if shapes do not fit.
            DtypeError: if dtypes do not fit.
            GradatimError: if a region takes or gives what it should not.
        """

    @classmethod
    def of(
        cls,
        groups: Sequence[Sequence[SSAValue]],
        properties: Mapping[str, Attribute],
        blocks: Sequence[Block | None],
        location: LocationAttr,
    ) -> Self:
        """Return the op for its operands, by groups, and finished blocks; None: an empty region.

        Raises:
            GradatimError: as `infer`.
        """
        regions = [Region(block) if block is not None else Region() for block in blocks]
        types = [[value.type for value in group] for group in groups]
        results = cls.infer(types, properties, regions)
        return cls.create(
            operands=[value for group in groups for value in group],
            result_types=results,
            properties={**properties, **_segments_of(groups)},
            regions=regions,
            location=location,
        )

    @property
    def groups(self) -> list[Sequence[SSAValue]]:
        """The operands by groups."""
        segments = self.properties.get("operandSegmentSizes")
        if segments is None:
            return [self.operands]
        assert isinstance(segments, DenseArrayBase)
        parts, start = [], 0
        for size in segments.get_values():
            parts.append(self.operands[start : start + int(size)])
            start += int(size)
        return parts

    def verify_(self) -> None:
        """Check regions and result types against the type rule."""
        types = [[value.type for value in group] for group in self.groups]
        try:
            expected = list(self.infer(types, self.properties, self.regions))
        except GradatimError as error:
            raise VerifyException(f"{self.name}: {error.message}") from None
        found = list(self.result_types)
        if found != expected:
            raise VerifyException(
                f"{self.name}: results are {spell_types(found)}, not {spell_types(expected)}"
            )

    # Syntax

    def print_head(self, printer: Printer) -> None:
        """Print what stands before the operands."""

    @classmethod
    def parse_head(cls, parser: Parser) -> dict[str, Attribute]:
        """Parse what ``print_head`` prints."""
        return {}

    def print(self, printer: Printer) -> None:
        """Print head, operands by groups, attributes and regions."""
        self.print_head(printer)
        for name, group in zip(self.GROUPS, self.groups):
            if group:
                printer.print_string(f" {name}(")
                printer.print_list(group, printer.print_ssa_value)
                printer.print_string(" : ")
                printer.print_list([value.type for value in group], printer.print_attribute)
                printer.print_string(")")
        if self.attributes:
            printer.print_op_attributes(self.attributes, print_keyword=True)
        for word, region in zip(self._words(len(self.regions)), self.regions):
            if region.blocks.first is not None:
                printer.print_string(f" {word} " if word else " ")
                printer.print_region(region)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        """Parse what ``print`` prints."""
        properties = cls.parse_head(parser)
        groups = [_parse_group(parser, name) for name in cls.GROUPS]
        attributes = parser.parse_optional_attr_dict_with_keyword()
        regions = cls._parse_regions(parser)
        try:
            types = [[value.type for value in group] for group in groups]
            results = cls.infer(types, properties, regions)
        except GradatimError as error:
            parser.raise_error(f"{cls.name}: {error.message}")
        return cls.create(
            operands=[value for group in groups for value in group],
            result_types=results,
            properties={**properties, **_segments_of(groups)},
            attributes=attributes.data if attributes else {},
            regions=regions,
        )

    @classmethod
    def _words(cls, count: int) -> Iterator[str]:
        for i in range(count):
            yield cls.WORDS[min(i, len(cls.WORDS) - 1)]

    @classmethod
    def _parse_regions(cls, parser: Parser) -> list[Region]:
        """Parse a region for each word, where one may be missing."""
        regions = [parser.parse_region()]
        for word in cls.WORDS[1:]:
            present = parser.parse_optional_keyword(word)
            regions.append(parser.parse_region() if present else Region())
        return regions


def _parse_group(parser: Parser, name: str) -> list[SSAValue]:
    if parser.parse_optional_keyword(name) is None:
        return []
    parser.parse_punctuation("(")
    operands = parser.parse_comma_separated_list(
        parser.Delimiter.NONE, parser.parse_unresolved_operand
    )
    parser.parse_punctuation(":")
    types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
    parser.parse_punctuation(")")
    return list(parser.resolve_operands(operands, types, parser.pos))


def _segments_of(groups: Sequence[Sequence[SSAValue]]) -> dict[str, Attribute]:
    if len(groups) < 2:
        return {}
    return {"operandSegmentSizes": segment_sizes(*[len(group) for group in groups])}


def terminator_of(block: Block) -> YieldOp:
    """Return the ``array.yield`` that ends a block.

    Raises:
        GradatimError: if the block ends otherwise.
    """
    last = block.last_op
    if not isinstance(last, YieldOp):
        raise GradatimError(f"a region must end in {YieldOp.name}")
    return last


def yielded_types(region: Region) -> list[Attribute]:
    """Return the types of what a region yields.

    Raises:
        GradatimError: if it has not one block that ends in ``array.yield``.
    """
    return [value.type for value in terminator_of(block_in(region)).operands]


def block_in(region: Region) -> Block:
    """Return a region's block.

    Raises:
        GradatimError: if it has none or several.
    """
    first = region.blocks.first
    if first is None or first.next_block is not None:
        raise GradatimError("a region must have one block")
    return first


def require_types(what: str, found: Iterable[Attribute], expected: Iterable[Attribute]) -> None:
    """Raise GradatimError unless the types are equal."""
    found, expected = list(found), list(expected)
    if found != expected:
        raise GradatimError(f"{what} are {spell_types(found)}, not {spell_types(expected)}")


def spell_types(types: Iterable[Attribute]) -> str:
    """Spell types as messages do."""
    return f"({', '.join(map(str, types))})"
