"""Dynamic slices, gathers and updates lowered to loops and compiled, against the interpreter."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gradatim.ir.kernel.schedule import Schedule
from gradatim.ir.types import shape_of

from .lowered import check, in_orders, interpret, lowered

RANDOM = np.random.default_rng(27)
I64 = np.dtype(np.int64)
F64 = np.dtype(np.float64)
LANES = (1, 4, 8)
KINDS = ("set", "add", "mul", "min", "max")
DTYPES = (np.float32, np.float64, np.int8, np.int32, np.int64, np.uint8, np.uint64)


def draw(shape, dtype=np.float64):
    if np.dtype(dtype).kind == "f":
        return RANDOM.normal(size=shape).astype(dtype)
    return RANDOM.integers(0, 100, shape).astype(dtype)


def positions(shape, size):
    """Positions, some of them equal and some out of range."""
    return RANDOM.integers(-2, size + 2, shape)


def schedules(rank):
    yield Schedule(vector=8)
    for vector, rows in product((1, 4), range(1, rank)):
        yield Schedule(rows=tuple(range(rows)), vector=vector)


# Reading


@pytest.mark.parametrize("shape", [(3, 1, 5), (3, 5, 1)])
def test_a_row_that_is_kept_is_read_with_other_dimensions_of_size_one(shape):
    """Memory of one row does not tell rows apart."""

    def build(b, x):
        kept = b.sin(x)
        total = b.broadcast(b.cos(b.reduce("add", kept, [1])), (3, 5), [0])
        other = b.reshape(b.cos(b.reshape(kept, shape)), (3, 5))
        return b.mul(b.add(total, other), kept)

    for lanes in LANES:
        check(build, draw((3, 5)), schedule=Schedule(rows=(0,), vector=lanes))


WINDOWS = [
    ((20,), (7,), (3,)),
    ((20,), (20,), (3,)),
    ((6, 20), (3, 7), (2, 9)),
    ((6, 20), (1, 20), (-4, 0)),
    ((6, 20), (4, 1), (5, 99)),
    ((3, 4, 5), (2, 4, 5), (1, 0, 0)),
    ((), (), ()),
    ((4,), (0,), (2,)),
]


@pytest.mark.parametrize(("shape", "sizes", "starts"), WINDOWS)
def test_dynamic_slices(shape, sizes, starts):
    places = [np.array(i) for i in starts]
    for schedule in schedules(len(sizes)):
        check(
            lambda b, x, *at: b.exp(b.dynamic_slice(x, at, sizes)),
            draw(shape),
            *places,
            schedule=schedule,
        )


def test_a_dynamic_slice_of_what_is_computed_at_a_computed_position():
    def build(b, x, i):
        first = b.add(i, b.full((), I64, 1))
        window = b.dynamic_slice(b.sin(b.slice(x, [2], [18])), [first], (5,))
        return b.add(window, b.reverse(b.dynamic_slice(x, [i], (5,)), [0]))

    for i in (-3, 0, 4, 50):
        check(build, draw(20), np.array(i))


def _from_start(b, x, z):
    k = b.reduce("max", z, [0])
    return [b.dynamic_slice(x, [k], (1,)), b.exp(b.dynamic_slice(x, [k], (8,)))]


def _in_padding(b, x, z):
    k = b.convert(b.reduce("add", z, [0]), F64)
    return b.exp(b.pad(b.slice(x, [2], [6]), k, [1], [3], [0]))


def _around_window(b, x, z):
    k = b.reduce("add", b.mul(b.reshape(x, (8, 2)), b.reshape(x, (8, 2))), [1])
    w = b.dynamic_update_slice(k, b.slice(x, [0], [3]), [b.full((), I64, 4)])
    return [b.mul(w, w), b.mul(b.add(w, w), b.convert(z, F64))]


@pytest.mark.parametrize("build", [_from_start, _in_padding, _around_window])
def test_what_one_loop_reduces_tells_where_and_what_another_reads(build):
    """The position is a reduction's result, as are the padding and what surrounds a window."""
    rows = (0,) if build is _around_window else ()
    for vector in LANES:
        schedule = Schedule(rows=rows, vector=vector, whole=build is _around_window)
        check(build, draw(16), draw(8, np.int64) % 9, schedule=schedule)


DIMS = [(0,), (1,), (2,), (1, 0), (0, 2), (2, 1, 0)]


@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("shape", [(), (1,), (11,), (2, 3)])
def test_gathers(dims, shape):
    x = draw((3, 4, 5))
    indices = [positions(shape, x.shape[d]) for d in dims]
    for schedule in schedules(len(shape) + 3 - len(dims)):
        check(
            lambda b, x, *at: b.neg(b.gather(x, at, dims)),
            *(x, *indices),
            schedule=schedule,
        )
    check(lambda b, x, *at: b.neg(b.gather(b.exp(x), at, dims)), x, *indices)


@pytest.mark.parametrize("dtype", [*DTYPES, np.bool_])
def test_gathers_of_every_dtype(dtype):
    x = draw(50, dtype)
    check(lambda b, x, i: [b.gather(x, [i], [0]), i], x, positions(37, 50))


def test_gathers_through_other_maps():
    """What is gathered is cut, padded and joined before, and moved afterwards."""

    def build(b, x, i):
        zero = b.full((), F64, 7)
        source = b.concatenate([b.pad(x, zero, [1], [2]), b.reverse(x, [0])], 0)
        taken = b.gather(source, [i], [0])
        table = b.gather(b.broadcast(x, (3, 9), [1]), [i], [1])
        return b.add(b.reverse(taken, [0]), b.reduce("add", table, [1]))

    check(build, draw(9), positions(13, 21), schedule=Schedule(rows=(0,), vector=8))


def test_positions_of_another_dtype_and_of_positions():
    def build(b, x, i):
        first = b.convert(i, I64)
        second = b.gather(b.mul(first, first), [first], [0])
        return b.gather(x, [b.sub(second, b.iota((13,), I64, 0))], [0])

    check(build, draw(40), RANDOM.integers(0, 13, 13).astype(np.int16))


def test_narrow_positions_wrap_around_before_they_are_widened():
    def build(b, x, i):
        narrow = b.add(b.iota((200,), np.dtype(np.uint8), 0), b.broadcast(i, (200,), ()))
        return b.gather(x, [b.convert(narrow, I64)], [0])

    check(build, draw(256), np.uint8(100))


def test_wide_positions_wrap_around():
    def build(b, x, i):
        return b.gather(x, [b.add(b.iota((9,), I64, 0), b.broadcast(i, (9,), ()))], [0])

    for i in (3, -5, 2**63 - 4, -(2**63)):
        check(build, draw(8), np.array(i))


def test_a_window_of_equally_spaced_positions_needs_no_gather():
    def build(b, x, i):
        first = b.clamp(b.full((), I64, 0), i, b.full((), I64, 40))
        steps = b.mul(b.iota((20,), I64, 0), b.full((20,), I64, 3))
        return b.gather(x, [b.add(b.broadcast(first, (20,), ()), steps)], [0])

    x, i = draw(100), np.array(17)
    check(build, x, i)
    text = str(lowered(build, [x, i], Schedule(vector=8)))
    assert "kernel.strided_load" in text and "kernel.gather_load" not in text


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.bool_])
@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("length", [3, 8, 29])
def test_columns_of_short_rows(length, count, dtype):
    def build(b, x):
        parts = [b.slice(x, (0, i), (length, i + 1)) for i in range(count)]
        return [b.reshape(part, (length,)) for part in parts]

    for lanes in (1, 8):
        check(build, draw((length, count), dtype), schedule=Schedule(vector=lanes))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.bool_])
@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("length", [3, 8, 29])
def test_rows_taken_apart_and_joined(length, count, dtype):
    def build(b, x):
        rows = [b.slice(x, (1, i), (length + 1, i + 1)) for i in range(count)]
        return b.concatenate(rows[::-1], 1)

    for schedule in (Schedule(vector=8), Schedule(rows=(0,), vector=4)):
        check(build, draw((length + 1, count), dtype), schedule=schedule)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.bool_])
@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("length", [3, 8, 29])
def test_arrays_interleaved(length, count, dtype):
    def build(b, *columns):
        return b.concatenate([b.reshape(c, (length, 1)) for c in columns], 1)

    for schedule in (Schedule(vector=8), Schedule(rows=(0,), vector=4)):
        check(build, *(draw(length, dtype) for _ in range(count)), schedule=schedule)


# Writing


@pytest.mark.parametrize(("shape", "sizes", "starts"), WINDOWS)
def test_dynamic_updates(shape, sizes, starts):
    places = [np.array(i) for i in starts]
    for vector in LANES:
        for value in (lambda b, u: u, lambda b, u: b.exp(u)):
            check(
                lambda b, x, u, *at, value=value: b.dynamic_update_slice(x, value(b, u), at),
                draw(shape),
                draw(sizes),
                *places,
                schedule=Schedule(vector=vector),
            )


def test_a_fusion_that_yields_its_update_twice():
    def build(b, x, u, i):
        y = b.dynamic_update_slice(x, u, (i,))
        return [y, y]

    check(build, draw((5,)), draw((2,)), np.array(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dims", DIMS)
@pytest.mark.parametrize("shape", [(), (1,), (30,), (2, 3)])
def test_scatters(kind, dims, shape):
    x = draw((3, 4, 9))
    indices = [positions(shape, x.shape[d]) for d in dims]
    rest = tuple(n for d, n in enumerate(x.shape) if d not in dims)
    for vector in LANES:
        check(
            lambda b, x, u, *at: b.scatter(kind, x, u, at, dims),
            x,
            draw((*shape, *rest)),
            *indices,
            schedule=Schedule(vector=vector),
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_scatters_of_every_dtype(kind, dtype):
    check(
        lambda b, x, u, i: b.scatter(kind, x, u, [i], [0]),
        draw((9, 4), dtype),
        draw((30, 4), dtype),
        positions(30, 9),
    )


def test_scatters_of_bools():
    x, u = (RANDOM.integers(0, 2, n).astype(bool) for n in (9, 30))
    check(lambda b, x, u, i: b.scatter("set", x, u, [i], [0]), x, u, positions(30, 9))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unique", [False, True])
def test_scatters_along_counted_dimensions(kind, unique):
    """Windows at positions of their own, a batch in front: what counts is known to differ."""

    def build(b, x, u, i):
        shape = shape_of(u)
        batch, steps = b.iota(shape, I64, 0), b.iota(shape, I64, 2)
        places = b.add(b.broadcast(i, shape, [0, 1]), b.mul(steps, b.full(shape, I64, 2)))
        return b.scatter(kind, x, u, [batch, places], [0, 1], unique=unique)

    i = np.array([[0, 9, -3, 30], [7, 2, 17, 12], [19, 40, -20, 5]])
    for vector in LANES:
        check(build, draw((3, 25)), draw((3, 4, 5)), i, schedule=Schedule(vector=vector))


def test_sums_and_differences_of_counts_may_meet():
    """What looks linear in a dimension may be the same all along it."""

    def build(b, x, u, i):
        count = b.iota((8,), I64, 0)
        same = b.add(b.sub(count, count), b.broadcast(i, (8,), ()))
        none = b.mul(count, b.full((8,), I64, 0))
        return [b.scatter("add", x, u, [at], [0]) for at in (same,)] + [
            b.scatter("set", x, u, [none], [0])
        ]

    x, u, i = draw(9), draw(8), np.array(3)
    for number in (0, 1):
        check(lambda b, *operands, number=number: build(b, *operands)[number], x, u, i)


# Threads


def split(vector=8):
    return Schedule(rows=(0,), parallel=(0,), vector=vector)


def test_updates_on_several_threads_do_not_depend_on_their_order():
    rows, columns = 300, 257
    x, u = draw((rows, columns)), draw((900, columns))
    distinct = RANDOM.permutation(rows)
    programs = {
        "columns": (
            lambda b, x, u, i: b.scatter("add", x, u, [i], [0]),
            x,
            u,
            positions(900, rows),
        ),
        "distinct": (
            lambda b, x, u, i: b.scatter("mul", x, u, [i], [0], unique=True),
            *(x, u[:rows], distinct),
        ),
        "batch": (
            lambda b, x, u, i: b.scatter("add", x, u, [b.iota(i_shape, I64, 0), i], [0, 1]),
            *(x, draw((rows, 400)), positions((rows, 400), columns)),
        ),
        "window": (
            lambda b, x, u, i: b.dynamic_update_slice(x, b.exp(u), [i, i]),
            *(x, u[:200, :200].copy(), np.array(11)),
        ),
        "one position": (
            lambda b, x, u, i: b.scatter("set", x, u, [i], [0]),
            *(draw((3, rows, columns)), x, np.array(1)),
        ),
    }
    i_shape = (rows, 400)
    for name, (build, *arrays) in programs.items():
        for schedule in (split(), split(vector=1)):
            assert "scf.parallel" in str(lowered(build, arrays, schedule)), name
            forward, backward, together = in_orders(build, arrays, schedule)
            (expected,) = interpret(build, arrays)
            for found in (forward, backward, together):
                np.testing.assert_allclose(found[0], expected, rtol=1e-12, err_msg=name)
            assert forward[0].tobytes() == backward[0].tobytes() == together[0].tobytes()


def test_a_scatter_to_positions_that_may_be_equal_is_not_split():
    build = lambda b, x, u, i: b.scatter("add", x, u, [i], [0])  # noqa: E731
    arrays = [draw(1000), draw(100_000), positions(100_000, 1000)]
    assert "scf.parallel" not in str(lowered(build, arrays, split()))


# Registers


@pytest.mark.parametrize(
    ("shape", "sizes"), [((100,), (1,)), ((9, 30), (2, 3)), ((5, 20), (1, 20))]
)
def test_small_windows_are_read_into_registers(shape, sizes):
    for places in ([3] * len(shape), [-5] * len(shape), [99] * len(shape)):
        check(
            lambda b, x, *at: b.exp(b.dynamic_slice(x, at, sizes)),
            draw(shape),
            *map(np.array, places),
            schedule=Schedule(registers=True),
        )


@pytest.mark.parametrize(("dims", "shape"), [((0,), (3,)), ((1,), ()), ((1, 0), (2, 2))])
def test_elements_at_few_positions_are_read_into_registers(dims, shape):
    x = draw((15, 7))
    indices = [positions(shape, x.shape[d]) for d in dims]
    check(
        lambda b, x, *at: b.neg(b.gather(x, at, dims)),
        *(x, *indices),
        schedule=Schedule(registers=True),
    )


# Arrays with a window replaced, as a whole


@pytest.mark.parametrize(("shape", "sizes", "starts"), WINDOWS)
def test_updated_arrays_as_a_whole(shape, sizes, starts):
    places = [np.array(i) for i in starts]
    for vector in LANES:
        schedule = Schedule(rows=tuple(range(len(shape) - 1)), vector=vector, whole=True)
        check(
            lambda b, x, u, *at: b.dynamic_update_slice(x, b.exp(u), at),
            draw(shape),
            draw(sizes),
            *places,
            schedule=schedule,
        )


def test_a_new_part_computed_from_what_surrounds_it():
    def build(b, x):
        around = [b.slice(x, [i, j], [i + 7, j + 18]) for i, j in ((0, 1), (2, 1), (1, 0), (1, 2))]
        total = b.add(b.add(around[0], around[1]), b.add(around[2], around[3]))
        one = b.full((), I64, 1)
        updated = b.dynamic_update_slice(x, total, [one, one])
        return [b.mul(updated, updated), updated]

    check(build, draw((9, 20)), schedule=Schedule(rows=(0,), vector=8, whole=True))


# What is in memory before an update


def _from_data(b, x, t):
    places = b.constant(np.array([0, 3, -2, 7]))
    return b.gather(x, [places], [0]), b.constant(np.array([1, 1, 5, 40]))


def _from_new_rows(b, x, t):
    rows = b.reshape(b.transpose(b.reshape(x, (4, 5)), (1, 0)), (20,))
    return b.slice(rows, [1], [20], [5]), b.iota((4,), I64, 0)


def _from_spread(b, x, t):
    spread = b.pad(b.slice(x, [0], [3]), b.full((), F64, 2.0), [0], [-1], [1])
    return b.reverse(spread, [0]), b.iota((4,), I64, 0)


@pytest.mark.parametrize("source", [_from_data, _from_new_rows, _from_spread])
def test_updates_from_what_is_computed_before(source):
    def scattered(b, x, t):
        part, indices = source(b, x, t)
        return b.scatter("add", t, part, [indices], [0])

    def window(b, x, t):
        part, _ = source(b, x, t)
        return b.dynamic_update_slice(t, part, [b.convert(b.full((), F64, 3.0), I64)])

    for build, vector in product((scattered, window), LANES):
        check(build, draw(20), draw(9), schedule=Schedule(vector=vector))
