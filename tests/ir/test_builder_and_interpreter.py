"""The builder's shortcuts, and how the interpreter runs functions and refuses."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import FunctionBuilder, find_function, return_of
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.locations import source_location
from gradatim.ir.text import parse_module
from gradatim.ir.types import shape_of, tensor_type

from .examples import F32, F64, PLACE

X = tensor_type((2, 3), F32)


@pytest.mark.parametrize(
    "build",
    [
        lambda b, x: b.convert(x, F32),
        lambda b, x: b.bitcast_convert(x, F32),
        lambda b, x: b.broadcast(x, (2, 3), (0, 1)),
        lambda b, x: b.reshape(x, (2, 3)),
        lambda b, x: b.transpose(x, (0, 1)),
        lambda b, x: b.slice(x, (0, 0), (2, 3)),
        lambda b, x: b.pad(x, x, (0, 0), (0, 0)),
        lambda b, x: b.concatenate([x], 1),
        lambda b, x: b.reverse(x, ()),
        lambda b, x: b.reduce("add", x, ()),
    ],
)
def test_what_would_do_nothing_makes_no_op(build):
    function = FunctionBuilder("f", [X])
    (x,) = function.arguments
    assert build(function.builder, x) is x
    assert function.block.is_empty


def test_ops_get_the_current_location():
    function = FunctionBuilder("f", [X], location=PLACE)
    (x,) = function.arguments
    other = source_location("user.py", 99, 0, "model")
    with pytest.raises(KeyError), function.builder.at(other):
        inner = function.builder.neg(x)
        raise KeyError
    outer = function.builder.neg(x)
    assert (inner.owner.location, outer.owner.location) == (other, PLACE)


def test_function_has_its_arguments_names_and_results():
    builder = FunctionBuilder("f", [X, X], ["x"], PLACE)
    x, y = builder.arguments
    function = builder.finish([builder.builder.add(x, y), x], "private")
    module = ModuleOp([function])
    module.verify()
    assert find_function(module, "f") is function
    assert function.sym_visibility.data == "private"
    assert [a.name_hint for a in function.args] == ["x", None]
    assert return_of(function).operands[1] is x
    assert function.location == return_of(function).location == x.location == PLACE


def test_find_function_names_what_is_missing():
    with pytest.raises(GradatimError, match="the module has no function @g"):
        find_function(ModuleOp([]), "g")


CALLS = """
func.func private @twice(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %y = array.add %x, %x : tensor<2xf32>
  func.return %y, %x : tensor<2xf32>, tensor<2xf32>
}
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y, %z = func.call @twice(%x) : (tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
  %w = array.mul %y, %z : tensor<2xf32>
  func.return %w : tensor<2xf32>
}
"""


def test_calls():
    (result,) = Interpreter(parse_module(CALLS)).call("f", np.array([1, 3], np.float32))
    assert result.dtype == F32 and result.tolist() == [2, 18]


def test_a_function_without_results_gives_none():
    module = parse_module("func.func @f() { func.return }")
    assert Interpreter(module).call("f") == []


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("g", [], "the module has no function @g"),
        ("f", [], "@f takes 1 arguments, not 0"),
        ("f", [np.zeros(3, F32)], r"argument 0 of @f must be f32\[2\], not f32\[3\]"),
        ("f", [np.zeros(2, F64)], r"argument 0 of @f must be f32\[2\], not f64\[2\]"),
        ("f", [np.zeros(2, object)], r"argument 0 of @f must be f32\[2\], not object\[2\]"),
    ],
)
def test_wrong_calls_are_refused(name, arguments, message):
    with pytest.raises(GradatimError, match=message):
        Interpreter(parse_module(CALLS)).call(name, *arguments)


def test_an_op_without_semantics_is_named_with_its_place():
    module = parse_module("""
        func.func @f(%x: memref<2xf32>) -> memref<2xf32> {
          %i = arith.constant 0 : index loc("model.py":5:3)
          func.return %x : memref<2xf32>
        }""")
    function = find_function(module, "f")
    with pytest.raises(GradatimError, match=r"(?s)arith.constant has no reference.*model.py:5"):
        Interpreter(module).run_block(function.body.block, [np.zeros(2, F32)])


def test_a_wrong_result_type_is_found_at_its_op():
    builder = FunctionBuilder("f", [X], location=PLACE)
    y = builder.builder.neg(builder.arguments[0])
    module = ModuleOp([builder.finish([y])])
    y._type = tensor_type((3, 2), F32)
    with pytest.raises(GradatimError, match=r"array.neg gave f32\[2,3\] for .* f32\[3,2\]"):
        Interpreter(module).call("f", np.zeros(shape_of(X), F32))


def test_the_interpreter_is_silent_about_floating_point_errors():
    builder = FunctionBuilder("f", [X])
    (x,) = builder.arguments
    module = ModuleOp([builder.finish([builder.builder.div(x, x)])])
    (result,) = Interpreter(module).call("f", np.zeros((2, 3), F32))
    assert np.isnan(result).all()
