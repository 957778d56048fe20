"""Views: traced arrays that are parts of others, and see and make each other's changes.

A `Tracer` is a cell that holds an SSA value, and a store puts a new value into it. A view is a
cell with a `View`: what it is a part of, and how. Its value is read again when the array at the
root of the chain of views was changed since, and a store into it makes a new value of what it is a
part of, up to the root. So values in the IR stay immutable, and the program's arrays do not.

The kinds of views are NumPy's: what basic indexing, transposition, reversal, a change of shape that
needs no copy, and the parts of complex numbers give. Each kind also arranges an ordinary array as
it does traced ones, by NumPy itself, which tells strides and so what a further change of shape is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ..ir.types import Shape, row_major

if TYPE_CHECKING:
    from xdsl.ir import SSAValue

    from .tracer import Tracer


class ViewKind(ABC):
    """How a view is taken of an array, and put back into it."""

    writeable: ClassVar[bool] = True

    refusal: ClassVar[str] = "assignment destination is read-only"
    """What a store says if it is not writeable: NumPy's words."""

    @abstractmethod
    def read(self, whole: Tracer) -> Tracer:
        """Return the part as a new cell, in the trace of the whole."""

    @abstractmethod
    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Return the whole with the part replaced; both belong to one trace."""

    @abstractmethod
    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Return the part of an array that stands for the whole; its elements are not read."""


class View:
    """What makes a cell a view.

    Attributes:
        parent: the cell that it is a part of, maybe a view itself.
        kind: how.
        root: the cell at the end of the chain, which is no view.
        seen: the root's value for which the view's own value was read.
    """

    __slots__ = ("kind", "parent", "root", "seen")

    def __init__(self, parent: Tracer, kind: ViewKind) -> None:
        self.parent = parent
        self.kind = kind
        self.root: Tracer = parent if parent._view is None else parent._view.root
        self.seen: SSAValue | None = None
        self.note()

    def note(self) -> None:
        """Note that the view's value was read now.

        The memory of an array that is not traced yet may change at any time, so that views of it
        are read each time.
        """
        value: Any = self.root._value
        self.seen = None if isinstance(value, np.ndarray) else value


def view(whole: Tracer, kind: ViewKind) -> Tracer:
    """Return a view of a traced array; of what stands for a scalar, which cannot change, a value.

    The whole belongs to the trace in which the view is taken.
    """
    part = kind.read(whole)
    if not whole.is_scalar:
        part._view = View(whole, kind)
    return part


def layout_of(x: Tracer) -> np.ndarray:
    """Return an array of the shape and strides that NumPy's array would have; not to be read."""
    if x._view is not None:
        return x._view.kind.arrange(layout_of(x._view.parent))
    strides = [n * x.itemsize for n in row_major(x.shape)]
    return np.lib.stride_tricks.as_strided(np.empty((), x.dtype), x.shape, strides)


def fits_without_copy(x: Tracer, shape: Shape) -> bool:
    """Tell whether NumPy would give an array another shape, in C order, without copying it."""
    if x._view is None:
        return True
    try:
        np.reshape(layout_of(x), shape, copy=False)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Same(ViewKind):
    """All of the array: a capture in an inner trace, or another array object on the same memory."""

    def read(self, whole: Tracer) -> Tracer:
        """Return the whole."""
        return whole.trace.tracer(whole.value)

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Return the part."""
        return part

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Return the array."""
        return layout


SAME: Final = Same()


@dataclass(frozen=True)
class ReadOnly(Same):
    """All of the array, for reading."""

    writeable = False


@dataclass(frozen=True)
class Permuted(ViewKind):
    """The dimensions in another order."""

    permutation: tuple[int, ...]

    def read(self, whole: Tracer) -> Tracer:
        """Transpose."""
        return whole.trace.tracer(whole.trace.builder.transpose(whole.value, self.permutation))

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Transpose back."""
        inverse = np.argsort(self.permutation).tolist()
        return part.trace.tracer(part.trace.builder.transpose(part.value, inverse))

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Transpose."""
        return layout.transpose(self.permutation)


@dataclass(frozen=True)
class Reversed(ViewKind):
    """The elements in reverse order along dimensions."""

    dims: tuple[int, ...]

    def read(self, whole: Tracer) -> Tracer:
        """Reverse."""
        return whole.trace.tracer(whole.trace.builder.reverse(whole.value, self.dims))

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Reverse again."""
        return self.read(part)

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Reverse."""
        return np.flip(layout, self.dims)


@dataclass(frozen=True)
class Reshaped(ViewKind):
    """The elements in another shape, which their layout allows without a copy."""

    shape: Shape

    def read(self, whole: Tracer) -> Tracer:
        """Reshape."""
        return whole.trace.tracer(whole.trace.builder.reshape(whole.value, self.shape))

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Reshape back."""
        return part.trace.tracer(part.trace.builder.reshape(part.value, whole.shape))

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Reshape."""
        return np.reshape(layout, self.shape, copy=False)


@dataclass(frozen=True)
class Broadcast(ViewKind):
    """The elements repeated; for reading, as one element stands at several places."""

    writeable = False
    shape: Shape

    def read(self, whole: Tracer) -> Tracer:
        """Broadcast."""
        from .numpy.operands import broadcast_value

        builder = whole.trace.builder
        return whole.trace.tracer(broadcast_value(builder, whole.value, self.shape))

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Never called: the view is not writeable."""
        raise AssertionError("a broadcast array is not writeable")

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Broadcast."""
        return np.broadcast_to(layout, self.shape)


@dataclass(frozen=True)
class RealPart(ViewKind):
    """The real parts of complex numbers."""

    def read(self, whole: Tracer) -> Tracer:
        """Take the real parts."""
        return whole.trace.tracer(whole.trace.builder.real(whole.value))

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Join with the imaginary parts."""
        builder = whole.trace.builder
        return whole.trace.tracer(builder.complex(part.value, builder.imag(whole.value)))

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Take the real parts."""
        return layout.real


@dataclass(frozen=True)
class ImaginaryPart(ViewKind):
    """The imaginary parts of complex numbers."""

    def read(self, whole: Tracer) -> Tracer:
        """Take the imaginary parts."""
        return whole.trace.tracer(whole.trace.builder.imag(whole.value))

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Join with the real parts."""
        builder = whole.trace.builder
        return whole.trace.tracer(builder.complex(builder.real(whole.value), part.value))

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Take the imaginary parts."""
        return layout.imag


@dataclass(frozen=True, eq=False)
class Indexed(ViewKind):
    """What basic indexing gives: by integers, which may be traced, slices, Ellipsis and None.

    Attributes:
        index: the index; traced integers in it are cells of their own, which do not change.
    """

    index: tuple[Any, ...]

    def read(self, whole: Tracer) -> Tracer:
        """Index."""
        from .indexing import indexed
        from .tracer import Tracer
        from .tracing import within

        if type(whole) is not Tracer:  # an array that is not traced yet
            return indexed(whole, self.index)
        with within(whole.trace):
            return indexed(whole, self.index)

    def write(self, whole: Tracer, part: Tracer) -> Tracer:
        """Update the elements that the index takes."""
        from .indexing import updated
        from .tracing import within

        with within(whole.trace):
            return updated(whole, self.index, part)

    def arrange(self, layout: np.ndarray) -> np.ndarray:
        """Index; at any position for a traced one."""
        from .tracer import Tracer

        known = tuple(0 if type(item) is Tracer else item for item in self.index)
        return layout[known]


def detached(result: Any) -> Any:
    """Return the result of a function that copies: new cells in the place of views and operands.

    A copy is made in the innermost trace, where what it copies may hold another value than outside.
    """
    from .tracer import Tracer
    from .tracing import find_trace

    kind = type(result)
    if kind is Tracer:
        trace = find_trace((result,))
        if trace is not result.trace and trace is not None and not result.trace.finished:
            result = trace.lift(result)
        return Tracer(result.value, result.trace, result.weak, result.zero_dim)
    if kind in (tuple, list):
        return kind(map(detached, result))
    if isinstance(result, tuple):  # a named one
        return kind(*map(detached, result))
    return result
