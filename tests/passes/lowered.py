"""Compiles one fusion, as its schedule says, and compares it with the reference interpreter."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from gradatim.backend import jit, threads
from gradatim.backend.emit import ENTRY, emit_module
from gradatim.backend.libraries import library_symbols
from gradatim.ir.builder import Builder
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel.buffers import buffer_type
from gradatim.ir.kernel.ops import FusionOp, YieldOp
from gradatim.ir.kernel.schedule import Schedule
from gradatim.ir.locations import UNKNOWN
from gradatim.ir.types import shape_of, tensor_type
from gradatim.passes.lowering.lower_to_loops import KernelLowerToLoops

Build = Callable[..., SSAValue | Sequence[SSAValue]]

TARGET = jit.host_target().vector_math
TOLERANCE = {np.dtype(np.float32): 2e-6, np.dtype(np.float64): 4e-15}


def check(build: Build, *arrays: Any, schedule: Schedule | None = None) -> None:
    """Assert that the compiled fusion of what ``build`` builds gives the reference's results."""
    arguments = [np.ascontiguousarray(a) if np.ndim(a) else np.asarray(a) for a in arrays]
    expected = interpret(build, arguments)
    module = lowered(build, arguments, schedule or Schedule(vector=8))
    module.verify()
    for want, got in zip(expected, run(module, arguments, expected), strict=True):
        # Where terms cancel, the error is small beside the terms, not beside the sum.
        scale = np.max(np.abs(want), initial=1, where=np.isfinite(want))
        tolerance = TOLERANCE.get(want.dtype, 0) * scale
        np.testing.assert_allclose(got, want, rtol=TOLERANCE.get(want.dtype, 0), atol=tolerance)


def interpret(build: Build, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    types = [tensor_type(a.shape, a.dtype) for a in arguments]
    function = FunctionBuilder("f", types)
    results = _listed(build(function.builder, *function.arguments))
    return Interpreter(ModuleOp([function.finish(results)])).call("f", *arguments)


def lowered(build: Build, arguments: Sequence[np.ndarray], schedule: Schedule) -> ModuleOp:
    """Return the module whose function ``f`` is one fusion, lowered to loops."""
    types = [tensor_type(a.shape, a.dtype) for a in arguments]
    body = Block(arg_types=types)
    results = _listed(build(Builder(body), *body.args))
    body.add_op(YieldOp.create(operands=results))
    buffers = [buffer_type(t) for t in (*types, *(v.type for v in results))]
    block = Block(arg_types=buffers)
    ins, outs = block.args[: len(types)], block.args[len(types) :]
    block.add_op(FusionOp.of(body, ins, outs, schedule=schedule, location=UNKNOWN))
    block.add_op(ReturnOp.create())
    module = ModuleOp([FuncOp("f", (buffers, []), Region(block))])
    module.verify()
    KernelLowerToLoops().apply(None, module)
    return module


def run(
    module: ModuleOp,
    arguments: Sequence[np.ndarray],
    like: Sequence[np.ndarray],
    others: Mapping[str, int] = {},
    status: int = 0,
) -> list[np.ndarray]:
    """Compile a module of the loop level and call its function ``f``, which gives a status.

    ``others`` gives addresses of what is not to be the runtime's, such as ``gd.parallel``.
    """
    return CompiledModule(module).run(arguments, like, others, status)


class CompiledModule:
    """The object code of a module of the loop level, to be run as its function ``f``."""

    def __init__(self, module: ModuleOp) -> None:
        emitted = emit_module(module, "f", TARGET)
        self.text = emitted.text
        self.externals = emitted.externals
        self.code = jit.compile_object(emitted.text)

    def run(
        self,
        arguments: Sequence[np.ndarray],
        like: Sequence[np.ndarray],
        others: Mapping[str, int] = {},
        status: int = 0,
    ) -> list[np.ndarray]:
        """Link it and call it, as `run` does."""
        process = ctypes.CDLL(None)
        symbols = threads.symbols()
        for name, function in {"gd.alloc": process.malloc, "gd.free": process.free}.items():
            address = ctypes.cast(function, ctypes.c_void_p).value
            assert address is not None
            symbols[name] = address
        symbols |= others
        symbols |= library_symbols(name for name in self.externals if name not in symbols)
        linked = jit.link(self.code, symbols, [ENTRY])
        guarded = [*map(_Guarded, arguments), *(_Guarded(np.ones_like(a)) for a in like)]
        pointers = [g.array.ctypes.data for g in guarded]
        signature = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * len(pointers))
        assert signature(linked.address(ENTRY))(*pointers) == status
        written = [g.array.shape for g in guarded if not g.is_intact()]
        assert not written, f"written beyond arrays of shapes {written}"
        for before, g in zip(arguments, guarded):
            np.testing.assert_array_equal(g.array, before, "an argument is changed")
        return [g.array for g in guarded[len(arguments) :]]


class _Guarded:
    """A copy of an array between bytes that nobody has to write."""

    SIZE, BYTE = 256, 0xA5

    def __init__(self, array: np.ndarray) -> None:
        size = array.nbytes
        memory = np.full(size + 2 * self.SIZE + 64, self.BYTE, np.uint8)
        start = self.SIZE + -memory.ctypes.data % 64
        self.guards = memory[:start], memory[start + size :]
        self.array = memory[start : start + size].view(array.dtype).reshape(array.shape)
        self.array[...] = array

    def is_intact(self) -> bool:
        return all(bool(np.all(guard == self.BYTE)) for guard in self.guards)


@contextmanager
def thread_count(count: int) -> Iterator[None]:
    """Let parallel loops run on so many threads."""
    address = threads._linked().address("gd.threads.helpers")
    helpers = ctypes.c_int64.from_address(address)
    before, helpers.value = helpers.value, count - 1
    yield
    helpers.value = before


def in_orders(
    build: Build, arrays: Sequence[np.ndarray], schedule: Schedule
) -> list[list[np.ndarray]]:
    """Return the results of a kernel whose chunks run in order, in reverse order, and at once."""
    module = lowered(build, arrays, schedule)
    like = interpret(build, arrays)
    return [run(module, arrays, like, others) for others in (*orders(), {})]


@cache
def orders() -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return what runs chunks in order, and what in reverse order, in place of the threads."""
    linked = jit.link(jit.compile_object(_IN_ORDER), exports=["forward", "backward"])
    _alive.append(linked)
    forward, backward = ({"gd.parallel": linked.address(n)} for n in ("forward", "backward"))
    return forward, backward


_alive: list[jit.Linked] = []
"""Code whose addresses are given away."""

_IN_ORDER = """
define void @forward(ptr %function, ptr %context, i64 %chunks) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void %function(ptr %context, i64 %i)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %chunks
  br i1 %more, label %loop, label %done
done:
  ret void
}

define void @backward(ptr %function, ptr %context, i64 %chunks) {
entry:
  br label %loop
loop:
  %i = phi i64 [ %chunks, %entry ], [ %next, %loop ]
  %next = add i64 %i, -1
  call void %function(ptr %context, i64 %next)
  %more = icmp sgt i64 %next, 0
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""


def _listed(results: SSAValue | Sequence[SSAValue]) -> list[SSAValue]:
    return [results] if isinstance(results, SSAValue) else list(results)


def softmax(b: Builder, x: SSAValue) -> tuple[SSAValue, SSAValue]:
    """Append a softmax along the last dimension; return it, and the sums that it divides by."""
    shape, last = shape_of(x), len(shape_of(x)) - 1
    kept = range(last)
    largest = b.broadcast(b.reduce("max", x, [last]), shape, kept)
    powers = b.exp(b.sub(x, largest))
    total = b.reduce("add", powers, [last])
    return b.div(powers, b.broadcast(total, shape, kept)), total
