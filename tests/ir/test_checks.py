"""Checks of scope and locations."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.parser import Parser

from gradatim.ir.checks import check_function
from gradatim.ir.dialects import new_context
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import FunctionBuilder, find_function, return_of
from gradatim.ir.locations import source_location
from gradatim.ir.types import tensor_type

from ..work import lines_run

F32 = tensor_type((2,), np.dtype("f4"))


def _parse(text: str) -> ModuleOp:
    return Parser(new_context(), text).parse_module()


def test_accepts_values_from_above_in_nested_regions():
    module = _parse("""
        func.func @f(%n: index, %x: f32) -> f32 {
          %c = arith.constant 0 : index
          %one = arith.constant 1 : index
          %y = scf.for %i = %c to %n step %one iter_args(%a = %x) -> (f32) {
            %s = arith.addf %a, %x : f32
            scf.yield %s : f32
          }
          func.return %y : f32
        }""")
    check_function(find_function(module, "f"), locations=False)


def test_rejects_a_use_above_the_definition():
    function = FunctionBuilder("f", [F32])
    first = function.builder.neg(function.arguments[0])
    second = function.builder.sin(first)
    finished = function.finish([second])
    first.owner.operands[0] = second
    with pytest.raises(GradatimError, match=r"operand 0 of array.neg is the result of array.sin"):
        check_function(finished, locations=False)


def test_rejects_a_value_of_another_function():
    stranger = FunctionBuilder("g", [F32])
    function = FunctionBuilder("f", [F32])
    finished = function.finish([stranger.arguments[0]])
    with pytest.raises(GradatimError, match=r"func.return is an argument that is not defined"):
        check_function(finished, locations=False)


def test_rejects_a_value_that_left_its_region():
    module = _parse("""
        func.func @f(%n: index, %x: f32) -> f32 {
          scf.for %i = %n to %n step %n {
            %s = arith.addf %x, %x : f32
          }
          func.return %x : f32
        }""")
    function = find_function(module, "f")
    inner = next(op for op in function.walk() if op.name == "arith.addf")
    return_of(function).operands[0] = inner.results[0]
    with pytest.raises(
        GradatimError, match=r"operand 0 of func.return is the result of arith.addf"
    ):
        check_function(function, locations=False)


def test_an_isolated_region_sees_nothing_from_above():
    module = _parse("""
        func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
          func.func @g(%y: tensor<2xf32>) {
            %z = array.neg %y : tensor<2xf32>
            func.return
          }
          func.return %x : tensor<2xf32>
        }""")
    function = find_function(module, "f")
    inner = next(op for op in function.walk() if op.name == "array.neg")
    check_function(function, locations=False)
    inner.operands[0] = function.body.block.args[0]
    with pytest.raises(GradatimError, match=r"operand 0 of array.neg is an argument"):
        check_function(function, locations=False)


def test_rejects_an_op_without_location():
    place = source_location("user.py", 3, 1, "f")
    function = FunctionBuilder("f", [F32], location=place)
    y = function.builder.neg(function.arguments[0])
    finished = function.finish([y])
    check_function(finished)
    y.owner.location = FunctionBuilder("g", []).location
    with pytest.raises(GradatimError, match=r"array.neg has no location"):
        check_function(finished)


def _chain(ops: int) -> FuncOp:
    function = FunctionBuilder("f", [F32], location=source_location("user.py", 3, 1, "f"))
    x = function.arguments[0]
    for _ in range(ops):
        x = function.builder.neg(x)
    return function.finish([x])


def test_work_is_linear_in_the_number_of_ops():
    short, long = (lines_run(check_function, _chain(ops)) for ops in (200, 2_000))
    assert long < 11 * short


def test_a_tape_is_used_once():
    """Two pops of one tape would give its memory back twice."""
    module = _parse("""
        func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
          %t = array.tape_new : !array.tape<tensor<2xf32>>
          %u = array.tape_push %t, %x : !array.tape<tensor<2xf32>>, tensor<2xf32> -> !array.tape<tensor<2xf32>>
          %r, %a = array.tape_pop %u : !array.tape<tensor<2xf32>>, tensor<2xf32> from !array.tape<tensor<2xf32>>
          %s, %b = array.tape_pop %u : !array.tape<tensor<2xf32>>, tensor<2xf32> from !array.tape<tensor<2xf32>>
          func.return %a, %b : tensor<2xf32>, tensor<2xf32>
        }""")  # noqa: E501
    with pytest.raises(GradatimError, match="is a tape that is used more than once"):
        check_function(find_function(module, "f"), locations=False)
