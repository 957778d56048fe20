"""Maps and prefix sums over the leading axis: `map` and `associative_scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import tree
from ..api import vmap
from ..boundary import public
from ..errors import ArgumentError
from ..numpy.operands import xp
from .common import describe, here
from .loops import scan


@public
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Return ``f`` of each part of ``xs`` along dimension 0, stacked.

    Args:
        f: takes a tree of arrays without their dimension 0.
        xs: a tree of arrays with one size along dimension 0.
        batch_size: how many parts to compute at a time, by `vmap`; one if left out.

    Raises:
        ArgumentError: (a TypeError) if sizes along dimension 0 differ.
    """

    def step(carry: None, x: Any) -> tuple[None, Any]:
        return None, f(x)

    if batch_size is None:
        return scan(step, None, xs)[1]
    return _in_batches(f, xs, batch_size)


def _in_batches(f: Callable[[Any], Any], xs: Any, batch_size: int) -> Any:
    if batch_size < 1:
        raise ArgumentError(f"batch_size must be positive: {batch_size}", here())
    batched = vmap(f)
    count = min((x.shape[0] for x in tree.leaves(xs)), default=0)
    whole = count // batch_size
    parts = []
    if whole:
        first = tree.map(
            lambda x: x[: whole * batch_size].reshape((whole, batch_size, *x.shape[1:])), xs
        )
        ys = scan(lambda carry, x: (carry, batched(x)), None, first)[1]
        parts.append(tree.map(lambda y: y.reshape((whole * batch_size, *y.shape[2:])), ys))
    if count % batch_size or not parts:
        parts.append(batched(tree.map(lambda x: x[whole * batch_size :], xs)))
    return parts[0] if len(parts) == 1 else tree.map(lambda *p: xp.concatenate(p), *parts)


@public
def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Combine all elements up to each one along ``axis`` by an associative function.

    Pairs are combined at once, in logarithmic depth and linear work (Blelloch, Prefix sums and
    their applications, 1990).

    Args:
        fn: takes two trees of arrays, the parts of ``elems`` to be combined with ``axis`` as batch,
            and returns their combination, of the same structure and shapes.
        elems: a tree of arrays with one size along ``axis``.
        reverse: whether to combine all elements from each one on.
        axis: the dimension; negative ones count from the end.

    Returns:
        A tree as ``elems``.

    Raises:
        ArgumentError: (a TypeError) if ``fn`` cannot be called or returns another structure, or if
            arrays have no such ``axis`` or differ in size along it.
    """
    if not callable(fn):
        raise ArgumentError(f"associative_scan needs a function, found {fn!r}", here())
    leaves, structure = tree.flatten(elems)
    for x in leaves:
        if not -np.ndim(x) <= axis < np.ndim(x):
            raise ArgumentError(f"an array of shape {np.shape(x)} has no axis {axis}", here())
    sizes = {x.shape[axis] for x in leaves}
    if len(sizes) > 1:
        raise ArgumentError(f"all leaves need one size along axis {axis}, found {sizes}", here())
    first = [xp.moveaxis(x, axis, 0) for x in leaves]
    if reverse:
        first = [x[::-1] for x in first]

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        moved = [structure.unflatten([xp.moveaxis(x, 0, axis) for x in side]) for side in (a, b)]
        combined, found = tree.flatten(fn(*moved))
        if found != structure:
            raise ArgumentError(
                f"{describe(fn)} must return the structure that it takes, {structure}, not {found}",
                here(),
            )
        return [xp.moveaxis(x, axis, 0) for x in combined]

    found = _prefixes(combine, first)
    if reverse:
        found = [x[::-1] for x in found]
    return structure.unflatten([xp.moveaxis(x, 0, axis) for x in found])


def _prefixes(combine: Callable[[list[Any], list[Any]], list[Any]], xs: list[Any]) -> list[Any]:
    """Combine neighbours, find the prefixes of those, and fill in the others."""
    count = xs[0].shape[0] if xs else 0
    if count < 2:
        return xs
    pairs = combine([x[0 : count - 1 : 2] for x in xs], [x[1:count:2] for x in xs])
    odd = _prefixes(combine, pairs)
    before = [y[: (count - 1) // 2] for y in odd]
    later = combine(before, [x[2::2] for x in xs]) if count > 2 else []
    even = [xp.concatenate([x[:1], y]) for x, y in zip(xs, later)] if later else [x[:1] for x in xs]
    return [_interleaved(a, b, count) for a, b in zip(even, odd)]


def _interleaved(even: Any, odd: Any, count: int) -> Any:
    """Return even[0], odd[0], even[1], ..., ``count`` elements."""
    paired = xp.stack([even[: odd.shape[0]], odd], axis=1)
    woven = paired.reshape((2 * odd.shape[0], *odd.shape[1:]))
    return woven if count % 2 == 0 else xp.concatenate([woven, even[-1:]])
