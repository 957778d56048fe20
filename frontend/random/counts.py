"""Random counts: Poisson's and binomial numbers."""

from __future__ import annotations

from math import log, pi
from typing import Any, Final

import numpy as np

from ...ir.types import Shape
from .. import lax
from ..boundary import public
from ..errors import ShapeError
from ..numpy.operands import broadcast, converted, xp
from ..tracer import Tracer
from .calls import chosen_dtype, draw, one_key, result_shape, sampled
from .threefry import Key
from .uniform import unit_uniform

_FEW: Final = 10
"""Counts of at most this mean are found by adding up waiting times, larger ones by rejection."""

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


@public
def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return counts of events that happen at a rate: ``k`` with ``lam**k * exp(-lam) / k!``.

    Below 10, by Knuth's method (*The Art of Computer Programming* 2, 3.4.1) in float32, as in JAX,
    whose results these are up to rounding. From 10 on, by Hoermann's transformed rejection (*The
    transformed rejection method for generating Poisson random variables*, Insurance: Mathematics
    and Economics 12, 1993) in float64; JAX has float32 there, and other results.

    Args:
        key: a key, u32[2].
        lam: the rate, a number or an array; where it is negative or NaN the result is -1.
        shape: of the result, to which ``lam`` broadcasts; that of ``lam`` by default.
        dtype: an integer dtype; int64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``lam`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no integer dtype.
    """
    return sampled("poisson", _poisson, key, lam, shape=shape, dtype=dtype, kinds="iu")


@public
def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return how many of ``n`` independent trials succeed, as floats.

    Means of at most 10 by the waiting times between successes, as in JAX, whose results these are
    up to rounding; larger ones by Hoermann's transformed rejection (*The generation of binomial
    random variates*, Journal of Statistical Computation and Simulation 46, 1993), where JAX has
    other results.

    Args:
        key: a key, u32[2].
        n: the number of trials, a number or an array; a fraction counts as the integer below. Where
            it is negative or NaN, the result is NaN; infinity gives infinity.
        p: the probability that a trial succeeds, likewise; where it is none, the result is NaN.
        shape: of the result, to which ``n`` and ``p`` broadcast; theirs together by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the parameters do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return sampled("binomial", _binomial, key, n, p, shape=shape, dtype=dtype)


@public
def multinomial(
    key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int | bool = 1
) -> Any:
    """Return how often each of several outcomes comes in ``n`` independent trials, as floats.

    Args:
        key: a key, u32[2].
        n: the number of trials, a number or an array ``[...]``.
        p: the probabilities of the outcomes, an array ``[..., outcomes]``.
        shape: of the result, to which ``p`` broadcasts; that of ``p`` by default.
        dtype: a float dtype; float64 by default.
        unroll: how many outcomes the loop over them takes in one step.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``p`` is a number, or the parameters do not broadcast.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    size = result_shape("multinomial", shape, np.shape(p))
    if not size:
        raise ShapeError("`multinomial` takes probabilities [..., outcomes], found a number")
    result_shape("multinomial", size[:-1], np.shape(n))
    found, wanted = one_key("multinomial", key), chosen_dtype("multinomial", dtype)
    return draw(_multinomial, found, n, p, shape=size, dtype=wanted, unroll=unroll)


# What computes: of a traced key and traced parameters


def _poisson(key: Key, lam: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    lam = broadcast(converted(lam, lam.dtype if lam.dtype.kind == "f" else _FLOAT64), shape)
    is_few = ~(converted(lam, _FLOAT32) >= _FEW)
    few = _poisson_by_waiting(key, xp.where(is_few, converted(lam, _FLOAT32), 0), shape)
    many = _poisson_by_rejection(key, converted(lam, _FLOAT64), is_few, shape)
    return converted(xp.where(is_few, few, converted(many, np.int64)), dtype)


def _poisson_by_waiting(key: Key, lam: Tracer, shape: Shape) -> Tracer:
    """Count how many waiting times until the next event fit into one unit of time."""

    def goes_on(state: Any) -> Tracer:
        return xp.any(state[2] > -lam)

    def wait(state: Any) -> Any:
        key, count, logs = state
        key, subkey = key.split()
        count = xp.where(logs > -lam, count + 1, count)
        return key, count, logs + xp.log(unit_uniform(subkey, shape=shape, dtype=_FLOAT32))

    start = (key, _filled(key, shape, np.int64, 0), _filled(key, shape, _FLOAT32, 0))
    count = lax.while_loop(goes_on, wait, start)[1]
    return xp.where(lam == 0, 0, count - 1)


def _poisson_by_rejection(key: Key, lam: Tracer, skipped: Tracer, shape: Shape) -> Tracer:
    lam = xp.where(skipped, 1.0 * _FEW, lam)
    b = 0.931 + 2.53 * xp.sqrt(lam)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)

    def propose(u: Tracer, v: Tracer) -> tuple[Tracer, Tracer]:
        distance = 0.5 - xp.abs(u)
        k = xp.floor((2 * a / distance + b) * u + lam + 0.43)
        inside = (distance >= 0.07) & (v <= v_r)
        outside = (k < 0) | ((distance < 0.013) & (v > distance))
        height = xp.log(v * inverse_alpha / (a / (distance * distance) + b))
        n = xp.maximum(k, 0) + 1
        # log(lam**k * exp(-lam) / k!), by Stirling's formula so that large terms do not cancel
        log_mass = (n - 1) * xp.log1p((lam - n) / n) + (n - lam) - 0.5 * xp.log(2 * pi * n)
        return k, inside | (~outside & (height <= log_mass - _stirling_tail(n)))

    return _first_accepted(key, propose, skipped, shape, _FLOAT64)


def _stirling_tail(n: Tracer) -> Tracer:
    """Return ``log((n - 1)!)`` less Stirling's ``log(2 * pi) / 2 + (n - 1/2) * log(n) - n``."""
    small = xp.minimum(n, 10)
    exact = small.trace.tracer(small.trace.builder.lgamma(small.value))
    stirling = 0.5 * log(2 * pi) + (small - 0.5) * xp.log(small) - small
    square = n * n
    series = (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / n
    return xp.where(n <= 10, exact - stirling, series)


def _first_accepted(
    key: Key, propose: Any, skipped: Tracer, shape: Shape, dtype: np.dtype
) -> Tracer:
    """Propose counts until one is accepted for each element that is not skipped.

    ``propose`` takes two arrays of uniform numbers, the first ones from -1/2 to 1/2, and returns
    counts and whether to accept them.
    """

    def goes_on(state: Any) -> Tracer:
        return ~xp.all(state[2])

    def again(state: Any) -> Any:
        key, count, done = state
        key, u_key, v_key = key.split(3)
        u = unit_uniform(u_key, shape=shape, dtype=dtype) - 0.5
        found, accepted = propose(u, unit_uniform(v_key, shape=shape, dtype=dtype))
        return key, xp.where(done, count, found), done | accepted

    return lax.while_loop(goes_on, again, (key, _filled(key, shape, dtype, -1), skipped))[1]


def _binomial(key: Key, n: Tracer, p: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    work = p.dtype if p.dtype.kind == "f" else _FLOAT64
    n, p = (broadcast(converted(x, work), shape) for x in (n, p))
    n = xp.floor(n)
    is_invalid = ~((n >= 0) & (p >= 0) & (p <= 1))
    is_infinite = xp.isinf(n)
    q = xp.minimum(p, 1 - p)
    is_few = n * q <= _FEW
    skipped = is_invalid | is_infinite
    few = _binomial_by_waiting(key, xp.where(is_few & ~skipped, n, -np.inf), q, shape)
    many = _binomial_by_rejection(key, n, q, is_few | skipped, shape)
    count = xp.where(is_few, few, many)
    count = xp.where(p < 0.5, count, n - count)
    count = xp.where(is_infinite, np.inf, count)
    return converted(xp.where(is_invalid, np.nan, count), dtype)


def _binomial_by_waiting(key: Key, n: Tracer, p: Tracer, shape: Shape) -> Tracer:
    """Count how many waits for a success, in trials, fit into n trials."""
    log_failure = xp.log1p(-p)

    def goes_on(state: Any) -> Tracer:
        return xp.any(state[2] <= n)

    def wait(state: Any) -> Any:
        key, count, trials = state
        subkey, key = key.split()
        u = unit_uniform(subkey, shape=shape, dtype=p.dtype)
        waited = trials + xp.ceil(xp.log(u) / log_failure)
        return key, xp.where(trials <= n, count + 1, count), waited

    zeros = _filled(key, shape, p.dtype, 0)
    return lax.while_loop(goes_on, wait, (key, zeros, zeros))[1] - 1


def _binomial_by_rejection(key: Key, n: Tracer, p: Tracer, skipped: Tracer, shape: Shape) -> Tracer:
    n, p = xp.where(skipped, 100.0, n), xp.where(skipped, 0.5, p)
    deviation = xp.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    center = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    odds = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = xp.floor((n + 1) * p)
    at_mode = (mode + 0.5) * xp.log((mode + 1) / (odds * (n - mode + 1)))
    at_mode = at_mode + _stirling_tail(mode + 1) + _stirling_tail(n - mode + 1)

    def propose(u: Tracer, v: Tracer) -> tuple[Tracer, Tracer]:
        distance = 0.5 - xp.abs(u)
        k = xp.floor((2 * a / distance + b) * u + center)
        inside = (distance >= 0.07) & (v <= v_r)
        outside = (k < 0) | (k > n)
        height = xp.log(v * alpha / (a / (distance * distance) + b))
        above = xp.clip(k, 0, n) + 1
        below = n + 2 - above
        # the logarithm of the mass at k over that at the mode
        log_mass = at_mode - _stirling_tail(above) - _stirling_tail(below)
        log_mass = log_mass + (n + 1) * xp.log((n - mode + 1) / below)
        log_mass = log_mass + (above - 0.5) * xp.log(odds * below / above)
        return k, inside | (~outside & (height <= log_mass))

    return _first_accepted(key, propose, skipped, shape, p.dtype)


def _multinomial(
    key: Key, n: Tracer, p: Tracer, *, shape: Shape, dtype: np.dtype, unroll: int | bool
) -> Tracer:
    work = np.result_type(p.dtype, np.float32) if p.dtype.kind == "f" else _FLOAT64
    n = broadcast(converted(n, work), shape[:-1])
    p = xp.moveaxis(broadcast(converted(p, work), shape), -1, 0)
    remaining = xp.flip(xp.cumsum(xp.flip(p, 0), axis=0), 0)
    ratios = xp.clip(p / xp.where(remaining == 0, 1, remaining), 0, 1)

    def one_outcome(rest: Tracer, element: Any) -> tuple[Tracer, Tracer]:
        ratio, subkey = element
        count = _binomial(Key(*subkey), rest, ratio, shape=shape[:-1], dtype=work)
        return rest - count, count

    keys = tuple(map(key.trace.tracer, key.words(shape[-1:])))
    _, counts = lax.scan(one_outcome, n, (ratios, keys), unroll=unroll)
    return converted(xp.moveaxis(counts, 0, -1), dtype)


def _filled(like: Key, shape: Shape, dtype: Any, number: int) -> Tracer:
    return like.trace.tracer(like.trace.builder.full(shape, np.dtype(dtype), number))
