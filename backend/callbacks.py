"""Calls from compiled code to Python functions.

Compiled code refers to each by a symbol that says which function of the program it is, and on what
arrays, ``gd.callback.0.f64x3_i32.to.f64``, so that objects hold no addresses.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

_SYMBOL: Final = re.compile(r"gd\.callback\.(\d+)\.(.*)\.to\.(.*)")
_DTYPE: Final = re.compile(r"(bool|[iufc])(\d*)")

Function = Callable[..., Sequence[Any]]
"""Takes arrays and returns arrays."""


class _Array(NamedTuple):
    """The type of an array in memory."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @classmethod
    def of(cls, text: str) -> _Array:
        """Read ``f64x3``."""
        name, *sizes = text.split("x")
        match = _DTYPE.fullmatch(name)
        assert match is not None
        kind, bits = match.groups()
        code = "?" if kind == "bool" else f"{kind}{int(bits) // 8}"
        return cls(tuple(map(int, sizes)), np.dtype(code))

    def at(self, address: int | None) -> np.ndarray[Any, Any]:
        """Return the array at an address, without copying it."""
        size = prod(self.shape) * self.dtype.itemsize
        if not size:
            return np.empty(self.shape, self.dtype)
        memory: Any = (ctypes.c_char * size).from_address(address or 0)
        return np.frombuffer(memory, self.dtype).reshape(self.shape)


def is_callback_symbol(name: str) -> bool:
    """Tell whether a symbol stands for a Python function."""
    return _SYMBOL.fullmatch(name) is not None


class Callbacks:
    """The Python functions of one program.

    What a function raises ends no compiled code: it is kept, the functions are not called any more
    in this thread, their results are zeros, and `raise_pending` raises it once the program is done.

    Args:
        functions: by their numbers.
    """

    def __init__(self, functions: Sequence[Function]) -> None:
        self._functions = functions
        self._kept: list[Any] = []
        self._pending = threading.local()

    def addresses(self, symbols: Iterable[str]) -> dict[str, int]:
        """Return what symbols of callbacks stand for, which lives as long as this object."""
        return {symbol: self._address(symbol) for symbol in symbols}

    def raise_pending(self) -> None:
        """Raise what a function has raised in this thread since the last time."""
        error = getattr(self._pending, "error", None)
        if error is not None:
            self._pending.error = None
            raise error

    def _address(self, symbol: str) -> int:
        match = _SYMBOL.fullmatch(symbol)
        assert match is not None
        number, *sides = match.groups()
        inputs, outputs = ([_Array.of(t) for t in side.split("_") if t] for side in sides)
        function = self._functions[int(number)]

        def call(*addresses: int | None) -> None:
            arrays = [a.at(p) for a, p in zip(inputs + outputs, addresses)]
            given, wanted = arrays[: len(inputs)], arrays[len(inputs) :]
            self._call(function, [a.copy() for a in given], wanted)

        pointers = [ctypes.c_void_p] * (len(inputs) + len(outputs))
        entry = ctypes.CFUNCTYPE(None, *pointers)(call)
        self._kept.append(entry)
        address = ctypes.cast(entry, ctypes.c_void_p).value
        assert address is not None
        return address

    def _call(self, function: Function, given: Sequence[Any], wanted: Sequence[Any]) -> None:
        try:
            if getattr(self._pending, "error", None) is None:
                for place, value in zip(wanted, function(*given), strict=True):
                    place[...] = _as_stored(value, place)
                return
        except BaseException as error:  # it must not reach compiled code
            self._pending.error = error
        for place in wanted:
            place[...] = 0


def _as_stored(value: Any, place: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array as it lies in memory, where complex numbers are their two parts."""
    array = np.ascontiguousarray(value).reshape(np.shape(value))
    if array.dtype.kind != "c":
        return array
    return array[..., None].view(place.dtype)
