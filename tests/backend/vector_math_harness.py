"""Compile vector math functions on their own and measure their error."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from functools import cache

import llvmlite.binding as llvm
import numpy as np

from gradatim.backend.vector_math import (
    FUNCTIONS,
    Element,
    Request,
    Target,
    definitions,
    symbol_of,
)

DTYPES = {"f32": np.dtype(np.float32), "f64": np.dtype(np.float64)}
_LLVM = {"f32": "float", "f64": "double"}


@cache
def _initialized() -> None:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


def target_machine(triple: str = "", cpu: str = "", features: str = "") -> llvm.TargetMachine:
    """The target machine of the host, of another CPU of its kind, or of another triple."""
    _initialized()
    if not cpu:
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_triple(triple or llvm.get_process_triple())
    model = "default" if triple else "jitdefault"
    return target.create_target_machine(
        cpu=cpu, features=features, opt=2, codemodel=model, jit=not triple
    )


def host() -> Target:
    """The target of this machine."""
    _initialized()
    return Target.from_features(llvm.get_host_cpu_features())


def _kernel(name: str, element: Element, lanes: int, target: Target) -> str:
    """A loop over contiguous arrays, whose length is a multiple of ``lanes``."""
    scalar = _LLVM[element]
    vector = scalar if lanes == 1 else f"<{lanes} x {scalar}>"
    size = DTYPES[element].itemsize
    letters = "xy"[: FUNCTIONS[name].arity]
    pointers = ", ".join(f"ptr %{p}" for p in letters)
    loads = "".join(
        f"  %{p}.at = getelementptr {scalar}, ptr %{p}, i64 %i\n"
        f"  %{p}.v = load {vector}, ptr %{p}.at, align {size}\n"
        for p in letters
    )
    arguments = ", ".join(f"{vector} %{p}.v" for p in letters)
    symbol = symbol_of(name, element, lanes)
    return (
        f"define void @run.{symbol}({pointers}, ptr noalias %out, i64 %n) "
        f"{target.function_attributes} {{\n"
        "entry:\n  br label %loop\nloop:\n"
        "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n"
        f"{loads}"
        f"  %r = call {vector} @{symbol}({arguments})\n"
        f"  %out.at = getelementptr {scalar}, ptr %out, i64 %i\n"
        f"  store {vector} %r, ptr %out.at, align {size}\n"
        f"  %next = add i64 %i, {lanes}\n"
        "  %more = icmp ult i64 %next, %n\n"
        "  br i1 %more, label %loop, label %end\nend:\n  ret void\n}\n"
    )


def module_text(requests: Iterable[Request], target: Target) -> str:
    """The definitions of ``requests`` and a loop over arrays for each."""
    requests = list(requests)
    kernels = [_kernel(*request, target) for request in requests]
    return "\n".join([definitions(requests, target), *kernels])


def assembly(text: str, machine: llvm.TargetMachine) -> str:
    """The verified module as assembly."""
    module = llvm.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    module.verify()
    return str(machine.emit_assembly(module))


class Compiled:
    """Functions compiled for this machine, called with ``run(request, *arrays)``."""

    def __init__(self, requests: Iterable[Request], target: Target, cpu: str = "") -> None:
        self._requests = list(requests)
        module = llvm.parse_assembly(module_text(self._requests, target))
        module.verify()
        self._engine = llvm.create_mcjit_compiler(module, target_machine(cpu=cpu))
        self._engine.finalize_object()

    def __call__(self, request: Request, *arrays: np.ndarray) -> np.ndarray:
        """Apply a function to arrays of one length, padded to whole vectors."""
        _, element, lanes = request
        dtype = DTYPES[element]
        length = len(arrays[0])
        padding = -length % lanes
        operands = [np.concatenate([np.asarray(a, dtype), np.ones(padding, dtype)]) for a in arrays]
        out = np.empty(length + padding, dtype)
        self.pointer(request)(*(a.ctypes.data for a in operands), out.ctypes.data, len(out))
        return out[:length]

    def pointer(self, request: Request) -> Callable[..., None]:
        """The compiled loop: pointers to the operands and the result, and the length."""
        address = self._engine.get_function_address("run." + symbol_of(*request))
        arity = FUNCTIONS[request[0]].arity
        signature = [ctypes.c_void_p] * (arity + 1) + [ctypes.c_int64]
        return ctypes.CFUNCTYPE(None, *signature)(address)


def ulp_error(result: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The distance to ``reference`` (of higher precision) in units in its last place.

    Results of the wrong class (NaN, infinity) count as infinitely far; overflow to infinity
    is right where the reference rounds to it.
    """
    dtype = result.dtype
    info = np.finfo(dtype)
    with np.errstate(all="ignore"):
        rounded = reference.astype(dtype)
        _, exponent = np.frexp(np.where(np.isfinite(reference), reference, 0))
        unit = np.ldexp(np.longdouble(1), np.maximum(exponent, info.minexp + 1) - info.nmant - 1)
        distance = np.abs(result.astype(np.longdouble) - reference) / unit
    same = (result == rounded) | (np.isnan(result) & np.isnan(rounded))
    special = ~np.isfinite(result) | ~np.isfinite(rounded)
    return np.where(special, np.where(same, 0.0, np.inf), distance).astype(np.float64)
