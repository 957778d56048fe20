"""Arrays made in a traced function: concrete until something traced is stored in them."""

from __future__ import annotations

import copy
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
import gradatim.numpy as gnp
from gradatim import errors
from gradatim.frontend.local import (
    LocalArray,
    localised,
    made,
    maker_of,
    new_array,
    noting_conversions,
    storable,
)
from gradatim.frontend.tracer import Tracer
from gradatim.frontend.tracing import Trace

A = np.array([[1.5, -2.0, 3.0], [4.0, 0.5, -6.0]])


@pytest.fixture
def trace() -> Any:
    current = Trace("f", [])
    with current.open():
        yield current


CONCRETE: list[Callable[[Any], Any]] = [
    lambda a: a.shape + a.strides,
    lambda a: [a.ndim, a.size, a.nbytes, a.itemsize, a.dtype.name, len(a)],
    lambda a: a + 1,
    lambda a: 2 - a[0] * a,
    lambda a: a @ a.T,
    lambda a: -a > 0,
    lambda a: divmod(a, 2),
    lambda a: a.sum(axis=0),
    lambda a: a.mean(),
    lambda a: a.tolist(),
    lambda a: a[0, 1],
    lambda a: a[[1, 0]],
    lambda a: a[a > 0],
    lambda a: A[:, a[0] > 0],
    lambda a: np.concatenate([a, a[::-1]]),
    lambda a: np.where(a > 0, a, 0),
    lambda a: np.sort(a, axis=None),
    lambda a: np.unique(a),
    lambda a: np.linalg.norm(a),
    lambda a: np.add.reduce(a, axis=1),
    lambda a: np.multiply.outer(a[0], a[1]),
    lambda a: np.array_split(a, 2),
    lambda a: np.asarray(a),
    lambda a: np.array([a, a]),
    lambda a: a.astype(int),
    lambda a: a.reshape(3, 2).T.ravel(),
    lambda a: a.real + a.imag,
    lambda a: list(a.flat),
    lambda a: sorted(a[0]),
    lambda a: max(a[0]),
    lambda a: 4.0 in a,
    lambda a: [row.sum() for row in a],
    lambda a: [float(a[0, 0]), int(a[1, 0]), complex(a[0, 0])],
    lambda a: math.sqrt(a[1, 0]),
    lambda a: [10, 20, 30, 40, 50][a.astype(int)[1, 0]],
    lambda a: operator.index(a.astype(int)[1, 0]),
    lambda a: f"{a[0, 0]:.2f} {a}",
    lambda a: bool(a[0, 0]),
    lambda a: copy.deepcopy(a),
    lambda a: copy.copy(a),
    lambda a: pickle.loads(pickle.dumps(a)),
    lambda a: isinstance(a, np.ndarray),
    lambda a: gnp.at(a)[0].set(1.0),
    lambda a: repr(a),
    lambda a: np.broadcast_to(a, (2, 2, 3)).sum(),
    lambda a: np.einsum("ij->j", a),
    lambda a: a.dot(np.ones(3)),
    lambda a: a.flags.c_contiguous,
]


def as_plain(found: Any) -> Any:
    if type(found) in (list, tuple):
        return [as_plain(item) for item in found]
    assert type(found) is not Tracer
    return np.asarray(found) if isinstance(found, np.ndarray) else found


@pytest.mark.parametrize("program", CONCRETE)
def test_they_behave_as_arrays(program: Callable[[Any], Any], trace: Trace) -> None:
    array = made(np.array)(A)
    assert type(array) is LocalArray
    found, expected = program(array), program(A)
    np.testing.assert_equal(as_plain(found), as_plain(expected))


STORES: list[Callable[[Any], Any]] = [
    lambda a: a.__setitem__(0, 5),
    lambda a: a.T.__setitem__(0, 5),
    lambda a: operator.iadd(a, 1),
    lambda a: operator.imul(a[0], a[1]),
    lambda a: a.fill(3),
    lambda a: a.sort(axis=0),
    lambda a: a.put([0, 1], 9),
    lambda a: np.copyto(a, 1, where=a > 0),
    lambda a: np.add(a, 1, out=a),
    lambda a: np.add.at(a, [0, 0], 1),
    lambda a: np.fill_diagonal(a, 0),
    lambda a: np.sum(a, axis=0, out=a[0]),
    lambda a: setattr(a, "real", 4),
    lambda a: setattr(a, "flat", [1, 2]),
    lambda a: a[1:].flat.__setitem__(0, 7),
    lambda a: np.random.default_rng(0).shuffle(np.asarray(a)),
]


@pytest.mark.parametrize("store", STORES)
def test_stores_of_numbers_are_done_at_once(store: Callable[[Any], Any], trace: Trace) -> None:
    array, expected = made(np.array)(A), A.copy()
    view = array[1:]
    store(array)
    store(expected)
    assert type(array) is LocalArray
    np.testing.assert_array_equal(array, expected)
    np.testing.assert_array_equal(view, expected[1:])


TRACED_STORES: list[Callable[[Any, Any], Any]] = [
    lambda a, x: a.__setitem__(0, x),
    lambda a, x: a.__setitem__((1, 2), x[0]),
    lambda a, x: a.__setitem__((slice(None), 1), [x[0], 3.0]),
    lambda a, x: a.__setitem__(a > 0, x[1]),
    lambda a, x: a[0].__setitem__(x > 1, 7.0),
    lambda a, x: operator.iadd(a, x),
    lambda a, x: operator.imul(a[0], x),
    lambda a, x: operator.isub(a.T[0], x[:2]),
    lambda a, x: a[1].fill(x[0]),
    lambda a, x: a.put([0, 4], x[:2]),
    lambda a, x: np.copyto(a[0], x),
    lambda a, x: np.add(a, x, out=a),
    lambda a, x: np.multiply(x, x, out=a[1]),
    lambda a, x: np.add.at(a, [0, 0], x),
    lambda a, x: np.fill_diagonal(a, x[:2]),
    lambda a, x: np.sum(a + x, axis=0, out=a[1]),
    lambda a, x: np.cumsum(x, out=a[0]),
    lambda a, x: setattr(a[:1], "real", x),
    lambda a, x: setattr(a, "flat", x),
    lambda a, x: a.flat.__setitem__(3, x[0]),
    lambda a, x: a[np.argmax(x) - 1].__setitem__(0, 5.0),
    lambda a, x: a.__setitem__(np.argmax(x) - 1, 6.0),
    lambda a, x: [operator.iadd(row, x) for row in a],
    lambda a, x: np.split(a, 3, axis=1)[2].__setitem__(0, x[0]),
    lambda a, x: np.swapaxes(a, 0, 1).reshape(3, 2, 1)[1].__setitem__(0, x[0]),
]


@pytest.mark.parametrize("store", TRACED_STORES)
def test_stores_of_traced_values_reach_all_names_and_views(store: Callable[..., Any]) -> None:
    def program(x: Any) -> Any:
        a = gnp.array(A)
        alias, views = a, {"row": a[0], "corner": [a.T[1:, ::-1], a.reshape(-1)], "flat": a.ravel()}
        store(a, x)
        views["row"][2] += 1
        return a, alias, views, a.copy(), a.sum()

    x = np.array([1.0, 2.0, 0.5])
    found, expected = gd.stage(program)(x), program(x)
    np.testing.assert_equal(found, expected)


def test_a_store_changes_the_object_itself() -> None:
    seen = []

    def f(x: Any) -> Any:
        a = gnp.zeros(3)
        seen.append(type(a))
        a[0] = x
        seen.append(type(a))
        return a

    gd.stage(f).trace(1.0)
    assert seen == [LocalArray, Tracer]


def test_operands_are_read_when_they_are_used() -> None:
    def f(x: Any) -> Any:
        a = gnp.ones(2000)
        first = a * x
        a[:] = 2.0
        second = a * x
        a[0] = x
        return first, second, a

    first, second, third = gd.stage(f)(3.0)
    assert (first == 3).all() and (second == 6).all() and third[0] == 3 and third[1] == 2


def test_only_new_arrays_are_made_so(trace: Trace) -> None:
    kinds = {
        np.zeros: (3,),
        np.linspace: (0, 1, 3),
        np.roll: (A, 1),
        np.tile: (A, 2),
        np.dot: (A, A.T),
        np.sin: (A,),
        A.copy: (),
        np.random.default_rng(0).normal: (0, 1, 3),
        np.add.outer: (A, A),
    }
    for function, arguments in kinds.items():
        maker = maker_of(function)
        assert maker is not None and type(maker(*arguments)) is LocalArray, function
    for function, arguments in {np.asarray: (A,), np.transpose: (A,), np.ravel: (A,)}.items():
        maker = maker_of(function)
        assert maker is not None and type(maker(*arguments)) is np.ndarray, function
    assert [type(x) for x in made(np.meshgrid)(A[0], A[1])] == [LocalArray] * 2
    assert type(made(np.sum)(A)) is np.float64
    assert maker_of(len) is None and maker_of(test_only_new_arrays_are_made_so) is None
    kept = [A, A[0]]
    assert localised(kept)[0] is A


def test_outside_of_a_trace_arrays_are_ordinary() -> None:
    assert type(gnp.zeros(3)) is np.ndarray
    assert type(made(np.ones)(3)) is np.ndarray


def test_large_arrays_are_constants_once() -> None:
    def f(x: Any) -> Any:
        a = gnp.arange(1000.0)
        b = (a * x).sum() + (a + x).sum()
        a[1] = x
        return b + a.sum()

    assert len(gd.stage(f).trace(1.0).captures) == 1
    expected = (np.arange(1000.0) * 2).sum() + (np.arange(1000.0) + 2).sum()
    assert gd.stage(f)(2.0) == expected + np.arange(1000.0).sum() + 1


def test_attributes_cannot_be_set(trace: Trace) -> None:
    with pytest.raises(AttributeError, match="`shape` of an array cannot be set"):
        gnp.zeros(4).shape = (2, 2)


def test_conversions_can_be_undone() -> None:
    def f(x: Any) -> Any:
        outer, inner = gnp.zeros(3), gnp.arange(3)
        part = outer[1:]
        with noting_conversions() as conversions:
            region = Trace("region", [], parent=x.trace)
            with region.open():
                part[0] = x
                inner[0] = 5
            assert type(outer) is type(part) is type(inner) is Tracer
        conversions.undo()
        assert type(outer) is type(part) is type(inner) is LocalArray
        assert (outer == 0).all() and [10, 20][inner[1]] == 20
        part[1] = 2.0
        outer[0] = x
        return outer, part, inner

    found = gd.stage(f)(7.0)
    np.testing.assert_equal(found, (np.array([7.0, 0, 2]), np.array([0.0, 2]), np.arange(3)))


def test_what_operators_give_is_new(trace: Trace) -> None:
    found = [new_array(A * 2), new_array(A[[0, 1]]), new_array(np.roll(A, 1))]
    assert [type(x) for x in found] == [LocalArray] * 3
    for old in (A, A[0], A.T, A[0, 0], 3):
        assert new_array(old) is old
    named = A * 2
    assert new_array(named) is named


def test_arrays_of_others_are_not_stored_in(trace: Trace) -> None:
    assert storable([1]) == [1] and type(storable(gnp.zeros(3))) is LocalArray
    with pytest.raises(errors.TracerMutationError, match="was not made in it"):
        storable(A)


def test_outside_of_a_trace_anything_can_be_stored_in() -> None:
    assert storable(A) is A and type(new_array(A * 2)) is np.ndarray


def test_functions_that_give_their_argument_give_the_same_array() -> None:
    def f(x: Any) -> Any:
        a = np.zeros(3)
        same, copied = np.asarray(a), np.array(a)
        view = np.atleast_2d(np.asarray(a))
        same[0] = x
        view[0, 1] = x + 1
        return a, copied, same is a

    found, copied, same = gd.stage(f)(5.0)
    np.testing.assert_array_equal(found, [5, 6, 0])
    np.testing.assert_array_equal(copied, [0, 0, 0])
    assert same
