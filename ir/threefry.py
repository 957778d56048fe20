"""The block cipher Threefry-2x32 with 20 rounds, and its constants.

Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011). A counter of
two words of 32 bits is encrypted under a key of two; whatever the key, what comes out for 0, 1, 2,
... looks random.
"""

from __future__ import annotations

from typing import Final

import numpy as np

PARITY: Final = 0x1BD11BDA
"""What the third word of the extended key is combined from the two others with."""

_EVEN, _ODD = (13, 15, 26, 6), (17, 29, 16, 24)

AMOUNTS: Final = (_EVEN, _ODD, _EVEN, _ODD, _EVEN)
"""By how many bits each round rotates; after four rounds the extended key is added."""


def encrypt(
    first: np.ndarray, second: np.ndarray, upper: np.ndarray, lower: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the two words that counters give under keys, all uint32 arrays of one shape."""
    with np.errstate(over="ignore"):  # NumPy warns of numbers without dimensions that wrap
        return _encrypt(first, second, upper, lower)


def _encrypt(
    first: np.ndarray, second: np.ndarray, upper: np.ndarray, lower: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    key = (first, second, first ^ second ^ np.uint32(PARITY))
    x, y = upper + first, lower + second
    for injection, amounts in enumerate(AMOUNTS, 1):
        for amount in amounts:
            x = x + y
            y = (y << np.uint32(amount) | y >> np.uint32(32 - amount)) ^ x
        x = x + key[injection % 3]
        y = y + key[(injection + 1) % 3] + np.uint32(injection)
    return x, y
