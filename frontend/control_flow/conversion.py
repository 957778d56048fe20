"""Converting functions: which, when, and once for each code.

A function is converted when it is staged, or called from one that was, if it is the user's own: not
Python's, an installed package's, or gradatim's. A package that stages one of its own functions
counts as the user's.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .need import OUR_CODE, is_library_file, is_untouchable_file, needs_conversion

if TYPE_CHECKING:
    from .units import Unit

F = TypeVar("F", bound=Callable[..., Any])

_EXCLUDED: Final = "__gradatim_do_not_convert__"
_LIMIT: Final = 8192

_units: dict[tuple[int, bool], tuple[CodeType, Unit | None]] = {}
_packages: set[str] = set()
_lock = threading.RLock()


def do_not_convert(function: F) -> F:
    """Let a function run as it is when it is staged, or called by a staged function.

    Python's control flow in it then needs the values of traced conditions, as it does in functions
    whose source is not at hand. Usable as a decorator, also of functions inside functions.
    """
    setattr(function, _EXCLUDED, True)
    return function


def converted_root(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is to be traced, converted if that means something."""
    inner = getattr(function, "func", function)  # of a `functools.partial`
    inner = getattr(inner, "__func__", inner)
    if type(inner) is not FunctionType:
        inner = call_of(type(inner)) or inner
    if type(inner) is FunctionType and not is_untouchable_file(inner.__code__.co_filename):
        _packages.add(_package_of(inner))
    return converted(function, is_called=False)


def converted(function: Callable[..., Any], is_called: bool = True) -> Callable[..., Any]:
    """Return a callable with the user's function in it converted, or the callable itself.

    Args:
        function: anything that can be called.
        is_called: whether a converted function calls it.
    """
    kind = type(function)
    if kind is FunctionType:
        assert isinstance(function, FunctionType)
        return _converted_function(function, is_called)
    if kind is MethodType:
        assert isinstance(function, MethodType)
        inner = converted(function.__func__, is_called)
        return function if inner is function.__func__ else MethodType(inner, function.__self__)
    if kind is functools.partial:
        assert isinstance(function, functools.partial)
        inner = converted(function.func, is_called)
        if inner is function.func:
            return function
        return functools.partial(inner, *function.args, **function.keywords)
    call = call_of(kind)
    if call is not None and not isinstance(function, type):
        new = _converted_function(call, is_called)
        return function if new is call else MethodType(new, function)
    return function


def call_of(kind: type) -> FunctionType | None:
    """Return the function in Python that calls of a class's instances run, if there is one."""
    found = next((vars(k)["__call__"] for k in kind.__mro__ if "__call__" in vars(k)), None)
    return found if type(found) is FunctionType else None


def _converted_function(function: FunctionType, is_called: bool) -> FunctionType:
    code = function.__code__
    known = _units.get((id(code), is_called))
    unit = known[1] if known is not None else _unit_of(function, is_called)
    if unit is None or _EXCLUDED in function.__dict__:
        return function
    cells = dict(zip(code.co_freevars, function.__closure__ or ()))
    new = unit.function(code.co_name, function.__globals__, cells)
    new.__name__ = function.__name__
    new.__qualname__ = function.__qualname__
    new.__module__ = function.__module__
    new.__defaults__ = function.__defaults__
    new.__kwdefaults__ = function.__kwdefaults__
    return new


def _unit_of(function: FunctionType, is_called: bool) -> Unit | None:
    """Return a function's code converted, None if it is to run as it is."""
    code = function.__code__
    if id(code) in OUR_CODE or _is_library(function):
        return None
    with _lock:
        if len(_units) >= _LIMIT:
            _units.clear()
        known = _units.get((id(code), is_called)) or _units.get((id(code), not is_called))
        if known is None or known[1] is None:
            known = (code, _convert(code, function.__globals__, is_called))
        _units[id(code), is_called] = known
    return known[1]


def _is_library(function: FunctionType) -> bool:
    file = function.__code__.co_filename
    return is_library_file(file) and (
        is_untouchable_file(file) or _package_of(function) not in _packages
    )


def _package_of(function: FunctionType) -> str:
    return str(function.__globals__.get("__name__")).partition(".")[0]


def _convert(code: CodeType, module: dict[str, Any], is_called: bool) -> Unit | None:
    if code.co_flags & _SUSPENDING or not needs_conversion(code, module, is_called):
        return None
    from .translation import translated  # not needed by functions that only compute

    return translated(code, module)


_SUSPENDING: Final = 0x20 | 0x80 | 0x100 | 0x200
"""Flags of the code of generators and coroutines."""
