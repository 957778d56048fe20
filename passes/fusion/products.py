"""Schedules of products of matrices: the library's, or loops over tiles.

A *tile* is some rows by some vectors of columns of the result, which stay in registers while the
sums are formed; so a term of the sums is a few loads for many multiplications. The library does the
same, after it has copied both operands into the order in which it needs them. Loops copy nothing,
which is faster as long as the right operand stays in a near cache as it is, and lies such that
vectors run along its columns. They are also compiled for the sizes at hand.

The bounds below are measured: within them loops took at most as long as OpenBLAS with the kernels
of the same vectors, for 3 to 6400 rows, sums of 16 to 512 terms, and up to 1024 columns.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ...ir.array.contraction import DotGeneralOp, free_dims
from ...ir.kernel.schedule import Schedule
from ...ir.types import dtype_of, shape_of
from ..products import sizes_of
from .cost import FLOP_TIME, flops_in
from .target import Target, first_of, lanes_of

GEMM_PRODUCTS: Final = 4096
"""A product of fewer multiplications is computed by loops: a call costs more."""


LEAST_ROWS: Final = 3
"""For fewer rows the library, too, copies nothing."""

FEW_VECTORS: Final = 16
"""So few vectors of columns are near each other."""


class Registers(NamedTuple):
    """What a processor's vector registers allow.

    Attributes:
        number: how many there are.
        rows: the most rows of a tile.
        near: the bytes of a right operand that is near.
        stride: the bytes of its rows from which on each of them is far from the one before.
    """

    number: int
    rows: int
    near: int
    stride: int


WIDE: Final = Registers(number=32, rows=8, near=1 << 19, stride=1 << 14)
"""Those of 512 bits."""

NARROW: Final = Registers(number=16, rows=6, near=1 << 18, stride=1 << 12)
"""Those of 256 bits and fewer."""


def _registers(target: Target) -> Registers:
    return WIDE if target.vector_bits >= 512 else NARROW


def schedule_product(op: DotGeneralOp, target: Target) -> Schedule:
    """Return the schedule of a product that is a kernel of its own."""
    domain, dtype, sizes = shape_of(op.result), dtype_of(op.result), sizes_of(op)
    registers = _registers(target)
    is_long = flops_in(op) * FLOP_TIME > target.parallel_microseconds
    products = sizes.rows * sizes.columns * sizes.depth
    widest = lanes_of([dtype], target.vector_bits)
    by_loops = is_read_along_columns(op) and suits_loops(op, target)
    if products > GEMM_PRODUCTS and dtype.kind in "fc" and not by_loops:
        rows = tuple(range(len(sizes.batch)))
        outer = rows or tuple(range(len(domain)))
        return Schedule(rows, outer if is_long else (), library="gemm")
    rows = tuple(range(len(domain) - 1))
    length = domain[-1] if domain else sizes.depth
    lanes = min(widest, 1 << max(length - 1, 0).bit_length())
    tile = _tile_rows(sizes.rows, registers)
    vectors = _tile_vectors(-(-sizes.columns // lanes), tile, registers)
    parallel = first_of(rows, domain) if is_long else ()
    return Schedule(rows, parallel, lanes, unroll=vectors, tile=tile)


def suits_loops(op: DotGeneralOp, target: Target) -> bool:
    """Tell whether loops are at least as fast as the library if they read along columns."""
    sizes, dtype, registers = sizes_of(op), dtype_of(op.result), _registers(target)
    line = sizes.columns * dtype.itemsize
    return (
        dtype.kind == "f"
        and sizes.rows >= LEAST_ROWS
        and sizes.columns >= lanes_of([dtype], target.vector_bits)
        and line < registers.stride
        and line * sizes.depth <= registers.near
    )


def is_read_along_columns(op: DotGeneralOp) -> bool:
    """Tell whether the columns of the right operand are next to each other in memory."""
    rank = len(shape_of(op.rhs))
    kept = (*op.rhs_batch.data, *op.rhs_contract.data)
    return (*kept, *free_dims(rank, kept)) == tuple(range(rank))


def _tile_rows(rows: int, registers: Registers) -> int:
    """Return the rows of a tile: so many that the last tile, too, is full or nearly so."""
    tiles = max(-(-rows // registers.rows), 1)
    return max(-(-rows // tiles), 1)


def _tile_vectors(vectors: int, rows: int, registers: Registers) -> int:
    """Return the vectors of a row of a tile, of so many vectors in all.

    The registers hold the tile, a vector for each of its columns and a number of one of its rows.
    Few vectors are divided evenly if that makes a tile but a third smaller, since a last tile of
    its own is as much code again.
    """
    most = max((registers.number - 1) // (rows + 1), 1)
    balanced = max(-(-vectors // max(-(-vectors // most), 1)), 1)
    if vectors <= FEW_VECTORS:
        even = (n for n in range(most, 0, -1) if vectors % n == 0 and 3 * n >= 2 * balanced)
        return next(even, balanced)
    return balanced
