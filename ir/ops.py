"""Making, copying and walking over ops: what every pass does most, without what it has no need of.

xDSL's ``create``, ``add_op``, ``clone`` and ``walk`` do the same for any program. Here regions have
one block, ops have no successors, and values are defined before they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from functools import cache
from typing import TypeVar

from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.ir import Attribute, Block, Operation, OpResult, Region, SSAValue, Use
from xdsl.ir.core import SSAValues
from xdsl.irdl import IRDLOperation, OptionalDef

_Made = TypeVar("_Made", bound=Operation)

Environment = MutableMapping[SSAValue, SSAValue]
"""The values of a copy, by those that they are copies of."""


def make_op(
    op_type: type[_Made],
    operands: Sequence[SSAValue],
    result_types: Sequence[Attribute],
    properties: Mapping[str, Attribute],
    location: LocationAttr,
    regions: Sequence[Region] = (),
) -> _Made:
    """Return a new op, in a third of ``Operation.create``'s time.

    Properties that have a default must be given; `default_properties` has them.
    """
    op = op_type.__new__(op_type)
    uses = []
    for index, value in enumerate(operands):
        use = Use(op, index)
        value.add_use(use)
        uses.append(use)
    op._operands = SSAValues(operands)
    op._operand_uses = tuple(uses)
    op.results = SSAValues([OpResult(type_, op, i) for i, type_ in enumerate(result_types)])
    op.properties = dict(properties)
    op.attributes = {}
    op.location = location
    op._successors = op._successor_uses = op.regions = ()
    for region in regions:
        op.add_region(region)
    return op


@cache
def default_properties(op_type: type[Operation]) -> Mapping[str, Attribute]:
    """Return the properties that ops of a type have unless others are given."""
    assert issubclass(op_type, IRDLOperation)
    return {
        name: definition.default_value
        for name, definition in op_type.get_irdl_definition().properties.items()
        if not isinstance(definition, OptionalDef) and definition.default_value is not None
    }


def append_op(block: Block, op: Operation) -> None:
    """Append an op that is in no block, and not around this one, to a block."""
    assert op.parent is None
    last = block._last_op
    if last is None:
        block._first_op = op
    else:
        last._next_op = op
        op._prev_op = last
    block._last_op = op
    op.parent = block


def take_ops(block: Block) -> list[Operation]:
    """Take all ops out of a block, and return them in order."""
    ops = list(ops_of(block))
    for op in ops:
        op.parent = op._prev_op = op._next_op = None
    block._first_op = block._last_op = None
    return ops


def copy_op(op: _Made, environment: Environment) -> _Made:
    """Return a copy of an op with its regions, and note all values of the copy.

    Operands that the environment does not know stay.
    """
    operands = [environment.get(value, value) for value in op._operands]
    types = [result.type for result in op.results]
    regions = [_copy_region(region, environment) for region in op.regions]
    copy = make_op(type(op), operands, types, op.properties, op.location, regions)
    if op.attributes:
        copy.attributes = dict(op.attributes)
    for old, new in zip(op.results, copy.results):
        environment[old] = new
        new._name = old._name
    return copy


def _copy_region(region: Region, environment: Environment) -> Region:
    blocks = []
    for block in region.blocks:
        blocks.append(copy := Block(arg_types=[argument.type for argument in block.args]))
        for old, new in zip(block.args, copy.args):
            environment[old] = new
            new._name, new.location = old._name, old.location
        for op in ops_of(block):
            append_op(copy, copy_op(op, environment))
    return Region(blocks)


def copy_module(module: ModuleOp) -> ModuleOp:
    """Return a copy of a module of any level above LLVM."""
    return copy_op(module, {})


def ops_of(block: Block) -> Iterator[Operation]:
    """Yield the ops of a block in order; the one yielded last may leave the block."""
    op = block._first_op
    while op is not None:
        following = op._next_op
        yield op
        op = following


def ops_in(block: Block) -> Iterator[Operation]:
    """Yield the ops of a block and those in their regions, each before its own."""
    for op in ops_of(block):
        yield op
        for region in op.regions:
            for inner in region.blocks:
                yield from ops_in(inner)
