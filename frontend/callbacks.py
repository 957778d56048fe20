"""Calls of Python functions while compiled code runs: `pure_callback`, `io_callback`, printing.

They have JAX's names and arguments. What a function raises, the call of the program raises: no
function is called any more, loops of unknown length end, and results are not returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from ..ir.array.effect import DONE
from ..ir.locations import spell_location
from ..ir.types import tensor_info
from . import tree
from .arguments import ShapeDtypeStruct
from .boundary import public
from .errors import ArgumentError, CallbackError
from .regions import lift_tree, values_of, wrapped
from .source import user_location
from .traced import symbol_of
from .tracing import current_trace

FUNCTIONS: Final[list[Callable[..., Sequence[Any]]]] = []
"""The functions that traced programs call, by number; compiled code may call them at any time."""

_MAPPINGS: Final = {
    None: "sequential",
    "sequential": "sequential",
    "expand_dims": "expand_dims",
    "broadcast_all": "broadcast_all",
}


@public
def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Return ``callback(*args, **kwargs)``, computed in Python when the program runs.

    The function must depend on its arguments alone and change nothing: it may be called once for
    equal arguments, or not at all if nothing needs its result. It has no derivative; see
    `custom_jvp` and `custom_vjp`. Outside of a trace it is called at once.

    Args:
        callback: takes NumPy arrays in the place of traced values; returns arrays of
            ``result_shape_dtypes``.
        result_shape_dtypes: a tree of objects with a ``shape`` and a ``dtype``.
        args: trees of arrays.
        vmap_method: what `vmap` does: ``"sequential"`` (which None means too) calls the function
            for each example, ``"expand_dims"`` and ``"broadcast_all"`` once, with a dimension in
            front of all arrays that counts the examples; what they share has size 1 there, or is
            repeated.
        kwargs: trees of arrays.

    Raises:
        ArgumentError: (a TypeError) if ``vmap_method`` is none of these.
        CallbackError: (a TypeError) when the program runs, if the function returns another
            structure, other shapes or dtypes.
    """
    return _call(callback, result_shape_dtypes, args, kwargs, vmap_method, pure=True)


@public
def io_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """Return ``callback(*args, **kwargs)``, called in Python whenever the program comes to it.

    Calls come in the order of the program, whether ``ordered`` asks for it or not; `vmap` makes one
    for each example, in order. It has no derivative. Outside of a trace it is called at once.

    Args:
        callback: takes NumPy arrays in the place of traced values; returns arrays of
            ``result_shape_dtypes``.
        result_shape_dtypes: a tree of objects with a ``shape`` and a ``dtype``; None for a function
            that returns None.
        args: trees of arrays.
        ordered: as in JAX; here all calls are ordered.
        kwargs: trees of arrays.

    Raises:
        CallbackError: (a TypeError) when the program runs, if the function returns another
            structure, other shapes or dtypes.
    """
    return _call(callback, result_shape_dtypes, args, kwargs, None, pure=False)


@public
def debug_callback(
    callback: Callable[..., None], *args: Any, ordered: bool = False, **kwargs: Any
) -> None:
    """Call ``callback(*args, **kwargs)`` in Python whenever the program comes to it.

    Derivatives pass by it. What it returns is dropped.

    Args:
        callback: takes NumPy arrays in the place of traced values.
        args: trees of arrays.
        ordered: as in JAX; here all calls are ordered.
        kwargs: trees of arrays.
    """

    def call(*args: Any, **kwargs: Any) -> None:
        callback(*args, **kwargs)

    call.__name__ = symbol_of(callback)
    _call(call, None, args, kwargs, None, pure=False)


@public
def debug_print(fmt: str, *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Print ``fmt.format(*args, **kwargs)`` whenever the program comes to it.

    Args:
        fmt: as of ``str.format``.
        args: trees of arrays; the format sees NumPy arrays.
        ordered: as in JAX; here all prints are ordered.
        kwargs: trees of arrays.

    Raises:
        ArgumentError: (a TypeError) if ``fmt`` does not fit the arguments' number and names.
    """
    require_format(fmt, args, kwargs)

    def show(*args: Any, **kwargs: Any) -> None:
        print(fmt.format(*args, **kwargs))

    show.__name__ = "print"
    _call(show, None, args, kwargs, None, pure=False)


def require_format(fmt: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise ArgumentError if a format names an argument that is not given."""
    try:
        fmt.format(*[_Anything() for _ in args], **dict.fromkeys(kwargs, _Anything()))
    except (IndexError, KeyError) as error:
        raise ArgumentError(
            f"the format {fmt!r} names an argument that is not given: {error}"
        ) from None


class _Anything:
    """Stands for a value of unknown type in a format."""

    def __format__(self, specification: str) -> str:
        return ""

    def __getattr__(self, name: str) -> _Anything:
        return self

    def __getitem__(self, index: Any) -> _Anything:
        return self


def _call(
    callback: Callable[..., Any],
    result_types: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    vmap_method: str | None,
    *,
    pure: bool,
) -> Any:
    if vmap_method not in _MAPPINGS:
        known = ", ".join(repr(name) for name in _MAPPINGS)
        raise ArgumentError(f"vmap_method is one of {known}, not {vmap_method!r}")
    outer = current_trace()
    if outer is None:
        return callback(*args, **kwargs)
    operands, structure = lift_tree(outer, (args, kwargs))
    wanted, results = tree.flatten(result_types)
    types = [ShapeDtypeStruct(tuple(t.shape), np.dtype(t.dtype)) for t in wanted]
    label = symbol_of(callback)
    where = spell_location(user_location())
    dtypes = [operand.dtype for operand in operands]
    call = _Call(callback, label, (structure, dtypes), (results, types), where)
    FUNCTIONS.append(call)
    location = outer.locate()
    with outer.builder.at(location):
        values = outer.builder.callback(
            len(FUNCTIONS) - 1,
            label,
            values_of(operands),
            [type_.tensor for type_ in types] or [DONE],
            mapping=_MAPPINGS[vmap_method],
            pure=pure,
        )
    return results.unflatten(wrapped(outer, values[: len(types)], types))


class _Call:
    """A Python function as compiled code calls it: from arrays to arrays.

    Under vmap arrays have one more dimension in front. Complex arrays may come as real ones whose
    last dimension holds the two parts.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        label: str,
        arguments: tuple[tree.TreeDef, Sequence[np.dtype]],
        results: tuple[tree.TreeDef, Sequence[ShapeDtypeStruct]],
        where: str | None,
    ) -> None:
        self._function = function
        self._label = label
        self._arguments, self._dtypes = arguments
        self._results, self._types = results
        self._where = where

    def __call__(self, *arrays: np.ndarray) -> Sequence[Any]:
        """Call the function.

        Raises:
            CallbackError: if it does not return what it should.
        """
        leaves = [_as_given(array, dtype) for array, dtype in zip(arrays, self._dtypes)]
        args, kwargs = self._arguments.unflatten(leaves)
        leaves, structure = tree.flatten(self._function(*args, **kwargs))
        if structure != self._results:
            raise CallbackError(
                f"`{self._label}` returned {structure} instead of {self._results}", self._where
            )
        if not self._types:
            return [np.zeros(*tensor_info(DONE))]
        return [self._checked(i, leaf) for i, leaf in enumerate(leaves)]

    def _checked(self, number: int, leaf: Any) -> np.ndarray:
        array, type_ = np.asarray(leaf), self._types[number]
        extra = array.ndim - len(type_.shape)
        if array.dtype != type_.dtype or extra < 0 or array.shape[extra:] != type_.shape:
            path = self._results.paths("result")[number]
            found = ShapeDtypeStruct(array.shape, array.dtype)
            raise CallbackError(
                f"`{self._label}` returned `{path}` as {found} instead of {type_}", self._where
            )
        return array


def _as_given(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return an array, maybe of the parts of complex numbers, as one of the dtype."""
    return array if array.dtype == dtype else array.view(dtype)[..., 0]
