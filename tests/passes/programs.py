"""Random programs over the array dialect, by Hypothesis' choice of a seed and a length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from random import Random
from typing import NamedTuple, TypeVar

import numpy as np
from hypothesis import strategies as st
from xdsl.dialects.builtin import LocationAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.array.window import Window
from gradatim.ir.builder import Builder
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.locations import source_location
from gradatim.ir.types import Shape, dtype_of, shape_of, tensor_info, tensor_type

T = TypeVar("T")

BOOL, I32, I64, U8 = (np.dtype(t) for t in ("?", "i4", "i8", "u1"))
F32, F64, C128 = (np.dtype(t) for t in ("f4", "f8", "c16"))

SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -3.25, 1e300, np.inf, -np.inf, np.nan)
_SHAPES: tuple[Shape, ...] = ((), (1,), (4,), (2, 3), (2, 1, 3), (3, 2, 2), (0, 2))
_NUMBER_UNARY = ("neg", "abs", "sign")
_FLOAT_UNARY = ("floor", "ceil", "trunc", "round_even", "sqrt", "is_finite", "tanh", "cos")
_COMPLEX_UNARY = ("neg", "conj", "real", "imag", "abs")


class Style(NamedTuple):
    """What programs are made of."""

    dtypes: Sequence[np.dtype]
    elements: Sequence[float]  # of arguments and of constants
    sums: bool  # sums and products of floats, but nothing that rounds
    shapes: Sequence[Shape] = _SHAPES  # of arguments


ANYTHING = Style((F64, F64, F32, I32, U8, BOOL, C128), SPECIAL, sums=False)
"""All ops on all kinds of values, but for sums of floats, whose order is free."""

SUMS = Style((F64,), (0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -2.0), sums=True)
"""Sums of whole numbers as floats, which are exact in whatever order."""


class Program(NamedTuple):
    """A function and arguments for it."""

    function: FuncOp
    arguments: list[np.ndarray]


class ProgramMaker:
    """Appends random ops to a function; ``values`` are what they may use."""

    def __init__(self, random: Random, style: Style) -> None:
        self.random = random
        self.pick = random.choice
        self.number = random.randint
        self.style = style
        self.products = 0

    def make(self, steps: int) -> Program:
        types = [(self.pick(self.style.shapes), self.pick(self.style.dtypes)) for _ in range(3)]
        function = FunctionBuilder("f", [tensor_type(*t) for t in types], ["x", "y", "z"], place(0))
        self.b: Builder = function.builder
        self.values: list[SSAValue] = list(function.arguments)
        for number in range(steps):
            self.b.location = place(number + 1)
            self.step()
        arguments = [self.array(shape, dtype) for shape, dtype in types]
        return Program(function.finish(self.values[-3:]), arguments)

    def array(self, shape: Shape, dtype: np.dtype) -> np.ndarray:
        """Return an array of the style's elements; integers are small."""
        elements = [self.pick(self.style.elements) for _ in range(prod(shape))]
        if dtype.kind in "iu":
            elements = [e if abs(e) < 100 else 7 for e in elements]
        with np.errstate(all="ignore"):
            return np.array(elements, np.float64).astype(dtype).reshape(shape)

    def step(self) -> None:
        """Append one op, or several of a kind in a row, which is what rewrites look for."""
        makers = [self.elementwise, self.elementwise, self.shape_op, self.reduction, self.indexing]
        makers += [self.sorting] if self.number(0, 2) == 0 else []
        maker = self.pick(makers)
        x = self.pick(self.values[-4:])
        for _ in range(self.number(1, 3)):
            x = maker(x)
            self.values.append(x)

    def shuffled(self, items: Iterable[T]) -> list[T]:
        listed = list(items)
        self.random.shuffle(listed)
        return listed

    # Elementwise

    def elementwise(self, x: SSAValue) -> SSAValue:
        makers = [self.unary, self.binary, self.binary, self.binary]
        if not self.style.sums:
            makers += [self.choice, self.choice, self.conversion]
        return self.pick(makers)(x)

    def unary(self, x: SSAValue) -> SSAValue:
        kind = dtype_of(x).kind
        if kind == "b":
            return self.b.not_(x)
        names = _COMPLEX_UNARY if kind == "c" else _NUMBER_UNARY
        if kind == "f" and not self.style.sums:
            names += _FLOAT_UNARY
        return getattr(self.b, self.pick(names))(x)

    def other(self, x: SSAValue) -> SSAValue:
        """Return another value of x's type."""
        alike = [v for v in self.values if v.type == x.type] or [x]
        way = self.number(0, 4)
        if way == 4 and dtype_of(x).kind in "iuf":
            return self.numbering(x)
        if way == 0:
            return self.pick(alike)
        if way == 1 and shape_of(x):
            return self.b.constant(self.array(*tensor_info(x)))
        if way == 2 and dtype_of(x).kind in "if":
            return self.b.neg(self.pick(alike))
        return self.b.full_like(x, self.array((), dtype_of(x)))

    def numbering(self, x: SSAValue) -> SSAValue:
        """Return the numbers of x's elements."""
        shape, dtype = tensor_info(x)
        return self.b.reshape(self.b.iota((prod(shape),), dtype, 0), shape)

    def binary(self, x: SSAValue) -> SSAValue:
        kind = dtype_of(x).kind
        if self.style.sums:
            names = ["add", "sub", "max", "min"]
        elif kind == "b":
            names = ["and_", "or_", "xor"]
        elif kind == "c":
            names = ["add", "sub", "mul", "div"]
        else:
            names = ["add", "sub", "mul", "div", "max", "min", "rem"]
            integer = ["and_", "or_", "xor", "shift_left", "shift_right_logical"]
            names += ["copy_sign"] if kind == "f" else integer
        y = self.other(x)
        operands = (y, x) if self.number(0, 1) else (x, y)
        name = self.pick(names)
        value = getattr(self.b, name)(*operands)
        return self.settled(value) if name in ("max", "min") else value

    def settled(self, x: SSAValue) -> SSAValue:
        """Make zeros positive: which of two zeros is the larger one is left open."""
        return self.b.add(x, self.b.full_like(x, 0.0)) if dtype_of(x).kind == "f" else x

    def choice(self, x: SSAValue) -> SSAValue:
        if dtype_of(x).kind not in "bc" and self.number(0, 2) == 0:
            return self.settled(self.b.clamp(self.other(x), x, self.other(x)))
        predicates = ["eq", "ne"]
        if dtype_of(x).kind != "c":
            predicates += ["lt", "le", "gt", "ge"]
        operands = (x, self.other(x)) if self.number(0, 1) else (self.other(x), x)
        predicate = self.b.compare(self.pick(predicates), *operands)
        if self.number(0, 1):
            predicate = self.b.not_(predicate)
        if self.number(0, 2) == 0:
            return predicate
        return self.b.select(predicate, x, self.other(x))

    def conversion(self, x: SSAValue) -> SSAValue:
        return self.b.convert(x, self.pick(self.style.dtypes))

    # Shapes

    def shape_op(self, x: SSAValue) -> SSAValue:
        makers = [self.broadcast, self.reshape]
        if shape_of(x):
            makers += [self.transpose, self.slice, self.pad, self.concatenate, self.reverse]
        return self.pick(makers)(x) if prod(shape_of(x)) < 500 else self.slice(x)

    def broadcast(self, x: SSAValue) -> SSAValue:
        shape = list(shape_of(x))
        dims = list(range(len(shape)))
        for _ in range(self.number(1, 2)):
            place = self.number(0, len(shape))
            shape.insert(place, self.number(1, 3))
            dims = [d + (d >= place) for d in dims]
        return self.b.broadcast(x, tuple(shape), dims) if len(shape) < 6 else x

    def reshape(self, x: SSAValue) -> SSAValue:
        shape = shape_of(x)
        squeezed = tuple(n for n in shape if n != 1)
        place = self.number(0, len(shape))
        flat = (prod(shape),)
        return self.b.reshape(x, self.pick([squeezed, flat, (*shape[:place], 1, *shape[place:])]))

    def transpose(self, x: SSAValue) -> SSAValue:
        return self.b.transpose(x, self.shuffled(range(len(shape_of(x)))))

    def slice(self, x: SSAValue) -> SSAValue:
        starts, limits, strides = [], [], []
        for n in shape_of(x):
            starts.append(self.number(0, max(n - 1, 0)))
            limits.append(self.number(starts[-1], n))
            strides.append(self.number(1, 2))
        return self.b.slice(x, starts, limits, strides)

    def pad(self, x: SSAValue) -> SSAValue:
        low, high = ([self.number(0, 1) for _ in shape_of(x)] for _ in range(2))
        if self.number(0, 1):
            low[0] = -min(1, shape_of(x)[0])
        interior = [self.number(0, 1) for _ in low] if self.number(0, 3) == 0 else None
        value = self.b.full((), dtype_of(x), self.array((), dtype_of(x)))
        return self.b.pad(x, value, low, high, interior)

    def concatenate(self, x: SSAValue) -> SSAValue:
        dim = self.number(0, len(shape_of(x)) - 1)
        if self.number(0, 1):
            return self.b.concatenate([x, self.other(x)], dim)
        shape = shape_of(x)
        cut = self.number(0, shape[dim])
        zeros, limits = [0] * len(shape), list(shape)
        limits[dim] = zeros[dim] = cut
        left = self.b.slice(x, [0] * len(shape), limits)
        return self.b.concatenate([left, self.b.slice(x, zeros, shape)], dim)

    def reverse(self, x: SSAValue) -> SSAValue:
        return self.b.reverse(x, [d for d in range(len(shape_of(x))) if self.number(0, 1)])

    # Indexing

    def indexing(self, x: SSAValue) -> SSAValue:
        makers = [self.dynamic_slice, self.dynamic_update]
        if prod(shape_of(x)) and shape_of(x):
            makers += [self.gather, self.scatter]
        return self.pick(makers)(x)

    def some_position(self, shape: Shape) -> SSAValue:
        """Return positions, known or not, many of them out of range."""
        way = self.number(0, 3)
        if way == 0:
            return self.b.constant(self.array(shape, I64))
        if way == 1 and shape:
            count = self.b.iota(shape, I64, self.number(0, len(shape) - 1))
            return self.b.add(count, self.b.full(shape, I64, self.number(-1, 1)))
        numbers = [v for v in self.values if dtype_of(v).kind in "ui" and prod(shape_of(v))]
        if way == 2 and numbers:
            number = self.pick(numbers)
            flat = self.b.convert(self.b.reshape(number, (prod(shape_of(number)),)), I64)
            one = self.b.reshape(self.b.slice(flat, [0], [1]), ())
            return self.b.broadcast(one, shape, ())
        return self.b.full(shape, I64, self.number(-2, 4))

    def some_window(self, x: SSAValue) -> tuple[list[SSAValue], Shape]:
        sizes = tuple(self.number(min(n, 1), n) for n in shape_of(x))
        return [self.some_position(()) for _ in sizes], sizes

    def dynamic_slice(self, x: SSAValue) -> SSAValue:
        starts, sizes = self.some_window(x)
        return self.b.dynamic_slice(x, starts, sizes)

    def dynamic_update(self, x: SSAValue) -> SSAValue:
        starts, sizes = self.some_window(x)
        places = starts if self.number(0, 1) else self.some_window(x)[0]
        update = self.other(self.b.dynamic_slice(self.other(x), places, sizes))
        if self.number(0, 1):
            update = self.unary(update) if dtype_of(x).kind in "bi" else update
        return self.b.dynamic_update_slice(x, self.b.convert(update, dtype_of(x)), starts)

    def some_positions(self, x: SSAValue) -> tuple[list[SSAValue], list[int]]:
        rank = len(shape_of(x))
        dims = self.shuffled(range(rank))[: self.number(1, rank)]
        shape = self.pick([(), (3,), (2, 2)])
        return [self.some_position(shape) for _ in dims], dims

    def gather(self, x: SSAValue) -> SSAValue:
        return self.b.gather(x, *self.some_positions(x))

    def scatter(self, x: SSAValue) -> SSAValue:
        indices, dims = self.some_positions(x)
        kinds = ["set", "set"]
        if dtype_of(x).kind in "iuf":
            kinds += ["min", "max"]
        if self.may_sum(x):
            kinds += ["add", "add"]
        source = self.other(x)
        places = (
            indices if self.number(0, 1) else [self.some_position(shape_of(i)) for i in indices]
        )
        update = self.b.gather(source, places, dims)
        return self.settled(self.b.scatter(self.pick(kinds), x, update, indices, dims))

    # Ordering

    def sorting(self, x: SSAValue) -> SSAValue:
        """Sort x and others like it; which of two zeros comes first may be left open."""
        if not shape_of(x):
            return self.broadcast(x)
        arrays = self.shuffled([x, *(self.other(x) for _ in range(self.number(0, 2)))])
        keys = self.number(1, len(arrays))
        dim = self.number(0, len(shape_of(x)) - 1)
        *values, permutation = self.b.sort(arrays, dim, keys)
        if self.number(0, 1):
            self.values.append(permutation)
        return self.settled(self.pick(values))

    # Reductions and products

    def reduction(self, x: SSAValue) -> SSAValue:
        shape, dtype = tensor_info(x)
        if not shape:
            return self.broadcast(x)
        if self.number(0, 3) == 0 and dtype.kind in "iuf" and self.may_sum(x):
            return self.product(x)
        if self.number(0, 3) == 0 and dtype.kind != "c" and not self.style.sums:
            return self.scan(x)
        kinds = {"b": ["and", "or", "xor"], "c": ["add"], "f": ["min", "max"]}.get(
            dtype.kind, ["add", "mul", "min", "max", "and", "or", "xor"]
        )
        if self.style.sums:
            kinds = ["add", "add", "max"]
        elif dtype.kind == "c":
            return self.reverse(x)
        dims = [d for d in range(len(shape)) if self.number(0, 1)]
        return self.settled(self.b.reduce(self.pick(kinds), x, dims))

    def may_sum(self, x: SSAValue) -> bool:
        return dtype_of(x).kind in "iu" or self.style.sums

    def scan(self, x: SSAValue) -> SSAValue:
        dim = self.number(0, len(shape_of(x)) - 1)
        if self.number(0, 1) and shape_of(x)[dim]:
            return self.b.argreduce(self.pick(["min", "max"]), x, dim)
        if dtype_of(x).kind == "b":
            return x
        kind, reverse = self.pick(["min", "max"]), bool(self.number(0, 1))
        if self.number(0, 1):
            return self.settled(self.b.reduce_window(kind, x, [self.taps() for _ in shape_of(x)]))
        return self.settled(self.b.cumulative(kind, x, dim, reverse=reverse))

    def taps(self) -> Window:
        size, stride, dilation = self.number(1, 3), self.number(1, 2), self.number(1, 2)
        return Window(size, stride, dilation, self.number(0, 2), self.number(0, 2))

    def product(self, x: SSAValue) -> SSAValue:
        if self.products == 2 or prod(shape_of(x)) > 50:
            return x
        self.products += 1
        y = self.transpose(x)
        shape = shape_of(x)
        pairs = [
            (a, d)
            for a in range(len(shape))
            for d in range(len(shape))
            if shape[a] == shape_of(y)[d]
        ]
        batch: list[tuple[int, int]] = []
        contract: list[tuple[int, int]] = []
        for pair in self.shuffled(pairs):
            used = [*batch, *contract]
            if pair[0] in (a for a, _ in used) or pair[1] in (d for _, d in used):
                continue
            self.pick([batch, contract, contract, []]).append(pair)
        return self.b.dot_general(
            x,
            y,
            batch=([a for a, _ in batch], [d for _, d in batch]),
            contract=([a for a, _ in contract], [d for _, d in contract]),
        )


def place(line: int) -> LocationAttr:
    return source_location("user.py", line + 1, 1, "f")


def programs(style: Style, steps: int = 12) -> st.SearchStrategy[Program]:
    """Return random programs of three arguments and results; short ones if they fail."""
    return st.builds(
        lambda seed, length: ProgramMaker(Random(seed), style).make(length),
        st.integers(0, 2**32),
        st.integers(1, steps),
    )
