"""Choices among categories, and what they are made of: Gumbel's numbers; geometric numbers."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from ...ir.types import Shape
from ..boundary import public
from ..errors import ArgumentError, ShapeError
from ..numpy.manipulation import sizes
from ..numpy.operands import broadcast, converted, xp
from ..tracer import Tracer
from .calls import chosen_dtype, draw, one_key, result_shape, sampled
from .threefry import WORD, Key
from .uniform import traced_bits, uniform_between, unit_uniform

_MODES: Final = ("low", "high", "highest")


@public
def gumbel(key: Any, shape: Any = (), dtype: Any = None, mode: str | None = None) -> Any:
    """Return numbers with distribution function ``exp(-exp(-x))``.

    Args:
        key: a key, u32[2].
        shape: of the result.
        dtype: a float dtype; float64 by default.
        mode: how many random bits a number is made of: ``"low"``, the default, as many as `uniform`
            takes, so that the largest float32 is below 16; ``"high"`` twice as many, ``"highest"``
            all 64 for float32.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or the mode none.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    known = _known_mode(mode)
    return sampled("gumbel", traced_gumbel, key, shape=sizes(shape), dtype=dtype, mode=known)


@public
def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    mode: str | None = None,
) -> Any:
    """Return categories, int64, each with a probability proportional to ``exp(logits)``.

    The category is where logits plus numbers of `gumbel` are largest (Gumbel 1954; *the Gumbel-max
    trick*), and without replacement several categories are where they are largest.

    Args:
        key: a key, u32[2].
        logits: logarithms of probabilities up to a constant, an array of a float dtype.
        axis: of the categories.
        shape: of the result; it ends in the shape of ``logits`` without that axis, which is the
            default.
        replace: whether the categories that the leading dimensions of ``shape`` hold are drawn
            independently; else they differ.
        mode: as in `gumbel`.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or the mode none.
        ShapeError: (a ValueError) if ``shape`` does not fit, or categories are too few to differ.
        DtypeError: (a TypeError) if ``logits`` is not of a float dtype.
    """
    found = one_key("categorical", key)
    logits = logits if isinstance(logits, Tracer) else np.asarray(logits)
    chosen_dtype("categorical", logits.dtype)
    dim = np.lib.array_utils.normalize_axis_index(axis, logits.ndim)
    batch = (*logits.shape[:dim], *logits.shape[dim + 1 :])
    size = batch if shape is None else result_shape("categorical", shape, batch)
    options = {"dim": dim, "shape": size, "mode": _known_mode(mode)}
    if replace:
        return draw(_categorical, found, logits, **options)
    count, categories = prod(size[: len(size) - len(batch)]), logits.shape[dim]
    if count > categories:
        raise ShapeError(f"{count} categories cannot all differ: there are {categories}")
    perturbed = draw(_perturbed, found, logits, dim=dim, shape=batch, mode=options["mode"])
    chosen = largest(np.moveaxis(perturbed, dim, -1), count)
    return np.reshape(np.moveaxis(chosen, -1, 0), size)


@public
def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return how many independent trials it takes until one succeeds, 1 or more.

    Args:
        key: a key, u32[2].
        p: the probability that a trial succeeds, a number or an array.
        shape: of the result, to which ``p`` broadcasts; that of ``p`` by default.
        dtype: an integer dtype; int64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``p`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no integer dtype.
    """
    return sampled("geometric", _geometric, key, p, shape=shape, dtype=dtype, kinds="iu")


def largest(x: Any, count: int) -> Any:
    """Return the positions of the largest elements along the last axis, the largest first."""
    return np.argsort(-x, axis=-1, kind="stable")[..., :count]


def _known_mode(mode: str | None) -> str:
    if mode is None:
        return "low"
    if mode not in _MODES:
        raise ArgumentError(f"mode must be one of {', '.join(map(repr, _MODES))}, not {mode!r}")
    return mode


# What computes: of a traced key and traced parameters


def traced_gumbel(key: Key, *, shape: Shape, dtype: np.dtype, mode: str) -> Tracer:
    """Return numbers under a traced key: the part of `gumbel` that computes."""
    limits = np.finfo(dtype)
    if mode == "low":
        return -xp.log(-xp.log(uniform_between(key, shape, dtype, limits.tiny, 1.0)))
    if mode == "highest" and dtype == np.float32:
        return _gumbel_of_words(key, shape)
    coarse, fine = unit_uniform(key, shape=(2, *shape), dtype=dtype)
    finer = coarse + dtype.type(2.0**-limits.nmant) * fine + limits.tiny
    return -xp.log(-xp.log1p(-xp.where(coarse >= 0.5, coarse, finer)))


def _gumbel_of_words(key: Key, shape: Shape) -> Tracer:
    """Return numbers that are made of 64 random bits each.

    The bits are a fixed-point number u below 1. Up to one half u is converted to a float, above it
    1 - u is, so that either end is met with all the precision of a float.
    """
    upper, lower = traced_bits(key, shape=(2, *shape), dtype=WORD)
    is_small = upper < WORD.type(1 << 31)
    all_ones = lower == WORD.type(0xFFFFFFFF)
    negative = (~upper + converted(all_ones, WORD), ~lower + WORD.type(1))
    x = _fraction(xp.where(is_small, upper, negative[0]), xp.where(is_small, lower, negative[1]))
    return -xp.log(-xp.where(is_small, xp.log1p(-x), xp.log(x)))


def _fraction(upper: Tracer, lower: Tracer) -> Tracer:
    """Return the fixed-point number ``0.upper lower`` as float32, rounded towards zero."""
    b = upper.trace.builder

    def leading_zeros(x: Tracer) -> Tracer:
        return x.trace.tracer(b.count_leading_zeros(x.value))

    mantissa_bits, width = np.uint32(np.finfo(np.float32).nmant), np.uint32(32)
    above, below = leading_zeros(upper), leading_zeros(lower)
    is_tiny = above == width
    moved_in = xp.where(is_tiny, lower << below, lower >> (width - above))
    mantissa = ((upper << above) | moved_in) >> (width - mantissa_bits - np.uint32(1))
    mantissa = mantissa & np.uint32((1 << 23) - 1)
    exponent = np.uint32(126) - xp.where(is_tiny, width + below, above)
    exponent = (exponent << mantissa_bits) & np.uint32((1 << 30) - (1 << 22))
    return upper.trace.tracer(b.bitcast_convert((exponent | mantissa).value, np.dtype(np.float32)))


def _perturbed(key: Key, logits: Tracer, *, dim: int, shape: Shape, mode: str) -> Tracer:
    """Return logits plus Gumbel's numbers, for a result of a shape that lacks the categories."""
    position = len(shape) - (logits.ndim - 1) + dim
    size = (*shape[:position], logits.shape[dim], *shape[position:])
    return traced_gumbel(key, shape=size, dtype=logits.dtype, mode=mode) + logits


def _categorical(key: Key, logits: Tracer, *, dim: int, shape: Shape, mode: str) -> Tracer:
    perturbed = _perturbed(key, logits, dim=dim, shape=shape, mode=mode)
    return xp.argmax(perturbed, axis=dim - logits.ndim)


def _geometric(key: Key, p: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    p = converted(p, p.dtype if p.dtype.kind == "f" else np.float64)
    u = unit_uniform(key, shape=shape, dtype=p.dtype)
    failures = xp.floor(xp.log(xp.where(u == 0, 1, u)) / xp.log1p(-p))
    return broadcast(converted(failures + 1, dtype), shape)
