"""Random sequences of views, copies and stores, staged, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gradatim as gd
import gradatim.numpy as gnp
from gradatim import lax, tree


def pick(arrays: list[Any], number: int) -> Any:
    """Return one of the arrays, more often a late one."""
    return arrays[-1 - number % 2] if number < 10 else arrays[number % len(arrays)]


def one_index(size: int, choice: int) -> Any:
    """Return an integer, a slice, or an index that NumPy copies for, of a dimension."""
    if size == 0 or choice % 5 == 0:
        return slice(None)
    first = choice // 5 % size
    options = (
        first,
        slice(first, None),
        slice(None, None, -1 - first % 2),
        slice(first, first + 2),
    )
    return options[choice % 4]


def basic_index(shape: tuple[int, ...], choices: list[int]) -> tuple[Any, ...]:
    index: list[Any] = [one_index(n, c) for n, c in zip(shape, choices)]
    if choices[-1] % 7 == 0:
        index.insert(0, None)
    if choices[-1] % 5 == 0 and len(index) == len(shape):
        index = [..., *index[-1:]] if shape else [...]
    return tuple(index)


def split_in_two(n: int) -> tuple[int, ...]:
    return (n // 2, 2) if n % 2 == 0 else (n, 1)


VIEWS: list[Callable[[Any, list[int]], Any]] = [
    lambda x, c: x[basic_index(x.shape, c)],
    lambda x, c: x.T,
    lambda x, c: np.moveaxis(x, 0, -1) if x.ndim else x,
    lambda x, c: x.reshape(-1),
    lambda x, c: x.reshape(split_in_two(x.size)),
    lambda x, c: x.ravel(),
    lambda x, c: x.ravel("K"),
    lambda x, c: np.flip(x, c[0] % x.ndim) if x.ndim else x,
    lambda x, c: x.squeeze(),
    lambda x, c: np.expand_dims(x, c[0] % (x.ndim + 1)),
    lambda x, c: x.view(),
    lambda x, c: x.real,
    lambda x, c: np.array_split(x, 2)[c[0] % 2] if x.ndim else x,
    lambda x, c: np.rot90(x, c[0]) if x.ndim > 1 else x,
    lambda x, c: np.atleast_2d(x),
    # Copies
    lambda x, c: x.copy(),
    lambda x, c: x.flatten(),
    lambda x, c: x[[c[0] % x.shape[0], 0]] if x.ndim and x.size else x * 1,
    lambda x, c: x + 1,
]


def changed(kind: int, x: Any, other: Any, c: list[int]) -> None:
    """Store in x, in one of several ways."""
    number = float(c[0] % 11)
    fits = other.shape == x.shape
    if kind == 0:
        x[basic_index(x.shape, c)] = number
    elif kind == 1:
        x[basic_index(x.shape, c)] += number
    elif kind == 2:
        x[...] = other if fits else number
    elif kind == 3 and x.ndim and x.size:
        x[[0, c[0] % x.shape[0]]] = number
    elif kind == 4:
        x[x > number] = 0.5
    elif kind == 5:
        x.fill(number)
    elif kind == 6:
        np.subtract(x, other if fits else number, out=x)
    elif kind == 7 and x.size:
        x.flat[c[0] % x.size] = number
    elif kind == 8 and x.ndim:
        x[::-1] = x
    elif kind == 9 and x.ndim > 1:
        for row in x:
            row *= 2
    elif kind == 10 and x.ndim and x.size:
        np.add.at(x, [0, c[0] % x.shape[0], 0], number)
    elif kind == 11:
        np.copyto(x, number, where=x < number)


class Step(NamedTuple):
    """Adds an array to a list of arrays, or stores in one of them.

    What it does depends on shapes only, not on values.

    Attributes:
        kind: of view or store.
        number: of the array.
        other: of another one.
        choices: what the kind needs.
    """

    kind: int
    number: int
    other: int
    choices: list[int]

    def run(self, arrays: list[Any]) -> None:
        x = pick(arrays, self.number)
        if self.kind < len(VIEWS):
            found = VIEWS[self.kind](x, self.choices)
            if np.ndim(found):
                arrays.append(found)
        else:
            changed(self.kind - len(VIEWS), x, pick(arrays, self.other), self.choices)


STEPS = st.lists(
    st.builds(
        Step,
        st.integers(0, len(VIEWS) + 11),
        st.integers(0, 20),
        st.integers(0, 20),
        st.lists(st.integers(0, 60), min_size=4, max_size=4),
    ),
    min_size=4,
    max_size=16,
)


SHAPES = [(3,), (2, 3), (3, 2, 2), (1, 4), (2, 0)]


def run(steps: list[Step], arrays: list[Any]) -> list[Any]:
    for step in steps:
        step.run(arrays)
    return arrays


@given(STEPS, st.sampled_from(SHAPES), st.sampled_from(SHAPES), st.booleans())
@settings(
    max_examples=100,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_sequences_of_views_and_stores(
    steps: list[Step], shape: tuple[int, ...], shape2: tuple[int, ...], made: bool
) -> None:
    def program(x: Any, y: Any) -> list[Any]:
        arrays = [x, y]
        if made:
            arrays += [gnp.arange(6.0), gnp.zeros((2, 2))]
        return run(steps, arrays)

    x = np.arange(float(np.prod(shape))).reshape(shape) - 2
    y = np.arange(float(np.prod(shape2))).reshape(shape2)[::-1] * 0.5
    expected = program(x.copy(), y.copy())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADATIM_EXECUTE", "interpreter")
        found = gd.stage(program)(x, y)
    for f, e in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        assert np.shape(f) == np.shape(e)
        np.testing.assert_allclose(f, e, rtol=1e-12)


Loop = Callable[[int, Callable[[Any], None]], None]


def python_loop(count: int, body: Callable[[Any], None]) -> None:
    for i in range(count):
        body(i)


def staged_loop(count: int, body: Callable[[Any], None]) -> None:
    lax.fori_loop(0, count, lambda i, nothing: (body(i), nothing)[1], 0)


def staged_branches(count: int, body: Callable[[Any], None]) -> None:
    """Run the body in each of two branches, of which the second one is taken first."""
    for i in range(count):
        taken = np.sin(TRACED[0] * 0 + i) > 0
        lax.cond(taken, lambda i=i: body(i), lambda i=i: body(i))


TRACED: list[Any] = [0.0]


@given(STEPS, STEPS, st.sampled_from(SHAPES), st.booleans(), st.booleans())
@settings(
    max_examples=50,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_loops_and_branches_that_change_arrays_around_them(
    before: list[Step], inside: list[Step], shape: tuple[int, ...], made: bool, branches: bool
) -> None:
    def program(loop: Loop, x: Any) -> list[Any]:
        TRACED[0] = x.sum()
        arrays = [x, x * 2]
        if made:
            arrays += [gnp.arange(6.0), gnp.zeros((2, 2))]
        run(before, arrays)

        def body(i: Any) -> None:
            inner = run(inside, list(arrays))
            if inner[-1].size:
                inner[-1][...] += inner[0].sum() * 0.1 + i

        loop(3, body)
        return arrays

    x = np.arange(float(np.prod(shape))).reshape(shape) * 0.25 - 0.5
    expected = program(python_loop, x.copy())
    loop = staged_branches if branches else staged_loop
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADATIM_EXECUTE", "interpreter")
        found = gd.stage(lambda x: program(loop, x))(x)
    for f, e in zip(tree.leaves(found), tree.leaves(expected), strict=True):
        assert np.shape(f) == np.shape(e)
        np.testing.assert_allclose(f, e, rtol=1e-9, atol=1e-9)
