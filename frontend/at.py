"""JAX's ``x.at[index].set(value)``: updates that give a new array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from ..ir.locations import spell_location
from .errors import ArgumentError
from .indexing import updated
from .indexing.parsing import traced_in
from .numpy.creation import asarray
from .numpy.operands import is_traced, traced_arrays, xp
from .numpy.selection import where as choose
from .source import user_location
from .tracer import Tracer

MODES: Final = (None, "drop", "fill", "clip", "promise_in_bounds", "wrap")
"""What may be done about positions out of range; ``fill`` and ``drop`` mean the same."""

_COMBINERS: Final[dict[str, np.ufunc]] = {
    "add": np.add,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}


class At:
    """What ``x.at`` is: to be indexed.

    Args:
        array: a traced value or an array, which stays as it is.
    """

    def __init__(self, array: Any) -> None:
        self._array = array

    def __getitem__(self, index: Any) -> Elements:
        """Return the elements at an index; all that NumPy indexes by."""
        return Elements(self._array, index)

    def __repr__(self) -> str:
        return f"{self._array!r}.at"


def _update(name: str, kind: str) -> Callable[..., Any]:
    def method(
        self: Elements,
        values: Any,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        return self._updated(kind, values, mode, wrap_negative_indices)

    method.__name__, method.__qualname__ = name, f"Elements.{name}"
    method.__doc__ = f"Return the array after ``x[index]`` was updated by ``{name}``."
    return method


class Elements:
    """Elements of an array, of which methods make a new array; the array stays as it is.

    All methods take JAX's keyword arguments. ``indices_are_sorted`` and ``unique_indices`` are
    promises that are not needed here. ``mode`` tells what happens to positions out of range:
    ``drop`` or ``fill`` leave them out of updates, and read ``fill_value``; ``clip`` takes the
    nearest element; ``wrap`` counts on from the other end; None is ``drop`` for updates and
    ``clip`` for ``get``. Negative positions count from the end, unless ``wrap_negative_indices`` is
    False. Where an element is indexed several times, ``set`` keeps the last value and the others
    combine all of them.

    Args:
        array: a traced value or an array.
        index: all that NumPy indexes by.
    """

    def __init__(self, array: Any, index: Any) -> None:
        self._array = array if type(array) is Tracer else np.asarray(array)
        self._key = index if type(index) is tuple else (index,)

    set = _update("set", "set")
    add = _update("add", "add")
    multiply = mul = _update("multiply", "mul")
    min = _update("min", "min")
    max = _update("max", "max")

    def subtract(self, values: Any, **options: Any) -> Any:
        """Return the array after values were subtracted from ``x[index]``."""
        return self.add(xp.negative(values), **options)

    def divide(self, values: Any, **options: Any) -> Any:
        """Return the array after ``x[index]`` was divided by values."""
        return xp.divide(self._array, self._product(values, options))

    def power(self, values: Any, **options: Any) -> Any:
        """Return the array after ``x[index]`` was raised to powers."""
        return xp.power(self._array, self._product(values, options))

    def _product(self, values: Any, options: dict[str, Any]) -> Any:
        """Return the product of all values of an element, and 1 for the others."""
        ones = xp.ones_like(self._array, dtype=xp.result_type(self._array, values))
        return Elements(ones, self._key).multiply(values, **options)

    def apply(self, func: Callable[[Any], Any], **options: Any) -> Any:
        """Return the array after ``x[index]`` was replaced by ``func(x[index])``."""
        return self.set(func(self.get(**options)), **options)

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
        fill_value: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        """Return ``x[index]``, and ``fill_value`` for positions out of range under ``mode="fill"``.

        The fill value is NaN if none is given, for integers the lowest or, of unsigned ones, the
        highest number, and for bools True.
        """
        mode = _known_mode(mode) or "clip"
        self._trace_array(())
        key = self._adjusted(mode, wrap_negative_indices)
        if mode not in _LEFT_OUT:
            return self._array[key].copy()
        return self._padded(fill_value)[key].copy()

    def _updated(self, kind: str, values: Any, mode: Any, wrap_negative: bool) -> Any:
        mode = _known_mode(mode) or "drop"
        self._trace_array((values,))
        key = self._adjusted(mode, wrap_negative)
        if mode not in _LEFT_OUT or self._may_be_stored_by(key):
            return _stored(self._array, key, values, kind)
        return self._cut(_stored(self._padded(0), key, values, kind))

    def _trace_array(self, values: tuple[Any, ...]) -> None:
        """Make the array a traced one if the index or values are."""
        if not isinstance(self._array, Tracer) and is_traced((*values, *self._key)):
            self._array = traced_arrays(self._array, *values, *traced_in(self._key))[1][0]

    def _positions(self) -> Iterator[tuple[int, int, Any]]:
        """Walk through the integers and integer arrays: number in the index, axis, positions."""
        items = [_as_positions(item) for item in self._key]
        used = [0 if item is None or item is Ellipsis else _used(item) for item in items]
        axis = 0
        for number, item in enumerate(items):
            if item is Ellipsis:
                axis = self._array.ndim - sum(used[number:])
            elif hasattr(item, "dtype") and item.dtype.kind in "iu":
                yield number, axis, item
            axis += used[number]

    def _adjusted(self, mode: str, wrap_negative: bool) -> tuple[Any, ...]:
        """Return the index with positions in range, or one past the end to leave them out."""
        key = list(self._key)
        for number, axis, item in self._positions():
            size = self._array.shape[axis]
            found = choose(item < 0, item + size, item) if wrap_negative else item
            if mode in _LEFT_OUT:
                found = choose((found < 0) | (found >= size), size, found)
            else:
                found = found % size if mode == "wrap" else xp.clip(found, 0, size - 1)
            key[number] = found if isinstance(found, Tracer) else np.asarray(found)[()]
        return tuple(key)

    def _may_be_stored_by(self, key: tuple[Any, ...]) -> bool:
        """Tell whether storing leaves out what must be left out: positions that are traced."""
        return all(
            isinstance(key[number], Tracer) or np.all(key[number] < self._array.shape[axis])
            for number, axis, _ in self._positions()
        )

    def _padded(self, fill_value: Any) -> Any:
        """Return the array with one more element behind each axis indexed by positions."""
        value = _fill_value(self._array.dtype) if fill_value is None else fill_value
        widths = [(0, 0)] * self._array.ndim
        for _, axis, _ in self._positions():
            widths[axis] = (0, 1)
        value = traced_arrays(value)[1][0] if isinstance(value, Tracer) else np.asarray(value)
        return xp.pad(self._array, widths, constant_values=value.astype(self._array.dtype))

    def _cut(self, padded: Any) -> Any:
        """Undo `_padded`."""
        return padded[tuple(slice(0, size) for size in self._array.shape)].copy()


_LEFT_OUT: Final = ("drop", "fill")


def _known_mode(mode: Any) -> str | None:
    """Return a mode by its name.

    Raises:
        ArgumentError: if there is no such mode.
    """
    name = getattr(mode, "name", mode)  # JAX has an enumeration too
    name = name.lower() if isinstance(name, str) else name
    if name not in MODES:
        known = ", ".join(repr(known) for known in MODES)
        raise ArgumentError(
            f"mode must be one of {known}, not {mode!r}", spell_location(user_location())
        )
    return name


def _as_positions(item: Any) -> Any:
    if item is None or item is Ellipsis or isinstance(item, (slice, Tracer)):
        return item
    return asarray(item) if is_traced((item,)) else np.asarray(item)


def _used(item: Any) -> int:
    """Return how many dimensions a part of an index takes."""
    return item.ndim if getattr(item, "dtype", None) == np.bool_ else 1


def _fill_value(dtype: np.dtype) -> Any:
    if dtype.kind in "fc":
        return np.nan
    if dtype.kind == "b":
        return True
    limits = np.iinfo(dtype)
    return limits.max if dtype.kind == "u" else limits.min


def _stored(array: Any, key: tuple[Any, ...], values: Any, kind: str) -> Any:
    """Return an array after an update."""
    if isinstance(array, Tracer):
        return updated(array, key, values, kind)
    new = array.copy()
    if kind == "set":
        new[key] = values
    else:
        _COMBINERS[kind].at(new, key, np.asarray(values).astype(new.dtype))
    return new
