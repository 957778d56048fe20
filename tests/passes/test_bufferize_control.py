"""Memory of loops and branches: what takes turns, what is in place, and what is copied, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Attribute, Operation, SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.functions import find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel import registers
from gradatim.ir.kernel.interpreter import BufferInterpreter
from gradatim.ir.types import Shape, dtype_of, shape_of, tensor_type
from gradatim.passes.bufferize.arena import Storage
from gradatim.passes.bufferize.bufferize import COPY_REASON, KernelBufferize
from gradatim.passes.bufferize.plan import MemoryPlan
from gradatim.passes.bufferize.rotation import after, rotate
from gradatim.passes.fusion.fuse import ArrayFuse

from .kernels import CONTEXT
from .loop_programs import I64, INDEX, program, region
from .programs import F64

LARGE = (100,)
X = tensor_type(LARGE, F64)


def bufferized(types: Sequence[Attribute], body: Callable[..., Sequence[SSAValue]]) -> ModuleOp:
    """Return a program on buffers, after comparing it with the program on values."""
    module = program(types, body)
    random = np.random.default_rng(0)
    arguments = [np.asarray(random.normal(size=t.get_shape())) for t in types]  # type: ignore[attr-defined]
    expected = Interpreter(module).call("f", *arguments)
    for pass_ in (ArrayFuse(), KernelBufferize()):
        pass_.apply(CONTEXT, module)
        module.verify()
    check_function(find_function(module, "f"), locations=False)
    found = BufferInterpreter(module).call("f", *arguments)
    for want, got in zip(expected, found, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    return module


def reasons(module: ModuleOp, within: type[Operation] | None = None) -> list[str]:
    """Return why copies are made, those in loops only if asked for."""
    roots = [module] if within is None else [op for op in module.walk() if isinstance(op, within)]
    return [
        op.attributes[COPY_REASON].data
        for root in roots
        for op in root.walk()
        if isinstance(op, memref.CopyOp) and isinstance(op.attributes[COPY_REASON], StringAttr)
    ]


def scan_of(
    step: Callable[..., Sequence[SSAValue]], carries: int, steps: int = 3, numbered: bool = False
) -> Callable[..., Sequence[SSAValue]]:
    """Return a program that carries its arguments through steps, which may take their number."""

    def body(b: Builder, *arguments: SSAValue) -> Sequence[SSAValue]:
        parts = [tensor_type(shape_of(v)[1:], dtype_of(v)) for v in arguments[carries:]]
        types = [INDEX, *(v.type for v in arguments[:carries]), *parts]
        block = region(types, lambda c, *values: step(c, *values[not numbered :]))
        return b.scan(steps, (), arguments[:carries], arguments[carries:], block)

    return body


def neighbours(b: Builder, x: SSAValue) -> SSAValue:
    """Return what cannot be written over x: sums of neighbours, around."""
    (n,) = LARGE
    return b.add(b.concatenate([b.slice(x, [1], [n]), b.slice(x, [0], [1])], 0), x)


class TestInPlace:
    def test_elementwise(self) -> None:
        module = bufferized([X], scan_of(lambda b, x: [b.sin(x)], 1))
        assert not reasons(module, scf.ForOp)
        assert reasons(module) == ["a loop changes it: it is an argument"]
        (loop,) = (op for op in module.walk() if isinstance(op, scf.ForOp))
        assert not loop.iter_args

    def test_what_is_computed_for_the_loop_is_changed_in_place(self) -> None:
        def body(b: Builder, x: SSAValue) -> Sequence[SSAValue]:
            return scan_of(lambda c, y: [c.sin(y)], 1)(b, b.exp(x))

        module = bufferized([X], body)
        assert not reasons(module)
        assert not [op for op in module.walk() if isinstance(op, memref.AllocaOp)]

    def test_updates_are_stores(self) -> None:
        def step(b: Builder, i: SSAValue, out: SSAValue) -> list[SSAValue]:
            before = b.dynamic_slice(out, [i], (1,))
            return [b.dynamic_update_slice(out, b.mul(before, before), [i])]

        def body(b: Builder, x: SSAValue) -> Sequence[SSAValue]:
            return b.scan(50, (), [b.exp(x)], (), region([INDEX, X], step))

        assert not reasons(bufferized([X], body))

    def test_a_branch_that_changes_nothing(self) -> None:
        def step(b: Builder, i: SSAValue, x: SSAValue) -> Sequence[SSAValue]:
            blocks = [
                region([X], lambda c, y: [y]),
                region([X], lambda c, y: [c.mul(y, y)]),
            ]
            odd = b.compare("gt", i, b.full((), np.dtype(np.int64), 1))
            return b.case(odd, [x], blocks)

        def body(b: Builder, x: SSAValue) -> Sequence[SSAValue]:
            return b.scan(4, (), [b.exp(x)], (), region([INDEX, X], step))

        assert not reasons(bufferized([X], body))

    def test_stacked_results_are_written_where_they_belong(self) -> None:
        module = bufferized([X], scan_of(lambda b, x: [b.sin(x), b.cos(x)], 1))
        assert not reasons(module, scf.ForOp)
        module = bufferized([X], scan_of(lambda b, x: [y := b.sin(x), y], 1))
        assert not reasons(module, scf.ForOp)


class TestTurns:
    @pytest.mark.parametrize("steps", range(5))
    def test_two_pieces_of_memory_take_turns(self, steps: int) -> None:
        module = bufferized([X], scan_of(lambda b, x: [neighbours(b, x)], 1, steps))
        assert not reasons(module, scf.ForOp)

    @pytest.mark.parametrize("steps", range(5))
    def test_carries_go_round(self, steps: int) -> None:
        step = scan_of(lambda b, x, y, z: [y, z, b.add(x, b.mul(y, z))], 3, steps)
        assert not reasons(bufferized([X, X, X], step), scf.ForOp)

    def test_a_computed_number_of_steps(self) -> None:
        def condition(b: Builder, x: SSAValue) -> list[SSAValue]:
            total = b.reduce("max", x, [0])
            return [b.compare("lt", total, b.full((), F64, 100))]

        def body(b: Builder, x: SSAValue) -> Sequence[SSAValue]:
            step = region([X], lambda c, y: [c.add(neighbours(c, y), c.full(LARGE, F64, 1))])
            return b.while_((), [b.exp(x)], region([X], condition), step)

        module = bufferized([X], body)
        assert not reasons(module, scf.WhileOp)
        assert reasons(module) == ["it is needed elsewhere"]  # at the end, in either place

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_any_rotation(self, data: st.DataObject) -> None:
        """Simulated: after a step every carry is where its next value is to be found."""
        count = data.draw(st.integers(1, 5))
        homes = {k: Storage(8, 0, 0) for k in range(count)}
        others = [Storage(8, 0, 0) for _ in range(3)]
        fixed = Storage(8, 0, 0)
        places = [*homes.values(), *others, fixed, None]
        sources = {k: data.draw(st.sampled_from(places)) for k in range(count)}
        made: list[Storage] = []

        def new(k: int) -> Storage:
            made.append(Storage(8, 0, 0))
            return made[-1]

        rotation, targets = rotate(homes, sources, lambda s: s is not fixed, new)
        assert set(rotation) == set(rotation.values())
        assert fixed not in rotation
        memory = {s: f"in {number}" for number, s in enumerate([*places[:-1], *made])}
        given_values = {k: memory.get(s, f"const {k}") for k, s in sources.items()}  # type: ignore[call-overload]
        written = {targets[k]: given_values[k] for k in targets}
        memory.update(written)
        for k, home in homes.items():
            assert memory[rotation.get(home, home)] == given_values[k]

    @given(st.permutations(range(4)), st.integers(0, 20))
    def test_after_some_steps(self, order: list[int], steps: int) -> None:
        storages = [Storage(8, 0, 0) for _ in order]
        rotation = {storages[i]: storages[k] for i, k in enumerate(order)}
        expected = storages[0]
        for _ in range(steps):
            expected = rotation[expected]
        assert after(rotation, storages[0], steps) is expected


class TestCopies:
    def test_equal_next_values(self) -> None:
        module = bufferized([X, X], scan_of(lambda b, x, y: [z := neighbours(b, x), z], 2))
        assert reasons(module, scf.ForOp) == ["the next step takes it: it is needed elsewhere"]

    def test_constants_and_elements(self) -> None:
        module = bufferized(
            [X, tensor_type((3, *LARGE), F64)], scan_of(lambda b, x, e: [e, x, e], 1)
        )
        assert sorted(set(reasons(module, scf.ForOp))) == [
            "it is stacked: it came in",
            "the next step takes it: it is the same for all steps, or part of an array",
        ]

    @pytest.mark.parametrize("loop", ["scan", "while"])
    def test_small_arrays_are_read_before_their_memory_is_overwritten(self, loop: str) -> None:
        """Two carries are in memory, since a loop of a kernel gives both; the third is not."""
        x = tensor_type((6,), F64)

        def step(b: Builder, i: SSAValue, x: SSAValue, y: SSAValue) -> list[SSAValue]:
            new = b.dynamic_update_slice(x, b.neg(b.slice(x, [0], [2])), [i])
            return [new, new, y]

        def by_while(b: Builder, *carries: SSAValue) -> Sequence[SSAValue]:
            types = [INDEX, *(v.type for v in carries)]
            less = region(types, lambda c, i, *_: [c.compare("lt", i, c.full((), I64, 3))])
            body = region(
                types, lambda c, i, x, y, _: [c.add(i, c.full((), I64, 1)), *step(c, i, x, y)]
            )
            return b.while_([], [b.full((), I64, 0), *carries], less, body)[1:]

        by_scan = scan_of(lambda b, i, x, y, _: step(b, i, x, y), 3, numbered=True)
        bufferized([x] * 3, {"scan": by_scan, "while": by_while}[loop])

    @pytest.mark.parametrize("sign", [1, -1])
    def test_results_of_a_branch_that_read_what_others_write(self, sign: int) -> None:
        """The loop's result is where the other result is to be, and is copied first."""

        def second(b: Builder, v: SSAValue, w: SSAValue) -> Sequence[SSAValue]:
            return [b.exp(w), *scan_of(lambda c, x: [c.sin(x)], 1)(b, v)]

        def body(b: Builder, x: SSAValue, y: SSAValue) -> Sequence[SSAValue]:
            total = b.mul(b.reduce("add", b.mul(x, x), [0]), b.full((), F64, sign))
            blocks = [region([X, X], lambda c, v, w: [v, w]), region([X, X], second)]
            positive = b.compare("gt", total, b.full_like(total, 0))
            first, other = b.case(positive, [neighbours(b, x), neighbours(b, y)], blocks)
            return [neighbours(b, first), neighbours(b, other)]

        bufferized([X, X], body)

    def test_the_plan_lists_them(self) -> None:
        module = program([X], scan_of(lambda b, x: [b.sin(x)], 1))
        ArrayFuse().apply(CONTEXT, module)
        (copy,) = MemoryPlan(find_function(module, "f")).copies
        assert copy.reason == "a loop changes it: it is an argument"
        assert copy.value is find_function(module, "f").body.block.args[0]


class TestRegisters:
    @pytest.mark.parametrize("shape", [(), (3,), (4, 4), (64,)])
    def test_small_carries_take_no_memory(self, shape: Shape) -> None:
        x = tensor_type(shape, F64)
        module = bufferized([x, x], scan_of(lambda b, x, y: [y, b.mul(x, b.sin(y))], 2))
        assert not [op for op in module.walk() if isinstance(op, memref.AllocaOp | memref.CopyOp)]

    def test_large_carries_do(self) -> None:
        x = tensor_type((registers.MAX_ELEMENTS + 1,), F64)
        module = bufferized([x], scan_of(lambda b, x: [b.sin(x)], 1))
        assert reasons(module)
