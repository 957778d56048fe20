"""Programs for the tests of the compiled call: kernels that copy their inputs to their outputs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradatim.backend import jit
from gradatim.backend.call import CompiledCallable, Program, emit_entry, link_program
from gradatim.backend.call.layout import Layout, Leaf
from gradatim.backend.call.signature import ArraySpec, CallSignature

FIRST = Leaf(0)


class SlowPathTaken(Exception):
    """Raised by the slow path of the callables made here."""


def spec(dtype: Any, *shape: int) -> ArraySpec:
    return ArraySpec(np.dtype(dtype), shape)


def signature(
    inputs: list[ArraySpec],
    result: Layout = FIRST,
    parameters: tuple[Layout, ...] | None = None,
    outputs: list[ArraySpec] | None = None,
    **options: Any,
) -> CallSignature:
    """Return a signature whose outputs are like its inputs and whose arguments are leaves."""
    outputs = [ArraySpec(s.dtype, s.shape) for s in inputs] if outputs is None else outputs
    parameters = tuple(map(Leaf, range(len(inputs)))) if parameters is None else parameters
    return CallSignature(parameters, tuple(inputs), result, tuple(outputs), **options)


def copying_kernel(call: CallSignature, status: int = 0) -> str:
    """Return a kernel that copies captures and inputs, in this order, to the outputs."""
    sources = [f"%in{i}" for i in range(call.captures + len(call.inputs))]
    targets = [f"%out{i}" for i in range(len(call.outputs))]
    copies = [
        f"  call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {s.nbytes}, i1 false)"
        for source, target, s in zip(sources, targets, call.outputs, strict=False)
    ]
    parameters = ", ".join(f"ptr {name}" for name in sources + targets)
    return "\n".join(
        [
            "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
            f"define i32 @gd.main({parameters}) {{",
            *copies,
            f"  ret i32 {status}",
            "}\n",
        ]
    )


def program(
    call: CallSignature,
    kernel: str | None = None,
    *,
    release_gil: bool = False,
    captured: Sequence[np.ndarray[Any, Any]] = (),
) -> Program:
    text = (kernel or copying_kernel(call)) + emit_entry(call, release_gil=release_gil)
    return link_program(jit.compile_object(text), call, captured=captured)


@functools.cache
def copying_program(*shape: int, release_gil: bool = False) -> Program:
    """Return a program that copies a float64 array of this shape."""
    return program(signature([spec("d", *shape)]), release_gil=release_gil)


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise SlowPathTaken(args, kwargs)


def raise_status(status: int, *args: Any, **kwargs: Any) -> Any:
    raise ArithmeticError(status)


def function(*programs: Program, kind: type = CompiledCallable) -> Any:
    """Return a callable that tries `programs` from last to first and otherwise raises."""
    result = kind(refuse, raise_status)
    for each in programs:
        result.add(each)
    return result
