"""Indexing and storing: ``x[index]``, ``x[index] = value``, ``x.flat``, and ``out=``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from ..ir.locations import spell_location
from .errors import TracerMutationError
from .source import user_location
from .tracer import Tracer
from .tracing import trace_of_store
from .views import Indexed, View


def item(x: Any, index: Any) -> Any:
    """Return ``x[index]``: a view for basic indexing, a copy for advanced indexing and elements."""
    from .indexing import indexed
    from .selected import selected

    key = _key(index)
    if len(key) == 1 and _is_mask(key[0]) and 0 < key[0].ndim <= x.ndim:
        return selected(x, key[0])
    part = indexed(x, key)
    if not x.is_scalar and _gives_view(x, key):
        part._view = View(x, Indexed(tuple(map(_frozen, key))))
    return part


def store(x: Tracer, index: Any, value: Any) -> None:
    """Do ``x[index] = value``.

    Raises:
        TypeError: if x stands for a Python scalar.
        ShapeError: if the value cannot be broadcast to the elements.
        ValueError: if x cannot be written to.
    """
    from .indexing import updated
    from .selected import Selected, stored

    if x.weak:
        kind = {"b": "bool", "i": "int", "f": "float", "c": "complex"}[x.dtype.kind]
        raise TypeError(f"'{kind}' object does not support item assignment")  # Python's words
    key = _key(index)
    if len(key) == 1 and type(value) is Selected and _is_mask(key[0]):
        x.assign(stored(x, key[0], value))
    elif not _is_stored(x, key, value):
        trace_of_store(x)
        x.assign(updated(x, key, value))


def _is_mask(part: Any) -> bool:
    return type(part) is Tracer and part.dtype.kind == "b"


def _key(index: Any) -> tuple[Any, ...]:
    return index if type(index) is tuple else (index,)


_SCALARS: Final = (int, np.integer)
_BASIC: Final = (type(None), type(Ellipsis), slice)


def _is_position(part: Any) -> bool:
    """Tell whether a part of an index is an integer, and not an array of one integer."""
    if type(part) is Tracer:
        return part.is_scalar and part.dtype.kind in "iu"
    return isinstance(part, _SCALARS) and type(part) is not bool


def _gives_view(x: Tracer, key: tuple[Any, ...]) -> bool:
    """Tell whether indexing is basic and gives an array, not an element."""
    positions = sum(map(_is_position, key))
    others = sum(isinstance(part, _BASIC) for part in key)
    return positions + others == len(key) and (others > 0 or positions < x.ndim)


def _frozen(part: Any) -> Any:
    """Return a part of an index that later stores do not change."""
    return Tracer(part.value, part.trace) if type(part) is Tracer else part


def _is_stored(x: Tracer, key: tuple[Any, ...], value: Any) -> bool:
    """Tell whether a store would put a view where it is: the second half of ``x[i] += v``."""
    if type(value) is not Tracer or value._view is None or value._view.parent is not x:
        return False
    kind = value._view.kind
    if type(kind) is not Indexed or len(kind.index) != len(key):
        return False
    return all(map(_is_same_part, kind.index, key))


def _is_same_part(a: Any, b: Any) -> bool:
    if type(a) is Tracer or type(b) is Tracer:
        return type(a) is type(b) and a.value is b.value
    return type(a) is type(b) and bool(a == b)


def stored_result(out: Any, result: Any, what: str, casting: str = "same_kind") -> Any:
    """Store what a function computed in the array given as ``out=``, and return that array.

    Args:
        out: the array.
        result: a traced value, or an array or number.
        what: the function, as ``numpy.add``, for messages.
        casting: which conversions are allowed, as NumPy names them.

    Raises:
        TracerMutationError: if ``out`` is an ordinary array.
        TypeError: if ``casting`` does not allow the conversion.
        ValueError: if the shapes differ.
    """
    target = traced_target(out, f"`{what}` with `out=`, or an operator such as `+=`,")
    trace = trace_of_store(target)
    found: Any = trace.lift(result)
    found = found if type(found) is Tracer else trace.constant(found)
    require_castable(found.dtype, out.dtype, what, casting)
    if found.shape != out.shape:
        raise ValueError(
            f"output array of shape {out.shape} does not match the shape {found.shape} of what "
            f"`{what}` gives"
        )
    target.assign(trace.tracer(trace.builder.convert(found.value, out.dtype)))
    return out


def traced_target(out: Any, what: str) -> Tracer:
    """Return the array that something stores in, as a traced one.

    Raises:
        TracerMutationError: if it is an ordinary array.
    """
    from .local import LocalArray, become_traced

    if type(out) is LocalArray:
        become_traced(out)
    if type(out) is not Tracer:
        raise plain_array_error(what)
    return out


def require_castable(found: np.dtype, wanted: np.dtype, what: str, casting: Any) -> None:
    """Raise TypeError if a function's result may not be stored as another dtype."""
    if not np.can_cast(found, wanted, casting):
        raise TypeError(
            f"Cannot cast `{what}` output from {found!r} to {wanted!r} "
            f"with casting rule '{casting}'"
        )


def plain_array_error(what: str) -> TracerMutationError:
    """Return the error that something would put a traced value into an ordinary array."""
    return TracerMutationError(
        f"{what} would store a traced value in a numpy.ndarray, which holds numbers only; make "
        "the array by `gradatim.numpy` (such as `gradatim.numpy.zeros(n)`), whose arrays can hold "
        "traced values, or start from a traced one (`np.zeros_like(x)`)",
        spell_location(user_location()),
    )


class Flat:
    """The elements of an array in C order, as ``numpy.flatiter``.

    Attributes:
        base: the array.
    """

    def __init__(self, base: Any) -> None:
        self.base = base

    def __len__(self) -> int:
        return int(self.base.size)

    def __iter__(self) -> Iterator[Any]:
        elements = self.copy()
        return (elements[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        return self.copy()[index].copy()

    def __setitem__(self, index: Any, values: Any) -> None:
        """Store values, of which there may be more than needed, or fewer, which are repeated."""
        from .numpy.operands import is_traced, traced_arrays, xp

        key = index if is_traced((index,)) else np.arange(len(self))[index]
        flat = self.copy()
        if np.size(key):
            value = traced_arrays(flat, values)[1][1]
            flat[key] = xp.resize(value, np.shape(key))
        self.base[...] = flat.reshape(self.base.shape)

    def copy(self) -> Any:
        """Return the elements as an array."""
        return self.base.flatten()
