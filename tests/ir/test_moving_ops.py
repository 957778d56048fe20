"""Ops that are not elementwise, against loops over single elements or what they call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import pytest

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.array import collective as g
from gradatim.ir.array import contraction as c
from gradatim.ir.array import effect as f
from gradatim.ir.array import indexing as n
from gradatim.ir.array import ordering as o
from gradatim.ir.array import reduction as r
from gradatim.ir.array import shape as s
from gradatim.ir.array.base import ArrayOp
from gradatim.ir.attributes import ReduceKind, ScatterKind
from gradatim.ir.types import shape_of, to_numpy

from .examples import FUNCTIONS, Example, examples

Index = tuple[int, ...]


def indices(shape: Index) -> Iterator[Index]:
    return product(*map(range, shape))


def _by_element(element: Callable[[Example, Index], Any]) -> Callable[[Example], np.ndarray]:
    """Return the function that makes a result from its elements, given their positions."""

    def whole(example: Example) -> np.ndarray:
        op = example.make()
        expected = np.empty(shape_of(op.results[0]), object)
        for index in indices(expected.shape):
            expected[index] = element(example, index)
        return expected

    return whole


def _list(example: Example, name: str) -> Index:
    return example.properties[name].data


def _dim(example: Example) -> int:
    return example.properties["dim"].data


def _broadcast(example: Example, index: Index) -> Any:
    return example.operands[0][tuple(index[d] for d in _list(example, "dims"))]


def _reshape(example: Example, index: Index) -> Any:
    number = 0
    for position, size in zip(index, shape_of(example.requested)):
        number = number * size + position
    return example.operands[0].flat[number]


def _transpose(example: Example, index: Index) -> Any:
    place = dict(zip(_list(example, "permutation"), index))
    return example.operands[0][tuple(place[d] for d in range(len(index)))]


def _slice(example: Example, index: Index) -> Any:
    bounds = zip(index, _list(example, "starts"), _list(example, "strides"))
    return example.operands[0][tuple(start + i * stride for i, start, stride in bounds)]


def _pad(example: Example, index: Index) -> Any:
    operand, value = example.operands
    source = []
    for i, low, inside, size in zip(
        index, _list(example, "low"), _list(example, "interior"), operand.shape
    ):
        position, between = divmod(i - low, inside + 1)
        if between or not 0 <= position < size:
            return value[()]
        source.append(position)
    return operand[tuple(source)]


def _concatenate(example: Example, index: Index) -> Any:
    dim = _dim(example)
    position = index[dim]
    for operand in example.operands:
        if position < operand.shape[dim]:
            return operand[(*index[:dim], position, *index[dim + 1 :])]
        position -= operand.shape[dim]
    raise AssertionError("past the end")


def _reverse(example: Example, index: Index) -> Any:
    (x,) = example.operands
    dims = _list(example, "dims")
    return x[tuple(n - 1 - i if d in dims else i for d, (i, n) in enumerate(zip(index, x.shape)))]


def _larger(x: Any, y: Any) -> Any:
    return x if x != x or x > y else y


def _smaller(x: Any, y: Any) -> Any:
    return x if x != x or x < y else y


COMBINE: dict[ReduceKind, Callable[[Any, Any], Any]] = {
    ReduceKind.ADD: lambda x, y: x + y,
    ReduceKind.MUL: lambda x, y: x * y,
    ReduceKind.MIN: _smaller,
    ReduceKind.MAX: _larger,
    ReduceKind.AND: lambda x, y: x & y,
    ReduceKind.OR: lambda x, y: x | y,
    ReduceKind.XOR: lambda x, y: x ^ y,
}


def _identity(kind: ReduceKind, dtype: np.dtype) -> Any:
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    return {
        ReduceKind.MUL: 1,
        ReduceKind.MIN: limits.max if limits else math.inf,
        ReduceKind.MAX: limits.min if limits else -math.inf,
        ReduceKind.AND: limits.max if limits and not limits.min else -1,
    }.get(kind, 0)


def _combined(kind: ReduceKind, elements: list[Any], dtype: np.dtype) -> Any:
    start = np.array(_identity(kind, dtype)).astype(dtype)[()]
    with np.errstate(all="ignore"):
        return reduce(COMBINE[kind], elements, start)


def _reduce(example: Example, index: Index) -> Any:
    (x,) = example.operands
    dims = _list(example, "dims")
    kept = iter(index)
    rows = [range(n) if d in dims else [next(kept)] for d, n in enumerate(x.shape)]
    elements = [x[place] for place in product(*rows)]
    return _combined(example.properties["kind"].data, elements, x.dtype)


def _line(example: Example, index: Index) -> list[Any]:
    """Return the elements along the op's dimension at an index without it."""
    (x,) = example.operands
    dim = _dim(example)
    return [x[(*index[:dim], i, *index[dim:])] for i in range(x.shape[dim])]


def _argreduce(example: Example, index: Index) -> Any:
    line = _line(example, index)
    best = _smaller if example.properties["kind"].data is ReduceKind.MIN else _larger
    wanted = reduce(best, line)
    return next(i for i, v in enumerate(line) if v == wanted or (v != v and wanted != wanted))


def _cumulative(example: Example, index: Index) -> Any:
    dim = _dim(example)
    line = _line(example, (*index[:dim], *index[dim + 1 :]))
    part = line[: index[dim] + 1]
    if "reverse" in example.properties:
        part = line[index[dim] :][::-1]
    return _combined(example.properties["kind"].data, part, example.operands[0].dtype)


def _dot_general(example: Example, index: Index) -> Any:
    x, y = example.operands
    names = ("lhs_batch", "rhs_batch", "lhs_contract", "rhs_contract")
    left_batch, right_batch, left_sum, right_sum = (_list(example, n) for n in names)
    left_free = [d for d in range(x.ndim) if d not in left_batch + left_sum]
    right_free = [d for d in range(y.ndim) if d not in right_batch + right_sum]
    total = x.dtype.type(0)
    for summed in indices(tuple(x.shape[d] for d in left_sum)):
        left = dict(zip((*left_batch, *left_free), index)) | dict(zip(left_sum, summed))
        right = dict(zip((*right_batch, *right_free), (*index[: len(left_batch)],)))
        right |= dict(zip(right_free, index[len(left_batch) + len(left_free) :]))
        right |= dict(zip(right_sum, summed))
        total += (
            x[tuple(left[d] for d in range(x.ndim))] * y[tuple(right[d] for d in range(y.ndim))]
        )
    return total


def _reduce_window(example: Example, index: Index) -> Any:
    (x,) = example.operands
    sizes, strides, dilations, low = (
        _list(example, n) for n in ("sizes", "strides", "dilations", "low")
    )
    kind = example.properties["kind"].data
    total = r.identity_of(kind, x.dtype)
    for taps in indices(sizes):
        place = tuple(
            i * n + k * d - a for i, n, k, d, a in zip(index, strides, taps, dilations, low)
        )
        if all(0 <= p < n for p, n in zip(place, x.shape)):
            total = COMBINE[kind](total, x[place])
    return total


def _convolution(example: Example, index: Index) -> Any:
    x, kernel = example.operands
    lists = [_list(example, n) for n in ("strides", "rhs_dilation", "low", "lhs_dilation")]
    batch, *window, out = index
    depth, features = kernel.shape[-2], kernel.shape[-1] // example.properties["groups"].value.data
    total = x.dtype.type(0)
    for *taps, channel in indices(kernel.shape[:-1]):
        places = [i * n + k * d - a for i, k, n, d, a in zip(window, taps, *lists[:3])]
        found = [divmod(p, step) for p, step in zip(places, lists[3])]
        if all(rest == 0 and 0 <= j < n for (j, rest), n in zip(found, x.shape[1:])):
            source = (batch, *(j for j, _ in found), out // features * depth + channel)
            total += x[source] * kernel[(*taps, channel, out)]
    return total


def _window_place(shape: Index, sizes: Index, starts: Any) -> Index:
    return tuple(sorted((0, int(i), n - m))[1] for i, n, m in zip(starts, shape, sizes))


def _dynamic_slice(example: Example, index: Index) -> Any:
    x, *starts = example.operands
    place = _window_place(x.shape, shape_of(example.requested), starts)
    return x[tuple(a + i for a, i in zip(place, index))]


def _dynamic_update(example: Example, index: Index) -> Any:
    x, update, *starts = example.operands
    place = _window_place(x.shape, update.shape, starts)
    inner = tuple(i - a for a, i in zip(place, index))
    inside = all(0 <= i < m for i, m in zip(inner, update.shape))
    return update[inner] if inside else x[index]


def _positions(example: Example, arrays: Any, number: Index, rest: Index) -> Index:
    """Return the position in the operand, perhaps out of range, of one element of a gather."""
    dims = _list(example, "dims")
    chosen = {d: int(a[number]) for d, a in zip(dims, arrays)}
    others = iter(rest)
    rank = example.operands[0].ndim
    return tuple(chosen[d] if d in chosen else next(others) for d in range(rank))


def _gather(example: Example, index: Index) -> Any:
    x, *arrays = example.operands
    rank = arrays[0].ndim
    place = _positions(example, arrays, index[:rank], index[rank:])
    return x[tuple(sorted((0, i, m - 1))[1] for i, m in zip(place, x.shape))]


UPDATES: dict[ScatterKind, Callable[[Any, Any], Any]] = {
    ScatterKind.SET: lambda old, new: new,
    ScatterKind.ADD: lambda old, new: old + new,
    ScatterKind.MUL: lambda old, new: old * new,
    ScatterKind.MIN: min,
    ScatterKind.MAX: max,
}


def _scatter(example: Example) -> np.ndarray:
    x, update, *arrays = example.operands
    rank = arrays[0].ndim
    result = np.array(x)
    for index in indices(update.shape):
        place = _positions(example, arrays, index[:rank], index[rank:])
        if all(0 <= i < m for i, m in zip(place, x.shape)):
            kind = example.properties["kind"].data
            result[place] = UPDATES[kind](result[place], update[index])
    return result


def _rank(element: Any) -> tuple[Any, ...]:
    """Return what Python compares as NumPy compares elements: NaN last, then parts in order."""
    parts = (element.real, element.imag) if element.dtype.kind == "c" else (element,)
    return (*(bool(part != part) for part in parts), *(0 if p != p else p.item() for p in parts))


def _sort(example: Example) -> list[np.ndarray]:
    """Sort each line by Python's sort, which is stable too."""
    dim, keys = _dim(example), example.properties["keys"].value.data
    lines = [np.moveaxis(x, dim, -1) for x in example.operands]
    sorted_lines = [np.empty(x.shape, object) for x in (*lines, lines[0])]
    for place in indices(lines[0].shape[:-1]):
        order = sorted(
            range(lines[0].shape[-1]),
            key=lambda i, place=place: [_rank(x[(*place, i)]) for x in lines[:keys]],
        )
        for target, line in zip(sorted_lines, lines):
            target[place] = line[place][order]
        sorted_lines[-1][place] = order
    return [np.moveaxis(x, -1, dim) for x in sorted_lines]


EXPECTED: dict[type[ArrayOp], Callable[[Example], Any]] = {
    s.ConstantOp: lambda example: to_numpy(example.properties["value"]),
    s.IotaOp: _by_element(lambda example, index: index[_dim(example)]),
    s.BroadcastOp: _by_element(_broadcast),
    s.ReshapeOp: _by_element(_reshape),
    s.TransposeOp: _by_element(_transpose),
    s.SliceOp: _by_element(_slice),
    s.PadOp: _by_element(_pad),
    s.ConcatenateOp: _by_element(_concatenate),
    s.ReverseOp: _by_element(_reverse),
    n.DynamicSliceOp: _by_element(_dynamic_slice),
    n.DynamicUpdateSliceOp: _by_element(_dynamic_update),
    n.GatherOp: _by_element(_gather),
    n.ScatterOp: _scatter,
    r.ReduceOp: _by_element(_reduce),
    r.ArgReduceOp: _by_element(_argreduce),
    r.CumulativeOp: _by_element(_cumulative),
    r.ReduceWindowOp: _by_element(_reduce_window),
    c.DotGeneralOp: _by_element(_dot_general),
    c.ConvolutionOp: _by_element(_convolution),
    o.SortOp: _sort,
    g.LaneReduceOp: lambda example: example.operands[0],  # of one lane
    g.LaneIndexOp: lambda example: np.zeros((), np.int64),
    f.CallbackOp: lambda example: FUNCTIONS[0](*example.operands),
    f.CheckOp: lambda example: example.operands[0],
}

ROUNDING = {np.dtype(d): t for d, t in (("f4", 1e-5), ("f8", 1e-13), ("c8", 1e-5), ("c16", 1e-13))}


COMPUTING = (*OPS_BY_FAMILY["contraction"], r.ReduceOp, r.CumulativeOp, r.ReduceWindowOp)
"""The ops whose results are rounded."""


def test_the_table_has_every_op():
    others = ("elementwise", "random")
    moving = [op for family, ops in OPS_BY_FAMILY.items() if family not in others for op in ops]
    assert EXPECTED.keys() == set(moving)


@pytest.mark.parametrize("op", EXPECTED, ids=lambda op: op.name)
def test_op_is_what_a_loop_over_elements_gives(op):
    for example in examples(op):
        with np.errstate(over="ignore"):  # integers wrap around
            made = EXPECTED[op](example)
        several = made if isinstance(made, list) else [made]
        for found, wanted in zip(example.results(), several, strict=True):
            expected = wanted.astype(found.dtype)
            rtol = ROUNDING.get(found.dtype, 0.0) if op in COMPUTING else 0.0
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol, err_msg=repr(example))


@pytest.mark.parametrize("kind", ReduceKind, ids=str)
def test_reduction_over_nothing_is_neutral(kind):
    for dtype in (np.dtype(t) for t in ("?", "i1", "u8", "f4", "c16")):
        if dtype.kind in r.KINDS_OF[kind]:
            neutral = r.identity_of(kind, dtype)
            assert neutral.dtype == dtype
            for value in np.array([0, 1], dtype):
                assert COMBINE[kind](neutral, value) == value
