"""Real random numbers that are made of uniform or normal ones without a loop.

Each is a function of JAX's bits, so that results are JAX's up to the rounding of the functions in
it. Where a sampler has parameters, the numbers are differentiable in them.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np

from ...ir.types import Shape
from ..boundary import public
from ..numpy.manipulation import sizes
from ..numpy.operands import converted, xp
from ..tracer import Tracer
from .calls import result_shape, sampled
from .threefry import Key
from .uniform import traced_signs, uniform_between, unit_uniform


@public
def normal(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers of the standard normal distribution, with mean 0 and variance 1.

    A complex number has independent parts, each with variance 1/2.

    Args:
        key: a key, u32[2].
        shape: of the result.
        dtype: a float or complex dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        DtypeError: (a TypeError) if ``dtype`` is of another kind.
    """
    return sampled("normal", traced_normal, key, shape=sizes(shape), dtype=dtype, kinds="fc")


@public
def truncated_normal(key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers of the standard normal distribution given that they lie between bounds.

    Args:
        key: a key, u32[2].
        lower: what all are above, a number or an array.
        upper: what all are below, likewise.
        shape: of the result, to which the bounds broadcast; theirs together by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the bounds do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    bounds = (lower, upper)
    return sampled("truncated_normal", _truncated_normal, key, *bounds, shape=shape, dtype=dtype)


@public
def lognormal(key: Any, sigma: Any = 1.0, shape: Any = None, dtype: Any = None) -> Any:
    """Return exponentials of ``sigma`` times standard normal numbers.

    Args:
        key: a key, u32[2].
        sigma: the standard deviation of the logarithms, a number or an array.
        shape: of the result, to which ``sigma`` broadcasts; that of ``sigma`` by default.
        dtype: a float or complex dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``sigma`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is of another kind.
    """
    return sampled("lognormal", _lognormal, key, sigma, shape=shape, dtype=dtype, kinds="fc")


@public
def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers with density ``exp(-x)`` for ``x >= 0``.

    Args:
        key: a key, u32[2].
        shape: of the result.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return sampled("exponential", traced_exponential, key, shape=sizes(shape), dtype=dtype)


@public
def laplace(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers with density ``exp(-abs(x)) / 2``; see `exponential` for the arguments."""
    return sampled("laplace", _laplace, key, shape=sizes(shape), dtype=dtype)


@public
def logistic(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers with density ``exp(-x) / (1 + exp(-x))**2``.

    See `exponential` for the arguments.
    """
    return sampled("logistic", _logistic, key, shape=sizes(shape), dtype=dtype)


@public
def cauchy(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers with density ``1 / (pi * (1 + x**2))``.

    See `exponential` for the arguments.
    """
    return sampled("cauchy", _cauchy, key, shape=sizes(shape), dtype=dtype)


@public
def maxwell(key: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return lengths of vectors of three standard normal numbers.

    Their density is ``sqrt(2 / pi) * x**2 * exp(-x**2 / 2)``. See `exponential` for the arguments.
    """
    return sampled("maxwell", _maxwell, key, shape=sizes(shape), dtype=dtype)


@public
def double_sided_maxwell(key: Any, loc: Any, scale: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers of `maxwell` with random signs, times ``scale``, plus ``loc``.

    Args:
        key: a key, u32[2].
        loc: the location, a number or an array.
        scale: the scale, likewise.
        shape: how many draws: the result has this shape in front of that of the parameters, or
            twice that of the parameters if it is empty, as in JAX.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the parameters do not broadcast together.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    name = "double_sided_maxwell"
    own = result_shape(name, None, np.shape(loc), np.shape(scale))
    size = (*(sizes(shape) or own), *own)
    return sampled(name, _double_sided_maxwell, key, loc, scale, shape=size, dtype=dtype)


@public
def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers with density ``b / x**(b + 1)`` for ``x >= 1``.

    Args:
        key: a key, u32[2].
        b: the exponent, a positive number or an array of them.
        shape: of the result, to which ``b`` broadcasts; that of ``b`` by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``b`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return sampled("pareto", _pareto, key, b, shape=shape, dtype=dtype)


@public
def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers with density ``x * exp(-x**2 / (2 * scale**2)) / scale**2`` for ``x >= 0``.

    Args:
        key: a key, u32[2].
        scale: a positive number or an array of them.
        shape: of the result, to which ``scale`` broadcasts; that of ``scale`` by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``scale`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return sampled("rayleigh", _rayleigh, key, scale, shape=shape, dtype=dtype)


@public
def wald(key: Any, mean: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers of the inverse Gaussian distribution of scale 1.

    Their density is ``exp(-(x - mean)**2 / (2 * mean**2 * x)) / sqrt(2 * pi * x**3)`` for
    ``x >= 0``. The method is Michael's, Schucany's and Haas's, *Generating random variates using
    transformations with multiple roots* (The American Statistician 30, 1976).

    Args:
        key: a key, u32[2].
        mean: a positive number or an array of them.
        shape: of the result, to which ``mean`` broadcasts; that of ``mean`` by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``mean`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return sampled("wald", _wald, key, mean, shape=shape, dtype=dtype)


@public
def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Any = (), dtype: Any = None
) -> Any:
    """Return numbers with distribution function ``1 - exp(-(x / scale)**concentration)``.

    Args:
        key: a key, u32[2].
        scale: a positive number or an array of them.
        concentration: likewise.
        shape: of the result, to which the parameters broadcast.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the parameters do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    parameters = (scale, concentration)
    return sampled("weibull_min", _weibull_min, key, *parameters, shape=sizes(shape), dtype=dtype)


@public
def triangular(
    key: Any, left: Any, mode: Any, right: Any, shape: Any = None, dtype: Any = None
) -> Any:
    """Return numbers whose density is a triangle from ``left`` over ``mode`` to ``right``.

    Args:
        key: a key, u32[2].
        left: the least number, or an array of them.
        mode: where the density is highest, likewise.
        right: the largest number, likewise.
        shape: of the result, to which the parameters broadcast; theirs together by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the parameters do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return sampled("triangular", _triangular, key, left, mode, right, shape=shape, dtype=dtype)


# What computes: of a traced key and traced parameters


def traced_normal(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    """Return standard normal numbers under a traced key: the part of `normal` that computes."""
    if dtype.kind == "f":
        return _real_normal(key, shape, dtype)
    real_dtype = np.dtype(f"f{dtype.itemsize // 2}")
    real, imag = (_real_normal(k, shape, real_dtype) for k in key.split())
    b = key.trace.builder
    return key.trace.tracer(b.complex(real.value, imag.value)) / dtype.type(sqrt(2))


def _real_normal(key: Key, shape: Shape, dtype: np.dtype) -> Tracer:
    low = np.nextafter(dtype.type(-1), dtype.type(0))
    return _normal_quantile(uniform_between(key, shape, dtype, low, 1.0))


def _normal_quantile(x: Tracer) -> Tracer:
    """Return where the normal distribution between -q and q holds a part x, negative for -x."""
    return x.trace.tracer(x.trace.builder.erf_inv(x.value)) * x.dtype.type(sqrt(2))


def _truncated_normal(
    key: Key, lower: Tracer, upper: Tracer, *, shape: Shape, dtype: np.dtype
) -> Tracer:
    lower, upper = converted(lower, dtype), converted(upper, dtype)
    low, high = (_normal_mass(x) for x in (lower, upper))
    numbers = _normal_quantile(uniform_between(key, shape, dtype, low, high))
    infinity = dtype.type(np.inf)
    return xp.clip(numbers, xp.nextafter(lower, infinity), xp.nextafter(upper, -infinity))


def _normal_mass(x: Tracer) -> Tracer:
    """Return the part of the normal distribution between -x and x, negative for negative x."""
    scaled = x / x.dtype.type(sqrt(2))
    return x.trace.tracer(x.trace.builder.erf(scaled.value))


def _lognormal(key: Key, sigma: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    return xp.exp(traced_normal(key, shape=shape, dtype=dtype) * converted(sigma, dtype))


def traced_exponential(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    """Return numbers under a traced key: the part of `exponential` that computes."""
    return -xp.log1p(-unit_uniform(key, shape=shape, dtype=dtype))


def _laplace(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    u = uniform_between(key, shape, dtype, -1.0 + float(np.finfo(dtype).epsneg), 1.0)
    return xp.sign(u) * xp.log1p(-xp.abs(u))


def _logistic(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    u = uniform_between(key, shape, dtype, np.finfo(dtype).tiny, 1.0)
    return xp.log(u) - xp.log1p(-u)


def _cauchy(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    u = uniform_between(key, shape, dtype, np.finfo(dtype).eps, 1.0)
    return xp.tan(pi * (u - 0.5))


def _maxwell(key: Key, *, shape: Shape, dtype: np.dtype) -> Tracer:
    parts = traced_normal(key, shape=(*shape, 3), dtype=dtype)
    return xp.sqrt(xp.sum(parts * parts, axis=-1))


def _double_sided_maxwell(
    key: Key, loc: Tracer, scale: Tracer, *, shape: Shape, dtype: np.dtype
) -> Tracer:
    length_key, sign_key = key.split()
    lengths = _maxwell(length_key, shape=shape, dtype=dtype)
    signs = traced_signs(sign_key, shape=shape, dtype=dtype)
    return signs * lengths * converted(scale, dtype) + converted(loc, dtype)


def _pareto(key: Key, exponent: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    return xp.exp(traced_exponential(key, shape=shape, dtype=dtype) / converted(exponent, dtype))


def _rayleigh(key: Key, scale: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    squared = xp.log(unit_uniform(key, shape=shape, dtype=dtype)) * -2.0
    return converted(scale, dtype) * xp.sqrt(squared)


def _wald(key: Key, mean: Tracer, *, shape: Shape, dtype: np.dtype) -> Tracer:
    normal_key, uniform_key = key.split()
    mean = converted(mean, dtype)
    n = traced_normal(normal_key, shape=shape, dtype=dtype)
    u = unit_uniform(uniform_key, shape=shape, dtype=dtype)
    y = n * n
    square = mean * mean
    root = xp.sqrt(4 * mean * y + square * (y * y))
    smaller = mean + square * y / 2 - mean / 2 * root
    return xp.where(u <= mean / (mean + smaller), smaller, square / smaller)


def _weibull_min(
    key: Key, scale: Tracer, concentration: Tracer, *, shape: Shape, dtype: np.dtype
) -> Tracer:
    numbers = traced_exponential(key, shape=shape, dtype=dtype)
    return xp.power(numbers, 1.0 / converted(concentration, dtype)) * converted(scale, dtype)


def _triangular(
    key: Key, left: Tracer, mode: Tracer, right: Tracer, *, shape: Shape, dtype: np.dtype
) -> Tracer:
    left, mode, right = (converted(x, dtype) for x in (left, mode, right))
    u = unit_uniform(key, shape=shape, dtype=dtype)
    width = right - left
    rising = left + xp.sqrt(u * width * (mode - left))
    falling = right - xp.sqrt((1 - u) * width * (right - mode))
    return xp.where(u < (mode - left) / width, rising, falling)
