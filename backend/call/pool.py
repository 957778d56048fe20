"""The pool of memory blocks (pool.ll): its settings, and what kernels link against.

Environment variable:
    GRADATIM_POOL_BYTES: how much freed memory is kept in large blocks; by default an eighth of
    the machine's, at most 512 MiB. "0" keeps nothing.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import sys

from ..jit import Linked
from . import runtime

_SMALL_BYTES = 1 << 10
_LARGE_BYTES = 1 << 16

_DEFAULT_LIMIT = 1 << 29
_CAPSULE_NAME = ctypes.create_string_buffer(b"mem_handler")


def allocates(size: int) -> bool:
    """Whether an array of `size` bytes comes from the pool; others are allocated by NumPy."""
    return is_supported() and not _SMALL_BYTES < size < _LARGE_BYTES


def is_supported() -> bool:
    """Whether the system has the functions that the pool is made of."""
    return sys.platform != "win32"


def symbols() -> dict[str, int]:
    """Return what a kernel with large temporaries is linked against.

    ``ptr @gd.alloc(i64 bytes)`` returns memory aligned to 64 bytes, or null;
    ``void @gd.free(ptr)`` takes it back. Both may be called without the interpreter's lock.
    """
    linked = _linked()
    return {name: linked.address(name) for name in ("gd.alloc", "gd.free")}


def array_allocator() -> int:
    """Return the address of the function that allocates an output (%output of call.ll)."""
    return _linked().address("gd.pool.array")


def bytes_kept() -> int:
    """Return how many bytes of freed memory the pool holds in large blocks."""
    return ctypes.c_int64.from_address(_linked().address("gd.pool.bytes")).value


def set_limit(limit: int) -> None:
    """Keep at most `limit` bytes in large blocks from now on."""
    ctypes.c_int64.from_address(_linked().address("gd.pool.limit")).value = limit


def trim() -> None:
    """Return all large blocks that are kept to the system."""
    ctypes.CFUNCTYPE(None)(_linked().address("gd.pool.trim"))()


@functools.cache
def _linked() -> Linked:
    linked = runtime.module("pool")
    address = linked.address
    ctypes.c_int64.from_address(address("gd.pool.limit")).value = _default_limit()
    if hasattr(mmap, "MADV_HUGEPAGE"):
        ctypes.c_int32.from_address(address("gd.pool.advice")).value = mmap.MADV_HUGEPAGE
    capsule = _handler_capsule(address("gd.pool.handler"))
    ctypes.c_size_t.from_address(address("gd.pool.capsule")).value = id(capsule)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(capsule))
    os.register_at_fork(after_in_child=ctypes.CFUNCTYPE(None)(address("gd.pool.reset")))
    return linked


def _handler_capsule(handler: int) -> object:
    """The capsule by which an array names its memory handler (NEP 49)."""
    new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)(
        ("PyCapsule_New", ctypes.pythonapi)
    )
    capsule: object = new(handler, ctypes.addressof(_CAPSULE_NAME), None)
    return capsule


def _default_limit() -> int:
    try:
        return int(os.environ["GRADATIM_POOL_BYTES"])
    except (KeyError, ValueError):
        pass
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        memory = 8 * _DEFAULT_LIMIT
    return min(_DEFAULT_LIMIT, memory // 8)
