"""vmap against loops: axes of nested trees, in and out, and vmap of everything else."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend import tree

RNG = np.random.default_rng(0)
SIZE = 4
Pair = namedtuple("Pair", ["a", "b"])


@dataclass
class Box:
    content: Any
    label: str = tree.static(default="box")


def batch(axis: int, *shape: int) -> Any:
    """Return an array with the batch at an axis."""
    whole = list(shape)
    whole.insert(axis if axis >= 0 else len(whole) + 1 + axis, SIZE)
    return RNG.normal(size=whole)


def part(i: int, value: Any, axis: Any) -> Any:
    return value if axis == -100 else np.take(value, i, axis)[()]


def looped(f: Callable[..., Any], args: Any, in_axes: Any, out_axes: Any, **kwargs: Any) -> Any:
    """Do by a loop over full trees of axes what vmap does; None for -100 in the trees."""
    results = []
    for i in range(SIZE):
        one = tree.map(partial(part, i), args, in_axes)
        named = {k: tree.map(partial(part, i, axis=0), v) for k, v in kwargs.items()}
        results.append(f(*one, **named))
    axes = tree.leaves(tree.broadcast(out_axes, results[0]))
    columns = zip(*map(tree.leaves, results))
    joined = [c[0] if a == -100 else np.stack(c, a) for c, a in zip(columns, axes)]
    return tree.unflatten(tree.structure(results[0]), joined)


def none_for(axes: Any) -> Any:
    """Return axes as the user writes them."""
    return tree.map(lambda a: None if a == -100 else a, axes)


def product(x: Any, y: Any) -> Any:
    return x * y.sum()


def of_tree(p: Any, x: Any) -> Any:
    w, (b, s) = p["w"], p["rest"]
    return {"y": np.tanh(w @ x) * s, "z": [b, x]}


def of_nodes(box: Any, pair: Any) -> Any:
    return Box(box.content * pair.a, "out"), Pair(pair.b, None)


CASES: list[tuple[str, Callable[..., Any], Any, Any, Any]] = [
    ("two axes", product, (batch(0, 3), batch(1, 2)), (0, 1), 0),
    ("negative axes", product, (batch(-1, 3), batch(-2, 2, 3)), (-1, -2), -1),
    ("one shared", product, (batch(0, 3), RNG.normal(size=2)), (0, -100), 1),
    ("trees", of_tree,
     ({"w": batch(1, 2, 3), "rest": (batch(0), RNG.normal())}, batch(2, 3, 2)),
     ({"w": 1, "rest": (0, -100)}, 2), {"y": -1, "z": [0, 1]}),
    ("shared result", of_tree,
     ({"w": batch(0, 2, 3), "rest": (2.5, batch(0))}, RNG.normal(size=3)),
     ({"w": 0, "rest": (-100, 0)}, -100), {"y": 1, "z": [-100, -100]}),
    ("nodes", of_nodes, (Box(batch(1, 3)), Pair(batch(0), batch(0, 1))),
     (Box(1), Pair(0, 0)), (Box(1, "out"), Pair(0, None))),
    ("integers and bools", lambda n, m: (n + 1, ~m, n.astype(float)),
     (np.arange(SIZE), np.arange(SIZE) > 1), (0, 0), 0),
    ("constants among results", lambda x: (x, 3, np.ones(2)), (batch(0),), (0,), 0),
]  # fmt: skip


def assert_same(found: Any, expected: Any) -> None:
    assert tree.structure(found) == tree.structure(expected)
    for a, b in zip(tree.leaves(found), tree.leaves(expected)):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize(
    ("f", "args", "in_axes", "out_axes"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_axes(f: Callable[..., Any], args: Any, in_axes: Any, out_axes: Any) -> None:
    expected = looped(f, args, tree.broadcast(in_axes, args), out_axes)
    written = none_for(in_axes), none_for(out_axes)
    assert_same(gd.vmap(f, *written)(*args), expected)
    assert_same(gd.stage(f).vmap(list(written[0]), written[1])(*args), expected)
    nested = gd.jit(lambda *args: gd.vmap(f, *written)(*args))
    assert_same(nested(*args), expected)
    assert_same(gd.vmap(f, *written, axis_size=SIZE)(*args), expected)


def test_arguments_by_keyword_are_mapped_along_the_first_axis() -> None:
    def f(x: Any, *, p: Any, shift: Any = 0.0) -> Any:
        return x * p["w"] + shift

    x, p = batch(1, 2), {"w": batch(0, 2)}
    expected = x.T * p["w"]
    np.testing.assert_allclose(gd.vmap(f, in_axes=1)(x, p=p), expected)
    shifted = gd.vmap(f, in_axes=(1,))(x, p=p, shift=np.arange(4.0))
    np.testing.assert_allclose(shifted, expected + np.arange(4.0)[:, None])


def test_axes_are_any_integers() -> None:
    x = batch(1, 3)
    np.testing.assert_allclose(gd.vmap(np.sin, np.int64(1), np.int8(-1))(x), np.sin(x))


def test_size_without_arguments() -> None:
    np.testing.assert_array_equal(gd.vmap(lambda: 2.0, axis_size=3)(), np.full(3, 2.0))
    found = gd.vmap(lambda x: {"a": x, "b": ()}, None, {"a": 1, "b": None}, axis_size=2)(np.ones(3))
    np.testing.assert_array_equal(found["a"], np.ones((3, 2)))


def test_functions_without_results() -> None:
    assert gd.vmap(lambda x: None)(np.ones(3)) is None
    assert gd.vmap(lambda x: {})(np.ones(3)) == {}


TRANSFORMED: list[tuple[str, Callable[..., Any]]] = [
    ("grad", gd.grad(lambda x: (x**3).sum())),
    ("value_and_grad", gd.value_and_grad(lambda x: (x**3).sum())),
    ("jacfwd", gd.jacfwd(lambda x: x**2 * x[0])),
    ("jacrev", gd.jacrev(lambda x: x**2 * x[0])),
    ("hessian", gd.hessian(lambda x: (x**3).sum() * x[0])),
    ("jvp", lambda x: gd.jvp(np.sin, (x,), (x,))),
    ("vjp", lambda x: gd.vjp(np.sin, x)[1](x)),
    ("linearize", lambda x: gd.linearize(np.sin, x)[1](x)),
    ("vmap", gd.vmap(lambda x: x**2)),
    ("jit", gd.jit(lambda x: x**2)),
    ("hvp", lambda x: gd.hvp(lambda y: (y**3).sum(), (x,), (x,))),
    ("checkpoint", lambda x: gd.linearize(gd.checkpoint(np.sin), x)[0]),
]


@pytest.mark.parametrize("f", [c[1] for c in TRANSFORMED], ids=[c[0] for c in TRANSFORMED])
def test_of_every_transformation(f: Callable[..., Any]) -> None:
    x = batch(0, 3)
    assert_same(gd.vmap(f)(x), looped(f, (x,), (0,), 0))
    assert_same(gd.vmap(f, 1)(x.T), looped(f, (x.T,), (1,), 0))
    twice = gd.vmap(gd.vmap(f))(np.stack([x, 2 * x]))
    assert_same(twice, tree.map(lambda *parts: np.stack(parts), gd.vmap(f)(x), gd.vmap(f)(2 * x)))


def test_sizes_that_differ() -> None:
    with pytest.raises(errors.AxesError, match=r"4 for axis 0 of `p\['a'\]`.*, 3 for axis 1 of"):
        gd.vmap(lambda p: p, ({"a": 0, "b": 1},))({"a": np.ones(4), "b": np.ones((2, 3))})
    with pytest.raises(errors.AxesError, match=r"4 for axis 0 of `x`.*, 3 for axis_size"):
        gd.vmap(lambda x: x, axis_size=3)(np.ones(4))
