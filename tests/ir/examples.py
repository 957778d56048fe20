"""Examples of every op of the array dialect, over dtypes and edge shapes, for tests of all ops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr, UnitAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from gradatim.ir.array import collective as g
from gradatim.ir.array import contraction as c
from gradatim.ir.array import effect as f
from gradatim.ir.array import elementwise as e
from gradatim.ir.array import indexing as n
from gradatim.ir.array import ordering as o
from gradatim.ir.array import random
from gradatim.ir.array import reduction as r
from gradatim.ir.array import shape as s
from gradatim.ir.array.base import ArrayOp
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
from gradatim.ir.functions import FunctionBuilder
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.locations import source_location
from gradatim.ir.types import ELEMENT_TYPES, Shape, Tensor, dense, spell_info, tensor_type

DTYPES = tuple(ELEMENT_TYPES)
F32, F64, I64, U32, BOOL = (
    np.dtype(t) for t in (np.float32, np.float64, np.int64, np.uint32, np.bool_)
)
EDGE_SHAPES: tuple[Shape, ...] = ((), (0,), (1,), (7,), (2, 0, 3), (2, 3, 4))
PLACE = source_location("user.py", 12, 8, "model")

_SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 1e-30, -1e30, 3.75, -2.5)


def values(shape: Shape, dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Return deterministic values: limits and special values first, then random ones."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    if dtype.kind == "b":
        flat = rng.integers(0, 2, size).astype(bool)
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        edges = np.array([limits.min, limits.max, 0, 1, 2, limits.max // 3], dtype)
        flat = np.concatenate([edges, rng.integers(limits.min, limits.max, size, dtype)])
    elif dtype.kind == "f":
        flat = np.concatenate([np.array(_SPECIAL), rng.normal(0, 2, size)])
    else:
        flat = rng.normal(0, 2, size) + 1j * rng.normal(0, 2, size)
        flat = np.concatenate([np.array([1 + 0j, 1j, -1, 0]), flat])
    shifted = np.roll(flat, 3 * seed)[:size] if seed else flat[:size]
    return shifted.astype(dtype).reshape(shape)


def finite(shape: Shape, dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Return deterministic values of small magnitude."""
    rng = np.random.default_rng(seed)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(0 if dtype.kind == "u" else -9, 10, shape).astype(dtype)
    real = rng.normal(0, 1, shape)
    full = real + 1j * rng.normal(0, 1, shape) if dtype.kind == "c" else real
    return np.asarray(full, dtype)


def _sum_and_pair(x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Return the sum of two arrays, and them beside each other; they may be batches."""
    return [x + y, np.stack(np.broadcast_arrays(x, y), -1)]


FUNCTIONS: list[Callable[..., list[np.ndarray]]] = [_sum_and_pair]
"""What examples of callbacks call."""


class Example(NamedTuple):
    """An op with operands and properties."""

    op: type[ArrayOp]
    operands: tuple[np.ndarray, ...]
    properties: Mapping[str, Attribute] = {}
    requested: Tensor | None = None

    def __repr__(self) -> str:
        types = ",".join(spell_info(a.shape, a.dtype) for a in self.operands)
        shown = " ".join(str(a) for a in self.properties.values() if "dense" not in str(a))
        return f"{self.op.name}({types}) {shown} {self.requested or ''}"

    def function(self, *, constants: bool = False) -> FuncOp:
        """Return a function @f that applies the op to its arguments, or to constants."""
        types = [] if constants else [tensor_type(a.shape, a.dtype) for a in self.operands]
        function = FunctionBuilder("f", types, [f"x{i}" for i in range(len(types))], PLACE)
        builder = function.builder
        inputs = map(builder.constant, self.operands) if constants else function.arguments
        results = builder.create_results(self.op, tuple(inputs), self.properties, self.requested)
        return function.finish(results)

    def module(self) -> ModuleOp:
        """Return a module of the function."""
        return ModuleOp([self.function()])

    def make(self) -> ArrayOp:
        """Return the op itself, on arguments."""
        op = self.function().body.block.first_op
        assert isinstance(op, ArrayOp)
        return op

    def results(self) -> list[np.ndarray]:
        """Verify the function and return its results by the interpreter."""
        module = self.module()
        module.verify()
        return Interpreter(module, FUNCTIONS).call("f", *self.operands)

    def run(self) -> np.ndarray:
        """Return the one result."""
        (result,) = self.results()
        return result


def dtypes_of(op: type[ArrayOp]) -> list[np.dtype]:
    """Return the dtypes that an op takes."""
    return [d for d in DTYPES if d.kind in op.KINDS]


def _arity(op: type[ArrayOp]) -> int:
    return len(op.get_irdl_definition().operands)


def _plain(op: type[ArrayOp], shape: Shape, dtype: np.dtype) -> Iterator[Example]:
    yield Example(op, tuple(values(shape, dtype, seed) for seed in range(_arity(op))))


def _compare(op: type[ArrayOp], shape: Shape, dtype: np.dtype) -> Iterator[Example]:
    for predicate in ComparePredicate:
        if dtype.kind != "c" or predicate in (ComparePredicate.EQ, ComparePredicate.NE):
            operands = (values(shape, dtype), values(shape, dtype, 1))
            yield Example(op, operands, {"predicate": ComparePredicateAttr(predicate)})


def _select(op: type[ArrayOp], shape: Shape, dtype: np.dtype) -> Iterator[Example]:
    yield Example(op, (values(shape, BOOL), values(shape, dtype), values(shape, dtype, 1)))


def _convert(op: type[ArrayOp], shape: Shape, dtype: np.dtype) -> Iterator[Example]:
    for target in DTYPES:
        yield Example(op, (values(shape, dtype),), requested=tensor_type(shape, target))


def _bitcast(op: type[ArrayOp], shape: Shape, dtype: np.dtype) -> Iterator[Example]:
    for target in dtypes_of(op):
        if target.itemsize == dtype.itemsize:
            yield Example(op, (values(shape, dtype),), requested=tensor_type(shape, target))


def _threefry(op: type[ArrayOp], shape: Shape, dtype: np.dtype) -> Iterator[Example]:
    if dtype == U32:
        for word in ThreefryWord:
            operands = tuple(values(shape, U32, seed) for seed in range(4))
            yield Example(op, operands, {"word": ThreefryWordAttr(word)})


_SPECIAL_OPERANDS: dict[
    type[ArrayOp], Callable[[type[ArrayOp], Shape, np.dtype], Iterator[Example]]
] = {
    e.CompareOp: _compare,
    e.SelectOp: _select,
    e.ConvertOp: _convert,
    e.BitcastConvertOp: _bitcast,
    random.ThreefryOp: _threefry,
}


def elementwise_examples(op: type[ArrayOp]) -> Iterator[Example]:
    """Yield examples of an elementwise op: every dtype on one shape, every shape on one dtype."""
    make = _SPECIAL_OPERANDS.get(op, _plain)
    dtypes = dtypes_of(op)
    for dtype in dtypes:
        yield from make(op, (2, 11), dtype)
    for shape in EDGE_SHAPES:
        yield from make(op, shape, U32 if op is random.ThreefryOp else dtypes[-1])


def _lists(**lists: tuple[int, ...]) -> dict[str, Attribute]:
    return {name: integers(entries) for name, entries in lists.items()}


def _any_dtype(shape: Shape) -> Iterator[np.ndarray]:
    for dtype in DTYPES:
        yield values(shape, dtype)


def _constants() -> Iterator[Example]:
    for dtype, shape in product(DTYPES, EDGE_SHAPES):
        yield Example(s.ConstantOp, (), {"value": dense(values(shape, dtype))})
        yield Example(s.ConstantOp, (), {"value": dense(np.full(shape, values((1,), dtype)[0]))})
    mixed_zeros = np.array([0.0, -0.0])
    yield Example(s.ConstantOp, (), {"value": dense(mixed_zeros)})
    yield Example(s.ConstantOp, (), {"value": dense(mixed_zeros + 1j * mixed_zeros[::-1])})
    yield Example(s.ConstantOp, (), {"value": dense(values((200,), F64))})


def _iotas() -> Iterator[Example]:
    for dtype in dtypes_of(s.IotaOp):
        yield Example(s.IotaOp, (), {"dim": dimension(0)}, tensor_type((5,), dtype))
    for dim, shape in ((1, (2, 3)), (0, (2, 3)), (2, (2, 1, 4)), (0, (0, 2)), (1, (0, 2))):
        yield Example(s.IotaOp, (), {"dim": dimension(dim)}, tensor_type(shape, I64))


def _broadcasts() -> Iterator[Example]:
    def case(x: np.ndarray, shape: Shape, *dims: int) -> Example:
        return Example(s.BroadcastOp, (x,), _lists(dims=dims), tensor_type(shape, x.dtype))

    for x in _any_dtype((3,)):
        yield case(x, (2, 3), 1)
    x = values((2, 3), F32)
    yield from (case(x, (2, 3, 4), 0, 1), case(x, (2, 4, 3), 0, 2), case(x, (0, 2, 3), 1, 2))
    yield from (case(values((), F32), (2, 2)), case(values((0,), F32), (3, 0), 1))
    yield case(values((1,), F32), (1, 4), 0)


def _reshapes() -> Iterator[Example]:
    def case(x: np.ndarray, *shape: int) -> Example:
        return Example(s.ReshapeOp, (x,), requested=tensor_type(shape, x.dtype))

    for x in _any_dtype((2, 3)):
        yield case(x, 3, 2)
    x = values((2, 3, 4), F32)
    yield from (case(x, 24), case(x, 4, 6), case(x, 2, 1, 3, 4), case(values((1, 1), F32)))
    yield from (case(values((), F32), 1), case(values((0, 3), F32), 7, 0))


def _transposes() -> Iterator[Example]:
    for x in _any_dtype((2, 3)):
        yield Example(s.TransposeOp, (x,), _lists(permutation=(1, 0)))
    for permutation in ((2, 0, 1), (0, 2, 1), (2, 1, 0), (0, 1, 2)):
        yield Example(s.TransposeOp, (values((2, 0, 4), F32),), _lists(permutation=permutation))
        yield Example(s.TransposeOp, (values((2, 3, 4), F32),), _lists(permutation=permutation))
    yield Example(s.TransposeOp, (values((), F32),), _lists(permutation=()))


def _slices() -> Iterator[Example]:
    def case(x: np.ndarray, *bounds: tuple[int, int, int]) -> Example:
        starts, limits, strides = zip(*bounds) if bounds else ((), (), ())
        properties = _lists(starts=starts, limits=limits, strides=strides)
        return Example(s.SliceOp, (x,), properties)

    for x in _any_dtype((7,)):
        yield case(x, (1, 6, 2))
    x = values((5, 8), F32)
    yield from (case(x, (0, 5, 1), (2, 3, 1)), case(x, (4, 5, 9), (0, 8, 3)))
    yield from (case(x, (2, 2, 1), (8, 8, 1)), case(values((), F32)))
    yield case(values((0,), F32), (0, 0, 1))


def _pads() -> Iterator[Example]:
    def case(x: np.ndarray, low: Shape, high: Shape, interior: Shape) -> Example:
        properties = _lists(low=low, high=high, interior=interior)
        return Example(s.PadOp, (x, np.asarray(finite((), x.dtype, 9))), properties)

    for x in _any_dtype((3,)):
        yield case(x, (1,), (2,), (1,))
    edges = (-4, -1, 0, 2)
    for low, high, interior in product(edges, edges, (0, 1, 3)):
        if 4 + 3 * interior + low + high >= 0:
            yield case(values((4,), F32), (low,), (high,), (interior,))
    for low, high, interior in product((-1, 0, 2), (-1, 0, 2), (0, 2)):
        if low + high >= 0:
            yield case(values((0,), F32), (low,), (high,), (interior,))
    yield case(values((2, 3), F32), (1, -1), (0, 2), (0, 1))
    yield case(values((), F32), (), (), ())


def _concatenations() -> Iterator[Example]:
    def case(dim: int, *inputs: np.ndarray) -> Example:
        return Example(s.ConcatenateOp, inputs, {"dim": dimension(dim)})

    for x in _any_dtype((3,)):
        yield case(0, x, x[:1], x[:0])
    x = values((2, 3), F32)
    yield from (case(1, x, x[:, :1]), case(0, x, x[:1], x), case(1, x), case(0, x[:0], x[:0]))


def _reversals() -> Iterator[Example]:
    for x in _any_dtype((3,)):
        yield Example(s.ReverseOp, (x,), _lists(dims=(0,)))
    for dims, shape in product(((), (0,), (1,), (0, 1)), ((2, 3), (0, 3), (1, 1))):
        yield Example(s.ReverseOp, (values(shape, F32),), _lists(dims=dims))


def _numbers(*numbers: Any) -> tuple[np.ndarray, ...]:
    return tuple(np.asarray(number, I64) for number in numbers)


WINDOWS: tuple[tuple[Shape, Shape, tuple[int, ...]], ...] = (
    ((5,), (2,), (1,)),
    ((5, 8), (2, 3), (4, -7)),
    ((5, 8), (1, 8), (-1, 3)),
    ((2, 3, 4), (2, 2, 4), (9, 1, 0)),
    ((3,), (0,), (2,)),
    ((0, 2), (0, 1), (5, 1)),
    ((), (), ()),
)
"""Arrays, windows, and their positions, some of them out of range."""


def _dynamic_slices() -> Iterator[Example]:
    for x in _any_dtype((7,)):
        yield Example(n.DynamicSliceOp, (x, *_numbers(3)), requested=tensor_type((2,), x.dtype))
    for shape, sizes, starts in WINDOWS:
        x = values(shape, F32)
        yield Example(n.DynamicSliceOp, (x, *_numbers(*starts)), {}, tensor_type(sizes, F32))


def _dynamic_updates() -> Iterator[Example]:
    for x in _any_dtype((7,)):
        yield Example(n.DynamicUpdateSliceOp, (x, values((2,), x.dtype, 1), *_numbers(3)))
    for shape, sizes, starts in WINDOWS:
        operands = (values(shape, F32), values(sizes, F32, 1), *_numbers(*starts))
        yield Example(n.DynamicUpdateSliceOp, operands)


POSITIONS: tuple[tuple[Shape, tuple[int, ...], tuple[Any, ...]], ...] = (
    ((6,), (0,), ([3, 0, 3, -1, 9],)),
    ((6,), (0,), (2,)),
    ((6,), (0,), (-3,)),
    ((5, 4), (0,), ([[4, 1], [1, 5]],)),
    ((5, 4), (1,), ([2, 2, 0],)),
    ((5, 4), (1, 0), ([3, 3, 0, 4], [0, 0, 4, 1])),
    ((3, 2, 4), (2, 0), ([[1, 3], [1, -2]], [[2, 0], [2, 1]])),
    ((3, 2, 4), (1,), ([1, 0, 1],)),
    ((4, 0), (0,), ([1, 2],)),
    ((4,), (0,), ([],)),
    ((0, 3), (0,), ([],)),
)
"""Arrays, indexed dimensions, and indices, some of them equal or out of range."""


def _gathers() -> Iterator[Example]:
    for x in _any_dtype((7,)):
        yield Example(n.GatherOp, (x, *_numbers([5, 1, 1])), _lists(dims=(0,)))
    for shape, dims, indices in POSITIONS:
        yield Example(n.GatherOp, (values(shape, F32), *_numbers(*indices)), _lists(dims=dims))


def _scatters() -> Iterator[Example]:
    def case(kind: ScatterKind, x: np.ndarray, dims: Shape, *indices: Any) -> Example:
        numbers = _numbers(*indices)
        shape = (*numbers[0].shape, *(m for d, m in enumerate(x.shape) if d not in dims))
        operands = (x, finite(shape, x.dtype, 1), *numbers)
        return Example(n.ScatterOp, operands, {"kind": ScatterKindAttr(kind), **_lists(dims=dims)})

    for kind in ScatterKind:
        allowed = [d for d in DTYPES if d.kind in n.KINDS_OF[kind]]
        for dtype in allowed:
            yield case(kind, finite((7,), dtype), (0,), [5, 1, 1])
        for shape, dims, indices in POSITIONS:
            yield case(kind, finite(shape, F64), dims, *indices)
        unique = case(kind, finite((4, 5), F64), (1,), [3, 0, 9, 2])
        yield unique._replace(properties={**unique.properties, "unique": UnitAttr()})


def _reductions() -> Iterator[Example]:
    def case(kind: ReduceKind, x: np.ndarray, *dims: int) -> Example:
        properties = {"kind": ReduceKindAttr(kind), **_lists(dims=dims)}
        return Example(r.ReduceOp, (x,), properties)

    for kind in ReduceKind:
        allowed = [d for d in DTYPES if d.kind in r.KINDS_OF[kind]]
        for dtype in allowed:
            yield case(kind, finite((3, 4), dtype), 1)
        for shape, dims in (
            ((), ()),
            ((5,), (0,)),
            ((0,), (0,)),
            ((2, 0, 3), (1,)),
            ((2, 0, 3), (0,)),
            ((2, 3, 4), (0, 2)),
            ((2, 3, 4), (0, 1, 2)),
            ((2, 3), ()),
            ((1, 3), (0,)),
        ):
            yield case(kind, finite(shape, allowed[-1]), *dims)
    for kind in (ReduceKind.ADD, ReduceKind.MUL, ReduceKind.MIN, ReduceKind.MAX):
        yield case(kind, values((6,), F32), 0)
        yield case(kind, np.array([1.0, np.inf, -3.0]), 0)


def _argreductions() -> Iterator[Example]:
    def case(kind: ReduceKind, x: np.ndarray, dim: int) -> Example:
        return Example(r.ArgReduceOp, (x,), {"kind": ReduceKindAttr(kind), "dim": dimension(dim)})

    for kind in (ReduceKind.MIN, ReduceKind.MAX):
        for dtype in dtypes_of(r.ArgReduceOp):
            yield case(kind, values((3, 5), dtype), 1)
        for shape, dim in (((7,), 0), ((0, 3), 1), ((2, 3, 4), 1), ((2, 1), 1)):
            yield case(kind, finite(shape, I64), dim)
        yield case(kind, np.array([[1.0, np.nan, 2.0, np.nan], [np.inf, 3.0, np.inf, -0.0]]), 1)


def _cumulatives() -> Iterator[Example]:
    from_the_end = {"reverse": UnitAttr()}

    def case(kind: ReduceKind, x: np.ndarray, dim: int, reverse: bool) -> Example:
        properties: dict[str, Attribute] = {"kind": ReduceKindAttr(kind), "dim": dimension(dim)}
        return Example(r.CumulativeOp, (x,), properties | (from_the_end if reverse else {}))

    for kind, reverse in product(r.CumulativeOp.ALLOWED, (False, True)):
        allowed = [d for d in DTYPES if d.kind in r.KINDS_OF[kind]]
        for dtype in allowed:
            yield case(kind, finite((3, 4), dtype), 1, reverse)
        for shape, dim in (((5,), 0), ((0,), 0), ((2, 0, 3), 2), ((2, 3, 4), 0), ((1, 3), 0)):
            yield case(kind, finite(shape, allowed[-1]), dim, reverse)
        yield case(kind, np.array([1.0, 3.0, np.nan, 2.0, np.inf]), 0, reverse)


def _products() -> Iterator[Example]:
    def case(
        left: np.ndarray,
        right: np.ndarray,
        contract: tuple[Shape, Shape],
        batch: tuple[Shape, Shape] = ((), ()),
    ) -> Example:
        properties = _lists(
            lhs_batch=batch[0],
            rhs_batch=batch[1],
            lhs_contract=contract[0],
            rhs_contract=contract[1],
        )
        return Example(c.DotGeneralOp, (left, right), properties)

    def x(*shape: int) -> np.ndarray:
        return finite(shape, F64, len(shape))

    for dtype in dtypes_of(c.DotGeneralOp):
        yield case(finite((3, 4), dtype), finite((4, 2), dtype, 1), ((1,), (0,)))
    yield from (case(x(3, 4), x(2, 4), ((1,), (1,))), case(x(4, 3), x(4, 2), ((0,), (0,))))
    yield case(x(5, 3, 4), x(5, 4, 2), ((2,), (1,)), ((0,), (0,)))
    yield case(x(3, 5, 4), x(4, 2, 5), ((2,), (0,)), ((1,), (2,)))
    yield case(x(2, 3, 4, 5), x(5, 3, 2), ((0, 3), (2, 0)), ((1,), (1,)))
    yield from (case(x(3), x(4), ((), ())), case(x(3), x(3), ((0,), (0,))))
    yield from (case(x(3), x(3), ((), ()), ((0,), (0,))), case(x(), x(2, 2), ((), ())))
    yield from (case(x(3, 0), x(0, 2), ((1,), (0,))), case(x(0, 3), x(3, 2), ((1,), (0,))))
    yield case(x(2, 3), x(3, 2), ((0, 1), (1, 0)))


def _window_reductions() -> Iterator[Example]:
    def case(kind: ReduceKind, x: np.ndarray, *windows: tuple[int, ...]) -> Example:
        columns = zip(*windows) if windows else [()] * len(r.WINDOW_LISTS)
        properties = {"kind": ReduceKindAttr(kind), **_lists(**dict(zip(r.WINDOW_LISTS, columns)))}
        return Example(r.ReduceWindowOp, (x,), properties)

    for kind in r.ReduceWindowOp.ALLOWED:
        allowed = [d for d in DTYPES if d.kind in r.KINDS_OF[kind]]
        for dtype in allowed:
            yield case(kind, finite((3, 5), dtype), (2, 1, 1, 0, 0), (3, 2, 1, 1, 1))
        for shape, windows in (
            ((), ()),
            ((6,), [(2, 1, 3, 2, 1)]),
            ((6,), [(3, 2, 1, -1, -2)]),
            ((6,), [(9, 1, 1, 8, 8)]),
            ((6,), [(9, 1, 1, 1, 1)]),
            ((0,), [(1, 1, 1, 2, 1)]),
            ((2, 0), [(1, 1, 1, 0, 0), (2, 1, 1, 0, 0)]),
            ((1,), [(1, 5, 4, 0, 0)]),
            ((2, 4, 3), [(1, 1, 1, 0, 0), (2, 2, 1, 0, 1), (3, 1, 1, 1, 1)]),
        ):
            yield case(kind, finite(shape, allowed[-1]), *windows)
        yield case(kind, np.array([1.0, np.inf, -3.0, np.nan, 2.0, 0.5]), (2, 1, 1, 1, 0))


def _convolutions() -> Iterator[Example]:
    def case(left: np.ndarray, right: np.ndarray, groups: int, *windows: tuple) -> Example:
        columns = zip(*windows) if windows else [()] * len(c.WINDOW_LISTS)
        lists = _lists(**dict(zip(c.WINDOW_LISTS, columns)))
        return Example(c.ConvolutionOp, (left, right), lists | {"groups": IntegerAttr(groups, i64)})

    def x(*shape: int) -> np.ndarray:
        return finite(shape, F64, len(shape))

    plain = (1, 1, 0, 0, 1)
    for dtype in dtypes_of(c.ConvolutionOp):
        yield case(finite((2, 5, 3), dtype), finite((2, 3, 4), dtype, 1), 1, (1, 1, 1, 0, 1))
    yield from (case(x(2, 3), x(3, 4), 1), case(x(2, 4), x(2, 6), 2))
    yield case(x(2, 5, 6, 4), x(3, 2, 2, 6), 2, (2, 1, 1, 1, 1), (1, 2, 0, 1, 1))
    yield case(x(1, 3, 4, 2), x(2, 2, 1, 4), 2, (1, 1, 2, 1, 2), (2, 2, -1, 3, 3))
    yield case(x(2, 3, 4, 3, 1), x(2, 2, 2, 1, 2), 1, plain, (2, 1, 1, 1, 1), plain)
    yield from (case(x(1, 4, 1), x(9, 1, 1), 1, plain), case(x(0, 4, 2), x(2, 2, 3), 1, plain))
    yield from (case(x(2, 4, 0), x(2, 0, 3), 1, plain), case(x(2, 4, 2), x(2, 2, 0), 1, plain))
    yield case(x(2, 0, 2), x(2, 2, 3), 1, (1, 1, 2, 1, 2))


def _sorts() -> Iterator[Example]:
    def case(dim: int, keys: int, *operands: np.ndarray) -> Example:
        properties = {"dim": dimension(dim), "keys": IntegerAttr(keys, i64)}
        return Example(o.SortOp, operands, properties)

    for dtype in DTYPES:
        yield case(1, 1, values((3, 16), dtype))
        yield case(0, 1, values((20,), dtype, 1), values((20,), F32))
    x = np.array([[2.0, np.nan, -0.0, 1.0, 0.0, -np.inf, np.nan, 1.0], [1, 1, 0, 0, 2, 2, 1, 0]])
    y = finite(x.shape, I64)
    yield from (case(1, 1, x, y), case(0, 1, x, y), case(1, 2, x, y), case(1, 2, x, x, y))
    z = np.stack([x, np.roll(x, 3)], -1).view(np.complex128)[..., 0]
    yield from (case(1, 1, z, y), case(1, 3, y // 4, z, x), case(0, 1, z))
    yield from (case(0, 1, values((1,), F32)), case(0, 1, values((0,), F32), values((0,), I64)))
    yield from (case(1, 1, values((2, 0, 3), F32)), case(2, 2, *[values((2, 0, 3), F32)] * 2))
    yield case(1, 1, finite((2, 5, 3), F32), finite((2, 5, 3), BOOL))


def _callbacks() -> Iterator[Example]:
    for dtype, shape, mapping in product(DTYPES, EDGE_SHAPES, f.MAPPINGS):
        types = [tensor_type(shape, dtype), tensor_type((*shape, 2), dtype)]
        properties = {
            "number": IntegerAttr(0, i64),
            "label": StringAttr("sum_and_pair"),
            "mapping": StringAttr(mapping),
            "types": ArrayAttr(types),
        }
        pure = {"pure": UnitAttr()} if mapping != "sequential" else {}
        operands = (values(shape, dtype), values(shape, dtype, 1))
        yield Example(f.CallbackOp, operands, {**properties, **pure})


def _checks() -> Iterator[Example]:
    for dtype, shape in product(DTYPES, EDGE_SHAPES):
        properties = {
            "number": IntegerAttr(0, i64),
            "message": StringAttr("{} {x}"),
            "names": ArrayAttr([StringAttr(""), StringAttr("x")]),
        }
        payload = (values(shape, dtype), values((2,), F64))
        yield Example(f.CheckOp, (np.array(True), *payload), properties)


def _lane_reductions() -> Iterator[Example]:
    for kind, dtype, shape in product(g.LaneReduceOp.ALLOWED, DTYPES, EDGE_SHAPES):
        if dtype.kind in "iuf" or (kind is ReduceKind.ADD and dtype.kind == "c"):
            properties = {"kind": ReduceKindAttr(kind), "axis": StringAttr("i")}
            yield Example(g.LaneReduceOp, (values(shape, dtype),), properties)


def _lane_indices() -> Iterator[Example]:
    yield Example(g.LaneIndexOp, (), {"axis": StringAttr("i")})


_MAKERS: dict[type[ArrayOp], Callable[[], Iterator[Example]]] = {
    s.ConstantOp: _constants,
    s.IotaOp: _iotas,
    s.BroadcastOp: _broadcasts,
    s.ReshapeOp: _reshapes,
    s.TransposeOp: _transposes,
    s.SliceOp: _slices,
    s.PadOp: _pads,
    s.ConcatenateOp: _concatenations,
    s.ReverseOp: _reversals,
    n.DynamicSliceOp: _dynamic_slices,
    n.DynamicUpdateSliceOp: _dynamic_updates,
    n.GatherOp: _gathers,
    n.ScatterOp: _scatters,
    r.ReduceOp: _reductions,
    r.ArgReduceOp: _argreductions,
    r.CumulativeOp: _cumulatives,
    r.ReduceWindowOp: _window_reductions,
    c.DotGeneralOp: _products,
    c.ConvolutionOp: _convolutions,
    o.SortOp: _sorts,
    g.LaneReduceOp: _lane_reductions,
    g.LaneIndexOp: _lane_indices,
    f.CallbackOp: _callbacks,
    f.CheckOp: _checks,
}


def examples(op: type[Any]) -> list[Example]:
    """Return examples of an op."""
    if issubclass(op, e.ElementwiseOp):
        return list(elementwise_examples(op))
    return list(_MAKERS[op]())
