"""The one table of array functions, from which dispatch, the public namespace and tests are made.

A module of this package defines an implementation and names the NumPy function that it stands for::

    @implements(np.ptp)
    def ptp(a, axis=None, *, keepdims=False): ...

The implementation works on traced values and lists only the arguments that it supports, by NumPy's
names. What users reach, by NumPy's protocols or by ``gradatim.numpy``, is an entry made of both: it
computes by NumPy itself if nothing is traced, and refuses other arguments by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np

from ..dispatch import FUNCTIONS
from ..stores import stored_result
from ..tracer import Tracer
from ..views import detached
from .operands import is_one_of, is_traced, unsupported

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)

_USUAL: Final[dict[str, tuple[Any, ...]]] = {
    "casting": ("same_kind", "unsafe"),
    "copy": (True, False),
    "device": ("cpu",),
    "order": ("C", "K", "A"),
    "subok": (True, False),
}
"""Settings that do not change what a function of traced values computes."""


REFUSED: Final[dict[Function, str]] = {}
"""The functions that explain why they do not take traced values."""


class Signature(NamedTuple):
    """What an entry must know of a NumPy function and its implementation."""

    positional: tuple[str, ...]
    """NumPy's positional parameters; empty if it takes any number."""
    direct: int
    """How many leading ones the implementation takes at the same position."""
    supported: frozenset[str]
    """The implementation's parameters."""
    open: bool
    """Whether the implementation takes any keyword argument."""
    defaults: dict[str, Any]
    """NumPy's defaults."""


def implements(function: Function, *aliases: Function, views: bool = False) -> Callable[[F], F]:
    """Register the decorated function as what a NumPy function does to traced values.

    The entry takes the implementation's name, so that a module's functions call each other as
    users call them. It also takes ``out=``, if NumPy's function does.

    Args:
        function: NumPy's function.
        aliases: others that do the same.
        views: whether results may be views of operands, or operands; else they are copies.
    """

    def register(implementation: F) -> F:
        entry = _entry(function, implementation, views)
        for name in (function, *aliases):
            FUNCTIONS[name] = entry
        return cast(F, entry)

    return register


def refuse(function: Function, reason: str) -> None:
    """Register that a function does not take traced values, with a sentence that says why."""

    def refused(*args: Any, **kwargs: Any) -> Any:
        if not is_traced((*args, *kwargs.values())):
            return function(*args, **kwargs)
        raise unsupported(f"`{qualified(function)}` does not take traced values: {reason}")

    refused.__name__ = refused.__qualname__ = function.__name__
    REFUSED[function] = reason
    FUNCTIONS[function] = refused


def qualified(function: Function) -> str:
    """Return a NumPy function's full name, such as ``numpy.linalg.norm``."""
    return f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"


def _entry(function: Function, implementation: Function, views: bool) -> Function:
    def entry(*args: Any, **kwargs: Any) -> Any:
        if not is_traced(args) and not is_traced(kwargs.values()):
            return function(*args, **kwargs)
        signature = _signature(function, implementation)
        if len(args) > signature.direct and signature.positional:
            args, kwargs = _by_name(signature, args, kwargs)
        out = kwargs.pop("out", None) if "out" in signature.defaults else None
        if out is not None:
            return _with_out(function, entry, out, args, kwargs)
        if not (signature.open or signature.supported.issuperset(kwargs)):
            kwargs = _supported(function, signature, kwargs)
        result = implementation(*args, **kwargs)
        return result if views else detached(result)

    entry.__name__ = entry.__qualname__ = function.__name__
    entry.__doc__ = implementation.__doc__
    entry.__wrapped__ = implementation  # type: ignore[attr-defined]
    return entry


def _with_out(
    function: Function, entry: Function, out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Store the result in ``out``; sums and products are computed in its dtype, as in NumPy."""
    if type(out) is tuple and len(out) == 1:  # as NumPy hands it on
        out = out[0]
    if function in _COMPUTED_IN_OUT and kwargs.get("dtype") is None and type(out) is Tracer:
        kwargs = {**kwargs, "dtype": out.dtype}
    casting = "unsafe" if function in _STORED_ANYHOW else kwargs.get("casting", "same_kind")
    return stored_result(out, entry(*args, **kwargs), qualified(function), casting)


_COMPUTED_IN_OUT: Final = frozenset((np.sum, np.prod, np.cumsum, np.cumprod))
_STORED_ANYHOW: Final = frozenset((np.mean, np.std, np.var))
"""Functions whose results NumPy stores even in integers."""


@cache
def _signature(function: Function, implementation: Function) -> Signature:
    ours = inspect.signature(implementation).parameters
    try:
        theirs = inspect.signature(function).parameters
    except ValueError:  # functions written in C have no signature before NumPy 2.4
        theirs = ours
    variadic = any(p.kind is p.VAR_POSITIONAL for p in ours.values())
    positional, by_position = (
        [n for n, p in names.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        for names in (theirs, ours)
    )
    pairs = list(zip(positional, by_position, strict=False))
    direct = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs))
    return Signature(
        positional=() if variadic else tuple(positional),
        direct=direct,
        supported=frozenset(ours),
        open=any(p.kind is p.VAR_KEYWORD for p in ours.values()),
        defaults={name: p.default for name, p in theirs.items()},
    )


def _by_name(
    signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give names to the positional arguments that the implementation takes elsewhere."""
    if len(args) > len(signature.positional):
        return args, kwargs  # the call itself tells how many there are too many
    rest = zip(signature.positional[signature.direct :], args[signature.direct :], strict=False)
    return args[: signature.direct], {**dict(rest), **kwargs}


def _supported(function: Function, signature: Signature, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that the implementation takes; the others must have their default.

    Raises:
        UnsupportedError: if another value was given.
    """
    kept = {}
    for name, value in kwargs.items():
        if name in signature.supported:
            kept[name] = value
        elif name not in signature.defaults:
            raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}")
        elif not _is_usual(name, value, signature.defaults[name]):
            raise unsupported(f"`{qualified(function)}` does not take `{name}=` with traced values")
    return kept


def _is_usual(name: str, value: Any, default: Any) -> bool:
    return is_one_of(value, (default, None, np._NoValue, *_USUAL.get(name, ())))
