"""Derivatives where functions have corners, poles, jumps and ties.

What is expected agrees with JAX 0.10, except where a comment says otherwise.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp

from .differentiation import Body, gradients, make, run

INF, NAN = math.inf, math.nan
PI = math.pi


def _unary(name: str) -> Body:
    return lambda b, *operands: getattr(b, name)(*operands)


# op, operands, derivatives by the operands
EDGES = [
    ("abs", [0.0], [0.0]),  # JAX has 1 here, the right derivative; 0 is the middle subgradient
    ("abs", [-0.0], [0.0]),
    ("abs", [-INF], [-1.0]),
    ("max", [1.0, 1.0], [0.5, 0.5]),
    ("min", [1.0, 1.0], [0.5, 0.5]),
    ("max", [INF, INF], [0.5, 0.5]),
    ("max", [NAN, 1.0], [0.0, 0.0]),
    ("max", [-INF, INF], [0.0, 1.0]),
    ("clamp", [1.0, 1.0, 2.0], [0.0, 0.0, 0.0]),
    ("clamp", [1.0, 2.0, 2.0], [0.0, 0.0, 0.0]),
    ("clamp", [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]),  # JAX has 0
    ("clamp", [1.0, 2.0, 1.0], [0.0, 0.0, 1.0]),
    ("clamp", [2.0, 0.0, 1.0], [0.0, 0.0, 1.0]),  # JAX has 0, though the result is the last one
    ("sqrt", [0.0], [INF]),
    ("sqrt", [INF], [0.0]),
    ("rsqrt", [0.0], [-INF]),
    ("cbrt", [0.0], [INF]),
    ("log", [0.0], [INF]),
    ("log1p", [-1.0], [INF]),
    ("exp", [-INF], [0.0]),
    ("expm1", [-40.0], [math.exp(-40)]),  # JAX has 0
    ("tanh", [40.0], [0.0]),
    ("tanh", [INF], [0.0]),
    ("logistic", [800.0], [0.0]),
    ("logistic", [-800.0], [0.0]),
    ("logistic", [-40.0], [math.exp(-40)]),
    ("asin", [1.0], [INF]),
    ("acos", [-1.0], [-INF]),
    ("acosh", [1.0], [INF]),
    ("acosh", [-2.0], [NAN]),  # JAX has a number, though the function has none
    ("atanh", [1.0], [INF]),
    ("atan", [INF], [0.0]),
    ("erf", [INF], [0.0]),
    ("erfc", [-INF], [0.0]),
    ("erf_inv", [1.0], [INF]),
    ("erf_inv", [0.0], [math.sqrt(PI) / 2]),
    ("pow", [0.0, 0.0], [0.0, 0.0]),  # JAX has NaN by the base
    ("pow", [0.0, 1.0], [1.0, 0.0]),
    ("pow", [0.0, 2.0], [0.0, 0.0]),
    ("pow", [0.0, 0.5], [INF, 0.0]),
    ("pow", [0.0, -1.0], [-INF, NAN]),
    ("pow", [2.0, 0.0], [0.0, math.log(2)]),
    ("pow", [INF, 0.0], [0.0, INF]),
    ("pow", [-2.0, 3.0], [12.0, NAN]),
    ("pow", [-2.0, 2.0], [-4.0, NAN]),
    ("rem", [5.0, 3.0], [1.0, -1.0]),
    ("rem", [-5.0, 3.0], [1.0, 1.0]),
    ("rem", [5.0, -3.0], [1.0, 1.0]),
    ("rem", [5.0, INF], [1.0, 0.0]),
    ("rem", [6.0, 3.0], [1.0, -2.0]),
    ("rem", [1.0, 0.1], [1.0, -9.0]),  # JAX has -10: 1 / 0.1 rounds to 10, but 9 times 0.1 fit
    ("div", [1.0, INF], [0.0, 0.0]),
    ("div", [1.0, 0.0], [INF, -INF]),
    ("copy_sign", [0.0, -1.0], [0.0, 0.0]),  # JAX has -1, as with abs
    ("copy_sign", [-2.0, -0.0], [1.0, 0.0]),
    ("atan2", [0.0, 1.0], [1.0, 0.0]),
    ("atan2", [0.0, -1.0], [-1.0, 0.0]),
    ("lgamma", [-1.0], [NAN]),
    ("lgamma", [-1.5], [0.7031566406452432]),
    ("lgamma", [INF], [INF]),
    ("digamma", [1.0], [PI**2 / 6]),
    ("digamma", [0.5], [PI**2 / 2]),
    ("digamma", [1e-3], [1000001.6425331959]),
    ("digamma", [-0.5], [PI**2 / 2 + 4]),
    ("digamma", [-2.5], [PI**2 / 2 + 4 + 4 / 9 + 4 / 25]),
    ("digamma", [1e6], [1.0000005000001667e-06]),
    ("digamma", [0.0], [INF]),
    ("digamma", [-2.0], [INF]),
    ("digamma", [INF], [0.0]),  # JAX has NaN
    ("digamma", [NAN], [NAN]),
]


@pytest.mark.parametrize(("name", "operands", "expected"), EDGES)
def test_derivative_at_an_edge(name: str, operands: list[float], expected: list[float]):
    found = gradients(_unary(name), *map(np.float64, operands))
    np.testing.assert_allclose(found, expected, rtol=2e-15, atol=1e-300)


@pytest.mark.parametrize(("name", "operands", "expected"), EDGES)
def test_forward_mode_agrees_at_an_edge(name: str, operands: list[float], expected: list[float]):
    arguments = list(map(np.float64, operands))
    function = make(_unary(name), *arguments)
    for i, derivative in enumerate(expected):
        found = run(jvp(function, (i,)), *arguments, np.float64(1))[1]
        np.testing.assert_allclose(found, derivative, rtol=2e-15, atol=1e-300)


@pytest.mark.parametrize(
    ("kind", "x", "expected"),
    [
        ("max", [1.0, 2.0, 2.0], [0, 0.5, 0.5]),
        ("min", [1.0, 1.0, 1.0, 3.0], [1 / 3, 1 / 3, 1 / 3, 0]),
        ("max", [-INF, -INF], [0.5, 0.5]),
        ("max", [NAN, 1.0], [0, 0]),
        ("mul", [0.0, 2.0, 3.0], [6, 0, 0]),
        ("mul", [0.0, 2.0, 0.0], [0, 0, 0]),
        ("mul", [-2.0, 3.0, 0.5, 4.0, 2.0], [12, -8, -48, -6, -12]),
    ],
)
def test_derivative_of_a_reduction(kind: str, x: list[float], expected: list[float]):
    found = gradients(lambda b, v: b.reduce(kind, v, (0,)), np.array(x))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-15)


@pytest.mark.parametrize("kind", ["add", "mul", "min", "max"])
def test_reduction_of_nothing_is_constant(kind: str):
    x = np.zeros((0, 2))
    function = make(lambda b, v: b.reduce(kind, v, (0,)), x)
    np.testing.assert_array_equal(run(jvp(function), x, x)[1], np.zeros(2))
    assert run(vjp(function), x, np.ones(2))[1].shape == (0, 2)


def test_ties_of_a_cumulative_maximum_share_its_derivative():
    x = np.array([1.0, 1.0, 0.0, 2.0])
    found = gradients(lambda b, v: b.cumulative("max", v, 0), x)[0]
    np.testing.assert_allclose(found, [1 + 0.5 + 0.5, 0.5 + 0.5, 0, 1])


def test_product_with_zeros_to_second_order():
    """The Hessian of a product is the products of all but two factors."""
    x = np.array([0.0, 2.0, 0.0, 3.0])
    gradient = vjp(make(lambda b, v: b.reduce("mul", v, (0,)), x), seed=True, value=False)
    hessian = jvp(gradient)
    rows = [run(hessian, x, e)[1] for e in np.eye(4)]
    expected = [[np.prod(np.delete(x, (i, j))) * (i != j) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(rows, expected)


def test_mixed_derivative_of_a_power_at_exponent_zero():
    """d2/dxdy x^y = x^(y-1) (1 + y log x), which is 1/x for y = 0."""
    x, y = np.float64(2), np.float64(0)
    by_base = vjp(make(_unary("pow"), x, y), (0,), seed=True, value=False)
    assert run(jvp(by_base, (1,)), x, y, np.float64(1))[1] == 0.5
    by_exponent = vjp(make(_unary("pow"), x, y), (1,), seed=True, value=False)
    assert run(jvp(by_exponent, (0,)), x, y, np.float64(1))[1] == 0.5


def test_unselected_branch_contributes_nothing_where_guarded():
    """sqrt(where(x > 0, x, 1)) selected for x > 0: no NaN from the guarded branch at 0."""

    def body(b, x):
        zero, one = b.full_like(x, 0), b.full_like(x, 1)
        positive = b.compare("gt", x, zero)
        return b.select(positive, b.sqrt(b.select(positive, x, one)), zero)

    np.testing.assert_array_equal(gradients(body, np.array([0.0, 4.0]))[0], [0.0, 0.25])


@pytest.mark.parametrize(
    ("z", "expected"), [(3 + 4j, 0.6 - 0.8j), (0j, 0j), (-2 + 0j, -1 + 0j), (1j, -1j)]
)
def test_gradient_of_a_complex_modulus(z: complex, expected: complex):
    """df/dx - i df/dy, JAX's convention."""
    reverse = vjp(make(lambda b, x: b.abs(x), np.complex128(z)), seed=True, value=False)
    np.testing.assert_allclose(run(reverse, np.complex128(z))[0], expected, rtol=1e-15)


def test_holomorphic_gradient_is_the_complex_derivative():
    z = np.complex128(0.3 + 0.4j)
    reverse = vjp(make(lambda b, x: b.mul(x, b.sin(x)), z), value=False)
    found = run(reverse, z, np.complex128(1))[0]
    np.testing.assert_allclose(found, np.sin(z) + z * np.cos(z), rtol=1e-15)


def test_real_gradient_through_complex_numbers():
    """|exp(i x)|^2 x has derivative 1; a DFT by real matrices has a real gradient."""
    x = np.array([0.2, 1.3, -0.7])

    def body(b, v):
        turned = b.exp(b.complex(b.full_like(v, 0), v))
        return b.real(b.mul(b.mul(turned, b.conj(turned)), b.convert(v, np.dtype("c16"))))

    found = gradients(body, x)[0]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, np.ones(3), rtol=1e-14)


def test_third_derivative_of_lgamma():
    """Polygamma of order 2 at 1 is -2 zeta(3), by differentiating the series of trigamma."""
    function = make(_unary("lgamma"), np.float64(1))
    for _ in range(3):
        function = vjp(function, seed=True, value=False)
    np.testing.assert_allclose(run(function, np.float64(1))[0], -2 * 1.2020569031595942, rtol=1e-13)
    reflected = run(function, np.float64(-0.5))[0]
    np.testing.assert_allclose(reflected, -0.8287966442343199, rtol=1e-10)
