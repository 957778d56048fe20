"""Which functions need no conversion: those without control flow that call no user's function."""

from __future__ import annotations

import dis
import site
import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, Final

import numpy as np

from ..local import FROM_NUMBERS, STORING_NAMES
from ..source import OUR_FOLDER
from ..tracer import Tracer

_JUMPS: Final = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_CONTROL: Final = _JUMPS | {dis.opmap["UNARY_NOT"], dis.opmap["CONTAINS_OP"]}
_INDEXED: Final = {dis.opmap["BINARY_SUBSCR"]: 1, dis.opmap.get("BINARY_SLICE"): 2}
_BUILDS: Final = frozenset({dis.opmap["BUILD_SLICE"], dis.opmap["BUILD_TUPLE"]})
_CONSTANT: Final = dis.opmap["LOAD_CONST"]
_GLOBAL: Final = dis.opmap["LOAD_GLOBAL"]
_METHODS_ARE_ATTRIBUTES: Final = sys.version_info >= (3, 12)
_ATTRIBUTES: Final = frozenset({dis.opmap["LOAD_ATTR"], dis.opmap.get("LOAD_METHOD")})
_EXTENDED: Final = dis.opmap["EXTENDED_ARG"]
_MATTERING: Final = _CONTROL | {
    dis.opmap[name] for name in ("CALL_FUNCTION_EX", "STORE_SUBSCR", "STORE_ATTR")
}
_CALLED_VALUE: Final = dis.opmap["PUSH_NULL"]
_NAMED: Final = (_ATTRIBUTES | {_GLOBAL}) if sys.version_info >= (3, 13) else frozenset()
"""What may stand before `PUSH_NULL` without mattering itself; before Python 3.13 it comes first."""

_CALLS: Final = frozenset(dis.opmap.get(name) for name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX"))
_BINARY: Final = dis.opmap["BINARY_OP"]
_FIRST_IN_PLACE: Final = next(i for i, (_, text) in enumerate(dis._nb_ops) if text == "+=")  # type: ignore[attr-defined]
_CACHE: Final = dis.opmap["CACHE"]

_DATA: Final = (int, float, complex, str, bytes, tuple, np.ndarray, np.generic, np.dtype)


OUR_CODE: Final[dict[int, CodeType]] = {}
"""The code objects that are converted already, by identity."""


def needs_conversion(code: CodeType, module: dict[str, Any], is_called: bool = False) -> bool:
    """Tell whether a function may depend on traced values in a way that Python cannot express.

    That is, whether it has control flow, stores into arrays, has an index that may be traced, or
    calls anything but functions of libraries and methods of arrays.

    Args:
        code: of the function.
        module: its global variables.
        is_called: whether a converted function calls it, which may store into arrays that it makes,
            so that all calls matter.
    """
    if is_called and not _CALLS.isdisjoint(code.co_code[::2]):
        return True
    if any(type(constant) is tuple and "out" in constant for constant in code.co_consts):
        return True  # the names of arguments
    before = _CACHE
    constants = 0  # as many of the values on top of the stack are known to be constant
    argument = 0
    raw = code.co_code
    for i in range(0, len(raw), 2):
        op = raw[i]
        if op == _CACHE:
            continue
        argument = argument << 8 | raw[i + 1]
        if op == _EXTENDED:
            continue
        if op in _MATTERING or (op == _BINARY and argument >= _FIRST_IN_PLACE):
            return True
        if op == _CALLED_VALUE and before not in _NAMED:
            return True
        if constants < _INDEXED.get(op, 0):
            return True
        if op == _GLOBAL and _global_matters(code.co_names[argument >> 1], module):
            return True
        if op in _ATTRIBUTES and not _is_array_name(
            code.co_names[argument >> _METHODS_ARE_ATTRIBUTES]
        ):
            return True
        constants, argument = _constants_behind(op, argument, constants), 0
        before = op
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return any(needs_conversion(c, module) for c in inner)


def _constants_behind(op: int, argument: int, constants: int) -> int:
    if op == _CONSTANT:
        return constants + 1
    return constants - argument + 1 if op in _BUILDS and constants >= argument else 0


def _global_matters(name: str, module: dict[str, Any]) -> bool:
    value = module.get(name, _MISSING)
    if value is _MISSING:
        return True  # a builtin function, such as `range`, means something else to traced values
    if isinstance(value, ModuleType):
        return not is_library_file(getattr(value, "__file__", None))
    if isinstance(value, FunctionType):
        return not is_library_file(value.__code__.co_filename)
    return not isinstance(value, (*_DATA, np.ufunc, BuiltinFunctionType))


_MISSING: Final = object()


@cache
def _array_names() -> frozenset[str]:
    """Return the names of what NumPy does with traced values by itself."""
    spaces = (np, np.linalg, np.ndarray, Tracer, np.float64)
    names = {name for space in spaces for name in dir(space)}
    return frozenset(names - {function.__name__ for function in FROM_NUMBERS} - STORING_NAMES)


def _is_array_name(name: str) -> bool:
    return name in _array_names()


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {*site.getsitepackages(), site.getusersitepackages()}
    resolved = {str(Path(folder).resolve()) for folder in folders}
    return tuple([folder.rstrip("/") + "/" for folder in folders | resolved])


@cache
def is_library_file(file: str | None) -> bool:
    """Tell whether a file belongs to Python, to an installed package, or to gradatim."""
    if file is None or file.startswith("<frozen"):
        return True
    return file.startswith((*_library_folders(), OUR_FOLDER))


@cache
def is_untouchable_file(file: str) -> bool:
    """Tell whether functions of a file are never converted, even if they are staged themselves."""
    if file.startswith(("<frozen", OUR_FOLDER, str(Path(np.__file__).parent))):
        return True
    standard = sysconfig.get_paths()["stdlib"]
    return file.startswith(standard) and "-packages" not in file[len(standard) :]
