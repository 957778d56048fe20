"""Simplification keeps what programs compute, bit by bit, and is done after one application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import FunctionBuilder, find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.locations import source_location, spell_location
from gradatim.ir.text import parse_module
from gradatim.ir.types import tensor_info, tensor_type
from gradatim.passes.simplify.canonicalize import canonicalize, simplify, walk
from gradatim.passes.simplify.cse import merge_equal_ops
from gradatim.passes.simplify.dce import eliminate_dead_code
from gradatim.passes.simplify.fold import fold_constants
from gradatim.passes.simplify.inline import inline_calls

from ..ir.examples import finite, values
from ..ir.test_every_op import same_bits
from ..work import lines_run
from .programs import ANYTHING, SUMS, Program, ProgramMaker, programs

F64 = np.dtype(np.float64)
I32 = np.dtype(np.int32)

PASSES: dict[str, Callable[[FuncOp], object]] = {
    "canonicalize": canonicalize,
    "cse": merge_equal_ops,
    "dce": eliminate_dead_code,
    "fold": fold_constants,
}


def run(function: FuncOp, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return Interpreter(ModuleOp([])).run_function(function, arguments)


def make(body: Callable[..., Sequence[SSAValue]], *types: tuple) -> FuncOp:
    place = source_location("user.py", 1, 1, "f")
    function = FunctionBuilder("f", [tensor_type(*t) for t in types], location=place)
    function.builder.location = place
    return function.finish(body(function.builder, *function.arguments))


def names(function: FuncOp) -> list[str]:
    return [op.name.removeprefix("array.") for op in function.body.block.ops][:-1]


# Properties


@pytest.mark.parametrize("style", [ANYTHING, SUMS], ids=["anything", "sums"])
@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_random_programs_keep_their_bits(name: str, style, data: st.DataObject):
    function, arguments = data.draw(programs(style))
    before = run(function, arguments)
    PASSES[name](function)
    check_function(function)
    after = run(function, arguments)
    assert len(after) == len(before)
    assert all(map(same_bits, after, before))


@settings(max_examples=150, deadline=None)
@given(program=programs(SUMS))
def test_fast_keeps_whole_numbers(program: Program):
    """Where nothing rounds or overflows, `fast` may change no more than the sign of a zero."""
    function, arguments = program
    before = run(function, arguments)
    canonicalize(function, fast=True)
    check_function(function)
    for found, expected in zip(run(function, arguments), before, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_second_application_changes_nothing(name: str, data: st.DataObject):
    function, _ = data.draw(programs(ANYTHING))
    PASSES[name](function)
    once = str(function)
    PASSES[name](function)
    assert str(function) == once


@pytest.mark.parametrize("seed", [40, 113])
def test_what_is_free_when_an_array_is_not_sorted_along_is_simplified(seed: int):
    """Sorts of constants along with an array that nothing uses: once it is gone, they fold."""
    function, _ = ProgramMaker(Random(seed), ANYTHING).make(4)
    canonicalize(function)
    once = str(function)
    canonicalize(function)
    assert str(function) == once


@pytest.mark.parametrize("style", [ANYTHING, SUMS], ids=["anything", "sums"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_nothing_is_built_for_a_canonical_program(style, data: st.DataObject):
    """A rule that builds before it refuses would leave work for another walk, without end."""
    function, _ = data.draw(programs(style))
    canonicalize(function)
    assert not walk(function).changed


def test_a_refusal_beside_one_that_waits():
    def body(b: Builder, x: SSAValue) -> Sequence[SSAValue]:
        rows = b.reduce("add", x, [1])
        repeated = b.broadcast(b.reshape(rows, (4, 1)), (2, 4, 1), [1, 2])
        return [rows, b.reduce("add", repeated, [0, 1, 2])]

    function = make(body, ((4, 4), F64))
    canonicalize(function)
    assert not walk(function).changed


LIT_TESTS = Path(__file__).parents[2] / "lit_tests" / "simplify"


def _functions_of_filecheck_tests() -> list[tuple[str, str]]:
    return [
        (path.name, op.sym_name.data)
        for path in sorted(LIT_TESTS.glob("canonicalize_*.mlir"))
        for op in parse_module(path.read_text()).body.block.ops
        if isinstance(op, FuncOp) and "fast" not in path.name
    ]


@pytest.mark.parametrize(("file", "name"), _functions_of_filecheck_tests())
def test_what_filecheck_shows_is_exact(file: str, name: str):
    """Each rewrite that a FileCheck test shows is run, too.

    Sums are of whole numbers, so that their order does not matter; powers may differ by 2 ulp.
    """
    function = find_function(parse_module((LIT_TESTS / file).read_text()), name)
    infos = [tensor_info(a) for a in function.body.block.args]
    before = names(function)
    inputs = [[values(*info, seed=seed + i) for i, info in enumerate(infos)] for seed in range(4)]
    if "reduce" in before or "dot_general" in before:
        inputs = [[np.rint(finite(*info)).astype(info.dtype) for info in infos]]
    expected = [run(function, arguments) for arguments in inputs]
    canonicalize(function)
    for arguments, results in zip(inputs, expected):
        for found, value in zip(run(function, arguments), results, strict=True):
            if "pow" in before:
                np.testing.assert_allclose(found, value, rtol=4.5e-16, atol=0)
            else:
                assert same_bits(found, value)


# Rules in particular


@pytest.mark.parametrize("exponent", [2.0, 3.0, -1.0, 1.5, 2.5, -1.5])
def test_small_powers_are_within_two_ulp(exponent: float):
    def power(b: Builder, x: SSAValue) -> list[SSAValue]:
        return [b.pow(x, b.full_like(x, exponent))]

    function = make(power, ((20000,), F64))
    canonicalize(function)
    assert "pow" not in names(function)
    random = np.random.default_rng(0)
    x = random.normal(size=20000) * 10.0 ** random.integers(-120, 120, 20000)
    (found,) = run(function, [x])
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.longdouble), exponent)
        ulp = np.spacing(np.abs(exact.astype(np.float64)))
        normal = (np.abs(exact) > 1e-300) & (np.abs(exact) < 1e300)
    assert np.abs((found - exact) / ulp)[normal].max() <= 2
    assert np.array_equal(np.isnan(found), np.isnan(exact))


@pytest.mark.parametrize("exponent", [1.5, 2.5, -1.5])
def test_roots_of_special_values_are_those_of_pow(exponent: float):
    x = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-300, 1e300, 5e-324])
    function = make(lambda b, x: [b.pow(x, b.full_like(x, exponent))], ((10,), F64))
    (before,) = run(function, [x])
    canonicalize(function)
    assert "pow" not in names(function)
    (after,) = run(function, [x])
    np.testing.assert_allclose(after, before, rtol=1e-15)


def test_rules_that_meet_after_a_fold_all_apply():
    """Building is simplifying: what a rule builds is looked at by the others at once."""

    def body(b: Builder, x: SSAValue) -> list[SSAValue]:
        zero = b.sub(b.full((), F64, 3.0), b.full((), F64, 3.0))
        repeated = b.transpose(b.broadcast(zero, (3, 2), ()), (1, 0))
        return [b.sub(b.transpose(b.transpose(x, (1, 0)), (1, 0)), repeated)]

    function = make(body, ((2, 3), F64))
    canonicalize(function)
    assert names(function) == []


def test_merged_ops_have_the_locations_of_all():
    def body(b: Builder, x: SSAValue) -> list[SSAValue]:
        results = []
        for line in (3, 9, 3):
            b.location = source_location("user.py", line, 1, "f")
            results.append(b.sin(x))
        return results

    function = make(body, ((), F64))
    merge_equal_ops(function)
    (op, _) = function.body.block.ops
    assert str(op.location) == 'loc(fused["f"("user.py":3:1), "f"("user.py":9:1)])'
    assert spell_location(op.location) == "user.py:3"


def test_composed_ops_have_the_locations_of_both():
    def body(b: Builder, x: SSAValue) -> list[SSAValue]:
        b.location = source_location("user.py", 3, 1, "f")
        y = b.transpose(x, (1, 2, 0))
        b.location = source_location("user.py", 9, 1, "f")
        return [b.transpose(y, (1, 2, 0))]

    function = make(body, ((2, 3, 4), F64))
    canonicalize(function)
    (op, _) = function.body.block.ops
    assert str(op.location) == 'loc(fused["f"("user.py":9:1), "f"("user.py":3:1)])'


def test_locations_do_not_pile_up():
    """However many ops become one, the text of its location stays short and is not nested."""

    def body(b: Builder, x: SSAValue) -> list[SSAValue]:
        for line in range(2000):
            b.location = source_location("user.py", line + 1, 1, "f")
            x = b.transpose(x, (1, 2, 0))
        return [x]

    function = make(body, ((2, 3, 4), F64))
    canonicalize(function)
    (op, _) = function.body.block.ops
    assert str(op.location).count("user.py") == 8
    assert str(op.location).count("fused") == 1


def test_constants_merge_by_their_bytes():
    payload = np.arange(5000.0)

    def body(b: Builder) -> list[SSAValue]:
        return [b.constant(payload), b.constant(payload.copy()), b.constant(payload + 1)]

    function = make(body)
    merge_equal_ops(function)
    assert names(function) == ["constant", "constant"]


def test_large_constants_are_not_folded():
    def body(b: Builder) -> list[SSAValue]:
        return [b.neg(b.constant(np.arange(5000.0)))]

    function = make(body)
    canonicalize(function)
    assert names(function) == ["constant", "neg"]


# Inlining


NESTED = """
func.func private @g(%x: tensor<f64>) -> tensor<f64> {
  %y = array.sin %x : tensor<f64>
  func.return %y : tensor<f64>
}
func.func @f(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @g(%x) : (tensor<f64>) -> tensor<f64>
  func.return %y : tensor<f64>
}
func.func @h(%x: tensor<f64>) -> tensor<f64> {
  %y = func.call @f(%x) : (tensor<f64>) -> tensor<f64>
  %z = func.call @g(%y) : (tensor<f64>) -> tensor<f64>
  func.return %z : tensor<f64>
}
"""


def test_inlining_one_function_leaves_the_others():
    module = parse_module(NESTED)
    h = find_function(module, "h")
    inline_calls(module, h)
    assert names(h) == ["sin", "sin"]
    assert names(find_function(module, "f")) == ["func.call"]
    assert names(find_function(module, "g")) == ["sin"]


def test_inlining_all_erases_what_nothing_calls():
    module = parse_module(NESTED)
    inline_calls(module)
    assert names(find_function(module, "f")) == ["sin"]
    with pytest.raises(GradatimError, match="has no function @g"):
        find_function(module, "g")


def test_simplify_inlines_and_canonicalizes():
    module = parse_module(NESTED.replace("array.sin %x", "array.neg %x"))
    simplify(module)
    module.verify()
    assert names(find_function(module, "h")) == []
    (found,) = Interpreter(module).call("h", np.float64(3.0))
    assert found == 3.0


# Work


def _chain(length: int) -> FuncOp:
    def body(b: Builder, x: SSAValue, y: SSAValue) -> list[SSAValue]:
        wide = [x, y]
        for number in range(length // 5):
            c = b.full_like(x, float(number % 7))
            z = b.add(b.mul(wide[-1], c), wide[-2])
            wide.append(b.reshape(b.reshape(z, (6,)), (2, 3)))
        return [*wide, *[x] * length]

    return make(body, ((2, 3), F64), ((2, 3), F64))


@pytest.mark.parametrize("name", PASSES)
def test_work_is_linear(name: str):
    short, long = (lines_run(PASSES[name], _chain(n)) for n in (250, 2500))
    assert long < 12 * short
