"""What a traced mask selects: ``x[mask]``, whose number of elements is known when code runs.

It has no shape to make an array of, but most programs compute with its elements one by one, reduce
them, or store them back where they came from: ``x[x < 0] *= -1``, ``x[mask].mean()``,
``y[mask] = np.log(x[mask])``. All of this is done for all elements of x, and left out where the
mask does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.mixins import NDArrayOperatorsMixin
from xdsl.ir import Operation, SSAValue

from .errors import NonConcreteBooleanIndexError
from .numpy.operands import is_traced, xp
from .numpy.selection import where as choose
from .stores import require_castable
from .tracer import Tracer
from .views import detached


class Selected(NDArrayOperatorsMixin):
    """The elements of an array, or the parts along its first dimensions, where a mask holds.

    Attributes:
        array: all elements.
        mask: of the array's first dimensions.
    """

    __slots__ = ("array", "mask")
    __array_priority__ = 1001
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Tracer, mask: Tracer) -> None:
        self.array = array
        self.mask = mask

    def __repr__(self) -> str:
        return f"elements of {self.array} by {self.mask}"

    # What is known of it

    @property
    def dtype(self) -> np.dtype:
        """NumPy's dtype."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions: the selected ones are one."""
        return self.array.ndim - self.mask.ndim + 1

    @property
    def shape(self) -> tuple[Any, ...]:
        """Sizes of the dimensions, the first one traced."""
        return (xp.sum(self.mask), *self._rest)

    @property
    def size(self) -> Any:
        """Number of elements, traced."""
        return self.shape[0] * prod(self._rest)

    @property
    def real(self) -> Any:
        """The real parts."""
        return Selected(detached(self.array.real), self.mask)

    @property
    def imag(self) -> Any:
        """The imaginary parts."""
        return Selected(detached(self.array.imag), self.mask)

    @property
    def _rest(self) -> tuple[int, ...]:
        return self.array.shape[self.mask.ndim :]

    def unknown(self) -> NonConcreteBooleanIndexError:
        """Return the error that an array is needed."""
        error = self.mask.unknown(
            NonConcreteBooleanIndexError,
            "indexing by a mask, whose result has as many elements as the mask has True ones,",
            "compute with the elements, reduce them, or store them back by the same mask; else "
            "choose by `np.where`",
        )
        assert isinstance(error, NonConcreteBooleanIndexError)
        return error

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", (None,))[0]
        if method == "reduce" and ufunc in _REDUCTIONS:
            return _reduced(_REDUCTIONS[ufunc], self, **{"axis": 0, **kwargs})
        if method != "__call__" or kwargs.pop("where", True) is not True:
            raise self.unknown()
        operands = [self._operand(x) for x in inputs]
        found = ufunc(*operands, where=self.spread_mask, **kwargs)
        if out is None:
            return self._like(found)
        if type(out) is not Selected or not is_same(out.mask.value, self.mask.value):
            raise self.unknown()
        require_castable(found.dtype, out.dtype, f"numpy.{ufunc.__name__}", "same_kind")
        out.array = found.astype(out.dtype)
        return out

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if function in _ELEMENTWISE:
            return self._like(function(*map(self._operand, args), **kwargs))
        if function not in _FUNCTIONS or args[:1] != (self,):
            raise self.unknown()
        return _reduced(function, *args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise self.unknown()

    def _operand(self, operand: Any) -> Any:
        """Return what stands for an operand: all elements, or what is broadcast to all of them.

        Raises:
            NonConcreteBooleanIndexError: if an operand has an element for each selected one.
        """
        if type(operand) is Selected:
            if not is_same(operand.mask.value, self.mask.value):
                raise operand.unknown()
            return operand.array
        shape = np.shape(operand)
        if len(shape) < self.ndim:
            return operand
        if len(shape) > self.ndim or shape[0] != 1:
            raise self.unknown()
        return xp.reshape(operand, shape[1:])

    @property
    def spread_mask(self) -> Tracer:
        """The mask, with dimensions of size 1 for the array's others."""
        mask: Tracer = xp.reshape(self.mask, self.mask.shape + (1,) * len(self._rest))
        return mask

    def _like(self, found: Any) -> Any:
        if type(found) is tuple:
            return tuple(map(self._like, found))
        return Selected(found, self.mask)

    # Methods

    def astype(self, dtype: Any) -> Any:
        """Convert to another dtype."""
        return Selected(self.array.astype(dtype), self.mask)

    def copy(self) -> Any:
        """Return a copy."""
        return Selected(detached(self.array), self.mask)

    def __getattr__(self, name: str) -> Any:
        function = _METHODS.get(name)
        if function is None:
            raise self.unknown()

        def method(*args: Any, **kwargs: Any) -> Any:
            return function(self, *args, **kwargs)

        return method

    def _refused(self, *args: Any) -> NoReturn:
        raise self.unknown()

    __len__ = __iter__ = __getitem__ = __setitem__ = __bool__ = __float__ = __int__ = _refused


_LIMITS: Final[dict[Any, Callable[[np.dtype], Any]]] = {
    np.max: lambda dtype: -np.inf if dtype.kind == "f" else _integers(dtype).min,
    np.min: lambda dtype: np.inf if dtype.kind == "f" else _integers(dtype).max,
}
"""What is above or below all others: the extremum of no elements."""

_REDUCTIONS: Final[dict[np.ufunc, Callable[..., Any]]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_FUNCTIONS: Final = frozenset((*_REDUCTIONS.values(), np.mean, np.var, np.std))
_ELEMENTWISE: Final = frozenset((np.where, np.clip, np.round, np.real, np.imag, np.nan_to_num))
_METHODS: Final[dict[str, Callable[..., Any]]] = {
    **{f.__name__: f for f in (np.sum, np.prod, np.max, np.min, np.all, np.any)},
    **{f.__name__: f for f in (np.mean, np.var, np.std, np.clip, np.round)},
    "conj": np.conjugate,
    "conjugate": np.conjugate,
}


def _integers(dtype: np.dtype) -> Any:
    return np.iinfo(dtype)


def _reduced(
    function: Callable[..., Any], x: Selected, axis: Any = None, dtype: Any = None, **kwargs: Any
) -> Any:
    """Reduce the selected elements; along axis 0 or all, and maybe the others."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if 0 not in axes or is_traced(kwargs.values()) or kwargs.get("keepdims"):
        raise x.unknown()
    masked = x.mask.ndim
    dims = (*range(masked), *(d + masked - 1 for d in axes if d))
    if dtype is not None:
        kwargs["dtype"] = dtype
    if function in _LIMITS and x.dtype.kind in "iuf":
        kwargs["initial"] = _LIMITS[function](x.dtype)
    return function(x.array, axis=dims, where=x.spread_mask, **kwargs)


def selected(x: Tracer, mask: Tracer) -> Selected:
    """Return ``x[mask]``.

    Raises:
        IndexError: if the mask does not fit the first dimensions of x.
    """
    for axis, (size, found) in enumerate(zip(x.shape, mask.shape)):
        if size != found:
            raise IndexError(
                f"boolean index did not match indexed array along axis {axis}; size of axis is "
                f"{size} but size of corresponding boolean axis is {found}"
            )
    return Selected(detached(x), detached(mask))


def stored(x: Tracer, mask: Tracer, values: Selected) -> Tracer:
    """Return x after ``x[mask] = values``.

    Raises:
        NonConcreteBooleanIndexError: if another mask selected the values.
    """
    same = is_same(mask.value, values.mask.value)
    if not same or x.shape[mask.ndim :] != values.array.shape[mask.ndim :]:
        raise values.unknown()
    new: Tracer = choose(values.spread_mask, values.array.astype(x.dtype), x)
    return new


_COMPARED: Final = 256
"""So many ops are compared to find out whether two masks are the same."""


def is_same(first: SSAValue, second: SSAValue) -> bool:
    """Tell whether two values are computed by the same ops from the same values."""
    pending = [(first, second)]
    known: set[tuple[SSAValue, SSAValue]] = set()
    while pending:
        a, b = pending.pop()
        if a is b or (a, b) in known:
            continue
        known.add((a, b))
        x, y = a.owner, b.owner
        if not (isinstance(x, Operation) and isinstance(y, Operation)) or len(known) > _COMPARED:
            return False
        if a.type != b.type or type(x) is not type(y) or x.properties != y.properties:
            return False
        if x.regions or y.regions:
            return False
        if x.results.index(a) != y.results.index(b) or len(x.operands) != len(y.operands):
            return False
        pending += zip(x.operands, y.operands)
    return True
