"""Functionalisation: whether the checks of a function hold becomes one of its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    i64,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.control import (
    INDEX,
    PREDICATE,
    CaseOp,
    CustomDerivativeOp,
    RematOp,
    ScanOp,
    WhileOp,
)
from ...ir.array.effect import CallbackOp, CheckOp
from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.functions import BlockBuilder, FunctionBuilder, return_of
from ...ir.integer_arrays import dense_i64
from ...ir.locations import derived, spell_location
from ...ir.ops import Environment
from ...ir.types import shape_of, tensor_info
from ..blocks import append_block, append_copy, mapping
from ..functions import replace_functions, visibility_of
from .sites import checked_blocks

CHECKS = "checks"
"""The attribute in which a function tells what its checks are, in the order of their numbers."""

State = list[SSAValue]
"""The number of the check that failed first, 0 if none did, and then the slots of payload."""


class Check(NamedTuple):
    """A check of a function.

    Attributes:
        message: a format of the payload.
        names: for each value of the payload its keyword, or an empty string.
        slots: which values behind the code are the payload.
        number: the program's function that raises its error.
        where: the user's file and line, empty if not known.
    """

    message: str
    names: tuple[str, ...]
    slots: tuple[int, ...]
    number: int
    where: str


class _Numbered(NamedTuple):
    code: int
    slots: tuple[int, ...]


class _Plan:
    """The checks of a function, in the order of the program, and the slots for their payload.

    Checks of which only one can be the first to fail share slots.
    """

    def __init__(self, function: FuncOp) -> None:
        self.found: dict[Operation, _Numbered | None] = {}
        self.checks: list[Check] = []
        self.slots: list[Attribute] = []
        self._visit(function.body.block)

    def _visit(self, block: Block) -> bool:
        """Note the checks of a block, and the ops with checks in their regions."""
        found = False
        for op in block.ops:
            inside = [self._visit(inner) for inner in checked_blocks(op)]
            if isinstance(op, CheckOp) or any(inside):
                self.found[op] = self._number(op) if isinstance(op, CheckOp) else None
                found = True
        return found

    def _number(self, op: CheckOp) -> _Numbered:
        slots: list[int] = []
        for type_ in [value.type for value in op.payload]:
            free = (i for i, s in enumerate(self.slots) if s == type_ and i not in slots)
            slot = next(free, len(self.slots))
            if slot == len(self.slots):
                self.slots.append(type_)
            slots.append(slot)
        names = tuple([name.data for name in op.names])
        number, where = op.number.value.data, spell_location(op.location) or ""
        self.checks.append(Check(op.message.data, names, tuple(slots), number, where))
        return _Numbered(len(self.checks), tuple(slots))


class _Writer:
    """Copies blocks, with the state of the checks threaded through."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._types: list[Attribute] = [INDEX, *plan.slots]

    def start(self, b: Builder) -> State:
        """Append the state in which no check has failed."""
        return [b.full(*tensor_info(type_), 0) for type_ in self._types]

    def append(self, b: Builder, body: Block, environment: Environment, state: State) -> State:
        """Append the ops of a block; return the state behind them."""
        for op in body.ops:
            if op is body.last_op:
                break
            if op not in self._plan.found:
                append_copy(b.block, op, environment)
                continue
            b.location = derived(op.location, "checks")
            operands = [environment[value] for value in op.operands]
            numbered = self._plan.found[op]
            if numbered is None:
                results, state = self._append_region_op(b, op, operands, environment, state)
                environment.update(zip(op.results, results))
            else:
                holds, *payload = operands
                environment[op.results[0]] = holds
                state = _recorded(b, numbered, holds, payload, state)
        return state

    def _append_region_op(
        self,
        b: Builder,
        op: Operation,
        operands: Sequence[SSAValue],
        environment: Environment,
        state: State,
    ) -> tuple[Sequence[SSAValue], State]:
        if isinstance(op, CaseOp):
            blocks = [self._block(region.block) for region in op.regions]
            found = b.case(operands[0], [*operands[1:], *state], blocks)
            return self._parted(found, len(op.results))
        if isinstance(op, RematOp):
            block = self._block(op.regions[0].block)
            found = b.remat(op.policy.data, [*operands, *state], block)
            return self._parted(found, len(op.results))
        if isinstance(op, ScanOp):
            return self._append_scan(b, op, operands, state)
        if isinstance(op, WhileOp):
            return self._append_while(b, op, operands, state)
        if isinstance(op, CustomDerivativeOp):
            return self._append_custom(b, op, operands, environment, state)
        raise GradatimError(f"{op.name} has no rule for checks", spell_location(op.location))

    def _parted(self, found: Sequence[SSAValue], at: int) -> tuple[Sequence[SSAValue], State]:
        """Return results, and the state that stands in between from a place on."""
        end = at + len(self._types)
        return [*found[:at], *found[end:]], list(found[at:end])

    def _block(self, body: Block, at: int | None = None, out: int | None = None) -> Block:
        """Return a block that takes the state at a place, or last, and yields it likewise."""
        at = len(body.args) if at is None else at
        block, arguments, state = self._begun(body, at)
        environment = mapping(body.args, arguments)
        state = self.append(block.builder, body, environment, state)
        assert body.last_op is not None
        results = [environment[value] for value in body.last_op.operands]
        out = len(results) if out is None else out
        return block.finish([*results[:out], *state, *results[out:]])

    def _begun(self, body: Block, at: int) -> tuple[BlockBuilder, list[SSAValue], State]:
        """Begin a block that takes the state at a place; return it, its arguments and the state."""
        types = [*body.arg_types[:at], *self._types, *body.arg_types[at:]]
        block = BlockBuilder(types)
        arguments, state = self._parted(block.arguments, at)
        return block, list(arguments), state

    def _append_scan(
        self, b: Builder, op: ScanOp, operands: Sequence[SSAValue], state: State
    ) -> tuple[Sequence[SSAValue], State]:
        first, second, _ = map(len, op.groups)
        carries, elements = operands[first : first + second], operands[first + second :]
        block = self._block(op.body.block, 1 + first + second, second)
        groups = (operands[:first], [*carries, *state], elements)
        properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
        found = b.create_region_op(ScanOp, groups, properties, (block,))
        return self._parted(found, second)

    def _append_while(
        self, b: Builder, op: WhileOp, operands: Sequence[SSAValue], state: State
    ) -> tuple[Sequence[SSAValue], State]:
        count = len(op.groups[0])
        consts, carries = operands[:count], operands[count:]
        condition = op.condition.block
        if all(inner not in self._plan.found for inner in condition.ops):
            test, arguments, _ = self._begun(condition, len(operands))
            looks = append_block(test.block, condition, arguments)
            blocks = test.finish(looks), self._block(op.body.block)
            return self._parted(b.while_(consts, [*carries, *state], *blocks), len(carries))
        return self._append_checked_while(b, op, consts, carries, state)

    def _append_checked_while(
        self,
        b: Builder,
        op: WhileOp,
        consts: Sequence[SSAValue],
        carries: Sequence[SSAValue],
        state: State,
    ) -> tuple[Sequence[SSAValue], State]:
        """Append a loop that carries its condition, which is checked where it is computed."""
        condition, body = op.condition.block, op.body.block
        goes_on, state = self._opened(b, condition, [*consts, *carries], state)
        step, arguments, inner = self._begun(body, len(body.args))
        step.block.insert_arg(PREDICATE, len(step.block.args))
        values, inner = self._opened(step.builder, body, arguments, inner)
        next_arguments = [*arguments[: len(consts)], *values]
        again, inner = self._opened(step.builder, condition, next_arguments, inner)
        test = BlockBuilder(step.block.arg_types)
        found = b.while_(
            consts,
            [*carries, *state, *goes_on],
            test.finish([test.arguments[-1]]),
            step.finish([*values, *inner, *again]),
        )
        return self._parted(found[:-1], len(carries))

    def _opened(
        self, b: Builder, body: Block, arguments: Sequence[SSAValue], state: State
    ) -> tuple[list[SSAValue], State]:
        """Append a block for these arguments; return what it yields, and the state behind."""
        environment = mapping(body.args, arguments)
        state = self.append(b, body, environment, state)
        assert body.last_op is not None
        return [environment[value] for value in body.last_op.operands], state

    def _append_custom(
        self,
        b: Builder,
        op: CustomDerivativeOp,
        operands: Sequence[SSAValue],
        environment: Environment,
        state: State,
    ) -> tuple[Sequence[SSAValue], State]:
        """Append the op as it is, and beside it once more what it computes, for the checks.

        Its derivative rules know of no state. Once they are dropped the two are the same.
        """
        body = op.regions[0].block
        if any(isinstance(inner, CallbackOp) and not inner.pure for inner in body.walk()):
            raise GradatimError(
                "a function with derivative rules of its own that calls Python cannot be checked",
                spell_location(op.location),
            )
        _, state = self._opened(b, body, operands, state)
        b.location = op.location
        return append_copy(b.block, op, environment).results, state


def _recorded(
    b: Builder, check: _Numbered, holds: SSAValue, payload: Sequence[SSAValue], state: State
) -> State:
    """Append the state behind a check: what failed before it stays."""
    code = state[0]
    first = b.and_(b.not_(holds), b.compare("eq", code, b.full_like(code, 0)))
    new = [b.select(first, b.full_like(code, check.code), code), *state[1:]]
    for slot, value in zip(check.slots, payload):
        mask = b.broadcast(first, shape_of(value), ())
        new[1 + slot] = b.select(mask, value, new[1 + slot])
    return new


def functionalize(function: FuncOp) -> FuncOp:
    """Return the function that returns also what its checks found.

    Behind the results come a 0-d i64, the number of the check that failed first or 0, and the
    values that messages tell. The function's attribute ``checks`` says what the checks are.

    Args:
        function: a function without calls; it is left as it is.

    Raises:
        GradatimError: if the checks inside of an op cannot be computed.
    """
    plan = _Plan(function)
    writer, source = _Writer(plan), function.body.block
    names = [argument.name_hint for argument in source.args]
    new = FunctionBuilder(function.sym_name.data, source.arg_types, names, function.location)
    environment = mapping(source.args, new.arguments)
    state = writer.append(new.builder, source, environment, writer.start(new.builder))
    results = [environment[value] for value in return_of(function).operands]
    finished = new.finish([*results, *state], visibility_of(function))
    _drop_checks(finished)
    finished.attributes[CHECKS] = ArrayAttr([_attribute_of(check) for check in plan.checks])
    return finished


def _drop_checks(function: FuncOp) -> None:
    """Erase the checks of derivative rules."""
    for op in [op for op in function.walk() if isinstance(op, CheckOp)]:
        op.result.replace_all_uses_with(op.condition)
        block = op.parent_block()
        assert block is not None
        block.erase_op(op)


def _attribute_of(check: Check) -> DictionaryAttr:
    return DictionaryAttr(
        {
            "message": StringAttr(check.message),
            "names": ArrayAttr([StringAttr(name) for name in check.names]),
            "slots": dense_i64(check.slots),
            "number": IntegerAttr(check.number, i64),
            "where": StringAttr(check.where),
        }
    )


def checks_of(function: FuncOp) -> tuple[Check, ...]:
    """Return the checks of a function that `functionalize` made, the first one first."""
    found = function.attributes[CHECKS]
    assert isinstance(found, ArrayAttr)
    return tuple([_check_of(entry.data) for entry in found])


def _check_of(entry: Mapping[str, Attribute]) -> Check:
    message, names, slots, number, where = (entry[key] for key in Check._fields)
    assert isinstance(message, StringAttr) and isinstance(where, StringAttr)
    assert isinstance(names, ArrayAttr) and isinstance(slots, DenseArrayBase)
    assert isinstance(number, IntegerAttr)
    return Check(
        message.data,
        tuple([name.data for name in names]),
        tuple([int(slot) for slot in slots.get_values()]),
        number.value.data,
        where.data,
    )


@dataclass(frozen=True)
class ArrayChecks(ModulePass):
    """Let a function return, behind its results, which of its checks failed first.

    Calls are inlined first. This

        func.func @f(%x: tensor<f64>, %ok: tensor<i1>) -> tensor<f64> {
          %0 = array.check %ok "bad {}" raises 0 : i64 names [""] payload(%x : tensor<f64>)
          func.return %x : tensor<f64>
        }

    becomes, with what it tells of the check in the attribute ``checks`` left out,

        func.func @f(%x: tensor<f64>, %ok: tensor<i1>) -> (tensor<f64>, tensor<i64>, tensor<f64>) {
          %0 = array.constant dense<0> : tensor<i64>
          %1 = array.constant dense<0.0> : tensor<f64>
          %2 = array.not %ok : tensor<i1>
          %3 = array.constant dense<1> : tensor<i64>
          %4 = array.select %2, %3, %0 : tensor<i64>
          %5 = array.select %2, %x, %1 : tensor<f64>
          func.return %x, %4, %5 : tensor<f64>, tensor<i64>, tensor<f64>
        }

    once it is simplified. Loops carry code and payload; branches return them.

    Options:
        function: the function; every public one if left out.
    """

    name: ClassVar[str] = "array-checks"

    function: str | None = None

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function."""
        replace_functions(op, self.function, functionalize)
