"""Loops and branches: compiled code and every pass on the way against the interpreter."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.ir import Attribute, SSAValue

from gradatim.backend import jit
from gradatim.ir.builder import Builder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel import registers
from gradatim.ir.kernel.registers import MOVING_OPS, OTHER_OPS, READING_OPS
from gradatim.ir.kernel.schedule import PARALLEL_STEPS
from gradatim.ir.types import Shape, shape_of, tensor_info, tensor_type
from gradatim.passes.bufferize.bufferize import KernelBufferize
from gradatim.passes.fusion.fuse import ArrayFuse
from gradatim.passes.lowering import register_ops as lowering
from gradatim.passes.lowering.lower_to_loops import KernelLowerToLoops
from gradatim.passes.pipeline import Options, check_against, passes_to, run_passes, verify

from . import campaign
from .kernels import CONTEXT
from .loop_programs import I64, INDEX, loop_programs, program, region
from .lowered import run
from .programs import BOOL, C128, F32, F64, I32, U8, Program

OPTIONS = Options(vector_bits=256)
SHAPES: list[Shape] = [(), (1,), (3,), (13,), (16,), (4, 5), (64,), (5, 30), (200,), (0,), (2, 0)]

Body = Callable[..., Sequence[SSAValue]]


def compiled(module: ModuleOp, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Compile a function, checking each pass, and run it; complex results are parts."""
    expected = [parts(a) for a in Interpreter(module).call("f", *arguments)]
    hooks = [verify, check_against("f", arguments, tolerance=1e-12)]
    run_passes(module, passes_to("loop", OPTIONS), hooks, CONTEXT)
    return run(module, [parts(a) for a in arguments], expected)


def parts(array: np.ndarray) -> np.ndarray:
    """Return an array as compiled code knows it."""
    if array.dtype.kind != "c":
        return np.ascontiguousarray(array).reshape(array.shape)
    return np.stack((array.real, array.imag), -1)


def check(types: Sequence[Attribute], body: Body, *arguments: Any, tolerance: float = 0) -> None:
    """Assert that compiled code gives what the interpreter gives."""
    module = program(types, body)
    arrays = [np.asarray(a) for a in arguments]
    expected = Interpreter(module).call("f", *arrays)
    for found, wanted in zip(compiled(module, arrays), expected, strict=True):
        np.testing.assert_allclose(found, parts(wanted), rtol=tolerance, atol=tolerance)


def draw(shape: Shape, dtype: np.dtype = F64, seed: int = 0) -> np.ndarray:
    """Return small whole numbers."""
    random = np.random.default_rng(seed)
    return np.asarray(random.integers(0 if dtype.kind in "ub" else -3, 4, shape)).astype(dtype)


@pytest.mark.parametrize("most", [1, 4, 64])
def test_random_programs(most: int) -> None:
    """However many elements may be in registers."""

    @settings(max_examples=40, deadline=None)
    @given(loop_programs())
    def run_one(drawn: Program) -> None:
        module = ModuleOp([drawn.function.clone()])
        expected = Interpreter(module).call("f", *drawn.arguments)
        for found, wanted in zip(compiled(module, drawn.arguments), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registers, "MAX_ELEMENTS", most)
        run_one()


ONCE_REFUSED = [1511, 1779, 2177, 3183, 3559, 4142, 4261, 4490, 5534, 5986]
"""Seeds of programs of which fusion made kernels that could not be lowered."""


@pytest.mark.parametrize("name", ["plain", "simplified"])
def test_programs_that_did_not_compile_once(name: str) -> None:
    """They, and some others, do; `campaign` runs many."""
    assert campaign.failures_of([*ONCE_REFUSED, *range(10)], [name]) == []


def test_programs_that_failed_otherwise() -> None:
    """Their small forms are elsewhere."""
    assert campaign.failures_of([20353], ["plain"]) == []
    assert campaign.failures_of([4217, 4426], ["plain"], campaign.PROGRAMS["large"]) == []
    low = campaign.PROGRAMS["small"]._replace(low=True)
    assert campaign.failures_of([228], ["plain"], low) == []
    batches = campaign.PROGRAMS["batches"]._replace(low=True)
    assert campaign.failures_of([23, 29, 47, *range(5)], ["plain"], batches) == []


# Forms


def scan_program(x: Attribute, stacked: Attribute, **options: Any) -> tuple[list[Attribute], Body]:
    """A scan with everything: index, consts, carries that change places, elements, results."""
    shape, dtype = tensor_info(x)

    def step(b: Builder, i: SSAValue, c: SSAValue, u: SSAValue, v: SSAValue, e: SSAValue):
        number = b.broadcast(b.convert(i, dtype), shape, ())
        new = b.add(b.mul(u, c), b.add(e, number))
        return [v, new, b.sub(new, v), u, e, number]

    def body(b: Builder, c: SSAValue, u: SSAValue, v: SSAValue, e: SSAValue):
        block = region([INDEX, x, x, x, x], step)
        length = e.type.get_shape()[0]  # type: ignore[attr-defined]
        return b.scan(length, [c], [u, v], [e], block, **options)

    return [x, x, x, stacked], body


class TestScan:
    @pytest.mark.parametrize("shape", SHAPES, ids=str)
    @pytest.mark.parametrize("reverse", [False, True])
    def test_shapes(self, shape: Shape, reverse: bool) -> None:
        types, body = scan_program(
            tensor_type(shape, F64), tensor_type((4, *shape), F64), reverse=reverse
        )
        check(types, body, *(draw(shape, seed=i) for i in range(3)), draw((4, *shape)))

    @pytest.mark.parametrize("dtype", [F32, I32, I64, U8, C128], ids=str)
    @pytest.mark.parametrize("shape", [(), (5,), (100,)], ids=str)
    def test_dtypes(self, dtype: np.dtype, shape: Shape) -> None:
        types, body = scan_program(tensor_type(shape, dtype), tensor_type((3, *shape), dtype))
        arguments = [draw(shape, dtype, seed=i) for i in range(3)]
        check(types, body, *arguments, draw((3, *shape), dtype))

    @pytest.mark.parametrize("length", [0, 1, 2, 7])
    @pytest.mark.parametrize("unroll", [1, 2, 3, 20])
    @pytest.mark.parametrize("shape", [(), (100,)], ids=str)
    def test_unrolled(self, length: int, unroll: int, shape: Shape) -> None:
        types, body = scan_program(
            tensor_type(shape, F64), tensor_type((length, *shape), F64), unroll=unroll
        )
        arguments = [draw(shape, seed=i) for i in range(3)]
        check(types, body, *arguments, draw((length, *shape)))

    def test_bools(self) -> None:
        x = tensor_type((20,), BOOL)

        def body(b: Builder, u: SSAValue, v: SSAValue) -> Sequence[SSAValue]:
            step = region([INDEX, x, x], lambda c, i, p, q: [c.xor(p, q), p, c.and_(p, q)])
            return b.scan(5, (), [u, v], (), step)

        check([x, x], body, draw((20,), BOOL), draw((20,), BOOL, 1))

    def test_in_each_other(self) -> None:
        """Sums of products by rows: carries of the inner loop are the outer one's elements."""
        x = tensor_type((6, 4), F64)
        row, one = tensor_type((4,), F64), tensor_type((), F64)

        def inner(b: Builder, total: SSAValue, e: SSAValue, f: SSAValue) -> Sequence[SSAValue]:
            step = region(
                [INDEX, one, one, one],
                lambda c, i, s, p, q: [t := c.add(s, c.mul(p, q)), t],
            )
            return b.scan(4, (), [total], [e, f], step)

        def body(b: Builder, u: SSAValue, v: SSAValue) -> Sequence[SSAValue]:
            step = region([INDEX, one, row, row], lambda c, i, s, e, f: inner(c, s, e, f))
            return b.scan(6, (), [b.full((), F64, 0)], [u, v], step)

        check([x, x], body, draw((6, 4)), draw((6, 4), seed=1))


class TestWhile:
    @pytest.mark.parametrize("shape", SHAPES[:-2], ids=str)
    @pytest.mark.parametrize("steps", [0, 1, 4, 5])
    def test_shapes(self, shape: Shape, steps: int) -> None:
        x = tensor_type(shape, F64)

        def condition(b: Builder, n: SSAValue, i: SSAValue, u: SSAValue, v: SSAValue):
            bound = b.reduce("max", b.abs(u), range(len(shape)))
            small = b.compare("lt", bound, b.full((), F64, 1e9))
            return [b.and_(b.compare("lt", i, n), small)]

        def step(b: Builder, n: SSAValue, i: SSAValue, u: SSAValue, v: SSAValue):
            dims = range(len(shape))
            return [b.add(i, b.full((), I64, 1)), v, b.add(b.reverse(u, dims), b.mul(v, v))]

        def body(b: Builder, n: SSAValue, u: SSAValue, v: SSAValue) -> Sequence[SSAValue]:
            parts = [INDEX, INDEX, x, x]
            start = b.full((), I64, 0)
            return b.while_([n], [start, u, v], region(parts, condition), region(parts, step))

        arguments = np.int64(steps), draw(shape), draw(shape, seed=1)
        check([INDEX, x, x], body, *arguments, tolerance=1e-12)


class TestCase:
    @pytest.mark.parametrize("shape", [(), (13,), (100,)], ids=str)
    @pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i8", "u8"])
    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_numbers(self, shape: Shape, dtype: str, count: int) -> None:
        x, kind = tensor_type(shape, F64), np.dtype(dtype)
        makers: list[Body] = [
            lambda b, u, v: [v, b.add(u, v)],
            lambda b, u, v: [u, u],
            lambda b, u, v: [b.mul(u, u), v],
            lambda b, u, v: [w := b.neg(u), w],
        ]

        def body(b: Builder, n: SSAValue, u: SSAValue, v: SSAValue) -> Sequence[SSAValue]:
            blocks = [region([x, x], maker) for maker in makers[:count]]
            return b.case(n, [b.sub(u, v), v], blocks)

        types = [tensor_type((), kind), x, x]
        if kind.kind == "b":
            numbers: list[Any] = [False, True]
        else:
            limits = np.iinfo(kind)
            numbers = [limits.min, 0, 1, 2, 3, 4, limits.max]
        for number in numbers:
            check(types, body, np.array(number, kind), draw(shape), draw(shape, seed=1))


class TestRegisters:
    def test_every_op_has_a_rule(self) -> None:
        assert set(lowering._RULES) == {*MOVING_OPS, *READING_OPS, *OTHER_OPS}

    @pytest.mark.parametrize("shape", [(7,), (8,), (3, 4), (2, 16), (4, 4, 4)], ids=str)
    def test_ops(self, shape: Shape) -> None:
        """Ops that move, reduce, accumulate and multiply, on vectors and scalars."""
        last = len(shape) - 1

        def step(b: Builder, i: SSAValue, x: SSAValue) -> list[SSAValue]:
            back = b.reverse(x, [last])
            turned = b.transpose(x, range(last, -1, -1))
            part = b.slice(x, [1] + [0] * last, shape, [2] + [1] * last)
            joined = b.concatenate([part, x], 0)
            wide = b.pad(x, b.full((), F64, 7), [1] * (last + 1), [-1] * (last + 1))
            total = b.reduce("add", joined, [0])
            lines = b.reduce("max", x, [last])
            return [
                b.add(b.add(back, wide), b.broadcast(total, shape, range(1, last + 1))),
                b.reshape(turned, (prod(shape),)),
                b.cumulative("add", x, last, reverse=True),
                lines,
                b.dot_general(x, x, contract=([last], [last])),
                b.dot_general(x, turned, contract=([last], [0])),
                b.reduce("mul", x, range(last + 1)),
            ]

        x = tensor_type(shape, F64)
        body = region([INDEX, x], step)
        check([x], lambda b, v: b.scan(2, (), [v], (), body), draw(shape))

    @pytest.mark.parametrize("size", [3, 8, 64])
    def test_functions(self, size: int) -> None:
        """Calls of vector math, on vectors of the processor's width."""
        x = tensor_type((size,), F64)
        step = region([INDEX, x], lambda b, i, v: [b.sin(b.exp(b.mul(v, b.full_like(v, 0.1))))])
        values = np.linspace(-1, 1, size)
        check([x], lambda b, v: b.scan(3, (), [v], (), step), values, tolerance=1e-14)

    @pytest.mark.parametrize("size", [5, 40, 1000])
    def test_computed_positions(self, size: int) -> None:
        """Positions out of range are moved inside, whether the array is held or in memory."""
        x = tensor_type((size,), F64)

        def step(b: Builder, i: SSAValue, c: SSAValue, s: SSAValue, v: SSAValue):
            place = b.sub(b.mul(i, b.full((), I64, 3)), b.full((), I64, 4))
            window = b.dynamic_slice(c, [place], (3,))
            taken = b.gather(v, [b.add(b.broadcast(place, (2,), ()), b.iota((2,), I64, 0))], [0])
            total = b.add(b.reduce("add", window, [0]), b.reduce("add", taken, [0]))
            return [b.add(s, total), b.add(v, v), window]

        body = region([INDEX, x, tensor_type((), F64), x], step)
        start = np.float64(1)
        check(
            [x, tensor_type((), F64), x],
            lambda b, c, s, v: b.scan(6, [c], [s, v], (), body),
            draw((size,)),
            start,
            draw((size,), seed=1),
        )


class TestThreads:
    @pytest.mark.parametrize("shape", [(), (9,), (100,)], ids=str)
    @pytest.mark.parametrize("length", [16, 37])
    def test_steps_at_once(self, shape: Shape, length: int) -> None:
        """Each thread has temporaries of its own, and writes its own parts of the results."""
        x, stack = tensor_type(shape, F64), tensor_type((length, *shape), F64)
        dims = range(len(shape))

        def step(b: Builder, i: SSAValue, c: SSAValue, e: SSAValue) -> list[SSAValue]:
            y = b.add(b.reverse(b.mul(e, c), dims), b.broadcast(b.convert(i, F64), shape, ()))
            return [b.reverse(y, dims), b.reduce("add", b.mul(y, e), dims), e]

        def body(b: Builder, c: SSAValue, e: SSAValue) -> Sequence[SSAValue]:
            return b.scan(length, [c], (), [e], region([INDEX, x, x], step))

        arguments = [draw(shape), draw((length, *shape), seed=1)]
        module = program([x, stack], body)
        expected = Interpreter(module).call("f", *arguments)
        ArrayFuse().apply(CONTEXT, module)
        (scan,) = (op for op in module.walk() if op.name == "array.scan")
        scan.attributes[PARALLEL_STEPS] = IntegerAttr(5, 64)
        run_passes(
            module,
            [KernelBufferize(), KernelLowerToLoops()],
            [verify, check_against("f", arguments)],
        )
        for got, want in zip(run(module, arguments, expected), expected, strict=True):
            np.testing.assert_array_equal(got, want)

    def test_long_scans_without_carries_are_split(self) -> None:
        x, stack = tensor_type((1000,), F64), tensor_type((50, 1000), F64)

        def body(b: Builder, e: SSAValue) -> Sequence[SSAValue]:
            step = region([INDEX, x], lambda c, i, v: [c.exp(c.reverse(c.sin(v), [0]))])
            return b.scan(50, (), (), [e], step)

        module = program([stack], body)
        ArrayFuse().apply(CONTEXT, module)
        (scan,) = (op for op in module.walk() if op.name == "array.scan")
        assert PARALLEL_STEPS in scan.attributes


class TestOutlining:
    @pytest.mark.parametrize("shape", [(3,), (20,), (100,)], ids=str)
    def test_kernels_in_functions_of_their_own(self, shape: Shape) -> None:
        """They may take what is in registers, and what is in registers alone stays in place."""
        types, body = scan_program(tensor_type(shape, F64), tensor_type((4, *shape), F64))
        arguments = [*(draw(shape, seed=i) for i in range(3)), draw((4, *shape))]
        module = program(types, body)
        expected = Interpreter(module).call("f", *arguments)
        passes = [ArrayFuse(), KernelBufferize(), KernelLowerToLoops(outline_ops=0)]
        run_passes(module, passes, [verify])
        outlined = any(op.name == "func.call" for op in module.walk())
        assert outlined == (shape == (100,))
        for got, want in zip(run(module, arguments, expected), expected, strict=True):
            np.testing.assert_array_equal(got, want)


# Tapes


def remembering(x: Attribute, twice: bool = False) -> Body:
    """A loop of a computed number of steps, and one back that needs what the first one had."""
    shape = shape_of(x)

    def condition(b: Builder, n: SSAValue, t: SSAValue, i: SSAValue, v: SSAValue):
        return [b.compare("lt", i, n)]

    def step(b: Builder, n: SSAValue, t: SSAValue, i: SSAValue, v: SSAValue):
        number = b.broadcast(b.convert(i, F64), shape, ())
        new = b.add(b.mul(b.full(shape, F64, 0.5), b.sin(v)), number)
        t = b.tape_push(t, (v, i))
        if twice:
            t = b.tape_push(t, (new, i))
        return [t, b.add(i, b.full((), I64, 1)), new]

    def more(b: Builder, t: SSAValue, i: SSAValue, w: SSAValue) -> list[SSAValue]:
        return [b.compare("gt", i, b.full((), I64, 0))]

    def back(b: Builder, t: SSAValue, i: SSAValue, w: SSAValue) -> list[SSAValue]:
        extra = w
        if twice:
            t, (extra, _) = b.tape_pop(t)
        t, (v, k) = b.tape_pop(t)
        number = b.broadcast(b.convert(k, F64), shape, ())
        w = b.sub(b.add(b.mul(b.full(shape, F64, 0.5), w), b.mul(v, number)), extra)
        return [t, b.sub(i, b.full((), I64, 1)), w]

    def body(b: Builder, n: SSAValue, v: SSAValue) -> list[SSAValue]:
        tape = b.tape_new([x, INDEX])
        parts = [INDEX, tape.type, INDEX, x]
        start = b.full((), I64, 0)
        loop = region(parts, condition), region(parts, step)
        tape, count, last = b.while_([n], [tape, start, v], *loop)
        parts = [tape.type, INDEX, x]
        loop = region(parts, more), region(parts, back)
        first = b.full(shape, F64, 1)
        return [last, b.while_((), [tape, count, first], *loop)[2]]

    return body


class TestTapes:
    @pytest.mark.parametrize("shape", [(), (3,), (20,), (100,), (30, 5)], ids=str)
    @pytest.mark.parametrize("twice", [False, True])
    def test_what_is_pushed_is_popped(self, shape: Shape, twice: bool) -> None:
        x = tensor_type(shape, F64)
        for steps in (0, 1, 40):
            check([INDEX, x], remembering(x, twice), np.int64(steps), draw(shape), tolerance=1e-12)

    def test_tapes_that_are_not_read(self) -> None:
        """Their memory is given back, too."""
        x = tensor_type((3,), F64)

        def body(b: Builder, v: SSAValue) -> list[SSAValue]:
            unused = b.tape_push(b.tape_new([x]), (v,))
            _, (found,) = b.tape_pop(b.tape_push(b.tape_push(unused, (v,)), (b.neg(v),)))
            return [b.add(found, v)]

        check([x], body, draw((3,)))

    @pytest.mark.parametrize("limit", [0, 5000, 10000, 1 << 40])
    @pytest.mark.parametrize("twice", [False, True])
    def test_memory(self, limit: int, twice: bool) -> None:
        """All is given back. If there is not enough, the program runs to its end and says so."""
        x = tensor_type((), F64)
        arguments = [np.asarray(np.int64(1000)), np.asarray(np.float64(1))]
        module = program([INDEX, x], remembering(x, twice))
        expected = Interpreter(module).call("f", *arguments)
        run_passes(module, passes_to("loop", OPTIONS))
        text = _ALLOCATOR.format(limit=limit)
        linked = jit.link(jit.compile_object(text), exports=["alloc", "release", "living"])
        others = {"gd.alloc": linked.address("alloc"), "gd.free": linked.address("release")}
        enough = limit >= 1 << 40
        found = run(module, arguments, expected, others, status=int(not enough))
        np.testing.assert_array_equal(found[0], expected[0])
        assert not enough or found[1] == pytest.approx(expected[1], rel=1e-12)
        assert ctypes.c_int64.from_address(linked.address("living")).value == 0


_ALLOCATOR = """
declare ptr @malloc(i64)
declare void @free(ptr)
@living = global i64 0
define void @count(i64 %change) {{
  %before = load i64, ptr @living
  %after = add i64 %before, %change
  store i64 %after, ptr @living
  ret void
}}
define ptr @alloc(i64 %size) {{
  %fits = icmp ule i64 %size, {limit}
  br i1 %fits, label %get, label %refuse
get:
  call void @count(i64 1)
  %p = call ptr @malloc(i64 %size)
  ret ptr %p
refuse:
  ret ptr null
}}
define void @release(ptr %p) {{
  call void @count(i64 -1)
  call void @free(ptr %p)
  ret void
}}
"""


def test_no_memory_for_the_arena() -> None:
    """The program does nothing but say so."""
    shape = (100, 100)
    module = program([tensor_type(shape, F64)], lambda b, x: [b.cumulative("add", b.exp(x), 1)])
    arguments = [np.ones(shape)]
    run_passes(module, passes_to("loop", OPTIONS))
    linked = jit.link(jit.compile_object(_ALLOCATOR.format(limit=10)), exports=["alloc", "release"])
    others = {"gd.alloc": linked.address("alloc"), "gd.free": linked.address("release")}
    run(module, arguments, [np.empty(shape)], others, status=1)
