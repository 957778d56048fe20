"""The routines that sort lines of memory (sorting.ll), compiled when a program first needs them.

A routine is named by what it does and by the elements it does it to, ``gd.sort.f32``:

* ``sort`` sorts one array,
* ``order`` finds the permutation that sorts one, and ``reorder`` makes an order that is there one
  that sorts another array first,
* ``take`` applies a permutation; ``gd.take.f32``.
"""

from __future__ import annotations

import ctypes
import functools
import re
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from . import cache, jit, numpy_sort

PREFIXES: Final = ("gd.sort.", "gd.order.", "gd.reorder.", "gd.take.")
"""How the names of routines begin."""

_DIGITS_FROM: Final = {1: 48, 2: 96, 4: 192, 8: 640}
"""From so many items on digits are faster than merging, by their number."""

_NUMPY_SORT: Final = "gd.numpy.sort"
"""The variable of a routine that points to NumPy's sort of its items, if there is one."""

_NUMPY_BITS: Final = (32, 64)
"""The sizes of items that NumPy sorts by vector instructions."""

_NUMPY_ALONE: Final = 1 << 62
_NUMPY_NUMBERED: Final = 3000
"""The most items that NumPy sorts faster than digits are, alone and with numbers."""

_NAN: Final = {32: 0x7FC00000, 64: 0x7FF8000000000000}
_FLOATS: Final = {32: "float", 64: "double"}


def is_sorting_symbol(name: str) -> bool:
    """Tell whether a symbol is one of the routines."""
    return name.startswith(PREFIXES)


class _Routine(NamedTuple):
    """What a routine does, and the kind and the bits of the elements it does it to."""

    action: str
    name: str
    kind: str
    bits: int

    @property
    def number_bits(self) -> int:
        """The bits of an item that number its element."""
        return 0 if self.action == "sort" else 64 if self.bits == 64 else 32

    @property
    def item_bits(self) -> int:
        """The bits of an item."""
        return 2 * self.number_bits or self.bits


@functools.cache
def address_of(symbol: str) -> int:
    """Return the address of a routine, which is there until the process ends.

    Raises:
        ValueError: if there is no such routine.
    """
    routine = _parsed(symbol)
    text = _text(routine)
    code = jit.cached_object(text) if cache.enabled() else jit.compile_object(text)
    calls_numpy = routine.action != "take" and routine.item_bits in _NUMPY_BITS
    linked = jit.link(code, exports=[symbol, _NUMPY_SORT] if calls_numpy else [symbol])
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(linked))
    if calls_numpy:
        pointer = ctypes.c_size_t.from_address(linked.address(_NUMPY_SORT))
        pointer.value = numpy_sort.address_of(routine.item_bits)
    return linked.address(symbol)


def _parsed(symbol: str) -> _Routine:
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        raise ValueError(f"there is no routine {symbol}")
    action, name = match.groups()
    kind = name.rstrip("0123456789")
    return _Routine(action, name, kind, int(name.removeprefix(kind) or 8))


_SYMBOL: Final = re.compile(r"gd\.(sort|order|reorder|take)\.(bool|[ui](?:8|16|32|64)|f(?:32|64))")
_KINDS: Final = {"bool": "unsigned", "u": "unsigned", "i": "signed", "f": "float"}


def _text(routine: _Routine) -> str:
    """Return the LLVM IR of a routine."""
    parts = [routine.action, _KINDS[routine.kind]]
    if routine.action != "take":
        parts.append("items")
    if routine.number_bits:
        parts.append("numbers")
    words = _words(routine)
    return "\n".join(Template(_parts()[part]).substitute(words) for part in parts)


def _words(routine: _Routine) -> dict[str, object]:
    """Return what the words of sorting.ll stand for."""
    bits, item_bits, low = routine.bits, routine.item_bits, routine.number_bits
    passes = bits // 8
    return {
        "name": routine.name,
        "key": f"i{bits}",
        "key_align": bits // 8,
        "sign": -(1 << (bits - 1)),
        "sign_bit": bits - 1,
        "float": _FLOATS.get(bits, ""),
        "nan": _NAN.get(bits, ""),
        "item": f"i{item_bits}",
        "bytes": item_bits // 8,
        "align": min(item_bits // 8, 8),
        "low": low,
        "passes": passes,
        "count_bytes": passes * 256 * 4,
        "count_digits": "\n".join(_count_digit(item_bits, low, passes, p) for p in range(passes)),
        "to_byte": "bitcast" if item_bits == 8 else "trunc",
        "shift_cast": _cast("i64 %shift.64", 64, item_bits),
        "number_cast": _cast("i64 %i", 64, item_bits),
        "index_cast": _cast(f"i{low} %number", low, 64),
        "digits_from": _DIGITS_FROM[passes],
        "numpy_until": _NUMPY_NUMBERED if low == 32 else _NUMPY_ALONE if bits >= 32 else 0,
    }


def _cast(value: str, bits: int, target: int) -> str:
    cast = "bitcast" if bits == target else "zext" if bits < target else "trunc"
    return f"{cast} {value} to i{target}"


def _count_digit(bits: int, low: int, passes: int, number: int) -> str:
    """Return the lines that count one digit of an item %x."""
    d = f"%d{number}"
    byte = "bitcast" if bits == 8 else "trunc"
    return f"""\
  {d}.row = getelementptr [256 x i32], ptr %counts, i64 {number}
  {d}.shifted = lshr i{bits} %x, {low + 8 * number}
  {d}.byte = {byte} i{bits} {d}.shifted to i8
  {d}.digit = zext i8 {d}.byte to i64
  {d}.place = getelementptr i32, ptr {d}.row, i64 {d}.digit
  {d}.count = load i32, ptr {d}.place, align 4
  {d}.more = add i32 {d}.count, 1
  store i32 {d}.more, ptr {d}.place, align 4"""


@functools.cache
def _parts() -> dict[str, str]:
    """Return the parts of sorting.ll by name."""
    text = Path(__file__).with_suffix(".ll").read_text(encoding="utf-8")
    _, *parts = _RULER.split(text)
    return dict(zip(parts[::2], parts[1::2]))


_RULER: Final = re.compile(r"^;-{3,} (\w+)$", re.MULTILINE)
