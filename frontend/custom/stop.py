"""Values without derivatives."""

from __future__ import annotations

from typing import Any

from ...ir.array.control import CustomParts
from ...ir.functions import BlockBuilder
from .. import tree
from ..regions import type_of_tracer, wrapped
from ..tracer import Tracer
from ..tracing import lift_all


def stop_gradient(x: Any) -> Any:
    """Return x, which derivatives take for a constant.

    Args:
        x: a tree of arrays.

    Example:
        >>> grad(lambda x: stop_gradient(x) * x)(3.0)
        np.float64(3.0)
    """
    return tree.map(_stopped, x)


def _stopped(leaf: Any) -> Any:
    """Append the op whose only operand has no derivative."""
    if type(leaf) is not Tracer or leaf.dtype.kind not in "fc":
        return leaf
    trace, (lifted,) = lift_all(leaf)
    assert isinstance(lifted, Tracer)
    builder, operand = trace.builder, lifted.value
    primal = BlockBuilder([operand.type], (), builder.location)
    rule = BlockBuilder([operand.type], (), builder.location)
    zero = rule.builder.full_like(rule.arguments[0], 0)
    blocks = CustomParts(
        primal.finish(primal.arguments), rule.finish([*rule.arguments, zero]), None, None
    )
    return wrapped(trace, builder.custom_derivative(1, [operand], blocks), [type_of_tracer(leaf)])[
        0
    ]
