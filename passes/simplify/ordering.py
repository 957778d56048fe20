"""Rewriting of sorts: fewer keys, fewer arrays, none at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from xdsl.ir import Operation, SSAValue

from ...ir.array.ordering import SortOp
from ...ir.array.shape import BroadcastOp, IotaOp, dim_of
from ...ir.types import dtype_of, shape_of
from .rules import RuleBuilder, Rules, splat_of

_I64: Final = np.dtype(np.int64)


def _in_order(b: RuleBuilder, op: SortOp) -> list[SSAValue]:
    """Return the results of a sort that moves nothing."""
    return [*op.inputs, b.iota(shape_of(op.permutation), _I64, op.dim.data)]


def _sorted_already(b: RuleBuilder, op: Operation) -> Sequence[SSAValue] | None:
    """Drop a sort of single elements, or by keys that another sort put in order."""
    assert isinstance(op, SortOp)
    if shape_of(op.permutation)[op.dim.data] <= 1:
        return _in_order(b, op)
    keys = op.inputs[: op.keys.value.data]
    inner = keys[0].owner
    if not isinstance(inner, SortOp) or inner.dim != op.dim:
        return None
    ordered = inner.results[: inner.keys.value.data]
    return _in_order(b, op) if tuple(keys) == tuple(ordered[: len(keys)]) else None


def _is_constant_along(value: SSAValue, dim: int) -> bool:
    """Tell whether a value is known to be the same all along a dimension."""
    owner = value.owner
    if isinstance(owner, BroadcastOp):
        return dim not in owner.dims.data
    if isinstance(owner, IotaOp):
        return dim_of(owner.properties) != dim
    return splat_of(value) is not None


def _is_number_along(value: SSAValue, dim: int) -> bool:
    """Tell whether a value counts along a dimension, without wrapping around."""
    owner = value.owner
    if not isinstance(owner, IotaOp) or dim_of(owner.properties) != dim:
        return False
    dtype, length = dtype_of(value), shape_of(value)[dim]
    exact = np.iinfo(dtype).max if dtype.kind in "iu" else 2 ** np.finfo(dtype).nmant
    return length <= int(exact)


def _fewer_arrays(b: RuleBuilder, op: Operation) -> Sequence[SSAValue] | None:
    """Sort nothing twice, nothing that is the same everywhere, and no numbers of elements.

    What is the same decides between no elements, nor does any key behind numbers.
    """
    assert isinstance(op, SortOp)
    dim, keys = op.dim.data, op.keys.value.data
    deciding: list[SSAValue] = []
    for x in op.inputs[:keys]:
        if x in deciding or _is_constant_along(x, dim):
            continue
        deciding.append(x)
        if _is_number_along(x, dim):
            break
    if not deciding or _is_number_along(deciding[0], dim):
        return _in_order(b, op)
    kept = list(deciding)
    for x in op.inputs:
        if not (x in kept or _is_constant_along(x, dim) or _is_number_along(x, dim)):
            kept.append(x)
    if len(kept) == len(op.inputs) and len(deciding) == keys:
        b.waiting |= len(op.inputs) > keys  # for arrays to go whose results nothing will use
        return None
    *values, permutation = b.sort(kept, dim, len(deciding))
    found = dict(zip(kept, values))
    found |= {x: x for x in op.inputs if _is_constant_along(x, dim)}
    numbers = (x for x in op.inputs if x not in found)
    found |= {x: b.convert(permutation, dtype_of(x)) for x in numbers}
    return [*(found[x] for x in op.inputs), permutation]


def _before_repeating(b: RuleBuilder, op: Operation) -> Sequence[SSAValue] | None:
    """Sort what is repeated before it is repeated."""
    assert isinstance(op, SortOp)
    repeated = [x.owner for x in op.inputs if isinstance(x.owner, BroadcastOp)]
    if len(repeated) < len(op.inputs):
        return None
    dims = repeated[0].dims.data
    if op.dim.data not in dims or any(other.dims.data != dims for other in repeated):
        return None
    operands = [other.operand for other in repeated]
    values = b.sort(operands, dims.index(op.dim.data), op.keys.value.data)
    return [b.broadcast(value, shape_of(op.permutation), dims) for value in values]


RULES: Final[Rules] = {SortOp: (_sorted_already, _fewer_arrays, _before_repeating)}


def without_unused(op: SortOp) -> SortOp | None:
    """Return the same sort without the arrays whose results nothing uses; None if there are none.

    Keys are needed in any case.
    """
    keys = op.keys.value.data
    arrays = range(len(op.inputs))
    kept = [i for i in arrays if i < keys or op.results[i].first_use is not None]
    if len(kept) == len(op.inputs):
        return None
    results = [op.results[i] for i in (*kept, len(op.inputs))]
    types = [value.type for value in results]
    smaller = SortOp.make([op.inputs[i] for i in kept], types, op.properties, op.location)  # type: ignore[arg-type]
    for old, new in zip(results, smaller.results):
        new.name_hint = old.name_hint
        old.replace_all_uses_with(new)
    return smaller
