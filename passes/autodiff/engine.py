"""Both modes on blocks: which values take part, the forward sweep, and the sweep back.

A block is appended to a builder together with its derivatives. Ops with regions are replaced by ops
whose regions are treated in the same way, so the engine is handed to their rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import NamedTuple

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.control import TapeNewOp, TapeType
from ...ir.array.plain import BarrierOp
from ...ir.builder import Builder
from ...ir.functions import BlockBuilder
from ...ir.locations import derived
from ..blocks import append_copy, mapping, name_argument
from ..influence import influenced_values
from .kinds import (
    Composed,
    Derivative,
    Derivatives,
    Engine,
    Flags,
    PairwiseSum,
    Pullback,
    RegionRule,
    Rule,
    is_differentiable_tape,
    is_inexact,
    not_linear,
)
from .rules import NON_DIFFERENTIABLE, region_rule_of, rule_of

# Activity: a value is active if it depends differentiably on the inputs and the outputs on it


def active_values(body: Block, varied: Flags, wanted: Flags) -> set[SSAValue]:
    """Return the values of a block on the way from varied arguments to wanted results.

    All versions of a tape are, or none: what is pushed must be popped.
    """
    found = _varied_values(body, varied)
    results = _terminator(body)._operands
    useful = {v for v, wants in zip(results, wanted) if wants and v in found}
    versions = _versions_of_tapes(body)
    while True:
        for op in reversed(body.ops):
            flags = [result in useful for result in op.results]
            if any(flags):
                operands = op._operands
                reached = _useful_operands(op, [v in found for v in operands], flags)
                useful.update(v for v, reaches in zip(operands, reached) if reaches and v in found)
        if not versions or not _complete(versions, useful):
            return useful


def _varied_values(body: Block, varied: Flags) -> set[SSAValue]:
    found: set[SSAValue] = {v for v, varies in zip(body.args, varied) if varies}
    versions = _versions_of_tapes(body)
    while True:
        for op in body.ops:
            found.update(_varied_among(op, found))
        if not versions or not _complete(versions, found):
            return found


def _varied_among(op: Operation, varied: set[SSAValue]) -> Iterable[SSAValue]:
    """Return the results of an op that depend differentiably on varied values."""
    if varied.isdisjoint(op._operands) or type(op) in NON_DIFFERENTIABLE:
        return ()
    if op.regions:
        rule = region_rule_of(op)
        flags = rule.varied(ENGINE, op, [v in varied for v in op._operands])
        return [v for v, varies in zip(op.results, flags) if varies]
    if type(op) is BarrierOp:
        pairs = zip(op.results, op._operands)
        return [v for v, operand in pairs if operand in varied and is_inexact(v)]
    return filter(is_inexact, op.results)


def _versions_of_tapes(body: Block) -> list[list[SSAValue]]:
    """Return the versions of each differentiable tape in a block."""
    lists: dict[SSAValue, list[SSAValue]] = {}
    if not any(type(v.type) is TapeType for op in body.ops for v in op._operands):
        return []
    for value in body.args:
        if is_differentiable_tape(value):
            lists[value] = [value]
    for op in body.ops:
        tapes = filter(is_differentiable_tape, op.results)
        before = [v for v in op._operands if v in lists]
        for old, new in zip_longest(before, tapes):
            if new is not None:
                lists[new] = lists[old] if old is not None else []
                lists[new].append(new)
    return [versions for value, versions in lists.items() if versions[0] is value]


def _complete(tapes: Iterable[Sequence[SSAValue]], found: set[SSAValue]) -> bool:
    """Add all versions of tapes of which some are found; tell whether any was not."""
    count = len(found)
    for versions in tapes:
        if not found.isdisjoint(versions):
            found.update(versions)
    return len(found) > count


def _useful_operands(op: Operation, varied: Flags, wanted: Flags) -> Flags:
    if type(op) is BarrierOp:
        return wanted
    return region_rule_of(op).useful(ENGINE, op, varied, wanted) if op.regions else varied


def _terminator(body: Block) -> Operation:
    last = body.last_op
    assert last is not None
    return last


# What both sweeps share: copying a block


class _Copy:
    """A block that is appended to a builder op by op, of which the active part is recorded."""

    mode = ""

    def __init__(
        self, builder: Builder, body: Block, arguments: Sequence[SSAValue], active: set[SSAValue]
    ) -> None:
        self.builder = builder
        self.body = body
        self.active = active
        self.environment = mapping(body.args, arguments)
        self.varied = {v for old, v in self.environment.items() if old in active}
        """The copies of active values."""

    def run(self) -> list[SSAValue]:
        """Append all ops and return the copies of the block's results."""
        terminator = _terminator(self.body)
        for op in self.body.ops:
            if op is not terminator:
                self._append(op)
        return [self.environment[value] for value in terminator._operands]

    def record(self, op: Operation, rule: Rule) -> None:
        """Note an op of the copy through which derivatives flow."""
        raise NotImplementedError

    def replace(self, op: Operation, rule: RegionRule) -> Sequence[SSAValue]:
        """Append what takes the place of an op with regions, and return its results."""
        raise NotImplementedError

    def _append(self, op: Operation) -> None:
        if self.active.isdisjoint(op.results):
            append_copy(self.builder.block, op, self.environment)
            return
        if op.regions:
            with self.builder.at(derived(op.location, self.mode)):
                results = self.replace(op, region_rule_of(op))
            for old, new in zip(op.results, results):
                new.name_hint = new.name_hint or old.name_hint
        elif isinstance(rule := rule_of(op), Composed):
            results = self._compose(op, rule)
        else:
            copy = append_copy(self.builder.block, op, self.environment)
            results = copy.results
            self.record(copy, rule)
        for old, new in zip(op.results, results):
            self.environment[old] = new
            if old in self.active:
                self.varied.add(new)

    def _compose(self, op: Operation, rule: Composed) -> Sequence[SSAValue]:
        """Append what an op is composed of as if it had been in its place."""
        operands = [self.environment[v] for v in op._operands]
        parts = BlockBuilder([v.type for v in operands], location=op.location)
        parts.builder.location = op.location
        result = rule.compose(parts.builder, op, parts.arguments)
        body = parts.finish((result,) if isinstance(result, SSAValue) else result)
        varied = [v in self.varied for v in operands]
        self.active |= active_values(body, varied, [v in self.active for v in op.results])
        self.environment.update(zip(parts.arguments, operands))
        terminator = _terminator(body)
        for part in body.ops:
            if part is not terminator:
                self._append(part)
        return [self.environment[v] for v in terminator._operands]


def _behind(block: Block, op: Operation | None) -> Iterator[Operation]:
    """Yield the ops of a block behind one of them, or all."""
    found = op.next_op if op else block.first_op
    while found is not None:
        yield found
        found = found.next_op


# Forward mode


class _Forward(_Copy):
    """The forward sweep; tangents come behind the ops that they are of, as late as possible."""

    mode = "jvp"

    def __init__(
        self,
        builder: Builder,
        body: Block,
        arguments: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
    ) -> None:
        active = active_values(body, [t is not None for t in tangents], wanted)
        super().__init__(builder, body, arguments, active)
        self.tangents = {v: t for v, t in zip(arguments, tangents) if t is not None}
        for value, tangent in self.tangents.items():
            name_argument(tangent, value.name_hint and f"{value.name_hint}_tangent")
        self.pending: list[tuple[Operation, Rule]] = []

    def record(self, op: Operation, rule: Rule) -> None:
        self.pending.append((op, rule))

    def replace(self, op: Operation, rule: RegionRule) -> Sequence[SSAValue]:
        self.flush()
        operands = [self.environment[value] for value in op._operands]
        given = [
            self.tangents.get(new) if old in self.active else None
            for old, new in zip(op._operands, operands)
        ]
        wanted = [result in self.active for result in op.results]
        results, tangents = rule.jvp(ENGINE, self.builder, op, operands, given, wanted)
        self._note(results, tangents)
        return results

    def flush(self) -> None:
        """Append the tangents of the ops that were recorded."""
        for op, rule in self.pending:
            given = [self.tangents.get(value) for value in op._operands]
            if any(given) or isinstance(op, TapeNewOp):
                with self.builder.at(derived(op.location, self.mode)):
                    self._note(op.results, rule.jvp(self.builder, op, given))
        self.pending.clear()

    def _note(self, values: Sequence[SSAValue], tangents: Derivatives) -> None:
        self.tangents.update((v, t) for v, t in zip(values, tangents) if t is not None)


# Reverse mode


class _Step(NamedTuple):
    """Something that was computed, and how to pull cotangents back through it."""

    operands: Sequence[SSAValue]
    results: Sequence[SSAValue]
    pullback: Pullback
    location: LocationAttr
    name: str


class _Record(_Copy):
    """The forward part of reverse mode, which notes what the sweep back will do."""

    mode = "vjp"

    def __init__(
        self,
        builder: Builder,
        body: Block,
        arguments: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
    ) -> None:
        super().__init__(builder, body, arguments, active_values(body, varied, wanted))
        self.linear = linear
        self.steps: list[_Step] = []

    def record(self, op: Operation, rule: Rule) -> None:
        flags = [value in self.varied for value in op._operands]
        pullback = partial(_pull, rule, self.builder, op, flags)
        self.steps.append(_Step(op._operands, op.results, pullback, op.location, op.name))

    def _append(self, op: Operation) -> None:
        if self.linear and isinstance(op, BarrierOp):
            self._append_barriers(op)
        else:
            super()._append(op)

    def _append_barriers(self, op: BarrierOp) -> None:
        """Append a barrier in parts: what is known, and what of the linear inputs comes later."""
        pairs = [(v, self.environment[operand]) for v, operand in zip(op.results, op._operands)]
        linear = [pair for pair in pairs if pair[0] in self.active]
        for group in ([pair] for pair in pairs if pair[0] not in self.active):
            self._append_barrier(op, group)
        if linear:
            self.varied.update(self._append_barrier(op, linear))
            barrier = self.builder.block.last_op
            assert barrier is not None
            rule = rule_of(op)
            assert not isinstance(rule, Composed | RegionRule)
            self.record(barrier, rule)

    def _append_barrier(
        self, op: BarrierOp, pairs: Sequence[tuple[SSAValue, SSAValue]]
    ) -> Sequence[SSAValue]:
        with self.builder.at(op.location):
            results = self.builder.barrier([operand for _, operand in pairs])
        self.environment.update(zip((old for old, _ in pairs), results))
        return results

    def replace(self, op: Operation, rule: RegionRule) -> Sequence[SSAValue]:
        operands = [self.environment[value] for value in op._operands]
        varied = [value in self.active for value in op._operands]
        wanted = [result in self.active for result in op.results]
        results, pullback = rule.vjp(
            ENGINE, self.builder, op, operands, varied, wanted, self.linear
        )
        self.steps.append(_Step(operands, results, pullback, op.location, op.name))
        return results

    def sweep(
        self, outputs: Sequence[SSAValue], cotangents: Derivatives, inputs: Sequence[SSAValue]
    ) -> list[Derivative]:
        """Append the cotangents of all values between outputs and inputs; return the inputs' ones.

        The cotangents of a value, one from each use, are summed as they come, until the op that
        made it is reached.
        """
        pending: dict[SSAValue, PairwiseSum] = {}

        def contribute(values: Sequence[SSAValue], contributions: Derivatives) -> None:
            for value, contribution in zip(values, contributions):
                if contribution is not None:
                    if value not in pending:
                        pending[value] = PairwiseSum(self.builder)
                    pending[value].add(contribution)

        def collect(value: SSAValue) -> Derivative:
            return pending.pop(value).total() if value in pending else None

        linear_in = [v for v in inputs if v in self.varied] if self.linear else ()
        dependent = influenced_values(self.builder.block, linear_in)
        contribute(outputs, cotangents)
        for step in reversed(self.steps):
            if pending.keys().isdisjoint(step.results) and not self._moves_tape(step):
                continue
            with self.builder.at(derived(step.location, self.mode)):
                given = [collect(result) for result in step.results]
                before = self.builder.block.last_op
                contribute(step.operands, step.pullback(given))
            if self.linear:
                _require_linear(step, _behind(self.builder.block, before), dependent)
        return [collect(value) for value in inputs]

    def _moves_tape(self, step: _Step) -> bool:
        """Tell whether a step pushes or pops what the sweep must pop or push."""
        return any(v in self.varied and is_differentiable_tape(v) for v in step.operands)


def _pull(
    rule: Rule, builder: Builder, op: Operation, wanted: Flags, cotangents: Derivatives
) -> Derivatives:
    found = rule.vjp(builder, op, cotangents, wanted)
    return [g if wants else None for g, wants in zip(found, wanted)]


def _require_linear(step: _Step, pulling: Iterable[Operation], inputs: set[SSAValue]) -> None:
    """Raise if what pulls a cotangent back uses values that depend on the inputs."""
    for op in pulling:
        if not inputs.isdisjoint(op._operands):
            raise not_linear(step.name, step.location)


# The engine


class _Engine(Engine):
    def varied(self, body: Block, varied: Flags) -> list[bool]:
        found = _varied_values(body, varied)
        return [value in found for value in _terminator(body)._operands]

    def useful(self, body: Block, varied: Flags, wanted: Flags) -> list[bool]:
        found = active_values(body, varied, wanted)
        return [value in found for value in body.args]

    def push_forward(
        self,
        builder: Builder,
        body: Block,
        arguments: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
    ) -> tuple[list[SSAValue], list[Derivative]]:
        forward = _Forward(builder, body, arguments, tangents, wanted)
        results = forward.run()
        forward.flush()
        found = [forward.tangents.get(v) if wants else None for v, wants in zip(results, wanted)]
        return results, found

    def record(
        self,
        builder: Builder,
        body: Block,
        arguments: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        *,
        linear: bool = False,
    ) -> tuple[list[SSAValue], Pullback]:
        recorded = _Record(builder, body, arguments, varied, wanted, linear)
        results = recorded.run()

        def pullback(cotangents: Derivatives) -> list[Derivative]:
            given = [g if wants else None for g, wants in zip(cotangents, wanted)]
            return recorded.sweep(results, given, arguments)

        return results, pullback


ENGINE: Engine = _Engine()
"""The engine itself."""
