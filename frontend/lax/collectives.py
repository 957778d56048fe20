"""What a function under ``vmap(axis_name=...)`` computes with all elements of the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import tree
from ..boundary import public
from ..errors import AxisNameError
from ..numpy.operands import xp
from ..regions import lift_leaf
from ..tracer import Tracer
from ..tracing import Trace, current_trace


@public
def psum(x: Any, axis_name: str | Sequence[str]) -> Any:
    """Return the sum of ``x`` over all elements of the batch, the same for each.

    Args:
        x: a tree of arrays and numbers.
        axis_name: of the `vmap`, or the names of several.

    Raises:
        AxisNameError: (a NameError) if no `vmap` around has that name.
    """
    return _reduced("add", x, axis_name)


@public
def pmean(x: Any, axis_name: str | Sequence[str]) -> Any:
    """Return the mean of ``x`` over all elements of the batch; see `psum`."""
    count = axis_size(axis_name)
    return tree.map(lambda total: total / count, psum(x, axis_name))


@public
def pmax(x: Any, axis_name: str | Sequence[str]) -> Any:
    """Return the largest of ``x`` of all elements of the batch; see `psum`."""
    return _reduced("max", x, axis_name)


@public
def pmin(x: Any, axis_name: str | Sequence[str]) -> Any:
    """Return the smallest of ``x`` of all elements of the batch; see `psum`."""
    return _reduced("min", x, axis_name)


@public
def axis_index(axis_name: str | Sequence[str]) -> Any:
    """Return the number of the element of the batch, along several axes in row-major order.

    Raises:
        AxisNameError: (a NameError) if no `vmap` around has that name.
    """
    trace, names = _bound(axis_name)
    trace.locate()
    found: Any = 0
    for name in names:
        found = found * trace.axes[name] + trace.tracer(trace.builder.lane_index(name))
    return found


@public
def axis_size(axis_name: str | Sequence[str]) -> int:
    """Return how many elements the batch has, of several axes together.

    Raises:
        AxisNameError: (a NameError) if no `vmap` around has that name.
    """
    trace, names = _bound(axis_name)
    return int(np.prod([trace.axes[name] for name in names], dtype=int))


def _reduced(kind: str, x: Any, axis_name: str | Sequence[str]) -> Any:
    trace, names = _bound(axis_name)

    def reduce(leaf: Any) -> Any:
        if type(leaf) is not Tracer and kind == "add":
            return leaf * axis_size(names)
        found = lift_leaf(trace, leaf)
        if found.dtype == np.bool_:
            found = xp.astype(found, np.int64)
        trace.locate()
        value = found.value
        for name in names:
            value = trace.builder.lane_reduce(kind, value, name)
        return trace.tracer(value)

    return tree.map(reduce, x)


def _bound(axis_name: str | Sequence[str]) -> tuple[Trace, tuple[str, ...]]:
    """Return the trace, and the names."""
    names = tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)
    trace = current_trace()
    known = trace.axes if trace is not None else {}
    for name in names:
        if name not in known:
            raise AxisNameError(
                f"no `vmap` around has the axis_name {name!r}; "
                + (f"there are {', '.join(map(repr, known))}" if known else "there is none")
            )
    assert trace is not None
    return trace, names
