"""Functions in two parts: pullbacks and linearizations, what they hold, where they may go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend import tree
from gradatim.frontend.arguments import FLOAT0

from .misuse import Failure, check_failure, each_failure

RNG = np.random.default_rng(0)
X = RNG.normal(size=5)
W = RNG.normal(size=(4, 5))
BIG = RNG.normal(size=(200, 5))  # so large that it is captured


def wave(x: Any) -> Any:
    return np.sin(x) * x


def d_wave(x: Any) -> Any:
    return np.cos(x) * x + np.sin(x)


def layer(x: Any) -> Any:
    return np.tanh(BIG @ x)


def of_trees(p: Any, n: Any) -> Any:
    return {"a": np.tanh(p["w"] @ p["x"]) * n, "n": n}, [p["x"].sum()]


FUNCTIONS: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    ("elementwise", wave, (X,)),
    ("matrix", lambda w, x: np.exp(w @ x), (W, X)),
    ("captured matrix", layer, (X,)),
    ("trees and integers", of_trees, ({"w": W, "x": X}, np.arange(4))),
    ("linear", lambda x: 3 * x[1:], (X,)),
    ("unused argument", lambda x, y: x * 2, (X, W)),
    ("constant result", lambda x: np.ones(2), (X,)),
    ("number", lambda x: x**3, (2.0,)),
    ("result that is the argument", lambda x: x, (X,)),
    ("nested derivatives", lambda x: gd.grad(lambda y: (y**3).sum())(x), (X,)),
]
EACH = pytest.mark.parametrize(
    ("f", "args"), [case[1:] for case in FUNCTIONS], ids=[case[0] for case in FUNCTIONS]
)


def random_like(value: Any) -> Any:
    def leaf(x: Any) -> Any:
        array = np.asarray(x)
        if array.dtype.kind not in "fc":
            return np.zeros(array.shape, FLOAT0)
        return np.asarray(RNG.normal(size=array.shape), array.dtype)[()]

    return tree.map(leaf, value)


def assert_same(found: Any, expected: Any) -> None:
    assert tree.structure(found) == tree.structure(expected)
    for a, b in zip(tree.leaves(found), tree.leaves(expected)):
        if getattr(b, "dtype", None) == FLOAT0:
            assert (a.dtype, a.shape) == (FLOAT0, b.shape)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@EACH
def test_vjp_is_the_joint_one_in_two_parts(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    result, pullback = gd.vjp(f, *args)
    assert_same(result, f(*args))
    for _ in range(2):
        cotangents = random_like(result)
        joint, gradients = gd.stage(f).vjp()(args, cotangents)
        assert_same(pullback(cotangents), gradients)
        assert_same(result, joint)


@EACH
def test_linearize_is_jvp_in_two_parts(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    result, linear = gd.linearize(f, *args)
    assert_same(result, f(*args))
    for _ in range(2):
        tangents = random_like(args)
        _, expected = gd.jvp(f, args, tangents)
        assert_same(linear(*tangents), expected)


@EACH
@pytest.mark.parametrize("linearize", [False, True], ids=["vjp", "linearize"])
def test_parts_are_containers(
    f: Callable[..., Any], args: tuple[Any, ...], linearize: bool
) -> None:
    """They can be returned from a staged function, and passed to one."""
    parted = gd.linearize if linearize else gd.vjp
    result, second = parted(f, *args)
    given = random_like(args) if linearize else (random_like(result),)
    returned, other = gd.jit(lambda *args: parted(f, *args))(*args)
    assert type(other) is type(second)
    assert_same(returned, result)
    assert_same(other(*given), second(*given))
    assert_same(gd.jit(lambda part, given: part(*given))(other, given), second(*given))
    rebuilt = tree.unflatten(tree.structure(second), tree.leaves(second))
    assert_same(rebuilt(*given), second(*given))


def test_has_aux() -> None:
    def f(x: Any) -> Any:
        return x**2, {"aux": 3 * x, "n": 2}

    for found in (
        gd.vjp(f, 3.0, has_aux=True),
        gd.linearize(f, 3.0, has_aux=True),
        gd.stage(f).linearize(3.0, has_aux=True),
    ):
        result, second, aux = found
        assert (result, aux) == (9.0, {"aux": 9.0, "n": 2})
        assert tree.leaves(second(1.0)) == [6.0]


def test_what_was_computed_is_not_computed_again() -> None:
    """The second part has neither tanh nor product: residuals stand for them."""
    _, pullback = gd.vjp(lambda w, x: np.tanh(w @ x), W, X)
    assert [r.shape for r in pullback.residuals] == [(4, 5), (5,), (4,)]
    text = str(pullback.code.traced)
    assert "array.tanh" not in text
    _, linear = gd.linearize(lambda w, x: np.tanh(w @ x), W, X)
    assert "array.tanh" not in str(linear.code.traced)


def test_captured_arrays_are_no_residuals() -> None:
    _, pullback = gd.vjp(layer, X)
    assert [r.shape for r in pullback.residuals] == [(200,)]


def test_the_point_is_kept() -> None:
    point = X.copy()
    _, pullback = gd.vjp(wave, point)
    point[:] = 0.0
    np.testing.assert_allclose(pullback(np.ones(5))[0], d_wave(X))


def test_vmap_of_the_second_part() -> None:
    """Rows of the Jacobian by a pullback, columns by a linear function."""
    expected = gd.jacfwd(layer)(X)
    _, pullback = gd.vjp(layer, X)
    (rows,) = gd.vmap(pullback)(np.eye(200))
    np.testing.assert_allclose(rows, expected, atol=1e-14)
    _, linear = gd.linearize(layer, X)
    columns = gd.vmap(linear, out_axes=1)(np.eye(5))
    np.testing.assert_allclose(columns, expected, atol=1e-14)


def test_a_batch_of_pullbacks() -> None:
    points, cotangents = RNG.normal(size=(3, 5)), RNG.normal(size=(3, 200))
    results, pullbacks = gd.vmap(lambda x: gd.vjp(layer, x))(points)
    np.testing.assert_allclose(results, np.tanh(points @ BIG.T))
    (found,) = gd.vmap(lambda pullback, g: pullback(g))(pullbacks, cotangents)
    expected = [gd.vjp(layer, x)[1](g)[0] for x, g in zip(points, cotangents)]
    np.testing.assert_allclose(found, expected)
    with pytest.raises(errors.ArgumentError, match="a batch of functions, call it under vmap"):
        pullbacks(cotangents)


def test_inside_traced_functions() -> None:
    def by_parts(x: Any) -> Any:
        result, pullback = gd.vjp(wave, x)
        _, linear = gd.linearize(wave, x)
        return result + pullback(2.0)[0] + linear(3.0)

    def directly(x: Any) -> Any:
        return wave(x) + 5 * d_wave(x)

    np.testing.assert_allclose(gd.jit(by_parts)(0.3), directly(0.3))
    np.testing.assert_allclose(gd.vmap(by_parts)(X), directly(X))
    np.testing.assert_allclose(gd.grad(by_parts)(0.3), gd.grad(directly)(0.3))
    np.testing.assert_allclose(gd.jacfwd(gd.grad(by_parts))(0.3), gd.hessian(directly)(0.3))


def test_closing_over_outer_values() -> None:
    def outer(x: Any) -> Any:
        _, pullback = gd.vjp(lambda y: (x * y) ** 2, 3.0)
        return pullback(1.0)[0]  # 2 x^2 y

    assert gd.jit(outer)(2.0) == 24.0
    assert gd.grad(outer)(2.0) == 24.0
    np.testing.assert_array_equal(gd.vmap(outer)(np.array([1.0, 2.0])), [6.0, 24.0])


def test_derivatives_of_the_second_part() -> None:
    """A pullback is linear: its derivative is itself, and residuals have derivatives too."""
    _, pullback = gd.vjp(wave, X)
    found = gd.jvp(lambda g: pullback(g)[0], (np.ones(5),), (2 * np.ones(5),))[1]
    np.testing.assert_allclose(found, 2 * d_wave(X))
    gradient = gd.grad(lambda part: part(np.ones(5))[0].sum())(pullback)
    assert type(gradient) is type(pullback)


def test_python_numbers_take_the_dtype() -> None:
    _, pullback = gd.vjp(wave, np.float32(0.5))
    assert pullback(2)[0].dtype == np.float32
    _, linear = gd.linearize(lambda x, n: x * n, np.float32(0.5), 3)
    assert linear(1, np.zeros((), FLOAT0)) == 3.0


def test_linear_transpose() -> None:
    def f(x: Any, y: Any) -> Any:
        return {"a": BIG @ x, "b": x[1:] + y}

    g = {"a": RNG.normal(size=200), "b": RNG.normal(size=4)}
    expected = (g["a"] @ BIG + np.append(0.0, g["b"]), g["b"])
    types = (gd.ShapeDtypeStruct((5,), "f8"), gd.ShapeDtypeStruct((4,), "f8"))
    for transposed in (gd.linear_transpose(f, *types), gd.stage(f).linear_transpose(X, X[1:])):
        assert_same(transposed(g), expected)
        batch = gd.vmap(transposed)(tree.map(lambda leaf: np.stack([leaf, 2 * leaf]), g))
        assert_same(batch, tree.map(lambda leaf: np.stack([leaf, 2 * leaf]), expected))
    real = gd.linear_transpose(lambda z: 2j * z, 1j)(1.0 + 0j)
    assert real == (2j,)


def test_transpose_of_a_transpose() -> None:
    f = gd.linear_transpose(lambda x: W @ x, X)
    np.testing.assert_allclose(gd.linear_transpose(lambda g: f(g)[0], X[1:])(X)[0], W @ X)


FAILURES: list[Failure] = [
    ("structure of cotangents", lambda: gd.vjp(wave, X)[1]((X,)), errors.TreeError,
     "cotangents must have the structure"),
    ("shape of cotangents", lambda: gd.vjp(wave, X)[1](X[1:]), errors.ArgumentError,
     r"`cotangents` must be f64\[5\], .* found f64\[4\]"),
    ("number of tangents", lambda: gd.linearize(wave, X)[1](X, X), errors.TreeError,
     "tangents must have the structure"),
    ("dtype of tangents", lambda: gd.linearize(wave, X)[1](X.astype("f4")), errors.ArgumentError,
     r"`tangents\[0\]` must be f64\[5\]"),
    ("no aux", lambda: gd.vjp(wave, X, has_aux=True), errors.NonScalarOutputError, "a pair"),
    ("static arguments", lambda: gd.vjp(gd.jit(wave, static_argnums=0), 1.0),
     errors.StaticArgumentError, "close over them"),
    ("not linear", lambda: gd.linear_transpose(lambda x: x * x, X)(X), errors.GradatimError,
     "array.mul is not linear"),
    ("affine", lambda: gd.linear_transpose(lambda x: abs(x), X)(X), errors.GradatimError,
     "not linear"),
    ("integers to transpose", lambda: gd.linear_transpose(wave, 3)(1.0),
     errors.NonDifferentiableArgumentError, "linear_transpose .* `x` is Python int"),
    ("integer results to transpose", lambda: gd.linear_transpose(lambda x: (x, 3), X)((X, 3)),
     errors.OutputError, r"linear_transpose .* `result\[1\]` is Python int"),
    ("arguments of a transpose", lambda: gd.linear_transpose(wave, X)(X, X), errors.ArgumentError,
     "takes one argument"),
]  # fmt: skip


@each_failure(FAILURES)
def test_misuse(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    check_failure(call, kind, message)
