"""Loops in chunks: right, and the same bits in whatever order and by however many threads."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects import scf

from gradatim.ir.array.window import Window
from gradatim.ir.kernel.schedule import Schedule
from gradatim.passes.lowering.chunks import split

from .lowered import check, in_orders, lowered, softmax

RANDOM = np.random.default_rng(21)
PLAIN = Window(1, 1, 1, 0, 0)


def parallel_loops(build, arrays, schedule):
    """Return the numbers of chunks of a kernel's parallel loops."""
    loops = [op for op in lowered(build, arrays, schedule).walk() if isinstance(op, scf.ParallelOp)]
    return [op.upperBound[0].owner.value.value.data for op in loops]


def check_split(build, *arrays, schedule, loops):
    """Assert that a kernel has so many parallel loops, is right, and gives the same bits always."""
    counts = parallel_loops(build, arrays, schedule)
    assert len(counts) == loops
    assert all(count > 1 for count in counts)
    check(build, *arrays, schedule=schedule)
    first, *others = in_orders(build, arrays, schedule)
    for other in others:
        for want, got in zip(first, other, strict=True):
            assert want.tobytes() == got.tobytes()


# How loops are split


@pytest.mark.parametrize("extent", [0, 1, 2, 3, 31, 64, 1000, 4096, 8191, 8192, 10**6, 10**9])
@pytest.mark.parametrize("work", [0, 1, 7, 5000])
@pytest.mark.parametrize("multiple", [1, 8, 64])
def test_chunks_cover_a_loop(extent, work, multiple):
    chunks = split(extent, work, multiple)
    assert chunks.size % multiple == 0
    assert chunks.count * chunks.size >= extent
    assert (chunks.count - 1) * chunks.size < max(extent, 1)
    assert chunks.count <= 128
    if chunks.count > 1:
        assert chunks.size * work >= 4096


# Columns


@pytest.mark.parametrize("length", [*range(8192, 8192 + 40), 12345, 65536, 100_003])
@pytest.mark.parametrize("vector", [1, 8])
def test_elementwise_of_any_length(length, vector):
    check_split(
        lambda b, x: b.mul(x, b.sin(b.mul(x, x))),
        RANDOM.random(length),
        schedule=Schedule(parallel=(0,), vector=vector),
        loops=1,
    )


@pytest.mark.parametrize("length", [0, 1, 100, 8191])
def test_a_short_loop_is_not_split(length):
    x = RANDOM.random(length)
    schedule = Schedule(parallel=(0,), vector=8)
    assert parallel_loops(lambda b, x: b.exp(x), [x], schedule) == []
    check(lambda b, x: b.exp(x), x, schedule=schedule)


@pytest.mark.parametrize("shape", [(100, 150), (2, 10_007), (3, 5000), (7, 9, 400), (20_001, 1)])
def test_elementwise_of_any_shape(shape):
    rank = len(shape)

    def build(b, x, row, column):
        row = b.broadcast(row, shape, [rank - 1])
        return b.add(b.mul(b.transpose(b.transpose(x, range(rank)), range(rank)), row), column)

    schedule = Schedule(parallel=tuple(range(rank)), vector=8)
    check_split(
        build,
        RANDOM.random(shape),
        RANDOM.random(shape[-1]),
        RANDOM.random(shape),
        schedule=schedule,
        loops=1,
    )


@pytest.mark.parametrize("length", [8192, 8193, 12_289, 100_003])
@pytest.mark.parametrize("unroll", [1, 4])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("add", np.float32), ("add", np.float64), ("max", np.float32), ("mul", np.int32)],
)
def test_whole_reductions(length, unroll, kind, dtype):
    x = (RANDOM.random(length) * 2 + 1).astype(dtype)
    check_split(
        lambda b, x: b.reduce(kind, x, [0]),
        x,
        schedule=Schedule(parallel=(0,), vector=8, unroll=unroll),
        loops=1,
    )


def test_sibling_reductions_and_a_result():
    def build(b, x):
        y = b.exp(x)
        return [b.reduce("add", y, [0, 1]), y, b.reduce("max", x, [0, 1])]

    schedule = Schedule(parallel=(0,), vector=8, unroll=4)
    check_split(build, RANDOM.random((300, 101)), schedule=schedule, loops=1)


def test_reductions_that_later_loops_use():
    """One parallel loop for the maximum, one for the sum, one for the quotients."""
    schedule = Schedule(parallel=(0,), vector=8, unroll=2)
    check_split(softmax, RANDOM.random(50_001), schedule=schedule, loops=3)


# Rows


@pytest.mark.parametrize("shape", [(64, 200), (1000, 100), (37, 5000), (9, 11, 301)])
def test_softmax_rows(shape):
    """The longest row's scratch memory is not on the stack."""
    rows = tuple(range(len(shape) - 1))
    schedule = Schedule(rows=rows, parallel=rows, vector=8, unroll=2)
    check_split(softmax, RANDOM.random(shape), schedule=schedule, loops=1)


def test_the_first_of_the_rows():
    schedule = Schedule(rows=(0, 1), parallel=(0,), vector=8)
    check_split(softmax, RANDOM.random((9, 11, 301)), schedule=schedule, loops=1)


@pytest.mark.parametrize("shape", [(200, 100), (1000, 40), (5000, 3), (333, 301)])
@pytest.mark.parametrize("kind", ["add", "max"])
def test_reductions_over_rows(shape, kind):
    """Each chunk accumulates in its own memory."""

    def build(b, x):
        whole = b.reduce(kind, b.exp(x), [0, 1])
        return [b.reduce(kind, x, [0]), whole, b.exp(x), b.reduce(kind, x, [1])]

    schedule = Schedule(rows=(0,), parallel=(0,), vector=8)
    check_split(build, RANDOM.random(shape), schedule=schedule, loops=1)


@pytest.mark.parametrize("dims", [[0], [1], [0, 1], [1, 2], [0, 2]])
@pytest.mark.parametrize("parallel", [(0,), (0, 1)])
def test_reductions_over_some_rows(dims, parallel):
    """Chunks either have places of their own in the result or are added up."""
    schedule = Schedule(rows=(0, 1), parallel=parallel, vector=8)
    x = RANDOM.random((64, 50, 30))
    check(lambda b, x: b.reduce("add", x, dims), x, schedule=schedule)
    first, *others = in_orders(lambda b, x: b.reduce("add", x, dims), [x], schedule)
    assert all(first[0].tobytes() == other[0].tobytes() for other in others)


def test_many_results_of_few_rows_are_not_split():
    """Adding up the chunks would be as much work as the kernel."""
    schedule = Schedule(rows=(0,), parallel=(0,), vector=8)
    x = RANDOM.random((8, 5000))
    assert parallel_loops(lambda b, x: b.reduce("add", x, [0]), [x], schedule) == []


def test_a_result_twice():
    def build(b, x):
        total = b.reduce("add", x, [0])
        return [total, total]

    schedule = Schedule(rows=(0,), parallel=(0,), vector=8)
    check_split(build, RANDOM.random((500, 30)), schedule=schedule, loops=1)


# Products


@pytest.mark.parametrize("size", [(700, 300, 90), (300, 700, 90), (800, 5, 4000), (6, 999, 3000)])
@pytest.mark.parametrize("left_first", [True, False])
@pytest.mark.parametrize("right_first", [True, False])
def test_panels_of_a_large_product(size, left_first, right_first):
    """The longer side of the result is split, whichever way the operands lie in memory."""
    m, n, k = size
    left = RANDOM.random((m, k) if left_first else (k, m), dtype=np.float32)
    right = RANDOM.random((k, n) if right_first else (n, k), dtype=np.float32)
    contract = ((int(left_first),), (int(not right_first),))
    check_split(
        lambda b, x, y: b.dot_general(x, y, contract=contract),
        left,
        right,
        schedule=Schedule(parallel=(0, 1), library="gemm"),
        loops=1,
    )


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("vector_first", [True, False])
def test_panels_of_a_matrix_times_a_vector(transposed, vector_first):
    matrix, vector = RANDOM.random((3001, 3001)), RANDOM.random(3001)
    contract = ((0,), (int(transposed),))

    def build(b, x, y):
        if vector_first:
            return b.dot_general(y, x, contract=contract)
        return b.dot_general(x, y, contract=contract[::-1])

    check_split(build, matrix, vector, schedule=Schedule(parallel=(0,), library="gemm"), loops=1)


@pytest.mark.parametrize("library", [None, "gemm"])
@pytest.mark.parametrize("batch", [(300,), (7, 43), (1, 600)])
def test_batches_of_products(library, batch):
    dims = tuple(range(len(batch)))
    contract = ((len(batch) + 1,), (len(batch),))
    check_split(
        lambda b, x, y: b.dot_general(x, y, batch=(dims, dims), contract=contract),
        RANDOM.random((*batch, 9, 10)),
        RANDOM.random((*batch, 10, 13)),
        schedule=Schedule(rows=dims, parallel=dims, vector=8, library=library),
        loops=1,
    )


def test_rows_of_a_product_in_loops():
    left, right = RANDOM.integers(-9, 9, (101, 40)), RANDOM.integers(-9, 9, (40, 33))
    check_split(
        lambda b, x, y: b.dot_general(x, y, contract=((1,), (0,))),
        left,
        right,
        schedule=Schedule(rows=(0,), parallel=(0,), vector=8),
        loops=1,
    )


def test_few_batches_of_large_products():
    """Each of the products is split, one after the other."""
    check_split(
        lambda b, x, y: b.dot_general(x, y, batch=((0,), (0,)), contract=((2,), (1,))),
        RANDOM.random((2, 400, 300), dtype=np.float32),
        RANDOM.random((2, 300, 200), dtype=np.float32),
        schedule=Schedule(rows=(0,), parallel=(0,), library="gemm"),
        loops=1,
    )


# Windows and convolutions


@pytest.mark.parametrize(
    ("shape", "windows", "loops"),
    [
        ((20_011,), [Window(3, 2, 1, 0, 0)], 1),
        ((20_011,), [Window(3, 1, 1, 1, 1)], 1),
        ((97, 211), [Window(3, 1, 1, 1, 1), Window(2, 1, 1, 1, 0)], 1),
        ((3, 20_011, 1), [PLAIN, Window(3, 1, 1, 1, 1), PLAIN], 1),
        ((2, 40, 40, 9), [PLAIN, Window(7, 2, 1, 3, 3), Window(7, 2, 1, 3, 3), PLAIN], 5),
        ((100,), [Window(3, 1, 1, 1, 1)], 0),
    ],
    ids=str,
)
def test_windows(shape, windows, loops):
    schedule = Schedule(parallel=(0,), vector=8)
    check_split(
        lambda b, x: b.reduce_window("add", x, windows),
        RANDOM.random(shape),
        schedule=schedule,
        loops=loops,
    )


@pytest.mark.parametrize(
    ("left", "right", "windows", "groups", "loops"),
    [
        ((20, 9, 12, 3), (3, 3, 3, 16), [Window(3, 1, 1, 1, 1)] * 2, 1, 1),  # among examples
        ((2, 40, 30, 6), (3, 3, 3, 18), [Window(3, 1, 1, 1, 1)] * 2, 2, 1),  # among rows
        ((1, 33, 17, 4), (3, 2, 4, 5), [Window(3, 1, 1, 0, 0), Window(2, 1, 1, 0, 0)], 1, 1),
        ((1, 300, 40), (3, 10, 40), [Window(3, 1, 1, 1, 1)], 4, 1),  # among groups
        ((2, 9, 3), (3, 3, 8), [Window(3, 1, 1, 1, 1)], 1, 0),
    ],
    ids=str,
)
def test_convolutions(left, right, windows, groups, loops):
    schedule = Schedule(rows=(0,), parallel=(0,), vector=8)
    check_split(
        lambda b, x, w: b.convolution(x, w, windows, groups),
        RANDOM.random(left),
        RANDOM.random(right),
        schedule=schedule,
        loops=loops,
    )


# Lines


@pytest.mark.parametrize(("shape", "dim"), [((100, 203), 0), ((100, 203), 1), ((3, 50, 301), 1)])
@pytest.mark.parametrize("kind", ["min", "max"])
def test_argreduce(shape, dim, kind):
    x = RANDOM.integers(0, 9, shape).astype(np.float64)
    rows = tuple(d for d in range(len(shape)) if d != dim)
    schedule = Schedule(rows=rows, parallel=rows, vector=8)
    check_split(lambda b, x: b.argreduce(kind, x, dim), x, schedule=schedule, loops=1)


@pytest.mark.parametrize(("shape", "dim"), [((100, 203), 0), ((100, 203), 1), ((3, 50, 301), 1)])
@pytest.mark.parametrize("reverse", [False, True])
def test_cumulative(shape, dim, reverse):
    rows = tuple(d for d in range(len(shape)) if d != dim)
    schedule = Schedule(rows=rows, parallel=rows, vector=8)
    check_split(
        lambda b, x: b.cumulative("add", x, dim, reverse=reverse),
        RANDOM.random(shape),
        schedule=schedule,
        loops=1,
    )
