"""What runs a traced function: machine code, or the reference interpreter.

Environment variable:
    GRADATIM_EXECUTE: ``interpreter`` runs every program by the reference interpreter, op by op on
        NumPy, to tell whether a wrong result is the compiler's fault.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NoReturn, Protocol

import numpy as np

from ..backend.call import MISMATCH, CallSignature, CompiledCallable, Program, link_program
from ..backend.callbacks import Callbacks, is_callback_symbol, raise_pending
from ..backend.libraries import is_library_symbol, library_symbols
from ..ir.interpreter import Interpreter
from ..ir.kernel.buffers import NO_MEMORY, RAISED
from .artifacts import ProgramCode, compile_program
from .boundary import public
from .callbacks import FUNCTIONS
from .errors import GradatimError
from .layouts import flat_call
from .traced import Traced


class GuardFailed(Exception):
    """The arguments decide otherwise than those that the function was traced for."""


class Executable(Protocol):
    """Runs one traced function."""

    def run(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """Return the leaves of the result for leaves of the traced types.

        Raises:
            GuardFailed: if they decide otherwise than those that the function was traced for.
        """

    def program(self, signature: CallSignature) -> Program | None:
        """Return the code for compiled calls, None if there is none."""


def executable(traced: Traced, check_with: Sequence[Any] | None = None) -> Executable:
    """Return what runs a traced function.

    Args:
        traced: the function.
        check_with: leaves of arguments for which each pass is checked against the reference
            semantics; None for no check.

    Raises:
        GradatimError: if a pass changes the results.
    """
    if os.environ.get("GRADATIM_EXECUTE") == "interpreter":
        return Interpreted(traced)
    if check_with is None:
        return Native(traced, compile_program(traced))
    from ..passes.pipeline import check_against

    arguments: Any = [*traced.captures, *_arrays(traced, check_with)]
    return Native(traced, compile_program(traced, [check_against(traced.fun_name, arguments)]))


def _arrays(traced: Traced, leaves: Sequence[Any]) -> list[np.ndarray]:
    return [np.asarray(leaf, type_.dtype) for leaf, type_ in zip(leaves, traced.in_avals)]


class Native:
    """Runs machine code."""

    def __init__(self, traced: Traced, code: ProgramCode) -> None:
        self._code = code
        self._captures: Any = traced.captures
        self._guarded = bool(traced.guards)
        self._flat_signature = flat_call(traced)

    def run(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """Call the code with the leaves as arguments.

        Raises:
            Exception: what a Python function that the code calls has raised.
        """
        results: Sequence[Any] = self._flat(*leaves)
        return results

    def program(self, signature: CallSignature) -> Program:
        """Link the code for calls of the given signature."""
        externals = self._code.externals
        symbols = {
            **library_symbols(filter(is_library_symbol, externals)),
            **self._callbacks.addresses,
        }
        return link_program(
            self._code.object,
            signature,
            captured=self._captures,
            symbols=symbols,
            keep=self._callbacks,
        )

    @cached_property
    def _callbacks(self) -> Callbacks:
        return Callbacks(FUNCTIONS, filter(is_callback_symbol, self._code.externals))

    @cached_property
    def _flat(self) -> CompiledCallable:
        flat = CompiledCallable(_fail if self._guarded else _refuse, raise_status)
        flat.add(self.program(self._flat_signature))
        return flat


class Interpreted:
    """Runs the IR by the reference interpreter.

    Args:
        traced: the function.
    """

    def __init__(self, traced: Traced) -> None:
        self._interpreter = Interpreter(traced.module, FUNCTIONS)
        self._captures: Any = traced.captures
        self._traced = traced

    def run(self, leaves: Sequence[Any]) -> Sequence[Any]:
        """Return the leaves of the result, 0-d ones as NumPy scalars; store in in-out arguments."""
        arrays = (*self._captures, *_arrays(self._traced, leaves))
        results = self._interpreter.call(self._traced.fun_name, *arrays)
        if self._traced.has_status:
            status = int(results.pop())
            if status == MISMATCH:
                raise GuardFailed
        for leaf in reversed(self._traced.in_out):
            leaves[leaf][...] = results.pop()
        return [np.array(result)[()] for result in results]

    def program(self, signature: CallSignature) -> None:
        """There is no code."""
        return None


@public
def raise_status(status: int, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the error that compiled code reports by a status other than 0.

    Args:
        status: what the program returned.
        args: the arguments of the call.
        kwargs: those by keyword.

    Raises:
        MemoryError: if there was no memory for temporaries, or for what reverse mode remembers of a
            loop.
        BaseException: what a Python function that the program called has raised.
    """
    if status == RAISED:
        raise_pending()
    if status == NO_MEMORY:
        raise MemoryError("there is not enough memory for what the compiled function keeps")
    raise GradatimError(f"the compiled function failed with status {status}")


def _fail(*leaves: Any) -> NoReturn:
    raise GuardFailed


def _refuse(*leaves: Any) -> NoReturn:
    types = [(type(leaf).__name__, getattr(leaf, "dtype", None)) for leaf in leaves]
    raise GradatimError(f"the compiled function did not take arguments of its types: {types}")
