"""Lowering and compiling: from a traced function to code that is called with arrays."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn, Protocol

import numpy as np

from ..backend.call import CallSignature, Program
from ..backend.call.layout import Tuple
from ..ir.interpreter import Interpreter
from .arguments import Arguments, ShapeDtypeStruct, flatten_arguments
from .boundary import PublicCallable, public
from .errors import ArgumentError, GradatimError
from .traced import Traced

_PYTHON_SCALARS: Final = {"b": "bool", "i": "int", "f": "float", "c": "complex"}

_compiling = threading.RLock()


class Executable(Protocol):
    """Code for one traced function."""

    def run(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """Return the leaves of the result for leaves of the traced types."""

    def program(self, signature: CallSignature) -> Program | None:
        """Return the code for calls with containers, None if it cannot be called so."""


class Interpreted:
    """Runs the IR on NumPy by the reference interpreter (``GRADATIM_EXECUTE=interpreter``)."""

    def __init__(self, traced: Traced) -> None:
        self._name = traced.fun_name
        self._interpreter = Interpreter(traced.module)
        self._captures = traced.captures
        self._types = traced.in_avals

    def run(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """Return the leaves of the result; 0-d ones as NumPy scalars."""
        arrays = [np.asarray(leaf, t.dtype) for leaf, t in zip(leaves, self._types)]
        results = self._interpreter.call(self._name, *self._captures, *arrays)  # type: ignore[arg-type]
        return [np.array(result)[()] for result in results]

    def program(self, signature: CallSignature) -> None:
        """There is no code."""
        return None


class Compiled(PublicCallable):
    """A function compiled for arguments of one structure and of fixed types.

    Calling it with others raises `ArgumentError`. Arrays that compiled code cannot read as they
    are (not contiguous, not aligned, of foreign byte order) are copied.

    Attributes:
        traced: the function in the IR.
    """

    def __init__(self, traced: Traced, names: Sequence[str], example: Any = None) -> None:
        super().__init__(self._call_converted, raise_status)
        self.traced = traced
        self._names = names
        with _compiling, collector_paused():
            self._executable = _compile(traced)
            self.program = self._executable.program(_signature(traced, example))
        if self.program is not None:
            self.add(self.program)

    def __repr__(self) -> str:
        return f"<compiled {self.traced.fun_name}>"

    def run(self, leaves: Sequence[Any]) -> Any:
        """Return the result for the leaves of arguments of the right types."""
        types = self.traced.in_avals
        converted = [_converted(leaf, type_) for leaf, type_ in zip(leaves, types)]
        return self.traced.out_tree.unflatten(self._executable.run(converted))

    @public
    def _call_converted(self, *args: Any, **kwargs: Any) -> Any:
        leaves, found = flatten_arguments(args, kwargs, self._names)
        self._check(found)
        return self.run(leaves)

    def _check(self, found: Arguments) -> None:
        expected = self.traced.function.arguments
        if found == expected:
            return
        if (found.trees, found.keywords) != (expected.trees, expected.keywords):
            raise ArgumentError(
                f"compiled for arguments {_spell_structure(expected)}, called with "
                f"{_spell_structure(found)}"
            )
        for path, wanted, type_ in zip(found.paths(self._names), expected.types, found.types):
            if wanted != type_:
                raise ArgumentError(
                    f"compiled for `{path}` of type {wanted}, called with {type_}; "
                    "compile again for this type, or call what `compile()` without arguments "
                    "returns, which does so by itself"
                )


def _spell_structure(arguments: Arguments) -> str:
    args, kwargs = arguments.unflatten([_Plain(str(type_)) for type_ in arguments.types])
    parts = [repr(value) for value in args]
    parts += [f"{name}={value!r}" for name, value in kwargs.items()]
    return f"({', '.join(parts)})"


class _Plain(str):
    """Text whose repr has no quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _compile(traced: Traced) -> Executable:
    return Interpreted(traced)


def _signature(traced: Traced, example: Any) -> CallSignature:
    return CallSignature((), (), Tuple(()), ())


def _converted(leaf: Any, type_: ShapeDtypeStruct) -> Any:
    """Return a leaf as compiled code can read it."""
    if type_.weak_type or isinstance(leaf, np.generic):
        return leaf
    if type(leaf) is ShapeDtypeStruct:
        raise ArgumentError(f"the function was called with a type, {leaf}, instead of an array")
    array = np.asarray(leaf, type_.dtype, order="C")
    return array if array.flags.aligned else array.copy()


def raise_status(status: int) -> NoReturn:
    """Raise the error that compiled code reports by a status other than 0."""
    raise GradatimError(f"the compiled function failed with status {status}")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector: compiling makes many objects and no garbage in cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
