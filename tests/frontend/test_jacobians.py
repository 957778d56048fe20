"""Jacobians and Hessians: values against formulas, structures against JAX's, composition."""

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
X = RNG.normal(size=4)
M = RNG.normal(size=(2, 3))
BOTH = pytest.mark.parametrize("jacobian", [gd.jacfwd, gd.jacrev], ids=["fwd", "rev"])


def vector(x: Any) -> Any:
    return np.stack([x[0] * x[1], np.sin(x[2]), x[3] ** 2 * x[0]])


def scalar(x: Any) -> Any:
    return (x[1:] * x[:-1] ** 3).sum() + np.exp(x[0])


def numeric(f: Callable[[Any], Any], x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """Return the Jacobian by central differences, the result's dimensions first."""
    columns = []
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[i] = eps
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * eps))
    shape = np.shape(f(x)) + x.shape
    return np.moveaxis(np.array(columns), 0, -1).reshape(shape)


FUNCTIONS: list[tuple[str, Callable[[Any], Any], np.ndarray]] = [
    ("vector", vector, X),
    ("scalar", scalar, X),
    ("elementwise", np.tanh, M),
    ("matrix product", lambda m: m @ m.T, M),
    ("reduction", lambda m: np.exp(m).sum(axis=0), M),
    ("of a number", lambda x: np.stack([x, x**2]), np.array(1.5)),
    ("of one element", lambda x: x * x[0], np.array([1.5])),
    ("number of a number", lambda x: x**3, np.array(1.5)),
    ("one element", lambda x: x[1:2] * x[0], X),
    ("no result", lambda x: x[:0], X),
    ("no argument", lambda x: np.ones(2) * x.sum(), np.ones(0)),
    ("constant", lambda x: np.ones(2), X),
]


@BOTH
@pytest.mark.parametrize(("f", "x"), [c[1:] for c in FUNCTIONS], ids=[c[0] for c in FUNCTIONS])
def test_values(jacobian: Callable[..., Any], f: Callable[[Any], Any], x: np.ndarray) -> None:
    found = jacobian(f)(x)
    expected = numeric(f, x)
    assert np.shape(found) == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)


NESTED: list[tuple[str, Callable[[Callable[..., Any]], Any]]] = [
    ("fwd fwd", lambda f: gd.jacfwd(gd.jacfwd(f))),
    ("fwd rev", lambda f: gd.jacfwd(gd.jacrev(f))),
    ("rev fwd", lambda f: gd.jacrev(gd.jacfwd(f))),
    ("rev rev", lambda f: gd.jacrev(gd.jacrev(f))),
    ("hessian", gd.hessian),
    ("staged", lambda f: gd.stage(f).jacobian().jacfwd()),
    ("jit inside", lambda f: gd.jacfwd(gd.jit(gd.jacrev(gd.jit(f))))),
]


@pytest.mark.parametrize("nest", [c[1] for c in NESTED], ids=[c[0] for c in NESTED])
def test_second_derivatives(nest: Callable[[Callable[..., Any]], Any]) -> None:
    expected = numeric(lambda x: numeric(vector, x, 1e-4), X, 1e-4)
    np.testing.assert_allclose(nest(vector)(X), expected, atol=1e-5)
    symmetric = nest(scalar)(X)
    np.testing.assert_allclose(symmetric, symmetric.T)


@BOTH
def test_under_vmap_and_grad(jacobian: Callable[..., Any]) -> None:
    batch = RNG.normal(size=(5, 4))
    expected = np.stack([jacobian(vector)(x) for x in batch])
    np.testing.assert_allclose(gd.vmap(jacobian(vector))(batch), expected, rtol=1e-13)
    last = gd.vmap(jacobian(vector), in_axes=1, out_axes=2)(batch.T)
    np.testing.assert_allclose(last, np.moveaxis(expected, 0, 2), rtol=1e-13)

    def squares(x: Any) -> Any:
        return (jacobian(vector)(x) ** 2).sum()

    np.testing.assert_allclose(gd.grad(squares)(X), numeric(squares, X), atol=1e-7)


@BOTH
def test_trees_are_as_jax_has_them(jacobian: Callable[..., Any]) -> None:
    def f(p: Any, y: Any) -> Any:
        return {"a": p["w"] * y, "b": [p["w"].sum() * y.sum()]}

    p, y = {"w": M[0], "s": 2.0}, M[1]
    first = jacobian(f)(p, y)
    assert tree.structure(first) == tree.structure({"a": p, "b": [p]})
    np.testing.assert_allclose(first["a"]["w"], np.diag(y))
    np.testing.assert_allclose(first["b"][0]["w"], np.full(3, y.sum()))
    assert first["a"]["s"].shape == (3,)
    both = jacobian(f, (0, 1))(p, y)
    assert tree.structure(both) == tree.structure({"a": (p, y), "b": [(p, y)]})
    np.testing.assert_allclose(both["a"][1], np.diag(p["w"]))
    by_list = jacobian(f, [-1])(p, y)
    np.testing.assert_allclose(by_list["b"][0][0], np.full(3, p["w"].sum()))


def test_hessian_of_trees() -> None:
    def f(p: Any) -> Any:
        return (p["a"] ** 2).sum() * p["b"]

    found = gd.hessian(f)({"a": X, "b": 3.0})
    np.testing.assert_allclose(found["a"]["a"], 6 * np.eye(4))
    np.testing.assert_allclose(found["a"]["b"], 2 * X)
    np.testing.assert_allclose(found["b"]["a"], 2 * X)
    assert found["b"]["b"] == 0.0


@BOTH
def test_has_aux_and_keywords(jacobian: Callable[..., Any]) -> None:
    def f(x: Any, *, scale: Any) -> Any:
        return x * scale, {"aux": x.sum(), "count": 3}

    found, aux = jacobian(f, has_aux=True)(X, scale=2.0)
    np.testing.assert_array_equal(found, 2 * np.eye(4))
    assert (aux["aux"], aux["count"]) == (X.sum(), 3)


def test_hessian_has_aux() -> None:
    found, aux = gd.hessian(lambda x: ((x**3).sum(), x), has_aux=True)(X)
    np.testing.assert_allclose(found, np.diag(6 * X))
    np.testing.assert_array_equal(aux, X)


@BOTH
def test_dtypes(jacobian: Callable[..., Any]) -> None:
    x = X.astype("f4")
    assert jacobian(np.sin)(x).dtype == "f4"
    wide = jacobian(lambda x: x.astype(np.float64) * 2)(x)
    assert wide.dtype == ("f8" if jacobian is gd.jacfwd else "f4")


@BOTH
def test_holomorphic(jacobian: Callable[..., Any]) -> None:
    z = X + 1j * X[::-1]
    found = jacobian(lambda z: z**2 * z[0], holomorphic=True)(z)
    expected = np.diag(2 * z * z[0])
    expected[:, 0] += z**2
    np.testing.assert_allclose(found, expected)


def test_integers() -> None:
    counts = np.arange(3)
    found = gd.jacrev(lambda x, n: x * n, (0, 1), allow_int=True)(2.0, counts)
    np.testing.assert_array_equal(found[0], counts)
    assert (found[1].shape, found[1].dtype) == ((3, 3), FLOAT0)
    forward = gd.jacfwd(lambda x: (x * 2, x.astype(np.int64)))(X)
    np.testing.assert_array_equal(forward[0], 2 * np.eye(4))
    assert (forward[1].shape, forward[1].dtype) == ((4, 4), FLOAT0)


def test_hvp() -> None:
    tangent = RNG.normal(size=4)
    expected = gd.hessian(scalar)(X) @ tangent
    np.testing.assert_allclose(gd.hvp(scalar, (X,), (tangent,)), expected)
    np.testing.assert_allclose(gd.stage(scalar).hvp()((X,), (tangent,)), expected)
    batch = gd.vmap(lambda t: gd.hvp(scalar, (X,), (t,)))(np.eye(4))
    np.testing.assert_allclose(batch, gd.hessian(scalar)(X))
    by_both = gd.hvp(lambda x, y: x**2 * y**3, (2.0, 3.0), (1.0, 0), (0, 1))
    assert by_both == (54.0, 108.0)


def test_one_program() -> None:
    """A Hessian is one function, and what does not depend on the direction is not batched."""
    text = gd.hessian(lambda x: np.sin(x).sum()).lower(X).as_text("array")
    assert text.count("func.func") == 1
    assert text.count("array.sin") == 1
    assert "array.sin %x : tensor<4xf64>" in text


def scanned(x: Any) -> Any:
    carry, ys = gd.lax.scan(lambda c, e: (np.sin(c) * e, c), x, np.arange(1.0, 4.0))
    return carry + ys.sum(axis=0)


def repeated(x: Any) -> Any:
    return gd.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, np.sin(s[1])), (0, x))[1]


def chosen(x: Any) -> Any:
    return gd.lax.cond(x[0] > 0, np.sin, np.cos, x)


@pytest.mark.parametrize("f", [scanned, repeated, chosen], ids=["scan", "while", "cond"])
def test_through_control_flow(f: Callable[..., Any]) -> None:
    staged = gd.jit(f)
    expected = numeric(staged, X)
    for jacobian in (gd.jacfwd, gd.jacrev):
        found, aux = jacobian(lambda x: (f(x), f(x)), has_aux=True)(X)
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(aux, staged(X), rtol=1e-13)
    second = numeric(gd.jacfwd(f), X)
    np.testing.assert_allclose(gd.hessian(f)(X), second, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(gd.jacrev(gd.jacfwd(f))(X), second, rtol=1e-6, atol=1e-8)


FAILURES: list[Failure] = [
    ("int argument", lambda: gd.jacfwd(np.sin)(3), errors.NonDifferentiableArgumentError,
     "jacfwd needs floating-point arguments, but `x` is Python int; .* leave it out of argnums\n"),
    ("int of jacrev", lambda: gd.jacrev(np.sin)(3), errors.NonDifferentiableArgumentError,
     "jacrev .* set allow_int=True"),
    ("complex argument", lambda: gd.jacfwd(np.sin)(1j), errors.NonDifferentiableArgumentError,
     "jacfwd needs real arguments.*holomorphic=True"),
    ("complex result", lambda: gd.jacrev(lambda x: {"a": x * 1j})(1.0), errors.OutputError,
     r"jacrev needs real results, but `result\['a'\]` is Python complex"),
    ("int result", lambda: gd.jacrev(lambda x: 3)(1.0), errors.OutputError, "Python int"),
    ("real result", lambda: gd.jacrev(lambda z: z.real, holomorphic=True)(1j), errors.OutputError,
     "complex results where holomorphic=True"),
    ("real argument", lambda: gd.jacfwd(np.sin, holomorphic=True)(1.0),
     errors.NonDifferentiableArgumentError, "needs complex arguments"),
    ("argnums", lambda: gd.jacfwd(np.sin, 1)(1.0), errors.ArgumentError, "argnums=1 needs more"),
    ("no aux", lambda: gd.jacrev(np.sin, has_aux=True)(1.0), errors.NonScalarOutputError, "a pair"),
    ("tangents", lambda: gd.hvp(scalar, X, (X,)), errors.ArgumentError, "primals must be a tuple"),
]  # fmt: skip


@each_failure(FAILURES)
def test_misuse(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    check_failure(call, kind, message)
