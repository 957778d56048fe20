"""Fusion: that it keeps the meaning, what it joins, what it repeats, and its schedules."""

from __future__ import annotations

from collections import Counter
from math import prod
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array.control import CaseOp
from gradatim.ir.array.effect import CheckOp
from gradatim.ir.array.indexing import DynamicSliceOp, GatherOp
from gradatim.ir.array.shape import SliceOp
from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.functions import find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel.ops import FusionOp
from gradatim.ir.kernel.schedule import Schedule
from gradatim.ir.types import Shape
from gradatim.passes.autodiff.vjp import ArrayVjp
from gradatim.passes.checks.raising import ArrayRaiseChecks
from gradatim.passes.fusion import grouping, roles
from gradatim.passes.fusion.cost import cost_of, flops_of
from gradatim.passes.fusion.fuse import ArrayFuse
from gradatim.passes.pipeline import Options, array_pipeline, cost_table, count_ops, run_passes

from ..ir.examples import examples
from .kernels import CONTEXT, equal, fused, fusions_of, long_chain, module_of, op_names
from .programs import ANYTHING, SUMS, Program, programs

ALLOWED = {"func.func", "func.return", "kernel.fusion", "array.reshape", "array.constant"}


def simplified(module: ModuleOp) -> ModuleOp:
    run_passes(module, array_pipeline(Options()), context=CONTEXT)
    return module


def gradient(module: ModuleOp, argnums: tuple[int, ...] = (0,)) -> ModuleOp:
    ArrayVjp(function="f", argnums=argnums, seed=True, value=False).apply(CONTEXT, module)
    return simplified(module)


class TestMeaning:
    def check(self, program: Program) -> None:
        module = ModuleOp([program.function])
        expected = Interpreter(module).call("f", *program.arguments)
        fused(module)
        assert {op.name for op in find_function(module, "f").body.block.ops} <= ALLOWED
        results = Interpreter(module).call("f", *program.arguments)
        assert all(map(equal, expected, results))

    @settings(max_examples=150, deadline=None)
    @given(programs(ANYTHING, 20))
    def test_any_program(self, program: Program) -> None:
        self.check(program)

    @settings(max_examples=100, deadline=None)
    @given(programs(SUMS, 20))
    def test_sums(self, program: Program) -> None:
        self.check(program)

    @settings(max_examples=100, deadline=None)
    @given(programs(SUMS, 20))
    def test_with_small_limits(self, program: Program) -> None:
        limits = {"MAX_OPS": 4, "MIN_OPS": 2, "ROW_BYTES": 24}
        with patch.multiple(grouping, **limits):
            self.check(program)

    @settings(max_examples=50, deadline=None)
    @given(programs(ANYTHING, 20))
    def test_fusing_again_changes_nothing(self, program: Program) -> None:
        module = ModuleOp([program.function])
        fused(module)
        before = str(module)
        fused(module)
        assert str(module) == before

    @settings(max_examples=30, deadline=None)
    @given(programs(ANYTHING, 20))
    def test_every_op_has_a_location(self, program: Program) -> None:
        module = ModuleOp([program.function])
        fused(module)
        check_function(find_function(module, "f"))

    def test_names_are_kept(self) -> None:
        def body(b: Builder, x: SSAValue) -> SSAValue:
            y = b.exp(x)
            y.name_hint = "y"
            z = b.add(y, b.reverse(y, [0]))
            z.name_hint = "z"
            return z

        first, second = fused(module_of(body, (4,)))
        assert first.results[0].name_hint == second.body.block.args[0].name_hint == "y"
        assert second.results[0].name_hint == second.terminator.operands[0].name_hint == "z"


def softmax(b: Builder, x: SSAValue) -> SSAValue:
    shape = (64, 32)
    peak = b.broadcast(b.reduce("max", x, [1]), shape, [0])
    e = b.exp(b.sub(x, peak))
    return b.div(e, b.broadcast(b.reduce("add", e, [1]), shape, [0]))


def softmax_loss(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
    return b.reduce("add", b.mul(softmax(b, x), w), [0, 1])


def layer_norm(b: Builder, x: SSAValue, scale: SSAValue, bias: SSAValue) -> SSAValue:
    shape = (64, 32)

    def mean(v: SSAValue) -> SSAValue:
        total = b.reduce("add", v, [1])
        return b.broadcast(b.div(total, b.full_like(total, 32)), shape, [0])

    centered = b.sub(x, mean(x))
    variance = mean(b.mul(centered, centered))
    normal = b.mul(centered, b.rsqrt(b.add(variance, b.full_like(variance, 1e-5))))
    scaled = b.mul(normal, b.broadcast(scale, shape, [1]))
    return b.add(scaled, b.broadcast(bias, shape, [1]))


def layer_norm_loss(b: Builder, x: SSAValue, g: SSAValue, c: SSAValue, w: SSAValue) -> SSAValue:
    return b.reduce("add", b.mul(layer_norm(b, x, g, c), w), [0, 1])


def log_sum_exp(b: Builder, x: SSAValue) -> SSAValue:
    peak = b.reduce("max", x, [1])
    e = b.exp(b.sub(x, b.broadcast(peak, (64, 32), [0])))
    return b.reduce("add", b.add(b.log(b.reduce("add", e, [1])), peak), [0])


def wave(b: Builder, x: SSAValue) -> SSAValue:
    return b.reduce("add", b.mul(x, b.sin(b.mul(x, x))), [0])


def stencil(b: Builder, x: SSAValue) -> SSAValue:
    parts = [b.slice(x, [i, j], [30 + i, 30 + j]) for i, j in ((0, 1), (1, 0), (1, 2), (2, 1))]
    total = parts[0]
    for part in parts[1:]:
        total = b.add(total, part)
    return b.sub(total, b.mul(b.slice(x, [1, 1], [31, 31]), b.full((30, 30), np.dtype("f4"), 4)))


ROWS: Shape = (64, 32)


class TestGroups:
    @pytest.mark.parametrize(
        ("body", "shapes", "kernels"),
        [
            (softmax, [ROWS], 1),
            (layer_norm, [ROWS, (32,), (32,)], 1),
            (log_sum_exp, [ROWS], 1),
            (stencil, [(32, 32)], 1),
            (wave, [(1000,)], 1),
        ],
    )
    def test_forward(self, body: object, shapes: list[Shape], kernels: int) -> None:
        assert len(fused(simplified(module_of(body, *shapes)))) == kernels  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("body", "shapes", "kernels"),
        [
            (softmax_loss, [ROWS, ROWS], 1),
            (layer_norm_loss, [ROWS, (32,), (32,), ROWS], 1),
            (log_sum_exp, [ROWS], 1),
            (wave, [(1000,)], 1),
        ],
    )
    def test_gradients(self, body: object, shapes: list[Shape], kernels: int) -> None:
        module = gradient(module_of(body, *shapes), tuple(range(min(len(shapes), 3))))  # type: ignore[arg-type]
        assert len(fused(module)) == kernels

    def test_nothing_dear_is_computed_twice(self) -> None:
        module = gradient(module_of(long_chain(800), (1000,)))
        before = dear(op_names(module))
        fused(module)
        assert dear(op_names(module)) == before

    @settings(max_examples=60, deadline=None)
    @given(programs(ANYTHING, 20))
    def test_dear_ops_of_random_programs_are_not_repeated(self, program: Program) -> None:
        module = simplified(ModuleOp([program.function]))
        names = op_names(module)
        assume(PARTIAL.isdisjoint(names))
        before = dear(names)
        fused(module)
        after = dear(op_names(module))
        assert all(after[name] <= before[name] for name in after)

    @pytest.mark.parametrize("ops", [400, 1600])
    def test_kernels_are_bounded(self, ops: int) -> None:
        kernels = fused(gradient(module_of(long_chain(ops), (1000,))))
        sizes = [len(k.body.block.ops) for k in kernels]
        assert max(sizes) <= 3 * grouping.MAX_OPS
        assert len(kernels) <= 3 * ops // grouping.MIN_OPS + 2

    def test_size_grows_linearly(self) -> None:
        small, large = (gradient(module_of(long_chain(n), (1000,))) for n in (400, 1600))
        fused(small), fused(large)
        assert count_ops(large) <= 4.4 * count_ops(small)

    def test_a_kernel_ends_where_few_values_are_alive(self) -> None:
        """Waists, one value wide, every 40 ops: each cut is at one."""

        def body(b: Builder, x: SSAValue) -> SSAValue:
            for _ in range(10):
                wide = [b.sin(b.mul(x, b.full_like(x, i))) for i in range(10)]
                while len(wide) > 1:
                    wide = [b.add(wide[0], wide[1]), *wide[2:]]
                x = b.exp(wide[0])
            return x

        kernels = fused(module_of(body, (1000,)))
        assert len(kernels) > 1
        assert all(len(k.results) == 1 and len(k.ins) == 1 for k in kernels)

    def test_rows_longer_than_the_cache_are_not_read_again_by_one_kernel(self) -> None:
        def body(b: Builder, x: SSAValue) -> SSAValue:
            total = b.reduce("add", b.exp(x), [1])
            return b.div(x, b.broadcast(total, (4, 1 << 20), [0]))

        assert len(fused(module_of(body, (4, 1 << 20)))) == 2


DEAR = {
    op.name
    for family in OPS_BY_FAMILY.values()
    for op in family
    if flops_of(op) > roles.MAX_REPEATED_FLOPS
}
"""Ops that are not computed twice for one element."""

PARTIAL = {op.name for op in (SliceOp, DynamicSliceOp, GatherOp)}
"""Ops that read some of the elements, for which alone a dear op may be computed again."""


def dear(names: list[str]) -> Counter[str]:
    return Counter(name for name in names if name in DEAR)


def schedules(module: ModuleOp, vector_bits: int = 256) -> list[Schedule]:
    return [kernel.schedule.data for kernel in fused(module, vector_bits)]


class TestSchedules:
    @pytest.mark.parametrize(
        ("dtype", "bits", "size", "lanes"),
        [
            ("f4", 128, 1000, 4),
            ("f4", 512, 1000, 16),
            ("f8", 512, 1000, 8),
            ("c16", 256, 1000, 4),
            ("i1", 128, 1000, 16),
            ("f4", 512, 5, 8),
            ("f4", 512, 1, 1),
            ("f4", 512, 0, 1),
        ],
    )
    def test_lanes(self, dtype: str, bits: int, size: int, lanes: int) -> None:
        module = module_of(lambda b, x: b.neg(x), (size,), dtype=np.dtype(dtype))
        assert schedules(module, bits)[0].vector == lanes

    @pytest.mark.parametrize(
        ("shape", "parallel"),
        [
            ((1000,), ()),
            ((1 << 22,), (0,)),
            ((1 << 11, 1 << 11), (0,)),
            ((2, 2, 1 << 20), (0, 1, 2)),
            ((1, 1 << 22), (0, 1)),
        ],
    )
    def test_parallel_dimensions(self, shape: Shape, parallel: tuple[int, ...]) -> None:
        (schedule,) = schedules(module_of(lambda b, x: b.exp(x), shape))
        assert schedule == Schedule((), parallel, 8)

    def test_parallel_rows(self) -> None:
        def body(b: Builder, x: SSAValue) -> SSAValue:
            return b.sub(x, b.broadcast(b.reduce("max", x, [2]), (8, 1000, 512), [0, 1]))

        assert schedules(module_of(body, (8, 1000, 512)))[0] == Schedule((0, 1), (0, 1), 8, 4)

    @pytest.mark.parametrize(
        ("shape", "dims", "rows"),
        [
            ((4, 8, 16), (0, 1, 2), ()),
            ((4, 8, 16), (2,), (0, 1)),
            ((4, 8, 16), (1, 2), (0,)),
            ((4, 8, 16), (0,), (0,)),
            ((4, 8, 16), (1,), (0, 1)),
            ((4, 8, 16), (0, 2), (0, 1)),
            ((4, 1, 16), (1, 2), (0,)),
        ],
    )
    def test_rows_of_a_reduction(
        self, shape: Shape, dims: tuple[int, ...], rows: tuple[int, ...]
    ) -> None:
        (schedule,) = schedules(module_of(lambda b, x: b.reduce("add", x, dims), shape))
        assert schedule.rows == rows

    @pytest.mark.parametrize(
        ("dims", "rows"), [((3,), (0, 1, 2)), ((0,), (0,)), ((2, 3), (0, 1)), ((1, 2), (0, 1, 2))]
    )
    def test_rows_of_a_broadcast(self, dims: tuple[int, ...], rows: tuple[int, ...]) -> None:
        shape = (4, 5, 6, 7)

        def body(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
            return b.add(x, b.broadcast(y, shape, dims))

        (schedule,) = schedules(module_of(body, shape, tuple(shape[d] for d in dims)))
        assert schedule.rows == rows


class TestCost:
    def test_of_an_elementwise_kernel(self) -> None:
        (kernel,) = fused(module_of(lambda b, x, y: b.add(b.exp(x), y), (8, 4), (8, 4)))
        cost = cost_of(kernel)
        assert (cost.bytes_read, cost.bytes_written, cost.scratch) == (256, 128, 0)
        exp, add = (flops_of(type(op)) for op in list(kernel.body.block.ops)[:2])
        assert cost.flops == 32 * (exp + add)
        assert cost.microseconds > 0

    def test_of_rows(self) -> None:
        """The exponentials of a row wait for their sum."""
        (kernel,) = fused(module_of(softmax, ROWS))
        cost = cost_of(kernel)
        assert cost.bytes_read == cost.bytes_written == 4 * prod(ROWS)
        assert 4 * 32 <= cost.scratch <= 3 * 4 * 32

    def test_of_a_product(self) -> None:
        def body(b: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
            return b.dot_general(x, y, contract=([1], [0]))

        module = module_of(body, (32, 64), (64, 16))
        (kernel,) = fused(module)
        assert cost_of(kernel).flops == 2 * 32 * 64 * 16
        assert cost_table(module) == [("f.0", cost_of(kernel))]

    def test_a_slice_reads_its_part(self) -> None:
        (kernel,) = fused(module_of(lambda b, x: b.neg(b.slice(x, [10], [20])), (1000,)))
        assert cost_of(kernel).bytes_read == 40


class TestPass:
    def test_one_function(self) -> None:
        module = module_of(lambda b, x: b.sin(x), (4,))
        other = find_function(module, "f").clone()
        other.properties["sym_name"] = type(other.sym_name)("g")
        module.body.block.add_op(other)
        ArrayFuse(function="g").apply(CONTEXT, module)
        assert not fusions_of(module)
        assert any(isinstance(op, FusionOp) for op in find_function(module, "g").body.block.ops)


def test_every_op_is_fused() -> None:
    """No op of the dialect is left outside of kernels, alone or with others.

    But for checks, which have become branches before: what these hold is fused. Of collectives a
    program has none, as no function asks for lanes of a batch that is not named.
    """
    for family, ops in OPS_BY_FAMILY.items():
        for op in ops if family != "collective" else ():
            for example in examples(op)[:3]:
                module = example.module()
                ArrayRaiseChecks().apply(CONTEXT, module)
                fused(module)
                module.verify()
                body = find_function(module, "f").body.block
                if op is CheckOp:
                    (case,) = [op for op in body.ops if isinstance(op, CaseOp)]
                    names = {op.name for region in case.regions for op in region.block.ops}
                    assert names <= {*ALLOWED, "array.yield"}
                    continue
                names = {op.name for op in find_function(module, "f").body.block.ops}
                assert names <= ALLOWED, example
