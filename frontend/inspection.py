"""What a function is, without running it: types of its results, its program as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .boundary import public
from .stage import stage


@public
def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the result of a call with types in the place of arrays; nothing is computed.

    Args:
        fun: the function.
        args: its arguments; in the place of arrays there may be their types, as `ShapeDtypeStruct`.
        kwargs: arguments by keyword.

    Example:
        >>> eval_shape(lambda x: {"r": x @ x.T}, np.ones((2, 3)))
        {'r': ShapeDtypeStruct(shape=(2, 2), dtype=float64)}
    """
    return stage(fun).eval_shape(*args, **kwargs)


def make_ir(
    fun: Callable[..., Any],
    static_argnums: int | Sequence[int] = (),
    return_shape: bool = False,
) -> Callable[..., Any]:
    """Return the function that traces ``fun`` for its arguments.

    Its result is a `Traced`, whose text is the program in the IR, before any simplification. JAX's
    ``make_jaxpr`` is another name of it.

    Args:
        fun: the function.
        static_argnums: positions of arguments that are compiled in.
        return_shape: whether to return a pair of that and the types of the result, as `eval_shape`.

    Example:
        >>> print(make_ir(lambda x: x * 2)(1.0))
        builtin.module {
          func.func @lambda(%x: tensor<f64>) -> tensor<f64> {
            %0 = array.constant dense<2.000000e+00> : tensor<f64>
            %1 = array.mul %x, %0 : tensor<f64>
            func.return %1 : tensor<f64>
          }
        }
    """
    staged = stage(fun, static_argnums=static_argnums)

    @public
    def trace(*args: Any, **kwargs: Any) -> Any:
        traced = staged.trace(*args, **kwargs)
        return (traced, traced.out_info) if return_shape else traced

    return trace


make_jaxpr = make_ir
