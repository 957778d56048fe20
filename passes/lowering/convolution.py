"""Convolutions: blocks of the result in registers, with loops over taps and features inside.

A block has one or more vectors along an axis, the features out, the groups or the windows of the
last dimension, for each of some windows or features. The products of a tap and a feature in for the
whole block take one load for each side of it. An input with padding, or with gaps, is first copied
into memory that has them, one example at a time. Threads share the examples, or the loops around
the blocks of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import inf, prod
from typing import Final, NamedTuple

from xdsl.dialects import memref
from xdsl.ir import SSAValue

from ...ir.array.contraction import ConvolutionOp, groups_of, windows_of
from ...ir.array.window import Window
from ...ir.kernel.ops import FusionOp
from ...ir.types import Shape, dtype_of, row_major, shape_of
from . import reductions
from .affine import Affine, axis_index, combine, linearize
from .chunks import Chunks, parallel_chunks, split, unravel, whole
from .loop_builder import LoopBuilder
from .nest import NestEmitter, Store
from .reader import Leaf, Reader
from .vectors import Position, place_vector

BATCH, GROUP, CHANNEL, FEATURE, FLAT = range(5)
"""The axes of examples, groups, features into and out of a group, and of all memory."""

_SPACE, _TAP, _ELEMENT = 1 << 4, 1 << 5, 1 << 6
"""The axes of the first spatial dimension: of windows, of taps, of elements; others follow."""

REGISTERS: Final = 12
"""The vectors of a block at most: of 16 registers, some are left for the factors."""

WIDE_REGISTERS: Final = 24
"""The same for vectors of 64 bytes: processors that have them have 32 registers."""

LATENCY: Final = 8
"""The products that could be added while one is: four cycles of two each."""

UNROLLED: Final = 16
"""So many terms of a sum need no loops over them."""


class Sizes(NamedTuple):
    """The sizes of a convolution of at least one spatial dimension."""

    batch: int
    space: Shape
    groups: int
    channels: int
    features: int
    windows: tuple[Window, ...]

    @property
    def counts(self) -> Shape:
        """The windows along each spatial dimension."""
        return tuple(w.count_in(n) for w, n in zip(self.windows, self.space))


def sizes_of(op: ConvolutionOp) -> Sizes:
    """Return the sizes of a convolution; one of points slides a single tap over its batch."""
    batch, *space, _ = shape_of(op.lhs)
    kernel, groups = shape_of(op.rhs), groups_of(op.properties)
    windows = windows_of(kernel, op.properties)
    if not space:
        batch, space, windows = 1, [batch], (Window(1, 1, 1, 0, 0),)
    return Sizes(batch, tuple(space), groups, kernel[-2], kernel[-1] // groups, windows)


class Operand(NamedTuple):
    """An operand in memory, and where the element is that the loops' axes are at."""

    buffer: SSAValue
    place: Affine


class ConvolutionLowering:
    """Emits the loops of one fusion that is a ``convolution``."""

    def __init__(self, builder: LoopBuilder, fusion: FusionOp, op: ConvolutionOp) -> None:
        self.b = builder
        self.op = op
        self.dtype = dtype_of(op.result)
        self.widest = fusion.schedule.data.vector
        self.sizes = sizes_of(op)
        self.reader = Reader(builder, {})
        buffers: dict[SSAValue, SSAValue] = dict(zip(fusion.body.block.args, fusion.ins))
        self.source, self.weights = (
            self._flat(buffers[value], value) for value in (op.lhs, op.rhs)
        )
        self.targets = [self._flat(buffer, op.result) for buffer in fusion.outs]
        self.last = _SPACE + len(self.sizes.space) - 1
        self.extents = self._extents()
        self.vector, self.block = self._block_axes()
        extent, rows = self.extents[self.vector], self.extents[self.block]
        lanes = min(self.widest, 1 << max(extent - 1, 0).bit_length())
        self.lanes = lanes if lanes > 1 else 0
        is_wide = self.lanes * self.dtype.itemsize >= 64
        registers = WIDE_REGISTERS if is_wide else REGISTERS
        self.vectors, self.rows = _block_shape(extent, self.lanes, rows, registers)
        self.terms = self._terms()
        windows = range(_SPACE, self.last + 1)
        inner = (self.vector, self.block)
        self.outer = [axis for axis in (GROUP, FEATURE, *windows) if axis not in inner]
        self.is_parallel = bool(fusion.schedule.data.parallel)

    def _flat(self, buffer: SSAValue, value: SSAValue) -> SSAValue:
        return self.b.flat(buffer, self.dtype, prod(shape_of(value)))

    def _extents(self) -> dict[int, int]:
        sizes = self.sizes
        extents = {BATCH: sizes.batch, GROUP: sizes.groups}
        extents |= {CHANNEL: sizes.channels, FEATURE: sizes.features}
        extents |= {_SPACE + d: n for d, n in enumerate(sizes.counts)}
        return extents | {_TAP + d: window.size for d, window in enumerate(sizes.windows)}

    def _block_axes(self) -> tuple[int, int]:
        """Return the axis of vectors and that of the vectors of a block.

        Vectors run along the first axis that fills them, or else along the longest: features out,
        groups of one feature, windows.
        """
        axes = [FEATURE, self.last]
        if self.sizes.features == 1:
            axes.insert(1, GROUP)
        full = (axis for axis in axes if self.extents[axis] >= self.widest)
        vector = next(full, max(axes, key=self.extents.__getitem__))
        return vector, FEATURE if vector == self.last else self.last

    def _terms(self) -> list[tuple[int, bool]]:
        """Return the axes that a sum runs over, outermost first, and which of them are unrolled."""
        axes = [*(_TAP + d for d in range(len(self.sizes.windows))), CHANNEL]
        inner = [prod(self.extents[a] for a in axes[i:]) for i in range(len(axes))]
        return [
            (axis, count <= UNROLLED or self.extents[axis] == 1) for axis, count in zip(axes, inner)
        ]

    def emit(self) -> None:
        """Emit everything."""
        if 0 in shape_of(self.op.result):
            return
        examples, rows = self._chunks_of_examples(), self._chunks_of_rows()
        if examples.count <= max(rows.count, 1):
            with self._padded() as padded, self._loops([BATCH]):
                self._emit_example(padded, rows)
            return
        with (
            parallel_chunks(self.b, examples) as chunk,
            self._padded() as padded,
            self.b.loop(chunk.start, chunk.end, 1) as loop,
        ):
            self.reader.positions[BATCH] = loop.variable
            self._emit_example(padded, whole(rows.extent))

    # Threads

    def _chunks_of_examples(self) -> Chunks:
        batch = self.sizes.batch
        return split(batch, self._products() // batch) if self.is_parallel else whole(batch)

    def _chunks_of_rows(self) -> Chunks:
        """Split the loops around the blocks of one example."""
        extent = prod(self.extents[axis] for axis in self.outer)
        work = self._products() // (self.sizes.batch * extent)
        return split(extent, work) if self.is_parallel else whole(extent)

    def _products(self) -> int:
        return prod(self.extents.values())

    # Padding

    def _needs_padding(self) -> bool:
        return any(
            w.low > 0 or w.base_dilation > 1 or reach > w.low + w.spread(n)
            for w, n, reach in zip(self.sizes.windows, self.sizes.space, self._reach())
        )

    def _reach(self) -> list[int]:
        """Return the positions that windows see along each dimension, from the first one's on."""
        pairs = zip(self.sizes.windows, self.sizes.counts)
        return [(count - 1) * window.stride + window.span for window, count in pairs]

    @contextmanager
    def _padded(self) -> Iterator[Leaf | None]:
        """Give memory for what windows see of one example, all zero; None if that is the input."""
        if not self._needs_padding():
            yield None
            return
        owned: list[SSAValue] = []
        shape = (*self._reach(), self.sizes.groups * self.sizes.channels)
        leaf = Leaf(self.b.scratch(self.dtype, prod(shape), owned), row_major(shape))
        self.reader.scalars[self.op.result] = self.b.constant(self.dtype, 0, 0)
        self._nest({FLAT: prod(shape)}, Store(self.op.result, (), leaf, axis_index(FLAT)))
        del self.reader.scalars[self.op.result]
        yield leaf
        for buffer in owned:
            self.b.effect(memref.DeallocOp, (buffer,))

    def _copy_example(self, padded: Leaf) -> None:
        """Put an example's elements between the zeros."""
        sizes = self.sizes
        shape = (sizes.batch, *sizes.space, sizes.groups * sizes.channels)
        self.reader.leaves[self.op.lhs] = Leaf(self.source, row_major(shape))
        extents, index, target = {}, [axis_index(BATCH)], []
        for d, (window, n, reach) in enumerate(zip(sizes.windows, sizes.space, self._reach())):
            first, end = _visible(window, n, reach)
            element = axis_index(_ELEMENT + d).shifted(first)
            extents[_ELEMENT + d] = max(end - first, 0)
            index.append(element)
            target.append(element.scaled(window.base_dilation).shifted(window.low))
        extents[CHANNEL] = shape[-1]
        place = linearize((*target, axis_index(CHANNEL)), padded.strides)
        self._nest(extents, Store(self.op.lhs, (*index, axis_index(CHANNEL)), padded, place))

    def _nest(self, extents: Mapping[int, int], store: Store) -> None:
        self.reader.version += 1
        NestEmitter(self.reader, extents, [store], (), (), self.widest).emit(list(extents))

    # Operands

    def _input(self, padded: Leaf | None) -> Operand:
        """Return the input, at the loops' window, tap, and feature in."""
        sizes = self.sizes
        width = sizes.groups * sizes.channels
        shape = (*(sizes.space if padded is None else self._reach()), width)
        index = [
            combine([(axis_index(_SPACE + d), w.stride), (axis_index(_TAP + d), w.dilation)])
            for d, w in enumerate(sizes.windows)
        ]
        feature = combine([(axis_index(GROUP), sizes.channels), (axis_index(CHANNEL), 1)])
        if padded is not None:
            return Operand(padded.buffer, linearize((*index, feature), row_major(shape)))
        shifted = [form.shifted(-w.low) for form, w in zip(index, sizes.windows)]
        strides = row_major((sizes.batch, *shape))
        return Operand(self.source, linearize((axis_index(BATCH), *shifted, feature), strides))

    def _feature(self) -> Affine:
        return combine([(axis_index(GROUP), self.sizes.features), (axis_index(FEATURE), 1)])

    def _kernel(self) -> Operand:
        sizes = self.sizes
        taps = [axis_index(_TAP + d) for d in range(len(sizes.windows))]
        index = (*taps, axis_index(CHANNEL), self._feature())
        shape = (*(w.size for w in sizes.windows), sizes.channels, sizes.groups * sizes.features)
        return Operand(self.weights, linearize(index, row_major(shape)))

    def _result(self) -> Affine:
        sizes = self.sizes
        windows = [axis_index(_SPACE + d) for d in range(len(sizes.windows))]
        shape = (sizes.batch, *sizes.counts, sizes.groups * sizes.features)
        return linearize((axis_index(BATCH), *windows, self._feature()), row_major(shape))

    # Loops

    def _emit_example(self, padded: Leaf | None, rows: Chunks) -> None:
        """Loop over the blocks of one example."""
        if padded is not None:
            self._copy_example(padded)
        x, kernel = self._input(padded), self._kernel()
        shared, own = (kernel, x) if self.block == self.last else (x, kernel)
        if rows.count <= 1:
            with self._loops(self.outer):
                self._vectors(lambda: self._blocks(shared, own))
            return
        with (
            parallel_chunks(self.b, rows) as chunk,
            self.b.loop(chunk.start, chunk.end, 1) as loop,
        ):
            extents = [self.extents[axis] for axis in self.outer]
            positions = unravel(self.b, loop.variable, extents)
            self.reader.positions.update(zip(self.outer, positions))
            self._vectors(lambda: self._blocks(shared, own))

    @contextmanager
    def _loops(self, axes: Sequence[int]) -> Iterator[None]:
        """Open loops over axes, outermost first, where they have more than one iteration."""
        with ExitStack() as loops:
            for axis in axes:
                self.reader.positions[axis] = 0
                if self.extents[axis] != 1:
                    loop = loops.enter_context(self.b.loop(0, self.extents[axis], 1))
                    self.reader.positions[axis] = loop.variable
            yield

    def _vectors(self, emit: Callable[[], None]) -> None:
        """Let ``emit`` take the vectors of a block, and then those of the next ones."""
        extent, lanes = self.extents[self.vector], self.lanes * self.vectors
        self.reader.vector_axis, self.reader.lanes = self.vector, self.lanes

        def at(start: Position) -> None:
            self.reader.positions[self.vector], self.reader.mask = place_vector(
                self.b, start, extent, lanes=lanes, step=lanes, may_overlap=True
            )
            emit()
            self.reader.mask = None

        self._in_steps(extent, max(lanes, 1), at)

    def _blocks(self, shared: Operand, own: Operand) -> None:
        extent, rows = self.extents[self.block], self.rows
        full = extent // rows * rows
        self._in_steps(full, rows, lambda start: self._emit_block(start, rows, shared, own))
        if extent > full:
            self._emit_block(full, extent - full, shared, own)

    def _in_steps(self, extent: int, step: int, emit: Callable[[Position], None]) -> None:
        """Loop over the starts of steps, unless there is only one."""
        if extent <= step:
            emit(0)
            return
        with self.b.loop(0, extent, step) as loop:
            emit(loop.variable)

    def _emit_block(self, start: Position, count: int, shared: Operand, own: Operand) -> None:
        """Compute and store a block of ``count`` rows."""
        self.reader.positions[self.block] = start
        zero = self.b.constant(self.dtype, self.lanes, 0)
        totals = self._sums(self.terms, [zero] * (count * self.vectors), shared, own)
        place = self._result()
        for number, total in enumerate(totals):
            within = self._within_block(place, *divmod(number, self.vectors))
            for target in self.targets:
                self.reader.store(total, Leaf(target, ()), within)

    def _sums(
        self,
        terms: Sequence[tuple[int, bool]],
        totals: list[SSAValue],
        shared: Operand,
        own: Operand,
    ) -> list[SSAValue]:
        """Add up the terms of each vector of a block."""
        if not terms:
            return self._add_products(totals, shared, own)
        (axis, is_unrolled), *inner = terms
        if is_unrolled:
            for position in range(self.extents[axis]):
                self.reader.positions[axis] = position
                totals = self._sums(inner, totals, shared, own)
            return totals
        with self.b.loop(0, self.extents[axis], 1, totals) as loop:
            self.reader.positions[axis] = loop.variable
            loop.next = self._sums(inner, loop.carried, shared, own)
        return loop.results

    def _add_products(
        self, totals: Sequence[SSAValue], shared: Operand, own: Operand
    ) -> list[SSAValue]:
        """Add a product to each vector of a block; what is the same for several is loaded once."""
        columns = [self._load(shared, 0, v) for v in range(self.vectors)]
        is_row = own.place.coefficient(self.vector) == 0
        sums = []
        for number, total in enumerate(totals):
            row, v = divmod(number, self.vectors)
            if v == 0 or not is_row:
                factor = self._load(own, row, v)
            factors = self.reader.promoted((factor, columns[v]))
            sums.append(reductions.add_product(self.b, self.dtype, total, *factors))
        return sums

    def _load(self, operand: Operand, row: int, vector: int) -> SSAValue:
        place = self._within_block(operand.place, row, vector)
        return self.reader.load(Leaf(operand.buffer, ()), place, self.dtype)

    def _within_block(self, place: Affine, row: int, vector: int) -> Affine:
        along = vector * self.lanes
        return place.shifted(
            row * place.coefficient(self.block) + along * place.coefficient(self.vector)
        )


def _block_shape(extent: int, lanes: int, rows: int, registers: int) -> tuple[int, int]:
    """Return how many vectors, and how many rows of them, make blocks that take the least time.

    A block takes as long as its products, its loads or the latency of an addition, all counted in
    halves of a cycle; what blocks have beyond the ends is computed in vain.

    Args:
        extent: of the axis that vectors run along.
        lanes: of a vector, 0 for scalars.
        rows: the extent of the other axis.
        registers: the most vectors of a block.
    """
    width = max(lanes, 1)
    most = max(extent // width, 1) if lanes else 1
    best = (1, 1)
    least: tuple[float, int] = (inf, 0)
    for v in range(1, min(most, registers) + 1):
        for r in range(1, min(max(rows, 1), registers // v) + 1):
            blocks = -(-extent // (v * width)) * -(-rows // r)
            time = blocks * max(v * r, v + r, LATENCY), -r
            if time < least:
                best, least = (v, r), time
    return best


def _visible(window: Window, n: int, reach: int) -> tuple[int, int]:
    """Return the range of the n elements that are among the positions windows see."""
    first = max(-(window.low // window.base_dilation), 0)
    return first, min(n, -((window.low - reach) // window.base_dilation))
