"""The array dialect: pure operations on tensors of static shape, one module a family."""

from __future__ import annotations

from xdsl.dialect_interfaces.constant_materialization import ConstantMaterializationInterface
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import Attribute, Dialect, Operation

from ..attributes import (
    ComparePredicateAttr,
    DimensionAttr,
    IntegersAttr,
    ReduceKindAttr,
    ScatterKindAttr,
    ThreefryWordAttr,
)
from . import (
    collective,
    contraction,
    effect,
    elementwise,
    indexing,
    ordering,
    random,
    reduction,
    shape,
)
from .base import ArrayOp
from .control import CONTROL_OPS, TapeType
from .regions import YieldOp
from .shape import ConstantOp

FAMILIES = {
    "elementwise": elementwise,
    "shape": shape,
    "indexing": indexing,
    "reduction": reduction,
    "contraction": contraction,
    "ordering": ordering,
    "random": random,
    "effect": effect,
    "collective": collective,
}
"""The modules that define the ops, by the name that each pass gives its rules for them."""


def _ops_of(module: object) -> list[type[ArrayOp]]:
    return [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, ArrayOp)
        and member.__module__ == module.__name__  # type: ignore[attr-defined]
        and "name" in vars(member)
    ]


OPS_BY_FAMILY: dict[str, list[type[ArrayOp]]] = {
    family: _ops_of(module) for family, module in FAMILIES.items()
}
"""Every op class of the dialect, by family."""


class _Materializer(ConstantMaterializationInterface):
    def materialize_constant(self, value: Attribute, type: Attribute) -> Operation | None:
        if not isinstance(value, DenseIntOrFPElementsAttr) or value.type != type:
            return None
        return ConstantOp.create(properties={"value": value}, result_types=[type])


Array = Dialect(
    "array",
    [*(op for ops in OPS_BY_FAMILY.values() for op in ops), *CONTROL_OPS, YieldOp],
    [
        IntegersAttr,
        DimensionAttr,
        ComparePredicateAttr,
        ReduceKindAttr,
        ScatterKindAttr,
        ThreefryWordAttr,
        TapeType,
    ],
    [_Materializer()],
)
"""The dialect itself, to be registered in an xDSL context."""
