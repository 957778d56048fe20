"""``array-split-complex``: complex values become pairs of real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.base import ArrayOp
from ...ir.builder import Builder
from ...ir.functions import FunctionBuilder, return_of
from ...ir.types import Shape, Tensor, shape_of, tensor_info, tensor_type
from ..functions import replace_functions
from ..simplify.dce import eliminate_dead_code
from ..simplify.rewriting import functions_of
from .arithmetic import ComplexBuilder, Parts
from .rules import part_dtype, split_op


def is_complex(value: SSAValue) -> bool:
    """Tell whether a value is a complex array."""
    return tensor_info(value).dtype.kind == "c"


def uses_complex(function: FuncOp) -> bool:
    """Tell whether a function computes with complex values."""
    block = function.body.block
    if any(map(is_complex, block.args)):
        return True
    return any(is_complex(result) for op in block.ops for result in op.results)


def split_complex(function: FuncOp) -> FuncOp:
    """Return the function on parts; a complex array in or out is a real one with a last dim 2."""
    block = function.body.block
    builder = FunctionBuilder(
        function.sym_name.data,
        [_stored_type(argument) for argument in block.args],
        [argument.name_hint for argument in block.args],
        function.location,
    )
    b = ComplexBuilder(builder.builder)
    parts: dict[SSAValue, Parts] = {
        old: _loaded(b.b, new) if is_complex(old) else Parts(new, None)
        for old, new in zip(block.args, builder.arguments)
    }
    terminator = return_of(function)
    for op in block.ops:
        if op is not terminator:
            b.b.location = op.location
            _split(b, op, parts)
    results = [
        _stored(b, parts[value]) if is_complex(value) else parts[value].real
        for value in terminator.operands
    ]
    visibility = function.sym_visibility.data if function.sym_visibility else None
    split = builder.finish(results, visibility)
    eliminate_dead_code(split)
    return split


def _split(b: ComplexBuilder, op: Operation, parts: dict[SSAValue, Parts]) -> None:
    assert isinstance(op, ArrayOp)
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


def _stored_type(value: SSAValue) -> Tensor:
    """Return the type of an array as it lies in memory, without complex numbers."""
    shape, dtype = tensor_info(value)
    return (
        tensor_type((*shape, 2), part_dtype(dtype))
        if dtype.kind == "c"
        else tensor_type(shape, dtype)
    )


def _loaded(b: Builder, stored: SSAValue) -> Parts:
    """Return the parts of an array whose last dimension holds them."""
    shape = shape_of(stored)[:-1]
    return Parts(_one_part(b, stored, shape, 0), _one_part(b, stored, shape, 1))


def _one_part(b: Builder, stored: SSAValue, shape: Shape, number: int) -> SSAValue:
    starts = (*(0 for _ in shape), number)
    return b.reshape(b.slice(stored, starts, (*shape, number + 1)), shape)


def _stored(b: ComplexBuilder, z: Parts) -> SSAValue:
    """Return the array whose last dimension holds the parts."""
    shape = shape_of(z.real)
    columns = [b.b.reshape(part, (*shape, 1)) for part in (z.real, b.imag(z))]
    return b.b.concatenate(columns, len(shape))


@dataclass(frozen=True)
class ArraySplitComplex(ModulePass):
    """Compute with complex numbers on their real and imaginary parts.

    Kernels know real numbers only. A complex array that goes in or comes out is a real one whose
    last dimension holds the two parts, which is how NumPy lays it out in memory.

        func.func @f(%z: tensor<4xcomplex<f64>>) -> tensor<4xf64> {
          %a = array.abs %z : tensor<4xcomplex<f64>> -> tensor<4xf64>

    becomes a function of a ``tensor<4x2xf64>`` that takes it apart by slices. Functions without
    complex values stay as they are.
    """

    name: ClassVar[str] = "array-split-complex"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Split the complex values of every function that has any."""
        for function in list(functions_of(op)):
            if not function.is_declaration and uses_complex(function):
                replace_functions(op, function.sym_name.data, split_complex)
