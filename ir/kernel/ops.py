"""The ops of the kernel dialect: a fusion of array ops, and its terminator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from xdsl.dialects.builtin import LocationAttr, MemRefType, TensorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    base,
    irdl_op_definition,
    lazy_traits_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import (
    EffectInstance,
    HasParent,
    IsolatedFromAbove,
    IsTerminator,
    MemoryEffect,
    MemoryEffectKind,
    Pure,
)
from xdsl.utils.exceptions import VerifyException

from ..array.base import ArrayOp
from ..errors import GradatimError
from ..integer_arrays import segment_sizes
from ..ops import make_op
from ..types import spell
from .buffers import value_type
from .registers import require_small
from .schedule import Schedule, ScheduleAttr
from .space import iteration_space, require_schedule


class _WritesOuts(MemoryEffect):
    """Pure on tensors; on buffers, reads ``ins`` and writes ``outs``."""

    @classmethod
    def get_effects(cls, op: Operation) -> AbstractSet[EffectInstance]:
        assert isinstance(op, FusionOp)
        if not op.outs:
            return set()
        reads = {EffectInstance(MemoryEffectKind.READ, v) for v in op.ins}
        return reads | {EffectInstance(MemoryEffectKind.WRITE, v) for v in op.outs}


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends the body of a fusion and names its results."""

    name = "kernel.yield"
    values = var_operand_def(TensorType)
    traits = lazy_traits_def(lambda: (IsTerminator(), HasParent(FusionOp), Pure()))
    assembly_format = "$values attr-dict `:` type($values)"


@irdl_op_definition
class FusionOp(IRDLOperation):
    """Array ops that one loop nest computes together.

    The body holds array ops on full shapes, with unchanged meaning; the schedule says how they are
    computed. A kernel of its own, such as a matrix product, is a fusion of one op.

    On tensors a fusion has results, one for each yielded value:

        %y, %s = kernel.fusion ins(%a = %x : tensor<4x8xf32>) schedule<rows = [0], vector = 8> {
          %m = array.reduce max %a dims [1] : tensor<4x8xf32> -> tensor<4xf32>
          ...
          kernel.yield %u, %m : tensor<4x8xf32>, tensor<4xf32>
        } -> (tensor<4x8xf32>, tensor<4xf32>)

    Once bufferised, operands are memrefs, the block arguments are the values that the ``ins`` hold,
    and each yielded value is written to the buffer of ``outs`` at its position. An out buffer may
    be one of the ``ins`` if each element is read, by ops that need no other element, before it is
    written; it overlaps no other. Values that are kept in registers stay tensors: they may be
    among the ``ins`` of any fusion, and a fusion whose schedule says ``registers`` has, after those
    that go to ``outs``, results for them.
    """

    name = "kernel.fusion"
    ins = var_operand_def(base(TensorType) | base(MemRefType))
    outs = var_operand_def(MemRefType)
    results_ = var_result_def(TensorType)
    schedule = prop_def(ScheduleAttr)
    body = region_def("single_block")
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(IsolatedFromAbove(), _WritesOuts())

    @staticmethod
    def of(
        block: Block,
        ins: Sequence[SSAValue],
        outs: Sequence[SSAValue] = (),
        *,
        schedule: Schedule,
        location: LocationAttr,
    ) -> FusionOp:
        """Return the fusion whose body is ``block``, which ends in a ``kernel.yield``.

        The first yielded values go to ``outs``; it has results for the others.
        """
        last = block.last_op
        assert isinstance(last, YieldOp)
        return make_op(
            FusionOp,
            [*ins, *outs],
            [v.type for v in last.operands[len(outs) :]],
            {
                "schedule": ScheduleAttr(schedule),
                "operandSegmentSizes": segment_sizes(len(ins), len(outs)),
            },
            location,
            [Region(block)],
        )

    @property
    def terminator(self) -> YieldOp:
        """The ``kernel.yield`` of the body."""
        last = self.body.block.last_op
        assert isinstance(last, YieldOp)
        return last

    def verify_(self) -> None:
        """Check that the types of operands, body and results fit, and the schedule the space."""
        block = self.body.block
        if not isinstance(block.last_op, YieldOp):
            raise VerifyException(f"{self.name}: the body must end in {YieldOp.name}")
        yielded = [v.type for v in self.terminator.operands]
        try:
            _require_equal("block arguments", block.arg_types, map(value_type, self.ins.types))
            targets = [*self.outs.types, *self.result_types]
            _require_equal("yielded values", yielded, map(value_type, targets))
            self._verify_forms()
            schedule = self.schedule.data
            if schedule.registers:
                require_small(block)
            else:
                require_schedule(block, iteration_space(block), schedule)
        except GradatimError as error:
            raise VerifyException(f"{self.name}: {error.message}") from None

    def _verify_forms(self) -> None:
        """A fusion has results, or outs on buffers; its body is array ops."""
        is_buffered = self.outs or any(isinstance(type_, MemRefType) for type_ in self.ins.types)
        if is_buffered and self.results and not self.schedule.data.registers:
            raise GradatimError("on memrefs it needs outs, and has no results")
        for op in self.body.block.ops:
            if not isinstance(op, ArrayOp | YieldOp):
                raise GradatimError(f"{op.name} is not an op of the array dialect")

    def print(self, printer: Printer) -> None:
        """Print ``ins(...) outs(...) schedule<...> { body } -> (types)``."""
        printer.print_string(" ins(")
        printer.print_list(
            zip(self.body.block.args, self.ins), lambda pair: _print_binding(printer, *pair)
        )
        printer.print_string(")")
        if self.outs:
            printer.print_string(" outs(")
            printer.print_list(self.outs, lambda out: _print_typed(printer, out))
            printer.print_string(")")
        printer.print_string(" schedule")
        self.schedule.print_parameter(printer)
        printer.print_string(" ")
        printer.print_region(self.body, print_entry_block_args=False)
        if self.results:
            printer.print_string(" -> (")
            printer.print_list(self.result_types, printer.print_attribute)
            printer.print_string(")")
        printer.print_op_attributes(self.attributes)

    @classmethod
    def parse(cls, parser: Parser) -> FusionOp:
        """Parse what ``print`` prints."""
        parser.parse_keyword("ins")
        bindings = parser.parse_comma_separated_list(
            parser.Delimiter.PAREN, lambda: _parse_binding(parser)
        )
        outs: Sequence[SSAValue] = ()
        if parser.parse_optional_keyword("outs"):
            outs = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, lambda: _parse_typed(parser)
            )
        parser.parse_keyword("schedule")
        schedule = ScheduleAttr.new(ScheduleAttr.parse_parameter(parser))
        region = parser.parse_region([argument for argument, _ in bindings])
        result_types: Sequence[Attribute] = ()
        if parser.parse_optional_punctuation("->"):
            result_types = parser.parse_comma_separated_list(
                parser.Delimiter.PAREN, parser.parse_type
            )
        attributes = parser.parse_optional_attr_dict()
        return cls.create(
            operands=[*(operand for _, operand in bindings), *outs],
            result_types=result_types,
            properties={
                "schedule": schedule,
                "operandSegmentSizes": segment_sizes(len(bindings), len(outs)),
            },
            attributes=attributes,
            regions=[region],
        )


def _require_equal(what: str, found: Iterable[Attribute], expected: Iterable[Attribute]) -> None:
    found, expected = list(found), list(expected)
    if found != expected:
        raise GradatimError(f"{what} are {_spell_all(found)}, not {_spell_all(expected)}")


def _spell_all(types: Iterable[Attribute]) -> str:
    return f"({', '.join(map(spell, types))})"


def _print_typed(printer: Printer, value: SSAValue) -> None:
    printer.print_ssa_value(value)
    printer.print_string(" : ")
    printer.print_attribute(value.type)


def _print_binding(printer: Printer, argument: SSAValue, operand: SSAValue) -> None:
    printer.print_ssa_value(argument)
    printer.print_string(" = ")
    _print_typed(printer, operand)


def _parse_typed(parser: Parser) -> SSAValue:
    operand = parser.parse_unresolved_operand()
    parser.parse_punctuation(":")
    return parser.resolve_operand(operand, parser.parse_type())


def _parse_binding(parser: Parser) -> tuple[Parser.Argument, SSAValue]:
    argument = parser.parse_argument(expect_type=False)
    parser.parse_punctuation("=")
    operand = _parse_typed(parser)
    return argument.resolve(value_type(operand.type)), operand
