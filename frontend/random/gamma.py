"""Numbers of the gamma distribution, and of the distributions that are made of them.

Marsaglia and Tsang, *A simple method for generating gamma variables* (ACM Transactions on
Mathematical Software 26, 2000): a cubed normal number is accepted or rejected. Every element has a
key of its own and a loop of its own, which takes JAX's steps, so that results are JAX's up to
rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, NamedTuple

import numpy as np

from ...ir.types import Shape
from .. import lax
from ..api import vmap
from ..boundary import public
from ..custom.jvp import custom_jvp
from ..errors import ShapeError
from ..numpy.manipulation import sizes
from ..numpy.operands import broadcast, converted, is_traced, xp
from ..tracer import Tracer
from .calls import result_shape, sampled
from .continuous import traced_exponential, traced_normal
from .gamma_derivative import log_slope
from .threefry import Key
from .uniform import traced_signs, unit_uniform


@public
def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers with density ``x**(a - 1) * exp(-x) / gamma(a)`` for ``x > 0``.

    For small ``a`` numbers may be too small for the dtype; `loggamma` gives their logarithms.

    Args:
        key: a key, u32[2].
        a: a positive number or an array of them; where it is negative, the result is NaN.
        shape: of the result, to which ``a`` broadcasts; that of ``a`` by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``a`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return _sampled("gamma", traced_gamma, key, a, shape=shape, dtype=dtype)


@public
def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return logarithms of numbers of `gamma`, which takes the same arguments."""
    return _sampled("loggamma", traced_loggamma, key, a, shape=shape, dtype=dtype)


@public
def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers with density proportional to ``x**(a - 1) * (1 - x)**(b - 1)`` in (0, 1).

    Args:
        key: a key, u32[2].
        a: a positive number or an array of them.
        b: likewise.
        shape: of the result, to which ``a`` and ``b`` broadcast; theirs together by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the parameters do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return _sampled("beta", _beta, key, a, b, shape=shape, dtype=dtype)


@public
def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers of the chi-square distribution: sums of ``df`` squared normal numbers.

    Args:
        key: a key, u32[2].
        df: the degrees of freedom, a positive number or an array of them.
        shape: of the result, to which ``df`` broadcasts; that of ``df`` by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``df`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return _sampled("chisquare", _chisquare, key, df, shape=shape, dtype=dtype)


@public
def f(key: Any, dfnum: Any, dfden: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers of the F distribution: quotients of two numbers of `chisquare`.

    Each of these is divided by its degrees of freedom.

    Args:
        key: a key, u32[2].
        dfnum: the numerator's degrees of freedom, a positive number or an array of them.
        dfden: the denominator's, likewise.
        shape: of the result, to which the parameters broadcast; theirs together by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if the parameters do not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return _sampled("f", _f, key, dfnum, dfden, shape=shape, dtype=dtype)


@public
def t(key: Any, df: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return numbers of Student's t distribution.

    Args:
        key: a key, u32[2].
        df: the degrees of freedom, a positive number or an array of them.
        shape: of the result, to which ``df`` broadcasts; that of ``df`` by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``df`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return _sampled("t", _t, key, df, shape=shape, dtype=dtype)


@public
def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = None) -> Any:
    """Return vectors of positive numbers that add up to 1, of the Dirichlet distribution.

    Args:
        key: a key, u32[2].
        alpha: concentrations, an array ``[..., n]`` of positive numbers.
        shape: of the result without its last dimension, to which the leading dimensions of
            ``alpha`` broadcast; these by default.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``alpha`` is a number, or does not broadcast.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    *leading, size = np.shape(alpha) or (None,)
    if size is None:
        raise ShapeError("`dirichlet` takes concentrations [..., n], found a number")
    wanted = (*result_shape("dirichlet", shape, tuple(leading)), size)
    return _sampled("dirichlet", _dirichlet, key, alpha, shape=wanted, dtype=dtype)


@public
def generalized_normal(key: Any, p: Any, shape: Any = (), dtype: Any = None) -> Any:
    """Return numbers with density proportional to ``exp(-abs(x)**p)``.

    Args:
        key: a key, u32[2].
        p: a positive number or an array of them.
        shape: of the result, to which ``p`` broadcasts.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``p`` does not broadcast to ``shape``.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    return _sampled(
        "generalized_normal", _generalized_normal, key, p, shape=sizes(shape), dtype=dtype
    )


@public
def ball(key: Any, d: int, p: Any = 2, shape: Any = (), dtype: Any = None) -> Any:
    """Return points that are evenly distributed in the unit ball of a p-norm.

    Barthe, Guedon, Mendelson and Naor, *A probabilistic approach to the geometry of the l_p^n-ball*
    (The Annals of Probability 33, 2005).

    Args:
        key: a key, u32[2].
        d: the dimension of the ball.
        p: of the norm, a positive number.
        shape: of the result without its last dimension, which has size ``d``.
        dtype: a float dtype; float64 by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if ``p`` is no single number.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    result_shape("ball", (), np.shape(p))
    return _sampled("ball", _ball, key, p, shape=(*sizes(shape), index(d)), dtype=dtype)


def _sampled(
    name: str, sampler: Callable[..., Tracer], key: Any, *parameters: Any, shape: Any, dtype: Any
) -> Any:
    """Compute a sampler's result; a derivative rule is traced only where it may be asked for."""
    options = {"shape": shape, "dtype": dtype, "differentiable": is_traced((key, *parameters))}
    return sampled(name, sampler, key, *parameters, **options)


# What computes: of a traced key and traced parameters


def traced_gamma(
    key: Key, a: Tracer, *, shape: Shape, dtype: np.dtype, differentiable: bool
) -> Tracer:
    """Return numbers under a traced key: the part of `gamma` that computes."""
    return _of_each(_gammas if differentiable else _gammas.fun, key, a, shape, dtype)


def traced_loggamma(
    key: Key, a: Tracer, *, shape: Shape, dtype: np.dtype, differentiable: bool
) -> Tracer:
    """Return logarithms under a traced key: the part of `loggamma` that computes."""
    return _of_each(_loggammas if differentiable else _loggammas.fun, key, a, shape, dtype)


def _of_each(
    numbers: Callable[..., Tracer], key: Key, a: Tracer, shape: Shape, dtype: np.dtype
) -> Tracer:
    """Return a number for each element of ``a``, each under a key of its own."""
    a = broadcast(converted(a, dtype), shape)
    a = xp.reshape(xp.where(a < 0, np.nan, a), -1)
    return xp.reshape(numbers(*map(key.trace.tracer, key.words(a.shape)), a), shape)


@custom_jvp
def _gammas(upper: Tracer, lower: Tracer, a: Tracer) -> Tracer:
    """Return a number under each of several keys, given as their words."""
    return vmap(lambda u, v, a: _one_gamma(Key(u, v), a))(upper, lower, a)


@custom_jvp
def _loggammas(upper: Tracer, lower: Tracer, a: Tracer) -> Tracer:
    """Return a logarithm under each of several keys, given as their words."""
    return vmap(lambda u, v, a: _one_loggamma(Key(u, v), a))(upper, lower, a)


@_gammas.defjvp
def _gammas_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    x, a = _gammas(*primals), primals[2]
    is_zero = x == 0  # where it was too small, no derivative is known
    slope = x * vmap(log_slope)(xp.log(xp.where(is_zero, 1, x)), a)
    return x, xp.where(is_zero, 0, slope) * tangents[2]


@_loggammas.defjvp
def _loggammas_jvp(primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
    log_x, a = _loggammas(*primals), primals[2]
    return log_x, vmap(log_slope)(log_x, a) * tangents[2]


def _one_gamma(key: Key, a: Tracer) -> Tracer:
    loop_key, boost_key = key.split()
    scale, cube = _accepted(loop_key, a)
    boost = xp.power(1 - unit_uniform(boost_key, shape=(), dtype=a.dtype), 1 / a)
    return scale * cube * xp.where(a >= 1, 1, boost)


def _one_loggamma(key: Key, a: Tracer) -> Tracer:
    loop_key, boost_key = key.split()
    scale, cube = _accepted(loop_key, a)
    boost = -traced_exponential(boost_key, shape=(), dtype=a.dtype)
    scaled = xp.where((a >= 1) | (boost == 0), 0, boost * (1 / a))
    return xp.log(scale) + xp.log(cube) + scaled


class _Proposal(NamedTuple):
    """What the next step of the loop draws, and what the last one drew.

    A step draws a normal number under ``normal_key``. If its cube would not be positive, the next
    one draws again under a key made of this one; else it is accepted or not by a uniform number
    under ``uniform_key``, and a new proposal begins under keys made of ``key``.
    """

    key: Key
    normal_key: Key
    uniform_key: Key
    cube: Tracer
    accepted: Tracer


def _accepted(key: Key, a: Tracer) -> tuple[Tracer, Tracer]:
    """Return two factors of a number of the gamma distribution of ``a``, or of ``a + 1`` if a < 1.

    JAX's two loops, one in the other, are one here.
    """
    third = 1.0 / 3.0
    scale = xp.where(a >= 1, a, a + 1) - third
    spread = third / xp.sqrt(scale)

    def propose(last: _Proposal) -> _Proposal:
        retry_key, draw_key = last.normal_key.split()
        x = traced_normal(draw_key, shape=(), dtype=a.dtype)
        u = unit_uniform(last.uniform_key, shape=(), dtype=a.dtype)
        root = 1 + x * spread
        square, cube = x * x, root * root * root
        is_rejected = (u >= 1 - 0.0331 * (square * square)) & (
            xp.log(u) >= square * 0.5 + scale * ((1 - cube) + xp.log(cube))
        )
        is_complete = ~(root <= 0)  # true of NaN, so that the loop ends
        again = (last.key, retry_key, last.uniform_key)
        next_key, normal_key, uniform_key = (
            Key(*(xp.where(is_complete, x, y) for x, y in zip(fresh, old)))
            for fresh, old in zip(last.key.split(3), again)
        )
        return _Proposal(next_key, normal_key, uniform_key, cube, is_complete & ~is_rejected)

    next_key, normal_key, uniform_key = key.split(3)
    first = _Proposal(next_key, normal_key, uniform_key, scale, a != a)
    return scale, lax.while_loop(lambda last: ~last.accepted, propose, first).cube


def _beta(key: Key, a: Tracer, b: Tracer, **options: Any) -> Tracer:
    logs = [traced_loggamma(k, x, **options) for k, x in zip(key.split(), (a, b))]
    largest = xp.maximum(*logs)
    first, second = (xp.exp(x - largest) for x in logs)
    return first / (first + second)


def _chisquare(key: Key, df: Tracer, **options: Any) -> Tracer:
    return xp.exp(traced_loggamma(key, df / 2, **options)) * 2


def _f(key: Key, dfnum: Tracer, dfden: Tracer, **options: Any) -> Tracer:
    below, above = (
        _chisquare(k, df, **options) / converted(df, options["dtype"])
        for k, df in zip(key.split(), (dfden, dfnum))
    )
    return above / below


def _t(key: Key, df: Tracer, *, shape: Shape, dtype: np.dtype, **options: Any) -> Tracer:
    half = converted(df, dtype) / 2
    normal_key, gamma_key = key.split()
    numbers = traced_normal(normal_key, shape=shape, dtype=dtype)
    scale = half / traced_gamma(gamma_key, half, shape=shape, dtype=dtype, **options)
    return numbers * xp.sqrt(scale)


def _dirichlet(key: Key, alpha: Tracer, **options: Any) -> Tracer:
    logs = traced_loggamma(key, alpha, **options)
    weights = xp.exp(logs - xp.max(logs, axis=-1, keepdims=True))
    return weights / xp.sum(weights, axis=-1, keepdims=True)


def _generalized_normal(
    key: Key, p: Tracer, *, shape: Shape, dtype: np.dtype, **options: Any
) -> Tracer:
    gamma_key, sign_key = key.split()
    inverse = 1 / converted(p, dtype)
    sizes = traced_gamma(gamma_key, inverse, shape=shape, dtype=dtype, **options) ** inverse
    return traced_signs(sign_key, shape=shape, dtype=dtype) * sizes


def _ball(key: Key, p: Tracer, *, shape: Shape, dtype: np.dtype, **options: Any) -> Tracer:
    p = converted(p, dtype)
    direction_key, length_key = key.split()
    parts = _generalized_normal(direction_key, p, shape=shape, dtype=dtype, **options)
    rest = traced_exponential(length_key, shape=shape[:-1], dtype=dtype)
    norms = (xp.sum(xp.abs(parts) ** p, axis=-1) + rest) ** (1 / p)
    return parts / norms[..., None]
