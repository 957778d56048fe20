"""Compiled functions: one structure of arguments, fixed types, machine code."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .arguments import Arguments, ShapeDtypeStruct
from .boundary import PublicCallable, public
from .errors import ArgumentError
from .execution import executable, raise_status
from .layouts import call_signature
from .traced import Traced

_compiling = threading.RLock()


class Compiled(PublicCallable):
    """A function compiled for arguments of one structure and of fixed types.

    Calling it with others raises `ArgumentError`. Arrays that compiled code cannot read as they
    are (not contiguous, not aligned, of foreign byte order) are copied.

    Args:
        traced: the function in the IR.
        example: positional and keyword arguments of the call that is to be the fastest: it gives
            the order of keys in dictionaries, and of arguments by keyword.
        check_with: leaves of arguments for which each pass is checked.

    Attributes:
        traced: the function in the IR.
        program: the code as compiled calls know it; None if a container among the arguments or
            results is of a type that they do not know, or there is no code.
    """

    def __init__(
        self,
        traced: Traced,
        example: tuple[Sequence[Any], Mapping[str, Any]],
        check_with: Sequence[Any] | None = None,
    ) -> None:
        super().__init__(self._call_converted, raise_status)
        self.traced = traced
        with _compiling, collector_paused():
            self._executable = executable(traced, check_with)
            signature = call_signature(traced, *example)
            self.program = None if signature is None else self._executable.program(signature)
        if self.program is not None and not traced.in_out:
            self.add(self.program)  # it would not see whether in-out arguments can be written to

    def __repr__(self) -> str:
        return f"<compiled {self.traced.fun_name}>"

    def run(self, leaves: Sequence[Any]) -> Any:
        """Return the result for the leaves of arguments of the right types.

        In-out arguments that compiled code cannot change as they are are copied there and back.

        Raises:
            ValueError: if an in-out argument cannot be written to.
        """
        types = self.traced.in_avals
        converted = [_converted(leaf, type_) for leaf, type_ in zip(leaves, types)]
        changed = [number for number in self.traced.in_out if _is_apart(converted, leaves, number)]
        for number in changed:
            converted[number] = np.array(leaves[number], types[number].dtype, order="C")
        result = self.traced.out_tree.unflatten(self._executable.run(converted))
        for number in changed:
            leaves[number][...] = converted[number]
        return result

    @public
    def _call_converted(self, *args: Any, **kwargs: Any) -> Any:
        leaves, found = self.traced.flatten(args, kwargs)
        self._check(found)
        return self.run(leaves)

    def _check(self, found: Arguments) -> None:
        expected = self.traced.function.arguments
        if found == expected:
            return
        if (found.trees, found.keywords) != (expected.trees, expected.keywords):
            raise ArgumentError(
                f"compiled for arguments {_spell(expected)}, called with {_spell(found)}"
            )
        for path, wanted, type_ in zip(found.paths(self.traced.names), expected.types, found.types):
            if wanted != type_:
                raise ArgumentError(
                    f"compiled for `{path}` of type {wanted}, called with {type_}; "
                    "compile again for this type, or call what `compile()` without arguments "
                    "returns, which does so by itself"
                )


def _spell(arguments: Arguments) -> str:
    args, kwargs = arguments.unflatten([_Plain(str(type_)) for type_ in arguments.types])
    parts = [repr(value) for value in args]
    parts += [f"{name}={value!r}" for name, value in kwargs.items()]
    return f"({', '.join(parts)})"


class _Plain(str):
    """Text whose repr has no quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _converted(leaf: Any, type_: ShapeDtypeStruct) -> Any:
    """Return a leaf as compiled code can read it."""
    if type(leaf) is ShapeDtypeStruct:
        raise ArgumentError(f"the function was called with a type, {leaf}, instead of an array")
    if type_.weak_type or isinstance(leaf, np.generic):
        return leaf
    array = np.asarray(leaf, type_.dtype, order="C")
    return array if array.flags.aligned else array.copy()


def _is_apart(converted: Sequence[Any], leaves: Sequence[Any], number: int) -> bool:
    """Tell whether an in-out argument cannot be changed where it is, but must be copied."""
    leaf = leaves[number]
    if type(leaf) is not np.ndarray:
        raise ArgumentError(f"an in-out argument must be an array, not a {type(leaf).__name__}")
    if not leaf.flags.writeable:
        raise ValueError("an in-out argument is read-only")
    return converted[number] is not leaf or any(
        np.may_share_memory(leaf, other)
        for place, other in enumerate(leaves)
        if place != number and isinstance(other, np.ndarray)
    )


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
