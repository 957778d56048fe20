"""Random draws: keys and calls, traced and not, under transformations, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, random

KEY = random.key(7)
KEYS = random.split(KEY, 5)
POSITIVE = np.array([0.5, 1.5, 2.5])

Call = Callable[..., Any]


# Keys


def test_keys_are_arrays():
    key = random.key(3)
    assert (key.dtype, key.shape) == (np.uint32, (2,))
    assert random.key_impl(key) == "threefry2x32"
    np.testing.assert_array_equal(key, random.PRNGKey(3, impl="threefry2x32"))
    np.testing.assert_array_equal(key, random.key(3, dtype="threefry2x32"))
    np.testing.assert_array_equal(random.wrap_key_data(random.key_data(KEYS)), KEYS)


def test_a_clone_is_another_array():
    clone = random.clone(KEY)
    np.testing.assert_array_equal(clone, KEY)
    assert clone is not KEY
    assert not np.shares_memory(clone, KEY)


def test_split_is_fold_in():
    folded = [random.fold_in(KEY, i) for i in range(5)]
    np.testing.assert_array_equal(KEYS, folded)


def test_all_keys_differ():
    keys = random.split(KEY, 10_000)
    assert len(np.unique(keys, axis=0)) == 10_000


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint32", "uint64", "int8"])
def test_traced_seeds(dtype):
    seeds = np.array([0, 1, 100, -1 if dtype[0] == "i" else 255]).astype(dtype)
    np.testing.assert_array_equal(
        gd.vmap(random.key)(seeds), np.stack([random.key(s) for s in seeds])
    )


def test_traced_data_of_fold_in():
    data = np.arange(4)
    np.testing.assert_array_equal(
        gd.stage(lambda d: random.fold_in(KEY, d)).vmap()(data),
        np.stack([random.fold_in(KEY, d) for d in data]),
    )


def test_keys_of_lists_and_views():
    strided = np.array([[1, 9, 2, 9]], np.uint32)[0, ::2]
    expected = random.bits(np.array([1, 2], np.uint32), (3,))
    np.testing.assert_array_equal(random.bits(strided, (3,)), expected)


# Shapes and dtypes


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (5,), (2, 3), (7, 1, 3)])
def test_an_element_depends_on_its_number_alone(shape):
    flat = random.uniform(KEY, (100,))
    drawn = random.uniform(KEY, shape)
    assert np.shape(drawn) == shape
    np.testing.assert_array_equal(np.ravel(drawn), flat[: np.size(drawn)])


def test_a_size_may_be_an_int():
    np.testing.assert_array_equal(random.normal(KEY, 3), random.normal(KEY, (3,)))
    np.testing.assert_array_equal(random.split(KEY, np.int64(2)), random.split(KEY, (2,)))


def test_default_dtypes_are_numpys():
    assert random.uniform(KEY).dtype == np.float64
    assert random.randint(KEY, (), 0, 3).dtype == np.int64
    assert random.bits(KEY).dtype == np.uint64
    assert random.categorical(KEY, np.zeros(3)).dtype == np.int64
    assert random.bernoulli(KEY).dtype == np.bool_


def test_results_without_dimensions_are_numbers():
    assert type(random.uniform(KEY)) is np.float64


def test_more_than_32_bits_of_counters():
    """The upper word of a counter, where it is not 0: by tracing alone, for the memory's sake."""
    text = gd.stage(lambda k: random.bits(k, (1 << 17, 1 << 16), "uint8")).lower(KEY).as_text()
    assert "array.iota dim 0 : tensor<8589934592xui64>" in text


@pytest.mark.parametrize(("low", "high"), [(-2.0, 2.0), (1e-3, 1e3), (0.0, 1.0), (1.0, 1.0)])
def test_uniform_numbers_lie_between_their_bounds(low, high):
    for dtype in ("float32", "float64"):
        drawn = random.uniform(KEY, (1000,), dtype, low, high)
        assert np.all((drawn >= np.array(low, dtype)) & (drawn <= high))
        assert np.all(drawn < high) or low == high


@pytest.mark.parametrize(("lower", "upper"), [(-1.0, 0.5), (3.0, 3.5), (-np.inf, -4.0)])
def test_truncated_numbers_lie_between_their_bounds(lower, upper):
    for dtype in ("float32", "float64"):
        drawn = random.truncated_normal(KEY, lower, upper, (1000,), dtype)
        assert np.all((drawn > lower) & (drawn < upper))


def test_permutation_keeps_the_elements():
    x = np.arange(60).reshape(3, 4, 5)
    for axis in (0, 1, -1):
        for independent in (False, True):
            mixed = random.permutation(KEY, x, axis, independent)
            np.testing.assert_array_equal(np.sort(mixed, axis), x)
    assert random.permutation(KEY, 0).shape == (0,)
    rows = random.permutation(KEY, x, 1)
    np.testing.assert_array_equal(np.diff(rows, axis=2), 1)  # whole rows move


def test_choice_along_an_axis():
    x = np.arange(12).reshape(3, 4)
    drawn = random.choice(KEY, x, (5, 2), axis=1)
    assert drawn.shape == (3, 5, 2)
    assert np.all(drawn // 4 == np.arange(3)[:, None, None])
    some = random.choice(KEY, x, (3,), replace=False)
    assert len(np.unique(some[:, 0])) == 3
    assert random.choice(KEY, 5, (0,)).shape == (0,)


def test_choice_never_takes_what_has_no_probability():
    p = np.array([0.0, 0.5, 0.0, 0.5])
    assert set(random.choice(KEY, 4, (200,), p=p)) == {1, 3}
    assert set(random.choice(KEY, 4, (2,), replace=False, p=p)) == {1, 3}


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda: random.gamma(KEY, np.array([np.nan, -1.0, -0.2])), [np.nan, np.nan, np.nan]),
        (lambda: random.gamma(KEY, 0.0), 0.0),
        (lambda: random.poisson(KEY, np.array([0.0, -1.0, np.nan])), [0, -1, -1]),
        (lambda: random.binomial(KEY, np.array([0.0, -1.0, np.nan]), 0.5), [0, np.nan, np.nan]),
        (lambda: random.binomial(KEY, 9, np.array([0.0, 1.0, 1.5, -0.5])), [0, 9] + 2 * [np.nan]),
        (lambda: random.binomial(KEY, 4.9, np.array([1.0, np.nan])), [4, np.nan]),
        (lambda: random.binomial(KEY, np.inf, np.array([0.2, 0.8])), [np.inf, np.inf]),
        (lambda: random.binomial(KEY, 1000, np.array([0.0, 1.0])), [0, 1000]),
    ],
)
def test_parameters_at_the_edges(draw, expected):
    np.testing.assert_array_equal(draw(), expected)


# In traces, and under transformations

SAMPLERS: dict[str, Call] = {
    "bits": lambda k: random.bits(k, (2, 3)),
    "bits of bytes": lambda k: random.bits(k, (5,), "uint8"),
    "uniform": lambda k: random.uniform(k, (2, 3), np.float32),
    "uniform between": lambda k: random.uniform(k, (3,), minval=POSITIVE, maxval=4.0),
    "randint": lambda k: random.randint(k, (4,), -3, 10),
    "randint of bytes": lambda k: random.randint(k, (4,), 0, 256, "uint8"),
    "bernoulli": lambda k: random.bernoulli(k, POSITIVE / 3),
    "bernoulli high": lambda k: random.bernoulli(k, POSITIVE / 3, mode="high"),
    "rademacher": lambda k: random.rademacher(k, (4,)),
    "normal": lambda k: random.normal(k, (2, 3)),
    "normal of floats": lambda k: random.normal(k, (3,), np.float32),
    "complex normal": lambda k: random.normal(k, (3,), np.complex128),
    "truncated_normal": lambda k: random.truncated_normal(k, -POSITIVE, 1.0),
    "lognormal": lambda k: random.lognormal(k, POSITIVE),
    "exponential": lambda k: random.exponential(k, (3,)),
    "laplace": lambda k: random.laplace(k, (3,)),
    "logistic": lambda k: random.logistic(k, (3,)),
    "cauchy": lambda k: random.cauchy(k, (3,)),
    "gumbel": lambda k: random.gumbel(k, (3,)),
    "gumbel high": lambda k: random.gumbel(k, (3,), mode="high"),
    "gumbel highest": lambda k: random.gumbel(k, (3,), np.float32, mode="highest"),
    "maxwell": lambda k: random.maxwell(k, (3,)),
    "double_sided_maxwell": lambda k: random.double_sided_maxwell(k, 1.0, POSITIVE, (2,)),
    "pareto": lambda k: random.pareto(k, POSITIVE),
    "rayleigh": lambda k: random.rayleigh(k, POSITIVE),
    "wald": lambda k: random.wald(k, POSITIVE),
    "weibull_min": lambda k: random.weibull_min(k, POSITIVE, 2.0, (3,)),
    "triangular": lambda k: random.triangular(k, 0.0, POSITIVE, 3.0),
    "geometric": lambda k: random.geometric(k, POSITIVE / 3),
    "categorical": lambda k: random.categorical(k, np.log(POSITIVE), shape=(4,)),
    "gamma": lambda k: random.gamma(k, POSITIVE, (7, 3)),
    "one gamma": lambda k: random.gamma(k, 2.5),
    "beta": lambda k: random.beta(k, POSITIVE, 1.0),
    "poisson": lambda k: random.poisson(k, np.array([0.0, 2.5, 20.0]), (4, 3)),
    "binomial": lambda k: random.binomial(k, np.array([4, 50]), 0.4, (3, 2)),
    "multinomial": lambda k: random.multinomial(k, 9.0, np.array([0.2, 0.3, 0.5])),
    "multivariate_normal": lambda k: random.multivariate_normal(k, np.ones(2), np.eye(2) + 1),
    "permutation": lambda k: random.permutation(k, 10),
    "permutation of rows": lambda k: random.permutation(k, np.arange(12).reshape(3, 4), 1),
    "permutations": lambda k: random.permutation(k, np.arange(6).reshape(2, 3), 1, True),
    "choice": lambda k: random.choice(k, np.arange(12.0).reshape(3, 4), (2, 2), axis=1),
    "choice without replacement": lambda k: random.choice(k, 7, (2, 3), replace=False),
    "choice by probabilities": lambda k: random.choice(k, 3, (9,), p=POSITIVE / 4.5),
    "choice of distinct ones": lambda k: random.choice(k, 3, (2,), False, POSITIVE / 4.5),
    "distinct categories": lambda k: random.categorical(k, POSITIVE, shape=(2,), replace=False),
    "split": lambda k: random.split(k, (2, 2)),
    "fold_in": lambda k: random.fold_in(k, 11),
}
"""Draws that need nothing but a key."""


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """Assert equality up to roundings, which may differ where vectors are wider."""
    assert found.dtype == expected.dtype
    tolerance = 4 * np.finfo(found.dtype).eps if found.dtype.kind in "fc" else 0
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", SAMPLERS)
def test_in_a_trace_as_outside(name):
    draw = SAMPLERS[name]
    close(gd.stage(draw)(KEY), draw(KEY))


@pytest.mark.parametrize("name", SAMPLERS)
def test_vmap_is_a_loop_over_keys(name):
    draw = SAMPLERS[name]
    close(gd.vmap(draw)(KEYS), np.stack([draw(k) for k in KEYS]))


@pytest.mark.parametrize(
    "name", ["bits", "uniform", "randint", "normal", "categorical", "split", "gamma", "binomial"]
)
def test_passes_keep_what_is_drawn(name):
    draw = SAMPLERS[name]
    close(gd.stage(draw).compile(KEY, check="each-pass")(KEY), draw(KEY))


def test_vmap_over_keys_and_parameters():
    scales = np.linspace(0.5, 2.0, 5)
    of_both = gd.vmap(lambda k, s: random.rayleigh(k, s, (3,)))(KEYS, scales)
    close(of_both, np.stack([random.rayleigh(k, s, (3,)) for k, s in zip(KEYS, scales)]))
    shared = gd.vmap(lambda s: random.rayleigh(KEY, s, (3,)))(scales)
    close(shared, np.stack([random.rayleigh(KEY, s, (3,)) for s in scales]))


def test_draws_fuse_into_what_uses_them():
    text = gd.stage(lambda k: np.sum(random.normal(k, (40, 50)) ** 2)).lower(KEY).as_text("kernel")
    assert text.count("kernel.fusion") <= 2  # one for the words of the key


# Derivatives by the parameters

REPARAMETERISED: dict[str, tuple[Call, tuple[Any, ...]]] = {
    "uniform": (lambda a, b: random.uniform(KEY, (2, 3), minval=a, maxval=b), (POSITIVE, 4.0)),
    "truncated_normal": (lambda a, b: random.truncated_normal(KEY, a, b), (-POSITIVE, POSITIVE)),
    "lognormal": (lambda s: random.lognormal(KEY, s, (2, 3)), (POSITIVE,)),
    "double_sided_maxwell": (
        lambda m, s: random.double_sided_maxwell(KEY, m, s, (2,)),
        (1.0, POSITIVE),
    ),
    "pareto": (lambda b: random.pareto(KEY, b), (POSITIVE,)),
    "rayleigh": (lambda s: random.rayleigh(KEY, s, (2, 3)), (POSITIVE,)),
    "wald": (lambda m: random.wald(KEY, m), (POSITIVE,)),
    "weibull_min": (
        lambda s, c: random.weibull_min(KEY, s, c, (2, 3)),
        (POSITIVE, POSITIVE + 1),
    ),
    "triangular": (
        lambda a, m, b: random.triangular(KEY, a, m, b),
        (-POSITIVE, 0.25, POSITIVE + 0.1),
    ),
    "multivariate_normal": (
        lambda m: random.multivariate_normal(KEY, m, np.eye(3) + 0.5, (2,)),
        (POSITIVE,),
    ),
}


@pytest.mark.parametrize("name", REPARAMETERISED)
def test_derivatives(name):
    draw, parameters = REPARAMETERISED[name]
    check_derivatives(draw, parameters, order=2)


def check_derivatives(function: Call, at: tuple[Any, ...], order: int) -> None:
    """Check jvp against central differences and vjp against jvp, and then their own derivatives."""
    rng = np.random.default_rng(order)
    at = tuple(np.asarray(x, np.float64) for x in at)
    tangents = tuple(rng.uniform(-1, 1, x.shape) for x in at)

    def moved(step: float) -> np.ndarray:
        return np.asarray(function(*(x + step * t for x, t in zip(at, tangents))))

    value, tangent = gd.jvp(function, at, tangents)
    h = 1e-4
    difference = (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)
    np.testing.assert_allclose(tangent, difference, rtol=1e-6, atol=1e-6)
    cotangent = rng.uniform(-1, 1, np.shape(value))
    gradients = gd.vjp(function, *at)[1](cotangent)
    paired = sum(np.sum(g * t) for g, t in zip(gradients, tangents))
    np.testing.assert_allclose(paired, np.sum(cotangent * tangent), rtol=1e-9, atol=1e-9)
    if order > 1:

        def gradient(*x: Any) -> Any:
            total = gd.grad(lambda *x: np.sum(function(*x) * cotangent), tuple(range(len(at))))
            return gd.numpy.concatenate([np.ravel(g) for g in total(*x)])

        check_derivatives(gradient, at, order - 1)


# What is drawn in a loop has no derivative for a fixed key: the number of proposals changes. Gamma
# numbers are differentiated as quantiles instead.


def gamma_quantile(probability: mpmath.mpf, a: mpmath.mpf, near: float) -> mpmath.mpf:
    def excess(log_x):
        return mpmath.gammainc(a, 0, mpmath.exp(log_x), regularized=True) - probability

    return mpmath.exp(mpmath.findroot(excess, mpmath.log(near)))


@pytest.mark.parametrize("a", [0.05, 2.5, 1500.0])
def test_derivatives_of_gamma_are_those_of_quantiles(a):
    def draw(a):
        return random.gamma(KEY, a, (2,))

    def slope(a):
        return gd.jvp(draw, (a,), (1.0,))[1]

    x = draw(a)
    first, second = gd.jvp(slope, (a,), (1.0,))
    _, of_logarithm = gd.jvp(lambda a: random.loggamma(KEY, a, (2,)), (a,), (1.0,))
    with mpmath.workdps(40):
        for i in range(2):
            probability = mpmath.gammainc(a, 0, float(x[i]), regularized=True)

            def quantile(a, i=i, probability=probability):
                return gamma_quantile(probability, a, float(x[i]))

            by_a, by_a_twice = (float(mpmath.diff(quantile, a, n)) for n in (1, 2))
            np.testing.assert_allclose(first[i], by_a, rtol=1e-9)
            np.testing.assert_allclose(second[i], by_a_twice, rtol=1e-6)
            np.testing.assert_allclose(of_logarithm[i], by_a / x[i], rtol=1e-9)


COUNT = 20_000

MEANS: dict[str, tuple[Call, float, Call]] = {
    "gamma": (lambda a: random.gamma(KEY, a, (COUNT,)), 0.4, lambda a: a),
    "loggamma": (lambda a: random.loggamma(KEY, a, (COUNT,)), 0.3, mpmath.digamma),
    "beta": (lambda a: random.beta(KEY, a, 1.5, (COUNT,)), 0.7, lambda a: a / (a + 1.5)),
    "square of t": (lambda d: random.t(KEY, d, (COUNT,)) ** 2, 20.0, lambda d: d / (d - 2)),
    "dirichlet": (
        lambda a: random.dirichlet(KEY, np.array([1.0, 2.0]) * a, (COUNT,))[:, 0] ** 2,
        0.5,
        lambda a: (a + 1) / (3 * (3 * a + 1)),
    ),
}
"""Draws by a parameter, its value, and their expectation."""


@pytest.mark.parametrize("name", MEANS)
def test_the_mean_of_derivatives_is_the_derivative_of_the_mean(name):
    draw, at, mean = MEANS[name]
    _, slopes = gd.jvp(draw, (at,), (1.0,))
    error = np.mean(slopes) - float(mpmath.diff(mean, at))
    assert abs(error) < 4 * np.std(slopes) / np.sqrt(COUNT)


def test_gradients_of_gamma_are_transposed_derivatives():
    def draw(a):
        return random.gamma(KEY, a, (2, 3))

    _, slopes = gd.jvp(draw, (POSITIVE,), (POSITIVE,))
    weights = np.arange(6.0).reshape(2, 3)
    (gradient,) = gd.vjp(draw, POSITIVE)[1](weights)
    np.testing.assert_allclose(np.sum(gradient * POSITIVE), np.sum(weights * slopes), rtol=1e-12)


def test_a_key_has_no_derivative():
    value, tangent = gd.jvp(
        lambda x: x * random.normal(random.fold_in(KEY, np.int32(3)), (3,)), (2.0,), (1.0,)
    )
    np.testing.assert_allclose(value, 2 * tangent)


# Refusals

REFUSED: dict[str, tuple[Call, type[Exception], str]] = {
    "no key": (lambda: random.normal(0), errors.ArgumentError, "takes a key u32[2], as `gradatim"),
    "a seed": (lambda: random.split(np.int64(3)), errors.ArgumentError, "found i64[]"),
    "several keys": (lambda: random.normal(KEYS), errors.ShapeError, "`gradatim.vmap`"),
    "keys of traces": (
        lambda: gd.stage(lambda k: random.bits(k))(KEYS),
        errors.ShapeError,
        "found u32[5,2]",
    ),
    "no seed": (lambda: random.key(1.5), errors.ArgumentError, "takes an integer"),
    "several seeds": (lambda: random.key(np.arange(3)), errors.ShapeError, "`gradatim.vmap`"),
    "a large seed": (lambda: random.key(2**63), OverflowError, ""),
    "another generator": (
        lambda: random.key(0, impl="rbg"),
        errors.ArgumentError,
        "knows no generator but 'threefry2x32', found 'rbg'",
    ),
    "large data": (lambda: random.fold_in(KEY, 2**32), OverflowError, ""),
    "several data": (lambda: random.fold_in(KEY, np.arange(3)), errors.ShapeError, "one integer"),
    "a dtype of integers": (
        lambda: random.uniform(KEY, (3,), int),
        errors.DtypeError,
        "`uniform` gives numbers of float dtype, one of float32, float64; found int64",
    ),
    "half floats": (lambda: random.normal(KEY, (), np.float16), errors.DtypeError, "float16"),
    "a dtype of floats": (
        lambda: random.randint(KEY, (3,), 0, 5, float),
        errors.DtypeError,
        "integer or unsigned integer dtype",
    ),
    "signed bits": (lambda: random.bits(KEY, (3,), np.int32), errors.DtypeError, "unsigned"),
    "an integer probability": (
        lambda: random.bernoulli(KEY, 1),
        errors.DtypeError,
        "found int64",
    ),
    "a shape that is too small": (
        lambda: random.rayleigh(KEY, POSITIVE, (2,)),
        errors.ShapeError,
        "`rayleigh` cannot broadcast parameters of shapes (3,) to shape (2,)",
    ),
    "a shape that parameters enlarge": (
        lambda: random.uniform(KEY, (1,), minval=POSITIVE),
        errors.ShapeError,
        "to shape (1,)",
    ),
    "a traced shape": (
        lambda: gd.vmap(lambda n: random.uniform(KEY, (n,)))(np.array([2, 3])),
        errors.TracerIntegerConversionError,
        "static",
    ),
    "no mode": (lambda: random.gumbel(KEY, (), None, "best"), errors.ArgumentError, "'highest'"),
    "no method": (
        lambda: random.multivariate_normal(KEY, np.ones(2), np.eye(2), method="lu"),
        errors.ArgumentError,
        "'cholesky'",
    ),
    "no covariance": (
        lambda: random.multivariate_normal(KEY, np.ones(2), np.eye(3)),
        errors.ShapeError,
        "a covariance [..., n, n]",
    ),
    "too large a sample": (
        lambda: random.choice(KEY, 3, (4,), replace=False),
        errors.ShapeError,
        "4 elements cannot be drawn from 3",
    ),
    "nothing to choose": (lambda: random.choice(KEY, 0, (1,)), errors.ShapeError, "nothing"),
    "probabilities of others": (
        lambda: random.choice(KEY, 3, (4,), p=np.ones(2) / 2),
        errors.ShapeError,
        "one number each",
    ),
    "too few categories": (
        lambda: random.categorical(KEY, np.zeros(3), shape=(4,), replace=False),
        errors.ShapeError,
        "there are 3",
    ),
    "a population of floats": (
        lambda: random.permutation(KEY, 2.5),
        errors.ArgumentError,
        "takes an array or an int",
    ),
    "a traced covariance": (
        lambda: gd.stage(lambda c: random.multivariate_normal(KEY, np.ones(2), c))(np.eye(2)),
        errors.UnsupportedError,
        "`numpy.linalg.cholesky` does not take traced values",
    ),
    "numpy.random": (
        lambda: gd.stage(lambda x: np.random.default_rng(0).normal(x))(POSITIVE),
        errors.TracerArrayConversionError,
        "draw random numbers by `gradatim.random`",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    call, error, message = REFUSED[name]
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)


def test_errors_name_the_users_line():
    with pytest.raises(errors.ShapeError) as caught:
        random.normal(KEYS)
    assert __file__ in str(caught.value)


# Programs


def test_a_program_is_compiled_once_for_a_shape():
    from gradatim.frontend.random.calls import _program

    _program.cache_clear()
    for key in KEYS:
        random.uniform(key, (17,))
    assert (_program.cache_info().misses, _program.cache_info().hits) == (1, 4)
