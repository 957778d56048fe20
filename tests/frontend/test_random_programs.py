"""Random programs: compiled against NumPy, gradients against differences, vmap against a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gradatim as gd
from gradatim.frontend import tree

ROWS, COLUMNS = 3, 5

# All smooth and bounded, so that differences tell derivatives; shapes: (3, 5) and (5,) and ().
UNARY: list[Callable[[Any], Any]] = [
    np.sin, np.cos, np.tanh, np.arctan, np.negative, np.square,
    lambda x: np.exp(-x * x), lambda x: np.log1p(x * x), lambda x: np.sqrt(1 + x * x),
    lambda x: 1 / (1 + x * x), lambda x: x[..., ::-1] if x.ndim else x,
    lambda x: x * 0.5 + 1,
]  # fmt: skip
BINARY: list[Callable[[Any, Any], Any]] = [
    np.add, np.subtract, np.multiply, lambda x, y: x / (1 + y * y), lambda x, y: np.tanh(x) * y,
    lambda x, y: np.hypot(x, 1 + y * y),
]  # fmt: skip
SHRINKING: list[Callable[[Any], Any]] = [
    lambda x: x.sum(0) if x.ndim else x, lambda x: x.mean(0) if x.ndim else x,
    lambda x: x[0] if x.ndim else x, lambda x: np.tanh(x).sum(),
    lambda x: x @ np.linspace(0.1, 0.5, x.shape[-1]) if x.ndim else x,
]  # fmt: skip


@dataclass
class Program:
    """A list of steps on a stack of values; the result is the mean of those left, as a number."""

    steps: list[tuple[str, int, int, int]]

    def __call__(self, x: Any, v: Any) -> Any:
        values = [np.tanh(x), v]
        for kind, op, i, j in self.steps:
            a, b = values[i % len(values)], values[j % len(values)]
            if kind == "binary" and _compatible(a, b):
                values.append(BINARY[op % len(BINARY)](a, b))
            elif kind == "shrink":
                values.append(SHRINKING[op % len(SHRINKING)](a))
            else:
                values.append(UNARY[op % len(UNARY)](a))
        return sum(np.sin(value).sum() for value in values[-3:])


def _compatible(a: Any, b: Any) -> bool:
    shapes = sorted((np.shape(a), np.shape(b)), key=len)
    return shapes[1][len(shapes[1]) - len(shapes[0]) :] == shapes[0]


programs = st.builds(
    Program,
    st.lists(
        st.tuples(
            st.sampled_from(["unary", "binary", "shrink", "binary"]),
            st.integers(0, 20),
            st.integers(0, 20),
            st.integers(0, 20),
        ),
        min_size=1,
        max_size=12,
    ),
)


def inputs(seed: int, *batch: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(*batch, ROWS, COLUMNS)), generator.normal(size=(*batch, COLUMNS))


few = settings(max_examples=40, deadline=None)


@few
@given(programs, st.integers(0, 99))
def test_compiled_code_agrees_with_numpy(program: Program, seed: int) -> None:
    arguments = inputs(seed)
    np.testing.assert_allclose(gd.jit(program)(*arguments), program(*arguments), rtol=1e-11)
    single = [a.astype(np.float32) for a in arguments]
    found = gd.jit(program)(*single)
    expected = program(*single)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


@few
@given(programs, st.integers(0, 99))
def test_gradients_agree_with_differences(program: Program, seed: int) -> None:
    point = inputs(seed)
    direction = inputs(seed + 1)
    h = 1e-6
    ahead = program(*(p + h * d for p, d in zip(point, direction)))
    behind = program(*(p - h * d for p, d in zip(point, direction)))
    slope = (ahead - behind) / (2 * h)
    gradient = gd.grad(program, argnums=(0, 1))(*point)
    along = sum(np.vdot(g, d) for g, d in zip(gradient, direction))
    tangent = gd.jvp(program, point, direction)[1]
    np.testing.assert_allclose(along, tangent, rtol=1e-9, atol=1e-9)
    scale = sum(float(np.abs(g).sum()) for g in gradient)
    np.testing.assert_allclose(along, slope, rtol=1e-5, atol=1e-6 * (1 + scale))


@few
@given(programs, st.integers(0, 99), st.sampled_from([(0, 0), (0, None), (None, 0)]))
def test_vmap_agrees_with_a_loop(program: Program, seed: int, axes: Any) -> None:
    batch = 4
    x, v = inputs(seed, batch)
    mapped = [a if axis == 0 else a[0] for a, axis in zip((x, v), axes)]
    rows = [tuple(a[i] if axis == 0 else a for a, axis in zip(mapped, axes)) for i in range(batch)]
    both = gd.stage(program).value_and_grad()
    expected = [both(*row) for row in rows]
    found = both.vmap(in_axes=axes)(*mapped)
    for a, b in zip(tree.leaves(found), zip(*map(tree.leaves, expected))):
        np.testing.assert_allclose(a, np.stack(b), rtol=1e-9, atol=1e-11)
