"""Jacobi's iteration for a system of linear equations, until the residual is small."""

import numpy as np


def jacobi(a, b, tolerance=1e-10, most=500):
    """Return x with a @ x = b, and the number of iterations."""
    diagonal = np.diag(a)
    rest = a - np.diag(diagonal)
    x = np.zeros_like(b)
    count = 0
    while np.linalg.norm(a @ x - b) > tolerance and count < most:
        x = (b - rest @ x) / diagonal
        count += 1
    return x, count


def loss(a, b):
    """A number that depends on the solution, to be differentiated."""
    return np.sum(jacobi(a, b)[0] ** 2)


def inputs():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(8, 8)) + 12 * np.eye(8)
    return a, rng.normal(size=8)
