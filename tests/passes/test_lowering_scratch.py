"""Scratch memory of kernels: allocated once, private to threads, and never without a check."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pytest

import gradatim as gd
from gradatim.ir.kernel.buffers import NO_MEMORY
from gradatim.ir.kernel.schedule import Schedule
from gradatim.passes.lowering.lower_to_loops import KernelLowerToLoops

from .lowered import interpret, lowered, run, softmax

ROWS = np.random.default_rng(8).normal(size=(64, 4000))
IN_ORDER = Schedule(rows=(0,), vector=8)
PARALLEL = Schedule(rows=(0,), parallel=(0,), vector=8)
Allocator = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int64)


class Memory:
    """An allocator that gives memory so many times, and counts how often it is asked for it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked = 0
        self.given: list[ctypes.Array] = []
        self._allocate = Allocator(self.allocate)
        self._free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda address: None)

    def allocate(self, size: int) -> int:
        self.asked += 1
        if len(self.given) >= self.most:
            return 0
        self.given.append(ctypes.create_string_buffer(size + 64))
        return -(-ctypes.addressof(self.given[-1]) // 64) * 64

    def symbols(self) -> dict[str, int]:
        functions = {"gd.alloc": self._allocate, "gd.free": self._free}
        addresses = {n: ctypes.cast(f, ctypes.c_void_p).value for n, f in functions.items()}
        return {name: address or 0 for name, address in addresses.items()}


def both(b, x):
    return softmax(b, x)[0]


@pytest.mark.parametrize("schedule", [IN_ORDER, PARALLEL])
def test_no_memory_is_a_status(schedule):
    module = lowered(both, [ROWS], schedule)
    memory = Memory(0)
    run(module, [ROWS], interpret(both, [ROWS]), memory.symbols(), status=NO_MEMORY)
    assert memory.asked == 1


@pytest.mark.parametrize("most", [1, 2, 1000])
@pytest.mark.parametrize("schedule", [IN_ORDER, PARALLEL])
def test_what_there_is_suffices(schedule, most):
    module = lowered(both, [ROWS], schedule)
    memory = Memory(most)
    (expected,) = interpret(both, [ROWS])
    for _ in range(20):
        memory.given.clear()
        (found,) = run(module, [ROWS], [expected], memory.symbols())
        np.testing.assert_allclose(found, expected, rtol=4e-15)


def allocations(function: Callable, *arguments: np.ndarray) -> int:
    text = gd.stage(function).lower(*arguments).as_text("loop")
    return text.count("memref.alloc(")


def smooth(x):
    def step(i, x):
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        return np.sort(e / np.sum(e, axis=1, keepdims=True), axis=0) + x[::-1]

    return gd.lax.fori_loop(0, 5, step, x)


def smooth_until(x):
    def step(carry):
        i, x = carry
        e = np.exp(x - np.max(x, axis=1, keepdims=True))
        return i + 1, np.sort(e / np.sum(e, axis=1, keepdims=True), axis=0) + x[::-1]

    return gd.lax.while_loop(lambda carry: carry[0] < 5, step, (0, x))[1]


def smooth_each(x):
    return gd.lax.map(smooth, np.stack([x, x + 1, x * 2, x - 3]))


@pytest.mark.parametrize("function", [smooth, smooth_until, smooth_each])
@pytest.mark.parametrize("shape", [(6, 3000), (3000, 6)])
def test_loops_allocate_once(function, shape, monkeypatch):
    x = np.random.default_rng(9).normal(size=shape)
    assert allocations(function, x) == 1
    found = gd.stage(function)(x)
    monkeypatch.setenv("GRADATIM_EXECUTE", "interpreter")
    np.testing.assert_allclose(found, gd.stage(function)(x), rtol=1e-13)


def test_kernels_that_are_functions(monkeypatch):
    x = np.random.default_rng(10).normal(size=(40, 4000))
    expected = gd.stage(smooth)(x)
    monkeypatch.setattr(KernelLowerToLoops, "outline_ops", 0)
    monkeypatch.setattr(KernelLowerToLoops.__init__, "__defaults__", (0,))
    monkeypatch.setenv("GRADATIM_CACHE", "0")
    lowered_ = gd.stage(lambda x: smooth(x)).lower(x)
    assert lowered_.as_text("loop").count("memref.alloc(") == 1
    assert "kernel_0" in lowered_.as_text("loop")
    np.testing.assert_array_equal(gd.stage(lambda x: smooth(x))(x), expected)


def test_more_than_there_is():
    def function(x):
        wide = np.broadcast_to(x[:, None], (2, 1 << 45))
        return np.sum(np.cumsum(np.sort(wide, axis=1), axis=1)[:, -1])

    with pytest.raises(MemoryError):
        gd.stage(function)(np.ones(2))
