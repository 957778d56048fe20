"""The machine code that all compiled callables share, built from the .ll files of this folder.

It is compiled once per machine (the cache on disk holds it), linked once per process at the first
need, and never unloaded.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import threading
from pathlib import Path

import numpy as np

from .. import cache, jit

_lock = threading.RLock()


def call_address() -> int:
    """Return the address of the vectorcall function of compiled callables (call.ll)."""
    return _module("call").address("gd.call")


def containers() -> tuple[int, int]:
    """Return the addresses of the functions that flatten and build containers (containers.ll)."""
    linked = _module("containers")
    return linked.address("gd.flatten"), linked.address("gd.build")


_EXPORTS = {
    "call": ("gd.call",),
    "containers": ("gd.flatten", "gd.build"),
}


def _module(name: str) -> jit.Linked:
    with _lock:
        return _link_module(name)


@functools.cache
def _link_module(name: str) -> jit.Linked:
    text = Path(__file__).with_name(f"{name}.ll").read_text(encoding="utf-8")
    # Good code takes 20 ms to make, which is worth it once per machine but not once per process.
    code = jit.cached_object(text) if cache.enabled() else jit.compile_object(text, quick=True)
    linked = jit.link(code, _symbols(), _EXPORTS[name])
    # Objects that outlive this module at exit may still call into the code.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(linked))
    return linked


@functools.cache
def _symbols() -> dict[str, int]:
    api = _numpy_api()
    indices = {"PyArray_Type": 2, "PyArray_Scalar": 60, "PyArray_NewFromDescr": 94}
    addresses = {name: api[index] for name, index in indices.items()}
    return {**addresses, "Py_True": id(True)}


def _numpy_api() -> ctypes.Array[ctypes.c_size_t]:
    """NumPy's table of C functions (numpy/_core/include/numpy/__multiarray_api.h)."""
    capsule = importlib.import_module("numpy._core._multiarray_umath")._ARRAY_API
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = get_pointer(capsule, None)
    table = (ctypes.c_size_t * 256).from_address(address)
    if table[2] != id(np.ndarray):
        raise jit.BackendError(f"NumPy {np.__version__} has an unknown C interface")
    return table
