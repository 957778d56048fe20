"""A Python type whose instances carry a vectorcall pointer, made without a C compiler.

CPython calls an object through a function pointer stored in it if its type has the flag
HAVE_VECTORCALL (PEP 590). `make_base` creates such a type through the stable C API; a null pointer
makes CPython fall back to ``__call__``. `enable` sets the flag on a subclass, which does
not inherit it where the subclass defines ``__call__``.
"""

from __future__ import annotations

import ctypes
from typing import Any

_HEAD = object.__basicsize__
_POINTER = ctypes.sizeof(ctypes.c_void_p)

# Fields of the instance: %callable in call.ll.
POINTER_OFFSET = _HEAD
RUNNING_OFFSET = _HEAD + _POINTER
BASE_SIZE = _HEAD + 2 * _POINTER

# Include/cpython/object.h: tp_flags follows the head, ob_size and eighteen fields of a word each.
_TP_FLAGS_OFFSET = _HEAD + 19 * _POINTER
_HAVE_VECTORCALL = 1 << 11
_METHOD_DESCRIPTOR = 1 << 17
_FLAGS = 1 << 10 | _HAVE_VECTORCALL | 1 << 18  # BASETYPE, DEFAULT

# Include/typeslots.h, Include/descrobject.h
_TP_CALL, _TP_DESCR_GET, _TP_MEMBERS = 50, 54, 72
_T_PYSSIZET, _READONLY = 19, 1


class _Slot(ctypes.Structure):
    _fields_ = (("slot", ctypes.c_int), ("function", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(_Slot)),
    )


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def make_base(name: str) -> type:
    """Return a new type, to be subclassed, with room for the pointer and a counter."""
    members = (_Member * 2)(
        _Member(b"__vectorcalloffset__", _T_PYSSIZET, POINTER_OFFSET, _READONLY, None), _Member()
    )
    slots = (_Slot * 4)(
        _Slot(_TP_CALL, _address(ctypes.pythonapi.PyVectorcall_Call)),
        _Slot(_TP_DESCR_GET, _function_descr_get()),
        _Slot(_TP_MEMBERS, ctypes.addressof(members)),
        _Slot(),
    )
    spec = _Spec(name.encode(), BASE_SIZE, 0, _FLAGS, slots)
    from_spec = ctypes.pythonapi.PyType_FromSpec
    from_spec.restype, from_spec.argtypes = ctypes.py_object, [ctypes.POINTER(_Spec)]
    base: type = from_spec(ctypes.byref(spec))
    _kept_alive.append((spec, slots, members))
    return base


# What type specifications refer to: CPython before 3.12 keeps pointers into them.
_kept_alive: list[object] = []


def enable(cls: type, base: type) -> None:
    """Let CPython call instances of `cls` through their pointer.

    Where `cls` binds as its `base` from `make_base` does, CPython may also skip the bound method
    in ``instance.method(...)``, as it does for functions.

    Raises:
        RuntimeError: the flags of a type are not where they are expected.
    """
    flags = ctypes.c_ulong.from_address(id(cls) + _TP_FLAGS_OFFSET)
    if flags.value != cls.__flags__:
        raise RuntimeError("the flags of Python's types are not where they are expected")
    binds_like_function = getattr(cls, "__get__", None) is getattr(base, "__get__", None)
    flags.value |= _HAVE_VECTORCALL | (_METHOD_DESCRIPTOR if binds_like_function else 0)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))


def word_at(instance: object, offset: int) -> Any:
    """Return the 64-bit word at `offset` of `instance`, to be read and assigned as ``.value``."""
    return ctypes.c_uint64.from_address(id(instance) + offset)


def _address(function: Any) -> int | None:
    return ctypes.cast(function, ctypes.c_void_p).value


def _function_descr_get() -> int:
    """The C function by which Python functions bind: it makes a bound method of any callable."""
    get_slot = ctypes.pythonapi.PyType_GetSlot
    get_slot.restype, get_slot.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_int]
    function: int = get_slot(type(make_base), _TP_DESCR_GET)
    return function
