"""Pullbacks, linearizations and transposes.

`vjp` and `linearize` run the first part of a function, which leaves residuals, and return the
second one as a function that holds them. Such a function is a container of its residuals, so that
it can be returned from a staged function, passed to one, and mapped over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from . import tree
from .boundary import public
from .parts import Kind, LinearCode, Parts
from .stage import Staged, stage

_VJP: Final = Kind("array-split-vjp", "pullback", "cotangents")
_LINEARIZE: Final = Kind("array-linearize", "linear", "tangents")


class _Linear:
    """A linear function at a point: residuals and what to do with them.

    Attributes:
        residuals: what was computed at the point, the leaves of this container.
        code: the function of residuals and what else is given.
    """

    def __init__(self, residuals: Sequence[Any], code: LinearCode) -> None:
        self.residuals = tuple(residuals)
        self.code = code

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code.traced.fun_name}>"


class VjpFunction(_Linear):
    """Multiplies by the transposed Jacobian of a function at one point; what `vjp` returns."""

    @public
    def __call__(self, cotangents: Any) -> tuple[Any, ...]:
        """Return a gradient for each primal.

        Raises:
            TreeError: (a ValueError) if cotangents have another structure than the result.
            ArgumentError: (a TypeError) if they have other types.
        """
        return self.code(self.residuals, cotangents)


class JvpFunction(_Linear):
    """Multiplies by the Jacobian of a function at one point; what `linearize` returns."""

    @public
    def __call__(self, *tangents: Any) -> Any:
        """Return the tangents of the results.

        Raises:
            TreeError: (a ValueError) if tangents have another structure than the primals.
            ArgumentError: (a TypeError) if they have other types.
        """
        return self.code(self.residuals, tangents)


def _flatten(node: _Linear) -> tuple[Sequence[Any], LinearCode]:
    return node.residuals, node.code


tree.register_node(VjpFunction, _flatten, lambda code, residuals: VjpFunction(residuals, code))
tree.register_node(JvpFunction, _flatten, lambda code, residuals: JvpFunction(residuals, code))


@public
def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``fun(*primals)`` and the function that multiplies its transposed Jacobian.

    Args:
        fun: the function.
        primals: its arguments.
        has_aux: ``fun`` returns a pair of what is differentiated and something else.

    Returns:
        ``(result, vjp_fun)``, or ``(result, vjp_fun, aux)``. ``vjp_fun`` takes cotangents of the
        structure, shapes and dtypes of the result, and returns a tuple with a gradient for each
        primal. It holds what it needs of the point, and can be called many times; it is a
        container of these arrays.

    Example:
        >>> y, vjp_fun = vjp(np.sin, 0.0)
        >>> vjp_fun(2.0)
        (np.float64(2.0),)
    """
    result, residuals, code = _first_part(stage(fun), _VJP, has_aux, primals)
    pullback = VjpFunction(residuals, code)
    return (result[0], pullback, result[1]) if has_aux else (result, pullback)


@public
def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``fun(*primals)`` and the function that multiplies its Jacobian there.

    Unlike `gradatim.jvp` it computes what depends on the point once, for any number of tangents.

    Args:
        fun: the function.
        primals: its arguments.
        has_aux: ``fun`` returns a pair of what is differentiated and something else.

    Returns:
        ``(result, f_jvp)``, or ``(result, f_jvp, aux)``. ``f_jvp`` takes a tangent for each primal,
        of its structure, shapes and dtypes, and returns those of the result. It holds what it
        needs of the point; it is a container of these arrays.

    Example:
        >>> y, f_jvp = linearize(np.sin, 0.0)
        >>> f_jvp(2.0)
        np.float64(2.0)
    """
    result, residuals, code = _first_part(stage(fun), _LINEARIZE, has_aux, primals)
    linear = JvpFunction(residuals, code)
    return (result[0], linear, result[1]) if has_aux else (result, linear)


def _first_part(
    staged: Staged, kind: Kind, has_aux: bool, primals: Sequence[Any]
) -> tuple[Any, list[Any], LinearCode]:
    """Run the first part of a function; return its result, the residuals, and the second part."""
    leaves, arguments = staged.flatten_derivable(primals)
    key = (kind, has_aux, arguments)
    parts = staged.parts.get(key)
    if parts is None:
        traced = staged.trace_call(leaves, arguments)
        parts = Parts(traced.without_guards(), kind, has_aux)
        # What closes over traced values belongs into one call of the outer function, what was
        # decided by values to these values.
        if not traced.closes_over_tracers and not traced.guards:
            parts = staged.parts.setdefault(key, parts)
    return *parts(primals, leaves), parts.code


@public
def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Staged:
    """Return the transpose of a linear function.

    Args:
        fun: a function that is linear in all of its arguments.
        primals: its arguments, or their types, as `ShapeDtypeStruct`; values do not matter.

    Returns:
        A function that takes cotangents of the structure, shapes and dtypes of the result, and
        returns a tuple with one for each argument.

    Raises, when called:
        GradatimError: if the function is not linear; the message names the op and its line.
        NonDifferentiableArgumentError: (a TypeError) if an argument is not floating point.

    Example:
        >>> f = linear_transpose(lambda x: 3 * x[1:], np.zeros(3))
        >>> f(np.array([1.0, 2.0]))
        (array([0., 3., 6.]),)
    """
    return stage(fun).linear_transpose(*primals)
