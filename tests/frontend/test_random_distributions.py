"""Random numbers against the distributions they are to have, with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, log, pi, sqrt
from typing import Any

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
    "triangular": (
        lambda k, **o: random.triangular(k, -1.0, 0.5, 2.0, SIZE, **o),
        triangular_cdf,
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CONTINUOUS)
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
