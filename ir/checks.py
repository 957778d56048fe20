"""Checks that xDSL's verifier does not make: of scope, of locations, and of tapes.

They run in time linear in the number of ops, and are meant for tests and for debugging a pass.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import UnknownLoc
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, Region, SSAValue
from xdsl.traits import IsolatedFromAbove

from .array.control import TapeType
from .errors import GradatimError
from .locations import spell_location


def check_function(function: FuncOp, *, locations: bool = True) -> None:
    """Check that operands are defined above their uses and, if asked, that ops have a location.

    Tapes are used at most once.

    A value is visible below its definition in the same region and in the regions within, except in
    those of an op that is isolated from above. Regions have single blocks at every level of the
    IR, so the order of ops is dominance.

    Raises:
        GradatimError: naming the first op for which this does not hold.
    """
    _check_op(function, set(), locations)


def _check_op(op: Operation, visible: set[SSAValue], locations: bool) -> None:
    if not visible.issuperset(op.operands):
        raise GradatimError(_undefined(op, visible), spell_location(op.location))
    if locations and isinstance(op.location, UnknownLoc):
        raise GradatimError(f"{op.name} has no location")
    if op.regions:
        inner = set[SSAValue]() if op.has_trait(IsolatedFromAbove) else visible
        for region in op.regions:
            _check_region(region, inner, locations)


def _check_region(region: Region, visible: set[SSAValue], locations: bool) -> None:
    defined: list[SSAValue] = []

    def define(values: Sequence[SSAValue]) -> None:
        visible.update(values)
        defined.extend(values)
        for value in values:
            if isinstance(value.type, TapeType) and value.has_more_than_one_use():
                raise GradatimError(f"{_origin(value)} is a tape that is used more than once")

    for block in region.blocks:
        define(block.args)
        for op in block.ops:
            _check_op(op, visible, locations)
            define(op.results)
    visible.difference_update(defined)


def _undefined(op: Operation, visible: set[SSAValue]) -> str:
    index, value = next((i, v) for i, v in enumerate(op.operands) if v not in visible)
    return f"operand {index} of {op.name} is {_origin(value)} that is not defined above it"


def _origin(value: SSAValue) -> str:
    return f"the result of {value.op.name}" if isinstance(value, OpResult) else "an argument"
