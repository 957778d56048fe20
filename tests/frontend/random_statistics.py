"""Statistics by which a wrong sampler is told from a right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

POINTS = 400


def kolmogorov_smirnov(samples: np.ndarray, cdf: Callable[[float], Any]) -> float:
    """Return the largest distance of empirical and exact distribution function, times sqrt(n).

    The distance is looked for at `POINTS` quantiles of the samples. It exceeds 1.95 for one right
    sampler in a thousand; n samples tell a distribution apart that is off by 1.95 / sqrt(n).
    """
    ordered = np.sort(samples, axis=None)
    n = ordered.size
    places = np.linspace(0, n - 1, POINTS).astype(int)
    exact = np.array([float(cdf(float(x))) for x in ordered[places]])
    below = np.maximum(np.abs(exact - places / n), np.abs(exact - (places + 1) / n))
    return float(below.max()) * np.sqrt(n)


def chi_square(counts: np.ndarray, expected: np.ndarray) -> float:
    """Return how many standard deviations Pearson's statistic of counts is above its mean."""
    freedom = counts.size - 1
    statistic = np.sum((counts - expected) ** 2 / expected)
    return float((statistic - freedom) / np.sqrt(2 * freedom))


def counts_of(samples: np.ndarray, masses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how often 0, 1, 2, ... come, and their expectations, with the rare ones joined."""
    n = samples.size
    counts = np.bincount(samples.astype(int).ravel(), minlength=masses.size)
    assert counts.size == masses.size, "a number came that has no mass"
    often = masses * n >= 20
    found = np.append(counts[often], counts[~often].sum())
    expected = np.append(masses[often] * n, masses[~often].sum() * n)
    return (found, expected) if expected[-1] >= 5 else (found[:-1], expected[:-1])
