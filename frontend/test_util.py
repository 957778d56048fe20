"""Checks of derivatives against finite differences, with the names of ``jax.test_util``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from . import tree
from .api import jvp
from .arguments import FLOAT0, type_of
from .boundary import public
from .errors import ArgumentError
from .linear import vjp

_TOLERANCES: Final = {"f4": 1e-2, "f8": 1e-5, "c8": 1e-2, "c16": 1e-5}
"""Relative and absolute tolerance by dtype, where none is given."""

_STEPS: Final = {"f4": 1e-2, "f8": 1e-5, "c8": 1e-2, "c16": 1e-5}
"""Steps of finite differences by dtype: about the cube root of the rounding error."""


@public
def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check the derivatives of a function against finite differences, in a random direction.

    Args:
        f: the function.
        args: its arguments, a tuple of trees of arrays.
        order: up to which derivatives to check. Those of higher order are derivatives of
            derivatives, in all combinations of the modes.
        modes: ``fwd``, ``rev`` or both.
        atol: absolute tolerance, by default 1e-5 for 64-bit floats and 1e-2 for 32-bit ones.
        rtol: relative tolerance, likewise.
        eps: the step of the differences, likewise.

    Raises:
        AssertionError: if a derivative differs; the message names the modes.

    Example:
        >>> check_grads(np.sin, (0.5,), order=2)
    """
    for mode in modes:
        if mode not in ("fwd", "rev"):
            raise ArgumentError(f"the modes are 'fwd' and 'rev', not {mode!r}")
    _check(f, tuple(args), order, tuple(modes), (atol, rtol, eps), "")


def _check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int,
    modes: tuple[str, ...],
    tolerances: tuple[float | None, float | None, float | None],
    path: str,
) -> None:
    atol, rtol, eps = tolerances
    if "fwd" in modes:
        what = f"jvp{path}"
        check_jvp(f, partial(jvp, f), args, atol, rtol, eps, what)
        if order > 1:
            tangents = tree.map(partial(_random_like, np.random.default_rng(1)), args)
            pushed = partial(_pushed, f, tangents)
            _check(pushed, args, order - 1, modes, tolerances, f" of {what}")
    if "rev" in modes:
        what = f"vjp{path}"
        check_vjp(f, partial(vjp, f), args, atol, rtol, eps, what)
        if order > 1:
            _check(partial(_pulled_back, f), args, order - 1, modes, tolerances, f" of {what}")


def _pushed(f: Callable[..., Any], tangents: Any, *args: Any) -> Any:
    """Return the tangents of the function's result for fixed tangents."""
    return jvp(f, args, tangents)[1]


def _pulled_back(f: Callable[..., Any], *args: Any) -> Any:
    """Return the gradients for the function's own result as cotangents."""
    result, pullback = vjp(f, *args)
    return pullback(tree.map(lambda leaf: leaf if _inexact(leaf) else _float0(leaf), result))


@public
def check_jvp(
    f: Callable[..., Any],
    f_jvp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    err_msg: str = "",
) -> None:
    """Check forward mode against finite differences, in a random direction.

    Args:
        f: the function.
        f_jvp: takes arguments and tangents, two tuples; returns the result and its tangent.
        args: the arguments, a tuple of trees of arrays.
        atol: absolute tolerance; see `check_grads`.
        rtol: relative tolerance.
        eps: the step of the differences.
        err_msg: begins the message.

    Raises:
        AssertionError: if they differ.
    """
    primals = tuple(args)
    tangents = tree.map(partial(_random_like, np.random.default_rng(0)), primals)
    result, found = f_jvp(primals, tangents)
    _require_close(result, f(*primals), atol, rtol, f"{err_msg} primal")
    expected = _difference(f, primals, tangents, eps)
    _require_close(found, expected, atol, rtol, f"{err_msg} tangent")


@public
def check_vjp(
    f: Callable[..., Any],
    f_vjp: Callable[..., Any],
    args: Sequence[Any],
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    err_msg: str = "",
) -> None:
    """Check reverse mode against finite differences, in a random direction.

    Args:
        f: the function.
        f_vjp: takes the arguments; returns the result and a function from its cotangents to those
            of the arguments.
        args: the arguments, a tuple of trees of arrays.
        atol: absolute tolerance; see `check_grads`.
        rtol: relative tolerance.
        eps: the step of the differences.
        err_msg: begins the message.

    Raises:
        AssertionError: if they differ.
    """
    primals = tuple(args)
    rng = np.random.default_rng(0)
    result, pullback = f_vjp(*primals)
    _require_close(result, f(*primals), atol, rtol, f"{err_msg} primal")
    tangents = tree.map(partial(_random_like, rng), primals)
    cotangents = tree.map(partial(_random_like, rng), result)
    gradients = pullback(cotangents)
    expected = _paired(cotangents, _difference(f, primals, tangents, eps))
    _require_close(_paired(gradients, tangents), expected, atol, rtol, f"{err_msg} cotangent")


def _difference(
    f: Callable[..., Any], primals: tuple[Any, ...], tangents: Any, eps: float | None
) -> Any:
    """Return the directional derivative by central differences."""
    step = eps or max([_by_dtype(_STEPS, leaf) for leaf in tree.leaves(primals)], default=1e-5)
    above, below = (f(*tree.map(partial(_moved, s), primals, tangents)) for s in (step, -step))
    return tree.map(lambda x, y: (x - y) / (2 * step) if _inexact(x) else _float0(x), above, below)


def _moved(step: float, value: Any, tangent: Any) -> Any:
    if not _inexact(value):
        return value
    return (np.asarray(value) + np.asarray(step * tangent, np.asarray(value).dtype))[()]


def _paired(cotangents: Any, tangents: Any) -> Any:
    """Return the real part of the sum of products, without conjugation."""
    pairs = zip(tree.leaves(cotangents), tree.leaves(tangents))
    products = [np.sum(np.asarray(g) * np.asarray(t)).real for g, t in pairs if _inexact(g)]
    return np.sum(products) if products else np.float64(0)


def _random_like(rng: np.random.Generator, leaf: Any) -> Any:
    if not _inexact(leaf):
        return _float0(leaf)
    array = np.asarray(leaf)
    drawn = rng.normal(size=array.shape)
    if array.dtype.kind == "c":
        drawn = drawn + 1j * rng.normal(size=array.shape)
    return np.asarray(drawn, array.dtype)[()]


def _require_close(
    found: Any, expected: Any, atol: float | None, rtol: float | None, what: str
) -> None:
    """Raise AssertionError unless two trees are close."""
    leaves, structure = tree.flatten(found)
    others, other = tree.flatten(expected)
    assert structure == other, f"{what}: structure {structure} instead of {other}"
    for leaf, wanted, path in zip(leaves, others, structure.paths("result")):
        if not _inexact(wanted):
            continue
        default = _by_dtype(_TOLERANCES, leaf)
        np.testing.assert_allclose(
            leaf,
            wanted,
            rtol=default if rtol is None else rtol,
            atol=default if atol is None else atol,
            err_msg=f"{what}, `{path}`",
        )


def _by_dtype(table: dict[str, float], leaf: Any) -> float:
    dtype = np.asarray(leaf).dtype
    return table.get(f"{dtype.kind}{dtype.itemsize}", table["f8"])


def _inexact(leaf: Any) -> bool:
    return getattr(leaf, "dtype", None) != FLOAT0 and type_of(leaf).inexact


def _float0(leaf: Any) -> Any:
    return np.zeros(np.shape(leaf), FLOAT0)
