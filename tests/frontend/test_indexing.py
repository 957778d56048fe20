"""Indexing of traced values, for reading and for updating, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradatim as gd
import gradatim.numpy as gnp
from gradatim.errors import NonConcreteBooleanIndexError, ShapeError
from gradatim.frontend.indexing import updated
from gradatim.frontend.tracer import Tracer

from .indices import RandomIndex, random_indices
from .numpy_harness import BOOL, C64, C128, F32, F64, I8, I64, U8, assert_same, compare, run_traced

RANDOM = np.random.default_rng(5)
KINDS = ("set", "add", "mul", "min", "max")
_AT = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}


def draw(shape: tuple[int, ...], dtype: np.dtype = F64) -> np.ndarray:
    values = RANDOM.normal(0, 3, shape)
    if dtype.kind == "c":
        values = values + 1j * RANDOM.normal(0, 3, shape)
    return np.abs(values).astype(dtype) if dtype.kind == "u" else np.asarray(values, dtype)


def update(x: Any, index: Any, value: Any, kind: str = "set") -> Any:
    """Update a traced value, or a copy of an array as NumPy does."""
    if isinstance(x, Tracer):
        return updated(x, index, value, kind)
    result = np.array(x)
    if kind == "set":
        result[index] = value
        return result
    target = result[index].shape
    new = np.asarray(value)
    new = new.reshape(new.shape[max(new.ndim - len(target), 0) :])
    if result.dtype == np.bool_:
        kind = {"add": "max", "mul": "min"}.get(kind, kind)
    _AT[kind].at(result, index, np.broadcast_to(new, target).astype(result.dtype))
    return result


# Random indices


@settings(max_examples=150, deadline=None)
@given(index=random_indices())
def test_reading_by_random_indices(index: RandomIndex):
    x = np.arange(np.prod(index.shape), dtype=F64).reshape(index.shape)
    compare(lambda x, *parts: x[index.rebuild(*parts)], [x, *index.traced], ulps=0)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), index=random_indices(), kind=st.sampled_from(KINDS))
def test_updating_by_random_indices(data: st.DataObject, index: RandomIndex, kind: str):
    x = np.arange(1.0, np.prod(index.shape) + 1).reshape(index.shape)
    items = index.rebuild(*index.traced)
    result = x[items].shape
    shapes = [(), (1, *result), result, result[1:], (1,) * len(result)]
    if not result:
        shapes = shapes[:1]
    elif len(items) == 1 and np.asarray(items[0]).dtype == np.bool_:
        shapes = [(), result]  # NumPy takes no others where a mask is the only index
    shape = data.draw(st.sampled_from(shapes))
    value = np.arange(np.prod(shape)).reshape(shape) % 7 - 2.5
    compare(
        lambda x, v, *parts: update(x, index.rebuild(*parts), v, kind),
        [x, value, *index.traced],
        ulps=0,
    )


@settings(max_examples=40, deadline=None)
@given(index=random_indices(), kind=st.sampled_from(KINDS))
def test_random_indices_in_compiled_code(index: RandomIndex, kind: str):
    x = np.arange(1.0, np.prod(index.shape) + 1).reshape(index.shape)

    def f(x: Any, *parts: Any) -> Any:
        at = index.rebuild(*parts)
        return x[at], update(x * 2, at, x[at] - 1, kind)

    for found, expected in zip(gd.jit(f)(x, *index.traced), f(x, *index.traced)):
        np.testing.assert_allclose(found, expected, rtol=1e-14)


# Known and traced indices of all kinds

X = draw((4, 3, 5))
I = np.array([1, 0, 3])  # noqa: E741
J = np.array([[2], [-1]])
INDICES: list[Callable[[Any, Any], Any]] = [
    lambda i, j: i,
    lambda i, j: i[0],
    lambda i, j: (i, slice(None), j),
    lambda i, j: (slice(None), i[1], j[0, 0]),
    lambda i, j: (slice(1, 3), i[0], None, slice(None, None, -2)),
    lambda i, j: (None, i[:2], j, ...),
    lambda i, j: (..., j, i),
    lambda i, j: (i[0], ..., i),
    lambda i, j: (slice(None), i[:1], ..., i[1:2]),
    lambda i, j: (np.array([1, 2]), i[:2] * 0, slice(1, 4, 2)),
    lambda i, j: (0, slice(None), j),
    lambda i, j: (np.array([True, False, True, False]), slice(None), j[0]),
    lambda i, j: ([0, 0, 1], i[1]),
    lambda i, j: ([[0], [1]], slice(None), [1, 1, 2]),
    lambda i, j: ([i[0], i[1]], [0, j[0, 0]]),
    lambda i, j: [i[0], 2],
    lambda i, j: (slice(1, 3),),
    lambda i, j: (slice(None, None, -1), slice(1, 2)),
    lambda i, j: (slice(1, 4, 2), -1),
    lambda i, j: (slice(2, 0), -1),
    lambda i, j: (slice(None, None, -1), 0),
    lambda i, j: (..., None),
    lambda i, j: (),
    lambda i, j: (np.int8(2), True),
    lambda i, j: (slice(None), True, i[:2]),
    lambda i, j: (True, False),
    lambda i, j: [],
    lambda i, j: np.array([3, 1, -1]),
    lambda i, j: (np.array(1), slice(None), np.array([3, 1])),
    lambda i, j: np.ix_([0, 2], [1], [0, 3]),
    lambda i, j: (np.arange(4)[:, None], i[:2]),
    lambda i, j: X > 0,
    lambda i, j: (X[:, :, 0] > 0, i[0]),
]


@pytest.mark.parametrize("number", range(len(INDICES)))
def test_every_kind_of_index(number: int):
    index = INDICES[number]
    compare(lambda x, i, j: x[index(i, j)], [X, I, J], ulps=0)
    result = X[index(I, J)].shape
    for kind in KINDS:
        for value in (2.5, draw(result), draw(result[-1:])):
            compare(lambda x, i, j, v: update(x, index(i, j), v, kind), [X, I, J, value], ulps=0)  # noqa: B023


@pytest.mark.parametrize("dtype", [BOOL, I8, U8, I64, F32, F64, C64, C128], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_every_dtype_and_conversion_of_the_value(dtype: np.dtype, kind: str):
    x, i = draw((6, 2), dtype), np.array([4, 0, 4])
    if dtype.kind == "c" and kind in ("min", "max"):
        with pytest.raises(gd.errors.DtypeError, match="does not take"):
            run_traced(lambda x, i: updated(x, i, 1, kind), [x, i])
        return
    for value in (1, True, draw((3, 2), dtype), draw((2,), I8) % 3, np.array([[1.0], [0], [1]])):
        compare(lambda x, i, v: update(x, i, v, kind), [x, i, value], ulps=4)
        compare(lambda x: update(x, (slice(1, 4), 1), 1, kind), [x], ulps=4)


def test_python_numbers_must_fit():
    with pytest.raises(OverflowError):
        run_traced(lambda x: updated(x, 0, 300), [np.zeros(3, np.uint8)])
    compare(lambda x: update(x, 0, 2.7), [np.zeros(3, np.int32)])


MASKS: list[Callable[[Any, Any], Any]] = [
    lambda m, i: m,
    lambda m, i: m[:, 0, 0],
    lambda m, i: (slice(None), m[0, :, 0]),
    lambda m, i: (m[:, 0, 0], 0),
    lambda m, i: (m[:, :, 0], i[0]),
    lambda m, i: (m[:, 0, 0], slice(None), i[0]),
    lambda m, i: (slice(1, 3), None, m[0]),
    lambda m, i: (i[1], m[0, :, 0], slice(None, None, -1)),
    lambda m, i: (..., m[0, 0]),
    lambda m, i: m[0, 0, 0],
    lambda m, i: (slice(None, None, -2), m[0, :, 0], slice(1, 3)),
]


@pytest.mark.parametrize("number", range(len(MASKS)))
@pytest.mark.parametrize("true", [0.0, 0.4, 1.0])
def test_assigning_by_traced_masks(number: int, true: float):
    index = MASKS[number]
    mask = RANDOM.random((4, 3, 5)) < true
    result = X[index(mask, I)].shape
    for kind in ("set", "add", "max"):
        for value in (2.5, draw(result), draw(result[-1:])):
            compare(lambda x, m, i, v: update(x, index(m, i), v, kind), [X, mask, I, value])  # noqa: B023


def test_reading_by_a_traced_mask_is_refused():
    with pytest.raises(NonConcreteBooleanIndexError, match="as many elements as the mask"):
        run_traced(lambda x: x[x > 0], [X])
    for index in (lambda m, i: (m, m[0]), lambda m, i: (m, i)):
        with pytest.raises(NonConcreteBooleanIndexError, match="beside another mask or an array"):
            run_traced(
                lambda x, m, i, index=index: updated(x[:, :, 0], index(m[:, 0, 0], i), 0.0),
                [X, X > 0, I],
            )


# Out of range


def test_computed_positions_out_of_range_are_read_at_the_edge_and_not_written():
    x, i = np.arange(5.0), np.array([7, -9, 2, 4])
    edge = np.array([4, 0, 2, 4])
    inside = np.array([2, 4])
    for run in (run_traced, lambda f, arguments: gd.jit(f)(*arguments)):
        assert_same(run(lambda x, i: x[i], [x, i]), x[edge])
        assert_same(run(lambda x, i: updated(x, i, 9.0), [x, i]), update(x, inside, 9.0))
        for number, at in ((7, 4), (-9, 0), (-1, 4), (-5, 0)):
            assert_same(run(lambda x, i: x[i], [x, np.int64(number)]), x[at])
            expected = update(x, number, 9.0) if -5 <= number < 5 else x
            assert_same(run(lambda x, i: updated(x, i, 9.0), [x, np.int64(number)]), expected)
    largest = np.array([2**64 - 1, 3], np.uint64)
    assert_same(run_traced(lambda x, i: x[i], [x, largest]), x[[4, 3]])
    assert_same(run_traced(lambda x, i: updated(x, i, 0.0), [x, largest]), update(x, [3], 0.0))


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: x[4], "index 4 is out of bounds for axis 0 with size 4"),
    (lambda x: x[0, -4], "index -4 is out of bounds for axis 1 with size 3"),
    (lambda x: x[[0, 9]], "index 9 is out of bounds for axis 0 with size 4"),
    (lambda x: x[0, 0, 0, 0], "array is 3-dimensional, but 4 were indexed"),
    (lambda x: x[..., ...], "single ellipsis"),
    (lambda x: x["a"], "only integers, slices"),
    (lambda x: x[1.5], "only integers, slices"),
    (lambda x: x[[0.5]], "must be of integer"),
    (lambda x: x[x], "must be of integer"),
    (lambda x: x[[[0, 1], [1, 2]], [0, 1, 2]], r"could not be broadcast together.*\(2, 2\) \(3,\)"),
    (lambda x: x[np.array([True, False])], "size of axis is 4 but size of .* axis is 2"),
    (lambda x: x[:0][np.sum(x).astype(int)], "out of bounds for axis 0 with size 0"),
    (lambda x: updated(x, 4, 1), "index 4 is out of bounds"),
]


@pytest.mark.parametrize(("program", "message"), REFUSED)
def test_what_is_no_index_is_refused(program: Callable[[Any], Any], message: str):
    with pytest.raises(IndexError, match=message):
        run_traced(program, [X])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"could not broadcast f64\[2\] into f64\[3,5\]"):
        run_traced(lambda x: updated(x, 0, np.ones(2)), [X])
    with pytest.raises(ShapeError, match="could not broadcast"):
        run_traced(lambda x: updated(x, (0, 0), np.ones((2, 5))), [X])
    with pytest.raises(ValueError, match="kinds of update are"):
        run_traced(lambda x: updated(x, 0, 1, "sub"), [X])
    with pytest.raises(gd.errors.TracerIntegerConversionError, match=r"lax\.dynamic_slice"):
        run_traced(lambda x, i: x[i:], [X, np.int64(1)])


# Functions that take elements

L = np.array([0, 2, 1, 1])
A = draw((4, 3))
N = RANDOM.integers(0, 3, (4, 3))
PERMUTED = RANDOM.permutation(1000)
FUNCTIONS: list[tuple[Callable[..., Any], list[Any]]] = [
    (lambda x, i: np.take(x, i), [A, N]),
    (lambda x, i: np.take(x, i, axis=1), [A, N]),
    (lambda x, i: np.take(x, i, axis=-2, mode="wrap"), [A, N * 5]),
    (lambda x, i: np.take(x, i, axis=0, mode="clip"), [A, N * 5 - 3]),
    (lambda x, i: np.take(x, [0, i[0]], axis=0), [A, L]),
    (lambda i: gnp.take(A, i, axis=0), [L]),
    (lambda x: np.take(x, [[1, 2], [0, 1]], axis=0), [A]),
    (lambda x: np.take(x, 9, axis=0), [A]),
    (lambda x: np.take(x, [1.9]), [A]),
    (lambda x: np.take(x, np.array([0.5])), [A]),
    (lambda x: np.take(x, [], axis=1), [A]),
    (lambda x: np.take(x, [0], mode="no"), [A]),
    (lambda x: np.take(x, [0]), [A[:0]]),
    (lambda x: np.take(x, PERMUTED % 12), [A]),
    (lambda x, i: np.take_along_axis(x, i, axis=1), [A, RANDOM.integers(-3, 3, (4, 5))]),
    (lambda x, i: np.take_along_axis(x, i, axis=0), [A, RANDOM.integers(0, 4, (2, 3))]),
    (lambda x, i: np.take_along_axis(x, i, axis=0), [A, RANDOM.integers(0, 4, (2, 1))]),
    (lambda x, i: np.take_along_axis(x, i, axis=None), [A, RANDOM.integers(0, 12, 5)]),
    (lambda x: np.take_along_axis(x, np.array([[2, 0, 1]]), axis=1), [A]),
    (lambda x: np.take_along_axis(x, np.array([0]), axis=1), [A]),
    (lambda x: np.take_along_axis(x, np.argmax(x, axis=1)[:, None], axis=1), [A]),
    (lambda x, i: np.take_along_axis(x, i, axis=1), [A, A]),
    (lambda a, x, y: np.choose(a, [x, y, 3]), [N, A, A * 2]),
    (lambda a, x: np.choose(a, x), [L[:3], A]),
    (lambda a, x: np.choose(a, x, mode="wrap"), [N - 7, A[:, :1]]),
    (lambda a, x: np.choose(a, x, mode="clip"), [N * 5 - 3, A]),
    (lambda x: np.choose([0, 1, 5], [x, x]), [A[0]]),
    (lambda x: np.choose([0, 1, 1], [x, 1]), [A[0].astype("f4")]),
    (lambda x: np.compress([True, False, True], x, axis=1), [A]),
    (lambda x: np.compress([0, 1, 1, 0, 1], x), [A]),
    (lambda x: np.compress(N > 0, x), [A]),
    (lambda x: np.extract(N > 0, x), [A]),
    (lambda x: np.delete(x, 1), [A]),
    (lambda x: np.delete(x, [0, -1], axis=0), [A]),
    (lambda x: np.delete(x, slice(None, None, 2), axis=1), [A]),
    (lambda x: np.delete(x, np.array([True, False, True]), axis=1), [A]),
    (lambda x: np.delete(x, 9), [A[0]]),
    (lambda x: np.insert(x, 1, 5.0), [A]),
    (lambda x: np.insert(x, 1, [1, 2, 3], axis=0), [A]),
    (lambda x: np.insert(x, 2, [[1.0, 2, 3], [4, 5, 6]], axis=0), [A]),
    (lambda x: np.insert(x, [1, 2], [[1, 2], [3, 4], [5, 6], [7, 8]], axis=1), [A]),
    (lambda x: np.insert(x, 1, [1, 2, 3, 4], axis=1), [A]),
    (lambda x: np.insert(x, [1], [[1], [2], [3], [4]], axis=1), [A]),
    (lambda x: np.insert(x, slice(0, 2), 7, axis=1), [A]),
    (lambda x: np.insert(x, [2, 2], [8, 9]), [A[0]]),
    (lambda x: np.insert(x, [1, -1], 9), [A[0]]),
    (lambda x: np.insert(x, 9, 9), [A[0]]),
    (lambda x: gnp.insert(np.arange(3.0), 1, x), [np.float64(5)]),
    (lambda i: np.unravel_index(i, (3, 4)), [np.array([5, 11, 0])]),
    (lambda i, j: np.ravel_multi_index((i, j), (3, 4)), [L[:2], L[2:]]),
    (lambda i, j: np.ravel_multi_index((i, j), (3, 4), mode="wrap"), [L - 9, L * 40]),
    (lambda i, j: np.ravel_multi_index((i, j), (3, 4), mode=("clip", "wrap")), [L - 9, L * 40]),
    (lambda x, s: np.roll(x, s, axis=0), [A, np.int64(3)]),
    (lambda x, s: np.roll(x, s), [A, np.int64(-7)]),
    (lambda x, s: np.roll(x, (s, 1), axis=(0, 1)), [A, np.int64(3)]),
    (lambda x, s: np.roll(x, s, axis=(0, 1)), [A, np.int64(3)]),
    (lambda x, s: np.roll(x, s), [A[:0], np.int64(3)]),
    (lambda x: np.repeat(x, [1, 3, 0, 2], axis=0), [A]),
    (lambda x: np.repeat(x, np.arange(12) % 4), [A]),
    (lambda x: np.pad(np.tile(x, 10), ((0, 0), (50, 50)), "symmetric"), [A]),
    (lambda x: np.pad(np.tile(x, 10)[:, ::7], ((0, 0), (50, 50)), "reflect"), [A]),
]


@pytest.mark.parametrize("number", range(len(FUNCTIONS)))
def test_functions_that_take_elements(number: int):
    program, arguments = FUNCTIONS[number]
    compare(program, arguments, ulps=0)


def test_masks_must_be_known():
    for program in (lambda x: np.compress(x > 0, x), lambda x: np.extract(x > 0, x)):
        with pytest.raises(NonConcreteBooleanIndexError, match=r"np\.where"):
            run_traced(program, [A[0]])


def test_a_known_array_cannot_be_asked_to_index_itself_by_a_traced_value():
    with pytest.raises(gd.errors.TracerArrayConversionError, match=r"gradatim\.numpy\.take"):
        run_traced(lambda i: A[i], [L])


# Transformations


def test_gradients_add_up_where_elements_are_read_several_times():
    x, i = draw((5,)), np.array([3, 0, 3, -1, 3])
    weights = draw((5,))
    found = gd.grad(lambda x: np.sum(x[i] * weights))(x)
    expected = np.zeros(5)
    np.add.at(expected, i, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_gradients_through_updates():
    def f(x: Any, v: Any, i: Any) -> Any:
        y = updated(x, i, v * v)
        z = updated(np.sin(y), (None, slice(1, 4)), x[1:4], "mul")
        return np.sum(updated(z, x > 0, v[0], "add") ** 2)

    x, v, i = draw((6,)), draw((3,)), np.array([4, 1, 4])
    found = gd.grad(f, argnums=(0, 1))(x, v, i)
    with np.errstate(all="ignore"):
        for number, gradient in enumerate(found):
            for place in range(gradient.size):
                step = 1e-6 * (np.arange(gradient.size) == place)
                plus, minus = [x, v, i], [x, v, i]
                plus[number], minus[number] = plus[number] + step, minus[number] - step
                slope = (numpy_f(*plus) - numpy_f(*minus)) / 2e-6
                np.testing.assert_allclose(gradient[place], slope, rtol=1e-6, atol=1e-7)


def numpy_f(x: np.ndarray, v: np.ndarray, i: np.ndarray) -> Any:
    y = update(x, i, v * v)
    z = update(np.sin(y), slice(1, 4), x[1:4], "mul")
    return np.sum(update(z, x > 0, v[0], "add") ** 2)


BATCHED: list[Callable[..., Any]] = [
    lambda x, i: x[i],
    lambda x, i: x[i[0]],
    lambda x, i: x[1:3, i],
    lambda x, i: updated(x, i, 0.5),
    lambda x, i: updated(x, (i, i[0]), x[0, :3], "add"),
    lambda x, i: updated(x, (slice(None), i[0]), x[:, 0], "max"),
    lambda x, i: np.take_along_axis(x, i[None, :], axis=1),
    lambda x, i: np.roll(x, i[0], axis=1),
]


@pytest.mark.parametrize("number", range(len(BATCHED)))
@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0), (1, 0)])
def test_batches_are_loops(number: int, axes: tuple[int | None, int | None]):
    program = BATCHED[number]
    x = draw((4, 4, 4))
    i = np.array([[3, 1, 1], [0, 2, -1], [2, 2, 2], [1, 9, 0]])
    found = gd.vmap(program, in_axes=axes)(
        x if axes[0] is not None else x[0], i if axes[1] is not None else i[0]
    )
    for lane in range(4):
        own = x[0] if axes[0] is None else x.take(lane, axes[0])
        np.testing.assert_array_equal(
            found[lane], gd.jit(program)(own, i[0 if axes[1] is None else lane])
        )
