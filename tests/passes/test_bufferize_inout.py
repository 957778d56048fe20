"""In-out arguments on buffers: results that take the place of arguments, and what is copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import memref
from xdsl.dialects.builtin import FunctionType, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import find_function, return_of, set_in_out
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel.interpreter import BufferInterpreter
from gradatim.ir.types import tensor_type
from gradatim.passes.bufferize.arena import Place, Storage
from gradatim.passes.bufferize.bufferize import KernelBufferize
from gradatim.passes.bufferize.moves import Move, in_order
from gradatim.passes.fusion.fuse import ArrayFuse
from gradatim.passes.pipeline import check_against, run_passes, verify
from gradatim.passes.simplify.regions import ArrayInlineRegions
from gradatim.passes.split_complex.split_complex import ArraySplitComplex

from .kernels import CONTEXT, equal
from .loop_programs import INDEX, LARGE, WHOLE, LoopMaker, program, region
from .programs import ANYTHING, F64, Program, ProgramMaker
from .test_bufferize_control import neighbours, reasons

X = tensor_type((100,), F64)

Body = Callable[..., Sequence[SSAValue]]


def checked(module: ModuleOp, arguments: Sequence[np.ndarray]) -> ModuleOp:
    """Return a program on buffers, after comparing it with the program on values."""
    expected = Interpreter(module).call("f", *arguments)
    run_passes(module, [ArrayInlineRegions(), ArrayFuse(), KernelBufferize()], [verify])
    found = BufferInterpreter(module).call("f", *arguments)
    assert all(map(equal, expected, found))
    return module


def bufferized(numbers: Sequence[int | None], body: Body, count: int = 2) -> ModuleOp:
    """Return a program of arrays, some of whose results are the new contents of arguments."""
    module = program([X] * count, body)
    set_in_out(find_function(module, "f"), numbers)
    random = np.random.default_rng(0)
    return checked(module, [random.normal(size=100) for _ in range(count)])


def temporary_bytes(module: ModuleOp) -> int:
    kinds = (memref.AllocOp, memref.AllocaOp)
    found = [op.results[0].type for op in module.walk() if isinstance(op, kinds)]
    return sum(type_.get_shape()[0] for type_ in found)  # type: ignore[attr-defined]


# What is in place


def updated(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    return [b.dynamic_update_slice(x, b.slice(y, [0], [1]), [b.full((), np.dtype("i8"), 3)])]


def in_a_scan(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    body = region([INDEX, X, X], lambda c, i, w, v: [c.mul(c.sin(v), w)])
    return list(b.scan(3, [y], [x], (), body))


def in_a_while(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    def condition(c: Builder, v: SSAValue) -> list[SSAValue]:
        return [c.compare("lt", c.reduce("max", v, [0]), c.full((), F64, 9))]

    body = region([X], lambda c, v: [c.add(v, c.full_like(v, 1))])
    return list(b.while_((), [x], region([X], condition), body))


def in_a_branch(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    positive = b.compare("gt", b.reduce("add", y, [0]), b.full((), F64, 0))
    blocks = [region([X], lambda c, v: [v]), region([X], lambda c, v: [c.exp(v)])]
    return list(b.case(positive, [x], blocks))


def in_another_shape(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    return [b.reshape(b.sin(b.reshape(x, (10, 10))), (100,))]


IN_PLACE: dict[str, tuple[Sequence[int | None], Body]] = {
    "elementwise": ([0], lambda b, x, y: [b.add(x, b.reverse(y, [0]))]),
    "a chain": ([0], lambda b, x, y: [b.exp(b.sin(x))]),
    "both": ([1, 0], lambda b, x, y: [b.add(x, y), b.sub(x, y)]),
    "not changed": ([0], lambda b, x, y: [x]),
    "from another": ([0], lambda b, x, y: [b.exp(b.reverse(y, [0]))]),
    "one element": ([0], updated),
    "in a scan": ([0], in_a_scan),
    "in a while": ([0], in_a_while),
    "in a branch": ([0], in_a_branch),
    "in another shape": ([0], in_another_shape),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name: str) -> None:
    module = bufferized(*IN_PLACE[name])
    assert reasons(module) == []
    assert temporary_bytes(module) < 800


def test_turns_with_a_temporary_end_in_the_argument() -> None:
    """After an even number of steps nothing is copied, after an odd one once."""
    for steps in range(4):
        body = region([INDEX, X], lambda c, i, v: [neighbours(c, v)])
        module = bufferized([0], lambda b, x, y, n=steps, r=body: b.scan(n, (), [x], (), r))
        assert len(reasons(module)) == steps % 2


# What is copied


def exchanged_in_a_while(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    def condition(c: Builder, n: SSAValue, *arrays: SSAValue) -> list[SSAValue]:
        return [c.compare("lt", n, c.full((), np.dtype("i8"), 3))]

    def step(c: Builder, n: SSAValue, v: SSAValue, w: SSAValue) -> list[SSAValue]:
        return [c.add(n, c.full_like(n, 1)), w, v]

    types = [INDEX, X, X]
    start = b.full((), np.dtype("i8"), 0)
    return list(b.while_((), [start, x, y], region(types, condition), region(types, step)))[1:]


def wanted_where_another_is_carried(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
    body = region([INDEX, X, X], lambda c, i, v, w: [c.sin(v), c.cos(w)])
    return list(b.scan(3, (), [x, y], (), body))


COPIED: dict[str, tuple[Sequence[int | None], Body, int]] = {
    "exchanged": ([0, 1], lambda b, x, y: [y, x], 3),
    "exchanged by a kernel": ([0, 1], lambda b, x, y: [b.exp(y), b.sin(x)], 2),
    "exchanged in a while": ([0, 1], exchanged_in_a_while, 3),
    "another argument": ([0], lambda b, x, y: [y], 1),
    "the old is returned": ([None, 0], lambda b, x, y: [x, b.exp(x)], 1),
    "the old is returned last": ([0, None], lambda b, x, y: [b.exp(x), x], 1),
    "the new is returned": ([None, 0], lambda b, x, y: [z := b.exp(x), z], 1),
    "two alike": ([0, 1], lambda b, x, y: [z := b.add(x, y), z], 1),
    "moved on": ([0, 1], lambda b, x, y: [b.exp(b.reverse(x, [0])), x], 2),
    "wanted where another is carried": ([None, 0], wanted_where_another_is_carried, 3),
    "a constant": ([0], lambda b, x, y: [b.constant(np.arange(100.0))], 1),
    "read by other elements": ([0], lambda b, x, y: [neighbours(b, x)], 1),
}


@pytest.mark.parametrize("name", COPIED)
def test_copied(name: str) -> None:
    numbers, body, copies = COPIED[name]
    assert len(reasons(bufferized(numbers, body))) == copies


def test_three_go_round() -> None:
    module = bufferized([0, 1, 2], lambda b, x, y, z: [y, z, x], 3)
    assert len(reasons(module)) == 4


def test_parts_of_complex_arguments() -> None:
    type_ = tensor_type((100,), np.dtype("c16"))
    module = program([type_, X], lambda b, z, x: [b.exp(x), b.add(z, z)])
    set_in_out(find_function(module, "f"), [1, 0])
    random = np.random.default_rng(0)
    z, x = random.normal(size=100) + 1j * random.normal(size=100), random.normal(size=100)
    passes = [ArraySplitComplex(), ArrayFuse(), KernelBufferize()]
    run_passes(module, passes, [verify, check_against("f", [z, x])])
    assert len(find_function(module, "f").body.block.args) == 2


@pytest.mark.parametrize("numbers", [[0], [0, 0], [0, 5], [0, 2]])
def test_wrong_attributes(numbers: Sequence[int]) -> None:
    types = [X, X, tensor_type((3,), F64)]
    module = program(types, lambda b, x, y, z: [b.exp(x), b.exp(y)])
    set_in_out(find_function(module, "f"), numbers)
    ArrayFuse().apply(CONTEXT, module)
    with pytest.raises(GradatimError, match="must name for each result an argument"):
        KernelBufferize().apply(CONTEXT, module)


# Any program


def tie(function: FuncOp, random: Random) -> None:
    """Let some arguments hold values of their types at the end, among other results."""
    block = function.body.block
    terminator = return_of(function)
    known = [*block.args, *(result for op in block.ops for result in op.results)]
    results: list[tuple[SSAValue, int | None]] = [(v, None) for v in terminator.operands]
    for number, argument in enumerate(block.args):
        alike = [value for value in known if value.type == argument.type]
        if random.randint(0, 4):
            results.append((random.choice(alike[-3:] if random.randint(0, 1) else alike), number))
    random.shuffle(results)
    results = results[: random.randint(1, len(results))]
    terminator.operands = [value for value, _ in results]
    types = [value.type for value in terminator.operands]
    function.properties["function_type"] = FunctionType.from_lists(list(block.arg_types), types)
    set_in_out(function, [number for _, number in results])


def tied_program(maker: ProgramMaker, steps: int) -> Program:
    made = maker.make(steps)
    tie(made.function, maker.random)
    return made


SEEDS = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(1, 12))
def test_any_program(seed: int, steps: int) -> None:
    made = tied_program(ProgramMaker(Random(seed), ANYTHING), steps)
    checked(ModuleOp([made.function]), made.arguments)


@pytest.mark.parametrize("style", [WHOLE, LARGE], ids=["small", "large"])
@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 6))
def test_any_program_with_loops(style: object, seed: int, steps: int) -> None:
    made = tied_program(LoopMaker(Random(seed), style), steps)  # type: ignore[arg-type]
    checked(ModuleOp([made.function]), made.arguments)


@given(st.data())
def test_moves_at_once(data: st.DataObject) -> None:
    """Simulated: each target gets what its source held before, wherever an unknown one is."""
    count = data.draw(st.integers(1, 5))
    places = [Storage(8, 0, 0, argument=k) for k in range(count)]
    either = Storage(8, 0, 0, place=Place.EITHER)
    sources = [data.draw(st.sampled_from([*places, either, None])) for _ in places]
    values = [Builder.__new__(Builder) for _ in places]  # anything with an identity
    moves = [Move(v, s, t) for v, s, t in zip(values, sources, places)]  # type: ignore[arg-type]
    memory: dict[Storage | None, object] = {place: place for place in places}
    behind = {id(v): data.draw(st.sampled_from(places)) for v in values}
    wanted = {
        m.target: behind[id(m.value)] if m.source is either else memory.get(m.source) for m in moves
    }
    for move in in_order(moves, lambda value: Storage(8, 0, 0)):
        source = behind[id(move.value)] if move.source is either else move.source
        memory[move.target] = memory.get(source)
    assert {place: memory[place] for place in places} == wanted
