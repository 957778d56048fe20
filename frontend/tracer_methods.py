"""Makers of the operators and methods of traced values, from the functions that they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from .dispatch import UFUNCS
from .errors import ConcretizationTypeError
from .protocols import implementation_of
from .source import is_storing

if TYPE_CHECKING:
    from .tracer import Tracer


def binary(ufunc: np.ufunc) -> Callable[[Tracer, Any], Any]:
    """Return the operator of two operands that a ufunc is."""

    def operator(self: Tracer, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", True) is None:
            return NotImplemented
        return _mark_weak(UFUNCS[ufunc](self, other), self, other)

    operator.__doc__ = f"As ``numpy.{ufunc.__name__}``."
    return operator


def reflected(ufunc: np.ufunc) -> Callable[[Tracer, Any], Any]:
    """Return the operator whose left operand is no traced value."""

    def operator(self: Tracer, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", True) is None:
            return NotImplemented
        return _mark_weak(UFUNCS[ufunc](other, self), self, other)

    operator.__doc__ = f"As ``numpy.{ufunc.__name__}``."
    return operator


def unary(ufunc: np.ufunc) -> Callable[[Tracer], Any]:
    """Return the operator of one operand that a ufunc is."""

    def operator(self: Tracer) -> Any:
        return _mark_weak(UFUNCS[ufunc](self), self, self)

    operator.__doc__ = f"As ``numpy.{ufunc.__name__}``."
    return operator


def _mark_weak(result: Any, x: Tracer, y: Any) -> Any:
    """Mark what a Python operator made of Python scalars only as such a scalar itself (NEP 50)."""
    if x.weak and (y.weak if type(y) is type(x) else type(y) in (int, float, bool, complex)):
        for part in result if type(result) is tuple else (result,):
            part.weak = True
    return result


def method_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method that a function of NumPy is."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> Any:
        return implementation_of(function)(self, *args, **kwargs)

    method.__doc__ = f"As ``numpy.{function.__name__}``."
    return method


def ufunc_method(ufunc: np.ufunc) -> Callable[..., Any]:
    """Return the method that a ufunc of one operand is."""

    def method(self: Tracer) -> Any:
        return UFUNCS[ufunc](self)

    method.__doc__ = f"As ``numpy.{ufunc.__name__}``."
    return method


def concrete(convert: Callable[..., Any], conversion: str, advice: str) -> Callable[..., Any]:
    """Return the method that converts a traced number by its value in the call."""

    def method(self: Tracer, *args: Any) -> Any:
        refuse_store()
        if self.size != 1:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return convert(self._decided(ConcretizationTypeError, conversion, advice), *args)

    method.__doc__ = f"As {conversion}, by the values of the call; see `guards`."
    return method


def refusing(conversion: str, advice: str) -> Callable[..., NoReturn]:
    """Return the method of a conversion that traced values have not."""

    def method(self: Tracer, *args: Any, **kwargs: Any) -> NoReturn:
        refuse_store()
        raise self.unknown(ConcretizationTypeError, conversion, advice)

    method.__doc__ = f"Raise ConcretizationTypeError: {conversion} needs a number."
    return method


def in_place(ufunc: np.ufunc) -> Callable[[Tracer, Any], Any]:
    """Return the operator that stores what a ufunc gives in its left operand."""

    def operator(self: Tracer, other: Any) -> Any:
        if self.weak or self.is_scalar:
            return NotImplemented  # Python binds the name to a new value
        return UFUNCS[ufunc](self, other, out=self)

    operator.__doc__ = f"As ``numpy.{ufunc.__name__}``, in place."
    return operator


def refuse_store() -> None:
    """Raise TracerMutationError if the user's code stores in an ordinary array right now."""
    if is_storing():
        from .stores import plain_array_error

        raise plain_array_error("`x[...] = value`")
