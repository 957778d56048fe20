"""Ops of several results go through every pass at the array level, and into kernels.

The dialect's ops of several results need not have each kind of rule, so the op here is the tests'
own: it computes the sine and the cosine of an array at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, result_def
from xdsl.utils.exceptions import VerifyException

from gradatim.ir.array.base import Properties, PureOp
from gradatim.ir.builder import Builder
from gradatim.ir.functions import FunctionBuilder, return_of
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel.ops import FusionOp
from gradatim.ir.locations import source_location
from gradatim.ir.types import Tensor, shape_of, tensor_type
from gradatim.passes.autodiff import rules as derivatives
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.kinds import Composed, Derivatives, Own
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching import vmap as batching
from gradatim.passes.batching.batched import Batched
from gradatim.passes.fusion.rebuild import fuse
from gradatim.passes.simplify import canonicalize as simplify
from gradatim.passes.simplify.cse import merge_equal_ops
from gradatim.passes.simplify.dce import eliminate_dead_code
from gradatim.passes.simplify.fold import fold_constants
from gradatim.passes.simplify.rules import RuleBuilder
from gradatim.passes.split_complex import rules as complex_rules
from gradatim.passes.split_complex.arithmetic import ComplexBuilder, Parts
from gradatim.passes.split_complex.split_complex import split_complex

F64, C128 = np.dtype(np.float64), np.dtype(np.complex128)
PLACE = source_location("user.py", 3, 4, "model")
X = np.array([[0.5, -1.0, 2.0], [0.0, 3.0, np.pi]])


@irdl_op_definition
class SineCosineOp(PureOp):
    """The sine and the cosine of each element."""

    name = "array.sine_cosine"
    operand = operand_def(TensorType)
    sine = result_def(TensorType)
    cosine = result_def(TensorType)

    @classmethod
    def infer(
        cls, operands: Sequence[Tensor], properties: Properties, requested: Tensor | None
    ) -> tuple[Tensor, ...]:
        return operands[0], operands[0]

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return np.sin(operands[0]), np.cos(operands[0])


def _jvp(b: Builder, op: SineCosineOp, tangents: Derivatives) -> Derivatives:
    (t,) = tangents
    assert t is not None
    return b.mul(t, op.cosine), b.neg(b.mul(t, op.sine))


def _vjp(
    b: Builder, op: SineCosineOp, cotangents: Derivatives, wanted: Sequence[bool]
) -> Derivatives:
    of_sine, of_cosine = (g if g is not None else b.full_like(op.sine, 0) for g in cotangents)
    return [b.sub(b.mul(of_sine, op.cosine), b.mul(of_cosine, op.sine))]


def _batch(b: Builder, op: Any, operands: Sequence[Batched], size: int) -> list[Batched]:
    (value, axis), *_ = operands
    return [Batched(v, axis) for v in b.create_results(SineCosineOp, (value,))]


def _split(b: ComplexBuilder, op: Any, parts: Sequence[Parts]) -> list[Parts]:
    return [b.sin(parts[0]), b.cos(parts[0])]


def _of_negated(b: RuleBuilder, op: Any) -> Sequence[SSAValue] | None:
    """sin(-x), cos(-x) = -sin(x), cos(x)."""
    inner = op.operand.owner
    if getattr(inner, "name", "") != "array.neg":
        return None
    sine, cosine = b.create_results(SineCosineOp, inner.operands)
    return b.neg(sine), cosine


@pytest.fixture(autouse=True)
def _rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(derivatives.RULES, SineCosineOp, Own(_jvp, _vjp))
    monkeypatch.setitem(batching.RULES, SineCosineOp, _batch)
    monkeypatch.setitem(complex_rules.RULES, SineCosineOp, _split)
    monkeypatch.setitem(simplify.RULES, SineCosineOp, (_of_negated,))
    monkeypatch.setattr(simplify, "_ARRAY_OPS", {*simplify._ARRAY_OPS, SineCosineOp})
    yield


def _function(dtype: np.dtype = F64, shape: tuple[int, ...] = X.shape) -> FuncOp:
    """Return x -> sin(x) * cos(x), sin(x)."""
    function = FunctionBuilder("f", [tensor_type(shape, dtype)], ["x"], PLACE)
    b = function.builder
    sine, cosine = b.create_results(SineCosineOp, function.arguments)
    return function.finish([b.mul(sine, cosine), sine])


def _run(function: FuncOp, *arguments: np.ndarray) -> list[np.ndarray]:
    module = ModuleOp([function])
    module.verify()
    return Interpreter(module).call("f", *arguments)


def _ops(function: FuncOp) -> list[str]:
    return [op.name for op in function.body.block.ops]


def test_interprets():
    for found, expected in zip(_run(_function(), X), (np.sin(X) * np.cos(X), np.sin(X))):
        np.testing.assert_array_equal(found, expected)


def test_verifies_every_result():
    function = FunctionBuilder("f", [tensor_type((2,), F64)])
    types = [tensor_type((2,), F64), tensor_type((3,), F64)]
    op = SineCosineOp.make(function.arguments, types, {}, PLACE)
    with pytest.raises(VerifyException, match=r"result is f64\[3\], not f64\[2\]"):
        op.verify()


def test_forward_and_reverse_mode():
    tangent = np.linspace(1, 2, X.size).reshape(X.shape)
    *_, dy, ds = _run(jvp(_function()), X, tangent)
    np.testing.assert_allclose(dy, np.cos(2 * X) * tangent, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(ds, np.cos(X) * tangent, rtol=1e-14)
    (*_, gradient) = _run(vjp(_function()), X, tangent, np.zeros_like(X))
    np.testing.assert_allclose(gradient, np.cos(2 * X) * tangent, rtol=1e-14, atol=1e-14)


def test_a_composition_of_several_results(monkeypatch: pytest.MonkeyPatch):
    compose = Composed(lambda b, op, operands: (b.sin(operands[0]), b.cos(operands[0])))
    monkeypatch.setitem(derivatives.RULES, SineCosineOp, compose)
    function = vjp(_function())
    assert "array.sine_cosine" not in _ops(function)
    (*_, gradient) = _run(function, X, np.ones_like(X), np.zeros_like(X))
    np.testing.assert_allclose(gradient, np.cos(2 * X), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1])
def test_batches(axis: int):
    shape = X.shape[:axis] + X.shape[axis + 1 :]
    function = batching.vmap(_function(shape=shape), X.shape[axis], (axis,), (axis, axis))
    np.testing.assert_array_equal(_run(function, X)[0], np.sin(X) * np.cos(X))


def test_copies_what_is_the_same_for_all_examples():
    function = batching.vmap(_function(), 4, (-1,), (-1, 0))
    once, repeated = _run(function, X)
    np.testing.assert_array_equal(once, np.sin(X) * np.cos(X))
    np.testing.assert_array_equal(repeated, np.broadcast_to(np.sin(X), (4, *X.shape)))


@pytest.mark.parametrize("dtype", [F64, C128])
def test_splits_complex_values(dtype: np.dtype):
    x = (X + 0.25j).astype(dtype) if dtype.kind == "c" else X
    function = FunctionBuilder("f", [tensor_type(x.shape, dtype), tensor_type((), C128)])
    b = function.builder
    sine, cosine = b.create_results(SineCosineOp, function.arguments[:1])
    split = split_complex(function.finish([b.mul(sine, cosine), function.arguments[1]]))
    given = x.view(F64).reshape(*x.shape, -1) if dtype.kind == "c" else x
    found, _ = _run(split, given, np.zeros(2))
    if dtype.kind == "c":
        found = np.ascontiguousarray(found).view(dtype)[..., 0]
    np.testing.assert_allclose(found, np.sin(x) * np.cos(x), rtol=1e-14, atol=1e-15)


def test_merges_equal_ops_and_drops_dead_ones():
    function = FunctionBuilder("f", [tensor_type(X.shape, F64)], (), PLACE)
    b = function.builder
    b.create_results(SineCosineOp, [b.neg(function.arguments[0])])
    sine, _ = b.create_results(SineCosineOp, function.arguments)
    _, cosine = b.create_results(SineCosineOp, function.arguments)
    finished = function.finish([sine, cosine])
    merge_equal_ops(finished)
    eliminate_dead_code(finished)
    assert _ops(finished) == ["array.sine_cosine", "func.return"]


def test_canonicalizes():
    function = FunctionBuilder("f", [tensor_type(X.shape, F64)], ["x"], PLACE)
    b = function.builder
    sine, cosine = b.create_results(SineCosineOp, [b.neg(function.arguments[0])])
    sine.name_hint, cosine.name_hint = "s", "c"
    again, _ = b.create_results(SineCosineOp, function.arguments)
    finished = function.finish([sine, cosine, again])
    simplify.canonicalize(finished)
    assert _ops(finished) == ["array.sine_cosine", "array.neg", "func.return"]
    found = _run(finished, X)
    for value, expected in zip(found, (-np.sin(X), np.cos(X), np.sin(X))):
        np.testing.assert_array_equal(value, expected)
    assert [v.name_hint for v in return_of(finished).operands][:2] == ["s", "c"]


@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (2000,)])
def test_folds(shape: tuple[int, ...]):
    x = np.resize(X, shape)
    function = FunctionBuilder("f", [tensor_type(shape, F64)], (), PLACE)
    b = function.builder
    operand = b.constant(x) if x.size else function.arguments[0]
    finished = function.finish(b.create_results(SineCosineOp, [operand]))
    fold_constants(finished)
    assert ("array.sine_cosine" in _ops(finished)) == (x.size > 1024)
    for value, expected in zip(_run(finished, x), (np.sin(x), np.cos(x))):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("used", [(0,), (1,), (0, 1)])
def test_is_a_kernel_of_its_own(used: tuple[int, ...]):
    function = FunctionBuilder("f", [tensor_type(X.shape, F64)], ["x"], PLACE)
    b = function.builder
    values = b.create_results(SineCosineOp, [b.neg(function.arguments[0])])
    values[0].name_hint = "s"
    finished = function.finish([b.neg(values[i]) for i in used])
    fuse(finished, 256)
    kernels = [op for op in finished.body.block.ops if isinstance(op, FusionOp)]
    own = kernels[1]
    assert _ops_in(own) == ["array.sine_cosine", "kernel.yield"]
    assert [shape_of(v) for v in own.results] == [X.shape] * len(used)
    assert own.results[0].name_hint == (None if 0 not in used else "s")
    for value, i in zip(_run(finished, X), used):
        np.testing.assert_array_equal(value, -(np.sin, np.cos)[i](-X))


def _ops_in(fusion: FusionOp) -> list[str]:
    return [op.name for op in fusion.body.block.ops]
