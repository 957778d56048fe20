"""The transformations as functions, with JAX's names and argument orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np

from . import tree
from .arguments import ShapeDtypeStruct
from .boundary import public
from .errors import ArgumentError
from .stage import Staged, stage
from .tracer import Tracer
from .transforms import Vjp
from .views import detached


@public
def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Staged:
    """Return the function that computes the gradient of ``fun`` by reverse mode.

    Args:
        fun: returns one number, a real 0-d float. Its arguments are trees of arrays and numbers.
        argnums: the positional arguments by which to differentiate. An int gives one gradient, a
            tuple a tuple of gradients, each of structure, shapes and dtypes of its argument.
        has_aux: ``fun`` returns a pair of the number and something else; the result then is a pair
            of gradient and that.
        holomorphic: arguments and result are complex, and ``fun`` is holomorphic.
        allow_int: arguments may be integers; their gradients are zeros of dtype ``float0``.

    Raises, when called:
        NonScalarOutputError: (a TypeError) if ``fun`` returns anything but one number.
        NonDifferentiableArgumentError: (a TypeError) if an argument is not floating point.
        ArgumentError: (a TypeError) if there are fewer positional arguments than argnums name.

    Example:
        >>> float(grad(lambda x: x * np.sin(x**2))(0.0))
        0.0
    """
    return stage(fun).grad(argnums, has_aux, holomorphic, allow_int)


@public
def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Staged:
    """Return the function that computes ``fun``'s value and gradient, as a pair.

    As `grad`; with ``has_aux`` the result is ``((value, aux), gradient)``.
    """
    return stage(fun).value_and_grad(argnums, has_aux, holomorphic, allow_int)


@public
def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    axis_size: int | None = None,
) -> Staged:
    """Return ``fun`` mapped over an axis of its arguments.

    Args:
        fun: computes one element of the batch.
        in_axes: which axis of each argument to map over: an int, None for an argument that all
            elements share, or a tuple with one entry for each positional argument, itself an int,
            None, or containers of these that are a prefix of the argument's. Negative axes count
            from the end. Arguments by keyword are mapped along axis 0.
        out_axes: where the new axis goes in the results, likewise; None for a result that is the
            same for all elements.
        axis_size: the size of the mapped axis, for the case that no argument has it.

    Raises:
        AxesError: (a ValueError) if axes do not fit arguments or results, or sizes differ.
    """
    return stage(fun).vmap(in_axes, out_axes, axis_size)


@overload
def jit(
    fun: Callable[..., Any],
    /,
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
) -> Staged: ...


@overload
def jit(
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
) -> Callable[[Callable[..., Any]], Staged]: ...


def jit(
    fun: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
) -> Staged | Callable[[Callable[..., Any]], Staged]:
    """Return ``fun`` as a function that is compiled when it is called; see `stage`.

    Usable as ``jit(f)``, ``@jit`` and ``@jit(static_argnames="n")``.
    """

    def decorate(function: Callable[..., Any]) -> Staged:
        return stage(function, static_argnums=static_argnums, static_argnames=static_argnames)

    return decorate if fun is None else decorate(fun)


@public
def jvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    has_aux: bool = False,
) -> tuple[Any, ...]:
    """Return ``fun(*primals)`` and its Jacobian times ``tangents``, by forward mode.

    Args:
        fun: the function.
        primals: its arguments, a tuple or list.
        tangents: of the structure, shapes and dtypes of the primals; a Python number takes the
            dtype of its primal. The tangent of an integer is an array of dtype ``float0``.
        has_aux: ``fun`` returns a pair of what is differentiated and something else.

    Returns:
        ``(result, tangent)``, or ``(result, tangent, aux)``.

    Raises:
        TreeError: (a ValueError) if primals and tangents have different structures.
        ArgumentError: (a TypeError) if they have different types.
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (tuple, list)):
            raise ArgumentError(f"{name} must be a tuple or a list, not {value!r}")
    return stage(fun).jvp(has_aux)(tuple(primals), _cast(tuple(tangents), tuple(primals)))


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
        primal. It can be called many times.
    """
    staged = stage(fun)
    result = staged(*primals)
    if not has_aux:
        return result, VjpFunction(staged, primals, result, False)
    result, aux = result
    return result, VjpFunction(staged, primals, result, True), aux


class VjpFunction:
    """Multiplies by the transposed Jacobian of a function at one point.

    Args:
        staged: the function.
        primals: the point; arrays are copied, so that later changes to them do not matter.
        result: the function's result there.
        has_aux: whether the function returns auxiliary data too.
    """

    def __init__(self, staged: Staged, primals: Sequence[Any], result: Any, has_aux: bool) -> None:
        self._vjp = staged.transformed(Vjp(has_aux, value=False))
        self._primals = tree.map(_frozen, tuple(primals))
        self._result = tree.map(_type_of, result)

    def __call__(self, cotangents: Any) -> tuple[Any, ...]:
        """Return a gradient for each primal.

        Raises:
            TreeError: (a ValueError) if cotangents have another structure than the result.
            ArgumentError: (a TypeError) if they have other types.
        """
        return self._vjp(self._primals, _cast(cotangents, self._result))


def _frozen(leaf: Any) -> Any:
    if type(leaf) is Tracer:
        return detached(leaf)
    return leaf.copy() if isinstance(leaf, np.ndarray) and leaf.flags.writeable else leaf


def _type_of(leaf: Any) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(leaf.shape, leaf.dtype)


def _cast(derivatives: Any, values: Any) -> Any:
    """Give Python numbers among derivatives the dtypes of the values that they belong to."""
    leaves, structure = tree.flatten(derivatives)
    others, other_structure = tree.flatten(values)
    if structure != other_structure:
        return derivatives
    return structure.unflatten([_cast_leaf(d, v) for d, v in zip(leaves, others)])


def _cast_leaf(derivative: Any, value: Any) -> Any:
    dtype = getattr(value, "dtype", None)
    if type(derivative) in (int, float, complex) and dtype is not None and dtype.kind in "fc":
        if isinstance(derivative, complex) and dtype.kind == "f":
            return derivative
        return dtype.type(derivative)
    if type(derivative) is int and type(value) is float:
        return float(derivative)
    return derivative
