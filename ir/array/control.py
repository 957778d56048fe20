"""Control flow: branches, loops, recomputation, derivative rules of the user's, and tapes.

The regions are isolated: what they read comes in through operands. Loops that run a number of times
known ahead are scans; the others are whiles. A tape is a stack of tuples of arrays, on which
reverse mode keeps what a loop of unknown length has to remember.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, TensorType, UnitAttr, i64
from xdsl.ir import (
    Attribute,
    Block,
    ParametrizedAttribute,
    Region,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    var_operand_def,
    var_region_def,
    var_result_def,
)
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer

from ..errors import DtypeError, GradatimError, ShapeError
from ..types import Tensor, spell, tensor_info, tensor_type
from .plain import BarrierOp, GuardOp, NameOp, PlainOp
from .regions import RegionOp, Types, block_in, require_types, yielded_types

INDEX: Final = tensor_type((), np.dtype(np.int64))
"""The type of a scan's index."""

PREDICATE: Final = tensor_type((), np.dtype(np.bool_))
"""The type of what a loop's condition yields."""


@irdl_attr_definition
class TapeType(ParametrizedAttribute, TypeAttribute):
    """A stack of tuples of arrays, ``!array.tape<tensor<f64>, tensor<3xf64>>``.

    It is a value as arrays are: pushing gives another tape. A program uses each only once.
    """

    name = "array.tape"
    elements: ArrayAttr[TensorType]

    @classmethod
    def of(cls, types: Sequence[Attribute]) -> TapeType:
        """Return the type of a tape of tuples of the given types."""
        return cls(ArrayAttr(types))  # type: ignore[arg-type]

    @property
    def types(self) -> tuple[Tensor, ...]:
        """The types of a tuple's items."""
        return self.elements.data

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        """Parse ``<type, ...>``."""
        types = parser.parse_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_type)
        return [ArrayAttr(types)]

    def print_parameters(self, printer: Printer) -> None:
        """Print ``<type, ...>``."""
        with printer.in_angle_brackets():
            printer.print_list(self.types, printer.print_attribute)


# Branches


@irdl_op_definition
class CaseOp(RegionOp):
    """The region that a number chooses, run on the operands; the others do not run.

    The number is a 0-d bool or integer. False is the first region and True the second; an integer
    below 0 chooses the first and one that is too large the last.

        %r = array.case index(%p : tensor<i1>) operands(%x : tensor<f64>) {
        ^bb0(%a: tensor<f64>):
          array.yield %a : tensor<f64>
        } or {
        ^bb0(%a: tensor<f64>):
          %n = array.neg %a : tensor<f64>
          array.yield %n : tensor<f64>
        }
    """

    name = "array.case"
    index = operand_def(TensorType)
    inputs = var_operand_def()
    branches = var_region_def("single_block")
    results_ = var_result_def()
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    GROUPS: ClassVar = ("index", "operands")
    WORDS: ClassVar = ("", "or")

    @classmethod
    def infer(
        cls,
        groups: Sequence[Sequence[Attribute]],
        properties: Mapping[str, Attribute],
        regions: Sequence[Region],
    ) -> Types:
        """Return what each region yields, which must be the same types."""
        (index, *more), operands = groups
        shape, dtype = tensor_info(index)
        if more or shape or dtype.kind not in "biu":
            raise DtypeError(f"the index must be one bool or integer, not {spell(index)}")
        if not regions:
            raise GradatimError("there must be a region")
        for number, region in enumerate(regions):
            require_types(f"arguments of region {number}", block_in(region).arg_types, operands)
            require_types(f"results of region {number}", *map(yielded_types, (region, regions[0])))
        return yielded_types(regions[0])

    @classmethod
    def _parse_regions(cls, parser: Parser) -> list[Region]:
        regions = [parser.parse_region()]
        while parser.parse_optional_keyword("or"):
            regions.append(parser.parse_region())
        return regions


# Loops


class ScanParts(NamedTuple):
    """What a scan's body takes."""

    step: SSAValue
    consts: Sequence[SSAValue]
    carries: Sequence[SSAValue]
    elements: Sequence[SSAValue]


@irdl_op_definition
class ScanOp(RegionOp):
    """A loop over ``length`` steps, which carries values from one to the next and stacks others.

    The body takes the step's index, what is the same in all steps, what the step before left, and
    the step's part of each of ``elements`` along dimension 0. It yields what to carry on, then what
    is to be stacked along a new dimension 0. With ``reverse`` the last index comes first.
    ``unroll`` is how many steps to write out in the loop's body.

        %sum, %sums = array.scan length 3 carries(%zero : tensor<f64>)
            elements(%x : tensor<3xf64>) {
        ^bb0(%i: tensor<i64>, %s: tensor<f64>, %e: tensor<f64>):
          %t = array.add %s, %e : tensor<f64>
          array.yield %t, %t : tensor<f64>, tensor<f64>
        }
    """

    name = "array.scan"
    consts = var_operand_def()
    carries = var_operand_def()
    elements = var_operand_def(TensorType)
    length = prop_def(IntegerAttr)
    reverse = opt_prop_def(UnitAttr)
    unroll = opt_prop_def(IntegerAttr)
    body = region_def("single_block")
    results_ = var_result_def()
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    GROUPS: ClassVar = ("consts", "carries", "elements")

    @classmethod
    def infer(
        cls,
        groups: Sequence[Sequence[Attribute]],
        properties: Mapping[str, Attribute],
        regions: Sequence[Region],
    ) -> Types:
        """Return the types of the carries and of the stacked results."""
        consts, carries, elements = groups
        length = length_of(properties)
        if length < 0:
            raise ShapeError(f"the length must not be negative: {length}")
        parts = [element_type_of(type_, length) for type_ in elements]
        block = block_in(regions[0])
        require_types("arguments", block.arg_types, [INDEX, *consts, *carries, *parts])
        types = yielded_types(regions[0])
        require_types("carries", types[: len(carries)], carries)
        return [*carries, *(stacked_type(type_, length) for type_ in types[len(carries) :])]

    @property
    def count(self) -> int:
        """The number of steps."""
        return length_of(self.properties)

    @property
    def parts(self) -> ScanParts:
        """The body's arguments."""
        consts, carries, _ = map(len, self.groups)
        step, *others = self.body.block.args
        split = consts + carries
        return ScanParts(step, others[:consts], others[consts:split], others[split:])

    def print_head(self, printer: Printer) -> None:
        """Print length, direction and unrolling."""
        printer.print_string(f" length {self.count}")
        if self.reverse is not None:
            printer.print_string(" reverse")
        if self.unroll is not None:
            printer.print_string(f" unroll {self.unroll.value.data}")

    @classmethod
    def parse_head(cls, parser: Parser) -> dict[str, Attribute]:
        """Parse length, direction and unrolling."""
        parser.parse_keyword("length")
        length = parser.parse_integer()
        reverse = parser.parse_optional_keyword("reverse") is not None
        unroll = parser.parse_integer() if parser.parse_optional_keyword("unroll") else None
        return scan_properties(length, reverse, unroll)


@irdl_op_definition
class WhileOp(RegionOp):
    """A loop that runs while its condition, the first region, yields True.

    Both regions take what is the same in all steps and what the step before left; the second one
    yields what to carry on.

        %n = array.while consts(%end : tensor<i64>) carries(%start : tensor<i64>) {
        ^bb0(%e: tensor<i64>, %i: tensor<i64>):
          %more = array.compare lt %i, %e : tensor<i64> -> tensor<i1>
          array.yield %more : tensor<i1>
        } do {
        ^bb0(%e: tensor<i64>, %i: tensor<i64>):
          %one = array.constant dense<1> : tensor<i64>
          %next = array.add %i, %one : tensor<i64>
          array.yield %next : tensor<i64>
        }
    """

    name = "array.while"
    consts = var_operand_def()
    carries = var_operand_def()
    condition = region_def("single_block")
    body = region_def("single_block")
    results_ = var_result_def()
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    GROUPS: ClassVar = ("consts", "carries")
    WORDS: ClassVar = ("", "do")

    @classmethod
    def infer(
        cls,
        groups: Sequence[Sequence[Attribute]],
        properties: Mapping[str, Attribute],
        regions: Sequence[Region],
    ) -> Types:
        """Return the types of the carries."""
        consts, carries = groups
        for region in regions:
            require_types("arguments", block_in(region).arg_types, [*consts, *carries])
        require_types("results of the condition", yielded_types(regions[0]), [PREDICATE])
        require_types("carries", yielded_types(regions[1]), carries)
        return carries


def length_of(properties: Mapping[str, Attribute]) -> int:
    """Return the ``length`` property."""
    length = properties["length"]
    assert isinstance(length, IntegerAttr)
    return length.value.data


def scan_properties(
    length: int, reverse: bool = False, unroll: int | None = None
) -> dict[str, Attribute]:
    """Return the properties of a scan."""
    properties: dict[str, Attribute] = {"length": IntegerAttr(length, i64)}
    if reverse:
        properties["reverse"] = UnitAttr()
    if unroll is not None:
        properties["unroll"] = IntegerAttr(unroll, i64)
    return properties


def stacked_type(type_: Attribute, length: int) -> Tensor:
    """Return the type of ``length`` values of a type, along a new dimension 0."""
    shape, dtype = tensor_info(type_)
    return tensor_type((length, *shape), dtype)


def element_type_of(type_: Attribute, length: int) -> Tensor:
    """Return the type of a part along dimension 0.

    Raises:
        ShapeError: if there is no such dimension, or not of this length.
    """
    shape, dtype = tensor_info(type_)
    if not shape or shape[0] != length:
        raise ShapeError(f"elements {spell(type_)} must have {length} along dimension 0")
    return tensor_type(shape[1:], dtype)


# Recomputation


@irdl_op_definition
class RematOp(RegionOp):
    """The body, of which reverse mode keeps what ``policy`` allows and computes the rest again.

    The policy is ``nothing``, ``everything``, ``dots`` (results of contractions), or ``names:a,b``
    (what `array.name` marks so).
    """

    name = "array.remat"
    inputs = var_operand_def()
    policy = prop_def(StringAttr)
    body = region_def("single_block")
    results_ = var_result_def()

    GROUPS: ClassVar = ("operands",)

    @classmethod
    def infer(
        cls,
        groups: Sequence[Sequence[Attribute]],
        properties: Mapping[str, Attribute],
        regions: Sequence[Region],
    ) -> Types:
        """Return what the body yields."""
        require_policy(properties["policy"])
        require_types("arguments", block_in(regions[0]).arg_types, groups[0])
        return yielded_types(regions[0])

    def print_head(self, printer: Printer) -> None:
        """Print the policy."""
        printer.print_string(" policy ")
        printer.print_attribute(self.policy)

    @classmethod
    def parse_head(cls, parser: Parser) -> dict[str, Attribute]:
        """Parse the policy."""
        parser.parse_keyword("policy")
        return {"policy": parser.parse_attribute()}


POLICIES: Final = ("nothing", "everything", "dots")
"""What reverse mode may keep of the body of a `RematOp`, besides ``names:...``."""


def require_policy(policy: Attribute) -> None:
    """Raise GradatimError unless it is a policy."""
    if not isinstance(policy, StringAttr) or not (
        policy.data in POLICIES or policy.data.startswith("names:")
    ):
        raise GradatimError(
            f"the policy is one of {', '.join(POLICIES)} or names:..., not {policy}"
        )


# Derivatives by rules of the user's

CLOSES_OVER: Final = "closes_over"
"""Marks a `CustomDerivativeOp` among whose operands without derivatives are values that the user's
function closes over: if they vary, that is an error, since the rule does not know of them."""


class CustomParts(NamedTuple):
    """The blocks of a `CustomDerivativeOp`; None where a rule is not given."""

    primal: Block
    jvp: Block | None
    forward: Block | None
    backward: Block | None


@irdl_op_definition
class CustomDerivativeOp(RegionOp):
    """The first region, whose derivatives are what the others say.

    The first ``undifferentiated`` operands have no derivative. Of the rest, those of floats or
    complex numbers do, and so do such results.

    * ``jvp`` takes the operands, then their tangents; it yields the results, then theirs.
    * ``forward`` takes the operands; it yields the results, then what ``backward`` needs.
    * ``backward`` takes that, then cotangents of the results; it yields those of the operands.

    Either ``jvp``, or ``forward`` and ``backward``, or all are there.
    """

    name = "array.custom_derivative"
    inputs = var_operand_def()
    undifferentiated = prop_def(IntegerAttr)
    primal = region_def("single_block")
    rules = var_region_def()
    results_ = var_result_def()

    GROUPS: ClassVar = ("operands",)
    WORDS: ClassVar = ("", "jvp", "forward", "backward")

    @property
    def blocks(self) -> CustomParts:
        """The blocks of the regions."""
        first, *others = (region.blocks.first for region in self.regions)
        assert first is not None
        return CustomParts(first, *others)

    @property
    def skipped(self) -> int:
        """How many leading operands have no derivative."""
        return self.undifferentiated.value.data

    @classmethod
    def infer(
        cls,
        groups: Sequence[Sequence[Attribute]],
        properties: Mapping[str, Attribute],
        regions: Sequence[Region],
    ) -> Types:
        """Return what the primal region yields."""
        (operands,) = groups
        skipped = properties["undifferentiated"]
        assert isinstance(skipped, IntegerAttr)
        primal, jvp, forward, backward = regions
        require_types("arguments", block_in(primal).arg_types, operands)
        results = yielded_types(primal)
        ins = inexact_types(operands[skipped.value.data :])
        outs = inexact_types(results)
        if jvp.blocks.first is not None:
            require_types("arguments of jvp", block_in(jvp).arg_types, [*operands, *ins])
            require_types("results of jvp", yielded_types(jvp), [*results, *outs])
        given = [region.blocks.first is not None for region in (jvp, forward, backward)]
        if given[1] != given[2] or not any(given):
            raise GradatimError("there must be a jvp, or a forward and a backward rule")
        if given[1]:
            require_types("arguments of forward", block_in(forward).arg_types, operands)
            types = yielded_types(forward)
            require_types("results of forward", types[: len(results)], results)
            takes = [*types[len(results) :], *outs]
            require_types("arguments of backward", block_in(backward).arg_types, takes)
            require_types("results of backward", yielded_types(backward), ins)
        return results

    def print_head(self, printer: Printer) -> None:
        """Print how many operands have no derivative, if any."""
        if self.skipped:
            printer.print_string(f" undifferentiated {self.skipped}")

    @classmethod
    def parse_head(cls, parser: Parser) -> dict[str, Attribute]:
        """Parse how many operands have no derivative."""
        given = parser.parse_optional_keyword("undifferentiated")
        count = parser.parse_integer() if given else 0
        return {"undifferentiated": IntegerAttr(count, i64)}


def is_inexact_type(type_: Attribute) -> bool:
    """Tell whether values of a type have derivatives; a tape does if one of its items does."""
    if isinstance(type_, TapeType):
        return any(map(is_inexact_type, type_.types))
    return tensor_info(type_).dtype.kind in "fc"


def inexact_types(types: Sequence[Attribute]) -> list[Attribute]:
    """Return those of the types whose values have derivatives."""
    return [type_ for type_ in types if is_inexact_type(type_)]


# Tapes


@irdl_op_definition
class TapeNewOp(PlainOp):
    """An empty tape."""

    name = "array.tape_new"
    result = result_def(TapeType)
    assembly_format = "attr-dict `:` type($result)"

    def require_types(self) -> None:
        """Any tape can be new."""


@irdl_op_definition
class TapePushOp(PlainOp):
    """The tape with one more tuple."""

    name = "array.tape_push"
    tape = operand_def(TapeType)
    values = var_operand_def(TensorType)
    result = result_def(TapeType)
    assembly_format = (
        "$tape (`,` $values^)? attr-dict `:` type($tape) (`,` type($values)^)? `->` type($result)"
    )

    def require_types(self) -> None:
        """Raise GradatimError unless the values are what the tape holds."""
        require_tape(self.tape.type, [value.type for value in self.values])
        require_types("results", self.result_types, [self.tape.type])


@irdl_op_definition
class TapePopOp(PlainOp):
    """The tape without the tuple pushed last, and that tuple; of an empty tape it is undefined."""

    name = "array.tape_pop"
    tape = operand_def(TapeType)
    rest = result_def(TapeType)
    values = var_result_def(TensorType)
    assembly_format = "$tape attr-dict `:` type($rest) (`,` type($values)^)? `from` type($tape)"

    def require_types(self) -> None:
        """Raise GradatimError unless the results are what the tape holds."""
        require_types("results", self.result_types[:1], [self.tape.type])
        require_tape(self.tape.type, self.result_types[1:])


def require_tape(tape: Attribute, types: Sequence[Attribute]) -> None:
    """Raise GradatimError unless a tape holds tuples of the types."""
    if not isinstance(tape, TapeType):
        raise DtypeError(f"expected a tape, found {tape}")
    require_types("the items of the tape", types, tape.types)


CONTROL_OPS: Final = (
    CaseOp,
    ScanOp,
    WhileOp,
    RematOp,
    BarrierOp,
    NameOp,
    GuardOp,
    CustomDerivativeOp,
    TapeNewOp,
    TapePushOp,
    TapePopOp,
)
"""The ops of the family, beside the terminator of regions."""
