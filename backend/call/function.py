"""The callable object a user holds."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from . import abi
from .fallback import CtypesCallable

if TYPE_CHECKING:
    from .native import NativeCallable


def _choose() -> type[NativeCallable] | type[CtypesCallable]:
    if not abi.is_main_interpreter():
        raise ImportError("gradatim compiles for the main interpreter only, not a subinterpreter")
    if os.environ.get("GRADATIM_CALL") == "ctypes":
        return CtypesCallable
    try:
        mismatch = abi.mismatch()
        if mismatch is None:
            from .native import NativeCallable

            return NativeCallable
    except RuntimeError as error:
        mismatch = str(error)
    warnings.warn(f"calls of compiled functions will be slow here: {mismatch}", stacklevel=2)
    return CtypesCallable


if TYPE_CHECKING:
    CompiledCallable = CtypesCallable
else:
    CompiledCallable = _choose()
    """A function that runs compiled programs: ``CompiledCallable(slow, on_error)``.

    A call tries its programs in turn (`add`, `clear`, `programs`).

    Args:
        slow: called with the arguments of a call that matches no program; its answer is the
            call's, and it may `add` a program for the next time.
        on_error: called with the status of a program that returned another one than 0 or
            `MISMATCH`, and then the arguments; expected to raise. What it returns otherwise becomes
            the value of the call.

    The environment variable GRADATIM_CALL=ctypes chooses the slow implementation (fallback.py).
    """
