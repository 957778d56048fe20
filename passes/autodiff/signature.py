"""What derivatives take and give: arguments, results, and the signature of the new function."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...ir.array.plain import GuardOp
from ...ir.array.regions import RegionOp
from ...ir.builder import Builder
from ...ir.errors import DtypeError, GradatimError
from ...ir.functions import FunctionBuilder, return_of
from ...ir.ops import copy_op
from ...ir.types import spell
from ..simplify.canonicalize import canonicalize
from ..simplify.rewriting import blocks_of, rewrite_forward
from .control.plain import select_safe
from .kinds import is_inexact


def prepared(function: FuncOp) -> FuncOp:
    """Return a function to be differentiated: simplified if it has loops or branches.

    What a loop computes in each step although it is always the same would else be differentiated
    in each step. Guards choose what is safe, also where no derivative passes by them: what is
    infinite behind them must not meet a cotangent of zero.
    """
    if not any(isinstance(op, RegionOp | GuardOp) for op in function.body.block.ops):
        return function
    copy = copy_op(function, {})
    _select_safe(copy.body.block)
    canonicalize(copy)
    return copy


def _select_safe(block: Block) -> None:
    """Let the guards of a block, and of the regions in it, choose."""
    b = Builder(block)
    found = False
    for op in block.ops:
        found |= isinstance(op, GuardOp)
        for inner in blocks_of(op):
            _select_safe(inner)

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        if not isinstance(op, GuardOp):
            return None
        b.location = op.location
        return [select_safe(b, op, op.operands)]

    if found:
        rewrite_forward(block, visit)


def with_arguments(
    function: FuncOp, types: Sequence[Attribute], names: Sequence[str | None]
) -> FunctionBuilder:
    """Begin a function with the arguments of another one and further ones behind them."""
    parameters = function.body.block.args
    return FunctionBuilder(
        function.sym_name.data,
        [*(p.type for p in parameters), *types],
        [*(p.name_hint for p in parameters), *names],
        function.location,
    )


def inputs_of(function: FuncOp, argnums: Sequence[int]) -> list[SSAValue]:
    """Return the arguments that ``argnums`` name.

    Raises:
        GradatimError: if they do not name distinct arguments.
        DtypeError: if one is neither of floats nor of complex numbers.
    """
    name, parameters = function.sym_name.data, function.body.block.args
    if len(set(argnums)) != len(argnums) or not all(0 <= i < len(parameters) for i in argnums):
        raise GradatimError(
            f"argnums {list(argnums)} are not distinct arguments of @{name}, "
            f"which has {len(parameters)}"
        )
    for i in argnums:
        if not is_inexact(parameters[i]):
            raise DtypeError(
                f"@{name} cannot be differentiated by argument {i}: it is {spell(parameters[i])}, "
                "and only floats and complex numbers have derivatives"
            )
    return [parameters[i] for i in argnums]


def differentiable_results(function: FuncOp, aux: int) -> list[int]:
    """Return the positions of the results that have derivatives: inexact, and not of the last
    ``aux`` ones.

    Raises:
        GradatimError: if there are not as many results.
    """
    results = return_of(function).operands
    if not 0 <= aux <= len(results):
        raise GradatimError(
            f"@{function.sym_name.data} has {len(results)} results, of which {aux} cannot be aux"
        )
    return [i for i, value in enumerate(results[: len(results) - aux]) if is_inexact(value)]
