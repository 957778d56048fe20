"""The traced value: what a staged function computes with instead of arrays.

A `Tracer` is a cell that holds one SSA value, and another one after a store; `views` tells how
cells share what they hold. It has the attributes, operators and methods of ``numpy.ndarray``, and
NumPy's own functions find their way to it by NumPy's protocols; all of them lead to the tables of
`dispatch`. It knows nothing of differentiation or batching: those are passes on the IR that it
leaves behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..ir.locations import spell_location
from ..ir.types import Shape, spell, tensor_info
from .errors import (
    ConcretizationTypeError,
    GradatimError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
    UnsupportedError,
)
from .protocols import apply_ufunc, at_user, implementation_of
from .tracer_methods import (
    binary,
    concrete,
    in_place,
    method_of,
    reflected,
    refuse_store,
    refusing,
    ufunc_method,
    unary,
)
from .views import SAME, detached, layout_of, view

if TYPE_CHECKING:
    from types import ModuleType

    from xdsl.ir import SSAValue

    from .tracing import Trace
    from .views import View


class Cell:
    """What a traced value has in common with an array that may become one (`local.LocalArray`).

    Attributes:
        weak: whether it is a Python scalar, or was computed by operators from such only, and so
            takes the dtype of what it meets (NEP 50).
        zero_dim: whether it is known to be a 0-d array, which can change, and not a scalar.
    """

    __slots__ = ("__weakref__", "_fixed", "_parts", "_trace", "_value", "_view", "weak", "zero_dim")

    _fixed: bool
    _parts: Any
    _trace: Trace
    _value: Any
    _view: Any
    weak: bool
    zero_dim: bool


class Tracer(Cell):
    """An array or scalar of a function under construction."""

    __slots__ = ()

    __array_priority__ = 1000
    __hash__ = None  # type: ignore[assignment]  # as arrays: `==` compares elements

    def __init__(
        self, value: SSAValue, trace: Trace, weak: bool = False, zero_dim: bool = False
    ) -> None:
        self._value = value
        self._trace = trace
        self._view = None
        self._fixed = False  # whether it stands for what a program cannot change
        self.weak = weak
        self.zero_dim = zero_dim

    def __repr__(self) -> str:
        return f"traced {spell(self.value)}"

    def __format__(self, specification: str) -> str:
        if not specification:
            return repr(self)
        raise self.unknown(
            ConcretizationTypeError,
            f"formatting by '{specification}'",
            "format without a specification to see the type",
        )

    # The cell

    @property
    def is_scalar(self) -> bool:
        """Whether it stands for a scalar, which does not change: ``x += 1`` makes a new one."""
        return self._view is None and not (self.zero_dim or self.shape)

    @property
    def value(self) -> SSAValue:
        """The SSA value that the cell holds now."""
        view: View | None = self._view
        if view is not None and view.root._value is not view.seen:
            self._read_again(view)
        value: SSAValue = self._value
        return value

    @property
    def trace(self) -> Trace:
        """The function that the value belongs to."""
        view: View | None = self._view
        if view is not None and view.root._value is not view.seen:
            self._read_again(view)
        return self._trace

    def _read_again(self, view: View) -> None:
        if view.root._trace.finished:
            return  # whoever uses it is told so
        part = view.kind.read(view.parent)
        self._value, self._trace = part._value, part._trace
        view.note()

    def assign(self, new: Tracer) -> None:
        """Hold another value from now on, and so change what this is a view of.

        The change belongs to the innermost trace that is open. If the cell belongs to an outer
        one, the inner trace keeps a note of it (`Trace.mutations`), and the cell has its old value
        again when the inner trace ends.

        Args:
            new: of the same shape and dtype.

        Raises:
            ValueError: if it is a view that cannot be written to, as NumPy does.
            UnexpectedTracerError: if the cell's trace has ended.
        """
        from .local import become_traced
        from .tracing import trace_of_store

        view: View | None = self._view
        root: Any = self if view is None else view.root
        if type(root) is not Tracer:
            become_traced(root)
        trace = trace_of_store(self)
        value = trace.lift(new).value  # type: ignore[union-attr]
        if view is None:
            trace.bind(self)
            self._value = value
            return
        if not view.kind.writeable:
            raise ValueError(view.kind.refusal)
        whole: Any = trace.lift(view.parent)
        view.parent.assign(view.kind.write(whole, Tracer(value, trace)))
        self._value, self._trace = value, trace
        view.note()

    # What is known while tracing

    @property
    def shape(self) -> Shape:
        """Sizes of the dimensions."""
        return tensor_info(self._value).shape  # which changes do not change

    @property
    def dtype(self) -> np.dtype:
        """NumPy's dtype."""
        return tensor_info(self._value).dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each dimension, as NumPy's array has them."""
        return layout_of(self).strides

    @property
    def base(self) -> Tracer | None:
        """The array whose elements a view shows, None if it is no view."""
        return None if self._view is None else self._view.root

    @property
    def device(self) -> str:
        """Where the array lives: always ``"cpu"``."""
        return "cpu"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")  # NumPy's words
        return self.shape[0]

    # Parts

    @property
    def T(self) -> Any:
        """The array with its dimensions reversed."""
        return implementation_of(np.transpose)(self)

    @property
    def mT(self) -> Any:
        """The array with its last two dimensions swapped."""
        return implementation_of(np.matrix_transpose)(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return implementation_of(np.real)(self)

    @real.setter
    def real(self, values: Any) -> None:
        """Store real parts."""
        self.real[...] = values

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return implementation_of(np.imag)(self)

    @imag.setter
    def imag(self, values: Any) -> None:
        """Store imaginary parts."""
        self.imag[...] = values

    @property
    def flat(self) -> Any:
        """The elements in C order, to be indexed and stored into."""
        from .stores import Flat

        return Flat(self)

    @flat.setter
    def flat(self, values: Any) -> None:
        """Store elements in C order, repeated as need be."""
        self.flat[...] = values

    @property
    def at(self) -> Any:
        """JAX's updates that give a new array: ``x.at[index].set(value)``."""
        from .at import At

        return At(self)

    def __getitem__(self, index: Any) -> Any:
        from .stores import item

        return item(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        from .stores import store

        store(self, index, value)

    def __delitem__(self, index: Any) -> NoReturn:
        raise ValueError("cannot delete array elements")  # NumPy's words

    def __iter__(self) -> Iterator[Tracer]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")  # NumPy's words
        return (self[i] for i in range(self.shape[0]))

    # Operators

    __neg__ = unary(np.negative)
    __pos__ = unary(np.positive)
    __abs__ = unary(np.absolute)
    __invert__ = unary(np.invert)

    __add__ = binary(np.add)
    __sub__ = binary(np.subtract)
    __mul__ = binary(np.multiply)
    __truediv__ = binary(np.true_divide)
    __floordiv__ = binary(np.floor_divide)
    __mod__ = binary(np.remainder)
    __divmod__ = binary(np.divmod)
    __matmul__ = binary(np.matmul)
    __and__ = binary(np.bitwise_and)
    __or__ = binary(np.bitwise_or)
    __xor__ = binary(np.bitwise_xor)
    __lshift__ = binary(np.left_shift)
    __rshift__ = binary(np.right_shift)
    __lt__ = binary(np.less)
    __le__ = binary(np.less_equal)
    __gt__ = binary(np.greater)
    __ge__ = binary(np.greater_equal)
    __eq__ = binary(np.equal)
    __ne__ = binary(np.not_equal)
    __pow__ = binary(np.power)

    __radd__ = reflected(np.add)
    __rsub__ = reflected(np.subtract)
    __rmul__ = reflected(np.multiply)
    __rtruediv__ = reflected(np.true_divide)
    __rfloordiv__ = reflected(np.floor_divide)
    __rmod__ = reflected(np.remainder)
    __rdivmod__ = reflected(np.divmod)
    __rmatmul__ = reflected(np.matmul)
    __rand__ = reflected(np.bitwise_and)
    __ror__ = reflected(np.bitwise_or)
    __rxor__ = reflected(np.bitwise_xor)
    __rlshift__ = reflected(np.left_shift)
    __rrshift__ = reflected(np.right_shift)
    __rpow__ = reflected(np.power)

    __iadd__ = in_place(np.add)
    __isub__ = in_place(np.subtract)
    __imul__ = in_place(np.multiply)
    __itruediv__ = in_place(np.true_divide)
    __ifloordiv__ = in_place(np.floor_divide)
    __imod__ = in_place(np.remainder)
    __imatmul__ = in_place(np.matmul)
    __iand__ = in_place(np.bitwise_and)
    __ior__ = in_place(np.bitwise_or)
    __ixor__ = in_place(np.bitwise_xor)
    __ilshift__ = in_place(np.left_shift)
    __irshift__ = in_place(np.right_shift)
    __ipow__ = in_place(np.power)

    # Methods

    all = method_of(np.all)
    any = method_of(np.any)
    argmax = method_of(np.argmax)
    argmin = method_of(np.argmin)
    argsort = method_of(np.argsort)
    astype = method_of(np.astype)
    clip = method_of(np.clip)
    conj = ufunc_method(np.conjugate)
    conjugate = ufunc_method(np.conjugate)
    copy = method_of(np.copy)
    cumprod = method_of(np.cumprod)
    cumsum = method_of(np.cumsum)
    diagonal = method_of(np.diagonal)
    dot = method_of(np.dot)
    max = method_of(np.max)
    mean = method_of(np.mean)
    min = method_of(np.min)
    nonzero = method_of(np.nonzero)
    prod = method_of(np.prod)
    put = method_of(np.put)
    ravel = method_of(np.ravel)
    repeat = method_of(np.repeat)
    round = method_of(np.round)
    searchsorted = method_of(np.searchsorted)
    squeeze = method_of(np.squeeze)
    std = method_of(np.std)
    sum = method_of(np.sum)
    swapaxes = method_of(np.swapaxes)
    take = method_of(np.take)
    var = method_of(np.var)

    def fill(self, value: Any) -> None:
        """Store one number in all places."""
        self[...] = value

    def sort(self, axis: int = -1, **options: Any) -> None:
        """Sort in place along an axis; see ``numpy.sort``."""
        self[...] = implementation_of(np.sort)(self, axis=axis, **options)

    def partition(self, kth: Any, axis: int = -1, **options: Any) -> None:
        """Put elements in place, along an axis, where sorting would; see ``numpy.partition``."""
        self[...] = implementation_of(np.partition)(self, kth, axis=axis, **options)

    def flatten(self, order: str = "C") -> Any:
        """Return all elements in one dimension, as a copy."""
        return detached(self.ravel(order))

    def view(self, dtype: Any = None) -> Any:
        """Return another array object on the same memory.

        Raises:
            UnsupportedError: if another dtype is asked for.
        """
        if dtype is not None and np.dtype(dtype) != self.dtype:
            raise at_user(
                UnsupportedError, f"`view` of {self} as {np.dtype(dtype)} is not supported"
            )
        return view(self, SAME)

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """As ``numpy.reshape``; the sizes may also be given one by one."""
        wanted = shape[0] if len(shape) == 1 else shape
        return implementation_of(np.reshape)(self, wanted, order=order)

    def transpose(self, *axes: Any) -> Any:
        """As ``numpy.transpose``; the axes may also be given one by one."""
        wanted = axes[0] if len(axes) == 1 else axes or None
        return implementation_of(np.transpose)(self, wanted)

    def to_device(self, device: str, /, *, stream: None = None) -> Tracer:
        """Return the value itself: the only device is ``"cpu"``."""
        if device != "cpu":
            raise ValueError(f"unsupported device {device!r}: the only device is 'cpu'")
        return self

    def __copy__(self) -> Tracer:
        return Tracer(self.value, self.trace, self.weak, self.zero_dim)

    def __deepcopy__(self, memo: object) -> Tracer:
        return self.__copy__()

    # NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return apply_ufunc(ufunc, method, *inputs, **kwargs)

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        return implementation_of(function)(*args, **kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        from . import numpy

        return numpy

    # What traced values cannot do

    def described(self) -> str:
        """Return the value's type and the place where it was made."""
        from .tracing import location_of

        made = spell_location(location_of(self))
        return f"{self}, made at {made}," if made else str(self)

    def unknown(self, kind: type[GradatimError], what: str, advice: str) -> GradatimError:
        """Return the error that ``what`` needs this value, which nobody knows yet."""
        return at_user(
            kind,
            f"{what} needs the value of {self.described()} which depends on the arguments of the "
            f"function and is known only when compiled code runs; {advice}",
        )

    def _decided(self, kind: type[GradatimError], what: str, advice: str) -> Any:
        """Return what the value is in the call that the function is traced for, and guard it.

        Raises:
            GradatimError: of the given kind, if it is not traced for a call, or the value is not
                the same in all lanes of a `vmap`.
        """
        from .guards import Differs, decide

        try:
            found = decide(self, what)
        except Differs:
            advice = "under `vmap` it is not the same for all; " + advice
            found = None
        if found is None:
            raise self.unknown(kind, what, advice)
        return found.reshape(-1)[0]

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(  # NumPy's words
                "The truth value of an array with more than one element is ambiguous. "
                "Use a.any() or a.all()"
            )
        return bool(
            self._decided(
                TracerBoolConversionError,
                "`if`, `while`, `and`, `or` or `not`",
                "choose between arrays by `np.where`, combine conditions by `&`, `|` and `~`, or "
                "make the argument static (`static_argnums`)",
            )
        )

    def __index__(self) -> int:
        if self.shape or self.dtype.kind not in "iub":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(
            self._decided(
                TracerIntegerConversionError,
                "an index, a `range` or a shape",
                "make the argument static (`static_argnums`)",
            )
        )

    def __array__(self, dtype: object = None, copy: object = None) -> NoReturn:
        refuse_store()
        raise self.unknown(
            TracerArrayConversionError,
            "a numpy.ndarray",
            "call functions of numpy that take traced values, take elements of a known array by "
            "`gradatim.numpy.take`, draw random numbers by `gradatim.random`, or join several "
            "values into an array by `gradatim.numpy.array`",
        )

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise self.unknown(ConcretizationTypeError, "pickling", "return the value and pickle that")

    __int__ = concrete(int, "`int()`", "use `x.astype(int)`, or make the argument static")
    __float__ = concrete(
        float,
        "`float()` or a function of `math`",
        "use `x.astype(float)` and the functions of numpy",
    )
    __complex__ = concrete(complex, "`complex()`", "use `x.astype(complex)`")
    __round__ = concrete(round, "`round()`", "use `np.round`")
    __trunc__ = concrete(math.trunc, "`math.trunc()`", "use `np.trunc`")
    __floor__ = concrete(math.floor, "`math.floor()`", "use `np.floor`")
    __ceil__ = concrete(math.ceil, "`math.ceil()`", "use `np.ceil`")
    tobytes = refusing("`tobytes()`", "return the array and convert it outside")

    def __contains__(self, item: Any) -> bool:
        found = (self == item).any()
        return bool(found._decided(TracerBoolConversionError, "`in`", "use `np.any(x == y)`"))

    def item(self, *position: Any) -> Tracer:
        """Return the only element, or one at a position, as a Python scalar, which stays traced."""
        if position:
            where = position[0] if len(position) == 1 else position
            part = self[where] if type(where) is tuple else self.reshape(-1)[where]
        elif self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")  # NumPy's
        else:
            part = self.reshape(())
        dtype = {"b": np.bool_, "i": np.int64, "u": np.int64, "f": np.float64, "c": np.complex128}
        found = part.astype(dtype[part.dtype.kind])
        return Tracer(found.value, found.trace, weak=True)

    def tolist(self) -> Any:
        """Return the elements in nested lists, as Python scalars, which stay traced."""
        return [part.tolist() for part in self] if self.shape else self.item()
