"""What is checked of an op, by kind: positions, divisions, NaN.

A site is one check: its message, and how to compute from the op's operands and results whether it
holds and what the message tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array import OPS_BY_FAMILY
from ...ir.array import elementwise as e
from ...ir.array.base import ArrayOp
from ...ir.array.control import CustomDerivativeOp
from ...ir.array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, GatherOp, ScatterOp
from ...ir.array.reduction import CumulativeOp, ReduceOp, ReduceWindowOp
from ...ir.array.shape import BroadcastOp, ConstantOp, ReshapeOp
from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of, to_numpy

Found = tuple[SSAValue, Sequence[SSAValue]]
"""Whether a check holds, a 0-d bool, and the values that its message tells."""

Emit = Callable[[Builder, Sequence[SSAValue], Sequence[SSAValue]], Found]
"""Computes a check from the op's operands and results."""


class Site(NamedTuple):
    """One check of one op.

    Attributes:
        message: a format of the payload.
        emit: computes it.
    """

    message: str
    emit: Emit


def checked_blocks(op: Operation) -> Iterator[Block]:
    """Yield the blocks of an op that run when it does: of derivative rules none."""
    regions = op.regions[:1] if isinstance(op, CustomDerivativeOp) else op.regions
    for region in regions:
        yield from region.blocks


def _index(op: Operation) -> Iterator[Site]:
    if isinstance(op, GatherOp | ScatterOp):
        shape, first = shape_of(op.operand), len(op.operands) - len(op.indices)
        for number, (index, dim) in enumerate(zip(op.indices, op.dims.data), first):
            if 0 not in shape_of(index):
                yield _in_bounds(op, number, dim, shape[dim], 1)
    elif isinstance(op, DynamicSliceOp | DynamicUpdateSliceOp):
        shape, first = shape_of(op.operand), len(op.operands) - len(op.starts)
        window = op.result if isinstance(op, DynamicSliceOp) else op.update
        for dim, (n, m) in enumerate(zip(shape, shape_of(window))):
            if not _is_zero(op.starts[dim]):
                yield _in_bounds(op, first + dim, dim, n, m)


def _is_zero(value: SSAValue) -> bool:
    constant = value.owner
    return isinstance(constant, ConstantOp) and not to_numpy(constant.value).any()


def _in_bounds(op: Operation, number: int, dim: int, size: int, count: int) -> Site:
    """Return the check that ``count`` elements from each index on are in bounds.

    The message tells the index as the user wrote it.
    """
    last = size - count
    what = "index {}" if count == 1 else f"a window of {count} elements at index {{}}"
    from_end = _counts_from_end(op.operands[number], size)

    def emit(b: Builder, operands: Sequence[SSAValue], results: Sequence[SSAValue]) -> Found:
        index = operands[number]
        dims = range(len(shape_of(index)))
        low = b.reduce("min", index, dims) if dims else index
        high = b.reduce("max", index, dims) if dims else index
        zero, end = (b.full((), INT64, n) for n in (0, last))
        begins = b.compare("ge", low, zero)
        inside = b.and_(begins, b.compare("le", high, end))
        given = b.sub(low, b.full((), INT64, size)) if from_end else low
        return inside, [b.select(begins, high, given)]

    return Site(f"{what} is out of bounds for axis {dim} with size {size}", emit)


def _counts_from_end(index: SSAValue, size: int) -> bool:
    """Tell whether an index is ``select(i < 0, i + size, i)``, maybe of another shape.

    What is negative then was counted from the end; other numbers are as they were.
    """
    while isinstance(index.owner, ReshapeOp | BroadcastOp):
        index = index.owner.operands[0]
    chosen = index.owner
    if not isinstance(chosen, e.SelectOp):
        return False
    _, moved, given = chosen.operands
    if not isinstance(moved.owner, e.AddOp) or moved.owner.operands[0] is not given:
        return False
    added = moved.owner.operands[1].owner
    return isinstance(added, ConstantOp) and bool((to_numpy(added.value) == size).all())


def _div(op: Operation) -> Iterator[Site]:
    if isinstance(op, e.DivOp | e.RemOp):
        yield Site("division by zero", _divisor_is_not_zero)


def _divisor_is_not_zero(
    b: Builder, operands: Sequence[SSAValue], results: Sequence[SSAValue]
) -> Found:
    divisor = operands[1]
    return _none(b, b.compare("eq", divisor, b.full_like(divisor, 0))), ()


def _nan(op: Operation) -> Iterator[Site]:
    if isinstance(op, _MAKES_NAN) and dtype_of(op.results[0]).kind in "fc":
        what = op.name.removeprefix("array.")
        yield Site(f"{what} makes NaN of numbers", _no_new_nan)


def _no_new_nan(b: Builder, operands: Sequence[SSAValue], results: Sequence[SSAValue]) -> Found:
    """Require that no NaN is made of numbers: by elementwise ops element by element."""
    given = [x for x in dict.fromkeys(operands) if dtype_of(x).kind in "fc"]
    shape = shape_of(results[0])
    each = all(shape_of(x) == shape for x in given) and _is_elementwise(results[0])
    new = b.compare("ne", results[0], results[0])
    old = [b.compare("ne", x, x) for x in given]
    if each:
        for mask in old:
            new = b.and_(new, b.not_(mask))
        return _none(b, new), ()
    holds = _none(b, new)
    for mask in old:
        holds = b.or_(holds, b.not_(_none(b, mask)))
    return holds, ()


def _is_elementwise(value: SSAValue) -> bool:
    return type(value.owner) in OPS_BY_FAMILY["elementwise"]


def _none(b: Builder, mask: SSAValue) -> SSAValue:
    """Return whether no element is True."""
    dims = range(len(shape_of(mask)))
    return b.not_(b.reduce("or", mask, dims) if dims else mask)


_PASSES_ON: Final = (
    e.NegOp,
    e.AbsOp,
    e.MaxOp,
    e.MinOp,
    e.RealOp,
    e.ImagOp,
    e.ConjOp,
    e.ComplexOp,
    e.SelectOp,
    e.ClampOp,
    e.CopySignOp,
    e.ConvertOp,
    e.BitcastConvertOp,
)
"""Elementwise ops whose results are NaN only where an operand is, or that look at bits."""

_MAKES_NAN: Final[tuple[type[ArrayOp], ...]] = (
    *[op for op in OPS_BY_FAMILY["elementwise"] if op not in _PASSES_ON],
    *OPS_BY_FAMILY["contraction"],
    ReduceOp,
    CumulativeOp,
    ReduceWindowOp,
)

INT64: Final = np.dtype(np.int64)

Sites = Callable[[Operation], Iterator[Site]]
"""Gives the sites of an op of one kind."""

KINDS: Final[dict[str, Sites]] = {
    "index": _index,
    "div": _div,
    "nan": _nan,
}
"""The sites of an op, by kind of check."""
