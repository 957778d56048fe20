"""The builder: appends array ops to a block, each at the current source location.

One method an op, in NumPy's or MLIR's names, with Python values for properties. Result types come
from the ops' shape rules. Shape ops that would do nothing return their operand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Concatenate, ParamSpec

import numpy as np
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    IntegerAttr,
    LocationAttr,
    StringAttr,
    UnitAttr,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, SSAValue

from .array import collective as g
from .array import contraction as c
from .array import control as t
from .array import effect as f
from .array import elementwise as e
from .array import indexing as n
from .array import ordering as o
from .array import plain as p
from .array import reduction as r
from .array import shape as s
from .array.base import ArrayOp
from .array.random import ThreefryOp
from .array.regions import RegionOp
from .array.window import Window
from .attributes import (
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
from .errors import GradatimError
from .locations import UNKNOWN, spell_location
from .ops import append_op
from .types import Shape, Tensor, dense, shape_of, splat, tensor_info, tensor_type

P = ParamSpec("P")
_Method = Callable[Concatenate["Builder", P], SSAValue]

_PREDICATES = {p.value: ComparePredicateAttr(p) for p in ComparePredicate}
_REDUCE_KINDS = {k.value: ReduceKindAttr(k) for k in ReduceKind}
_SCATTER_KINDS = {k.value: ScatterKindAttr(k) for k in ScatterKind}
_THREEFRY_WORDS = {w.value: ThreefryWordAttr(w) for w in ThreefryWord}


def _unary(op: type[ArrayOp]) -> Callable[[Builder, SSAValue], SSAValue]:
    def method(self: Builder, x: SSAValue) -> SSAValue:
        return self.create(op, (x,))

    method.__doc__ = op.__doc__
    return method


def _binary(op: type[ArrayOp]) -> Callable[[Builder, SSAValue, SSAValue], SSAValue]:
    def method(self: Builder, x: SSAValue, y: SSAValue) -> SSAValue:
        return self.create(op, (x, y))

    method.__doc__ = op.__doc__
    return method


def _ternary(op: type[ArrayOp]) -> Callable[[Builder, SSAValue, SSAValue, SSAValue], SSAValue]:
    def method(self: Builder, x: SSAValue, y: SSAValue, z: SSAValue) -> SSAValue:
        return self.create(op, (x, y, z))

    method.__doc__ = op.__doc__
    return method


class Builder:
    """Appends array ops to ``block``; each gets ``location``."""

    def __init__(self, block: Block, location: LocationAttr = UNKNOWN) -> None:
        self.block = block
        self.location = location

    @contextmanager
    def at(self, location: LocationAttr) -> Iterator[None]:
        """Give ``location`` to the ops made in the ``with`` block."""
        before = self.location
        self.location = location
        try:
            yield
        finally:
            self.location = before

    def create(
        self,
        op_type: type[ArrayOp],
        operands: Sequence[SSAValue],
        properties: Mapping[str, Attribute] = {},
        requested: Tensor | None = None,
    ) -> SSAValue:
        """Append an op of one result, whose type its shape rule gives, and return the result.

        Raises:
            ShapeError: if the operands' shapes do not fit the op.
            DtypeError: if the operands' dtypes do not fit the op.
        """
        return self.create_results(op_type, operands, properties, requested)[0]

    def create_results(
        self,
        op_type: type[ArrayOp],
        operands: Sequence[SSAValue],
        properties: Mapping[str, Attribute] = {},
        requested: Tensor | None = None,
    ) -> Sequence[SSAValue]:
        """Append an op of any number of results and return them; otherwise as ``create``."""
        try:
            results = op_type.infer_results([v.type for v in operands], properties, requested)  # type: ignore[misc]
        except GradatimError as error:
            error.where = error.where or spell_location(self.location)
            raise
        op = op_type.make(operands, results, properties, self.location)
        append_op(self.block, op)
        return op.results

    def create_region_op(
        self,
        op_type: type[RegionOp],
        groups: Sequence[Sequence[SSAValue]],
        properties: Mapping[str, Attribute],
        blocks: Sequence[Block | None],
    ) -> Sequence[SSAValue]:
        """Append an op with finished blocks as its regions, and return its results.

        Raises:
            GradatimError: if operands and blocks do not fit the op.
        """
        try:
            op = op_type.of(groups, properties, blocks, self.location)
        except GradatimError as error:
            error.where = error.where or spell_location(self.location)
            raise
        append_op(self.block, op)
        return op.results

    def create_plain(
        self,
        op_type: type[p.PlainOp],
        operands: Sequence[SSAValue],
        types: Sequence[Attribute],
        properties: Mapping[str, Attribute] = {},
    ) -> Sequence[SSAValue]:
        """Append an op of the control family without regions, and return its results."""
        op = op_type.create(
            operands=operands,
            result_types=types,
            properties=properties,
            location=self.location,
        )
        append_op(self.block, op)
        return op.results

    # Elementwise

    neg = _unary(e.NegOp)
    sign = _unary(e.SignOp)
    abs = _unary(e.AbsOp)
    floor = _unary(e.FloorOp)
    ceil = _unary(e.CeilOp)
    trunc = _unary(e.TruncOp)
    round_even = _unary(e.RoundEvenOp)
    sqrt = _unary(e.SqrtOp)
    rsqrt = _unary(e.RsqrtOp)
    cbrt = _unary(e.CbrtOp)
    exp = _unary(e.ExpOp)
    exp2 = _unary(e.Exp2Op)
    expm1 = _unary(e.Expm1Op)
    log = _unary(e.LogOp)
    log2 = _unary(e.Log2Op)
    log10 = _unary(e.Log10Op)
    log1p = _unary(e.Log1pOp)
    logistic = _unary(e.LogisticOp)
    sin = _unary(e.SinOp)
    cos = _unary(e.CosOp)
    tan = _unary(e.TanOp)
    asin = _unary(e.AsinOp)
    acos = _unary(e.AcosOp)
    atan = _unary(e.AtanOp)
    sinh = _unary(e.SinhOp)
    cosh = _unary(e.CoshOp)
    tanh = _unary(e.TanhOp)
    asinh = _unary(e.AsinhOp)
    acosh = _unary(e.AcoshOp)
    atanh = _unary(e.AtanhOp)
    erf = _unary(e.ErfOp)
    erfc = _unary(e.ErfcOp)
    erf_inv = _unary(e.ErfInvOp)
    lgamma = _unary(e.LgammaOp)
    digamma = _unary(e.DigammaOp)
    not_ = _unary(e.NotOp)
    population_count = _unary(e.PopulationCountOp)
    count_leading_zeros = _unary(e.CountLeadingZerosOp)
    is_finite = _unary(e.IsFiniteOp)
    real = _unary(e.RealOp)
    imag = _unary(e.ImagOp)
    conj = _unary(e.ConjOp)

    add = _binary(e.AddOp)
    sub = _binary(e.SubOp)
    mul = _binary(e.MulOp)
    div = _binary(e.DivOp)
    rem = _binary(e.RemOp)
    pow = _binary(e.PowOp)
    max = _binary(e.MaxOp)
    min = _binary(e.MinOp)
    atan2 = _binary(e.Atan2Op)
    copy_sign = _binary(e.CopySignOp)
    next_after = _binary(e.NextAfterOp)
    and_ = _binary(e.AndOp)
    or_ = _binary(e.OrOp)
    xor = _binary(e.XorOp)
    shift_left = _binary(e.ShiftLeftOp)
    shift_right_arithmetic = _binary(e.ShiftRightArithmeticOp)
    shift_right_logical = _binary(e.ShiftRightLogicalOp)
    complex = _binary(e.ComplexOp)

    select = _ternary(e.SelectOp)
    clamp = _ternary(e.ClampOp)

    def compare(self, predicate: str, x: SSAValue, y: SSAValue) -> SSAValue:
        """Compare by one of ``eq``, ``ne``, ``lt``, ``le``, ``gt``, ``ge``."""
        return self.create(e.CompareOp, (x, y), {"predicate": _PREDICATES[predicate]})

    def threefry_2x32(
        self, word: str, key: tuple[SSAValue, SSAValue], counter: tuple[SSAValue, SSAValue]
    ) -> SSAValue:
        """Encrypt counters under keys, and return the ``upper`` or ``lower`` word or ``both``.

        Keys and counters are given by their upper and their lower words.
        """
        properties = {"word": _THREEFRY_WORDS[word]}
        return self.create(ThreefryOp, (*key, *counter), properties)

    def convert(self, x: SSAValue, dtype: np.dtype) -> SSAValue:
        """Convert to ``dtype``; no op where it has it already."""
        shape, found = tensor_info(x)
        if found == dtype:
            return x
        return self.create(e.ConvertOp, (x,), requested=tensor_type(shape, dtype))

    def bitcast_convert(self, x: SSAValue, dtype: np.dtype) -> SSAValue:
        """Read the bits as ``dtype``; no op where it has it already."""
        shape, found = tensor_info(x)
        if found == dtype:
            return x
        return self.create(e.BitcastConvertOp, (x,), requested=tensor_type(shape, dtype))

    # Shape

    def constant_attribute(self, value: DenseIntOrFPElementsAttr) -> SSAValue:
        """Append the constant that a dense attribute holds."""
        return self.create(s.ConstantOp, (), {"value": value})

    def constant(self, array: np.ndarray) -> SSAValue:
        """Append a constant array."""
        return self.constant_attribute(dense(array))

    def full(self, shape: Shape, dtype: np.dtype, value: object) -> SSAValue:
        """Append a constant whose elements all are ``value``."""
        return self.constant_attribute(splat(shape, dtype, value))

    def full_like(self, x: SSAValue, value: object) -> SSAValue:
        """Append a constant of x's type whose elements all are ``value``."""
        shape, dtype = tensor_info(x)
        return self.full(shape, dtype, value)

    def iota(self, shape: Shape, dtype: np.dtype, dim: int) -> SSAValue:
        """Append 0, 1, 2, ... along ``dim``."""
        return self.create(
            s.IotaOp, (), {"dim": dimension(dim)}, requested=tensor_type(shape, dtype)
        )

    def broadcast(self, x: SSAValue, shape: Shape, dims: Sequence[int]) -> SSAValue:
        """Repeat x along new dimensions; its dimension i becomes ``dims[i]``."""
        found, dtype = tensor_info(x)
        if found == shape:
            return x
        return self.create(
            s.BroadcastOp, (x,), {"dims": integers(dims)}, requested=tensor_type(shape, dtype)
        )

    def reshape(self, x: SSAValue, shape: Shape) -> SSAValue:
        """Give x another shape."""
        found, dtype = tensor_info(x)
        if found == shape:
            return x
        return self.create(s.ReshapeOp, (x,), requested=tensor_type(shape, dtype))

    def transpose(self, x: SSAValue, permutation: Sequence[int]) -> SSAValue:
        """Permute x's dimensions."""
        if list(permutation) == list(range(len(shape_of(x)))):
            return x
        return self.create(s.TransposeOp, (x,), {"permutation": integers(permutation)})

    def slice(
        self,
        x: SSAValue,
        starts: Sequence[int],
        limits: Sequence[int],
        strides: Sequence[int] | None = None,
    ) -> SSAValue:
        """Take a part of x."""
        steps = tuple(strides) if strides is not None else (1,) * len(starts)
        if not any(starts) and tuple(limits) == shape_of(x) and all(n == 1 for n in steps):
            return x
        return self.create(
            s.SliceOp,
            (x,),
            {"starts": integers(starts), "limits": integers(limits), "strides": integers(steps)},
        )

    def pad(
        self,
        x: SSAValue,
        value: SSAValue,
        low: Sequence[int],
        high: Sequence[int],
        interior: Sequence[int] | None = None,
    ) -> SSAValue:
        """Surround x, and part its elements, by a 0-d padding value."""
        inside = tuple(interior) if interior is not None else (0,) * len(low)
        if not any((*low, *high, *inside)):
            return x
        return self.create(
            s.PadOp,
            (x, value),
            {"low": integers(low), "high": integers(high), "interior": integers(inside)},
        )

    def concatenate(self, inputs: Sequence[SSAValue], dim: int) -> SSAValue:
        """Join arrays along ``dim``."""
        if len(inputs) == 1:
            return inputs[0]
        return self.create(s.ConcatenateOp, inputs, {"dim": dimension(dim)})

    def reverse(self, x: SSAValue, dims: Iterable[int]) -> SSAValue:
        """Reverse x along ``dims``."""
        listed = tuple(dims)
        return self.create(s.ReverseOp, (x,), {"dims": integers(listed)}) if listed else x

    # Indexing

    def dynamic_slice(self, x: SSAValue, starts: Sequence[SSAValue], sizes: Shape) -> SSAValue:
        """Take the window of some sizes at a 0-d position along each dimension, moved inside."""
        shape, dtype = tensor_info(x)
        if shape == sizes:
            return x
        return self.create(n.DynamicSliceOp, (x, *starts), requested=tensor_type(sizes, dtype))

    def dynamic_update_slice(
        self, x: SSAValue, update: SSAValue, starts: Sequence[SSAValue]
    ) -> SSAValue:
        """Replace the window at a 0-d position along each dimension, moved inside."""
        return self.create(n.DynamicUpdateSliceOp, (x, update, *starts))

    def gather(self, x: SSAValue, indices: Sequence[SSAValue], dims: Sequence[int]) -> SSAValue:
        """Take what is at ``indices``, arrays of one shape, along ``dims``.

        The dimensions of the indices come first, then those of x that are not indexed.
        """
        return self.create(n.GatherOp, (x, *indices), {"dims": integers(dims)})

    def scatter(
        self,
        kind: str,
        x: SSAValue,
        update: SSAValue,
        indices: Sequence[SSAValue],
        dims: Sequence[int],
        *,
        unique: bool = False,
    ) -> SSAValue:
        """Update x at ``indices`` along ``dims`` by ``set``, ``add``, ``mul``, ``min`` or ``max``.

        ``unique`` promises that no two positions in range are the same.
        """
        properties: dict[str, Attribute] = {"kind": _SCATTER_KINDS[kind], "dims": integers(dims)}
        if unique:
            properties["unique"] = UnitAttr()
        return self.create(n.ScatterOp, (x, update, *indices), properties)

    # Reduction and contraction

    def reduce(self, kind: str, x: SSAValue, dims: Iterable[int]) -> SSAValue:
        """Reduce over ``dims`` by ``add``, ``mul``, ``min``, ``max``, ``and``, ``or``, ``xor``."""
        listed = tuple(dims)
        if not listed:
            return x
        properties = {"kind": _REDUCE_KINDS[kind], "dims": integers(listed)}
        return self.create(r.ReduceOp, (x,), properties)

    def argreduce(self, kind: str, x: SSAValue, dim: int) -> SSAValue:
        """Find the position of the ``min`` or ``max`` along ``dim``."""
        properties = {"kind": _REDUCE_KINDS[kind], "dim": dimension(dim)}
        return self.create(r.ArgReduceOp, (x,), properties)

    def cumulative(self, kind: str, x: SSAValue, dim: int, *, reverse: bool = False) -> SSAValue:
        """Combine all elements up to each one along ``dim`` by ``add``, ``mul``, ``min``, ``max``.

        ``reverse`` begins at the other end.
        """
        properties: dict[str, Attribute] = {"kind": _REDUCE_KINDS[kind], "dim": dimension(dim)}
        if reverse:
            properties["reverse"] = UnitAttr()
        return self.create(r.CumulativeOp, (x,), properties)

    def reduce_window(self, kind: str, x: SSAValue, windows: Sequence[Window]) -> SSAValue:
        """Reduce the windows that slide over x by ``add``, ``mul``, ``min`` or ``max``.

        There is one for each dimension, without base dilation.
        """
        lists = {n: integers(w[i] for w in windows) for i, n in enumerate(r.WINDOW_LISTS)}
        return self.create(r.ReduceWindowOp, (x,), {"kind": _REDUCE_KINDS[kind], **lists})

    def dot_general(
        self,
        x: SSAValue,
        y: SSAValue,
        *,
        batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
        contract: tuple[Sequence[int], Sequence[int]],
    ) -> SSAValue:
        """Multiply along batch dimensions and sum over contracted ones, paired by position."""
        properties = {
            "lhs_batch": integers(batch[0]),
            "rhs_batch": integers(batch[1]),
            "lhs_contract": integers(contract[0]),
            "rhs_contract": integers(contract[1]),
        }
        return self.create(c.DotGeneralOp, (x, y), properties)

    def convolution(
        self, x: SSAValue, kernel: SSAValue, windows: Sequence[Window], groups: int = 1
    ) -> SSAValue:
        """Slide a kernel ``[spatial..., in / groups, out]`` over x, ``[batch, spatial..., in]``.

        ``windows`` has one for each spatial dimension, of the kernel's size.
        """
        lists = {n: integers(w[i] for w in windows) for i, n in enumerate(c.WINDOW_LISTS, 1)}
        properties = {**lists, "groups": IntegerAttr(groups, i64)}
        return self.create(c.ConvolutionOp, (x, kernel), properties)

    # Ordering

    def positions_along(self, index: SSAValue, dim: int) -> list[SSAValue]:
        """Append positions of all dimensions: those of ``index`` along ``dim``, else each its own.

        A gather at them is NumPy's ``take_along_axis``.
        """
        shape, dtype = tensor_info(index)
        return [index if d == dim else self.iota(shape, dtype, d) for d in range(len(shape))]

    def sort(self, operands: Sequence[SSAValue], dim: int, keys: int = 1) -> Sequence[SSAValue]:
        """Sort arrays together along ``dim`` by the first ``keys``; the permutation comes last."""
        properties = {"dim": dimension(dim), "keys": IntegerAttr(keys, i64)}
        return self.create_results(o.SortOp, operands, properties)

    # Effects

    def callback(
        self,
        number: int,
        label: str,
        operands: Sequence[SSAValue],
        types: Sequence[Tensor],
        *,
        mapping: str = "sequential",
        pure: bool = False,
    ) -> Sequence[SSAValue]:
        """Call the program's Python function of a number, which gives values of the types."""
        properties: dict[str, Attribute] = {
            "number": IntegerAttr(number, i64),
            "label": StringAttr(label),
            "mapping": StringAttr(mapping),
            "types": ArrayAttr(types),
        }
        if pure:
            properties["pure"] = UnitAttr()
        return self.create_results(f.CallbackOp, operands, properties)

    def check(
        self,
        condition: SSAValue,
        message: str,
        payload: Sequence[SSAValue] = (),
        names: Sequence[str] | None = None,
        *,
        number: int,
    ) -> SSAValue:
        """Require a condition, or call the program's Python function of a number, which raises."""
        given = [""] * len(payload) if names is None else names
        properties: dict[str, Attribute] = {
            "number": IntegerAttr(number, i64),
            "message": StringAttr(message),
            "names": ArrayAttr([StringAttr(name) for name in given]),
        }
        return self.create(f.CheckOp, (condition, *payload), properties)

    # Collectives

    def lane_reduce(self, kind: ReduceKind | str, x: SSAValue, axis: str) -> SSAValue:
        """Return the sum or an extremum of what all lanes of an axis have."""
        properties = {"kind": ReduceKindAttr(ReduceKind(kind)), "axis": StringAttr(axis)}
        return self.create(g.LaneReduceOp, (x,), properties)

    def lane_index(self, axis: str) -> SSAValue:
        """Return the number of the lane along an axis."""
        return self.create(g.LaneIndexOp, (), {"axis": StringAttr(axis)})

    # Control: blocks are finished, and take and yield what the ops say

    def case(
        self, index: SSAValue, operands: Sequence[SSAValue], blocks: Sequence[Block]
    ) -> Sequence[SSAValue]:
        """Run the block that ``index``, a 0-d bool or integer, chooses."""
        return self.create_region_op(t.CaseOp, ((index,), operands), {}, blocks)

    def scan(
        self,
        length: int,
        consts: Sequence[SSAValue],
        carries: Sequence[SSAValue],
        elements: Sequence[SSAValue],
        body: Block,
        *,
        reverse: bool = False,
        unroll: int | None = None,
    ) -> Sequence[SSAValue]:
        """Run ``body`` for each of ``length`` steps; return last carries, then stacked results."""
        properties = t.scan_properties(length, reverse, unroll)
        return self.create_region_op(t.ScanOp, (consts, carries, elements), properties, (body,))

    def while_(
        self,
        consts: Sequence[SSAValue],
        carries: Sequence[SSAValue],
        condition: Block,
        body: Block,
    ) -> Sequence[SSAValue]:
        """Run ``body`` while ``condition`` yields True; return the last carries."""
        return self.create_region_op(t.WhileOp, (consts, carries), {}, (condition, body))

    def remat(self, policy: str, operands: Sequence[SSAValue], body: Block) -> Sequence[SSAValue]:
        """Run ``body``, of which reverse mode keeps what ``policy`` allows."""
        properties = {"policy": StringAttr(policy)}
        return self.create_region_op(t.RematOp, (operands,), properties, (body,))

    def custom_derivative(
        self, undifferentiated: int, operands: Sequence[SSAValue], blocks: t.CustomParts
    ) -> Sequence[SSAValue]:
        """Run the primal block, whose derivatives the others are."""
        properties = {"undifferentiated": IntegerAttr(undifferentiated, i64)}
        return self.create_region_op(t.CustomDerivativeOp, (operands,), properties, blocks)

    def barrier(self, values: Sequence[SSAValue]) -> Sequence[SSAValue]:
        """Return the values as no pass may look through."""
        return self.create_plain(p.BarrierOp, values, [value.type for value in values])

    def name(self, label: str, x: SSAValue) -> SSAValue:
        """Return x, marked by a name."""
        return self.create_plain(p.NameOp, (x,), (x.type,), {"label": StringAttr(label)})[0]

    def guard(self, mask: SSAValue, x: SSAValue, safe: float) -> SSAValue:
        """Return x, of which elements outside of a mask may be anything, or ``safe``."""
        properties = {"safe": FloatAttr(safe, f64)}
        return self.create_plain(p.GuardOp, (mask, x), (x.type,), properties)[0]

    def tape_new(self, types: Sequence[Attribute]) -> SSAValue:
        """Return an empty tape of tuples of the types."""
        return self.create_plain(t.TapeNewOp, (), (t.TapeType.of(types),))[0]

    def tape_push(self, tape: SSAValue, values: Sequence[SSAValue]) -> SSAValue:
        """Return the tape with one more tuple."""
        return self.create_plain(t.TapePushOp, (tape, *values), (tape.type,))[0]

    def tape_pop(self, tape: SSAValue) -> tuple[SSAValue, Sequence[SSAValue]]:
        """Return the tape without the tuple pushed last, and that tuple."""
        assert isinstance(tape.type, t.TapeType)
        rest, *values = self.create_plain(t.TapePopOp, (tape,), (tape.type, *tape.type.types))
        return rest, values
