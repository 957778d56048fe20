"""Random programs with loops over batches: products with weights, stencils, short dimensions.

They are such as the passes between the array level and the loops look for: what loops carry has
rows that stay apart, or almost; matrices come from outside and are read along their rows or their
columns; edges are padded, joined or replaced; last dimensions are short.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np
from xdsl.ir import SSAValue

from gradatim.ir.functions import BlockBuilder
from gradatim.ir.types import Shape, dtype_of, shape_of, tensor_type

from .loop_programs import I64, INDEX, WHOLE, LoopMaker
from .programs import F64

SHAPES: Final[tuple[Shape, ...]] = (
    *((8,), (33,), (6, 4), (16, 5), (12, 8), (4, 17), (8, 3), (40, 2), (70, 3)),
    *((6, 4, 4), (2, 5, 8), (8, 6, 3)),
)

BATCHES: Final = WHOLE._replace(shapes=SHAPES)
"""Whole numbers in arrays that are mostly batches of short rows."""


class BatchMaker(LoopMaker):
    """Appends loops over batches, and what happens to batches in them and outside."""

    def step(self) -> None:
        """Append one kind of computation, or, at most twice in each other, a loop."""
        if self.depth < 2 and self.number(0, 2 + 2 * self.depth) == 0:
            self.values += self.loop()
            return
        batches = [v for v in self.values[-6:] if shape_of(v) and 0 < prod(shape_of(v)) < 800]
        if not batches or self.number(0, 4) == 0:
            super().step()
            return
        kinds = [self.layer, self.layer, self.stencil, self.stencil, self.short, self.row]
        kinds += [self.inner, self.elementwise]
        found = self.pick(kinds)(self.pick(batches))
        self.values.append(found)

    def matrix(self, *shape: int) -> SSAValue:
        """Return an array of a shape: what is there, mostly, or a constant."""
        found = [v for v in self.values if v.type == tensor_type(shape, F64)]
        if found and self.number(0, 3):
            return self.pick(found)
        self.values.insert(0, self.b.constant(self.array(shape, F64)))
        return self.values[0]

    def bounded(self, x: SSAValue) -> SSAValue:
        """Return x with numbers that stay exact when they are multiplied and added again."""
        if self.number(0, 4) == 0:
            return x
        low, high = (self.b.full_like(x, n) for n in (-9, 9))
        return self.settled(self.b.clamp(low, x, high))

    # Kinds of computations

    def layer(self, x: SSAValue) -> SSAValue:
        """Multiply by a matrix, which is read along its rows or its columns."""
        x = self.b.convert(x, F64)
        *outer, depth = shape_of(x)
        columns = self.pick([depth, depth, depth, 4, 8, 17])
        kept = outer[: self.number(0, max(len(outer) - 1, 0))]
        batch = tuple(range(len(kept)))
        transposed = self.number(0, 1)
        sizes = (columns, depth) if transposed else (depth, columns)
        weights = self.matrix(*kept, *sizes)
        contract = ([len(outer)], [len(kept) + transposed])
        found = self.b.dot_general(x, weights, batch=(batch, batch), contract=contract)
        return self.bounded(found)

    def inner(self, x: SSAValue) -> SSAValue:
        """Add products of rows with each other, or of a row with itself."""
        y = self.other(x)
        outer = len(shape_of(x)) - 1
        batch = tuple(range(self.number(0, outer)))
        found = self.b.dot_general(x, y, batch=(batch, batch), contract=([outer], [outer]))
        return self.bounded(found) if prod(shape_of(found)) < 2000 else x

    def stencil(self, x: SSAValue) -> SSAValue:
        """Add neighbours along a dimension to each element, in a few ways at edges."""
        dim = self.number(0, len(shape_of(x)) - 1)
        total = x
        for _ in range(self.number(1, 3)):
            shift = self.pick([-2, -1, 1, 1, 2])
            moved = self.pick([self.padded, self.rolled, self.replaced])(x, dim, shift)
            total = self.b.add(total, moved)
        return self.bounded(total)

    def padded(self, x: SSAValue, dim: int, shift: int) -> SSAValue:
        low = [shift * (d == dim) for d in range(len(shape_of(x)))]
        value = self.b.full((), dtype_of(x), self.number(0, 2))
        if shape_of(x)[dim] < abs(shift):
            return x
        return self.b.pad(x, value, low, [-n for n in low])

    def rolled(self, x: SSAValue, dim: int, shift: int) -> SSAValue:
        shape = shape_of(x)
        cut = shift % shape[dim]
        limits = [cut if d == dim else n for d, n in enumerate(shape)]
        starts = [cut * (d == dim) for d in range(len(shape))]
        first = self.b.slice(x, [0] * len(shape), limits)
        return self.b.concatenate([self.b.slice(x, starts, shape), first], dim)

    def replaced(self, x: SSAValue, dim: int, shift: int) -> SSAValue:
        """Replace the inner part by another one."""
        shape = shape_of(x)
        edges = [min(abs(shift) * (d == dim), (n - 1) // 2) for d, n in enumerate(shape)]
        sizes = [n - 2 * edge for n, edge in zip(shape, edges)]
        part = self.b.slice(self.other(x), [0] * len(shape), sizes)
        return self.b.dynamic_update_slice(x, part, [self.b.full((), I64, n) for n in edges])

    def short(self, x: SSAValue) -> SSAValue:
        """Compute by rows of a few elements each, and reduce them or take one."""
        shape = (*shape_of(x), self.number(2, 5))
        if len(shape) > 3 or prod(shape) > 800:
            x, shape = self.row(x), shape_of(x)
            if len(shape) < 2:
                return x
        else:
            x = self.b.broadcast(x, shape, range(len(shape) - 1))
        for _ in range(self.number(1, 3)):
            x = self.elementwise(x)
        if self.number(0, 2) == 0:
            return x
        if self.number(0, 2) == 0:
            first = self.number(0, shape[-1])
            return self.b.slice(x, [0] * (len(shape) - 1) + [first], shape)
        return self.settled(self.b.reduce(self.pick(["add", "max"]), x, [len(shape) - 1]))

    def row(self, x: SSAValue) -> SSAValue:
        """Subtract what is reduced along a dimension."""
        shape = shape_of(x)
        dim = self.pick([len(shape) - 1, len(shape) - 1, 0])
        total = self.settled(self.b.reduce(self.pick(["add", "max"]), x, [dim]))
        kept = [d for d in range(len(shape)) if d != dim]
        return self.bounded(self.b.sub(x, self.b.broadcast(total, shape, kept)))

    # Loops

    def loop(self) -> list[SSAValue]:
        """Scan with batches carried, weights from outside, and parts of what is stacked."""
        batches = [v for v in self.values[-8:] if shape_of(v) and 0 < prod(shape_of(v)) < 800]
        if not batches:
            return []
        first = self.pick(batches)
        alike = [v for v in batches if shape_of(v)[0] == shape_of(first)[0]]
        carries = [first, *(self.pick(alike) for _ in range(self.number(0, 2)))]
        depth = shape_of(first)[-1]
        consts = [self.matrix(depth, depth), *self.some(0, 2)]
        length = self.number(1, 6)
        elements = [self.stack(self.pick(alike), length) for _ in range(self.number(0, 2))]
        parts = [tensor_type(shape_of(v)[1:], dtype_of(v)) for v in elements]
        types = [INDEX, *(v.type for v in (*consts, *carries)), *parts]
        builder = BlockBuilder(types, (), self.b.location)
        results, others = self.within(builder, 4, carries, self.number(0, 2))
        body = builder.finish([*results, *(v for v in others if prod(shape_of(v)) < 200)])
        reverse = bool(self.number(0, 1))
        return list(self.b.scan(length, consts, carries, elements, body, reverse=reverse))

    def stack(self, x: SSAValue, length: int) -> SSAValue:
        shape = (length, *shape_of(x))
        number = self.b.iota(shape, dtype_of(x), 0)
        return self.b.add(self.b.broadcast(x, shape, range(1, len(shape))), number)

    def alike(self, like: SSAValue) -> SSAValue:
        """Return a bounded value of a type, the last one unless that has come in."""
        found = [v for v in self.values if v.type == like.type]
        value = found[-1] if found else self.b.full_like(like, 1)
        return self.bounded(value) if dtype_of(value).kind == "f" else value


def rough(arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return arguments whose floats are no whole numbers: the order of their sums is seen."""
    random = np.random.default_rng(len(arguments))
    return [
        np.asarray(a + random.normal(size=a.shape)) if a.dtype.kind == "f" else a for a in arguments
    ]
