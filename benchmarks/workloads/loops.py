"""Workloads written as loops for Numba, with derivatives by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def loop(name: str) -> Callable[[], Callable[..., Any]]:
    """Return what compiles the loop of a name; Numba is imported then."""
    return lambda: _compile(*_LOOPS[name])


def _compile(function: Callable[..., Any], parallel: bool) -> Callable[..., Any]:
    import numba

    function.__globals__["prange"] = numba.prange
    compiled: Callable[..., Any] = numba.njit(parallel=parallel)(function)
    return compiled


prange = range  # outside of Numba, which replaces it by its own


def gradient(x):
    return math.sin(x * x) + 2 * x * x * math.cos(x * x)


def gradients(x):
    result = np.empty_like(x)
    for i in prange(x.size):
        square = x[i] * x[i]
        result[i] = math.sin(square) + 2 * square * math.cos(square)
    return result


def softmax(x):
    result = np.empty_like(x)
    for i in prange(x.shape[0]):
        largest = x[i].max()
        total = np.float32(0)
        for j in range(x.shape[1]):
            result[i, j] = math.exp(x[i, j] - largest)
            total += result[i, j]
        for j in range(x.shape[1]):
            result[i, j] /= total
    return result


def rosenbrock_gradient(x):
    result = np.zeros_like(x)
    for i in range(x.size - 1):
        step = x[i + 1] - x[i] * x[i]
        result[i] -= 400 * x[i] * step + 2 * (1 - x[i])
        result[i + 1] += 200 * step
    return result


_LOOPS = {
    "gradient": (gradient, False),
    "gradients": (gradients, True),
    "softmax": (softmax, True),
    "rosenbrock_gradient": (rosenbrock_gradient, False),
}
