"""What holds of every op of the dialect: text, folding, traits, layout of operands, locations."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.traits import Commutative, ConstantLike, MemoryWriteEffect, Pure

from gradatim.ir.array import FAMILIES, OPS_BY_FAMILY
from gradatim.ir.array.base import FOLD_SIZE_LIMIT, ArrayOp
from gradatim.ir.array.collective import LaneReduceOp
from gradatim.ir.array.elementwise import AddOp, BinaryOp
from gradatim.ir.array.shape import ConstantOp
from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.functions import FunctionBuilder, find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.text import parse_module, to_text
from gradatim.ir.types import dense, is_splat, tensor_type, to_numpy

from .examples import BOOL, F32, FUNCTIONS, I64, PLACE, Example, examples, finite

OPS = [op for ops in OPS_BY_FAMILY.values() for op in ops]
EFFECTS = OPS_BY_FAMILY["effect"]
OVER = (FOLD_SIZE_LIMIT + 1,)
every_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether arrays are equal in shape, dtype and bits, where all NaN count as one."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    a, b = (np.ascontiguousarray(v).view(v.real.dtype) for v in (a, b))
    return bool(np.array_equal(a, b, equal_nan=True)) and all(
        np.signbit(u) == np.signbit(v) for u, v in zip(a.flat, b.flat) if u == 0
    )


def test_families_and_names():
    assert set(OPS_BY_FAMILY) == set(FAMILIES)
    assert len({op.name for op in OPS}) == len(OPS)
    assert all(op.name.startswith("array.") and op.__doc__ for op in OPS)


@every_op
def test_has_a_builder_method(op: type[ArrayOp]):
    name = op.name.removeprefix("array.")
    assert hasattr(Builder, name) or hasattr(Builder, f"{name}_")


@every_op
def test_interprets_every_example(op: type[ArrayOp]):
    for example in examples(op):
        example.results()


@every_op
def test_reads_back_from_text(op: type[ArrayOp]):
    for example in examples(op):
        module = example.module()
        for generic in (False, True):
            text = to_text(module, generic=generic, locations=True)
            again = parse_module(text)
            again.verify()
            assert again.is_structurally_equivalent(module), text
            assert to_text(again, generic=generic, locations=True) == text
            parsed = find_function(again, "f").body.block.first_op
            assert parsed is not None and parsed.location == PLACE


@every_op
def test_folds_to_what_the_interpreter_gives(op: type[ArrayOp]):
    for example in examples(op):
        if not example.operands:
            continue
        function = example.function(constants=True)
        folded_op = next(o for o in function.body.block.ops if type(o) is op)
        folded = folded_op.fold()
        if op in EFFECTS or op is LaneReduceOp:  # which wait for the program, or for lanes
            assert folded is None
            continue
        assert folded is not None, example
        with np.errstate(all="ignore"):
            expected = folded_op.evaluate_results(*example.operands)
        assert all(map(same_bits, map(to_numpy, folded), expected)), example


@every_op
def test_does_not_fold_unknown_operands(op: type[ArrayOp]):
    for example in examples(op)[:3]:
        assert example.make().fold() is None or not example.operands


@every_op
def test_has_the_right_traits(op: type[ArrayOp]):
    assert op.has_trait(Pure) == (op not in EFFECTS)
    assert op.has_trait(MemoryWriteEffect) == (op in EFFECTS)
    assert op.has_trait(ConstantLike) == (op.name == "array.constant")


def _commutes(example: Example) -> bool:
    op = example.make()
    x, y = example.operands
    with np.errstate(all="ignore"):
        a, b = op.evaluate(x, y), op.evaluate(y, x)
    if a.dtype.kind == "c":  # with fused multiply-add the parts may round differently
        return bool(np.allclose(a, b, rtol=1e-6, equal_nan=True))
    return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))


@every_op
def test_is_marked_commutative_where_it_is(op: type[ArrayOp]):
    if issubclass(op, BinaryOp):
        pairs = [x for x in examples(op) if x.operands[0].size > 3]
        assert op.has_trait(Commutative) == all(map(_commutes, pairs))
    else:
        assert not op.has_trait(Commutative)


def _layouts(x: np.ndarray) -> list[np.ndarray]:
    """Return the same array as a transpose, with gaps, reversed, and read-only."""
    transposed = np.array(x, order="F")
    gaps = np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x
    backwards = np.ascontiguousarray(x[..., ::-1])[..., ::-1] if x.ndim else x
    frozen = x.copy()
    frozen.flags.writeable = False
    return [transposed, gaps, backwards, frozen]


@every_op
def test_does_not_depend_on_the_layout_of_operands(op: type[ArrayOp]):
    for example in examples(op):
        made = example.make()
        interpreter = Interpreter(ModuleOp([]), FUNCTIONS)
        with np.errstate(all="ignore"):
            expected = interpreter.run_op(made, example.operands)
            for operands in zip(*map(_layouts, example.operands)):
                for found, result in zip(interpreter.run_op(made, operands), expected):
                    assert found.shape == result.shape, example
                    np.testing.assert_allclose(found, result, rtol=4e-7, atol=1e-12)


@every_op
def test_leaves_its_operands_alone(op: type[ArrayOp]):
    for example in examples(op):
        before = [x.tobytes() for x in example.operands]
        example.results()
        assert [x.tobytes() for x in example.operands] == before


@every_op
def test_keeps_the_location_it_is_made_with(op: type[ArrayOp]):
    for example in examples(op)[:3]:
        check_function(example.function())


def test_make_sets_what_xdsl_sets():
    function = FunctionBuilder("f", [tensor_type((2,), F32)])
    operands = (function.arguments[0],) * 2
    made = AddOp.make(operands, (operands[0].type,), {}, PLACE)
    usual = AddOp.create(operands=operands, result_types=[operands[0].type], location=PLACE)
    assert vars(made).keys() == vars(usual).keys()
    for field in vars(usual).keys() - {"_operand_uses", "results"}:
        assert getattr(made, field) == getattr(usual, field), field
    for op in (made, usual):
        assert [(r.type, r.op, r.index) for r in op.results] == [(operands[0].type, op, 0)]
        assert [(u.operation, u.index) for u in op._operand_uses] == [(op, 0), (op, 1)]
        assert set(op._operand_uses) <= set(operands[0].uses)
    made.erase()
    assert {use.operation for use in operands[0].uses} == {usual}


def _folded(build) -> object:
    function = FunctionBuilder("f", [])
    result = build(function.builder)
    (folded,) = result.owner.fold() or (None,)
    return folded


BIG = (1000, 1000, 1000)  # a fold that touches its elements would not end in time


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda b: b.add(b.full(BIG, F32, 1.0), b.full(BIG, F32, 2.0)), 3.0),
        (lambda b: b.select(b.full(BIG, BOOL, True), *[b.full(BIG, F32, v) for v in (1, 2)]), 1.0),
        (lambda b: b.compare("lt", b.full(BIG, F32, 1.0), b.full(BIG, F32, 2.0)), True),
        (lambda b: b.convert(b.full(BIG, F32, 2.7), I64), 2),
        (lambda b: b.bitcast_convert(b.full(BIG, F32, 1.0), np.dtype("i4")), 0x3F800000),
        (lambda b: b.broadcast(b.full((), F32, 5.0), BIG, ()), 5.0),
        (lambda b: b.reshape(b.full(BIG, F32, 5.0), (1000, 1000000)), 5.0),
        (lambda b: b.transpose(b.full(BIG, F32, 5.0), (1, 0, 2)), 5.0),
        (lambda b: b.slice(b.full(BIG, F32, 5.0), (0, 0, 1), BIG), 5.0),
        (lambda b: b.reverse(b.full(BIG, F32, 5.0), (0,)), 5.0),
        (lambda b: b.concatenate([b.full(BIG, F32, 5.0)] * 2, 0), 5.0),
        (lambda b: b.pad(b.full((9,), F32, 5.0), b.full((), F32, 5.0), (10**9,), (0,)), 5.0),
    ],
)
def test_folds_large_splats_by_one_element(build, expected):
    folded = _folded(build)
    assert is_splat(folded)
    assert to_numpy(folded).flat[0] == expected


@pytest.mark.parametrize(
    "build",
    [
        lambda b: b.add(b.constant(finite(OVER, F32)), b.full(OVER, F32, 1.0)),
        lambda b: b.reduce("add", b.constant(finite(OVER, F32)), (0,)),
        lambda b: b.reduce("add", b.full(BIG, F32, 1.0), (0, 1, 2)),
        lambda b: b.broadcast(b.constant(finite((2,), F32)), (2, *OVER), (0,)),
        lambda b: b.pad(b.full((9,), F32, 5.0), b.full((), F32, 0.0), OVER, (0,)),
        lambda b: b.concatenate([b.full(OVER, F32, 0.0), b.full(OVER, F32, -0.0)], 0),
        lambda b: b.iota((4,), F32, 0),
    ],
)
def test_does_not_fold_large_constants_nor_what_is_shorter_than_they(build):
    assert _folded(build) is None


def test_a_constant_folds_to_its_value_whatever_its_size():
    assert to_numpy(_folded(lambda b: b.constant(finite(OVER, F32)))).shape == OVER


def test_reads_a_splat_as_one_element():
    module = parse_module("""
        func.func @f() -> (tensor<4xi1>, tensor<2x2xf64>) {
          %a = array.constant dense<true> : tensor<4xi1>
          %b = array.constant dense<[[1.5, 1.5], [1.5, 1.5]]> : tensor<2x2xf64>
          func.return %a, %b : tensor<4xi1>, tensor<2x2xf64>
        }""")
    ops = [op for op in find_function(module, "f").body.block.ops if isinstance(op, ConstantOp)]
    assert [op.value.data.data for op in ops] == [b"\x01", np.float64(1.5).tobytes()]


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_print_of_floats_is_exact(dtype):
    random = np.random.default_rng(0)
    real = np.dtype(dtype).type(0).real.dtype
    bits = random.integers(0, 256, 64 * real.itemsize, np.uint8).view(real)
    integral = np.rint(10 ** random.uniform(0, 20, 64)).astype(real)
    known = np.array([16777217, 1234567, 1e6, 1e22, 2.0**53 + 2, -0.1, 1 / 3, 2], real)
    for values in (bits, bits[np.isfinite(bits)][:32], integral, known):
        value = dense(np.ascontiguousarray(values).view(dtype))
        example = Example(ConstantOp, (), {"value": value})
        again = find_function(parse_module(to_text(example.module())), "f").body.block.first_op
        assert isinstance(again, ConstantOp)
        assert again.value.data.data == value.data.data


@every_op
def test_copies(op: type[ArrayOp]):
    for example in examples(op):
        module = example.module()
        copy = module.clone()
        copy.verify()
        assert copy.is_structurally_equivalent(module)
