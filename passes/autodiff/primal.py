"""The start of both modes: a copy of the function, and the ops through which derivatives flow.

The modes append to the copy. The ops and operands they see are its own, so that no values need to
be mapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array.base import ArrayOp
from ...ir.builder import Builder
from ...ir.errors import DtypeError, GradatimError
from ...ir.functions import FunctionBuilder, return_of
from ...ir.types import spell
from .kinds import Composed, Rule, is_inexact
from .rules import NON_DIFFERENTIABLE, rule_of


@dataclass
class Primal:
    """A copied function and what of it depends differentiably on some arguments."""

    function: FunctionBuilder
    """The new function; what is appended comes behind the primal ops."""
    inputs: Sequence[SSAValue]
    """The arguments by which to differentiate."""
    extra: Sequence[SSAValue]
    """The arguments that the old function did not have."""
    outputs: list[SSAValue] = field(default_factory=list)
    """The results of the old function."""
    varied: set[SSAValue] = field(default_factory=set)
    """The values that depend differentiably on the inputs."""
    tape: list[tuple[Operation, Rule]] = field(default_factory=list)
    """The ops that make them, in order, and their rules."""

    @property
    def builder(self) -> Builder:
        """The builder that appends to the new function."""
        return self.function.builder

    def finish(self, results: Sequence[SSAValue], old: FuncOp) -> FuncOp:
        """End the new function, with the old one's visibility."""
        visibility = old.sym_visibility
        return self.function.finish(results, visibility.data if visibility else None)

    def append(self, op: Operation, environment: dict[SSAValue, SSAValue]) -> None:
        """Append an op of the old function, or what it is composed of."""
        operands = [environment[value] for value in op.operands]
        rule = self._rule(op, operands)
        if isinstance(rule, Composed):
            environment.update(zip(op.results, self._compose(op, operands, rule)))
            return
        copy = _copy(op, operands, environment)
        self.function.block.add_op(copy)
        if rule is not None:
            self._record(copy, rule)

    def _rule(self, op: Operation, operands: Sequence[SSAValue]) -> Rule | Composed | None:
        """Return the rule of an op, or None where no derivative flows through it."""
        if self.varied.isdisjoint(operands) or type(op) in NON_DIFFERENTIABLE:
            return None
        return rule_of(op) if any(map(is_inexact, op.results)) else None

    def _record(self, op: Operation, rule: Rule) -> None:
        self.tape.append((op, rule))
        self.varied.update(filter(is_inexact, op.results))

    def _compose(
        self, op: Operation, operands: Sequence[SSAValue], rule: Composed
    ) -> Sequence[SSAValue]:
        block = self.function.block
        before = block.last_op
        with self.builder.at(op.location):
            result = rule.compose(self.builder, op, operands)
        part = before.next_op if before else block.first_op
        while part is not None:
            part_rule = self._rule(part, part.operands)
            assert not isinstance(part_rule, Composed)
            if part_rule is not None:
                self._record(part, part_rule)
            part = part.next_op
        return (result,) if isinstance(result, SSAValue) else result


def _copy(
    op: Operation, operands: Sequence[SSAValue], environment: dict[SSAValue, SSAValue]
) -> Operation:
    if not isinstance(op, ArrayOp):
        return op.clone(environment)
    copy = op.with_operands(operands)
    for old, new in zip(op.results, copy.results):
        environment[old] = new
        new.name_hint = old.name_hint
    return copy


def copy_primal(
    function: FuncOp,
    inputs: Sequence[SSAValue],
    extra_types: Sequence[Attribute],
    extra_names: Sequence[str | None],
) -> Primal:
    """Copy a function, with further arguments behind its own, and record its tape.

    ``inputs`` are those of the function's arguments by which to differentiate.

    Raises:
        GradatimError: if an op that depends on them has no derivative rule.
    """
    parameters = function.body.block.args
    new = FunctionBuilder(
        function.sym_name.data,
        [*(p.type for p in parameters), *extra_types],
        [*(p.name_hint for p in parameters), *extra_names],
        function.location,
    )
    environment: dict[SSAValue, SSAValue] = dict(zip(parameters, new.arguments))
    copied = [environment[value] for value in inputs]
    primal = Primal(new, copied, new.arguments[len(parameters) :], varied=set(copied))
    terminator = return_of(function)
    for op in function.body.block.ops:
        if op is not terminator:
            primal.append(op, environment)
    primal.outputs = [environment[value] for value in terminator.operands]
    return primal


def inputs_of(function: FuncOp, argnums: Sequence[int]) -> list[SSAValue]:
    """Return the arguments that ``argnums`` name.

    Raises:
        GradatimError: if they do not name distinct arguments.
        DtypeError: if one is neither of floats nor of complex numbers.
    """
    name, parameters = function.sym_name.data, function.body.block.args
    if len(set(argnums)) != len(argnums) or not all(0 <= i < len(parameters) for i in argnums):
        raise GradatimError(
            f"argnums {list(argnums)} are not distinct arguments of @{name}, "
            f"which has {len(parameters)}"
        )
    for i in argnums:
        if not is_inexact(parameters[i]):
            raise DtypeError(
                f"@{name} cannot be differentiated by argument {i}: it is {spell(parameters[i])}, "
                "and only floats and complex numbers have derivatives"
            )
    return [parameters[i] for i in argnums]


def differentiable_results(function: FuncOp, aux: int) -> list[int]:
    """Return the positions of the results that have derivatives: inexact, and not of the last
    ``aux`` ones.

    Raises:
        GradatimError: if there are not as many results.
    """
    results = return_of(function).operands
    if not 0 <= aux <= len(results):
        raise GradatimError(
            f"@{function.sym_name.data} has {len(results)} results, of which {aux} cannot be aux"
        )
    return [i for i, value in enumerate(results[: len(results) - aux]) if is_inexact(value)]
