"""Programs for tests of fusion and bufferisation, and ways to run and to look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.dialects import new_context
from gradatim.ir.functions import FunctionBuilder, find_function
from gradatim.ir.kernel.ops import FusionOp
from gradatim.ir.types import Shape, shape_of, tensor_type
from gradatim.passes.fusion.fuse import ArrayFuse

F32 = np.dtype(np.float32)
CONTEXT = new_context()

Body = Callable[..., SSAValue | Sequence[SSAValue]]


def module_of(body: Body, *shapes: Shape, dtype: np.dtype = F32) -> ModuleOp:
    """Return the module of a function ``f``, whose body appends ops to a builder."""
    function = FunctionBuilder("f", [tensor_type(s, dtype) for s in shapes])
    results = body(function.builder, *function.arguments)
    return ModuleOp(
        [function.finish([results] if isinstance(results, SSAValue) else list(results))]
    )


def fused(module: ModuleOp, vector_bits: int = 256) -> list[FusionOp]:
    """Fuse a module, verify it, and return its kernels."""
    ArrayFuse(vector_bits=vector_bits).apply(CONTEXT, module)
    module.verify()
    return fusions_of(module)


def fusions_of(module: ModuleOp) -> list[FusionOp]:
    """Return the kernels of the function ``f``."""
    return [op for op in find_function(module, "f").body.block.ops if isinstance(op, FusionOp)]


def op_names(module: ModuleOp) -> list[str]:
    """Return the names of all ops of the function, also those inside of kernels."""
    return [op.name for op in find_function(module, "f").walk()]


def long_chain(ops: int) -> Body:
    """Return the sum of a chain of cheap and dear ops in which early values are used late."""

    def body(b: Builder, x: SSAValue) -> SSAValue:
        values = [x]
        for number in range(ops // 4):
            y = b.sin(values[-1])
            y = b.mul(y, x)
            y = b.max(y, b.full_like(y, 0.25))
            values.append(b.add(y, values[number // 2]))
        return b.reduce("add", values[-1], range(len(shape_of(x))))

    return body


def equal(left: np.ndarray, right: np.ndarray) -> bool:
    """Tell whether two arrays are the same, NaN being equal to itself."""
    return (
        left.dtype == right.dtype
        and left.shape == right.shape
        and np.array_equal(left, right, equal_nan=left.dtype.kind in "fc")
    )
