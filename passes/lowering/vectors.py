"""The last vector of a loop whose extent is no multiple of the lanes."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.ir import SSAValue

from .loop_builder import INDEX, NO_OVERFLOW_FLAGS, LoopBuilder

Position = SSAValue | int


def place_vector(
    b: LoopBuilder,
    start: Position,
    extent: int,
    lanes: int,
    step: int,
    may_overlap: bool,
    origin: int = 0,
) -> tuple[Position, SSAValue | None]:
    """Return where the vector at ``start`` is to begin, and the mask of the lanes that count.

    A vector that would pass the end begins earlier if elements may be computed twice; else its
    surplus lanes are masked. ``step`` is the distance of the loop's iterations, which begin at
    ``origin``.
    """
    if not lanes or extent % step == 0:
        return start, None
    end = origin + extent
    if may_overlap and extent >= lanes:
        return _at_most(b, start, end - lanes), None
    if isinstance(start, int):
        if start + lanes <= end:
            return start, None
        return start, b.mask(b.index(max(end - start, 0)), lanes)
    left = b.append(arith.SubiOp, (b.index(end), start), INDEX, NO_OVERFLOW_FLAGS)
    return start, b.mask(left, lanes)


def _at_most(b: LoopBuilder, start: Position, limit: int) -> Position:
    if isinstance(start, int):
        return min(start, limit)
    return b.append(arith.MinSIOp, (start, b.index(limit)), INDEX)
