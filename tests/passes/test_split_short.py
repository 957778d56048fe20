"""Short last dimensions as separate arrays, against the reference interpreter on whole ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import gradatim as gd
from gradatim.ir.array.reduction import KINDS_OF
from gradatim.ir.array.shape import ReshapeOp, SliceOp
from gradatim.ir.checks import check_function
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.types import shape_of, tensor_type
from gradatim.passes.split_short.split_short import ArraySplitShort

RANDOM = np.random.default_rng(7)


def split(build: Callable, *arrays: np.ndarray) -> list[tuple[int, ...]]:
    """Check that a program has the same results by components; return the shapes computed."""
    function = FunctionBuilder("f", [tensor_type(a.shape, a.dtype) for a in arrays])
    results = build(function.builder, *function.arguments)
    module = ModuleOp([function.finish(results if isinstance(results, list) else [results])])
    expected = Interpreter(module).call("f", *arrays)
    ArraySplitShort().apply(None, module)
    module.verify()
    (changed,) = module.body.block.ops
    check_function(changed, locations=False)
    found = Interpreter(module).call("f", *arrays)
    for want, got in zip(expected, found, strict=True):
        assert got.dtype == want.dtype
        if want.dtype.kind == "f":
            np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-14)
        else:
            np.testing.assert_array_equal(got, want)
    ops = changed.body.block.ops
    return [
        shape_of(op.results[0])
        for op in ops
        if op.results and not isinstance(op, SliceOp | ReshapeOp)
    ]


def draw(kinds: str, *shape: int) -> np.ndarray:
    if "f" in kinds:
        return RANDOM.standard_normal(shape)
    return RANDOM.integers(0, 100, shape)


@pytest.mark.parametrize("dims", [[2], [0], [1], [0, 2], [1, 2], [0, 1], [0, 1, 2]])
@pytest.mark.parametrize("kind", list(KINDS_OF))
def test_reductions(kind, dims):
    x, y = draw(KINDS_OF[kind], 12, 3), draw(KINDS_OF[kind], 10, 3)

    def build(b, x, y):
        left, right = b.broadcast(x, (10, 12, 3), [1, 2]), b.broadcast(y, (10, 12, 3), [0, 2])
        return b.reduce(kind.value, b.max(left, right), dims)

    assert (10, 12, 3) not in split(build, x, y)


def test_constants_and_positions():
    table = RANDOM.standard_normal((40, 3, 4))

    def build(b, x):
        whole = (40, 3, 4)
        positions = [b.iota(whole, np.dtype("f8"), dim) for dim in range(3)]
        total = b.mul(b.broadcast(x, whole, [0]), b.constant(table))
        for position in positions:
            total = b.add(total, position)
        return b.reduce("add", b.add(total, b.full(whole, np.dtype("f8"), 0.5)), [2])

    assert all(shape[-1:] != (4,) for shape in split(build, RANDOM.standard_normal(40)))


def test_joined_arrays_and_parts():
    x, y = RANDOM.standard_normal((2, 100, 2))

    def build(b, x, y):
        whole = b.concatenate([x, b.reshape(b.reduce("add", y, [1]), (100, 1))], 1)
        moved = b.mul(whole, b.broadcast(b.reduce("max", x, [1]), (100, 3), [0]))
        part = b.slice(moved, (10, 0), (90, 3), (3, 2))
        return [b.reduce("add", moved, [0]), part]

    assert (100, 3) not in split(build, x, y)


def test_a_part_of_no_components():
    def build(b, x):
        whole = b.broadcast(x, (9, 70, 3), [1, 2])
        return [b.slice(whole, (0, 0, 2), (9, 70, 2)), b.reduce("add", whole, [2])]

    assert (9, 70, 3) not in split(build, RANDOM.standard_normal((70, 3)))


def test_reductions_of_what_is_also_needed_as_a_whole():
    """They are computed from the components, and the pass comes to an end."""

    def build(b, x):
        whole = b.broadcast(x, (70, 3), [0])
        return [b.reduce("add", whole, [1]), b.cumulative("add", whole, 0)]

    shapes = split(build, RANDOM.standard_normal(70))
    assert Counter(shapes)[(70, 3)] == 2  # the joined array, and what cannot be split


def test_comparisons_and_conversions():
    def build(b, x):
        whole = b.broadcast(x, (9, 70, 3), [1, 2])
        positive = b.compare("gt", whole, b.full_like(whole, 0))
        chosen = b.select(positive, whole, b.neg(whole))
        return [b.reduce("and", positive, [2]), b.reduce("add", chosen, [0, 2])]

    assert (9, 70, 3) not in split(build, RANDOM.standard_normal((70, 3)))


def test_arrays_in_memory():
    def build(b, x, y):
        squared = b.add(b.mul(x, x), b.exp(y))
        norm = b.broadcast(b.sqrt(b.reduce("add", squared, [1])), (100, 3), [0])
        scaled = b.div(x, norm)
        return [scaled, b.sin(scaled), b.cumulative("add", scaled, 0)]

    shapes = split(build, *RANDOM.standard_normal((2, 100, 3)))
    assert Counter(shapes)[(100, 3)] == 3  # two joined arrays, and what cannot be split


def test_stays_whole_where_little_is_computed():
    def build(b, x, y):
        return b.add(x, b.broadcast(y, (100, 3), [0]))

    shapes = split(build, RANDOM.standard_normal((100, 3)), RANDOM.standard_normal(100))
    assert shapes == [(100, 3), (100, 3)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_gradient_of_pairwise_forces(dtype, count):
    """Against differences; the whole pipeline runs."""
    x = RANDOM.standard_normal((37, count)).astype(dtype)
    direction = RANDOM.standard_normal(x.shape).astype(dtype)

    def energy(x):
        apart = x[None, :, :] - x[:, None, :]
        squared = np.sum(apart * apart, axis=-1) + 0.5
        pull = np.sum(apart * (squared**-1.5)[:, :, None], axis=1)
        return np.sum(pull * pull) + np.sum(np.max(apart, axis=(1, 2)))

    slope = np.sum(gd.grad(energy)(x).astype(np.float64) * direction)
    exact, step = x.astype(np.float64), 1e-5 * direction.astype(np.float64)
    difference = (energy(exact + step) - energy(exact - step)) / 2e-5
    np.testing.assert_allclose(slope, difference, rtol=2e-4 if dtype is np.float32 else 1e-7)
