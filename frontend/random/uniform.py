"""Random bits, and what is made of them alone: uniform numbers, integers, yes or no.

Equal to JAX's bit by bit.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ...ir.types import Shape
from ..boundary import public
from ..errors import ArgumentError
from ..numpy.manipulation import sizes
from ..numpy.operands import broadcast, converted, select, xp
from ..tracer import Tracer
from .calls import sampled
from .threefry import Key

_LEAST_WIDTH: Final = np.dtype(np.int32)
"""Integers of fewer bits are drawn as these, which leaves less bias."""


@public
def bits(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return unsigned integers all bits of which are random.

    Args:
        key: a key, u32[2].
        shape: of the result.
        dtype: an unsigned integer dtype; uint64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        DtypeError: (a TypeError) if ``dtype`` is of another kind.
    """
    return sampled("bits", traced_bits, key, shape=sizes(shape), dtype=dtype, kinds="u")


@public
def uniform(
    key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Return floats that are evenly distributed in ``[minval, maxval)``.

    There are as many different ones as a float has mantissas: 2^23 or 2^52, equally far apart.

    Args:
        key: a key, u32[2].
        shape: of the result.
        dtype: a float dtype; float64 by default.
        minval: the least number, or an array of them that broadcasts to ``shape``.
        maxval: what all are below, likewise.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the bounds do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    if _is_number(minval, 0) and _is_number(maxval, 1):
        return sampled("uniform", unit_uniform, key, shape=sizes(shape), dtype=dtype)
    return sampled("uniform", _uniform, key, minval, maxval, shape=sizes(shape), dtype=dtype)


@public
def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None) -> Any:
    """Return integers that are evenly distributed in ``[minval, maxval)``.

    Twice as many random bits as the dtype has, and 64 for narrower ones, are taken modulo the
    number of integers, so that none of them is much more likely than another.

    Args:
        key: a key, u32[2].
        shape: of the result.
        minval: the least number, or an array of them that broadcasts to ``shape``.
        maxval: what all are below, likewise; where it is not above ``minval``, that is the result.
        dtype: an integer dtype; int64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the bounds do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no integer dtype.
    """
    size, bounds = sizes(shape), (minval, maxval)
    return sampled("randint", _integers, key, *bounds, shape=size, dtype=dtype, kinds="iu")


@public
def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, mode: str = "low") -> Any:
    """Return bools that are true with a probability.

    Args:
        key: a key, u32[2].
        p: the probability, or an array of them, of a float dtype.
        shape: of the result, to which ``p`` broadcasts; that of ``p`` by default.
        mode: ``"high"`` draws twice as many bits, so that probabilities below the distance of two
            uniform numbers are met.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or the mode none.
        ShapeError: (a ValueError) if ``p`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``p`` is not of a float dtype.
    """
    if mode not in ("low", "high"):
        raise ArgumentError(f"mode must be 'low' or 'high', not {mode!r}")
    work = p.dtype if isinstance(p, Tracer) else np.asarray(p).dtype
    return sampled("bernoulli", _bernoulli, key, p, shape=shape, dtype=work, mode=mode)


@public
def rademacher(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return 1 and -1, each with probability one half.

    Args:
        key: a key, u32[2].
        shape: of the result.
        dtype: of any numbers; int64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
    """
    return sampled("rademacher", traced_signs, key, shape=sizes(shape), dtype=dtype, kinds="iufc")


def traced_bits(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    """Return random bits under a traced key: the part of `bits` that computes."""
    return key.trace.tracer(key.bits(shape, dtype))


def unit_uniform(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    """Return floats in [0, 1): random mantissas of floats in [1, 2), less 1."""
    b = key.trace.builder
    one = np.ones((), dtype)
    width, mantissa = 8 * dtype.itemsize, np.finfo(dtype).nmant
    words = key.bits(shape, np.dtype(f"u{dtype.itemsize}"))
    words = b.shift_right_logical(words, b.full_like(words, width - mantissa))
    words = b.or_(words, b.full_like(words, int(one.view(f"u{dtype.itemsize}"))))
    floats = b.bitcast_convert(words, dtype)
    return key.trace.tracer(b.sub(floats, b.full_like(floats, 1)))


def uniform_between(key: Key, shape: Shape, dtype: np.dtype, low: Any, high: Any) -> Tracer:
    """Return floats from ``low`` to below ``high``, numbers or traced values of the dtype."""
    low, high = (x if isinstance(x, Tracer) else dtype.type(x) for x in (low, high))
    spread = unit_uniform(key, shape=shape, dtype=dtype) * (high - low) + low
    return xp.maximum(low, spread)


def _uniform(key: Key, low: Tracer, high: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    return uniform_between(key, shape, dtype, converted(low, dtype), converted(high, dtype))


def _integers(key: Key, low: Tracer, high: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    if dtype.itemsize >= _LEAST_WIDTH.itemsize:
        return _wide_integers(key, low, high, shape, dtype)
    limits = np.iinfo(dtype)
    low = _clipped(converted(low, _LEAST_WIDTH), limits.min, limits.max)
    high = _clipped(converted(high, _LEAST_WIDTH), limits.min, limits.max + 1)
    return converted(_wide_integers(key, low, high, shape, _LEAST_WIDTH), dtype)


def _wide_integers(key: Key, low: Tracer, high: Tracer, shape: Shape, dtype: np.dtype) -> Tracer:
    low, high = (x if x.dtype.kind in "iu" else converted(x, np.int64) for x in (low, high))
    beyond = high > min(np.iinfo(dtype).max, np.iinfo(high.dtype).max)
    low, high = _fitted(low, dtype), _fitted(high, dtype)
    is_range = high > low
    unsigned = np.dtype(f"u{dtype.itemsize}")
    one = unsigned.type(1)
    span = xp.where(is_range, converted(high - low, unsigned), one)
    span = xp.where(beyond & is_range, span + one, span)  # all integers there are: 0
    upper, lower = (traced_bits(k, shape=shape, dtype=unsigned) for k in key.split())
    half = _remainder(_constant(span, 1 << (4 * dtype.itemsize)), span)
    factor = _remainder(half * half, span)
    offset = _remainder(upper, span) * factor + _remainder(lower, span)
    return low + converted(_remainder(offset, span), dtype)


def _remainder(x: Tracer, modulus: Tracer) -> Tracer:
    """Return x modulo ``modulus``, and x itself modulo 0, as XLA does."""
    shape = np.broadcast_shapes(x.shape, modulus.shape)
    x, modulus = broadcast(x, shape), broadcast(modulus, shape)
    rest = x.trace.tracer(x.trace.builder.rem(x.value, modulus.value))
    return select(modulus == 0, x, rest)


def _constant(like: Tracer, number: int) -> Tracer:
    return like.trace.tracer(like.trace.builder.full_like(like.value, number))


def _fitted(x: Tracer, dtype: np.dtype) -> Tracer:
    """Return integers in another dtype, those beyond it as its least or largest."""
    ours, wanted = np.iinfo(x.dtype), np.iinfo(dtype)
    return converted(_clipped(x, max(ours.min, wanted.min), min(ours.max, wanted.max)), dtype)


def _clipped(x: Tracer, low: int, high: int) -> Tracer:
    limits = np.iinfo(x.dtype)
    if low <= limits.min and high >= limits.max:
        return x
    return xp.clip(x, x.dtype.type(low), x.dtype.type(high))


def _bernoulli(key: Key, p: Tracer, *, shape: Shape, dtype: np.dtype, mode: str) -> Tracer:
    if mode == "low":
        return unit_uniform(key, shape=shape, dtype=dtype) < p
    coarse, fine = unit_uniform(key, shape=(2, *shape), dtype=dtype)
    return fine * dtype.type(2.0 ** -np.finfo(dtype).nmant) < p - coarse


def traced_signs(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    """Return 1 and -1 under a traced key: the part of `rademacher` that computes."""
    positive = unit_uniform(key, shape=shape, dtype=np.dtype(np.float64)) < 0.5
    signs = converted(positive, dtype)
    return signs + signs - dtype.type(1)


def _is_number(x: Any, number: int) -> bool:
    return type(x) in (int, float) and x == number
