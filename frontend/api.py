"""The transformations as functions, with JAX's names and argument orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from .boundary import public
from .errors import ArgumentError
from .stage import Staged, stage
from .transforms.shared import cast


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
def jacfwd(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Staged:
    """Return the function that computes the Jacobian of ``fun`` by forward mode.

    All columns are computed at once. It suits functions with more results than arguments.

    Args:
        fun: the function.
        argnums: the positional arguments by which to differentiate; a tuple gives tuples.
        has_aux: ``fun`` returns a pair of what is differentiated and something else; the result
            then is a pair of Jacobian and that.
        holomorphic: arguments and results are complex, and ``fun`` is holomorphic.

    Returns:
        A function whose result has the structure of ``fun``'s; in the place of each leaf it has the
        structure of the argument, of arrays with the dimensions of both: those of the result first.

    Raises, when called:
        NonDifferentiableArgumentError: (a TypeError) if an argument is not of real numbers.
        ArgumentError: (a TypeError) if there are fewer positional arguments than argnums name.

    Example:
        >>> jacfwd(lambda x: np.array([2.0, 3.0]) * x)(np.ones(2))
        array([[2., 0.],
               [0., 3.]])
    """
    return stage(fun).jacfwd(argnums, has_aux, holomorphic)


@public
def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Staged:
    """Return the function that computes the Jacobian of ``fun`` by reverse mode.

    All rows are computed at once. As `jacfwd`; it suits functions with more arguments than results.

    Args:
        fun: the function.
        argnums: the positional arguments by which to differentiate; a tuple gives tuples.
        has_aux: ``fun`` returns a pair of what is differentiated and something else.
        holomorphic: arguments and results are complex, and ``fun`` is holomorphic.
        allow_int: arguments may be integers; their Jacobians are zeros of dtype ``float0``.

    Raises, when called:
        NonDifferentiableArgumentError: (a TypeError) if an argument is not floating point.
        OutputError: (a TypeError) if a result is not real, or not complex if ``holomorphic``.
        ArgumentError: (a TypeError) if there are fewer positional arguments than argnums name.
    """
    return stage(fun).jacrev(argnums, has_aux, holomorphic, allow_int)


jacobian = jacrev


@public
def hessian(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
) -> Staged:
    """Return the function that computes the second derivatives of ``fun``.

    It is ``jacfwd(jacrev(fun))``: the result has the structure of ``fun``'s, in the place of each
    leaf that of the argument, and in each of those places that of the argument once more.

    Example:
        >>> hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
        array([[ 6.,  0.],
               [ 0., 12.]])
    """
    return stage(fun).hessian(argnums, has_aux, holomorphic)


@public
def hvp(
    fun: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    argnums: int | Sequence[int] = 0,
) -> Any:
    """Return the Hessian of ``fun`` times ``tangents``, by forward mode over reverse mode.

    The Hessian is not made; this takes a small multiple of the time of ``fun``.

    Args:
        fun: returns one real number.
        primals: its arguments, a tuple or list.
        tangents: of the structure, shapes and dtypes of the primals.
        argnums: the arguments by which the gradient is taken whose directional derivative this is.

    Returns:
        What ``jvp(grad(fun, argnums), primals, tangents)[1]`` is.

    Raises:
        As `grad` and `jvp`.

    Example:
        >>> hvp(lambda x: (x**3).sum(), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
        array([6., 0.])
    """
    return stage(fun).hvp(argnums)(*_directions(primals, tangents))


@public
def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: str | None = None,
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
        axis_name: by which `gradatim.lax.psum` and others in ``fun`` know the axis.
        axis_size: the size of the mapped axis, for the case that no argument has it.

    Raises:
        AxesError: (a ValueError) if axes do not fit arguments or results, or sizes differ.
        ArgumentError: (a TypeError) if ``axis_name`` is no string.
    """
    return stage(fun).vmap(in_axes, out_axes, axis_size, axis_name)


@overload
def jit(
    fun: Callable[..., Any],
    /,
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
    donate_argnums: int | Sequence[int] | None = ...,
    donate_argnames: str | Sequence[str] | None = ...,
    keep_unused: bool = ...,
    inline: bool = ...,
) -> Staged: ...


@overload
def jit(
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
    donate_argnums: int | Sequence[int] | None = ...,
    donate_argnames: str | Sequence[str] | None = ...,
    keep_unused: bool = ...,
    inline: bool = ...,
) -> Callable[[Callable[..., Any]], Staged]: ...


@public
def jit(
    fun: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Sequence[str] | None = None,
    keep_unused: bool = False,
    inline: bool = False,
) -> Staged | Callable[[Callable[..., Any]], Staged]:
    """Return ``fun`` as a function that is compiled when it is called.

    Usable as ``jit(f)``, ``@jit`` and ``@jit(static_argnames="n")``.

    Args:
        fun: the function.
        static_argnums: positions of arguments that are compiled in; see `stage`.
        static_argnames: names of such arguments.
        donate_argnums: positions of arguments whose arrays the caller gives up, so that results
            may take their memory. It is a permission, of which no use is made yet.
        donate_argnames: names of such arguments.
        keep_unused: has no effect.
        inline: has no effect: calls of staged functions in others are always inlined.

    Raises:
        ArgumentError: (a TypeError) if ``fun`` cannot be called.
        StaticArgumentError: (a ValueError) if a static or donated argument is no parameter, or an
            argument is both.
    """

    def decorate(function: Callable[..., Any]) -> Staged:
        staged = stage(function, static_argnums=static_argnums, static_argnames=static_argnames)
        staged.check_donated(donate_argnums, donate_argnames)
        return staged

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
    return stage(fun).jvp(has_aux)(*_directions(primals, tangents))


def _directions(primals: Any, tangents: Any) -> tuple[tuple[Any, ...], Any]:
    """Return primals and tangents as a jvp takes them.

    Raises:
        ArgumentError: if they are no sequences.
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (tuple, list)):
            raise ArgumentError(f"{name} must be a tuple or a list, not {value!r}")
    return tuple(primals), cast(tuple(tangents), tuple(primals))
