"""Common subexpression elimination by value numbering."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, LocationAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.traits import Commutative

from ...ir.array.control import TapeNewOp, TapePopOp, TapePushOp
from ...ir.array.plain import BarrierOp
from ...ir.array.regions import YieldOp
from ...ir.locations import fused
from .dce import is_pure
from .rewriting import blocks_of, functions_of, rewrite_forward


@cache
def is_commutative(op_type: type[Operation]) -> bool:
    """Tell whether the order of the op's two operands does not matter."""
    return op_type.has_trait(Commutative)


DISTINCT: Final = (BarrierOp, TapeNewOp, TapePushOp, TapePopOp, YieldOp)
"""Ops that are not merged: a barrier keeps equal computations apart, a tape has one use."""


class Numbering:
    """The ops seen so far, by what they compute.

    Two ops compute the same if type, operands, properties and result types agree; commutative
    operands in any order. An attribute is hashed once and then known by its identity, which makes
    types, shared properties and large constants cheap.
    """

    def __init__(self) -> None:
        self._number_by_identity: dict[int, tuple[int, Attribute]] = {}
        self._number_by_value: dict[Hashable, int] = {}
        self._first: dict[Hashable, Operation] = {}
        self._merged: dict[Operation, list[LocationAttr]] = {}

    def first_equal(self, op: Operation) -> Operation:
        """Return the first op that computes what ``op`` does, which may be itself."""
        if type(op) in DISTINCT or op.regions or not is_pure(op):
            return op
        first = self._first.setdefault(self._key(op), op)
        if first is not op and first.location is not op.location:
            self._merged.setdefault(first, [first.location]).append(op.location)
        return first

    def fuse_locations(self) -> None:
        """Give each op that stands for several the locations of all."""
        for op, locations in self._merged.items():
            op.location = fused(locations)
        self._merged.clear()

    def _key(self, op: Operation) -> Hashable:
        operands = [id(value) for value in op._operands]  # which live as long as the first op
        if len(operands) == 2 and is_commutative(type(op)):
            operands.sort()
        properties = op.properties
        names = properties if len(properties) < 2 else sorted(properties)
        return (
            type(op),
            *operands,
            *[self._number(properties[name]) for name in names],
            *[self._number(result.type) for result in op.results],
        )

    def _number(self, attribute: Attribute) -> int:
        """Return the number that all attributes equal to this one share."""
        known = self._number_by_identity.get(id(attribute))
        if known is not None:
            return known[0]
        value = self._value(attribute)
        number = self._number_by_value.setdefault(value, len(self._number_by_value))
        self._number_by_identity[id(attribute)] = number, attribute  # kept, so the id stays its own
        return number

    def _value(self, attribute: Attribute) -> Hashable:
        if isinstance(attribute, DenseIntOrFPElementsAttr):
            return (self._number(attribute.type), attribute.data.data)
        return attribute


def merge_equal_ops(function: FuncOp) -> None:
    """Keep one of several ops of a function that compute the same, in one forward walk."""
    _merge(function.body.block)


def _merge(block: Block) -> None:
    numbering = Numbering()

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        for inner in blocks_of(op):
            _merge(inner)
        first = numbering.first_equal(op)
        return None if first is op else first.results

    rewrite_forward(block, visit)
    numbering.fuse_locations()


@dataclass(frozen=True)
class ArrayCse(ModulePass):
    """Merge ops that compute the same.

    One forward walk over each function and each region, linear in their ops. The first of equal
    ops stays and gets the locations of all; commutative operands count in any order.

        %a = array.add %x, %y : tensor<4xf64>
        %b = array.add %y, %x : tensor<4xf64>       ->      %a = array.add %x, %y : tensor<4xf64>
        %c = array.mul %a, %b : tensor<4xf64>               %c = array.mul %a, %a : tensor<4xf64>
    """

    name: ClassVar[str] = "array-cse"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            merge_equal_ops(function)
