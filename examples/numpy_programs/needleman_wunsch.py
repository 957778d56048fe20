"""Needleman and Wunsch's algorithm: how well two sequences can be aligned."""

import numpy as np


def scores(first, second, match=1.0, mismatch=-1.0, gap=-2.0):
    """Return the table of best scores of all prefixes."""
    n, m = len(first), len(second)
    table = np.zeros((n + 1, m + 1))
    for i in range(1, n + 1):
        table[i, 0] = i * gap
    for j in range(1, m + 1):
        table[0, j] = j * gap
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            step = match if first[i - 1] == second[j - 1] else mismatch
            table[i, j] = max(
                table[i - 1, j - 1] + step, table[i - 1, j] + gap, table[i, j - 1] + gap
            )
    return table


def inputs():
    rng = np.random.default_rng(2)
    return rng.integers(0, 4, size=14), rng.integers(0, 4, size=11)
