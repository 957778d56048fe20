"""What NumPy's protocols lead to: the implementations of functions and of the methods of ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..ir.locations import spell_location
from .dispatch import FUNCTIONS, UFUNCS
from .errors import GradatimError, UnsupportedError
from .source import user_location

_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_ACCUMULATIONS: dict[np.ufunc, Callable[..., Any]] = {np.add: np.cumsum, np.multiply: np.cumprod}


def at_user(error: type[GradatimError], message: str) -> GradatimError:
    """Return an error at the user's place."""
    return error(message, spell_location(user_location()))


def implementation_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a function of NumPy's does to traced values.

    Raises:
        UnsupportedError: if it takes none.
    """
    found = FUNCTIONS.get(function)
    if found is None:
        module = getattr(function, "__module__", None) or "numpy"
        raise at_user(
            UnsupportedError, f"`{module}.{function.__name__}` does not take traced values"
        )
    return found


def apply_ufunc(ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Call a ufunc, or one of its methods by name, on traced values.

    Raises:
        UnsupportedError: if it takes none.
    """
    function = _UFUNC_METHODS.get(method)
    if function is None or ufunc not in UFUNCS:
        called = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        raise at_user(UnsupportedError, f"`numpy.{called}` does not take traced values")
    return function(ufunc, *inputs, **kwargs)


def _call(ufunc: np.ufunc, *inputs: Any, **kwargs: Any) -> Any:
    return UFUNCS[ufunc](*inputs, **kwargs)


def _reduce(ufunc: np.ufunc, x: Any, axis: Any = 0, **kwargs: Any) -> Any:
    if ufunc not in _REDUCTIONS:
        raise at_user(
            UnsupportedError, f"`numpy.{ufunc.__name__}.reduce` does not take traced values"
        )
    return implementation_of(_REDUCTIONS[ufunc])(x, axis=axis, **kwargs)


def _accumulate(ufunc: np.ufunc, x: Any, axis: int = 0, **kwargs: Any) -> Any:
    if ufunc not in _ACCUMULATIONS:
        raise at_user(
            UnsupportedError, f"`numpy.{ufunc.__name__}.accumulate` does not take traced values"
        )
    return implementation_of(_ACCUMULATIONS[ufunc])(x, axis=axis, **kwargs)


def _outer(ufunc: np.ufunc, x: Any, y: Any, **kwargs: Any) -> Any:
    column = FUNCTIONS[np.reshape](x, np.shape(x) + (1,) * np.ndim(y))
    return UFUNCS[ufunc](column, y, **kwargs)


def _at(ufunc: np.ufunc, a: Any, indices: Any, *operands: Any) -> None:
    from .numpy.storing import ufunc_at

    ufunc_at(ufunc, a, indices, *operands)


_UFUNC_METHODS: dict[str, Callable[..., Any]] = {
    "__call__": _call,
    "reduce": _reduce,
    "accumulate": _accumulate,
    "outer": _outer,
    "at": _at,
}
