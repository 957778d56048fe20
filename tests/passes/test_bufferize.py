"""Bufferisation: that it keeps the meaning, where results go, and what shares memory."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel.interpreter import BufferInterpreter
from gradatim.passes.autodiff.vjp import ArrayVjp
from gradatim.passes.bufferize.arena import ALIGNMENT, Storage, plan_arena
from gradatim.passes.bufferize.bufferize import STACK_BYTES, KernelBufferize
from gradatim.passes.bufferize.in_place import choose_in_place

from .kernels import CONTEXT, Body, equal, fused, long_chain, module_of
from .programs import ANYTHING, SUMS, Program, programs


def bufferized(module: ModuleOp) -> ModuleOp:
    fused(module)
    KernelBufferize().apply(CONTEXT, module)
    module.verify()
    check_function(find_function(module, "f"), locations=False)
    return module


def ops_of(module: ModuleOp, kind: type) -> list[memref.ViewOp]:
    return [op for op in find_function(module, "f").body.block.ops if isinstance(op, kind)]


def arena_bytes(module: ModuleOp) -> int:
    allocations = ops_of(module, memref.AllocOp) + ops_of(module, memref.AllocaOp)
    return sum(op.results[0].type.get_shape()[0] for op in allocations)  # type: ignore[attr-defined]


class TestMeaning:
    def check(self, program: Program) -> None:
        module = ModuleOp([program.function])
        expected = Interpreter(module).call("f", *program.arguments)
        results = BufferInterpreter(bufferized(module)).call("f", *program.arguments)
        assert all(map(equal, expected, results))

    @settings(max_examples=150, deadline=None)
    @given(programs(ANYTHING, 20))
    def test_any_program(self, program: Program) -> None:
        self.check(program)

    @settings(max_examples=100, deadline=None)
    @given(programs(SUMS, 20))
    def test_sums(self, program: Program) -> None:
        self.check(program)

    def test_a_long_gradient(self) -> None:
        module = module_of(long_chain(600), (5,))
        ArrayVjp(function="f", seed=True, value=False).apply(CONTEXT, module)
        x = np.linspace(-1, 1, 5, dtype=np.float32)
        expected = Interpreter(module).call("f", x)
        results = BufferInterpreter(bufferized(module)).call("f", x)
        np.testing.assert_array_equal(results, expected)

    @settings(max_examples=30, deadline=None)
    @given(programs(ANYTHING, 20))
    def test_every_op_has_a_location(self, program: Program) -> None:
        module = bufferized(ModuleOp([program.function]))
        check_function(find_function(module, "f"))

    def test_constants_are_defined_once(self) -> None:
        data = np.arange(3, dtype=np.float32)

        def body(b: Builder, x: SSAValue) -> list[SSAValue]:
            first, second = b.constant(data), b.constant(data)
            return [b.add(b.reverse(first, [0]), x), b.mul(second, x)]

        module = bufferized(module_of(body, (3,)))
        definitions = [op for op in module.body.block.ops if isinstance(op, memref.GlobalOp)]
        assert len(definitions) == 1
        reversed_, product = BufferInterpreter(module).call("f", data)
        np.testing.assert_array_equal(reversed_, data[::-1] + data)
        np.testing.assert_array_equal(product, data * data)

    def test_calls_are_refused(self) -> None:
        module = module_of(lambda b, x: b.sin(x), (3,))
        with pytest.raises(GradatimError, match=r"array\.sin cannot be bufferised"):
            KernelBufferize().apply(CONTEXT, module)


class TestArena:
    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(
            st.tuples(st.integers(0, 300), st.integers(0, 20), st.integers(0, 20)), max_size=30
        )
    )
    def test_what_lives_at_once_is_apart(self, lives: list[tuple[int, int, int]]) -> None:
        storages = [Storage(size, first, first + more) for size, first, more in lives]
        total = plan_arena(storages)
        for i, a in enumerate(storages):
            assert a.offset % ALIGNMENT == 0
            assert a.offset + a.size <= total
            for b in storages[:i]:
                at_once = a.first <= b.last and b.first <= a.last
                apart = a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
                assert apart or not at_once or not a.size or not b.size

    def test_the_smallest_place_that_fits_is_taken(self) -> None:
        large, kept, small, other = (
            Storage(size, first, last)
            for size, first, last in ((256, 0, 1), (64, 0, 9), (64, 0, 1), (64, 0, 9))
        )
        late = Storage(64, 2, 3)
        assert plan_arena([large, kept, small, other, late]) == 448
        assert late.offset == small.offset

    def test_neighbouring_places_become_one(self) -> None:
        parts = [Storage(64, 0, 1) for _ in range(3)]
        whole = Storage(192, 2, 3)
        assert plan_arena([*parts, whole]) == 192
        assert whole.offset == 0

    def test_chains_need_two_places(self) -> None:
        """A chain of kernels that cannot write in place alternates between two."""
        shape = (4096,)

        def body(b: Builder, x: SSAValue) -> SSAValue:
            for _ in range(10):
                x = b.exp(b.add(x, b.reverse(x, [0])))
            return x

        module = bufferized(module_of(body, shape))
        assert arena_bytes(module) == 2 * 4 * 4096

    @pytest.mark.parametrize(("size", "on_stack"), [(16, True), (STACK_BYTES, False)])
    def test_stack_or_heap(self, size: int, on_stack: bool) -> None:
        def body(b: Builder, x: SSAValue) -> SSAValue:
            y = b.exp(x)
            return b.add(y, b.reverse(y, [0]))

        module = bufferized(module_of(body, (size,)))
        assert bool(ops_of(module, memref.AllocaOp)) == on_stack
        assert len(ops_of(module, memref.DeallocOp)) == (not on_stack)


def body_of(body: Body, *shapes: tuple[int, ...]) -> Block:
    (kernel,) = fused(module_of(body, *shapes))
    return kernel.body.block


class TestInPlace:
    @pytest.mark.parametrize(
        ("body", "chosen"),
        [
            (lambda b, x, y: b.add(x, y), [0]),
            (lambda b, x, y: [b.exp(x), b.exp(y)], [0, 1]),
            (lambda b, x, y: [b.exp(y), b.exp(x)], [0, 1]),
            (lambda b, x, y: [b.mul(x, y), b.exp(x)], [0, None]),
            (lambda b, x, y: b.add(b.reverse(x, [0]), y), [1]),
            (lambda b, x, y: b.reverse(b.mul(x, y), [0]), [None]),
            (lambda b, x, y: b.add(x, b.reverse(x, [0])), [None]),
            (lambda b, x, y: b.convert(x, np.dtype("f8")), [None]),
            (lambda b, x, y: [b.exp(x), b.reduce("add", x, [0, 1])], [None, None]),
            (lambda b, x, y: [b.exp(x), b.reduce("add", b.exp(x), [0, 1])], [0, None]),
            (
                lambda b, x, y: b.sub(x, b.broadcast(b.reduce("max", x, [1]), (4, 4), [0])),
                [None],
            ),
            (lambda b, x, y: b.add(x, b.full_like(x, 2)), [0]),
        ],
    )
    def test_choices(self, body: Body, chosen: list[int | None]) -> None:
        block = body_of(body, (4, 4), (4, 4))
        assert choose_in_place(block, range(len(block.args))) == chosen

    def test_only_candidates_are_chosen(self) -> None:
        block = body_of(lambda b, x, y: b.add(x, y), (4,), (4,))
        assert choose_in_place(block, [1]) == [1]
        assert choose_in_place(block, []) == [None]

    def test_results_start_in_their_own_memory(self) -> None:
        """What is updated in place is in the caller's buffer from the start."""

        def body(b: Builder, x: SSAValue) -> SSAValue:
            y = b.dot_general(x, x, contract=([1], [0]))
            return b.tanh(y)

        module = bufferized(module_of(body, (4, 4)))
        assert arena_bytes(module) == 0

    def test_an_operand_that_is_read_later_stays(self) -> None:
        def body(b: Builder, x: SSAValue) -> list[SSAValue]:
            y = b.exp(b.dot_general(x, x, contract=([1], [0])))
            product = b.dot_general(y, y, contract=([1], [0]))
            shifted = b.sin(product)
            again = b.dot_general(product, shifted, contract=([1], [0]))
            return [again]

        x = np.ones((3, 3), np.float32) / 8
        module = module_of(body, (3, 3))
        (expected,) = Interpreter(module).call("f", x)
        (result,) = BufferInterpreter(bufferized(module)).call("f", x)
        np.testing.assert_array_equal(result, expected)


def test_memory_of_a_gradient_grows_with_its_depth_alone() -> None:
    """What the backward pass needs of the forward pass is kept, and little else.

    Shorter chains keep part of it in registers, since they are few kernels.
    """
    sizes = []
    for ops in (400, 800, 1600):
        module = module_of(long_chain(ops), (1000,))
        ArrayVjp(function="f", seed=True, value=False).apply(CONTEXT, module)
        sizes.append(arena_bytes(bufferized(module)) / 4000)
    assert all(2 * a * 0.9 < b < 2 * a * 1.1 + 10 for a, b in pairwise(sizes))
    assert sizes[-1] < 1600
