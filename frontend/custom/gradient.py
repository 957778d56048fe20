"""Functions that return their value and the function of its cotangents."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .. import tree
from ..arguments import no_derivative, type_of
from ..closures import Closure, closure_of
from .vjp import custom_vjp


def custom_gradient(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function whose values and derivatives ``fun`` gives together.

    Args:
        fun: returns a pair of a result and a function of the result's cotangents, which returns
            those of the arguments: a tuple with an entry for each of several, or that of the only
            one. It may use what ``fun`` has computed.

    Example:
        >>> @custom_gradient
        ... def f(x):
        ...     y = np.exp(x)
        ...     return y, lambda g: 10 * g * y
        >>> f(0.0), grad(f)(0.0)
        (np.float64(1.0), np.float64(10.0))
    """

    @custom_vjp
    @functools.wraps(fun)
    def call(*args: Any, **kwargs: Any) -> Any:
        result, _ = fun(*args, **kwargs)
        return result

    def forward(*args: Any) -> tuple[Any, Closure]:
        result, rule = fun(*args)
        return result, closure_of(rule, tree.map(_cotangent_type, result))

    def backward(rule: Closure, cotangents: Any) -> Any:
        found = rule(cotangents)
        return found if isinstance(found, tuple) else (found,)

    call.defvjp(functools.wraps(fun)(forward), backward)
    return call


def _cotangent_type(leaf: Any) -> Any:
    type_ = type_of(leaf).strong()
    return type_ if type_.inexact else no_derivative(type_.shape).unflatten(())
