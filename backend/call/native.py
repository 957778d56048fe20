"""The compiled callable whose calls never enter Python."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import runtime, vectorcall
from .program import Program
from .program_list import ProgramList

if TYPE_CHECKING:
    _Base = object
else:
    _Base = vectorcall.make_base("gradatim.backend.call.native.VectorcallBase")


# In alphabetical order, in which CPython lays them out.
_SLOTS = ("_on_error", "_programs", "_retired", "_slow", "_table")


class NativeCallable(ProgramList, _Base):
    """`function.CompiledCallable` by a function pointer that leads to machine code (call.ll)."""

    __slots__ = (*_SLOTS, "__dict__", "__weakref__")

    _retired: list[tuple[bytes, tuple[Program, ...]]]
    _table: bytes

    def __init__(self, slow: Callable[..., Any], on_error: Callable[..., Any]) -> None:
        self._slow = slow
        self._on_error = on_error
        self._retired = []
        self._programs = ()
        self._table = _table(())

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        vectorcall.enable(cls, _Base)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Take the slow path; CPython comes here only as long as there has been no program.

        The same holds for the `__call__` of a subclass.
        """
        return self._slow(*args, **kwargs)

    def _replace(self, programs: tuple[Program, ...]) -> None:
        old = (self._table, self._programs)
        self._table, self._programs = _table(programs), programs
        # Another thread, or the very call that led here, may still be inside one of the old.
        if vectorcall.word_at(self, vectorcall.RUNNING_OFFSET).value:
            self._retired.append(old)
        else:
            self._retired.clear()
        vectorcall.word_at(self, vectorcall.POINTER_OFFSET).value = runtime.call_address()


def _check_slots() -> None:
    """Raise RuntimeError if an instance is not laid out like %callable in call.ll."""
    instance = NativeCallable(_check_slots, abs)
    for position, name in enumerate(_SLOTS):
        offset = vectorcall.BASE_SIZE + 8 * position
        if vectorcall.word_at(instance, offset).value != id(getattr(instance, name)):
            raise RuntimeError(f"the slot {name} of a Python object is not where it is expected")


def _table(programs: tuple[Program, ...]) -> bytes:
    """The addresses of the programs' tables, ended by a null."""
    addresses = [program.table_address for program in programs]
    return struct.pack(f"={len(addresses) + 1}Q", *addresses, 0)


vectorcall.enable(NativeCallable, _Base)
_check_slots()
