"""Where loops meet edges: of padding, of joined arrays, of windows that were replaced.

Whether an element is within a window is asked for each, unless it is known for all elements of a
loop. So a loop is emitted for the interior, where all such questions have one answer, apart from
the rest. As Halide does it: J. Ragan-Kelley et al., PLDI 2013, section 4.3 (partitioned loops).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any, Final, TypeAlias

from xdsl.ir import Operation, SSAValue

from ...ir.array import shape as s
from ...ir.array.indexing import DynamicUpdateSliceOp
from ...ir.kernel.space import is_elementwise
from ...ir.kernel.updates import known_starts
from .affine import Affine, Index
from .reader import INDEX_RULES, Leaf, Reader

Ranges: TypeAlias = dict[int, tuple[int, int]]
"""The first position and the end along axes."""

MIN_ELEMENTS: Final = 1024
"""Loops over fewer elements are not emitted several times."""

_FOLLOWED: Final = frozenset(
    (
        *(s.BroadcastOp, s.TransposeOp, s.SliceOp, s.ReverseOp, s.PadOp),
        *(s.ConcatenateOp, s.ReshapeOp, DynamicUpdateSliceOp),
    )
)
"""Ops whose index maps lead to edges, or may do."""


def interior(
    reader: Reader,
    values: Iterable[tuple[SSAValue, Index]],
    extents: Mapping[int, int],
    lanes: int = 1,
) -> Ranges:
    """Return the longest part of each loop without edges, where there are edges.

    Args:
        reader: knows what is in memory.
        values: what is computed, and at which index, in order so that no recursion gets deep.
        extents: the loops; the last one runs along memory.
        lanes: of a vector along the last loop.
    """
    if prod(extents.values()) < MIN_ELEMENTS:
        return {}
    finder = _Finder(reader)
    finder.bounds = {axis: (0, extent) for axis, extent in extents.items()}
    for value, index in values:
        finder.value(value, index)
    found = {}
    for axis, edges in finder.edges.items():
        if axis not in extents:  # that of a computed position
            continue
        extent = extents[axis]
        places = sorted({0, extent, *(edge for edge in edges if 0 < edge < extent)})
        longest = max(pairwise(places), key=lambda part: part[1] - part[0])
        if 2 * (longest[1] - longest[0]) >= extent > longest[1] - longest[0]:
            found[axis] = longest
    last = max(extents, default=0)
    if last in found and extents[last] % lanes == 0:  # so that all rows begin alike
        found[last] = _in_whole_vectors(found[last], extents[last], lanes)
    return found


def _in_whole_vectors(part: tuple[int, int], extent: int, lanes: int) -> tuple[int, int]:
    """Leave the whole first and last vector of a loop to the edges where they begin within them.

    If rows are as many whole vectors, those of the interior are then in one line of the cache each;
    one that crosses two takes twice the time to load or store.
    """
    low, high = part
    if low < lanes:
        low = min(low * lanes, lanes)
    if extent - high < lanes:
        high = extent - min((extent - high) * lanes, lanes)
    return (low, high) if low < high else part


def parts(axes: Sequence[int], inner: Ranges, extents: Mapping[int, int]) -> Iterator[Ranges]:
    """Split a nest of loops along the axes that have an interior: each range is one loop."""
    axis = next((a for a in axes if a in inner and extents[a] > 1), None)
    if axis is None:
        yield {}
        return
    rest = axes[axes.index(axis) + 1 :]
    low, high = inner[axis]
    for split in parts(rest, inner, extents):
        yield {axis: (low, high), **split}
    for edge in (0, low), (high, extents[axis]):
        if edge[0] < edge[1]:
            yield {axis: edge}


class _Finder(Reader):
    """Follows values to the questions that are asked of their indices, and computes nothing."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.b, reader.leaves)
        self.scalars = reader.scalars
        self.edges: dict[int, set[int]] = {}
        self._seen: set[tuple[SSAValue, Index]] = set()

    def value(self, v: SSAValue, index: Index) -> Any:
        """Follow a value."""
        if v in self.leaves or v in self.scalars or (v, index) in self._seen:
            return
        self._seen.add((v, index))
        op = v.owner
        if not isinstance(op, Operation):
            return
        if is_elementwise(type(op)):
            for operand in op.operands:
                self.value(operand, index)
        elif type(op) in _FOLLOWED and _is_known(op):
            INDEX_RULES[type(op)](self, op, index)

    def load(self, leaf: Leaf, place: Affine, dtype: object) -> Any:
        """Load nothing."""

    def within(self, form: Affine, low: int, high: int) -> Any:
        """Note where the answer changes."""
        if len(form.terms) == 1:
            ((axis, coefficient),) = form.terms
            if abs(coefficient) == 1:
                places = ((edge - form.constant) * coefficient for edge in (low, high))
                edges = self.edges.setdefault(axis, set())
                edges.update(place + (coefficient < 0) for place in places)
        return True

    def choose(self, conditions: Any, inside: Callable[[], Any], outside: Callable[[], Any]) -> Any:
        """Follow both."""
        inside()
        outside()


def _is_known(op: Operation) -> bool:
    return not isinstance(op, DynamicUpdateSliceOp) or known_starts(op) is not None
