"""Small arrays in registers: which SSA values hold their elements.

A small array is held as SSA values: vectors of a power of two of lanes and then scalars, which hold
its elements in row-major order. How many of which depends on its size alone (`widths_of`), so that
arrays of one type can be carried by loops whatever computes them. Elements have numbers; vectors
are put together from them when they are needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import prod
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from xdsl.dialects import vector
from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.ir import Attribute, SSAValue

from ...ir.attributes import ReduceKind
from ...ir.integer_arrays import dense_i64
from ...ir.kernel.memory import StridedLoadOp
from ...ir.types import Shape, Tensor, tensor_info
from . import elementwise, reductions
from .loop_builder import LoopBuilder, value_type

WIDTHS: Final = (16, 8, 4)
"""The lanes of the vectors that an array is held in. LLVM splits those that are too wide."""

MIN_VECTOR_SIZE: Final = 8
"""An array of fewer elements is held in scalars, which are moved at no cost."""

Parts: TypeAlias = tuple[SSAValue, ...]
"""The SSA values that hold a small array."""


@cache
def widths_of(size: int) -> tuple[int, ...]:
    """Return the lanes of each value that holds part of ``size`` elements; 0 is a scalar."""
    widths: list[int] = []
    rest = size
    if size >= MIN_VECTOR_SIZE:
        for width in WIDTHS:
            widths += [width] * (rest // width)
            rest %= width
    return (*widths, *[0] * rest)


class Element(NamedTuple):
    """Where an element is: a scalar, a lane of a vector, or a place in a flat buffer."""

    source: SSAValue
    lane: int | None = None
    offset: int | None = None


class Held:
    """A small array: its parts, or the numbers of its elements, or both.

    The numbers, in row-major order, are those of `Registers.elements`.
    """

    def __init__(
        self, dtype: np.dtype, parts: Parts | None = None, numbers: np.ndarray | None = None
    ) -> None:
        self.dtype = dtype
        self.parts = parts
        self.numbers = numbers


class Registers:
    """Makes parts of elements and elements of parts, within one kernel."""

    def __init__(self, builder: LoopBuilder) -> None:
        self.b = builder
        self.elements: list[Element] = []
        self._numbers: dict[Element, int] = {}
        self._scalars: dict[int, SSAValue] = {}

    # Elements

    def number(self, element: Element) -> int:
        """Return the number of an element."""
        found = self._numbers.get(element)
        if found is None:
            found = self._numbers[element] = len(self.elements)
            self.elements.append(element)
        return found

    def numbers(self, held: Held, shape: Shape) -> np.ndarray:
        """Return the numbers of an array's elements, as an array of its shape."""
        if held.numbers is None:
            assert held.parts is not None
            listed: list[int] = []
            for part in held.parts:
                lanes = elementwise.lanes_of(part)
                places = range(lanes) if lanes else (None,)
                listed += [self.number(Element(part, lane)) for lane in places]
            held.numbers = np.array(listed, np.int64)
        return held.numbers.reshape(shape)

    def in_memory(self, buffer: SSAValue, offsets: np.ndarray, dtype: np.dtype) -> Held:
        """Return the array of the elements at ``offsets`` of a flat buffer."""
        listed = [self.number(Element(buffer, None, int(k))) for k in offsets.ravel()]
        return Held(dtype, numbers=np.array(listed, np.int64))

    def constant(self, array: np.ndarray) -> Held:
        """Return a constant array."""
        dtype = array.dtype
        made = (self.b.constant(dtype, 0, element) for element in array.ravel())
        return Held(dtype, numbers=np.array([self.number(Element(v)) for v in made], np.int64))

    def scalar(self, number: int, dtype: np.dtype) -> SSAValue:
        """Return an element as a scalar."""
        found = self._scalars.get(number)
        if found is None:
            found = self._scalars[number] = self._scalar(self.elements[number], dtype)
        return found

    def _scalar(self, element: Element, dtype: np.dtype) -> SSAValue:
        source, lane, offset = element
        if offset is not None:
            return self.b.load(source, self.b.index(offset), dtype, 0)
        if lane is None:
            return source
        position = dense_i64([lane])
        type_ = value_type(dtype, 0)
        return self.b.append(vector.ExtractOp, (source,), type_, {"static_position": position})

    # Parts

    def parts(self, held: Held) -> Parts:
        """Return the values that hold an array."""
        if held.parts is None:
            assert held.numbers is not None
            parts, start = [], 0
            listed: list[int] = held.numbers.ravel().tolist()
            for width in widths_of(len(listed)):
                end = start + max(width, 1)
                parts.append(self.vector(listed[start:end], held.dtype, width))
                start = end
            held.parts = tuple(parts)
        return held.parts

    def vector(self, numbers: Sequence[int], dtype: np.dtype, width: int) -> SSAValue:
        """Return the elements of these numbers as one value."""
        if not width:
            return self.scalar(numbers[0], dtype)
        found = self.cheap_vector(numbers, dtype, width)
        if found is not None:
            return found
        base, others = self._base(numbers, dtype, width)
        for lane in others:
            scalar = self.scalar(numbers[lane], dtype)
            properties = {"static_position": dense_i64([lane])}
            base = self.b.append(vector.InsertOp, (scalar, base), base.type, properties)
        return base

    def _base(
        self, numbers: Sequence[int], dtype: np.dtype, width: int
    ) -> tuple[SSAValue, list[int]]:
        """Return a vector that has some of the elements in place, and the lanes that differ."""
        chosen = [self.elements[number] for number in numbers]
        in_place = Counter(e.source for lane, e in enumerate(chosen) if e.lane == lane)
        for source, count in in_place.most_common(1):
            if count > 1 and elementwise.lanes_of(source) == width:
                kept = [Element(source, lane) for lane in range(width)]
                return source, [i for i in range(width) if chosen[i] != kept[i]]
        first = self.b.splat(self.scalar(numbers[0], dtype), width)
        return first, [i for i in range(1, width) if numbers[i] != numbers[0]]

    def cheap_vector(self, numbers: Sequence[int], dtype: np.dtype, width: int) -> SSAValue | None:
        """Return the elements of these numbers as a vector if that takes few instructions."""
        chosen = [self.elements[number] for number in numbers]
        first = chosen[0]
        if all(element == first for element in chosen):
            return self.b.splat(self.scalar(numbers[0], dtype), width)
        sources = list(dict.fromkeys(element.source for element in chosen))
        if all(element.offset is not None for element in chosen):
            return self._loaded(chosen, dtype, width) if len(sources) == 1 else None
        if all(element.lane is not None for element in chosen):
            return self._shuffled(chosen, sources, dtype, width)
        values = [self.b.known(element.source) for element in chosen]
        known = [value for value in values if value is not None]
        return self.b.constant_vector(np.stack(known)) if len(known) == width else None

    def _loaded(self, chosen: Sequence[Element], dtype: np.dtype, width: int) -> SSAValue | None:
        offsets = [element.offset for element in chosen]
        step = offsets[1] - offsets[0]  # type: ignore[operator]
        if offsets != [offsets[0] + step * i for i in range(width)]:  # type: ignore[operator]
            return None
        buffer, first = chosen[0].source, self.b.index(offsets[0])  # type: ignore[arg-type]
        if step == 1:
            return self.b.load(buffer, first, dtype, width)
        stride = {"stride": IntegerAttr(step, i64)}
        return self.b.append(StridedLoadOp, (buffer, first), value_type(dtype, width), stride)

    def _shuffled(
        self,
        chosen: Sequence[Element],
        sources: Sequence[SSAValue],
        dtype: np.dtype,
        width: int,
    ) -> SSAValue | None:
        """Put a vector together from lanes of one or two others of equal width."""
        if len(sources) > 2 or sources[0].type != sources[-1].type:
            return None
        lanes = elementwise.lanes_of(sources[0])
        places = [
            element.lane + (0 if element.source is sources[0] else lanes)  # type: ignore[operator]
            for element in chosen
        ]
        if lanes == width and places == list(range(width)):
            return sources[0]
        return self.shuffle((sources[0], sources[-1]), places, dtype)

    def shuffle(
        self, sources: tuple[SSAValue, SSAValue], lanes: Sequence[int], dtype: np.dtype
    ) -> SSAValue:
        """Return lanes of two vectors, those of the second counted on from the first's."""
        properties = {"mask": dense_i64(lanes)}
        type_ = value_type(dtype, len(lanes))
        return self.b.append(vector.ShuffleOp, sources, type_, properties)

    # Arithmetic on parts

    def each(self, compute: Callable[..., SSAValue], dtype: np.dtype, *operands: Held) -> Held:
        """Apply a function of scalars or vectors to each part."""
        columns = zip(*map(self.parts, operands))
        return Held(dtype, tuple([compute(*values) for values in columns]))

    def combine(self, kind: ReduceKind, left: Held, right: Held) -> Held:
        """Combine two arrays of one size, element by element."""
        dtype = left.dtype
        return self.each(
            lambda x, y: reductions.combine(self.b, kind, dtype, x, y), dtype, left, right
        )

    def total(self, kind: ReduceKind, held: Held) -> SSAValue:
        """Combine all elements of an array, in an order that its size gives."""
        dtype = held.dtype
        by_width: dict[int, list[SSAValue]] = {}
        for part in self.parts(held):
            by_width.setdefault(elementwise.lanes_of(part), []).append(part)
        scalars = []
        for values in by_width.values():
            total = self._tree(kind, dtype, values)
            scalars.append(reductions.combine_lanes(self.b, kind, dtype, total))
        return self._tree(kind, dtype, scalars)

    def _tree(self, kind: ReduceKind, dtype: np.dtype, values: Sequence[SSAValue]) -> SSAValue:
        """Combine neighbours first, which takes the least time."""
        values = list(values)
        while len(values) > 1:
            pairs = zip(values[::2], values[1::2])
            joined = [reductions.combine(self.b, kind, dtype, x, y) for x, y in pairs]
            values = joined + values[len(values) & ~1 :]
        return values[0]

    def collect(self, dtype: np.dtype, scalars: Iterable[SSAValue]) -> Held:
        """Return the array of these elements."""
        numbers = [self.number(Element(scalar)) for scalar in scalars]
        return Held(dtype, numbers=np.array(numbers, np.int64))


def types_of(tensor: Tensor) -> list[Attribute]:
    """Return the types of the values that hold an array of a type."""
    shape, dtype = tensor_info(tensor)
    return [value_type(dtype, width) for width in widths_of(prod(shape))]


def load(b: LoopBuilder, buffer: SSAValue, tensor: Tensor) -> Parts:
    """Read a small array from memory."""
    shape, dtype = tensor_info(tensor)
    registers, size = Registers(b), prod(shape)
    flat = b.flat(buffer, dtype, size)
    return registers.parts(registers.in_memory(flat, np.arange(size), dtype))


def store(b: LoopBuilder, parts: Parts, buffer: SSAValue, tensor: Tensor) -> None:
    """Write a small array to memory."""
    shape, dtype = tensor_info(tensor)
    flat, offset = b.flat(buffer, dtype, prod(shape)), 0
    for part in parts:
        b.store(part, flat, b.index(offset))
        offset += max(elementwise.lanes_of(part), 1)
