"""Gauss's elimination with partial pivoting, by hand."""

import numpy as np


def solve(a, b):
    """Return x with a @ x = b."""
    a, b = a.copy(), b.copy()
    n = len(b)
    for k in range(n):
        pivot = k + np.argmax(np.abs(a[k:, k]))
        if pivot != k:
            a[[k, pivot]] = a[[pivot, k]]
            b[[k, pivot]] = b[[pivot, k]]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] -= factor * a[k, k:]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return x


def loss(a, b):
    """A number that depends on the solution."""
    return np.sum(solve(a, b) ** 2)


def inputs():
    rng = np.random.default_rng(6)
    return rng.normal(size=(9, 9)), rng.normal(size=9)
