"""How soon each point of the plane leaves the circle of radius 2."""

import numpy as np


def escape(c, most=60):
    """Return for each complex number after how many steps it escapes."""
    z = np.zeros_like(c)
    counts = np.zeros(c.shape, dtype=np.int64)
    for _ in range(most):
        inside = np.abs(z) <= 2
        z[inside] = z[inside] ** 2 + c[inside]
        counts[inside] += 1
    return counts


def inputs():
    x, y = np.linspace(-2.0, 0.6, 40), np.linspace(-1.2, 1.2, 30)
    return (x[None, :] + 1j * y[:, None],)
