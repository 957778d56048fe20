"""Compiled sorts against the reference interpreter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.ir.errors import GradatimError
from gradatim.ir.kernel.schedule import Schedule

from ..ir.examples import DTYPES, F32, F64, I64, Shape, finite, values
from .lowered import check, in_orders, interpret, lowered

REAL = [dtype for dtype in DTYPES if dtype.kind != "c"]
I8 = np.dtype(np.int8)


def few(shape: Shape, dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Return values of which many are equal, among them zeros of both signs and NaN."""
    random = np.random.default_rng(seed)
    if dtype.kind == "f":
        return random.choice(
            np.array([0.0, -0.0, np.nan, -np.nan, np.inf, 1, -2, 1e30], dtype), shape
        )
    return random.integers(0 if dtype.kind in "bu" else -2, 2, shape).astype(dtype)


@pytest.mark.parametrize("dtype", REAL, ids=str)
def test_one_array(dtype: np.dtype):
    for length in (0, 1, 17, 300, 4000):
        for x in (few((length,), dtype), values((length,), dtype)):
            check(lambda b, x: b.sort([x], 0)[0], x)
            check(lambda b, x: b.sort([x], 0)[1], x)


@pytest.mark.parametrize(
    ("shape", "dim"),
    [
        *(((0, 3), 1), ((3, 0), 1), ((3, 0), 0), ((1, 1), 0), ((2, 3, 4), 0), ((2, 3, 4), 1)),
        *(((2, 3, 4), 2), ((5, 40, 19), 1), ((40, 8), 0), ((40, 1), 0), ((30, 17, 1), 1)),
        *(
            ((2, 300, 19), 1),
            ((300, 3), 0),
            ((19, 30), 1),
            ((3, 30), 1),
            ((5, 64), 1),
            ((4, 65), 1),
        ),
    ],
)
def test_dimensions(shape: Shape, dim: int):
    x, y, z = few(shape, F64), few(shape, I64, 1), values(shape, F32)
    check(lambda b, x: b.sort([x], dim)[0], x)
    check(lambda b, x, y, z: b.sort([x, y, z], dim), x, y, z)
    check(lambda b, x, y, z: b.sort([x, y, z], dim, 2)[2:], x, y, z)


@pytest.mark.parametrize("keys", [1, 2, 3])
@pytest.mark.parametrize("dtypes", [(F64, I8, F32), (np.dtype("?"), I64, F32), (F32, F32, F32)])
def test_several_arrays(dtypes: tuple[np.dtype, ...], keys: int):
    for length in (1, 5, 60, 2000):
        arrays = [few((2, length), dtype, seed) for seed, dtype in enumerate(dtypes)]
        check(lambda b, *xs: b.sort(xs, 1, keys), *arrays)
        check(lambda b, *xs: b.sort(xs, 1, keys)[1], *arrays)
        check(lambda b, *xs: b.sort(xs, 1, keys)[0], *arrays)


def test_a_result_that_is_asked_for_twice():
    x = few((3, 50), F32)
    check(lambda b, x: [b.sort([x], 1)[0]] * 2, x)
    check(lambda b, x: [b.sort([x], 1)[1]] * 3, x)


def test_what_is_sorted_already_and_backwards():
    for length in (20, 500, 3000):
        x = np.arange(length, dtype=F64)
        for y in (x, x[::-1].copy(), np.zeros(length), np.tile(x[:10], length // 10)):
            check(lambda b, x: b.sort([x], 0), y)


@pytest.mark.parametrize("shape", [(40, 33, 21), (300, 300, 3), (3, 300, 300)], ids=str)
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_does_not_depend_on_the_order_of_chunks(dim: int, shape: Shape):
    x, y = few(shape, F32), finite(shape, I64)
    schedule = Schedule(tuple(d for d in range(3) if d != dim), (0 if dim else 1,), 8)

    def build(b, x, y):
        return b.sort([x, y], dim)

    expected = interpret(build, [x, y])
    for results in in_orders(build, [x, y], schedule):
        for found, wanted in zip(results, expected):
            np.testing.assert_array_equal(found, wanted)


def test_a_line_that_is_too_long_is_refused():
    x = np.lib.stride_tricks.as_strided(np.zeros(1, I8), (1 << 32,), (0,))
    with pytest.raises(GradatimError, match=r"i8\[4294967296\] has more than 4294967295 elements"):
        lowered(lambda b, x: b.sort([x], 0)[0], [x], Schedule())


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_random_sorts(data: st.DataObject):
    shape = tuple(data.draw(st.lists(st.integers(0, 6), min_size=0, max_size=2)))
    dim = data.draw(st.integers(0, len(shape)))
    length = data.draw(st.integers(0, 70))
    shape = (*shape[:dim], length, *shape[dim:])
    dtypes = data.draw(st.lists(st.sampled_from(REAL), min_size=1, max_size=3))
    seed = data.draw(st.integers(0, 1000))
    arrays = [few(shape, dtype, seed + i) for i, dtype in enumerate(dtypes)]
    keys = data.draw(st.integers(1, len(arrays)))
    asked = data.draw(st.lists(st.integers(0, len(arrays)), min_size=1, max_size=3))

    def build(b, *xs):
        results = b.sort(xs, dim, keys)
        return [results[i] for i in asked]

    check(build, *arrays)
