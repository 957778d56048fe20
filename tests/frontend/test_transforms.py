"""Transformations: values against formulas and loops, trees of arguments and results, axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend import tree
from gradatim.frontend.arguments import FLOAT0

from .misuse import Failure, check_failure, each_failure

X = 0.13
XS = np.linspace(-1.0, 2.0, 7)


def f(x: Any) -> Any:
    return x * np.sin(x**2)


def df(x: Any) -> Any:
    return np.sin(x**2) + 2 * x**2 * np.cos(x**2)


def d2f(x: Any) -> Any:
    return 6 * x * np.cos(x**2) - 4 * x**3 * np.sin(x**2)


def d3f(x: Any) -> Any:
    return 6 * np.cos(x**2) - 24 * x**2 * np.sin(x**2) - 8 * x**4 * np.cos(x**2)


def second(pair: Any) -> Any:
    return pair[1]


COMPOSED: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any]] = [
    ("grad", gd.grad(f), (X,), df(X)),
    ("grad grad", gd.grad(gd.grad(f)), (X,), d2f(X)),
    ("grad grad grad", gd.stage(f).grad().grad().grad(), (X,), d3f(X)),
    ("vmap grad", gd.stage(f).grad().vmap(), (XS,), df(XS)),
    ("vmap grad grad", gd.stage(f).grad().grad().vmap(), (XS,), d2f(XS)),
    ("vmap vmap grad", gd.stage(f).grad().vmap().vmap(), (XS[None],), df(XS)[None]),
    ("grad sum vmap", gd.grad(lambda x: gd.vmap(f)(x).sum()), (XS,), df(XS)),
    ("jvp", gd.stage(f).jvp(), ((X,), (2.0,)), (f(X), 2 * df(X))),
    ("jvp of grad", gd.stage(f).grad().jvp(), ((X,), (1.0,)), (df(X), d2f(X))),
    ("grad of jvp", gd.grad(lambda x: gd.jvp(f, (x,), (1.0,))[1]), (X,), d2f(X)),
    ("vjp", gd.stage(f).vjp(), ((XS,), XS), (f(XS), (XS * df(XS),))),
    ("vmap of vjp", gd.stage(f).vjp().vmap(), ((XS,), XS), (f(XS), (XS * df(XS),))),
    ("value_and_grad", gd.value_and_grad(f), (X,), (f(X), df(X))),
    ("vmap value_and_grad", gd.vmap(gd.value_and_grad(f)), (XS,), (f(XS), df(XS))),
    ("jit grad jit", gd.jit(gd.grad(gd.jit(f))), (X,), df(X)),
    ("grad through a nested grad", gd.grad(lambda x: gd.grad(f)(x) * x), (X,), d2f(X) * X + df(X)),
    ("jvp of jvp", gd.stage(f).jvp().jvp(), (((X,), (1.0,)), ((1.0,), (0.0,))),
     ((f(X), df(X)), (df(X), d2f(X)))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [case[1:] for case in COMPOSED],
    ids=[case[0] for case in COMPOSED],
)
def test_composition(function: Callable[..., Any], arguments: Any, expected: Any) -> None:
    found = function(*arguments)
    assert tree.structure(found) == tree.structure(expected)
    for a, b in zip(tree.leaves(found), tree.leaves(expected)):
        assert type(a) is type(b) or isinstance(a, np.ndarray) == isinstance(b, np.ndarray)
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_forms_are_one_operation() -> None:
    pairs = [
        (gd.grad(f), gd.stage(f).grad()),
        (gd.grad(f, argnums=0), gd.grad(f, 0)),
        (gd.vmap(gd.grad(f)), gd.stage(f).grad().vmap()),
        (gd.jit(f), gd.stage(f)),
        (gd.jit(gd.grad(f)), gd.grad(f)),
        (gd.value_and_grad(f, argnums=[0]), gd.stage(f).value_and_grad((0,))),
    ]
    for first, other in pairs:
        assert first is other


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_have_the_arguments_dtype(dtype: str) -> None:
    scalar = gd.grad(f)(np.dtype(dtype).type(X))
    assert scalar.dtype == dtype
    assert isinstance(scalar, np.generic)
    array = gd.grad(lambda x: f(x).sum())(XS.astype(dtype))
    assert array.dtype == dtype


def test_complex_gradient_is_not_conjugated() -> None:
    z = 0.3 + 0.7j
    found = gd.grad(lambda z: z**2 * 3j, holomorphic=True)(z)
    np.testing.assert_allclose(found, 6j * z)
    real = gd.grad(lambda z: (z * z).real)(z)
    np.testing.assert_allclose(real, 2 * z)  # JAX: du/dx - i du/dy


@dataclass
class Parameters:
    weight: Any
    bias: Any


def model(params: Any, x: Any) -> Any:
    return ((params.weight * x + params.bias) ** 2).sum()


def test_gradient_of_a_tree_is_such_a_tree() -> None:
    params = Parameters(np.arange(3.0), np.float64(1.0))
    found = gd.grad(model)(params, XS[:3])
    assert type(found) is Parameters
    residual = 2 * (params.weight * XS[:3] + params.bias)
    np.testing.assert_allclose(found.weight, residual * XS[:3])
    np.testing.assert_allclose(found.bias, residual.sum())


def test_argnums() -> None:
    def g(x: Any, y: Any, z: Any) -> Any:
        return x * y**2 * z["a"]

    arguments = (2.0, 3.0, {"a": 5.0})
    assert gd.grad(g)(*arguments) == 45.0
    assert gd.grad(g, 1)(*arguments) == 60.0
    assert gd.grad(g, -1)(*arguments) == {"a": 18.0}
    assert gd.grad(g, (2, 0))(*arguments) == ({"a": 18.0}, 45.0)
    assert gd.grad(g, (1,))(*arguments) == (60.0,)


def test_has_aux_in_every_order() -> None:
    def g(x: Any) -> Any:
        return x**3, {"twice": 2 * x, "count": 3}

    aux = {"twice": 4.0, "count": 3}
    assert gd.grad(g, has_aux=True)(2.0) == (12.0, aux)
    assert gd.value_and_grad(g, has_aux=True)(2.0) == ((8.0, aux), 12.0)
    assert gd.jvp(g, (2.0,), (1.0,), has_aux=True) == (8.0, 12.0, aux)
    out, vjp_fun, found = gd.vjp(g, 2.0, has_aux=True)
    assert (out, vjp_fun(1.0), found) == (8.0, (12.0,), aux)
    # The gradient of a pair of gradient and aux: aux results come behind the gradients.
    assert gd.grad(gd.grad(g, has_aux=True), has_aux=True)(2.0) == (12.0, aux)
    assert gd.jvp(gd.grad(g, has_aux=True), (2.0,), (1.0,), has_aux=True) == (12.0, 12.0, aux)
    batch = gd.vmap(gd.grad(g, has_aux=True))(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(batch[0], [3.0, 12.0])
    np.testing.assert_array_equal(batch[1]["twice"], [2.0, 4.0])


def test_integers_have_float0_derivatives() -> None:
    def g(x: Any, n: Any) -> Any:
        return x * n

    gradient = gd.grad(g, (0, 1), allow_int=True)(2.0, np.int32(3))
    assert gradient[0] == 3.0
    assert gradient[1].dtype == FLOAT0
    counts = np.arange(3)
    out, tangent = gd.jvp(g, (2.0, counts), (1.0, np.zeros(3, FLOAT0)))
    np.testing.assert_array_equal(out, 2.0 * counts)
    np.testing.assert_array_equal(tangent, counts)
    out, tangent = gd.jvp(lambda x: (x, 7), (2.0,), (1.0,))
    assert (out, tangent[0], tangent[1].dtype) == ((2.0, 7), 1.0, FLOAT0)


def test_vjp_function_is_called_many_times_and_keeps_its_point() -> None:
    point = XS.copy()
    out, vjp_fun = gd.vjp(f, point)
    point[:] = 0.0
    np.testing.assert_allclose(out, f(XS))
    for cotangent in (np.ones(7), XS):
        np.testing.assert_allclose(vjp_fun(cotangent)[0], cotangent * df(XS))


def test_vjp_of_several_results_and_arguments() -> None:
    out, vjp_fun = gd.vjp(lambda x, p: {"a": x * p["w"], "b": x}, XS, {"w": 2.0})
    np.testing.assert_array_equal(out["a"], 2 * XS)
    gradient = vjp_fun({"a": np.ones(7), "b": 3 * np.ones(7)})
    np.testing.assert_array_equal(gradient[0], np.full(7, 5.0))
    np.testing.assert_allclose(gradient[1]["w"], XS.sum())


def test_vjp_inside_a_traced_function() -> None:
    def g(x: Any) -> Any:
        out, vjp_fun = gd.vjp(f, x)
        return out + vjp_fun(3.0)[0]

    np.testing.assert_allclose(gd.jit(g)(X), f(X) + 3 * df(X))
    np.testing.assert_allclose(gd.grad(g)(X), df(X) + 3 * d2f(X))
    np.testing.assert_allclose(gd.vmap(g)(XS), f(XS) + 3 * df(XS))


def test_closures_over_outer_values() -> None:
    big = np.ones(1000)

    def outer(x: Any, y: Any) -> Any:
        def inner(z: Any) -> Any:
            return z * x * y + (big * z).sum()

        return gd.grad(inner)(2.0) * x

    assert gd.jit(outer)(3.0, 5.0) == (15.0 + 1000.0) * 3.0
    assert gd.grad(outer, (0, 1))(3.0, 5.0) == (2 * 15.0 + 1000.0, 9.0)
    found = gd.vmap(outer, in_axes=(0, None))(XS, 5.0)
    np.testing.assert_allclose(found, (XS * 5 + 1000) * XS)


def test_perturbations_are_not_confused() -> None:
    """Siskind and Pearlmutter's example: d/dx (x * d/dy (x + y)) is 1, not 2."""

    def derivative(g: Callable[..., Any], x: Any) -> Any:
        return second(gd.jvp(g, (x,), (1.0,)))

    assert derivative(lambda x: x * derivative(lambda y: x + y, 1.0), 1.0) == 1.0
    assert gd.grad(lambda x: x * gd.grad(lambda y: x + y)(1.0))(1.0) == 1.0


AXES: list[tuple[Any, Any, tuple[int, ...]]] = [
    (0, 0, (4, 2, 3)), (1, 0, (2, 4, 3)), (2, 0, (2, 3, 4)), (-1, 0, (2, 3, 4)),
    (0, 1, (4, 2, 3)), (-3, -1, (4, 2, 3)), (1, -2, (2, 4, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("in_axis", "out_axis", "shape"), AXES)
def test_vmap_is_a_loop(in_axis: int, out_axis: int, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)

    def g(x: Any) -> Any:
        return x * x[0] + x.sum()

    expected = np.stack([g(part) for part in np.moveaxis(x, in_axis, 0)], out_axis)
    np.testing.assert_allclose(gd.vmap(g, in_axis, out_axis)(x), expected)


def test_axes_of_trees() -> None:
    params = {"w": np.ones((7, 2)), "b": np.arange(7.0), "scale": 3.0}

    def g(x: Any, p: Any, *, shift: Any) -> Any:
        return [x * p["w"].sum() * p["scale"] + shift], p["b"]

    axes = (0, {"w": 0, "b": -1, "scale": None})
    first, b = gd.vmap(g, in_axes=axes, out_axes=([0], 0))(XS, params, shift=XS)
    np.testing.assert_allclose(first[0], XS * 2 * 3 + XS)
    np.testing.assert_array_equal(b, params["b"])
    shared = gd.vmap(lambda x, p: p["scale"], (0, None), out_axes=None)(XS, params)
    assert shared == 3.0


def test_axis_size_without_mapped_arguments() -> None:
    np.testing.assert_array_equal(
        gd.vmap(lambda x: x + 1, in_axes=None, axis_size=3)(1.0), np.full(3, 2.0)
    )


def test_vmap_of_no_and_one_element() -> None:
    for count in (0, 1):
        found = gd.vmap(gd.grad(f))(XS[:count])
        np.testing.assert_allclose(found, df(XS[:count]))


two = np.ones(2)
G = gd.grad
FAILURES: list[Failure] = [
    ("array result", lambda: G(f)(XS), errors.NonScalarOutputError, r"an array f64\[7\].*`sum`"),
    ("two results", lambda: G(lambda x: (x, x))(X), errors.NonScalarOutputError,
     r"returned TreeDef\(\(\*, \*\)\); has_aux=True"),
    ("no result", lambda: G(lambda x: None)(X), errors.NonScalarOutputError, "TreeDef\\(None\\)"),
    ("int result", lambda: G(lambda x: 3)(X), errors.NonScalarOutputError, "returned Python int"),
    ("complex result", lambda: G(lambda x: x * 1j)(X), errors.NonScalarOutputError,
     "holomorphic=True allows"),
    ("int argument", lambda: G(f)(3), errors.NonDifferentiableArgumentError,
     "`x` is Python int.*allow_int=True"),
    ("int leaf", lambda: G(lambda p: p["a"][0])({"a": [np.arange(3)]}),
     errors.NonDifferentiableArgumentError, r"`p\['a'\]\[0\]` is i64\[3\]"),
    ("real argument of holomorphic", lambda: G(f, holomorphic=True)(X),
     errors.NonDifferentiableArgumentError, "needs complex arguments, but `x` is Python float"),
    ("real result of holomorphic", lambda: G(lambda z: z.real, holomorphic=True)(1j),
     errors.NonScalarOutputError, "a complex number"),
    ("argnums too large", lambda: G(f, 1)(X), errors.ArgumentError, "argnums=1 needs more"),
    ("argnums by keyword", lambda: G(f)(x=X), errors.ArgumentError, "more positional arguments"),
    ("argnums twice", lambda: G(f, (0, -1))(X), errors.ArgumentError, "an argument twice"),
    ("argnums no int", lambda: G(f, "x"), errors.ArgumentError, "argnums must be an int"),
    ("no aux", lambda: G(f, has_aux=True)(X), errors.NonScalarOutputError, "returns a pair"),
    ("sizes", lambda: gd.vmap(lambda x, y: x)(XS, two), errors.AxesError,
     r"7 for axis 0 of `x` \(f64\[7\]\), 2 for axis 0 of `y` \(f64\[2\]\)"),
    ("axis of a scalar", lambda: gd.vmap(f)(X), errors.AxesError, "axis 0 .* `x`, .* Python float"),
    ("axis out of range", lambda: gd.vmap(f, in_axes=-3)(np.ones((2, 2))), errors.AxesError,
     r"axis -3 is out of range for `x`, which is f64\[2,2\]"),
    ("out_axes out of range", lambda: gd.vmap(f, out_axes=2)(two), errors.AxesError,
     r"axis 2 is out of range for `result`, which is f64\[\]"),
    ("no mapped argument", lambda: gd.vmap(f, in_axes=None)(X), errors.AxesError, "axis_size"),
    ("entries of in_axes", lambda: gd.vmap(f, in_axes=(0, 0))(XS), errors.AxesError,
     "2 entries for 1 positional"),
    ("in_axes of another structure", lambda: gd.vmap(lambda p: p["a"], ({"b": 0},))({"a": XS}),
     errors.AxesError, r"in_axes has \{'b': 0\} where p is TreeDef\(\{'a': \*\}\)"),
    ("out_axes of another structure", lambda: gd.vmap(f, out_axes=(0, 1))(XS), errors.AxesError,
     r"out_axes has \(0, 1\) where the result is TreeDef\(\*\)"),
    ("in_axes of strings", lambda: gd.vmap(f, "a"), errors.AxesError, "int, None or containers"),
    ("in_axes a dictionary", lambda: gd.vmap(f, {"x": 0})(XS), errors.AxesError, "a tuple"),
    ("batched result as shared", lambda: gd.vmap(f, out_axes=None)(XS), ValueError, "out_axes"),
    ("tangents of another structure", lambda: gd.jvp(f, (X,), (X, X)), errors.TreeError,
     r"structure TreeDef\(\(\*,\)\), found TreeDef\(\(\*, \*\)\)"),
    ("tangents of another shape", lambda: gd.jvp(f, (X,), (XS,)), errors.ArgumentError,
     r"`tangents\[0\]` must be f64\[\]|must be Python float"),
    ("tangents of another dtype", lambda: gd.jvp(f, (two,), (two.astype("f4"),)),
     errors.ArgumentError, r"`tangents\[0\]` must be f64\[2\].* found f32\[2\]"),
    ("primals no tuple", lambda: gd.jvp(f, X, (X,)), errors.ArgumentError,
     "primals must be a tuple"),
    ("cotangents of another structure", lambda: gd.vjp(f, X)[1]((1.0,)), errors.TreeError,
     "cotangents must have the structure"),
    ("cotangents of another shape", lambda: gd.vjp(f, XS)[1](two), errors.ArgumentError,
     r"`cotangents` must be f64\[7\], .* found f64\[2\]"),
    ("arguments of staged jvp", lambda: gd.stage(f).jvp()(X), errors.ArgumentError,
     "two arguments"),
    ("primals of staged vjp", lambda: gd.stage(f).vjp()(X, X), errors.ArgumentError, "a tuple"),
]  # fmt: skip


@each_failure(FAILURES)
def test_misuse(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    check_failure(call, kind, message)
