"""Random NumPy programs: compiled, interpreted and run by NumPy itself, they give one result.

A program is a list of instructions drawn by Hypothesis. It is run as an ordinary function of
NumPy arrays, so that every level takes part: the tracer, the passes, fusion, bufferisation, the
loops, the emitter and the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gradatim as gd
from gradatim.checks import all_checks
from gradatim.frontend.indexing import updated
from gradatim.frontend.tracer import Tracer
from gradatim.ir.interpreter import Interpreter

SHAPES = [(), (1,), (5,), (17,), (3, 4), (1, 6), (4, 1), (2, 3, 5), (0,), (2, 0)]

# Every function is smooth and bounded in slope, so that neither rounding nor differences blow up.
UNARY: dict[str, Callable[[Any], Any]] = {
    "sin": np.sin,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "scaled exp": lambda x: np.exp(np.sin(x)),
    "log": lambda x: np.log(2 + x * x),
    "sqrt": lambda x: np.sqrt(1 + x * x),
    "negative": lambda x: -x,
    "cube": lambda x: np.tanh(x) ** 3,
    "quotient": lambda x: 1 / (1 + x**2),
    "double": lambda x: 2 * x,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": lambda x, y: np.sin(x) * y,
    "divide": lambda x, y: x / (1 + y * y),
    "hypot": lambda x, y: np.hypot(1 + x * x, y),
    "arctan2": lambda x, y: np.arctan2(x, 2 + y * y),
}
SHAPING: dict[str, Callable[[Any], Any]] = {
    "transpose": np.transpose,
    "ravel": np.ravel,
    "flip": np.flip,
    "reverse last": lambda x: x[..., ::-1] if x.ndim else x,
    "every other": lambda x: x[::2] if x.ndim else x,
    "tail": lambda x: x[1:] if x.ndim and x.shape[0] > 1 else x,
    "pad": lambda x: np.pad(x, 1) if x.ndim else x,
    "twice": lambda x: np.concatenate([x, np.sin(x)]) if x.ndim else x,
    "roll": lambda x: np.roll(x, 1, 0) if x.ndim else x,
    "new axis": lambda x: x[None],
    "squeeze": np.squeeze,
    "repeat": lambda x: np.broadcast_to(x, (2, *x.shape)),
    "difference": lambda x: np.diff(x, axis=0) if x.ndim else x,
}
INDEXING: dict[str, Callable[[Any], Any]] = {
    "taken": lambda x: x[positions(x, 7)] if x.size else x,
    "windowed": lambda x: x[count(x) % len(x), ..., 1:] if x.ndim > 1 and x.size else x,
    "stored": lambda x: stored(x, positions(x, 3), 0.5, "set") if x.size else x,
    "added": lambda x: (
        stored(x, positions(x, 5), x[positions(x, 5) - 1], "add") if x.ndim and x.size else x
    ),
    "masked": lambda x: stored(x, np.sin(x) > np.cos(x), 0.25, "mul"),
    "overwritten": lambda x: stored(x, slice(1, None, 2), x[1::2] ** 2, "set") if x.ndim else x,
}
REDUCING: dict[str, Callable[[Any], Any]] = {
    "sum": np.sum,
    "sum of columns": lambda x: np.sum(x, axis=0) if x.ndim else x,
    "mean of rows": lambda x: np.sum(x, axis=-1) / max(x.shape[-1], 1) if x.ndim else x,
    "softmax": lambda x: softmax(x) if x.ndim and x.shape[-1] else x,
    "standardize": lambda x: x / (1 + np.sum(x * x, axis=-1, keepdims=True)) if x.ndim else x,
    "running sum": lambda x: np.cumsum(x, axis=0) if x.ndim else x,
    "gram": lambda x: x @ np.transpose(x) if x.ndim == 2 else x,
}
FUNCTIONS = {**UNARY, **SHAPING, **INDEXING, **REDUCING}


def count(x: Any) -> Any:
    """Return how many elements there are, as a number that is not known while tracing."""
    return np.sum(np.isfinite(x), dtype=np.int64)


def positions(x: Any, number: int) -> Any:
    """Return positions along the first dimension, some of them the same."""
    if x.ndim == 0:
        return ()
    return (np.arange(number) * 2 + count(x)) % x.shape[0]


def stored(x: Any, index: Any, value: Any, kind: str) -> Any:
    """Update x as `updated` does, which NumPy is to agree with."""
    if isinstance(x, Tracer):
        return updated(x, index, value, kind)
    result = np.array(x)
    if kind == "set":
        result[index] = value
    else:
        {"add": np.add, "mul": np.multiply}[kind].at(result, index, value)
    return result


def softmax(x: Any) -> Any:
    powers = np.exp(np.tanh(x))
    return powers / np.sum(powers, axis=-1, keepdims=True)


class Step(NamedTuple):
    """One instruction: a function and the numbers of its operands among the values so far."""

    name: str
    left: int
    right: int

    def run(self, values: Sequence[Any]) -> Any:
        x, y = (values[i % len(values)] for i in (self.left, self.right))
        if self.name in FUNCTIONS:
            return FUNCTIONS[self.name](x)
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            y = np.sum(y)
        return BINARY[self.name](x, y)


class Program(NamedTuple):
    """A function of some arrays, which returns its last few values."""

    shapes: list[tuple[int, ...]]
    steps: list[Step]

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        values = list(arrays)
        for step in self.steps:
            value = step.run(values)
            if np.size(value) <= 300 and np.ndim(value) <= 4:
                values.append(value)
        return tuple(values[-3:])

    def loss(self, *arrays: Any) -> Any:
        return sum(np.sum(np.sin(value)) for value in self(*arrays))

    def draw(self, seed: int) -> list[np.ndarray]:
        random = np.random.default_rng(seed)
        return [np.asarray(random.normal(size=shape)) for shape in self.shapes]


steps = st.builds(
    Step, st.sampled_from([*FUNCTIONS, *BINARY]), st.integers(0, 99), st.integers(0, 99)
)
programs = st.builds(
    Program,
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    st.lists(steps, min_size=1, max_size=12),
)
seeds = st.integers(0, 9)


def compiled(function: Callable[..., Any]) -> gd.Staged:
    """Stage a function anew, so that nothing is found in a cache."""
    return gd.stage(lambda *arrays: function(*arrays))


def assert_close(found: Any, expected: Any, tolerance: float) -> None:
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    scale = float(np.max(np.abs(expected), initial=1.0))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


@given(programs, seeds)
@settings(max_examples=60, deadline=None)
def test_compiled_interpreted_and_numpy_agree(program: Program, seed: int) -> None:
    arrays = program.draw(seed)
    expected = program(*arrays)
    staged = compiled(program)
    traced = staged.trace(*arrays)
    interpreted = Interpreter(traced.module).call(traced.fun_name, *traced.captures, *arrays)
    for by_numpy, by_interpreter, by_code in zip(
        expected, interpreted, staged(*arrays), strict=True
    ):
        assert_close(by_interpreter, by_numpy, 1e-12)
        assert_close(by_code, by_numpy, 1e-12)


@given(programs, seeds)
@settings(max_examples=30, deadline=None)
def test_gradient_is_the_slope(program: Program, seed: int) -> None:
    arrays = program.draw(seed)
    staged = compiled(program.loss)
    if not isinstance(program.loss(*arrays), np.floating):
        return
    value, gradient = staged.value_and_grad()(*arrays)
    assert_close(value, program.loss(*arrays), 1e-12)
    direction = np.random.default_rng(seed + 1).normal(size=arrays[0].shape)
    step = 1e-6
    ahead, behind = (program.loss(arrays[0] + s * direction, *arrays[1:]) for s in (step, -step))
    slope = (ahead - behind) / (2 * step)
    assert_close(np.float64(np.sum(gradient * direction)), np.float64(slope), 1e-5)


@given(programs, seeds)
@settings(max_examples=30, deadline=None)
def test_forward_mode_agrees_with_reverse_mode(program: Program, seed: int) -> None:
    arrays = program.draw(seed)
    staged = compiled(program.loss)
    if not isinstance(program.loss(*arrays), np.floating):
        return
    directions = [np.random.default_rng(seed + 1).normal(size=a.shape) for a in arrays]
    _, slope = staged.jvp()(tuple(arrays), tuple(map(np.asarray, directions)))
    gradients = staged.grad(argnums=tuple(range(len(arrays))))(*arrays)
    expected = sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
    assert_close(np.float64(slope), np.float64(expected), 1e-10)


@given(programs, seeds)
@settings(max_examples=30, deadline=None)
def test_vmap_is_a_loop(program: Program, seed: int) -> None:
    batches = [np.stack([np.asarray(a) * k for k in (1.0, 0.5, -1.0)]) for a in program.draw(seed)]
    mapped = compiled(program).vmap()(*batches)
    rows = [program(*row) for row in zip(*batches, strict=True)]
    for found, *expected in zip(mapped, *rows, strict=True):
        assert_close(found, np.stack(expected), 1e-12)


@given(programs, seeds)
@settings(max_examples=15, deadline=None)
def test_vmap_of_the_gradient_is_a_loop(program: Program, seed: int) -> None:
    batches = [np.stack([np.asarray(a) * k for k in (1.0, -0.5)]) for a in program.draw(seed)]
    if not isinstance(program.loss(*[b[0] for b in batches]), np.floating):
        return
    staged = compiled(program.loss).grad()
    mapped = staged.vmap()(*batches)
    expected = np.stack([staged(*row) for row in zip(*batches, strict=True)])
    assert_close(mapped, expected, 1e-10)


@given(programs, seeds)
@settings(max_examples=20, deadline=None)
def test_checks_that_hold_change_nothing(program: Program, seed: int) -> None:
    arrays = program.draw(seed)
    checked = gd.stage(lambda *arrays: program(*arrays), checks=all_checks)
    for found, expected in zip(checked(*arrays), compiled(program)(*arrays), strict=True):
        assert_close(found, expected, 1e-12)
