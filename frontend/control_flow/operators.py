"""What ``and``, ``or``, ``not``, ``in``, ``a if c else b`` and ``a[i]`` do.

Each does what Python does unless an operand is traced.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..dispatch import FUNCTIONS, UFUNCS
from ..local import new_array
from ..tracer import Tracer
from ..tracing import current_trace

Thunk = Callable[[], Any]

slice = builtins.slice


def truth(value: Tracer) -> Tracer:
    """Return a traced value as one bool.

    Raises:
        ValueError: if it has not one element, as NumPy does.
    """
    if value.size != 1:
        raise ValueError(  # NumPy's words
            "The truth value of an array with more than one element is ambiguous. "
            "Use a.any() or a.all()"
        )
    if value.shape:
        value = value.reshape(())
    return value if value.dtype.kind == "b" else value != 0


def and_(first: Any, second: Thunk, lazily: bool = False) -> Any:
    """Return ``first and second()``.

    Args:
        first: the first operand.
        second: gives the second operand.
        lazily: whether compiled code shall compute the second one only where it is needed.
    """
    if type(first) is not Tracer:
        return first and second()
    if lazily:
        return _branch(first, second, lambda: first)
    return _combined(np.logical_and, first, second(), lambda a, b: select(truth(a), b, a))


def or_(first: Any, second: Thunk, lazily: bool = False) -> Any:
    """Return ``first or second()``; see `and_`."""
    if type(first) is not Tracer:
        return first or second()
    if lazily:
        return _branch(first, lambda: first, second)
    return _combined(np.logical_or, first, second(), lambda a, b: select(truth(a), a, b))


def _combined(ufunc: np.ufunc, first: Tracer, second: Any, choose: Callable[..., Any]) -> Any:
    truth(first)
    if first.dtype.kind == "b" and _is_bool(second):
        found = UFUNCS[ufunc](first, second)
        found.weak = first.weak and (type(second) is bool or getattr(second, "weak", False))
        return found
    return choose(first, second)


def _is_bool(value: Any) -> bool:
    if type(value) is bool:
        return True
    return isinstance(value, (Tracer, np.bool_)) and value.dtype.kind == "b" and not value.shape


def not_(value: Any) -> Any:
    """Return ``not value``."""
    if type(value) is not Tracer:
        return not value
    found = UFUNCS[np.logical_not](truth(value))
    found.weak = True
    return found


def choose(test: Any, body: Thunk, orelse: Thunk) -> Any:
    """Return ``body() if test else orelse()``."""
    if type(test) is not Tracer:
        return body() if test else orelse()
    return _branch(test, body, orelse)


def _branch(test: Tracer, body: Thunk, orelse: Thunk) -> Any:
    from .branches import value_of

    return value_of(truth(test), body, orelse)


def select(test: Tracer, first: Any, second: Any) -> Any:
    """Return one of two numbers or arrays of one shape; weak if both are."""
    found = FUNCTIONS[np.where](test, first, second)
    found.weak = all(
        x.weak if type(x) is Tracer else type(x) in (bool, int, float, complex)
        for x in (first, second)
    )
    return found


def in_(value: Any, container: Any) -> Any:
    """Return ``value in container``."""
    if type(container) is Tracer:
        return (container == value).any()
    if type(value) is not Tracer:
        return value in container
    if type(container) is range:
        return _in_range(value, container)
    if type(container) in (list, tuple) and all(map(_is_number, container)):
        found: Any = False
        for item in container:
            found = or_(found, partial(operator.eq, value, item))
        return found
    return value in container


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex, np.generic, Tracer))


def _in_range(value: Tracer, numbers: range) -> Any:
    if not numbers:
        return False
    low, high = min(numbers[0], numbers[-1]), max(numbers[0], numbers[-1])
    return (value >= low) & (value <= high) & ((value - low) % abs(numbers.step) == 0)


def item(value: Any, index: Any) -> Any:
    """Return ``value[index]``; a NumPy array becomes traced if the index is."""
    if type(value) is np.ndarray and _has_tracer(index):
        trace = current_trace()
        if trace is not None:
            trace.locate()
            value = trace.lift(value)
    return new_array(value[index])


def _has_tracer(index: Any) -> bool:
    if type(index) is tuple:
        return any(map(_has_tracer, index))
    if type(index) is builtins.slice:
        return any(type(part) is Tracer for part in (index.start, index.stop, index.step))
    return type(index) is Tracer
