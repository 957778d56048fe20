"""Loops of which reverse mode remembers few steps: segments that are run again on the way back.

A loop over N steps becomes a loop over segments, and reverse mode keeps what is carried between
segments and what the steps of one segment need, instead of what all steps need. With segments of
sqrt(N) steps that is of the order of sqrt(N), at the cost of running the loop forward once more.
Segments can have segments in turn: with d levels, the order is the root of degree d + 1, and the
loop runs forward d more times (Griewank and Walther, Evaluating Derivatives, 2nd ed., 2008, section
12.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple

from xdsl.ir import Block, SSAValue

from ...ir.array.control import INDEX
from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.functions import BlockBuilder
from ...ir.types import dtype_of, shape_of, tensor_type
from ..blocks import append_block
from ..groups import parts_of, types_of


def checkpointed_scan(
    b: Builder,
    length: int,
    consts: Sequence[SSAValue],
    carries: Sequence[SSAValue],
    elements: Sequence[SSAValue],
    body: Block,
    *,
    every: int | Sequence[int] | None = None,
    reverse: bool = False,
    unroll: int | None = None,
) -> list[SSAValue]:
    """Append a scan of which reverse mode remembers what is carried every so many steps.

    Args:
        b: appends.
        length: the number of steps.
        consts: operands, as all of these as ``Builder.scan`` takes them.
        carries: operands.
        elements: operands.
        body: the body.
        every: the steps of a segment, or of those of each level, longest first; about the square
            root of the length if left out. A segment that is not shorter than the loop is none.
        reverse: whether the last index comes first.
        unroll: how many steps to write out.

    Returns:
        The last carries, then the stacked results.

    Raises:
        GradatimError: if a segment has no steps.
    """
    levels = _levels(every, isqrt(length))
    scan = _Scan(body, reverse, unroll)
    state = _State(_index(b, 0), list(consts), list(carries), list(elements))
    return scan.append(b, length, state, levels)


def checkpointed_while(
    b: Builder,
    consts: Sequence[SSAValue],
    carries: Sequence[SSAValue],
    condition: Block,
    body: Block,
    *,
    every: int | Sequence[int],
) -> Sequence[SSAValue]:
    """Append a while of which reverse mode remembers what is carried every so many steps.

    Args:
        b: appends.
        consts: operands, as all of these as ``Builder.while_`` takes them.
        carries: operands.
        condition: the condition.
        body: the body.
        every: the steps of a segment, or of those of each level, longest first.

    Returns:
        The last carries.

    Raises:
        GradatimError: if a segment has no steps.
    """
    loop = _While(condition, body, len(consts))
    outer = BlockBuilder(condition.arg_types, (), b.location)
    test = outer.finish(append_block(outer.block, condition, outer.arguments))
    inner = BlockBuilder(body.arg_types, (), b.location)
    found = loop.segment(inner.builder, inner.arguments, _levels(every, 1))
    return b.while_(consts, carries, test, inner.finish(found))


def _levels(every: int | Sequence[int] | None, default: int) -> tuple[int, ...]:
    if every is None:
        return (max(default, 1),)
    levels = (every,) if isinstance(every, int) else tuple(every)
    if min(levels, default=1) < 1:
        raise GradatimError(f"a segment of a loop must have steps, not {min(levels)}")
    return levels


def _index(b: Builder, value: int) -> SSAValue:
    return b.full((), dtype_of(INDEX), value)


# Scans


class _State(NamedTuple):
    """What a part of a scan starts from."""

    start: SSAValue
    """The index of its first step."""
    consts: Sequence[SSAValue]
    carries: Sequence[SSAValue]
    elements: Sequence[SSAValue]
    """Those of its steps."""

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """How many values each member has."""
        return 1, len(self.consts), len(self.carries), len(self.elements)

    @property
    def values(self) -> list[SSAValue]:
        """All values."""
        return [self.start, *self.consts, *self.carries, *self.elements]

    def like(self, values: Sequence[SSAValue]) -> _State:
        """Return these values as a state of the same sizes."""
        (start,), *groups = parts_of(values, self.sizes)
        return _State(start, *groups)


@dataclass(frozen=True)
class _Scan:
    """A scan to be cut into segments."""

    body: Block
    reverse: bool
    unroll: int | None

    def append(
        self, b: Builder, length: int, state: _State, levels: tuple[int, ...]
    ) -> list[SSAValue]:
        """Append a part of the scan; return carries and stacked results."""
        while levels and levels[0] >= length:
            levels = levels[1:]
        if not levels:
            return self._steps(b, length, state)
        count, rest = divmod(length, levels[0])
        whole = length - rest
        ranges = [(0, whole), (whole, length)] if rest else [(0, length)]
        pieces: list[Sequence[SSAValue]] = []
        carries = state.carries
        for first, end in reversed(ranges) if self.reverse else ranges:
            elements = [_part(b, element, first, end) for element in state.elements]
            part = _State(state.start, state.consts, carries, elements)
            if first:
                part = part._replace(start=b.add(state.start, _index(b, first)))
                found = self._segment(b, rest, part, levels[1:])
            else:
                found = self._segments(b, count, part, levels)
            carries, ys = found[: len(carries)], found[len(carries) :]
            pieces.append(ys)
        if self.reverse:
            pieces.reverse()
        return [*carries, *(b.concatenate(column, 0) for column in zip(*pieces))]

    def _steps(self, b: Builder, length: int, state: _State) -> list[SSAValue]:
        """Append the steps themselves."""
        arguments = self.body.args
        inner = BlockBuilder([INDEX, INDEX, *(a.type for a in arguments[1:])], (), b.location)
        step, start, *others = inner.arguments
        index = inner.builder.add(start, step)
        body = inner.finish(append_block(inner.block, self.body, [index, *others]))
        results = b.scan(
            length,
            [state.start, *state.consts],
            state.carries,
            state.elements,
            body,
            reverse=self.reverse,
            unroll=self.unroll,
        )
        return list(results)

    def _segment(
        self, b: Builder, length: int, state: _State, levels: tuple[int, ...]
    ) -> list[SSAValue]:
        """Append a part of the scan that is run again on the way back."""
        inner = BlockBuilder(types_of(state.values), (), b.location)
        found = self.append(inner.builder, length, state.like(inner.arguments), levels)
        return list(b.remat("nothing", state.values, inner.finish(found)))

    def _segments(
        self, b: Builder, count: int, state: _State, levels: tuple[int, ...]
    ) -> list[SSAValue]:
        """Append a scan over segments."""
        size = levels[0]
        grouped = [
            b.reshape(element, (count, size, *shape_of(element)[1:])) for element in state.elements
        ]
        types = [tensor_type(shape_of(e)[1:], dtype_of(e)) for e in grouped]
        consts = [state.start, *state.consts]
        inner = BlockBuilder([INDEX, *types_of([*consts, *state.carries]), *types], (), b.location)
        number, *arguments = inner.arguments
        part = state.like(arguments)
        offset = inner.builder.mul(number, _index(inner.builder, size))
        part = part._replace(start=inner.builder.add(part.start, offset))
        body = inner.finish(self._segment(inner.builder, size, part, levels[1:]))
        results = b.scan(count, consts, state.carries, grouped, body, reverse=self.reverse)
        last, stacked = parts_of(results, (len(state.carries), len(results) - len(state.carries)))
        return [*last, *(b.reshape(y, (count * size, *shape_of(y)[2:])) for y in stacked)]


def _part(b: Builder, element: SSAValue, first: int, end: int) -> SSAValue:
    _, *shape = shape_of(element)
    return b.slice(element, [first, *[0] * len(shape)], [end, *shape])


# Whiles


@dataclass(frozen=True)
class _While:
    """A while to be cut into segments."""

    condition: Block
    body: Block
    consts: int

    def segment(
        self, b: Builder, arguments: Sequence[SSAValue], levels: tuple[int, ...]
    ) -> Sequence[SSAValue]:
        """Append a segment, which is run again on the way back, or a step if there are no levels.

        The arguments are consts and carries; it returns the next carries.
        """
        if not levels:
            return append_block(b.block, self.body, arguments)
        size, *others = levels
        rounds = -(-size // others[0]) if others else size
        inner = BlockBuilder(types_of(arguments), (), b.location)
        found = self._rounds(inner.builder, inner.arguments, rounds, tuple(others))
        return b.remat("nothing", arguments, inner.finish(found))

    def _rounds(
        self, b: Builder, arguments: Sequence[SSAValue], rounds: int, levels: tuple[int, ...]
    ) -> Sequence[SSAValue]:
        """Append a loop that ends with the whole one, or after so many rounds."""
        types = [*types_of(arguments), INDEX]
        test = BlockBuilder(types, (), b.location)
        *own, done = test.arguments
        (more,) = append_block(test.block, self.condition, own)
        fewer = test.builder.compare("lt", done, _index(test.builder, rounds))
        both = test.builder.and_(more, fewer)

        step = BlockBuilder(types, (), b.location)
        *own, done = step.arguments
        found = self.segment(step.builder, own, levels)
        next_round = step.builder.add(done, _index(step.builder, 1))
        consts, carries = arguments[: self.consts], arguments[self.consts :]
        results = b.while_(
            consts,
            [*carries, _index(b, 0)],
            test.finish([both]),
            step.finish([*found, next_round]),
        )
        return results[:-1]
