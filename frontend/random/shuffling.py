"""Random orders, and samples of given elements."""

from __future__ import annotations

from math import ceil, log, prod
from operator import index
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ...ir.types import Shape
from ..boundary import public
from ..dispatch import FUNCTIONS
from ..errors import ArgumentError, ShapeError
from ..numpy.manipulation import sizes
from ..tracer import Tracer
from .calls import one_key
from .discrete import gumbel, largest
from .keys import split
from .threefry import WORD
from .uniform import bits, randint, uniform

_ROUND_EXPONENT: Final = 3
"""Elements are sorted by as many random words as make two of them equal with a probability of at
most the inverse of their number."""


@public
def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """Return an array in a random order.

    Elements are sorted by random words, as often as it takes for these to be distinct with high
    probability.

    Args:
        key: a key, u32[2].
        x: an array; an int n stands for ``numpy.arange(n)``.
        axis: along which to reorder.
        independent: whether each line along the axis gets an order of its own.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or ``x`` is a number that is no int.
    """
    found = one_key("permutation", key)
    dim = normalize_axis_index(axis, np.ndim(x) or 1)
    if not np.ndim(x):
        return _shuffled(found, np.arange(_count("permutation", x)), dim)
    x = x if isinstance(x, Tracer) else np.asarray(x)
    if independent or x.ndim == 1:
        return _shuffled(found, x, dim)
    order = _shuffled(found, np.arange(x.shape[dim]), 0)
    return _take(x, order, axis=dim)


@public
def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Return a random sample of the elements of an array.

    Args:
        key: a key, u32[2].
        a: an array; an int n stands for ``numpy.arange(n)``.
        shape: of the sample, which takes the place of the axis.
        replace: whether an element may be drawn again.
        p: the probabilities of the elements, which add up to 1; equal ones by default.
        axis: along which to draw.
        mode: as in `gumbel`, for samples without replacement.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or ``a`` is a number that is no int.
        ShapeError: (a ValueError) if there are too few elements, or ``p`` is not one number for
            each.
    """
    found, size = one_key("choice", key), sizes(shape)
    dim = normalize_axis_index(axis, np.ndim(a) or 1)
    if np.ndim(a):
        a = a if isinstance(a, Tracer) else np.asarray(a)
        population = a.shape[dim]
    else:
        population = _count("choice", a)
    _require_enough(population, prod(size), replace)
    positions = _positions(found, population, size, replace, p, mode)
    return positions if not np.ndim(a) else _take(a, positions, axis=dim)


def _positions(
    key: Any, population: int, shape: Shape, replace: bool, p: Any, mode: str | None
) -> Any:
    """Return which elements are drawn."""
    if p is None:
        if replace:
            return randint(key, shape, 0, population)
        return permutation(key, population)[: prod(shape)].reshape(shape)
    p = p if isinstance(p, Tracer) else np.asarray(p)
    p = p if p.dtype.kind == "f" else p.astype(np.float64)
    if p.shape != (population,):
        raise ShapeError(f"p must have shape ({population},), one number each, found {p.shape}")
    if replace:
        sums = np.cumsum(p)
        place = sums[-1] * (1 - uniform(key, shape, sums.dtype))
        return np.searchsorted(sums, place)
    perturbed = gumbel(key, (population,), p.dtype, mode) + _logarithm(p)
    return largest(perturbed, prod(shape)).reshape(shape)


def _logarithm(p: Any) -> Any:
    with np.errstate(divide="ignore"):  # what has probability 0 is drawn last
        return np.log(p)


def _shuffled(key: Any, x: Any, axis: int) -> Any:
    rounds = ceil(_ROUND_EXPONENT * log(max(1, x.size)) / log(np.iinfo(WORD).max))
    for _ in range(rounds):
        key, subkey = split(key)
        order = np.argsort(bits(subkey, x.shape, WORD), axis=axis, kind="stable")
        x = np.take_along_axis(x, order, axis=axis)
    return x


def _take(x: Any, positions: Any, axis: int) -> Any:
    """As ``numpy.take``, which NumPy does not hand over if the positions alone are traced."""
    return FUNCTIONS[np.take](x, positions, axis=axis)


def _count(name: str, x: Any) -> int:
    try:
        return index(x)
    except TypeError:
        raise ArgumentError(f"`{name}` takes an array or an int, found {x!r}") from None


def _require_enough(population: int, count: int, replace: bool) -> None:
    if count and population <= 0:
        raise ShapeError("there is nothing to draw from")
    if not replace and count > population:
        raise ShapeError(
            f"{count} elements cannot be drawn from {population} unless with replacement"
        )
