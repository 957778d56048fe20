"""Whether a step of a loop does nothing but compute, so that Python may run it once only.

A loop whose steps Python could run one by one becomes a loop of the program only if nobody can tell
the difference. While such a step is traced, each call has to be one that is known to change nothing
but what `state` follows.
"""

from __future__ import annotations

import builtins
import dataclasses
import dis
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import numpy as np

from ..tracer import Cell
from .conversion import call_of
from .need import OUR_CODE, is_library_file
from .state import is_users


class Loud(Exception):
    """A step calls something that may do more than compute."""


class _Speculation(threading.local):
    """How many loops are being tried in a thread, one inside the other."""

    def __init__(self) -> None:
        self.depth = 0


speculation: Final = _Speculation()


@contextmanager
def speculating() -> Iterator[None]:
    """Let calls of rewritten source raise `Loud` unless they are known to compute only."""
    speculation.depth += 1
    try:
        yield
    finally:
        speculation.depth -= 1


def require_quiet(function: Any) -> None:
    """Raise `Loud` unless a call of a function is known to compute only."""
    kind = type(function)
    if kind is FunctionType:
        quiet = _is_quiet_function(function)
    elif kind is MethodType:
        quiet = isinstance(function.__self__, Cell) or _is_quiet_function(function.__func__)
    elif kind is BuiltinFunctionType:
        quiet = _is_quiet_builtin(function)
    elif isinstance(function, type):
        quiet = _is_quiet_class(function)
    else:
        quiet = _is_quiet_object(function)
    if not quiet:
        raise Loud(f"a call of {function!r}")


_QUIET_MODULES: Final = frozenset(
    ("numpy", "math", "cmath", "operator", "functools", "itertools", "copy", "typing", "gradatim")
)
_LOUD_BUILTINS: Final = frozenset(
    (print, next, input, open, setattr, delattr, exec, eval, compile, __import__, breakpoint)
)
_QUIET_OWNERS: Final = (str, bytes, tuple, int, float, complex, range, slice, np.generic, np.ufunc)
_READING_METHODS: Final = frozenset(
    (
        *("get", "keys", "values", "items", "copy", "index", "count", "union", "intersection"),
        *("difference", "issubset", "issuperset", "__getitem__", "__contains__", "__len__"),
    )
)


def _is_quiet_builtin(function: Any) -> bool:
    owner = function.__self__
    if isinstance(owner, ModuleType):
        if owner is builtins:
            return function not in _LOUD_BUILTINS
        return _is_quiet_module(owner.__name__)
    if isinstance(owner, (*_QUIET_OWNERS, np.ndarray)):
        return True
    if isinstance(owner, type):
        return issubclass(owner, (dict, np.ndarray, np.generic))
    if owner is None:
        return _is_quiet_module(str(function.__module__))
    return isinstance(owner, (list, dict, set, frozenset)) and function.__name__ in _READING_METHODS


def _is_quiet_module(name: str) -> bool:
    root, _, rest = name.lstrip("_").partition(".")
    return root in _QUIET_MODULES and not rest.startswith("random")


def _is_quiet_class(kind: type) -> bool:
    if kind.__module__ == "builtins" or issubclass(kind, (BaseException, np.generic)):
        return True
    if dataclasses.is_dataclass(kind):
        return "__post_init__" not in vars(kind)
    return issubclass(kind, tuple) or _is_quiet_module(kind.__module__)


def _is_quiet_object(function: Any) -> bool:
    call = call_of(type(function))
    if call is not None and not is_library_file(call.__code__.co_filename):
        return _is_quiet_function(call)
    if isinstance(function, np.ufunc):
        return True
    return _is_quiet_module(type(function).__module__)


def _is_quiet_function(function: FunctionType) -> bool:
    """Tell whether a function stores into nothing that is found by a global name or a default."""
    code = function.__code__
    if is_library_file(code.co_filename) and id(code) not in OUR_CODE:
        return _is_quiet_module(str(function.__module__))
    if _does(_GLOBAL_STORES, code):
        return False
    if not _does(_STORES, code):
        return True
    found = [function.__globals__.get(name) for name in _global_names(code)]
    found += function.__defaults__ or ()
    found += (function.__kwdefaults__ or {}).values()
    return not any(map(_can_change, found))


def _can_change(value: Any) -> bool:
    if isinstance(value, type):
        return is_users(value)
    known = (FunctionType, ModuleType, BuiltinFunctionType, *_QUIET_OWNERS)
    return value is not None and not isinstance(value, known)


def _opcodes(*names: str) -> frozenset[int]:
    return frozenset(dis.opmap[name] for name in names)


_STORES: Final = _opcodes("STORE_ATTR", "STORE_SUBSCR", "DELETE_ATTR", "DELETE_SUBSCR")
_GLOBAL_STORES: Final = _opcodes("STORE_GLOBAL", "DELETE_GLOBAL")


@lru_cache(maxsize=4096)
def _does(opcodes: frozenset[int], code: CodeType) -> bool:
    """Tell whether a function, or one within it, has one of some instructions."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return not opcodes.isdisjoint(code.co_code[::2]) or any(_does(opcodes, c) for c in inner)


@lru_cache(maxsize=4096)
def _global_names(code: CodeType) -> tuple[str, ...]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return (*code.co_names, *(name for c in inner for name in _global_names(c)))
