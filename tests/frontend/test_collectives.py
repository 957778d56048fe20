"""What functions under ``vmap(axis_name=...)`` compute with all lanes, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, lax

X = np.array([1.0, -2.0, 4.0])


def mapped(f: Any, **options: Any) -> Any:
    return gd.vmap(f, axis_name="i", **options)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x / lax.psum(x, "i"), X / 3),
        (lambda x: x - lax.pmean(x, "i"), X - 1),
        (lambda x: lax.pmax(x, "i") - x, 4 - X),
        (lambda x: lax.pmin(np.sin(x), "i"), np.repeat(np.sin(X).min(), 3)),
        (lambda x: lax.axis_index("i") * x, X * [0, 1, 2]),
        (lambda x: x * lax.axis_size("i") + lax.psum(1, "i"), 3 * X + 3),
        (lambda x: lax.psum(x > 0, "i") + 0 * x, np.full(3, 2.0)),
        (lambda x: lax.psum({"a": x, "b": (2 * x,)}, "i")["b"][0], np.full(3, 6.0)),
        (lambda x: lax.psum(np.ones(2), "i").sum() * x, 6 * X),
        (lambda x: gd.jit(lambda y: lax.psum(y, "i"))(x) * x, 3 * X),
        (lambda x: lax.scan(lambda s, _: (s + lax.psum(x, "i"), None), x, None, 2)[0], X + 6),
        (lambda x: lax.cond(lax.psum(x, "i") > 0, lambda: lax.pmax(x, "i"), lambda: x), X * 0 + 4),
        (lambda x: lax.while_loop(lambda s: lax.psum(s, "i") < 9, lambda s: s + 1, x), X + 2),
        (lambda x: lax.fori_loop(0, 2, lambda i, s: s - lax.pmean(s, "i"), x), X - 1),
    ],
)
def test_what_lanes_have_in_common(f: Any, expected: Any):
    for call in (mapped(f), gd.jit(mapped(f)), mapped(f).compile(X)):
        np.testing.assert_allclose(call(X), expected)


def test_results_are_the_same_for_all():
    total = mapped(lambda x: lax.psum(x, "i"), out_axes=None)
    assert total(X) == 3 and total(X).shape == ()
    assert gd.vmap(lambda: lax.psum(2.0, "i"), axis_name="i", axis_size=5, out_axes=None)() == 10


def test_several_names():
    a = np.arange(6.0).reshape(2, 3)

    def f(x: Any) -> Any:
        return lax.psum(x, "i"), lax.psum(x, ("i", "j")), lax.axis_index(("i", "j"))

    rows, total, numbers = gd.vmap(gd.vmap(f, axis_name="j"), axis_name="i")(a)
    np.testing.assert_array_equal(rows, np.stack([a.sum(0)] * 2))
    np.testing.assert_array_equal(total, np.full((2, 3), 15.0))
    np.testing.assert_array_equal(numbers, a)


@pytest.mark.parametrize(
    ("f", "batch"),
    [
        (lambda x: np.sin(x) * lax.psum(x**2, "i"), lambda x: np.sin(x) * (x**2).sum()),
        (lambda x: np.exp(x - lax.pmax(x, "i")), lambda x: np.exp(x - x.max())),
        (lambda x: x * lax.pmin(x * x, "i"), lambda x: x * (x * x).min()),
        (lambda x: (x - lax.pmean(x, "i")) ** 2, lambda x: (x - x.mean()) ** 2),
    ],
)
def test_derivatives(f: Any, batch: Any):
    """Inside and outside of the map they are those of the function of the batch."""
    expected = gd.jacrev(batch)(X)
    np.testing.assert_allclose(gd.jacrev(mapped(f))(X), expected, atol=1e-14)
    np.testing.assert_allclose(gd.jacfwd(mapped(f))(X), expected, atol=1e-14)
    np.testing.assert_allclose(mapped(gd.grad(f))(X), expected.sum(0), atol=1e-14)
    tangents = np.array([0.5, 1.0, -1.0])
    _, moved = mapped(lambda x, t: gd.jvp(f, (x,), (t,)))(X, tangents)
    np.testing.assert_allclose(moved, expected @ tangents, atol=1e-14)


def test_gradients_of_one_model_on_all_lanes():
    """Training steps on parts of the data, as with several devices."""

    def step(w: Any, x: Any) -> Any:
        return w - 0.1 * lax.pmean(gd.grad(lambda w: (w * x - 1) ** 2)(w), "i")

    found = gd.vmap(step, in_axes=(None, 0), out_axes=None, axis_name="i")(2.0, X)
    np.testing.assert_allclose(found, 2.0 - 0.1 * np.mean(2 * (2 * X - 1) * X))


def test_decisions_by_values_know_the_lanes():
    def f(x: Any) -> Any:
        return [np.sin, np.cos][int(lax.psum(x, "i")) % 2](x)

    np.testing.assert_allclose(mapped(f)(X), np.cos(X))
    np.testing.assert_allclose(mapped(f)(X + np.array([1, 0, 0])), np.sin(X + np.array([1, 0, 0])))


def test_errors():
    for f in (lambda x: lax.psum(x, "j"), lambda x: lax.axis_index("j") * x):
        with pytest.raises(errors.AxisNameError, match="no `vmap` around has the axis_name 'j'"):
            mapped(f)(X)
    with pytest.raises(NameError, match="there is none"):
        lax.psum(1.0, "i")

    def diverging(x: Any) -> Any:
        return lax.while_loop(lambda s: s < 9, lambda s: s + lax.psum(1 + 0 * s, "i"), x)

    def choosing(x: Any) -> Any:
        return lax.cond(x > 0, lambda: lax.psum(x, "i"), lambda: x)

    for f in (diverging, choosing):
        with pytest.raises(errors.GradatimError, match="not all of them take") as caught:
            mapped(f)(X)
        assert "test_collectives.py" in str(caught.value)
