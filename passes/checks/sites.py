"""What is checked of an op, by kind: the user's conditions, positions, divisions, NaN.

A site is one check: its message, the types of what it tells besides, and how to compute both from
the op's operands and results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from xdsl.ir import Attribute, Operation, SSAValue

from ...ir.array import OPS_BY_FAMILY
from ...ir.array import elementwise as e
from ...ir.array.base import ArrayOp
from ...ir.array.control import INDEX
from ...ir.array.effect import CheckOp
from ...ir.array.indexing import DynamicSliceOp, DynamicUpdateSliceOp, GatherOp, ScatterOp
from ...ir.array.reduction import CumulativeOp, ReduceOp, ReduceWindowOp
from ...ir.builder import Builder
from ...ir.types import dtype_of, shape_of

Found = tuple[SSAValue, Sequence[SSAValue]]
"""Whether a check holds, a 0-d bool, and the values that its message tells."""

Emit = Callable[[Builder, Sequence[SSAValue], Sequence[SSAValue]], Found]
"""Computes a check from the op's operands and results."""


class Site(NamedTuple):
    """One check of one op.

    Attributes:
        message: a format of the payload.
        names: for each value of the payload its keyword, or an empty string.
        types: the types of the payload.
        emit: computes it.
    """

    message: str
    names: tuple[str, ...]
    types: tuple[Attribute, ...]
    emit: Emit


def _user(op: Operation) -> Iterator[Site]:
    if isinstance(op, CheckOp):
        names = tuple([name.data for name in op.names])
        types = tuple([value.type for value in op.payload])
        yield Site(op.message.data, names, types, lambda b, xs, ys: (xs[0], xs[1:]))


def _index(op: Operation) -> Iterator[Site]:
    if isinstance(op, GatherOp | ScatterOp):
        shape, first = shape_of(op.operand), len(op.operands) - len(op.indices)
        for number, (index, dim) in enumerate(zip(op.indices, op.dims.data), first):
            if 0 not in shape_of(index):
                text = f"position {{}} is out of range along axis {dim} of size {shape[dim]}"
                yield _range(text, number, shape[dim] - 1)
    elif isinstance(op, DynamicSliceOp | DynamicUpdateSliceOp):
        shape, first = shape_of(op.operand), len(op.operands) - len(op.starts)
        window = op.result if isinstance(op, DynamicSliceOp) else op.update
        for dim, (n, m) in enumerate(zip(shape, shape_of(window))):
            what = "position {}" if m == 1 else f"a window of {m} elements at position {{}}"
            yield _range(f"{what} is out of range along axis {dim} of size {n}", first + dim, n - m)


def _range(message: str, number: int, last: int) -> Site:
    """Return the check that all elements of an operand are from 0 to ``last``."""

    def emit(b: Builder, operands: Sequence[SSAValue], results: Sequence[SSAValue]) -> Found:
        index = operands[number]
        dims = range(len(shape_of(index)))
        low = b.reduce("min", index, dims) if dims else index
        high = b.reduce("max", index, dims) if dims else index
        zero, end = (b.full((), np.dtype(np.int64), n) for n in (0, last))
        begins = b.compare("ge", low, zero)
        inside = b.and_(begins, b.compare("le", high, end))
        return inside, [b.select(begins, high, low)]

    return Site(message, ("",), (INDEX,), emit)


def _div(op: Operation) -> Iterator[Site]:
    if isinstance(op, e.DivOp | e.RemOp):
        yield Site("division by zero", (), (), _divisor_is_not_zero)


def _divisor_is_not_zero(
    b: Builder, operands: Sequence[SSAValue], results: Sequence[SSAValue]
) -> Found:
    divisor = operands[1]
    return _none(b, b.compare("eq", divisor, b.full_like(divisor, 0))), ()


def _nan(op: Operation) -> Iterator[Site]:
    if isinstance(op, _MAKES_NAN) and dtype_of(op.results[0]).kind in "fc":
        what = op.name.removeprefix("array.")
        yield Site(f"{what} makes NaN of numbers", (), (), _no_new_nan)


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

KINDS: Final[dict[str, Callable[[Operation], Iterator[Site]]]] = {
    "user": _user,
    "index": _index,
    "div": _div,
    "nan": _nan,
}
"""The sites of an op, by kind of check."""
