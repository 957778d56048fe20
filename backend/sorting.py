"""The routines that sort lines of memory, compiled when a program first needs them.

A routine is named by what it does and by the elements it does it to, ``gd.sort.f32``:

* ``sort`` sorts a line,
* ``order`` finds the permutation that sorts a line, and ``reorder`` makes an order that is there
  one that sorts another line first,
* ``take`` applies a permutation.

Those are written in sorting.ll; ``sort_lanes``, ``order_lanes`` and ``take_lanes`` do the same to
many short lines at once (sorting_lanes.ll).
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final, NamedTuple

from . import cache, jit, numpy_sort

MOST_ORDERED_LANES: Final = 256
"""The longest lines whose permutations ``order_lanes`` finds."""

_DIGITS_FROM: Final = {1: 48, 2: 96, 4: 192, 8: 640}
"""From so many items on digits are faster than merging, by their number."""

_NUMPY_SORT: Final = "gd.numpy.sort"
"""The variable of a routine that points to NumPy's sort of its items, if there is one."""

_NUMPY_BITS: Final = (32, 64)
"""The sizes of items that NumPy sorts by vector instructions."""

_NUMPY_UNTIL: Final = 1 << 16
"""The most items of four digits or fewer that are left to NumPy."""

_NAN: Final = {32: 0x7FC00000, 64: 0x7FF8000000000000}
_FLOATS: Final = {32: "float", 64: "double"}


def is_sorting_symbol(name: str) -> bool:
    """Tell whether a symbol is one of the routines."""
    return _SYMBOL.fullmatch(name) is not None


class _Routine(NamedTuple):
    """What a routine does, and the kind and the bits of the elements it does it to."""

    action: str
    name: str
    kind: str
    bits: int

    @property
    def item_bits(self) -> int:
        """The bits of an item: those of an element, or 64 if a number is part of it."""
        return 64 if self.action in ("order", "reorder") else self.bits

    @property
    def lanes(self) -> int:
        """The elements that are taken at a time where that is possible."""
        return min(512 // self.bits, 16)

    @property
    def sorts_by_numpy(self) -> bool:
        """Tell whether NumPy may sort the items."""
        return "items" in _PARTS[self.action] and self.item_bits in _NUMPY_BITS


@functools.cache
def address_of(symbol: str) -> int:
    """Return the address of a routine, which is there until the process ends.

    Raises:
        ValueError: if there is no such routine.
    """
    routine = _parsed(symbol)
    text = _text(routine)
    code = jit.cached_object(text) if cache.enabled() else jit.compile_object(text)
    exports = [symbol, _NUMPY_SORT] if routine.sorts_by_numpy else [symbol]
    linked = jit.link(code, exports=exports)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(linked))
    if routine.sorts_by_numpy:
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


_SYMBOL: Final = re.compile(
    r"gd\.((?:sort|order|take)(?:_lanes)?|reorder)\.(bool|[ui](?:8|16|32|64)|f(?:32|64))"
)
_KINDS: Final = {"bool": "unsigned", "u": "unsigned", "i": "signed", "f": "float"}


def _text(routine: _Routine) -> str:
    """Return the LLVM IR of a routine."""
    words = _words(routine)
    texts = [_filled(part, words) for part in _PARTS[routine.action]]
    if routine.action in ("order", "reorder"):
        texts.append(_filled("wide" if routine.bits == 64 else "narrow", words))
    if not routine.action.startswith("take"):
        kind = _KINDS[routine.kind]
        texts += [_filled(kind, words | _type_words(routine.bits, n)) for n in (0, routine.lanes)]
    return "\n".join(texts)


_PARTS: Final = {
    "sort": ("items", "sort"),
    "order": ("items", "order", "arrange"),
    "reorder": ("items", "reorder", "arrange"),
    "take": ("take",),
    "sort_lanes": ("network", "sort_lanes"),
    "order_lanes": ("network", "order_lanes"),
    "take_lanes": ("take_lanes",),
}
"""What each routine is made of, beside parts that depend on its elements."""


def _words(routine: _Routine) -> dict[str, object]:
    """Return what the words of sorting.ll stand for."""
    bits, item_bits = routine.bits, routine.item_bits
    low = 0 if item_bits == bits else 32
    passes = bits // 8
    is_short = low == 32
    return {
        "name": routine.name,
        "key": f"i{bits}",
        "key_align": bits // 8,
        "lanes": routine.lanes,
        "key_lanes": f"<{routine.lanes} x i{bits}>",
        "widen": "bitcast" if bits == 64 else "zext",
        "half_digit": 0 if is_short else 4,
        "item": f"i{item_bits}",
        "bytes": item_bits // 8,
        "align": item_bits // 8,
        "low": low,
        "passes": passes,
        "count_bytes": passes * 256 * 4,
        "count_digits": "\n".join(_count_digit(item_bits, low, p) for p in range(passes)),
        "to_byte": "bitcast" if item_bits == 8 else "trunc",
        "shift_cast": f"{_resize(64, item_bits)} i64 %shift.64 to i{item_bits}",
        "digits_from": _DIGITS_FROM[passes],
        **_lane_words(routine),
        "numpy_until": (_NUMPY_UNTIL if is_short else 1 << 62) if routine.sorts_by_numpy else 0,
    }


def _lane_words(routine: _Routine) -> dict[str, object]:
    """Return what the words of sorting_lanes.ll stand for."""
    bits, lanes = routine.bits, routine.lanes
    finds_order = routine.action == "order_lanes"
    result_bits = 64 if finds_order else bits
    return {
        "row_bytes": bits // 8 * lanes * (1 + finds_order),
        "key_code": f"v{lanes}i{bits}",
        "result": f"i{result_bits}",
        "result_lanes": f"<{lanes} x i{result_bits}>",
        "result_align": result_bits // 8,
        "number_cast": _resize(64, bits),
        "most": MOST_ORDERED_LANES,
    }


def _type_words(bits: int, lanes: int) -> dict[str, object]:
    """Return what the words of a kind of elements stand for: of scalars (no lanes) or vectors."""

    def typed(scalar: str) -> str:
        return f"<{lanes} x {scalar}>" if lanes else scalar

    def constant(value: int) -> str:
        return f"splat (i{bits} {value})" if lanes else str(value)

    return {
        "suffix": ".lanes" if lanes else "",
        "type": typed(f"i{bits}"),
        "bool": typed("i1"),
        "float": typed(_FLOATS.get(bits, "")),
        "nan": constant(_NAN.get(bits, 0)),
        "sign": constant(-(1 << (bits - 1))),
        "sign_bit": constant(bits - 1),
        "ones": constant(-1),
    }


def _resize(bits: int, target: int) -> str:
    return "bitcast" if bits == target else "zext" if bits < target else "trunc"


def _count_digit(bits: int, low: int, number: int) -> str:
    """Return the lines that count one digit of an item %x."""
    d = f"%d{number}"
    return f"""\
  {d}.row = getelementptr [256 x i32], ptr %counts, i64 {number}
  {d}.shifted = lshr i{bits} %x, {low + 8 * number}
  {d}.byte = {_resize(bits, 8)} i{bits} {d}.shifted to i8
  {d}.digit = zext i8 {d}.byte to i64
  {d}.place = getelementptr i32, ptr {d}.row, i64 {d}.digit
  {d}.count = load i32, ptr {d}.place, align 4
  {d}.more = add i32 {d}.count, 1
  store i32 {d}.more, ptr {d}.place, align 4"""


def _filled(part: str, words: Mapping[str, object]) -> str:
    return Template(_parts()[part]).substitute(words)


@functools.cache
def _parts() -> dict[str, str]:
    """Return the parts of both files by name."""
    found: dict[str, str] = {}
    for file in ("sorting.ll", "sorting_lanes.ll"):
        _, *parts = _RULER.split(Path(__file__).with_name(file).read_text(encoding="utf-8"))
        found |= zip(parts[::2], parts[1::2])
    return found


_RULER: Final = re.compile(r"^;-{3,} (\w+)$", re.MULTILINE)
