"""Reference semantics of elementwise functions that NumPy lacks.

They are written to be right rather than fast: the compiled code is checked against them.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Function = Callable[..., np.ndarray]


def _per_element(function: Callable[[float], float]) -> Function:
    """Lift a scalar float64 function to arrays; float32 goes through float64."""
    lifted = np.frompyfunc(function, 1, 1)

    def evaluate(x: np.ndarray) -> np.ndarray:
        return np.asarray(lifted(np.asarray(x, np.float64)), np.float64).astype(x.dtype)

    return evaluate


def _lgamma(x: float) -> float:
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return math.inf
    try:
        return math.lgamma(x)
    except OverflowError:  # the result is above the largest float
        return math.inf


def _digamma(x: float) -> float:
    """Digamma by recurrence and the asymptotic series (Abramowitz and Stegun 6.3.18)."""
    if math.isnan(x) or x == -math.inf:
        return math.nan
    if x == math.inf:
        return math.inf
    if x == 0:
        return math.copysign(math.inf, -x)
    if x < 0:
        if x == math.floor(x):
            return math.nan
        fraction = x - round(x)
        return _digamma(1.0 - x) - math.pi / math.tan(math.pi * fraction)
    shift = 0.0
    while x < 12.0:
        shift -= 1.0 / x
        x += 1.0
    u = 1.0 / (x * x)
    terms = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    series = 0.0
    for term in reversed(terms):
        series = (series + term) * u
    return shift + math.log(x) - 0.5 / x - series


def _erf_inv(y: float) -> float:
    """Inverse of erf: Winitzki's estimate, then Newton's iteration on erfc of the tail."""
    if math.isnan(y) or abs(y) > 1:
        return math.nan
    if abs(y) == 1:
        return math.copysign(math.inf, y)
    if y == 0:
        return y
    tail = 1.0 - abs(y)
    log_term = math.log(tail * (1.0 + abs(y)))
    a = 0.147
    b = 2.0 / (math.pi * a) + log_term / 2.0
    x = math.sqrt(math.sqrt(b * b - log_term / a) - b)
    for _ in range(8):
        error = math.erf(x) - abs(y) if abs(y) < 0.5 else tail - math.erfc(x)
        slope = 2.0 / math.sqrt(math.pi) * math.exp(-x * x)
        step = error / slope
        x -= step / (1.0 + x * step)
    return math.copysign(x, y)


erf = _per_element(math.erf)
erfc = _per_element(math.erfc)
erf_inv = _per_element(_erf_inv)
lgamma = _per_element(_lgamma)
digamma = _per_element(_digamma)


def rsqrt(x: np.ndarray) -> np.ndarray:
    """Return 1 / sqrt(x)."""
    return (1 / np.sqrt(x)).astype(x.dtype)


def power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x to the power y.

    NumPy takes the square root for an exponent of 0.5 that is stored once, which is not C99's power
    at -0 and -infinity; so the exponents are spread out.
    """
    exponents = np.array(y, ndmin=1, copy=True)
    return np.power(x, exponents).reshape(x.shape)


def logistic(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small)).astype(x.dtype)


def divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x / y; integers round towards zero, and division by zero gives zero."""
    if x.dtype.kind not in "iu":
        return np.divide(x, y)
    safe = np.where(y == 0, 1, y).astype(y.dtype)
    quotient = (x - np.fmod(x, safe)) // safe
    return np.where(y == 0, 0, quotient).astype(x.dtype)


def count_leading_zeros(x: np.ndarray) -> np.ndarray:
    """Return the number of zero bits above the highest set bit."""
    bits = 8 * x.dtype.itemsize
    unsigned = np.asarray(x).view(np.dtype(f"u{x.dtype.itemsize}"))
    lengths = np.frompyfunc(lambda v: bits - int(v).bit_length(), 1, 1)(unsigned)
    return np.asarray(lengths).astype(x.dtype)


def population_count(x: np.ndarray) -> np.ndarray:
    """Return the number of set bits (of two's complement for negative numbers)."""
    unsigned = np.asarray(x).view(np.dtype(f"u{x.dtype.itemsize}"))
    return np.asarray(np.bitwise_count(unsigned)).astype(x.dtype)


def shift_right_logical(x: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Return x shifted right with zeros moving in, whatever its sign."""
    unsigned = np.dtype(f"u{x.dtype.itemsize}")
    shifted = np.right_shift(np.asarray(x).view(unsigned), np.asarray(amount).view(unsigned))
    return np.asarray(shifted).view(x.dtype)


def convert(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Convert as the dialect does: floats saturate on the way to integers, NaN becomes 0."""
    if dtype.kind == "b":
        return np.asarray(x != 0)
    if x.dtype.kind == "c" and dtype.kind != "c":
        x = x.real
    if x.dtype.kind == "f" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        low, high = x.dtype.type(limits.min), x.dtype.type(limits.max)
        inside = (x > low) & (x < high)
        converted = np.where(inside, x, 0).astype(dtype)
        converted = np.where(x >= high, limits.max, converted)
        return np.asarray(np.where(x <= low, limits.min, converted)).astype(dtype)
    return x.astype(dtype)
