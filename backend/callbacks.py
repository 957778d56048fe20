"""Calls from compiled code to Python functions.

Compiled code refers to each by a symbol that says which function of the program it is, and on what
arrays, ``gd.callback.0.f64x3_i32.to.f64``, so that objects hold no addresses.

What a function raises cannot pass through compiled code. It is kept, and the program's status says
so: no more functions are called, loops end, and where the program's status is looked at the error
is raised.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from ..ir.kernel.buffers import RAISED

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


_STATUS: Final = _Array((), np.dtype(np.int32))


def is_callback_symbol(name: str) -> bool:
    """Tell whether a symbol stands for a Python function."""
    return _SYMBOL.fullmatch(name) is not None


class Callbacks:
    """The Python functions that a program calls, as compiled code sees them.

    Args:
        functions: by their numbers.
        symbols: those of the program.

    Attributes:
        addresses: what the symbols stand for, as long as this object lives.
    """

    def __init__(self, functions: Sequence[Function], symbols: Iterable[str]) -> None:
        self._entries = {symbol: _entry(functions, symbol) for symbol in symbols}
        self.addresses = {symbol: _address(entry) for symbol, entry in self._entries.items()}


_raised = threading.local()


def raise_pending() -> NoReturn:
    """Raise what made a program that ran in this thread return the status `RAISED`."""
    error: BaseException = _raised.error
    del _raised.error
    raise error


def _entry(functions: Sequence[Function], symbol: str) -> Any:
    """Return the C function that a symbol stands for."""
    match = _SYMBOL.fullmatch(symbol)
    assert match is not None
    number, *sides = match.groups()
    inputs, outputs = ([_Array.of(t) for t in side.split("_") if t] for side in sides)
    function, types = functions[int(number)], (*inputs, *outputs, _STATUS)

    def call(*addresses: int | None) -> None:
        *arrays, status = (type_.at(address) for type_, address in zip(types, addresses))
        given, wanted = arrays[: len(inputs)], arrays[len(inputs) :]
        _call(function, [array.copy() for array in given], wanted, status)

    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(types))(call)


def _address(entry: Any) -> int:
    address = ctypes.cast(entry, ctypes.c_void_p).value
    assert address is not None
    return address


def _call(
    function: Function,
    given: Sequence[Any],
    wanted: Sequence[Any],
    status: np.ndarray[Any, Any],
) -> None:
    """Call a function; if it raises, the results are zeros."""
    try:
        for place, value in zip(wanted, function(*given), strict=True):
            place[...] = _as_stored(value, place)
    except BaseException as error:  # it must not reach compiled code
        _raised.error = error
        status[...] = RAISED
        for place in wanted:
            place[...] = 0


def _as_stored(value: Any, place: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array as it lies in memory, where complex numbers are their two parts."""
    array = np.ascontiguousarray(value).reshape(np.shape(value))
    if array.dtype.kind != "c":
        return array
    return array[..., None].view(place.dtype)
