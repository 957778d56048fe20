"""Random programs with loops and branches in each other, by Hypothesis' choice of a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from random import Random

import numpy as np
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, SSAValue

from gradatim.ir.functions import BlockBuilder, FunctionBuilder
from gradatim.ir.types import dtype_of, shape_of, tensor_type

from .programs import F64, Program, ProgramMaker, Style, place

I64 = np.dtype(np.int64)
INDEX = tensor_type((), I64)

WHOLE = Style((F64, F64, I64), (0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -2.0), sums=True)
"""Whole numbers, so that the order of sums makes no difference."""

LARGE = WHOLE._replace(shapes=((), (70,), (150,), (5, 20), (4, 1, 30), (2, 40, 3), (3,)))
"""Mostly arrays that are not kept in registers."""


def region(types: Sequence[Attribute], body: Callable[..., Sequence[SSAValue]]) -> Block:
    """Return a block of what ``body(builder, *arguments)`` appends and returns."""
    builder = BlockBuilder(types, (), place(0))
    return builder.finish(list(body(builder.builder, *builder.arguments)))


def program(types: Sequence[Attribute], body: Callable[..., Sequence[SSAValue]]) -> ModuleOp:
    """Return the module of a function ``f``."""
    function = FunctionBuilder("f", types, (), place(0))
    return ModuleOp([function.finish(list(body(function.builder, *function.arguments)))])


class LoopMaker(ProgramMaker):
    """Appends random ops, loops and branches; what a region may use are its arguments."""

    depth = 0

    def step(self) -> None:
        """Append an op or, at most three deep, a loop or a branch."""
        if self.depth < 3 and self.number(0, 3) == 0:
            self.values += self.pick([self.scan_op, self.scan_op, self.while_op, self.case_op])()
        elif self.number(0, 3) == 0:
            x = self.pick(self.values[-6:])
            if shape_of(x) and 0 not in shape_of(x):
                self.values.append(
                    self.pick([self.read_part, self.update, self.taken, self.put])(x)
                )
        else:
            super().step()

    # Parts at computed positions

    def carried_position(self) -> SSAValue:
        """Return an integer, which may be out of range: a carried number, an index, a constant."""
        found = [v for v in self.values if v.type == INDEX]
        return self.pick([*found, self.b.full((), I64, self.number(-2, 4))])

    def sizes(self, x: SSAValue) -> tuple[int, ...]:
        return tuple(self.number(1, n) for n in shape_of(x))

    def read_part(self, x: SSAValue) -> SSAValue:
        starts = [self.carried_position() for _ in shape_of(x)]
        return self.b.dynamic_slice(x, starts, self.sizes(x))

    def update(self, x: SSAValue) -> SSAValue:
        starts = [self.carried_position() for _ in shape_of(x)]
        sizes = self.sizes(x)
        part = self.b.slice(self.other(x), [0] * len(sizes), sizes)
        return self.b.dynamic_update_slice(x, part, starts)

    def indices(self, x: SSAValue) -> tuple[list[SSAValue], list[int]]:
        """Return positions for some dimensions: of one element, or of several."""
        dims = sorted(self.shuffled(range(len(shape_of(x))))[: self.number(1, 2)])
        shape = self.pick([(), (1,), (3,)])
        spread = self.b.iota(shape, I64, 0) if shape else self.b.full((), I64, 0)
        return [
            self.b.add(self.b.broadcast(self.carried_position(), shape, ()), spread) for _ in dims
        ], dims

    def taken(self, x: SSAValue) -> SSAValue:
        indices, dims = self.indices(x)
        return self.b.gather(x, indices, dims)

    def put(self, x: SSAValue) -> SSAValue:
        indices, dims = self.indices(x)
        part = self.b.gather(self.other(x), indices, dims)
        return self.b.scatter(self.pick(["set", "add", "max"]), x, part, indices, dims)

    def some(self, low: int, high: int) -> list[SSAValue]:
        values = [v for v in self.values[-8:] if prod(shape_of(v)) < 200]
        return [self.pick(values) for _ in range(self.number(low, high))] if values else []

    # Regions

    def branch(self, values: Sequence[SSAValue], steps: int, wanted: Sequence[SSAValue]) -> Block:
        """Return a block that takes values like the given ones and yields values like others."""
        builder = BlockBuilder([v.type for v in values], (), self.b.location)
        results, _ = self.within(builder, steps, wanted, 0)
        return builder.finish(results)

    def within(
        self, builder: BlockBuilder, steps: int, wanted: Sequence[SSAValue], more: int
    ) -> tuple[list[SSAValue], list[SSAValue]]:
        """Make some steps; return values of the wanted types, and so many others."""
        outer = self.b, self.values
        self.b, self.values = builder.builder, list(builder.arguments)
        self.b.location = outer[0].location
        self.depth += 1
        for _ in range(self.number(0, steps) if self.values else 0):
            self.step()
        self.depth -= 1
        results = [self.alike(v) for v in wanted]
        others = [self.pick(self.values) for _ in range(more)]
        self.b, self.values = outer
        return results, others

    def alike(self, like: SSAValue) -> SSAValue:
        """Return a value of a type, mostly a late one, whose numbers are bounded."""
        found = [v for v in self.values if v.type == like.type]
        value = found[-1] if found and self.number(0, 3) else None
        if value is None:
            value = self.pick(found) if found else self.b.full_like(like, 1)
        if dtype_of(value).kind == "f" and self.number(0, 4):
            low, high = (self.b.full_like(value, n) for n in (-9, 9))
            return self.b.clamp(low, value, high)
        return value

    # Ops

    def scan_op(self) -> list[SSAValue]:
        consts, carries = self.some(0, 2), self.some(0, 3)
        elements = [v for v in self.some(0, 3) if shape_of(v) and shape_of(v)[0] < 5]
        length = shape_of(elements[0])[0] if elements else self.number(0, 4)
        elements = [v for v in elements if shape_of(v)[0] == length]
        parts = [tensor_type(shape_of(v)[1:], dtype_of(v)) for v in elements]
        types = [INDEX, *(v.type for v in (*consts, *carries)), *parts]
        builder = BlockBuilder(types, (), self.b.location)
        stacked = self.number(0, 2) or int(not carries)
        results, others = self.within(builder, 4, carries, stacked)
        body = builder.finish([*results, *(v for v in others if prod(shape_of(v)) < 60)])
        reverse = bool(self.number(0, 1))
        return list(self.b.scan(length, consts, carries, elements, body, reverse=reverse))

    def while_op(self) -> list[SSAValue]:
        """A while whose first carry counts, and which may end for another reason before."""
        limit = self.b.full((), I64, self.number(0, 4))
        consts, others = [limit, *self.some(0, 2)], self.some(0, 3)
        carries = [self.b.full((), I64, 0), *others]
        types = [v.type for v in (*consts, *carries)]
        first = len(consts)
        condition = BlockBuilder(types, (), self.b.location)
        c = condition.builder
        more = c.compare("lt", condition.arguments[first], condition.arguments[0])
        numbers = [v for v in condition.arguments if dtype_of(v).kind == "f"]
        if numbers and self.number(0, 1):
            x = self.pick(numbers)
            total = c.reduce("max", x, range(len(shape_of(x))))
            more = c.and_(more, c.compare("lt", total, c.full_like(total, 8)))
        body = BlockBuilder(types, (), self.b.location)
        results, _ = self.within(body, 4, others, 0)
        counter = body.arguments[first]
        after = body.builder.add(counter, body.builder.full((), I64, 1))
        blocks = condition.finish([more]), body.finish([after, *results])
        return list(self.b.while_(consts, carries, *blocks))

    def case_op(self) -> list[SSAValue]:
        operands = self.some(1, 3)
        if not operands:
            return []
        x = operands[0]
        total = self.b.reduce("max", x, range(len(shape_of(x))))
        count = self.number(1, 3)
        if self.number(0, 1) or count == 1:
            index = self.b.convert(total, I64) if dtype_of(x).kind in "fi" else total
        else:
            index, count = self.b.compare("gt", total, self.b.full_like(total, 1)), 2
        wanted = [self.pick(operands) for _ in range(self.number(1, 3))]
        return list(
            self.b.case(index, operands, [self.branch(operands, 3, wanted) for _ in range(count)])
        )


def loop_programs(steps: int = 5) -> st.SearchStrategy[Program]:
    """Return random programs with loops and branches; short ones if they fail."""
    return st.builds(
        lambda seed, length: LoopMaker(Random(seed), WHOLE).make(length),
        st.integers(0, 2**32),
        st.integers(1, steps),
    )
