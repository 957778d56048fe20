"""Does this process lay its objects out as call.ll and containers.ll assume?

The compiled call reads fields of CPython's and NumPy's structures at fixed offsets. NumPy promises
them within an ABI version and CPython within a minor version; neither promises them to us, so they
are compared here with what Python itself sees.
"""

from __future__ import annotations

import ctypes
import importlib
import struct
import sys
import sysconfig
from collections.abc import Iterator

import numpy as np

_ARRAY_FLAGS = {"C_CONTIGUOUS": 0x1, "ALIGNED": 0x100}


def is_main_interpreter() -> bool:
    """Whether this is the interpreter the process started with, not a subinterpreter."""
    api = ctypes.pythonapi
    for function in (api.PyInterpreterState_Get, api.PyInterpreterState_Main):
        function.restype = ctypes.c_void_p
    current, main = api.PyInterpreterState_Get(), api.PyInterpreterState_Main()
    return bool(current == main)


def mismatch() -> str | None:
    """Return what differs from the assumptions, or None if nothing does."""
    return _platform_mismatch() or next(_layout_mismatches(), None)


def _platform_mismatch() -> str | None:
    if sys.implementation.name != "cpython":
        return f"the interpreter is {sys.implementation.name}, not CPython"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "the interpreter is free-threaded"
    if ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little":
        return "the machine is not a 64-bit little-endian one"
    if object.__basicsize__ != 16:
        return f"the head of an object has {object.__basicsize__} bytes instead of 16"
    return None


def _layout_mismatches() -> Iterator[str]:
    for dtype in map(np.dtype, "?bhilqBHILQefdFD"):
        for shape in ((), (3,), (2, 0, 5)):
            for ordered in (dtype, dtype.newbyteorder(">"), dtype.newbyteorder("<")):
                if not _array_matches(np.zeros(shape, ordered)):
                    yield f"the layout of {dtype} arrays"
        value = dtype.type(1)
        if _content(value, 16, dtype.itemsize) != value.tobytes():
            yield f"the layout of {dtype.type} scalars"
    if not _array_matches(np.zeros((4, 6))[::2, ::3]):
        yield "the layout of strided arrays"
    yield from _builtin_mismatches()
    if not _handler_matches(np.zeros(3)):
        yield "the layout of array memory handlers"


def _builtin_mismatches() -> Iterator[str]:
    if _content(0.1, 16, 8) != struct.pack("=d", 0.1):
        yield "the layout of float"
    if _content(0.1 + 0.2j, 16, 16) != struct.pack("=2d", 0.1, 0.2):
        yield "the layout of complex"
    items = (object(), object())
    if _content(items, 16, 24) != struct.pack("=3Q", 2, *map(id, items)):
        yield "the layout of tuple"
    if _content(b"gradatim", 32, 8) != b"gradatim":
        yield "the layout of bytes"
    if _words(items[0], 8) != (id(object),):
        yield "the place of an object's type"


def _array_matches(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bool:
    """Compare %array and %dtype of call.ll with what NumPy reports."""
    data, rank, shape, _, _, dtype = _words(array, 16, 6)
    (flags,) = struct.unpack("=i", _content(array, 64, 4))
    kind, char, order, _, number = struct.unpack("=ccccI", _content(array.dtype, 24, 8))
    return (
        data == array.ctypes.data
        and rank & 0xFFFFFFFF == array.ndim
        and tuple((ctypes.c_int64 * array.ndim).from_address(shape)) == array.shape
        and dtype == id(array.dtype)
        and bool(flags & _ARRAY_FLAGS["C_CONTIGUOUS"]) == array.flags.c_contiguous
        and bool(flags & _ARRAY_FLAGS["ALIGNED"]) == array.flags.aligned
        and (kind.decode(), char.decode()) == (array.dtype.kind, array.dtype.char)
        and order.decode() == array.dtype.byteorder
        and number == array.dtype.num
    )


def _handler_matches(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bool:
    """Compare the last field of %array in pool.ll with NumPy's current memory handler."""
    api = numpy_api()
    get_handler = ctypes.PYFUNCTYPE(ctypes.py_object)(api[305])
    return api[2] == id(np.ndarray) and _words(array, 88) == (id(get_handler()),)


def numpy_api() -> ctypes.Array[ctypes.c_size_t]:
    """NumPy's table of C functions, in the order of numpy/__multiarray_api.h."""
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    prototype = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    address = prototype(("PyCapsule_GetPointer", ctypes.pythonapi))(capsule, None)
    return (ctypes.c_size_t * 306).from_address(address)


def _content(value: object, offset: int, size: int) -> bytes:
    return ctypes.string_at(id(value) + offset, size)


def _words(value: object, offset: int, count: int = 1) -> tuple[int, ...]:
    return struct.unpack(f"={count}Q", _content(value, offset, 8 * count))
