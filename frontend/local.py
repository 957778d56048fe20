"""Arrays made while a function is traced: concrete until something traced is stored in them.

``out = np.zeros(n); out[i] = f(x)`` cannot work on a ``numpy.ndarray``, whose memory holds numbers.
In a traced function what makes arrays therefore gives a `LocalArray`. It behaves as the array that
it holds, down to ``isinstance``: it can be an index, a condition or a size, and NumPy's functions
compute with it at once. When a traced value is first stored in it, it becomes a `Tracer`: the
object itself, so that all names and containers that refer to it see the change, and the views that
were taken of it become views of traced arrays.

Other ways were weighed. A subclass of ``numpy.ndarray`` would keep its memory after it was
changed, and C code would go on to read that. Replacing functions of the module ``numpy`` while
tracing would reach other threads and every library. Binding the name in ``out[i] = v`` to a new
value would lose other names of the array, and views of it.

What makes arrays is found where functions are rewritten, see `control_flow`: calls and operators.
In functions that cannot be, for want of their source, ``gradatim.numpy`` makes such arrays.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final
from weakref import WeakValueDictionary

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..ir.locations import spell_location
from . import stores
from .dispatch import FUNCTIONS
from .errors import TracerMutationError, UnsupportedError
from .source import user_location
from .stores import Flat
from .tracer import Cell, Tracer
from .tracing import Trace, current_trace, find_trace, outdate, within
from .views import SAME, View

Take = Callable[[], Any]
"""Takes a view again."""

_STORING_METHODS: Final = frozenset(("fill", "partition", "put", "resize", "sort"))
_STORING_FUNCTIONS: Final = frozenset(
    (np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask)
)

STORING_NAMES: Final = frozenset(
    ("at", *_STORING_METHODS, *(function.__name__ for function in _STORING_FUNCTIONS))
)
"""Names of what stores in an array; ``numpy.sort`` does not, but the method does."""

_numbers = count()


class _Part:
    """What makes a `LocalArray` a view.

    Attributes:
        root: the one whose memory it shows.
        take: takes the view again.
    """

    __slots__ = ("root", "take")

    def __init__(self, root: LocalArray, take: Take) -> None:
        self.root = root
        self.take = take


class LocalArray(Cell, NDArrayOperatorsMixin):
    """An array made while a function is traced; see the module.

    Args:
        array: what it holds.
        trace: in which it is made.
        part: for a view, of what.
    """

    __slots__ = ()

    __array_priority__ = 999
    __hash__ = None  # type: ignore[assignment]  # as arrays: `==` compares elements

    def __init__(self, array: np.ndarray, trace: Trace, part: _Part | None = None) -> None:
        self._value = array
        self._trace = trace
        self._view = part
        self._parts = None
        self._fixed = False
        self.weak = False
        self.zero_dim = True
        if part is not None:
            if part.root._parts is None:
                part.root._parts = WeakValueDictionary()
            part.root._parts[next(_numbers)] = self

    is_scalar: Final = False

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """What ``isinstance`` sees."""
        return np.ndarray

    @property
    def root(self) -> LocalArray:
        """The array whose memory it shows: that of which it is a view, or itself."""
        return self if self._view is None else self._view.root

    # As an array

    def __getattr__(self, name: str) -> Any:
        if name in ("__array_interface__", "__array_struct__"):
            raise AttributeError(name)  # so that NumPy asks for `__array__`
        found = getattr(self._value, name)
        if isinstance(found, np.ndarray):  # T, real, ...
            return _result(found, self, lambda: getattr(self, name))
        return _method(self, name) if callable(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("real", "imag", "flat"):
            getattr(self, name)[...] = value
        elif name in Cell.__slots__:
            object.__setattr__(self, name, value)
        else:
            raise AttributeError(f"`{name}` of an array cannot be set while a function is traced")

    def __getitem__(self, index: Any) -> Any:
        if _traced_in(index):
            return stores.item(self, index)
        return _result(self._value[_plain(index)], self, lambda: self[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        if to_be_changed(self, (index, value)):
            self[index] = value  # it is a tracer by now
        else:
            self._value[_plain(index)] = _plain(value)

    @property
    def at(self) -> Any:
        """JAX's updates that give a new array: ``x.at[index].set(value)``."""
        from .at import At

        return At(self._value)

    @property
    def flat(self) -> Any:
        """The elements in C order, to be indexed and stored into."""
        return _Flat(self)

    def __iter__(self) -> Iterator[Any]:
        if not self._value.ndim:
            raise TypeError("iteration over a 0-d array")  # NumPy's words
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __float__(self) -> float:
        return float(self._value)

    def __complex__(self) -> complex:
        return complex(self._value)

    def __index__(self) -> int:
        return int(self._value.__index__())

    def __contains__(self, item: Any) -> bool:
        return item in self._value

    def __repr__(self) -> str:
        return repr(self._value)

    def __str__(self) -> str:
        return str(self._value)

    def __format__(self, specification: str) -> str:
        return format(self._value, specification)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._value, dtype, copy=copy)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Any:
        return self.copy()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._value.__reduce_ex__(protocol)

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operands = (inputs, kwargs)
        for target in inputs[:1] if method == "at" else kwargs.get("out", ()):
            to_be_changed(target, operands)
        traced = _traced_in(operands)
        if traced:
            return traced[0].__array_ufunc__(ufunc, method, *inputs, **kwargs)
        found = getattr(ufunc, method)(*_plain(inputs), **_plain(kwargs))
        return _result(found, operands)

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        operands = (args, kwargs)
        to_be_changed(args[0] if function in _STORING_FUNCTIONS else kwargs.get("out"), operands)
        traced = _traced_in(operands)
        if traced:
            return traced[0].__array_function__(function, types, args, kwargs)
        found = function(*_plain(args), **_plain(kwargs))
        return _result(found, operands, lambda: function(*args, **kwargs))


class _Flat(Flat):
    """The elements of an array in C order, which may become traced."""

    def __setitem__(self, index: Any, values: Any) -> None:
        if to_be_changed(self.base, (index, values)):
            super().__setitem__(index, values)
        else:
            self.base._value.flat[_plain(index)] = _plain(values)


def _method(x: LocalArray, name: str) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        operands = (args, kwargs)
        to_be_changed(x if name in _STORING_METHODS else kwargs.get("out"), operands)
        if type(x) is not LocalArray:  # it is a tracer by now
            return getattr(x, name)(*args, **kwargs)
        traced = _traced_in(operands)
        if traced:
            trace = find_trace(traced)
            assert trace is not None
            return getattr(trace.lift(x), name)(*args, **kwargs)
        found = getattr(x._value, name)(*_plain(args), **_plain(kwargs))
        return _result(found, (x, *operands), lambda: getattr(x, name)(*args, **kwargs))

    return method


# Becoming traced


def to_be_changed(target: Any, operands: Any) -> bool:
    """Prepare a store into an array: make it a `Tracer` if it has to be one.

    It has to be if an operand of the store is traced, and if the store belongs to a branch, a
    loop's body or another function inside the one in which the array was made: it may happen not at
    all there, or many times.

    Returns:
        Whether the target is traced.

    Raises:
        TracerMutationError: if an ordinary array refers to its memory, or the function in which it
            was made has ended.
        ValueError: if the array cannot be written to.
    """
    if type(target) is LocalArray:
        current = current_trace()
        if _traced_in(operands) or (current is not None and current is not target.root._trace):
            become_traced(target)
    return type(target) is Tracer


def become_traced(x: LocalArray) -> None:
    """Make an array, that of which it is a view, and all other views of that, traced ones.

    Raises:
        TracerMutationError: if an ordinary array refers to its memory, or the function in which it
            was made has ended.
        ValueError: if the array cannot be written to.
    """
    if not x._value.flags.writeable:
        raise ValueError("assignment destination is read-only")  # NumPy's words
    root = x.root
    parts: list[LocalArray] = list(root._parts.values()) if root._parts is not None else []
    _require_sole(root, parts)
    trace = root._trace
    if trace.finished:
        raise _refused(f"it was made while `{trace.name}` was traced, which has ended")
    trace.locate()
    outdate(trace)
    _become(root, Tracer(trace.value_of_array(root._value), trace))
    for part in parts:
        with within(trace):
            taken: Any = part._view.take()
        if type(taken) is not Tracer or (taken is not root and not _is_view_of(taken, root)):
            raise UnsupportedError(
                "a traced value is to be stored in an array of which there is a view that traced "
                "arrays do not have",
                spell_location(user_location()),
            )
        _become(part, taken)


def _is_view_of(x: Tracer, root: Any) -> bool:
    return x._view is not None and x._view.root is root


def _become(x: LocalArray, traced: Tracer) -> None:
    for conversions in _noted.stack:
        conversions.note(x)
    x._value, x._trace = traced.value, traced.trace
    x._view = None if x._view is None else View(traced, SAME)
    x._parts = None
    _set_class(x, Tracer)


def _set_class(x: Cell, kind: type[Cell]) -> None:
    object.__dict__["__class__"].__set__(x, kind)


class Conversions:
    """The arrays that became traced since `noting_conversions` began.

    What is traced only to see whether it can be, such as the step of a loop that Python could run
    as well, must not change the arrays around it: `undo` makes them concrete again.
    """

    def __init__(self) -> None:
        self._before: list[tuple[Cell, dict[str, Any]]] = []

    def note(self, x: LocalArray) -> None:
        """Note an array that is to become traced."""
        self._before.append((x, {name: getattr(x, name) for name in _STATE}))

    def undo(self) -> None:
        """Make the arrays what they were.

        Traces in which they were changed must have ended.
        """
        while self._before:
            x, state = self._before.pop()
            _set_class(x, LocalArray)
            for name, value in state.items():
                setattr(x, name, value)


_STATE: Final = ("_parts", "_trace", "_value", "_view")


class _Noted(threading.local):
    """The `Conversions` that a thread keeps."""

    def __init__(self) -> None:
        self.stack: list[Conversions] = []


_noted = _Noted()


@contextmanager
def noting_conversions() -> Iterator[Conversions]:
    """Note in a thread which arrays become traced."""
    conversions = Conversions()
    _noted.stack.append(conversions)
    try:
        yield conversions
    finally:
        _noted.stack.remove(conversions)


def _require_sole(root: LocalArray, parts: Sequence[LocalArray]) -> None:
    """Raise if an array that is not ours refers to the memory, which would not see the change."""
    views = sum(part._value.base is root._value for part in parts)
    others = sys.getrefcount(root._value) - 2 - views  # two: its own, and that of the call
    others += sum(sys.getrefcount(part._value) - 2 for part in parts)
    if others > 0:
        raise _refused(
            "an ordinary numpy.ndarray, such as `np.asarray` gives, shows its memory and would not "
            "see the change"
        )


def _refused(reason: str) -> TracerMutationError:
    return TracerMutationError(
        f"a traced value is to be stored in an array made by NumPy, but {reason}; copy it first, "
        "by `np.copy`",
        spell_location(user_location()),
    )


# Making


FROM_NUMBERS: Final = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.full)
"""Functions that make arrays out of lists and numbers, for which NumPy has no protocol."""


def made(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose new arrays can hold traced values while a function is traced."""

    def maker(*args: Any, **kwargs: Any) -> Any:
        for target in _stored_in(function, args, kwargs):
            storable(target)
        if function in FROM_NUMBERS and _traced_in(args):
            return FUNCTIONS[function](*args, **kwargs)
        if any(type(x) is LocalArray for x in args):  # it may give that one, as `asarray` does
            return _result(function(*args, **kwargs), args, lambda: maker(*args, **kwargs))
        return localised([function(*args, **kwargs)])[0]

    maker.__name__ = maker.__qualname__ = getattr(function, "__name__", "maker")
    maker.__doc__ = function.__doc__
    return maker


def _stored_in(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
    """Walk through the arrays that a call of a function stores in."""
    owner = getattr(function, "__self__", None)
    if function in _STORING_FUNCTIONS or (type(owner) is np.ufunc and function.__name__ == "at"):
        yield from args[:1]
    elif type(owner) is np.ndarray and function.__name__ in _STORING_METHODS:
        yield owner
    if kwargs.get("out") is not None:
        yield from _leaves(kwargs["out"])


def maker_of(function: Any) -> Callable[..., Any] | None:
    """Return what to call instead of a function of NumPy's, or a method of an ordinary array.

    None for all others, which rewritten functions call as they are.
    """
    kind = type(function)
    if kind in _METHODS and type(function.__self__) in _MAKE_ARRAYS:
        return made(function)
    if kind in _FUNCTIONS and str(function.__module__).partition(".")[0] == "numpy":
        return _made_once(function)
    return _made_once(function) if kind is np.ufunc else None


_METHODS: Final = (BuiltinFunctionType, MethodType)
_MAKE_ARRAYS: Final = (np.ndarray, np.ufunc, np.random.Generator, np.random.RandomState)
_FUNCTIONS: Final = (BuiltinFunctionType, FunctionType, type(np.sum))

_made_once = cache(made)


def _references(value: Any) -> int:
    return sys.getrefcount(value)


_REFERENCES_OF_NEW: Final = _references(np.empty(1))
"""References to an array that nothing but a call of one argument knows."""


def new_array(value: Any) -> Any:
    """Return what an operator gave; if it is a new array, as one that can hold traced values.

    Rewritten functions call it with the expression as its argument, so that nothing else refers to
    a new array.
    """
    if type(value) is not np.ndarray or sys.getrefcount(value) > _REFERENCES_OF_NEW:
        return value
    trace = current_trace()
    if trace is None or not value.flags.writeable:
        return value
    if value.base is None:
        return LocalArray(value, trace)
    is_shared = type(value.base) is not np.ndarray or sys.getrefcount(value.base) > 2
    return value if is_shared else LocalArray(value.copy(), trace)


def storable(value: Any) -> Any:
    """Return what a rewritten function is about to store in.

    Raises:
        TracerMutationError: if it is an ordinary array while a function is traced: the store would
            change what is not the function's own, once, and while it is traced.
    """
    if type(value) is np.ndarray and current_trace() is not None:
        raise TracerMutationError(
            "a traced function changes an array that was not made in it; give the array as an "
            "argument, or change a copy, by `np.copy`",
            spell_location(user_location()),
        )
    return value


def localised(results: list[Any], others: int = 0) -> list[Any]:
    """Return results with new arrays among them as ones that can hold traced values.

    Arrays that anything else refers to stay as they are, and all where no trace is open.

    Args:
        results: the only list that holds them.
        others: how many other containers hold them.
    """
    trace = current_trace()
    if trace is None:
        return results
    for i in range(len(results)):
        if _is_new(results, i, others):
            results[i] = LocalArray(_owner(results[i]), trace)
        elif type(results[i]) in (list, tuple):
            results[i] = type(results[i])(localised(list(results[i]), others + 1))
    return results


def _is_new(results: list[Any], i: int, others: int) -> bool:
    """Tell whether a result is an array that only the given number of containers refer to."""
    if type(results[i]) is not np.ndarray or sys.getrefcount(results[i]) > 2 + others:
        return False
    if results[i].base is None:
        return bool(results[i].flags.owndata and results[i].flags.writeable)
    return type(results[i].base) is np.ndarray and sys.getrefcount(results[i].base) <= 2


def _owner(array: np.ndarray) -> np.ndarray:
    """Return an array that owns its memory."""
    return array if array.base is None else array.copy()


def _result(found: Any, operands: Any, take: Take | None = None) -> Any:
    """Return what NumPy computed, with arrays that can hold traced values.

    Args:
        found: what it computed: operands, views of them, new arrays, or anything else.
        operands: the operands, in containers.
        take: computes it again.
    """
    if type(found) in (list, tuple):
        parts = [_result(item, operands, _nth(take, i)) for i, item in enumerate(found)]
        return type(found)(parts)
    if type(found) is not np.ndarray:
        return found
    owner = found if found.base is None else found.base
    for x in _leaves(operands):
        if type(x) is LocalArray and found is x._value:
            return x
        if type(x) is LocalArray and owner is x.root._value and take is not None:
            return LocalArray(found, x._trace, _Part(x.root, take))
        if type(x) is np.ndarray and (owner is x or owner is x.base):
            return found
    trace = current_trace()
    return found if trace is None or not found.flags.writeable else LocalArray(_owner(found), trace)


def _nth(take: Take | None, i: int) -> Take | None:
    return None if take is None else lambda: take()[i]


# What is in operands


def _leaves(operand: Any) -> Iterator[Any]:
    if type(operand) in (list, tuple):
        for item in operand:
            yield from _leaves(item)
    elif type(operand) is dict:
        for item in operand.values():
            yield from _leaves(item)
    elif type(operand) is slice:
        yield from (operand.start, operand.stop, operand.step)
    else:
        yield operand


def _traced_in(operands: Any) -> list[Tracer]:
    return [x for x in _leaves(operands) if type(x) is Tracer]


def _plain(operand: Any) -> Any:
    """Return operands with ordinary arrays in the place of ours."""
    kind = type(operand)
    if kind is LocalArray:
        return operand._value
    if kind in (list, tuple):
        return kind(map(_plain, operand))
    if kind is dict:
        return {name: _plain(item) for name, item in operand.items()}
    return operand
