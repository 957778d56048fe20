"""What the shape rules refuse, in which words, when building and when verifying."""
# ruff: noqa: E501 (a table with a row for each message)

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr, i64
from xdsl.utils.exceptions import VerifyException

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array import collective as g
from gradatim.ir.array import contraction as c
from gradatim.ir.array import effect as f
from gradatim.ir.array import elementwise as e
from gradatim.ir.array import indexing as n
from gradatim.ir.array import ordering as o
from gradatim.ir.array import random as q
from gradatim.ir.array import reduction as r
from gradatim.ir.array import shape as s
from gradatim.ir.attributes import (
    ComparePredicate,
    ComparePredicateAttr,
    ReduceKind,
    ReduceKindAttr,
    ScatterKind,
    ScatterKindAttr,
    ThreefryWord,
    ThreefryWordAttr,
    dimension,
    integers,
)
from gradatim.ir.errors import DtypeError, GradatimError, ShapeError
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.types import ELEMENT_TYPES, dtype_of, parse_spelling, tensor_type

from .examples import PLACE, examples


def t(spelled: str):
    return tensor_type(*parse_spelling(spelled))


def lists(**values):
    return {name: integers(entries) for name, entries in values.items()}


LESS = {"predicate": ComparePredicateAttr(ComparePredicate.LT)}
UPPER = {"word": ThreefryWordAttr(ThreefryWord.UPPER)}


def kind(name: str):
    return {"kind": ReduceKindAttr(ReduceKind(name))}


def scatter(name: str, *dims: int):
    return {"kind": ScatterKindAttr(ScatterKind(name)), **lists(dims=dims)}


def dot(left_batch, right_batch, left, right):
    return lists(lhs_batch=left_batch, rhs_batch=right_batch, lhs_contract=left, rhs_contract=right)


def windows(*entries, **others):
    """Return the lists of a window reduction of unit strides, one entry for each dimension."""
    ones = [1] * len(entries)
    plain = {"sizes": [2] * len(entries), "strides": ones, "dilations": ones}
    edges = {"low": entries, "high": entries}
    return kind("max") | lists(**(plain | edges | others))


def convolution(*low, groups=1, **others):
    ones = [1] * len(low)
    edges = {"low": low, "high": low}
    plain = {"strides": ones, "lhs_dilation": ones, "rhs_dilation": ones}
    return lists(**(plain | edges | others)) | {"groups": IntegerAttr(groups, i64)}


CALL = {
    "number": IntegerAttr(0, i64),
    "label": StringAttr("f"),
    "mapping": StringAttr("sequential"),
    "types": ArrayAttr([t("f32[2]")]),
}
CHECK = {"number": IntegerAttr(0, i64), "message": StringAttr("{}"), "names": ArrayAttr([])}
REDUCED_BY_MUL, REDUCED_BY_MAX = (kind(k) | {"axis": StringAttr("i")} for k in ("mul", "max"))
REFUSED = [
    (f.CallbackOp, ["f32[2]", "-> f32[2]"], {**CALL, "mapping": StringAttr("twice")}, GradatimError, "array.callback: the mapping is one of sequential, expand_dims, broadcast_all"),
    (f.CallbackOp, ["f32[2]", "-> f32[2]"], {**CALL, "types": ArrayAttr([])}, GradatimError, "array.callback: there must be a result"),
    (g.LaneReduceOp, ["f32[2]"], REDUCED_BY_MUL, GradatimError, "array.lane_reduce: lanes cannot be reduced by mul"),
    (g.LaneReduceOp, ["c64[2]"], REDUCED_BY_MAX, DtypeError, "array.lane_reduce does not take c64 operands"),
    (f.CheckOp, ["bool[2]", "-> bool[]"], CHECK, GradatimError, "array.check: the condition must be a 0-d bool"),
    (f.CheckOp, ["bool[]", "f32[2]", "-> bool[]"], CHECK, GradatimError, "array.check: each value of the payload needs a name, or an empty one"),
    (e.AddOp, ["f32[3,4]", "f32[3]"], {}, ShapeError, "array.add needs operands of one type, got f32[3,4] and f32[3]"),
    (e.AddOp, ["f32[3]", "f64[3]"], {}, DtypeError, "array.add needs operands of one type, got f32[3] and f64[3]"),
    (e.AddOp, ["bool[3]", "bool[3]"], {}, DtypeError, "array.add does not take bool operands"),
    (e.SinOp, ["i32[3]"], {}, DtypeError, "array.sin does not take i32 operands"),
    (e.NotOp, ["f32[3]"], {}, DtypeError, "array.not does not take f32 operands"),
    (e.RealOp, ["f32[3]"], {}, DtypeError, "array.real does not take f32 operands"),
    (e.FloorOp, ["c64[3]"], {}, DtypeError, "array.floor does not take c64 operands"),
    (e.ComplexOp, ["f32[3]", "f32[2]"], {}, ShapeError, "array.complex needs operands of one type, got f32[3] and f32[2]"),
    (e.CompareOp, ["c64[2]", "c64[2]"], LESS, DtypeError, "array.compare lt does not take c64 operands"),
    (q.ThreefryOp, ["u32[2]", "u32[2]", "u32[2]", "u32[3]"], UPPER, ShapeError, "array.threefry_2x32 needs operands of one type, got u32[2] and u32[2] and u32[2] and u32[3]"),
    (q.ThreefryOp, ["i32[2]"] * 4, UPPER, DtypeError, "array.threefry_2x32 takes u32 operands, got i32[2] and i32[2] and i32[2] and i32[2]"),
    (e.CompareOp, ["f32[2]", "f32[]"], LESS, ShapeError, "array.compare needs operands of one type, got f32[2] and f32[]"),
    (e.SelectOp, ["f32[3]", "f32[3]", "f32[3]"], {}, DtypeError, "array.select needs a bool predicate, got f32[3] and f32[3] and f32[3]"),
    (e.SelectOp, ["bool[]", "f32[3]", "f32[3]"], {}, ShapeError, "array.select needs a predicate of the choices' shape, got bool[] and f32[3] and f32[3]"),
    (e.SelectOp, ["bool[3]", "f32[3]", "i32[3]"], {}, DtypeError, "array.select needs operands of one type, got f32[3] and i32[3]"),
    (e.ClampOp, ["f32[3]", "f32[3]", "f32[]"], {}, ShapeError, "array.clamp needs operands of one type, got f32[3] and f32[3] and f32[]"),
    (e.ConvertOp, ["f32[3]", "-> f64[4]"], {}, ShapeError, "array.convert keeps the shape, but f32[3] became f64[4]"),
    (e.BitcastConvertOp, ["f32[3]", "-> i64[3]"], {}, DtypeError, "array.bitcast_convert needs dtypes of one size, got f32 and i64"),
    (e.BitcastConvertOp, ["f32[3]", "-> bool[3]"], {}, DtypeError, "array.bitcast_convert does not take bool operands"),
    (s.IotaOp, ["-> f32[3]"], {"dim": dimension(1)}, ShapeError, "array.iota: [1] are not distinct dimensions below 1"),
    (s.IotaOp, ["-> bool[3]"], {"dim": dimension(0)}, DtypeError, "array.iota does not take bool operands"),
    (s.BroadcastOp, ["f32[3]", "-> f32[3,4]"], lists(dims=[1]), ShapeError, "array.broadcast: f32[3] with dims [1] does not fit f32[3,4]"),
    (s.BroadcastOp, ["f32[2,3]", "-> f32[3,2]"], lists(dims=[1, 0]), ShapeError, "array.broadcast: f32[2,3] with dims [1, 0] does not fit f32[3,2]"),
    (s.BroadcastOp, ["f32[1]", "-> f32[4]"], lists(dims=[0]), ShapeError, "array.broadcast: f32[1] with dims [0] does not fit f32[4]"),
    (s.BroadcastOp, ["f32[3]", "-> f32[2,3]"], lists(dims=[0, 1]), ShapeError, "array.broadcast: dims [0, 1] must have 1 entries"),
    (s.BroadcastOp, ["f32[3]", "-> f32[2,3]"], lists(dims=[2]), ShapeError, "array.broadcast: [2] are not distinct dimensions below 2"),
    (s.ReshapeOp, ["f32[2,3]", "-> f32[5]"], {}, ShapeError, "array.reshape: f32[2,3] has not as many elements as f32[5]"),
    (s.TransposeOp, ["f32[2,3]"], lists(permutation=[0, 0]), ShapeError, "array.transpose: [0, 0] are not distinct dimensions below 2"),
    (s.TransposeOp, ["f32[2,3]"], lists(permutation=[1]), ShapeError, "array.transpose: permutation [1] must have 2 entries"),
    (s.SliceOp, ["f32[5]"], lists(starts=[2], limits=[6], strides=[1]), ShapeError, "array.slice: 2:6:1 is not within a dimension of size 5"),
    (s.SliceOp, ["f32[5]"], lists(starts=[3], limits=[2], strides=[1]), ShapeError, "array.slice: 3:2:1 is not within a dimension of size 5"),
    (s.SliceOp, ["f32[5]"], lists(starts=[0], limits=[5], strides=[0]), ShapeError, "array.slice: 0:5:0 is not within a dimension of size 5"),
    (s.SliceOp, ["f32[5]"], lists(starts=[-1], limits=[5], strides=[1]), ShapeError, "array.slice: -1:5:1 is not within a dimension of size 5"),
    (s.SliceOp, ["f32[5]"], lists(starts=[0, 0], limits=[5], strides=[1]), ShapeError, "array.slice: starts [0, 0] must have 1 entries"),
    (s.PadOp, ["f32[3]", "f32[1]"], lists(low=[0], high=[0], interior=[0]), ShapeError, "array.pad: the padding value must be 0-d, not f32[1]"),
    (s.PadOp, ["f32[3]", "f64[]"], lists(low=[0], high=[0], interior=[0]), DtypeError, "array.pad: f32[3] padded with f64[]"),
    (s.PadOp, ["f32[3]", "f32[]"], lists(low=[-2], high=[-2], interior=[0]), ShapeError, "array.pad: f32[3] cannot be padded by low [-2], high [-2], interior [0]"),
    (s.PadOp, ["f32[3]", "f32[]"], lists(low=[0], high=[0], interior=[-1]), ShapeError, "array.pad: f32[3] cannot be padded by low [0], high [0], interior [-1]"),
    (s.ConcatenateOp, [], {"dim": dimension(0)}, ShapeError, "array.concatenate needs at least one operand"),
    (s.ConcatenateOp, ["f32[3]", "f64[3]"], {"dim": dimension(0)}, DtypeError, "array.concatenate: f32[3] joined with f64[3]"),
    (s.ConcatenateOp, ["f32[3,2]", "f32[3,4]"], {"dim": dimension(0)}, ShapeError, "array.concatenate along 0: f32[3,2] joined with f32[3,4]"),
    (s.ConcatenateOp, ["f32[3,2]", "f32[3]"], {"dim": dimension(0)}, ShapeError, "array.concatenate along 0: f32[3,2] joined with f32[3]"),
    (s.ConcatenateOp, ["f32[]", "f32[]"], {"dim": dimension(0)}, ShapeError, "array.concatenate: [0] are not distinct dimensions below 0"),
    (s.ReverseOp, ["f32[3]"], lists(dims=[0, 0]), ShapeError, "array.reverse: [0, 0] are not distinct dimensions below 1"),
    (n.DynamicSliceOp, ["f32[3]", "-> f32[2]"], {}, ShapeError, "array.dynamic_slice: f32[3] needs 1 starts, not 0"),
    (n.DynamicSliceOp, ["f32[3]", "i64[]", "-> f32[4]"], {}, ShapeError, "array.dynamic_slice: a window f32[4] does not fit into f32[3]"),
    (n.DynamicSliceOp, ["f32[3]", "i64[]", "-> f32[]"], {}, ShapeError, "array.dynamic_slice: a window f32[] does not fit into f32[3]"),
    (n.DynamicUpdateSliceOp, ["f32[3]", "f64[2]", "i64[]"], {}, DtypeError, "array.dynamic_update_slice: a window f64[2] of f32[3]"),
    (n.DynamicUpdateSliceOp, ["f32[3]", "f32[2,1]", "i64[]"], {}, ShapeError, "array.dynamic_update_slice: a window f32[2,1] does not fit into f32[3]"),
    (n.GatherOp, ["f32[3]"], lists(dims=[]), ShapeError, "array.gather: 0 indices for dimensions []"),
    (n.GatherOp, ["f32[3,2]", "i64[2]"], lists(dims=[0, 1]), ShapeError, "array.gather: 1 indices for dimensions [0, 1]"),
    (n.GatherOp, ["f32[3]", "i64[2]", "i64[2]"], lists(dims=[0, 0]), ShapeError, "array.gather: [0, 0] are not distinct dimensions below 1"),
    (n.GatherOp, ["f32[3]", "i32[2]"], lists(dims=[0]), DtypeError, "array.gather: an index must be of i64, not i32[2]"),
    (n.GatherOp, ["f32[3,2]", "i64[2]", "i64[]"], lists(dims=[0, 1]), ShapeError, "array.gather: indices i64[2] and i64[] differ in shape"),
    (n.GatherOp, ["f32[3,0]", "i64[2]"], lists(dims=[1]), ShapeError, "array.gather: f32[3,0] has no element to take along [1]"),
    (n.ScatterOp, ["f32[3]", "f64[2]", "i64[2]"], scatter("set", 0), DtypeError, "array.scatter: f32[3] updated by f64[2]"),
    (n.ScatterOp, ["f32[3,4]", "f32[2]", "i64[2]"], scatter("add", 1), ShapeError, "array.scatter: the update must be f32[2,3], not f32[2]"),
    (n.ScatterOp, ["c64[3]", "c64[2]", "i64[2]"], scatter("max", 0), DtypeError, "array.scatter max does not take c64 operands"),
    (n.ScatterOp, ["bool[3]", "bool[2]", "i64[2]"], scatter("add", 0), DtypeError, "array.scatter add does not take bool operands"),
    (r.ReduceOp, ["f32[3]"], kind("add") | lists(dims=[1]), ShapeError, "array.reduce: [1] are not distinct dimensions below 1"),
    (r.ReduceOp, ["f32[3]"], kind("xor") | lists(dims=[0]), DtypeError, "array.reduce xor does not take f32 operands"),
    (r.ReduceOp, ["c64[3]"], kind("max") | lists(dims=[0]), DtypeError, "array.reduce max does not take c64 operands"),
    (r.ArgReduceOp, ["f32[3]"], kind("add") | {"dim": dimension(0)}, GradatimError, "array.argreduce is by min, max, not by add"),
    (r.ArgReduceOp, ["c64[3]"], kind("max") | {"dim": dimension(0)}, DtypeError, "array.argreduce does not take c64 operands"),
    (r.ArgReduceOp, ["f32[2,0]"], kind("max") | {"dim": dimension(1)}, ShapeError, "array.argreduce: f32[2,0] has no element along 1"),
    (r.ArgReduceOp, ["f32[]"], kind("max") | {"dim": dimension(0)}, ShapeError, "array.argreduce: [0] are not distinct dimensions below 0"),
    (r.CumulativeOp, ["i32[3]"], kind("xor") | {"dim": dimension(0)}, GradatimError, "array.cumulative is by add, mul, min, max, not by xor"),
    (r.CumulativeOp, ["c64[3]"], kind("min") | {"dim": dimension(0)}, DtypeError, "array.cumulative min does not take c64 operands"),
    (r.CumulativeOp, ["f32[3]"], kind("add") | {"dim": dimension(-1)}, ShapeError, "array.cumulative: [-1] are not distinct dimensions below 1"),
    (r.ReduceWindowOp, ["f32[3]"], windows(0) | kind("and"), GradatimError, "array.reduce_window is by add, mul, min, max, not by and"),
    (r.ReduceWindowOp, ["c64[3]"], windows(0), DtypeError, "array.reduce_window max does not take c64 operands"),
    (r.ReduceWindowOp, ["f32[3]"], windows(0, 0), ShapeError, "array.reduce_window: sizes [2, 2] must have 1 entries"),
    (r.ReduceWindowOp, ["f32[3,4]"], windows(0, 0, sizes=[2, 0]), ShapeError, "array.reduce_window: sizes, strides and dilations must be at least 1 along 1 of f32[3,4]"),
    (r.ReduceWindowOp, ["f32[3]"], windows(0, strides=[0]), ShapeError, "array.reduce_window: sizes, strides and dilations must be at least 1 along 0 of f32[3]"),
    (r.ReduceWindowOp, ["f32[3]"], windows(-2), ShapeError, "array.reduce_window: f32[3] cannot be padded by low -2, high -2 along 0"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f64[2,3,4]"], convolution(0), DtypeError, "array.convolution: f32[2,5,3] with f64[2,3,4]"),
    (c.ConvolutionOp, ["bool[2,5,3]", "bool[2,3,4]"], convolution(0), DtypeError, "array.convolution does not take bool operands"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f32[3,4]"], convolution(0), ShapeError, "array.convolution: f32[2,5,3] and f32[3,4] must have a batch, features and the same number of spatial dimensions"),
    (c.ConvolutionOp, ["f32[5]", "f32[5]"], convolution(), ShapeError, "array.convolution: f32[5] and f32[5] must have a batch, features and the same number of spatial dimensions"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f32[2,3,4]"], convolution(0, low=[]), ShapeError, "array.convolution: low [] must have 1 entries"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f32[2,2,4]"], convolution(0), ShapeError, "array.convolution: features of f32[2,5,3] and f32[2,2,4] do not fit 1 groups"),
    (c.ConvolutionOp, ["f32[2,5,4]", "f32[2,2,3]"], convolution(0, groups=2), ShapeError, "array.convolution: features of f32[2,5,4] and f32[2,2,3] do not fit 2 groups"),
    (c.ConvolutionOp, ["f32[2,5,0]", "f32[2,3,4]"], convolution(0, groups=0), ShapeError, "array.convolution: features of f32[2,5,0] and f32[2,3,4] do not fit 0 groups"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f32[0,3,4]"], convolution(0), ShapeError, "array.convolution: sizes, strides and dilations must be at least 1 along 0 of f32[2,5,3]"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f32[2,3,4]"], convolution(0, lhs_dilation=[0]), ShapeError, "array.convolution: sizes, strides and dilations must be at least 1 along 0 of f32[2,5,3]"),
    (c.ConvolutionOp, ["f32[2,5,3]", "f32[2,3,4]"], convolution(-3), ShapeError, "array.convolution: f32[2,5,3] cannot be padded by low -3, high -3 along 0"),
    (c.DotGeneralOp, ["f32[2,3]", "f64[3,2]"], dot([], [], [1], [0]), DtypeError, "array.dot_general: f32[2,3] times f64[3,2]"),
    (c.DotGeneralOp, ["f32[2,3]", "f32[4,2]"], dot([], [], [1], [0]), ShapeError, "array.dot_general: sizes differ in f32[2,3] dims [1] and f32[4,2] dims [0]"),
    (c.DotGeneralOp, ["f32[2,3]", "f32[2,3]"], dot([0], [], [1], [1]), ShapeError, "array.dot_general: sizes differ in f32[2,3] dims [0, 1] and f32[2,3] dims [1]"),
    (c.DotGeneralOp, ["f32[2,2]", "f32[2,2]"], dot([0], [], [1], [0, 1]), ShapeError, "array.dot_general: sizes differ in f32[2,2] dims [0, 1] and f32[2,2] dims [0, 1]"),
    (c.DotGeneralOp, ["f32[2,3]", "f32[3,2]"], dot([1], [0], [1], [0]), ShapeError, "array.dot_general: [1, 1] are not distinct dimensions below 2"),
    (o.SortOp, ["f32[2,3]", "i64[2,3]"], {"dim": dimension(1), "keys": IntegerAttr(3, i64)}, ShapeError, "array.sort: 2 operands cannot have 3 keys"),
    (o.SortOp, ["f32[2,3]"], {"dim": dimension(1), "keys": IntegerAttr(0, i64)}, ShapeError, "array.sort: 1 operands cannot have 0 keys"),
    (o.SortOp, ["f32[2,3]", "i64[3,2]"], {"dim": dimension(1), "keys": IntegerAttr(1, i64)}, ShapeError, "array.sort: f32[2,3] with i64[3,2]"),
    (o.SortOp, ["f32[]"], {"dim": dimension(0), "keys": IntegerAttr(1, i64)}, ShapeError, "array.sort: [0] are not distinct dimensions below 0"),
    (c.DotGeneralOp, ["bool[2]", "bool[2]"], dot([], [], [0], [0]), DtypeError, "array.dot_general does not take bool operands"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("op", "types", "properties", "error", "message"), REFUSED, ids=lambda v: getattr(v, "name", "")
)
def test_builder_and_verifier_refuse(op, types, properties, error, message):
    requested = next((t(name[3:]) for name in types if name.startswith("-> ")), None)
    operands = [t(name) for name in types if not name.startswith("-> ")]
    function = FunctionBuilder("f", operands, location=PLACE)
    with pytest.raises(error) as raised:
        function.builder.create(op, function.arguments, properties, requested)
    assert str(raised.value) == f"{message}\n  at user.py:12"
    assert function.block.is_empty
    result = requested or (operands[0] if operands else t("f32[]"))
    built = op.create(
        operands=function.arguments, result_types=[result], properties=properties, location=PLACE
    )
    with pytest.raises(VerifyException) as refused:
        built.verify()
    # xDSL's words for operands of one type, and for one that can have no other type
    others = ("expected from variable 'T'", "Expected attribute tensor<i1>")
    assert any(words in str(refused.value) for words in (message, *others))


def test_every_op_but_constant_refuses_something():
    refusing = {op for op, *_ in REFUSED}
    families = {name: set(ops) for name, ops in OPS_BY_FAMILY.items()}
    assert refusing >= set.union(*(v for k, v in families.items() if k != "elementwise")) - {
        s.ConstantOp,
        g.LaneIndexOp,
    }
    for op in families["elementwise"]:
        for dtype in ELEMENT_TYPES:
            if dtype.kind in op.KINDS or op in (e.BitcastConvertOp,):
                continue
            count = len(op.get_irdl_definition().operands)
            function = FunctionBuilder("f", [tensor_type((2,), dtype)] * count)
            with pytest.raises(DtypeError, match=f"{op.name} does not take"):
                function.builder.create(op, function.arguments, {}, tensor_type((2,), dtype))


@pytest.mark.parametrize(
    "op",
    [op for ops in OPS_BY_FAMILY.values() for op in ops],
    ids=lambda op: op.name,
)
def test_verifier_refuses_another_result_type(op):
    for example in examples(op):
        made = example.make()
        result = made.results[0]
        other = np.dtype(np.float32 if dtype_of(result) == np.bool_ else np.bool_)
        wrong = tensor_type((17, 19), other)
        fake = op.create(operands=made.operands, result_types=[wrong], properties=made.properties)
        with pytest.raises(VerifyException):
            fake.verify()
