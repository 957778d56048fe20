"""NumPy's sort of unsigned integers, for code that sorts without Python.

NumPy sorts integers by vector instructions (x86-simd-sort, Highway) where the processor has them,
twice as fast as what does without. Its table of functions for a dtype, PyArray_ArrFuncs, is part of
the ABI that all of NumPy 2 has, and the function needs neither Python nor an array. Where anything
is not as expected, there is no such function, and routines of our own do.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import os
from typing import Final

import numpy as np

from . import jit

# Functions of NumPy's C API by their numbers in numpy/__multiarray_api.h.
_DESCR_FROM_TYPE: Final = 45
_GET_ARR_FUNCS: Final = 365

_QUICKSORT: Final = 33
"""The place of ``sort[NPY_QUICKSORT]`` among the pointers of PyArray_ArrFuncs (ndarraytypes.h)."""

Sort = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_void_p)
"""``int sort(void *items, npy_intp count, void *)``, which returns 0."""


@functools.cache
def address_of(bits: int) -> int:
    """Return the address of the sort of integers of 32 or 64 bits; 0 if there is none to use."""
    if int(np.__version__.split(".")[0]) != 2 or not _has_vectors():
        return 0
    address = _quicksort(np.dtype(f"u{bits // 8}"))
    return address if address and _is_numpys(address) and _sorts(address, bits) else 0


def _has_vectors() -> bool:
    """Tell whether the processor has the vectors that NumPy needs to be fast."""
    target = jit.host_target()
    features = target.features.split(",")
    return "+avx2" in features or target.triple.startswith(("aarch64", "arm64"))


def _quicksort(dtype: np.dtype) -> int:
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    table = get_pointer(("PyCapsule_GetPointer", ctypes.pythonapi))(capsule, None)
    api = (ctypes.c_size_t * (_GET_ARR_FUNCS + 1)).from_address(table)
    descr = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_int)(api[_DESCR_FROM_TYPE])(dtype.num)
    get_functions = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(api[_GET_ARR_FUNCS])
    functions = get_functions(descr)
    if not functions:
        return 0
    return int((ctypes.c_size_t * (_QUICKSORT + 1)).from_address(functions)[_QUICKSORT])


class _SymbolInfo(ctypes.Structure):
    """``Dl_info`` of dlfcn.h."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _is_numpys(address: int) -> bool:
    """Tell whether an address lies in NumPy's own extension module."""
    try:
        find = ctypes.CDLL(None).dladdr
    except (AttributeError, OSError, TypeError):
        return False
    info = _SymbolInfo()
    if not find(ctypes.c_void_p(address), ctypes.byref(info)) or not info.file:
        return False
    module = importlib.import_module("numpy._core._multiarray_umath")
    return os.path.samefile(os.fsdecode(info.file), str(module.__file__))


def _sorts(address: int, bits: int) -> bool:
    """Try the function on some numbers."""
    numbers = (np.arange(1000) * 7919 % 1009).astype(f"u{bits // 8}")
    found = numbers.copy()
    status = Sort(address)(found.ctypes.data, found.size, None)
    return status == 0 and found.tolist() == sorted(numbers.tolist())
