"""The transformations that each form of control flow is put under."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

import gradatim as gd

from .forms import Function


class Transformation(NamedTuple):
    """A transformation of a function of one number.

    Attributes:
        order: of the derivative that it gives; 0 for the value itself.
        apply: takes the function and the points and gives results at all points or at the first;
            a matrix has those at all points on its diagonal, and is zero elsewhere.
        nested: whether nested forms are put under it too. Those that are not differ from one that
            is by what is around the derivative, which does not look into the form.
    """

    order: int
    apply: Callable[[Function, Any], Any]
    nested: bool = True


def tangent(f: Function) -> Function:
    return lambda x: gd.jvp(f, (x,), (np.ones_like(x),))[1]


def total(f: Function) -> Function:
    return lambda xs: np.sum(gd.vmap(f)(xs))


def pulled_back(f: Function) -> Function:
    def cotangent(x: Any) -> Any:
        y, pullback = gd.vjp(f, x)
        return pullback(np.ones_like(y))[0]

    return cotangent


def pushed_forward(f: Function) -> Function:
    return lambda x: gd.linearize(f, x)[1](np.ones_like(x))


TRANSFORMATIONS: Final[dict[str, Transformation]] = {
    "value": Transformation(0, lambda f, xs: f(xs[0])),
    "vmap": Transformation(0, lambda f, xs: gd.vmap(f)(xs)),
    "jvp": Transformation(1, lambda f, xs: tangent(f)(xs[0])),
    "vjp": Transformation(1, lambda f, xs: pulled_back(f)(xs[0])),
    "grad": Transformation(1, lambda f, xs: gd.grad(f)(xs[0]), nested=False),
    "grad of jit": Transformation(1, lambda f, xs: gd.grad(gd.jit(f))(xs[0]), nested=False),
    "linearize": Transformation(1, lambda f, xs: pushed_forward(f)(xs[0])),
    "jacfwd": Transformation(1, lambda f, xs: gd.jacfwd(gd.vmap(f))(xs), nested=False),
    "jacrev": Transformation(1, lambda f, xs: gd.jacrev(gd.vmap(f))(xs), nested=False),
    "vmap of jvp": Transformation(1, lambda f, xs: gd.vmap(tangent(f))(xs), nested=False),
    "vmap of vjp": Transformation(1, lambda f, xs: gd.vmap(pulled_back(f))(xs), nested=False),
    "vmap of grad": Transformation(1, lambda f, xs: gd.vmap(gd.grad(f))(xs)),
    "grad of vmap": Transformation(1, lambda f, xs: gd.grad(total(f))(xs)),
    "hvp": Transformation(2, lambda f, xs: gd.hvp(f, (xs[0],), (1.0,))),
    "hessian": Transformation(2, lambda f, xs: gd.hessian(total(f))(xs)),
    "grad of jvp": Transformation(2, lambda f, xs: gd.grad(tangent(f))(xs[0])),
    "grad of grad": Transformation(2, lambda f, xs: gd.grad(gd.grad(f))(xs[0])),
    "vmap of hessian": Transformation(2, lambda f, xs: gd.vmap(gd.hessian(f))(xs), nested=False),
    "vmap of grad of grad": Transformation(
        2, lambda f, xs: gd.vmap(gd.grad(gd.grad(f)))(xs), nested=False
    ),
}
