"""Kernels lowered to loops and compiled, against the reference interpreter."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest

from gradatim.ir.kernel.schedule import Schedule

from .lowered import check, softmax

RANDOM = np.random.default_rng(20)
LENGTHS = [0, 1, 2, 3, 4, 8, 13, 64, 1003]
MATRICES = [(3, 5), (4, 16), (10, 100), (3, 1), (1, 7), (0, 4), (4, 0)]
FLOATS = [np.float32, np.float64]
INTEGERS = [np.int8, np.int32, np.int64, np.uint8, np.uint32, np.uint64]
EDGES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -2.5, 1e-300, 1e300])


def spread(dtype, size=41):
    """Numbers of a dtype, with the special ones."""
    if np.dtype(dtype).kind == "f":
        with np.errstate(over="ignore"):
            return np.concatenate([RANDOM.normal(size=size), EDGES]).astype(dtype)
    limits = np.iinfo(dtype)
    return RANDOM.integers(limits.min, limits.max, size, dtype, endpoint=True)


def rows(vector=8, unroll=1):
    return Schedule(rows=(0,), vector=vector, unroll=unroll)


# Elementwise


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("vector", [1, 4, 16])
def test_vectors_of_any_length(length, vector):
    x = RANDOM.random(length)
    check(lambda b, x: b.mul(x, b.sin(b.mul(x, x))), x, schedule=Schedule(vector=vector))


def test_scalar():
    check(lambda b, x: b.mul(x, b.sin(b.mul(x, x))), np.float64(0.13))


UNARY = {
    "f": "neg abs sign floor ceil trunc round_even sqrt rsqrt cbrt exp exp2 expm1 log log2 log10 "
    "log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh is_finite logistic erf erfc",
    "i": "neg abs sign not_ population_count count_leading_zeros",
}
BINARY = {
    "f": "add sub mul div rem max min copy_sign next_after",
    "i": "add sub mul div rem max min and_ or_ xor shift_left shift_right_logical "
    "shift_right_arithmetic",
}


def table(names):
    floats = product(names["f"].split(), FLOATS)
    return [*floats, *product(names["i"].split(), INTEGERS)]


@pytest.mark.parametrize(("name", "dtype"), table(UNARY))
def test_unary(name, dtype):
    check(lambda b, x: getattr(b, name)(x), spread(dtype))


@pytest.mark.parametrize(("name", "dtype"), table(BINARY))
def test_binary(name, dtype):
    x, y = spread(dtype), RANDOM.permutation(spread(dtype))
    if np.dtype(dtype).kind != "f":
        y[:20] = y[:20] % 70  # shifts by less than the width, small divisors
        y[20:24] = 0
        y[24:28] = np.array([-1]).astype(dtype)[0]
    check(lambda b, x, y: getattr(b, name)(x, y), x, y)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, np.bool_])
@pytest.mark.parametrize("predicate", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_compare_and_select(dtype, predicate):
    if dtype is np.bool_:
        x, y = RANDOM.random((2, 41)) < 0.5
    else:
        x, y = spread(dtype), RANDOM.permutation(spread(dtype))

    def build(b, x, y):
        condition = b.compare(predicate, x, y)
        return condition, b.select(condition, x, y)

    check(build, x, y)


@pytest.mark.parametrize("source", [*FLOATS, *INTEGERS, np.bool_])
@pytest.mark.parametrize("target", [*FLOATS, *INTEGERS, np.bool_])
def test_convert(source, target):
    x = RANDOM.random(41) < 0.5 if source is np.bool_ else spread(source)
    check(lambda b, x: b.convert(x, np.dtype(target)), x)


def test_clamp_and_bits():
    x, low, high = RANDOM.normal(size=(3, 41))
    check(lambda b, x, low, high: b.clamp(low, x, high), x, low, high)
    check(lambda b, x: b.bitcast_convert(x, np.dtype(np.int64)), x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bool_logic(dtype):
    x, y = RANDOM.random((2, 41)) < 0.5
    check(lambda b, x, y: [b.and_(x, y), b.or_(x, y), b.xor(x, y), b.not_(x)], x, y)


# Shapes


@pytest.mark.parametrize("shape", MATRICES)
def test_broadcasts(shape):
    n, m = shape

    def build(b, x, row, column):
        return b.add(b.mul(x, b.broadcast(row, shape, [1])), b.broadcast(column, shape, [0]))

    check(build, RANDOM.random(shape), RANDOM.random(m), RANDOM.random(n))
    check(build, RANDOM.random(shape), RANDOM.random(m), RANDOM.random(n), schedule=rows())


@pytest.mark.parametrize(
    "build",
    [
        lambda b, x: b.transpose(b.exp(x), [1, 0]),
        lambda b, x: b.reverse(x, [0, 1]),
        lambda b, x: b.reverse(b.exp(x), [1]),
        lambda b, x: b.slice(x, [1, 0], [9, 13], [2, 3]),
        lambda b, x: b.add(b.slice(x, [1, 0], [10, 13]), b.slice(x, [0, 0], [9, 13])),
        lambda b, x: b.reverse(b.slice(b.transpose(x, [1, 0]), [1, 2], [13, 9], [3, 2]), [0]),
        lambda b, x: b.reshape(b.exp(b.reshape(x, (130,))), (13, 10)),
        lambda b, x: b.transpose(b.reshape(b.exp(x), (13, 10)), [1, 0]),
        lambda b, x: b.exp(b.reshape(x, (10, 1, 13, 1))),
        lambda b, x: b.concatenate([x, b.exp(x), x], 0),
        lambda b, x: b.exp(b.concatenate([x, x, b.sin(x)], 1)),
    ],
)
def test_views(build):
    check(build, RANDOM.random((10, 13)))


@pytest.mark.parametrize(
    ("low", "high", "interior"),
    [
        ([2, 1], [3, 0], [0, 0]),
        ([2, 1], [3, -2], [0, 0]),
        ([-3, -1], [-4, 5], [0, 0]),
        ([2, 0], [3, 1], [1, 2]),
        ([-3, 1], [3, -2], [2, 0]),
        ([-1, 0], [-2, 0], [0, 3]),
        ([-11, 0], [5, 0], [0, 0]),
    ],
)
def test_pad(low, high, interior):
    def build(b, x):
        value = b.full((), np.dtype(float), 7.0)
        return b.exp(b.pad(b.sin(x), value, low, high, interior))

    check(build, RANDOM.random((10, 13)))


def test_pads_meet():
    def build(b, x):
        zero = b.full((), np.dtype(float), 0.0)
        return b.add(b.pad(x, zero, [2, 1], [3, -2]), b.pad(x, zero, [0, -1], [5, 0]))

    check(build, RANDOM.random((10, 7)))


def test_constants():
    check(lambda b, x: b.add(x, b.constant(np.arange(7.0))), RANDOM.random(7))
    check(lambda b: b.constant(np.arange(7.0)))
    check(lambda b: [b.iota((3, 5), np.dtype(np.float32), 1), b.iota((3, 5), np.dtype("i4"), 0)])
    check(lambda b: b.full((3, 5), np.dtype(np.bool_), True))


def numbering(b, shape, dtype):
    return b.reshape(b.iota((prod(shape),), np.dtype(dtype), 0), shape)


@pytest.mark.parametrize("dtype", ["i1", "u1", "u2", "i4", "u4", "u8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (1,), (300,), (20, 3), (3, 20), (7, 1, 45), (0, 4), (4, 0)])
def test_elements_are_numbered(shape, dtype):
    x = np.ones(shape, dtype)
    for schedule in (None, Schedule(vector=16), Schedule(tuple(range(len(shape)))[:-1], vector=4)):
        check(lambda b, x: b.add(x, numbering(b, shape, dtype)), x, schedule=schedule)


def test_numbers_of_some_of_the_loops():
    def build(b, x):
        rows = b.broadcast(numbering(b, (4, 5), "f8"), (4, 5, 3), [0, 1])
        columns = b.broadcast(numbering(b, (5, 3), "f8"), (4, 5, 3), [1, 2])
        return b.add(b.mul(x, rows), columns)

    check(build, RANDOM.random((4, 5, 3)))
    check(lambda b, x: b.reduce("add", build(b, x), [1, 2]), RANDOM.random((4, 5, 3)),
          schedule=Schedule((0,), vector=4))  # fmt: skip


def test_numbers_at_moved_positions():
    def build(b, x):
        numbers = numbering(b, (6, 8), "i4")
        moved = b.slice(b.transpose(b.reverse(numbers, [1]), [1, 0]), [1, 0], [8, 6], [2, 1])
        padded = b.pad(numbers, b.full((), np.dtype("i4"), -1), [0, -2], [-2, 0])
        return b.add(b.add(moved, padded), x)

    check(build, RANDOM.integers(0, 9, (4, 6)).astype("i4"))


def test_an_argument_and_a_value_twice_as_results():
    check(lambda b, x: [x, b.exp(x), x], RANDOM.random(7))

    def twice(b, x):
        y = b.exp(x)
        return [y, y]

    check(twice, RANDOM.random(7))


# Reductions


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("unroll", [1, 4])
@pytest.mark.parametrize("kind", ["add", "mul", "min", "max"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
def test_whole_reductions(length, unroll, kind, dtype):
    x = (RANDOM.random(length) * 2).astype(dtype)
    check(lambda b, x: b.reduce(kind, x, [0]), x, schedule=Schedule(vector=8, unroll=unroll))


@pytest.mark.parametrize("kind", ["and", "or", "xor"])
@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.uint16])
def test_bitwise_reductions(kind, dtype):
    x = RANDOM.integers(0, 2, 37).astype(dtype)
    check(lambda b, x: b.reduce(kind, x, [0]), x)


def test_nan_wins():
    x = np.where(np.arange(37) == 20, np.nan, np.arange(37.0))
    check(lambda b, x: [b.reduce("max", x, [0]), b.reduce("min", x, [0])], x)


@pytest.mark.parametrize("shape", MATRICES)
def test_sibling_reductions_of_a_matrix(shape):
    def build(b, x):
        return [b.reduce("add", b.exp(x), [0, 1]), b.reduce("max", x, [0, 1])]

    check(build, RANDOM.random(shape), schedule=Schedule(vector=8, unroll=4))


@pytest.mark.parametrize("shape", [s for s in MATRICES if s[1]])
@pytest.mark.parametrize("unroll", [1, 2])
def test_softmax_rows(shape, unroll):
    check(softmax, RANDOM.random(shape), schedule=rows(unroll=unroll))


@pytest.mark.parametrize("length", [1, 5, 16, 100, 5000])
def test_softmax_of_a_vector(length):
    """The longest one's scratch memory is not on the stack."""
    check(softmax, RANDOM.random(length), schedule=Schedule(vector=8, unroll=2))


@pytest.mark.parametrize("shape", MATRICES)
def test_reductions_over_rows_accumulate(shape):
    def build(b, x):
        return [b.reduce("add", x, [0]), b.reduce("add", b.exp(x), [0, 1]), b.exp(x)]

    check(build, RANDOM.random(shape), schedule=rows())


# Lines


@pytest.mark.parametrize("shape", [(1,), (5,), (37,), (3, 1), (5, 4, 3), (2, 9, 17)])
@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.bool_])
@pytest.mark.parametrize("kind", ["min", "max"])
def test_argreduce(shape, dtype, kind):
    x = RANDOM.integers(0, 5, shape).astype(dtype)
    for dim in range(len(shape)):
        check(lambda b, x, dim=dim: b.argreduce(kind, x, dim), x)
    if dtype is np.float64:
        x.flat[RANDOM.integers(0, x.size, 2)] = np.nan
        for dim in range(len(shape)):
            check(lambda b, x, dim=dim: b.argreduce(kind, x, dim), x)


@pytest.mark.parametrize("shape", [(0,), (1,), (37,), (3, 0), (5, 4, 3), (2, 9, 17)])
@pytest.mark.parametrize("kind", ["add", "mul", "min", "max"])
@pytest.mark.parametrize("reverse", [False, True])
def test_cumulative(shape, kind, reverse):
    x = RANDOM.random(shape) + 0.5
    for dim in range(len(shape)):
        check(lambda b, x, dim=dim: b.cumulative(kind, x, dim, reverse=reverse), x)


# Products

SIZES = [(3, 4, 5), (16, 16, 16), (1, 7, 9), (7, 1, 9), (9, 20, 1), (17, 33, 10), (1, 1, 5)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("dtype", "library"),
    [*product((np.float32, np.float64), (None, "gemm")), (np.int64, None)],
)
def test_matrix_products(size, dtype, library):
    m, n, k = size
    schedule = Schedule(vector=8, library=library)
    left, right = (
        (RANDOM.random((m, k)) * 5).astype(dtype),
        (RANDOM.random((k, n)) * 5).astype(dtype),
    )
    for a, b in product((1, 0), (0, 1)):
        check(
            lambda builder, x, y, a=a, b=b: builder.dot_general(x, y, contract=((a,), (b,))),
            left if a else left.T,
            right.T if b else right,
            schedule=schedule,
        )


@pytest.mark.parametrize("columns", [1, 3, 4, 5, 8, 9, 15, 17, 24])
@pytest.mark.parametrize(("rows", "tile"), [(1, 1), (3, 2), (4, 2), (5, 8), (7, 3)])
@pytest.mark.parametrize("unroll", [1, 2, 3])
def test_tiles_of_products(rows, tile, columns, unroll):
    """Tiles at the edges are smaller, or begin earlier; nothing beyond the result is written."""
    check(
        lambda b, x, y: b.dot_general(x, y, contract=((1,), (0,))),
        RANDOM.random((rows, 6)),
        RANDOM.random((6, columns)),
        schedule=Schedule(vector=4, unroll=unroll, tile=tile),
    )


@pytest.mark.parametrize("shapes", [((6, 70), (70, 40)), ((3, 7, 40), (3, 40, 50))])
@pytest.mark.parametrize("unroll", [1, 3])
def test_products_in_functions(shapes, unroll):
    """Rows that take long are computed by functions, of any batch."""
    left, right = shapes
    batch = (tuple(range(len(left) - 2)),) * 2
    check(
        lambda b, x, y: b.dot_general(
            x, y, batch=batch, contract=((len(left) - 1,), (len(left) - 2,))
        ),
        RANDOM.random(left),
        RANDOM.random(right),
        schedule=Schedule(vector=8, unroll=unroll, tile=4),
    )


@pytest.mark.parametrize("library", [None, "gemm"])
@pytest.mark.parametrize(
    ("left", "right", "batch", "contract"),
    [
        ((3, 4, 5), (5, 3, 6), ((0,), (1,)), ((2,), (0,))),
        ((3, 4, 5, 2), (2, 3, 4), ((0,), (1,)), ((1, 3), (2, 0))),
        ((300,), (300,), ((), ()), ((0,), (0,))),
        ((4, 5), (6,), ((), ()), ((), ())),
        ((2, 3, 4), (3, 2, 4), ((0, 1), (1, 0)), ((2,), (2,))),
    ],
)
def test_general_products(left, right, batch, contract, library):
    check(
        lambda b, x, y: b.dot_general(x, y, batch=batch, contract=contract),
        RANDOM.random(left),
        RANDOM.random(right),
        schedule=Schedule(vector=8, library=library),
    )


def test_a_sum_of_no_terms():
    x, y = np.zeros((3, 0)), np.zeros((0, 4))
    check(lambda b, x, y: b.dot_general(x, y, contract=((1,), (0,))), x, y)


# The block cipher

WORDS = [RANDOM.integers(0, 1 << 32, 40, np.uint32) for _ in range(4)]


@pytest.mark.parametrize("vector", [1, 8, 16])
@pytest.mark.parametrize("keys", ["one", "many"])
def test_threefry(vector, keys):
    def build(b, first, second, upper, lower):
        if keys == "one":
            first, second = (b.broadcast(k, (40,), ()) for k in (first, second))
        return [
            b.threefry_2x32(word, (first, second), (upper, lower))
            for word in ("upper", "lower", "both")
        ]

    key = [w[0] for w in WORDS[:2]] if keys == "one" else WORDS[:2]
    check(build, *key, *WORDS[2:], schedule=Schedule(vector=vector))
    if keys == "one":
        check(lambda b, *w: b.threefry_2x32("both", w[:2], w[2:]), *[w[0] for w in WORDS])
