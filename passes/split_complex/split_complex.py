"""``array-split-complex``: complex values become pairs of real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.base import ArrayOp
from ...ir.array.control import TapeType
from ...ir.array.plain import PlainOp
from ...ir.array.regions import RegionOp, terminator_of
from ...ir.functions import BlockBuilder, FunctionBuilder, return_of
from ...ir.ops import ops_of
from ...ir.types import Tensor, tensor_info, tensor_type
from ..functions import replace_functions
from ..simplify.dce import eliminate_dead_code
from ..simplify.rewriting import functions_of
from .arithmetic import ComplexBuilder, Parts
from .rules import split_op
from .storage import loaded, part_dtype, stored, stored_type


def is_complex(value: SSAValue) -> bool:
    """Tell whether a value is a complex array, or a tape that holds any."""
    return _is_complex_type(value.type)


def _is_complex_type(type_: Attribute) -> bool:
    if type(type_) is TapeType:
        return any(map(_is_complex_type, type_.types))
    return tensor_info(type_).dtype.kind == "c"


def uses_complex(block: Block) -> bool:
    """Tell whether a block, or a region within, computes with complex values."""
    if any(map(is_complex, block.args)):
        return True
    for op in ops_of(block):
        for result in op.results:
            if is_complex(result):
                return True
        if op.regions and any(uses_complex(region.block) for region in op.regions):
            return True
    return False


def split_complex(function: FuncOp) -> FuncOp:
    """Return the function on parts; a complex array in or out is a real one with a last dim 2."""
    block = function.body.block
    builder = FunctionBuilder(
        function.sym_name.data,
        [stored_type(argument) for argument in block.args],
        [argument.name_hint for argument in block.args],
        function.location,
    )
    b = ComplexBuilder(builder.builder)
    parts: dict[SSAValue, Parts] = {
        old: loaded(b.b, new) if is_complex(old) else Parts(new, None)
        for old, new in zip(block.args, builder.arguments)
    }
    terminator = return_of(function)
    _split_ops(b, block, parts)
    results = [
        stored(b, parts[value]) if is_complex(value) else parts[value].real
        for value in terminator.operands
    ]
    visibility = function.sym_visibility.data if function.sym_visibility else None
    split = builder.finish(results, visibility)
    split.attributes.update(function.attributes)  # in-out arguments stay where they are
    eliminate_dead_code(split)
    return split


def _split_ops(b: ComplexBuilder, block: Block, parts: dict[SSAValue, Parts]) -> None:
    """Append a block's ops on parts, all but the terminator."""
    for op in block.ops:
        if op is block.last_op:
            break
        b.b.location = op.location
        if isinstance(op, ArrayOp):
            _split(b, op, parts)
        elif isinstance(op, RegionOp):
            _split_region_op(b, op, parts)
        else:
            assert isinstance(op, PlainOp)
            _split_plain_op(b, op, parts)


def _split(b: ComplexBuilder, op: ArrayOp, parts: dict[SSAValue, Parts]) -> None:
    operands = [parts[value] for value in op.operands]
    if any(map(is_complex, (*op.results, *op.operands))):
        found = split_op(b, op, operands)
    else:
        real = [z.real for z in operands]
        type_ = op.results[0].type
        assert isinstance(type_, Tensor)
        found = [Parts(v, None) for v in b.b.create_results(type(op), real, op.properties, type_)]
    for result, z in zip(op.results, found):
        parts[result] = z
        z.real.name_hint = result.name_hint


# Loops, branches and tapes: what goes in and out is twice as much


def _split_region_op(b: ComplexBuilder, op: RegionOp, parts: dict[SSAValue, Parts]) -> None:
    groups = [_flat(b, group, parts) for group in op.groups]
    properties = {n: a for n, a in op.properties.items() if n != "operandSegmentSizes"}
    blocks = [_split_block(op, region.block, parts) for region in op.regions]
    results = b.b.create_region_op(type(op), groups, properties, blocks)
    _bind(op.results, results, parts)


def _split_block(op: RegionOp, block: Block, parts: dict[SSAValue, Parts]) -> Block:
    types = [type_ for argument in block.args for type_ in _part_types(argument.type)]
    builder = BlockBuilder(types, location=op.location)
    _bind(block.args, builder.arguments, parts)
    b = ComplexBuilder(builder.builder)
    _split_ops(b, block, parts)
    return builder.finish(_flat(b, terminator_of(block).operands, parts))


def _split_plain_op(b: ComplexBuilder, op: PlainOp, parts: dict[SSAValue, Parts]) -> None:
    types = [type_ for result in op.results for type_ in _part_types(result.type)]
    operands = _flat(b, op.operands, parts)
    _bind(op.results, b.b.create_plain(type(op), operands, types, op.properties), parts)


def _flat(
    b: ComplexBuilder, values: Sequence[SSAValue], parts: dict[SSAValue, Parts]
) -> list[SSAValue]:
    """Return the parts of values one after the other."""
    flat = []
    for value in values:
        flat.append(parts[value].real)
        if len(_part_types(value.type)) == 2:
            flat.append(b.imag(parts[value]))
    return flat


def _bind(
    before: Sequence[SSAValue], after: Sequence[SSAValue], parts: dict[SSAValue, Parts]
) -> None:
    """Let new values be the parts of old ones."""
    rest = iter(after)
    for value in before:
        real = next(rest)
        real.name_hint = value.name_hint
        parts[value] = Parts(real, next(rest) if len(_part_types(value.type)) == 2 else None)


def _part_types(type_: Attribute) -> list[Attribute]:
    """Return the types of a value's parts; a tape of complex items is one of more items."""
    if type(type_) is TapeType:
        return [TapeType.of([part for item in type_.types for part in _part_types(item)])]
    shape, dtype = tensor_info(type_)
    return [tensor_type(shape, part_dtype(dtype))] * (2 if dtype.kind == "c" else 1)


@dataclass(frozen=True)
class ArraySplitComplex(ModulePass):
    """Compute with complex numbers on their real and imaginary parts.

    Kernels know real numbers only. A complex array that goes in or comes out is a real one whose
    last dimension holds the two parts, which is how NumPy lays it out in memory.

        func.func @f(%z: tensor<4xcomplex<f64>>) -> tensor<4xf64> {
          %a = array.abs %z : tensor<4xcomplex<f64>> -> tensor<4xf64>

    becomes a function of a ``tensor<4x2xf64>`` that takes it apart by slices. Loops and branches
    carry the two parts. Functions without complex values stay as they are.
    """

    name: ClassVar[str] = "array-split-complex"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Split the complex values of every function that has any."""
        for function in list(functions_of(op)):
            if not function.is_declaration and uses_complex(function.body.block):
                replace_functions(op, function.sym_name.data, split_complex)
