"""vmap against a Python loop over the reference interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp, NameLoc
from xdsl.dialects.func import CallOp, FuncOp

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array.base import ArrayOp
from gradatim.ir.array.contraction import ConvolutionOp, DotGeneralOp
from gradatim.ir.array.elementwise import ElementwiseOp
from gradatim.ir.array.reduction import ReduceKind, ReduceOp
from gradatim.ir.checks import check_function
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.locations import source_location
from gradatim.ir.types import tensor_type
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching import vmap as batching
from gradatim.passes.batching.vmap import vmap

from ..ir.examples import FUNCTIONS, Example, examples
from ..ir.test_every_op import same_bits
from .programs import ANYTHING, SUMS, Program, programs

F64 = np.dtype(np.float64)
NOT_MAPPED = -1


def run(function: FuncOp, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    check_function(function)
    with np.errstate(all="ignore"):
        return Interpreter(ModuleOp([]), FUNCTIONS).run_function(function, arguments)


def batch_of(array: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Return different examples made of one array's elements, stacked along ``axis``."""
    if axis == NOT_MAPPED:
        return array
    flat = array.reshape(-1)
    lanes = [np.roll(flat, 3 * lane).reshape(array.shape) for lane in range(size)]
    stacked = np.stack(lanes) if lanes else np.empty((0, *array.shape), array.dtype)
    return np.moveaxis(stacked, 0, axis)


def loop(
    function: FuncOp,
    arguments: Sequence[np.ndarray],
    in_axes: Sequence[int],
    out_axes: Sequence[int],
    size: int,
) -> list[np.ndarray]:
    """Return what ``function`` gives for each example of a batch, stacked."""
    lanes = []
    for lane in range(size):
        example = [a if x == NOT_MAPPED else a.take(lane, x) for a, x in zip(arguments, in_axes)]
        lanes.append(run(function, example))
    return [np.stack(results, axis) for results, axis in zip(zip(*lanes), out_axes)]


def axes_of(array: np.ndarray) -> list[int]:
    """Return the first, a middle and the last axis that a batch may have."""
    return sorted({0, (array.ndim + 1) // 2, array.ndim})


def choices(operands: Sequence[np.ndarray]) -> Iterator[tuple[int, ...]]:
    """Yield axes for the operands in all combinations, at least one of them mapped."""
    for axes in product(*([NOT_MAPPED, *axes_of(a)] for a in operands)):
        if any(axis != NOT_MAPPED for axis in axes):
            yield axes


def cases_of(op: type[ArrayOp]) -> list[Example]:
    """Return one example for each combination of shapes and properties."""
    distinct = {}
    for example in examples(op):
        shapes = tuple(a.shape for a in example.operands)
        if issubclass(op, ElementwiseOp) and shapes[0] not in ((), (2, 0, 3), (2, 3, 4)):
            continue
        key = (shapes, tuple(str(p) for p in example.properties.values()))
        distinct.setdefault(key, example)
    return [example for example in distinct.values() if example.operands]


def rounds_in_some_order(example: Example) -> bool:
    """Tell whether the op adds up or multiplies floats, in an order that may differ."""
    adds = example.op in (DotGeneralOp, ConvolutionOp) or (
        example.op is ReduceOp
        and example.properties["kind"].data in (ReduceKind.ADD, ReduceKind.MUL)
    )
    return adds and example.operands[0].dtype.kind in "fc"


def agree(example: Example, found: np.ndarray, expected: np.ndarray) -> bool:
    if not rounds_in_some_order(example):
        return same_bits(found, expected)
    tolerance = 16 * np.finfo(found.dtype).eps
    with np.errstate(all="ignore"):
        return found.dtype == expected.dtype and np.allclose(
            found, expected, rtol=tolerance, atol=tolerance, equal_nan=True
        )


BATCHED_OPS = [op for ops in OPS_BY_FAMILY.values() for op in ops if op in batching.RULES]


@pytest.mark.parametrize("op", BATCHED_OPS, ids=lambda op: op.name)
def test_every_op_along_every_axis(op: type[ArrayOp]):
    size = 3
    for example in cases_of(op):
        function = example.function()
        combinations = list(choices(example.operands))
        step = max(1, len(combinations) // 30)
        for number, in_axes in enumerate(combinations[::step]):
            arguments = [batch_of(a, size, axis) for a, axis in zip(example.operands, in_axes)]
            ranks = [result.ndim for result in example.results()]
            out_axes = [(0, rank, rank // 2)[number % 3] for rank in ranks]
            found = run(vmap(function, size, in_axes, out_axes), arguments)
            expected = loop(function, arguments, in_axes, out_axes, size)
            assert all(map(partial(agree, example), found, expected)), (example, in_axes)


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("op", BATCHED_OPS, ids=lambda op: op.name)
def test_every_op_on_batches_of_none_and_of_one(op: type[ArrayOp], size: int):
    for example in cases_of(op):
        in_axes = [a.ndim for a in example.operands]
        arguments = [batch_of(a, size, axis) for a, axis in zip(example.operands, in_axes)]
        results = example.results()
        found = run(vmap(example.function(), size, in_axes, [0] * len(results)), arguments)
        for batch, result in zip(found, results, strict=True):
            if size:
                assert agree(example, batch, result[None])
            else:
                assert (batch.shape, batch.dtype) == ((0, *result.shape), result.dtype)


def drawn_axes(data: st.DataObject, program: Program) -> list[int]:
    return [data.draw(st.integers(NOT_MAPPED, a.ndim)) for a in program.arguments]


@pytest.mark.parametrize("style", [ANYTHING, SUMS], ids=["anything", "sums"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_programs(style, data: st.DataObject):
    program = data.draw(programs(style))
    size = data.draw(st.integers(1, 3))
    in_axes = drawn_axes(data, program)
    out_axes = [
        data.draw(st.integers(0, len(type_.get_shape())))
        for type_ in program.function.function_type.outputs.data
    ]
    arguments = [batch_of(a, size, axis) for a, axis in zip(program.arguments, in_axes)]
    found = run(vmap(program.function, size, in_axes, out_axes), arguments)
    expected = loop(program.function, arguments, in_axes, out_axes, size)
    assert all(map(same_bits, found, expected))


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_nested_twice(data: st.DataObject):
    """A batch of batches, each along axes of its own."""
    program = data.draw(programs(ANYTHING, steps=8))
    sizes = (2, 3)
    inner_axes = drawn_axes(data, program)
    out_axes = [0] * 3
    inner = vmap(program.function, sizes[0], inner_axes, out_axes)
    batches = [batch_of(a, sizes[0], axis) for a, axis in zip(program.arguments, inner_axes)]
    outer_axes = [data.draw(st.integers(NOT_MAPPED, a.ndim)) for a in batches]
    arguments = [batch_of(a, sizes[1], axis) for a, axis in zip(batches, outer_axes)]
    found = run(vmap(inner, sizes[1], outer_axes, out_axes), arguments)
    expected = loop(inner, arguments, outer_axes, out_axes, sizes[1])
    assert all(map(same_bits, found, expected))


PLACE = source_location("model.py", 4, 1, "f")


def example_function() -> FuncOp:
    """Return ``f(x: f64[3], w: f64[3])`` that gives ``x * w`` and ``sin(w)``."""
    vector = tensor_type((3,), F64)
    function = FunctionBuilder("f", [vector, vector], ["x", "w"], PLACE)
    function.builder.location = PLACE
    x, w = function.arguments
    b = function.builder
    return function.finish([b.mul(x, w), b.sin(w)])


def test_unmapped_values_are_computed_once():
    mapped = vmap(example_function(), 8, [0, NOT_MAPPED], [0, NOT_MAPPED])
    sine = next(op for op in mapped.body.block.ops if op.name == "array.sin")
    assert sine.results[0].type == tensor_type((3,), F64)


def test_an_unmapped_result_is_repeated_where_an_axis_is_asked_for():
    x = np.arange(3.0)
    _, found = run(vmap(example_function(), 2, [NOT_MAPPED, NOT_MAPPED], [0, 1]), [x, x])
    np.testing.assert_array_equal(found, np.sin(x)[:, None].repeat(2, 1))


def test_names_of_arguments_stay_and_made_ops_are_marked():
    mapped = vmap(example_function(), 8, [0, NOT_MAPPED], [0, NOT_MAPPED])
    assert [a.name_hint for a in mapped.body.block.args] == ["x", "w"]
    by_name = {op.name: op.location for op in mapped.body.block.ops}
    assert by_name["array.sin"] is PLACE
    made = by_name["array.mul"]
    assert isinstance(made, NameLoc) and (made.desc.data, made.location) == ("vmap", PLACE)


@pytest.mark.parametrize(
    ("size", "in_axes", "out_axes", "message"),
    [
        (2, [0, -1], [-1, -1], "result 0 differs between examples, so it needs an axis"),
        (2, [0], [0, 0], r"in_axes \[0\] must have 2 entries"),
        (2, [0, 0], [0, 0, 0], r"out_axes \[0, 0, 0\] must have 2 entries"),
        (2, [2, 0], [0, 0], r"in_axes has 2, but a batch of f64\[3\] has dimensions 0 to 1"),
        (2, [0, 0], [0, -2], r"out_axes has -2, but a batch of f64\[3\] has dimensions 0 to 1"),
        (-1, [0, 0], [0, 0], "a batch cannot have -1 examples"),
    ],
)
def test_errors(size: int, in_axes: list[int], out_axes: list[int], message: str):
    with pytest.raises(ValueError, match=message):
        vmap(example_function(), size, in_axes, out_axes)


def test_an_op_without_rule_is_named_with_the_users_line(monkeypatch: pytest.MonkeyPatch):
    rules = {op: rule for op, rule in batching.RULES.items() if op.name != "array.mul"}
    monkeypatch.setattr(batching, "RULES", rules)
    with pytest.raises(GradatimError, match=r"no rule for array.mul\n  at model.py:4"):
        vmap(example_function(), 2)


def test_a_call_needs_its_module():
    """The batch of what is called is put beside it; what is the same for all calls as before."""
    vector = tensor_type((3,), F64)
    function = FunctionBuilder("f", [vector], ["x"], PLACE)
    call = CallOp("g", list(function.arguments), [vector])
    call.location = PLACE
    function.builder.block.add_op(call)
    finished = function.finish(list(call.results))
    with pytest.raises(GradatimError, match=r"no rule for func.call\n  at model.py:4"):
        vmap(finished, 2, [0])
    shared = vmap(finished, 2, [NOT_MAPPED])
    assert [op.name for op in shared.body.block.ops][:1] == ["func.call"]


def test_of_a_gradient_and_gradient_of_a_batch():
    """Transformations compose in either order."""
    x, w = np.linspace(-1.0, 1.0, 12).reshape(4, 3), np.array([0.5, -2.0, 1.5])
    vector = tensor_type((3,), F64)
    function = FunctionBuilder("f", [vector, vector], ["x", "w"], PLACE)
    b = function.builder
    b.location = PLACE
    primal = function.finish([b.reduce("add", b.tanh(b.mul(*function.arguments)), [0])])
    one = np.ones(())
    mapped_gradient = vmap(vjp(primal, (0,), value=False), 4, [0, NOT_MAPPED, NOT_MAPPED], [0])
    gradient_of_mapped = vjp(vmap(primal, 4, [0, NOT_MAPPED]), (0,), value=False)
    expected = w / np.cosh(x * w) ** 2
    np.testing.assert_allclose(run(mapped_gradient, [x, w, one])[0], expected, rtol=1e-13)
    np.testing.assert_allclose(run(gradient_of_mapped, [x, w, np.ones(4)])[0], expected, rtol=1e-13)


def test_leaves_the_function_as_it_was():
    function = example_function()
    before = str(function)
    vmap(function, 2)
    assert str(function) == before
