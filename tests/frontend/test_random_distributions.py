"""Random numbers against the distributions they are to have, with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, lgamma, log, log1p, pi, sqrt
from typing import Any

import mpmath
import numpy as np
import pytest

from gradatim import random

from .random_statistics import chi_square, counts_of, kolmogorov_smirnov

KEY = random.key(2026)
N = 40_000
SIZE = (200, 200)

Draw = Callable[..., Any]


def normal_cdf(x: float) -> float:
    return (1 + erf(x / sqrt(2))) / 2


def gamma_cdf(a: float) -> Callable[[float], Any]:
    return lambda x: mpmath.gammainc(a, 0, x, regularized=True)


def beta_cdf(a: float, b: float) -> Callable[[float], Any]:
    return lambda x: mpmath.betainc(a, b, 0, x, regularized=True)


def t_cdf(df: float) -> Callable[[float], Any]:
    def cdf(x: float) -> Any:
        beyond = beta_cdf(df / 2, 0.5)(df / (df + x * x)) / 2
        return beyond if x < 0 else 1 - beyond

    return cdf


def f_cdf(dfnum: float, dfden: float) -> Callable[[float], Any]:
    below = beta_cdf(dfnum / 2, dfden / 2)
    return lambda x: below(dfnum * x / (dfnum * x + dfden))


def generalized_normal_cdf(p: float) -> Callable[[float], Any]:
    below = gamma_cdf(1 / p)
    return lambda x: (1 + np.sign(x) * below(abs(x) ** p)) / 2


def wald_cdf(mean: float) -> Callable[[float], float]:
    def cdf(x: float) -> float:
        above = normal_cdf(sqrt(1 / x) * (x / mean - 1))
        return above + exp(2 / mean) * normal_cdf(-sqrt(1 / x) * (x / mean + 1))

    return cdf


def triangular_cdf(x: float) -> float:
    """Of a triangle from -1 over 0.5 to 2."""
    return (x + 1) ** 2 / 4.5 if x < 0.5 else 1 - (2 - x) ** 2 / 4.5


def truncated_cdf(x: float) -> float:
    low, high = normal_cdf(-1.0), normal_cdf(0.5)
    return (normal_cdf(x) - low) / (high - low)


def maxwell_cdf(x: float) -> float:
    return erf(x / sqrt(2)) - sqrt(2 / pi) * x * exp(-x * x / 2)


CONTINUOUS: dict[str, tuple[Draw, Callable[[float], Any]]] = {
    "uniform": (lambda k, **o: random.uniform(k, SIZE, **o), lambda x: x),
    "uniform between": (
        lambda k, **o: random.uniform(k, SIZE, minval=-1.0, maxval=3.0, **o),
        lambda x: (x + 1) / 4,
    ),
    "normal": (lambda k, **o: random.normal(k, SIZE, **o), normal_cdf),
    "truncated_normal": (
        lambda k, **o: random.truncated_normal(k, -1.0, 0.5, SIZE, **o),
        truncated_cdf,
    ),
    "lognormal": (
        lambda k, **o: random.lognormal(k, 0.5, SIZE, **o),
        lambda x: normal_cdf(log(x) / 0.5),
    ),
    "exponential": (lambda k, **o: random.exponential(k, SIZE, **o), lambda x: 1 - exp(-x)),
    "laplace": (
        lambda k, **o: random.laplace(k, SIZE, **o),
        lambda x: exp(x) / 2 if x < 0 else 1 - exp(-x) / 2,
    ),
    "logistic": (lambda k, **o: random.logistic(k, SIZE, **o), lambda x: 1 / (1 + exp(-x))),
    "cauchy": (lambda k, **o: random.cauchy(k, SIZE, **o), lambda x: 0.5 + np.arctan(x) / pi),
    "gumbel": (lambda k, **o: random.gumbel(k, SIZE, **o), lambda x: exp(-exp(-x))),
    "gumbel high": (
        lambda k, **o: random.gumbel(k, SIZE, mode="high", **o),
        lambda x: exp(-exp(-x)),
    ),
    "gumbel highest": (
        lambda k, **o: random.gumbel(k, SIZE, mode="highest", **o),
        lambda x: exp(-exp(-x)),
    ),
    "maxwell": (lambda k, **o: random.maxwell(k, SIZE, **o), maxwell_cdf),
    "double_sided_maxwell": (
        lambda k, **o: random.double_sided_maxwell(k, 1.0, 2.0, SIZE, **o),
        lambda x: (1 + np.sign(x - 1) * maxwell_cdf(abs(x - 1) / 2)) / 2,
    ),
    "pareto": (lambda k, **o: random.pareto(k, 2.5, SIZE, **o), lambda x: 1 - x**-2.5),
    "rayleigh": (
        lambda k, **o: random.rayleigh(k, 2.0, SIZE, **o),
        lambda x: 1 - exp(-x * x / 8),
    ),
    "wald": (lambda k, **o: random.wald(k, 1.5, SIZE, **o), wald_cdf(1.5)),
    "weibull_min": (
        lambda k, **o: random.weibull_min(k, 2.0, 1.5, SIZE, **o),
        lambda x: 1 - exp(-((x / 2) ** 1.5)),
    ),
    "gamma": (lambda k, **o: random.gamma(k, 2.5, SIZE, **o), gamma_cdf(2.5)),
    "gamma of a small parameter": (
        lambda k, **o: random.gamma(k, 0.3, SIZE, **o),
        gamma_cdf(0.3),
    ),
    "loggamma": (
        lambda k, **o: random.loggamma(k, 0.1, SIZE, **o),
        lambda x: gamma_cdf(0.1)(mpmath.exp(x)),
    ),
    "beta": (lambda k, **o: random.beta(k, 0.5, 2.0, SIZE, **o), beta_cdf(0.5, 2.0)),
    "chisquare": (
        lambda k, **o: random.chisquare(k, 3.0, SIZE, **o),
        lambda x: gamma_cdf(1.5)(x / 2),
    ),
    "f": (lambda k, **o: random.f(k, 3.0, 7.0, SIZE, **o), f_cdf(3.0, 7.0)),
    "t": (lambda k, **o: random.t(k, 3.0, SIZE, **o), t_cdf(3.0)),
    "generalized_normal": (
        lambda k, **o: random.generalized_normal(k, 3.0, SIZE, **o),
        generalized_normal_cdf(3.0),
    ),
    "a part of dirichlet": (
        lambda k, **o: random.dirichlet(k, np.array([0.5, 1.0, 1.0]), SIZE, **o)[..., 0],
        beta_cdf(0.5, 2.0),
    ),
    "lengths in a ball": (
        lambda k, **o: np.linalg.norm(random.ball(k, 3, 2, SIZE, **o), axis=-1),
        lambda x: x**3,
    ),
    "triangular": (
        lambda k, **o: random.triangular(k, -1.0, 0.5, 2.0, SIZE, **o),
        triangular_cdf,
    ),
}


MADE_OF_GAMMA = ("beta", "chisquare", "f", "t", "generalized_normal", "a part of dirichlet",
                 "lengths in a ball")  # fmt: skip
"""What takes long to compile, and is the same function of gamma numbers in either dtype."""


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        (name, dtype)
        for name in CONTINUOUS
        for dtype in ("float32", "float64")
        if dtype == "float64" or name not in MADE_OF_GAMMA
    ],
)
def test_continuous(name, dtype):
    draw, cdf = CONTINUOUS[name]
    samples = draw(KEY, dtype=dtype)
    assert samples.dtype == dtype
    assert kolmogorov_smirnov(samples, cdf) < 1.95


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("normal", lambda x: normal_cdf(x / 1.03)),
        ("exponential", lambda x: 1 - exp(-1.04 * x)),
        ("gumbel", lambda x: exp(-exp(0.03 - x))),
        ("uniform", lambda x: x**1.03),
    ],
)
def test_a_wrong_distribution_is_found(name, wrong):
    assert kolmogorov_smirnov(CONTINUOUS[name][0](KEY), wrong) > 1.95


def geometric_mass(p: float) -> np.ndarray:
    return np.append(0.0, p * (1 - p) ** np.arange(400))


def poisson_mass(lam: float, size: int) -> np.ndarray:
    return np.array([exp(k * log(lam) - lam - lgamma(k + 1)) for k in range(size)])


def binomial_mass(n: int, p: float) -> np.ndarray:
    def log_choose(k: int) -> float:
        return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)

    return np.array([exp(log_choose(k) + k * log(p) + (n - k) * log1p(-p)) for k in range(n + 1)])


DISCRETE: dict[str, tuple[Draw, np.ndarray]] = {
    "randint": (lambda k: random.randint(k, SIZE, 0, 13), np.full(13, 1 / 13)),
    "randint of bytes": (lambda k: random.randint(k, SIZE, 0, 100, "uint8"), np.full(100, 0.01)),
    "bernoulli": (lambda k: random.bernoulli(k, 0.3, SIZE), np.array([0.7, 0.3])),
    "bernoulli high": (
        lambda k: random.bernoulli(k, np.float32(0.3), SIZE, "high"),
        np.array([0.7, 0.3]),
    ),
    "rademacher": (lambda k: random.rademacher(k, SIZE) + 1, np.array([0.5, 0, 0.5])),
    "geometric": (lambda k: random.geometric(k, 0.3, SIZE), geometric_mass(0.3)),
    "poisson, few": (lambda k: random.poisson(k, 3.5, SIZE), poisson_mass(3.5, 60)),
    "poisson, just many": (lambda k: random.poisson(k, 10.0, SIZE), poisson_mass(10.0, 90)),
    "poisson, many": (lambda k: random.poisson(k, 250.0, SIZE), poisson_mass(250.0, 500)),
    "binomial, few": (lambda k: random.binomial(k, 20, 0.3, SIZE), binomial_mass(20, 0.3)),
    "binomial, just many": (lambda k: random.binomial(k, 22, 0.5, SIZE), binomial_mass(22, 0.5)),
    "binomial, many": (lambda k: random.binomial(k, 300, 0.8, SIZE), binomial_mass(300, 0.8)),
    "an outcome of multinomial": (
        lambda k: random.multinomial(k, 20.0, np.array([0.3, 0.3, 0.4]), shape=(*SIZE, 3))[..., 1],
        binomial_mass(20, 0.3),
    ),
    "categorical": (
        lambda k: random.categorical(k, np.log([0.1, 0.2, 0.3, 0.4]), shape=SIZE),
        np.array([0.1, 0.2, 0.3, 0.4]),
    ),
    "choice": (
        lambda k: random.choice(k, 4, SIZE, p=np.array([0.1, 0.2, 0.3, 0.4])),
        np.array([0.1, 0.2, 0.3, 0.4]),
    ),
    "bits": (lambda k: random.bits(k, SIZE, "uint8"), np.full(256, 1 / 256)),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name):
    draw, masses = DISCRETE[name]
    assert abs(chi_square(*counts_of(draw(KEY), masses))) < 4


def test_a_wrong_mass_is_found():
    wrong = np.array([0.11, 0.2, 0.3, 0.39])
    assert chi_square(*counts_of(DISCRETE["categorical"][0](KEY), wrong)) > 4


def test_orders_are_evenly_distributed():
    draws = [random.permutation(k, 4) for k in random.split(KEY, 2400)]
    numbers = np.array([int("".join(map(str, order)), 4) for order in draws])
    _, counts = np.unique(numbers, return_counts=True)
    assert abs(chi_square(counts, np.full(24, 100.0))) < 4


def test_categories_without_replacement_differ_and_follow_their_weights():
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    logits = np.broadcast_to(np.log(weights), (N, 4))
    first, second = random.categorical(KEY, logits, shape=(2, N), replace=False)
    assert np.all(first != second)
    pairs = weights[:, None] * weights / (1 - weights[:, None])
    np.fill_diagonal(pairs, 0)
    found, expected = counts_of(4 * first + second, pairs.ravel())
    assert abs(chi_square(found, expected)) < 4


def test_large_counts_have_their_mean_and_deviation():
    for counts, mean, variance in (
        (random.poisson(KEY, 1e12, SIZE), 1e12, 1e12),
        (random.binomial(KEY, 4e12, 0.25, SIZE), 1e12, 0.75e12),
    ):
        scaled = (counts - mean) / sqrt(variance)
        assert kolmogorov_smirnov(scaled, normal_cdf) < 1.95


def test_outcomes_of_multinomial_add_up():
    counts = random.multinomial(KEY, np.array([7.0, 1000.0]), np.full((300, 2, 4), 0.25))
    np.testing.assert_array_equal(counts.sum(-1), np.broadcast_to([7.0, 1000.0], (300, 2)))
    np.testing.assert_allclose(counts.mean((0,))[1], 250, atol=4 * sqrt(188 / 300))


def test_dirichlet_adds_up():
    x = random.dirichlet(KEY, np.array([1e-3, 1e-3, 2e-3]), (1000,))
    np.testing.assert_allclose(x.sum(-1), 1)
    np.testing.assert_allclose(x.mean(0), [0.25, 0.25, 0.5], atol=4 * 0.5 / sqrt(1000))


def test_points_of_a_ball_have_no_direction():
    x = random.ball(KEY, 2, 1, (N,))
    assert np.all(np.abs(x).sum(-1) <= 1)
    assert np.abs(x.mean(0)).max() < 4 * 0.5 / sqrt(N)
    corner = np.abs(x[:, 0]) > 0.5  # of a square on its tip, two small squares
    assert abs(corner.mean() - 0.25) < 4 * 0.5 / sqrt(N)


def test_parts_of_complex_normal_numbers():
    z = random.normal(KEY, SIZE, "complex128")
    for part in (z.real, z.imag):
        assert kolmogorov_smirnov(part * sqrt(2), normal_cdf) < 1.95
    assert abs(np.mean(z.real * z.imag)) < 4 * 0.5 / sqrt(N)


@pytest.mark.parametrize("method", ["cholesky", "eigh", "svd"])
def test_multivariate_normal(method):
    mean, cov = np.array([1.0, -2.0]), np.array([[2.0, 0.8], [0.8, 0.5]])
    x = random.multivariate_normal(KEY, mean, cov, (N,), method=method)
    np.testing.assert_allclose(x.mean(0), mean, atol=4 * sqrt(2 / N))
    np.testing.assert_allclose(np.cov(x.T), cov, atol=4 * sqrt(2 * 4 / N))


def test_orthogonal():
    q = random.orthogonal(KEY, 3, (N // 4,))
    np.testing.assert_allclose(q @ q.mT, np.broadcast_to(np.eye(3), q.shape), atol=1e-12)
    for entry in (q[:, 0, 0], q[:, 2, 1]):  # of the sphere's points, each part is uniform
        assert kolmogorov_smirnov(entry, lambda x: (x + 1) / 2) < 1.95
    assert abs(np.linalg.det(q).mean()) < 4 / sqrt(N // 4)


def test_draws_under_different_keys_are_independent():
    keys = [*random.split(KEY, 3), random.fold_in(KEY, 3), random.fold_in(KEY, 2**20)]
    draws = np.array([random.normal(k, (N,)) for k in keys])
    correlations = np.corrcoef(draws) - np.eye(5)
    assert np.abs(correlations).max() < 4.5 / sqrt(N)
    shifted = np.mean(draws[:, 1:] * draws[:, :-1], axis=1)
    assert np.abs(shifted).max() < 4.5 / sqrt(N)


def test_every_bit_is_random():
    words = random.bits(KEY, (N,), "uint64")
    ones = (words[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert np.abs(ones.mean(0) - 0.5).max() < 4.5 * 0.5 / sqrt(N)
    pairs = np.corrcoef(ones.T) - np.eye(64)
    assert np.abs(pairs).max() < 5 / sqrt(N)
