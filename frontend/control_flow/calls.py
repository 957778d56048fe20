"""Calls in rewritten source: functions of the user's are converted, some of Python's replaced."""

from __future__ import annotations

import builtins
import functools
import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

import numpy as np

from ..dispatch import FUNCTIONS, UFUNCS
from ..local import made, maker_of
from ..tracer import Tracer
from .conversion import converted
from .operators import or_, select, truth
from .quiet import require_quiet, speculation


def call(function: Any) -> Any:
    """Return what to call instead of a function."""
    if speculation.depth:
        require_quiet(function)
    kind = type(function)
    if kind is type:
        return REPLACEMENTS.get(function, function)
    if kind is BuiltinFunctionType:
        found = REPLACEMENTS.get(function) or maker_of(function)
    else:
        found = maker_of(function)
    if found is not None:
        return found
    if not callable(function):
        return function
    new = converted(function)
    return made(function) if new is function and _may_make_arrays(function) else new


def _may_make_arrays(function: Any) -> bool:
    """Tell whether a function that is not converted may return an array, of NumPy or its own."""
    if type(function) not in (BuiltinFunctionType, FunctionType, MethodType):
        return False
    module = getattr(function, "__module__", None) or "builtins"  # as methods of builtin types have
    package = module.partition(".")[0]
    return package == "copy" or package not in sys.stdlib_module_names


class TracedRange:
    """``range`` of which a number is traced.

    Attributes:
        start: the first number.
        stop: the end, which is not reached.
        step: the distance of the numbers; known while tracing.
    """

    def __init__(self, *bounds: Any) -> None:
        if not 1 <= len(bounds) <= 3:
            builtins.range(*bounds)  # to raise Python's error
        for bound in bounds:
            if type(bound) is Tracer and (bound.shape or bound.dtype.kind not in "iu"):
                raise TypeError(f"range() takes integers, not {bound}")
        self.start, self.stop = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
        self.step = bounds[2] if len(bounds) == 3 else 1

    def __iter__(self) -> Iterator[int]:
        """Iterate over Python's ints, for which the traced bounds have to be known."""
        return iter(range(*map(operator.index, (self.start, self.stop, self.step))))

    def __len__(self) -> int:
        return len(range(*map(operator.index, (self.start, self.stop, self.step))))


def _range(*bounds: Any) -> Any:
    if any(type(bound) is Tracer for bound in bounds):
        return TracedRange(*bounds)
    return range(*bounds)


def weak(value: Tracer) -> Tracer:
    """Return a traced value as a Python scalar."""
    return value.trace.tracer(value.value, weak=True)


def _to_scalar(value: Tracer, dtype: Any) -> Tracer:
    if value.size != 1:
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
    return weak(FUNCTIONS[np.astype](value.reshape(()), np.dtype(dtype)))


def _int(*args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and type(args[0]) is Tracer:
        return _to_scalar(args[0], np.int64)
    return int(*args, **kwargs)


def _float(*args: Any) -> Any:
    if len(args) == 1 and type(args[0]) is Tracer:
        return _to_scalar(args[0], np.float64)
    return float(*args)


def _complex(*args: Any, **kwargs: Any) -> Any:
    if any(type(a) is Tracer for a in args):
        real, imaginary = (*args, 0.0)[:2]
        return weak(_to_scalar(real + imaginary * 1j, np.complex128))
    return complex(*args, **kwargs)


def _bool(*args: Any) -> Any:
    return weak(truth(args[0])) if args and type(args[0]) is Tracer else bool(*args)


def _round(number: Any, ndigits: Any = None) -> Any:
    if type(number) is not Tracer:
        return round(number, ndigits)
    if ndigits is None:
        return _int(UFUNCS[np.rint](number))
    found = FUNCTIONS[np.round](number, ndigits)
    return weak(found) if number.weak else found


def _extremum(builtin: Callable[..., Any], comparison: np.ufunc) -> Callable[..., Any]:
    """Return ``min`` or ``max``: the first operand that no other one is less, or greater, than."""

    def function(*args: Any, **kwargs: Any) -> Any:
        items = args if len(args) > 1 else _items(args)
        if kwargs or items is None or not any(type(item) is Tracer for item in items):
            return builtin(*args, **kwargs)
        found = items[0]
        for item in items[1:]:
            if _any_traced(item, found):
                found = select(truth(UFUNCS[comparison](item, found)), item, found)
            else:
                found = builtin(found, item)
        return found

    return function


def _items(args: tuple[Any, ...]) -> list[Any] | tuple[Any, ...] | None:
    if len(args) != 1:
        return None
    if type(args[0]) is Tracer:
        return list(args[0])
    return args[0] if type(args[0]) in (list, tuple) and args[0] else None


def _any_traced(*values: Any) -> bool:
    return any(type(value) is Tracer for value in values)


def _any(items: Iterable[Any]) -> Any:
    if type(items) is Tracer and items.ndim == 1:
        return items.any()
    found: Any = False
    for item in items:
        if type(item) is not Tracer and item:
            return True
        if type(item) is Tracer:
            found = or_(found, partial(_bool, item))
    return found


def _all(items: Iterable[Any]) -> Any:
    if type(items) is Tracer and items.ndim == 1:
        return items.all()
    found: Any = True
    for item in items:
        if type(item) is not Tracer and not item:
            return False
        if type(item) is Tracer:
            one = weak(truth(item))
            found = one if found is True else UFUNCS[np.logical_and](found, one)
    return found


def _through(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls its first argument, with that converted."""

    def calling(first: Any, *args: Any, **kwargs: Any) -> Any:
        return function(converted(first) if callable(first) else first, *args, **kwargs)

    return calling


def _mathematics(function: Callable[..., Any], ufunc: Any) -> Callable[..., Any]:
    """Return a function of ``math``, which gives Python's floats."""

    def replacement(*args: Any) -> Any:
        if not _any_traced(*args):
            return function(*args)
        operands = [_float(a) for a in args]
        return weak(UFUNCS[ufunc](*operands))

    return replacement


_MATHEMATICS: Final[dict[str, np.ufunc]] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: getattr(np, name) for name in ("exp", "expm1", "log1p", "log2", "log10", "sqrt")},
    **{name: getattr(np, name) for name in ("cbrt", "hypot", "copysign", "degrees", "radians")},
    **{name: getattr(np, name) for name in ("isnan", "isinf", "isfinite", "fabs", "exp2")},
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "pow": np.power,
    "fmod": np.fmod,
}


def _math_log(*args: Any) -> Any:
    if not _any_traced(*args):
        return math.log(*args)
    logarithms = [weak(UFUNCS[np.log](_float(a))) if _any_traced(a) else math.log(a) for a in args]
    return logarithms[0] if len(args) == 1 else logarithms[0] / logarithms[1]


def _rounding(function: Callable[..., Any], ufunc: np.ufunc) -> Callable[..., Any]:
    """Return ``math.floor`` or its like, which gives Python's ints."""

    def replacement(x: Any) -> Any:
        return _int(UFUNCS[ufunc](_float(x))) if type(x) is Tracer else function(x)

    return replacement


_PYTHON_TYPES: Final = {"b": bool, "i": int, "f": float, "c": complex}


def _isinstance(value: Any, kinds: Any) -> bool:
    """Tell what Python would say of the array or number that a traced value stands for."""
    if type(value) is not Tracer or isinstance(value, kinds):
        return isinstance(value, kinds)
    if value.weak:
        return issubclass(_PYTHON_TYPES[value.dtype.kind], kinds)
    return issubclass(value.dtype.type if value.is_scalar else np.ndarray, kinds)


REPLACEMENTS: Final[dict[Any, Callable[..., Any]]] = {
    range: _range,
    int: _int,
    float: _float,
    complex: _complex,
    bool: _bool,
    round: _round,
    min: _extremum(min, np.less),
    max: _extremum(max, np.greater),
    any: _any,
    all: _all,
    isinstance: _isinstance,
    map: _through(map),
    filter: _through(filter),
    functools.reduce: _through(functools.reduce),
    **{
        getattr(math, name): _mathematics(getattr(math, name), ufunc)
        for name, ufunc in _MATHEMATICS.items()
        if hasattr(math, name)
    },
    math.log: _math_log,
    math.floor: _rounding(math.floor, np.floor),
    math.ceil: _rounding(math.ceil, np.ceil),
    math.trunc: _rounding(math.trunc, np.trunc),
}
"""What rewritten source calls in the place of functions that give Python's own numbers.

Each does the same unless an argument is traced. Then the result is traced too, and weak, as
Python's numbers are.
"""
