"""Functions with derivative rules of the user's: both modes, all orders, nesting, misuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, lax
from gradatim.frontend.arguments import FLOAT0
from gradatim.test_util import check_grads

from .misuse import Failure, check_failure, each_failure

RNG = np.random.default_rng(0)
X = RNG.normal(size=4)
BIG = RNG.normal(size=(200, 4))  # so large that it is captured


# A function whose rules count: each gives three times the true derivative.


@gd.custom_jvp
def tripled(x: Any) -> Any:
    return np.sin(x)


@tripled.defjvp
def _tripled_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return tripled(x), 3 * np.cos(x) * t


@gd.custom_vjp
def tripled_back(x: Any) -> Any:
    return np.sin(x)


def _tripled_forward(x: Any) -> Any:
    return tripled_back(x), (np.cos(x),)


tripled_back.defvjp(_tripled_forward, lambda residuals, g: (3 * residuals[0] * g,))


@gd.custom_gradient
def tripled_together(x: Any) -> Any:
    return np.sin(x), lambda g: 3 * np.cos(x) * g


@gd.custom_jvp
def tripled_by_parts(x: Any) -> Any:
    return np.sin(x)


tripled_by_parts.defjvps(lambda t, result, x: 3 * np.cos(x) * t)

TRIPLED = [tripled, tripled_back, tripled_together, tripled_by_parts]
EACH = pytest.mark.parametrize("f", TRIPLED, ids=["jvp", "vjp", "gradient", "jvps"])
D1, D2 = 3 * np.cos(0.3), -3 * np.sin(0.3)


def pulled(f: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: gd.vjp(f, x)[1](1.0)[0]


def pushed(f: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: gd.jvp(f, (x,), (1.0,))[1]


def linearized(f: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: gd.linearize(f, x)[1](1.0)


MODES: list[tuple[str, Callable[..., Any]]] = [
    ("grad", gd.grad), ("pulled", pulled), ("pushed", pushed), ("linearized", linearized),
    ("jacfwd", gd.jacfwd), ("jacrev", gd.jacrev), ("jit", lambda f: gd.jit(gd.grad(gd.jit(f)))),
]  # fmt: skip
IN_EACH_MODE = pytest.mark.parametrize("mode", [m[1] for m in MODES], ids=[m[0] for m in MODES])


@EACH
def test_values(f: Callable[..., Any]) -> None:
    assert f(0.3) == np.sin(0.3)
    np.testing.assert_allclose(gd.jit(f)(X), np.sin(X), rtol=1e-14)
    np.testing.assert_allclose(gd.vmap(f)(X), np.sin(X), rtol=1e-14)


@EACH
@IN_EACH_MODE
def test_first_derivative(f: Callable[..., Any], mode: Callable[..., Any]) -> None:
    np.testing.assert_allclose(mode(f)(0.3), D1)
    np.testing.assert_allclose(gd.vmap(mode(f))(X), 3 * np.cos(X))
    inside = mode(lambda x: gd.vmap(f)(x * np.ones(2)).sum())(0.3)
    np.testing.assert_allclose(inside, 2 * D1)


@IN_EACH_MODE
@pytest.mark.parametrize("outer", [m[1] for m in MODES[:5]], ids=[m[0] for m in MODES[:5]])
@EACH
def test_second_derivative(
    f: Callable[..., Any], mode: Callable[..., Any], outer: Callable[..., Any]
) -> None:
    """The rule is differentiated in its turn; of what it returns only the tangent counts."""
    np.testing.assert_allclose(outer(mode(f))(0.3), D2)


def test_a_rule_that_calls_its_function_at_every_order() -> None:
    @gd.custom_jvp
    def exponential(x: Any) -> Any:
        return np.exp(x)

    @exponential.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        y = exponential(primals[0])
        return y, 2 * y * tangents[0]

    derivative: Any = exponential
    for order in range(1, 5):
        derivative = gd.grad(derivative) if order % 2 else gd.jacfwd(derivative)
        np.testing.assert_allclose(derivative(0.3), 2**order * np.exp(0.3))
        np.testing.assert_allclose(gd.vmap(derivative)(X), 2**order * np.exp(X))


def test_a_backward_rule_that_calls_its_function() -> None:
    @gd.custom_vjp
    def exponential(x: Any) -> Any:
        return np.exp(x)

    def forward(x: Any) -> Any:
        return exponential(x), x

    exponential.defvjp(forward, lambda x, g: (2 * exponential(x) * g,))
    derivative: Any = exponential
    for order in range(1, 5):
        derivative = gd.grad(derivative)
        np.testing.assert_allclose(derivative(0.3), 2**order * np.exp(0.3))
        np.testing.assert_allclose(gd.vmap(derivative)(X), 2**order * np.exp(X))


def test_rules_that_call_each_other() -> None:
    @gd.custom_jvp
    def sine(x: Any) -> Any:
        return np.sin(x)

    @gd.custom_jvp
    def cosine(x: Any) -> Any:
        return np.cos(x)

    sine.defjvps(lambda t, y, x: cosine(x) * t)
    cosine.defjvps(lambda t, y, x: -sine(x) * t)
    f: Any = sine
    for expected in (np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin):
        f = gd.grad(f)
        np.testing.assert_allclose(f(0.3), expected(0.3))


def test_trees_integers_and_several_results() -> None:
    @gd.custom_vjp
    def f(p: Any, n: Any, unused: Any) -> Any:
        return {"y": p["w"] * n, "n": n + 1}, p["b"]

    def forward(p: Any, n: Any, unused: Any) -> Any:
        return f(p, n, unused), {"n": n, "none": None}

    def backward(residuals: Any, cotangents: Any) -> Any:
        first, second = cotangents
        assert first["n"].dtype == FLOAT0
        return {"w": 5 * first["y"] * residuals["n"], "b": second}, None, None

    f.defvjp(forward, backward)
    args = ({"w": X, "b": 2.0}, np.arange(4), (X, X))
    gradient = gd.grad(lambda *args: f(*args)[0]["y"].sum() + f(*args)[1] ** 2, (0, 1, 2),
                       allow_int=True)(*args)  # fmt: skip
    np.testing.assert_array_equal(gradient[0]["w"], 5.0 * np.arange(4))
    assert gradient[0]["b"] == 4.0
    assert gradient[1].dtype == FLOAT0
    np.testing.assert_array_equal(gradient[2][1], np.zeros(4))
    out, tangent = gd.jvp(f, args, (args[0], np.zeros(4, FLOAT0), args[2]))
    np.testing.assert_array_equal(out[0]["n"], np.arange(4) + 1)
    np.testing.assert_array_equal(tangent[0]["y"], 5 * X * np.arange(4))
    assert tangent[0]["n"].dtype == FLOAT0


def test_tangents_of_integers_are_float0() -> None:
    @gd.custom_jvp
    def f(x: Any, n: Any) -> Any:
        return x * n, n

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        assert tangents[1].dtype == FLOAT0
        return f(*primals), (7 * tangents[0], tangents[1])

    out, tangent = gd.jvp(f, (2.0, 3), (1.0, np.zeros((), FLOAT0)))
    assert (out, tangent[0], tangent[1].dtype) == ((6.0, 3), 7.0, FLOAT0)


def test_arguments_without_derivatives() -> None:
    @partial(gd.custom_jvp, nondiff_argnums=(0,), nondiff_argnames="scale")
    def applied(g: Callable[..., Any], x: Any, scale: Any = 2) -> Any:
        return scale * g(x)

    @applied.defjvp
    def rule(g: Any, scale: Any, primals: Any, tangents: Any) -> Any:
        return applied(g, *primals, scale), scale * 10 * tangents[0]

    @partial(gd.custom_vjp, nondiff_argnums=(0, -1))
    def applied_back(g: Callable[..., Any], x: Any, scale: Any = 2) -> Any:
        return scale * g(x)

    applied_back.defvjp(
        lambda g, x, scale: (applied_back(g, x, scale), ()),
        lambda g, scale, residuals, cotangent: (scale * 10 * cotangent,),
    )
    require_multiples_of_ten(applied)
    require_multiples_of_ten(applied_back)


def require_multiples_of_ten(f: Any) -> None:
    assert f(np.sin, 0.3) == 2 * np.sin(0.3)
    assert gd.grad(lambda x: f(np.sin, x))(0.3) == 20.0
    assert gd.grad(lambda x: f(np.sin, x, scale=3))(0.3) == 30.0
    assert gd.grad(lambda x: f(lambda y: [y][0], x, [3][0]))(0.3) == 30.0
    assert gd.grad(lambda x, s: f(np.sin, x, s))(0.3, 4.0) == 40.0
    assert gd.vmap(gd.grad(lambda x, s: f(np.sin, x, s)))(X, X).tolist() == (10 * X).tolist()


def test_closing_over_constants() -> None:
    """Large arrays are captured, by the function and by its rules."""

    @gd.custom_vjp
    def f(x: Any) -> Any:
        return BIG @ x

    f.defvjp(lambda x: (f(x), None), lambda _, g: (2 * g @ BIG,))

    @gd.custom_jvp
    def h(x: Any) -> Any:
        return BIG @ x

    h.defjvp(lambda primals, tangents: (h(*primals), 2 * BIG @ tangents[0]))
    for g in (f, h):
        np.testing.assert_allclose(gd.jacrev(g)(X), 2 * BIG)
        np.testing.assert_allclose(gd.jacfwd(g)(X), 2 * BIG)
        np.testing.assert_allclose(gd.vmap(g)(np.stack([X, X]))[1], BIG @ X)


@pytest.mark.parametrize("custom", [gd.custom_jvp, gd.custom_vjp])
def test_closing_over_traced_values(custom: Any) -> None:
    def outer(x: Any, scale: Any) -> Any:
        @custom
        def f(y: Any) -> Any:
            return y * scale

        if custom is gd.custom_jvp:
            f.defjvp(lambda primals, tangents: (f(*primals), 2 * scale * tangents[0]))
        else:
            f.defvjp(lambda y: (f(y), None), lambda _, g: (2 * scale * g,))
        return f(x)

    assert gd.jit(outer)(3.0, 5.0) == 15.0
    assert gd.grad(outer)(3.0, 5.0) == 10.0
    assert gd.vmap(gd.grad(outer), (None, 0))(3.0, X).tolist() == (2 * X).tolist()
    with pytest.raises(errors.GradatimError, match="closes over"):
        gd.grad(outer, 1)(3.0, 5.0)


def test_in_control_flow() -> None:
    def f(x: Any) -> Any:
        def body(carry: Any, _: Any) -> Any:
            return tripled(carry), tripled_back(carry)

        carry, ys = gd.lax.scan(body, x, None, length=2)
        return gd.lax.cond(carry > 0, tripled, tripled_back, carry) + ys.sum()

    y1 = np.sin(0.3)
    y2 = np.sin(y1)
    d1 = 3 * np.cos(0.3)
    d2 = d1 * 3 * np.cos(y1)
    expected = d1 + d2 + d2 * 3 * np.cos(y2)
    np.testing.assert_allclose(gd.jit(f)(0.3), np.sin(y2) + y1 + y2)
    np.testing.assert_allclose(gd.grad(f)(0.3), expected)
    np.testing.assert_allclose(gd.jvp(f, (0.3,), (1.0,))[1], expected)
    np.testing.assert_allclose(gd.vmap(gd.grad(f))(np.array([0.3, 0.3])), [expected] * 2)


def test_control_flow_in_rules() -> None:
    """Python's statements on traced values and loops, also where a rule is transposed."""

    @gd.custom_jvp
    def f(x: Any) -> Any:
        if x > 0:
            return np.sin(x)
        return -x

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        (x,), (t,) = primals, tangents
        if x > 0:
            return f(x), 3 * np.cos(x) * t
        return f(x), -3 * t

    @gd.custom_jvp
    def cubed(x: Any) -> Any:
        return x**3

    @cubed.defjvp
    def cubed_rule(primals: Any, tangents: Any) -> Any:
        def body(carry: Any, _: Any) -> Any:
            y, t = carry
            return (y * primals[0], t * primals[0] + y * tangents[0]), None

        carry, _ = gd.lax.scan(body, (primals[0], tangents[0]), None, length=2)
        return carry

    points = np.array([0.3, -0.3])
    expected = np.array([3 * np.cos(0.3), -3.0])
    for mode in (gd.grad, gd.jacfwd, pulled, linearized):
        np.testing.assert_allclose([mode(f)(x) for x in points], expected)
        np.testing.assert_allclose(gd.vmap(mode(f))(points), expected)
        np.testing.assert_allclose(mode(cubed)(0.3), 3 * 0.3**2)
    np.testing.assert_allclose(gd.hessian(f)(0.3), D2)
    np.testing.assert_allclose(gd.hessian(cubed)(0.3), 6 * 0.3)


def test_a_rule_is_traced_once_for_a_signature() -> None:
    traced = []

    @gd.custom_jvp
    def f(x: Any) -> Any:
        return np.sin(x)

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        traced.append(str(primals[0]))
        return np.sin(primals[0]), np.cos(primals[0]) * tangents[0]

    gd.jit(lambda x: f(f(f(x)) + f(x).sum()))(X)
    assert traced == ["traced f64[4]"]
    traced.clear()
    gd.jit(lambda x: f(x) + f(x[0]))(X)
    assert traced == ["traced f64[4]", "traced f64[]"]


def test_without_derivatives_rules_cost_nothing() -> None:
    text = gd.jit(lambda x: tripled(x) + tripled_back(x)).lower(X).as_text("array")
    assert "func.call" not in text
    assert "custom_derivative" not in text
    assert text.count("array.sin") == 1


def test_stop_gradient() -> None:
    def f(x: Any) -> Any:
        return (gd.stop_gradient({"a": x, "n": 3})["a"] * x).sum()

    assert gd.stop_gradient(2.0) == 2.0
    np.testing.assert_array_equal(gd.grad(f)(X), X)
    np.testing.assert_array_equal(gd.jvp(f, (X,), (np.ones(4),))[1], X.sum())
    np.testing.assert_array_equal(gd.vmap(gd.grad(lambda x: gd.lax.stop_gradient(x) * x))(X), X)
    assert gd.grad(lambda x: gd.stop_gradient(x) * x)(np.inf) == np.inf  # no 0 * inf
    assert "stop" not in gd.jit(f).lower(X).as_text("array")


def test_closure_convert() -> None:
    def minimized(objective: Callable[..., Any], x: Any) -> Any:
        converted, values = gd.closure_convert(objective, x)

        @partial(gd.custom_vjp, nondiff_argnums=0)
        def solve(objective: Any, x: Any, *values: Any) -> Any:
            return x - objective(x, *values)

        def backward(objective: Any, residuals: Any, g: Any) -> Any:
            x, values = residuals
            by_values = gd.grad(objective, tuple(range(1, 1 + len(values))))(x, *values)
            return (0 * g, *(-g * v for v in by_values))

        solve.defvjp(lambda o, x, *v: (solve(o, x, *v), (x, v)), backward)
        return solve(converted, x, *values)

    found = gd.grad(lambda a: minimized(lambda x: a**2 * x, 3.0))(5.0)
    assert found == -2 * 5.0 * 3.0
    converted, values = gd.closure_convert(lambda x: x * 2, 1.0)
    assert (values, converted(3.0)) == ([], 6.0)
    with pytest.raises(errors.ArgumentError, match="converted for other arguments"):
        converted(X)


def test_custom_gradient_of_several_arguments() -> None:
    @gd.custom_gradient
    def f(x: Any, y: Any) -> Any:
        z = np.sin(x)
        return {"r": z * y}, lambda g: (10 * g["r"] * y, 20 * g["r"] * z)

    found = gd.grad(lambda x, y: f(x, y)["r"], (0, 1))(0.3, 2.0)
    np.testing.assert_allclose(found, (20.0, 20 * np.sin(0.3)))
    tangent = gd.jvp(f, (0.3, 2.0), (1.0, 0.0))[1]
    np.testing.assert_allclose(tangent["r"], 20.0)
    np.testing.assert_allclose(
        gd.jacfwd(gd.grad(lambda x: f(x, x)["r"]))(0.3), 10 + 20 * np.cos(0.3)
    )


def test_true_rules_pass_the_check() -> None:
    @gd.custom_jvp
    def f(x: Any, y: Any) -> Any:
        return np.log1p(np.exp(x)) * y

    f.defjvps(lambda t, r, x, y: t * y / (1 + np.exp(-x)), lambda t, r, x, y: t * r / y)
    check_grads(f, (X, X + 3.0), order=3)


def no_rule(x: Any) -> Any:
    return x


def with_jvp(rule: Callable[..., Any]) -> Any:
    f = gd.custom_jvp(no_rule)
    f.defjvp(rule)
    return gd.grad(f)


def with_vjp(forward: Callable[..., Any], backward: Callable[..., Any]) -> Any:
    f = gd.custom_vjp(no_rule)
    f.defvjp(forward, backward)
    return gd.grad(f)


FAILURES: list[Failure] = [
    ("no jvp", lambda: gd.custom_jvp(no_rule)(1.0), errors.CustomRuleError,
     "`no_rule` at .*test_custom_rules.py:.* has no rule yet; set one by `defjvp`"),
    ("no vjp", lambda: gd.custom_vjp(no_rule)(1.0), errors.CustomRuleError, "set them by `defvjp`"),
    ("jvp gives no pair", lambda: with_jvp(lambda p, t: p[0])(1.0), errors.CustomRuleError,
     "must return a pair of the result and its tangent"),
    ("jvp gives another structure", lambda: with_jvp(lambda p, t: (p, t))(1.0),
     errors.CustomRuleError, r"result must have the structure TreeDef\(\*\), found"),
    ("jvp gives another shape", lambda: with_jvp(lambda p, t: (p[0], np.ones(2) * t[0]))(1.0),
     errors.CustomRuleError, r"`tangent` must be f64\[\], found f64\[2\]"),
    ("jvp gives another dtype",
     lambda: with_jvp(lambda p, t: (p[0], t[0].astype("f4")))(1.0),
     errors.CustomRuleError, r"`tangent` must be f64\[\], found f32\[\]"),
    ("jvp is not linear", lambda: with_jvp(lambda p, t: (p[0], t[0] ** 2))(1.0),
     errors.GradatimError, "not linear"),
    ("forward gives no pair", lambda: with_vjp(lambda x: x, lambda r, g: (g,))(1.0),
     errors.CustomRuleError, "must return a pair of the result and residuals"),
    ("forward gives another result", lambda: with_vjp(lambda x: ((x,), x), lambda r, g: (g,))(1.0),
     errors.CustomRuleError, "result must have the structure"),
    ("backward gives no tuple", lambda: with_vjp(lambda x: (x, x), lambda r, g: g)(1.0),
     errors.CustomRuleError, "must be a tuple with an entry for each of the 1 arguments"),
    ("backward gives too many", lambda: with_vjp(lambda x: (x, x), lambda r, g: (g, g))(1.0),
     errors.CustomRuleError, "of the 1 arguments"),
    ("backward gives another shape",
     lambda: with_vjp(lambda x: (x, x), lambda r, g: (np.ones(2) * g,))(1.0),
     errors.CustomRuleError, r"\[0\]` of what the backward .* f64\[\], found f64\[2\]"),
    ("an argument that is no array", lambda: gd.jit(lambda x: tripled("a"))(1.0),
     errors.ArgumentError, "`nondiff_argnums`"),
    ("too many arguments", lambda: gd.jit(lambda x: tripled(x, x))(1.0), errors.ArgumentError,
     "too many positional arguments"),
    ("keyword-only argument",
     lambda: gd.jit(with_keyword)(1.0), errors.ArgumentError, "must have a position; y cannot"),
    ("position of no argument",
     lambda: gd.grad(with_position)(1.0), errors.ArgumentError, "nondiff_argnums has 3"),
    ("name of no argument", lambda: gd.custom_jvp(no_rule, nondiff_argnames="z"),
     errors.ArgumentError, "has no parameter 'z'"),
    ("defjvps and nondiff_argnums", lambda: gd.custom_jvp(no_rule, 0).defjvps(None),
     errors.ArgumentError, "use defjvp"),
    ("changing an array outside", lambda: gd.grad(changing)(1.0), errors.UnsupportedError,
     "`f` has derivative rules, or is one, and changes an array of the function around it"),
    ("symbolic zeros", lambda: tripled.defjvp(_tripled_jvp, symbolic_zeros=True),
     errors.UnsupportedError, "symbolic_zeros"),
]  # fmt: skip


def with_keyword(x: Any) -> Any:
    @gd.custom_jvp
    def f(x: Any, *, y: Any = 1.0) -> Any:
        return x

    f.defjvps(None)
    return f(x)


def changing(x: Any) -> Any:
    memory = np.ones(3) * x

    @gd.custom_jvp
    def f(x: Any) -> Any:
        memory[0] = x
        return x

    f.defjvps(lambda t, y, x: t)
    return f(x) + memory.sum()


def with_position(x: Any) -> Any:
    f = gd.custom_jvp(no_rule, nondiff_argnums=3)
    f.defjvp(lambda p, t: (p[0], t[0]))
    return f(x)


@each_failure(FAILURES)
def test_misuse(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    check_failure(call, kind, message)


# Lanes that have stopped, where rules are not finite


@gd.custom_vjp
def reciprocal(n: Any) -> Any:
    return 1 / n


reciprocal.defvjp(lambda n: (1 / n, n), lambda n, g: (-g / n**2,))


@gd.custom_jvp
def reciprocal_by_tangents(n: Any) -> Any:
    return 1 / n


@reciprocal_by_tangents.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return reciprocal_by_tangents(*primals), -tangents[0] / primals[0] ** 2


@gd.custom_vjp
def scaled(n: Any, w: Any) -> Any:
    return w / n


scaled.defvjp(lambda n, w: (w / n, (n, w)), lambda r, g: (-g * r[1] / r[0] ** 2, g / r[0]))


def summing(term: Any) -> Any:
    """A loop whose last state its body cannot take."""

    def f(x: Any, w: Any) -> Any:
        def step(s: Any) -> Any:
            n, total = s
            return n - 1, total + x * term(n, w)

        return lax.while_loop(lambda s: s[0] > 0, step, (x, 0.0 * x))[1]

    return f


def choosing(term: Any) -> Any:
    return lambda x, w: lax.cond(x > 0, lambda: x * term(x, w), lambda: x * w)


@pytest.mark.parametrize("make", [summing, choosing])
@pytest.mark.parametrize(
    "term",
    [
        lambda n, w: w * reciprocal(n),
        lambda n, w: w * reciprocal_by_tangents(n),
        scaled,
        lambda n, w: w / n,
        lambda n, w: w * np.log(n) * np.sqrt(n) * n ** (0.5 - w),
        lambda n, w: w * np.exp(1 / n) * np.arctan2(n, n),
        lambda n, w: w / np.linalg.norm(np.stack([n, n])),
        lambda n, w: lax.scan(lambda s, v: (s + v / n, None), w, np.ones(2))[0],
    ],
)
def test_lanes_that_have_stopped_do_not_spoil_gradients(make: Any, term: Any):
    f = make(term)
    x, w = np.array([1.0, 5.0, 3.0, 0.0]), 2.0
    expected = [gd.grad(f, argnums=(0, 1))(v, w) for v in x]
    by_x, by_w = (np.array(column) for column in zip(*expected))
    mapped = gd.vmap(f, in_axes=(0, None))
    each = gd.vmap(gd.grad(f, argnums=(0, 1)), in_axes=(0, None))(x, w)
    np.testing.assert_allclose(each, (by_x, by_w), rtol=1e-12)
    total = gd.grad(lambda x, w: mapped(x, w).sum(), argnums=(0, 1))(x, w)
    np.testing.assert_allclose(total[0], by_x, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(total[1], by_w.sum(), rtol=1e-12)
    _, tangent = gd.jvp(mapped, (x, w), (np.ones(4), 1.0))
    np.testing.assert_allclose(tangent, by_x + by_w, rtol=1e-12, atol=1e-15)
    rows = gd.jacrev(mapped, argnums=1)(x, w)
    np.testing.assert_allclose(rows, by_w, rtol=1e-12)


def test_lanes_that_have_stopped_do_not_call():
    """Also not in functions with rules."""
    seen: list[float] = []

    @gd.custom_vjp
    def heard(x: Any) -> Any:
        gd.debug.callback(lambda v: seen.append(float(v)), x)
        return x * 2

    heard.defvjp(lambda x: (x * 2, None), lambda r, g: (2 * g,))
    f = gd.vmap(lambda x: lax.while_loop(lambda s: s < 5, heard, x))
    np.testing.assert_array_equal(f(np.array([1.0, 4.0, 9.0])), [8, 8, 9])
    assert sorted(seen) == [1, 2, 4, 4]


# Rules that are set anew


def test_a_rule_that_is_set_anew_counts():
    @gd.custom_jvp
    def f(x: Any) -> Any:
        return np.sin(x)

    f.defjvp(lambda p, t: (f(*p), 10 * t[0]))
    assert gd.grad(f)(1.0) == 10
    f.defjvps(lambda t, y, x: 7 * t)
    assert gd.grad(f)(1.0) == 7

    @gd.custom_vjp
    def g(x: Any) -> Any:
        return np.sin(x)

    for slope in (10, 7):
        g.defvjp(lambda x: (np.sin(x), None), lambda r, c, slope=slope: (slope * c,))
        assert gd.grad(g)(1.0) == slope

    @gd.custom_vmap
    def h(x: Any) -> Any:
        return np.sin(x)

    for factor in (10, 7):
        h.def_vmap(lambda n, batched, x, factor=factor: (factor * x, True))
        np.testing.assert_array_equal(gd.vmap(h)(np.arange(3.0)), factor * np.arange(3.0))
