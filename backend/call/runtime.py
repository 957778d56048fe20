"""The machine code that all compiled callables share, built from the .ll files of this folder.

It is compiled once per machine (the cache on disk holds it), linked once per process at the first
need, and never unloaded.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from pathlib import Path

from .. import cache, jit
from . import abi

_lock = threading.RLock()


def call_address() -> int:
    """Return the address of the vectorcall function of compiled callables (call.ll)."""
    return module("call").address("gd.call")


def flatten_address() -> int:
    """Return the address of the function that takes arguments apart (containers.ll)."""
    return module("containers").address("gd.flatten")


def build_address() -> int:
    """Return the address of the function that builds results (containers.ll)."""
    return module("containers").address("gd.build")


_EXPORTS = {
    "call": ("gd.call",),
    "containers": ("gd.flatten", "gd.build"),
    "pool": (
        "gd.alloc",
        "gd.free",
        "gd.pool.array",
        "gd.pool.advice",
        "gd.pool.bytes",
        "gd.pool.capsule",
        "gd.pool.handler",
        "gd.pool.limit",
        "gd.pool.reset",
        "gd.pool.trim",
    ),
}


def module(name: str) -> jit.Linked:
    """Return the linked code of the file `name`.ll."""
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
    api = abi.numpy_api()
    indices = {"PyArray_Type": 2, "PyArray_Scalar": 60, "PyArray_NewFromDescr": 94}
    addresses = {name: api[index] for name, index in indices.items()}
    return {**addresses, "Py_True": id(True)}
