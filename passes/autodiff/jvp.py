"""Forward mode: one sweep over the tape, in the order of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.locations import derived
from ..functions import replace_functions
from .kinds import Rule
from .primal import Primal, copy_primal, differentiable_results, inputs_of


def jvp(function: FuncOp, argnums: Sequence[int] = (0,), *, aux: int = 0) -> FuncOp:
    """Return the function that also computes a Jacobian-vector product (forward mode).

    Args:
        function: a function ``(x...) -> (y...)`` without calls; it is left as it is.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no tangent.

    Returns:
        ``(x..., tangents of the argnums...) -> (y..., tangents of y...)``. Results of integers and
        bools have no tangent.

    Raises:
        GradatimError: if ``argnums`` or ``aux`` do not fit, or if an op has no derivative rule.
        DtypeError: if an argument of ``argnums`` is neither of floats nor of complex numbers.
    """
    inputs = inputs_of(function, argnums)
    names = [f"{value.name_hint}_tangent" if value.name_hint else None for value in inputs]
    primal = copy_primal(function, inputs, [value.type for value in inputs], names)
    outputs = [primal.outputs[i] for i in differentiable_results(function, aux)]
    tangents = _sweep(primal, outputs)
    builder = primal.builder
    builder.location = derived(function.location, "jvp")
    found = [
        tangents[value] if value in tangents else builder.full_like(value, 0) for value in outputs
    ]
    return primal.finish([*primal.outputs, *found], function)


def _sweep(primal: Primal, outputs: Sequence[SSAValue]) -> dict[SSAValue, SSAValue]:
    """Append the tangents of all values between inputs and outputs; zeros are left out."""
    builder = primal.builder
    tangents = dict(zip(primal.inputs, primal.extra))
    for op, rule in _useful(primal.tape, outputs):
        given = [tangents.get(value) for value in op.operands]
        if not any(given):
            continue
        builder.location = derived(op.location, "jvp")
        found = zip(op.results, rule.jvp(builder, op, given))
        tangents.update((result, tangent) for result, tangent in found if tangent is not None)
    return tangents


def _useful(
    tape: Sequence[tuple[Operation, Rule]], outputs: Sequence[SSAValue]
) -> list[tuple[Operation, Rule]]:
    """Return the part of the tape that reaches the outputs."""
    needed = set(outputs)
    useful = []
    for op, rule in reversed(tape):
        if not needed.isdisjoint(op.results):
            needed.update(op.operands)
            useful.append((op, rule))
    useful.reverse()
    return useful


@dataclass(frozen=True)
class ArrayJvp(ModulePass):
    """Differentiate a function in forward mode: from tangents of arguments to tangents of results.

    The new function takes the old one's place. It has the tangents of the arguments ``argnums`` as
    further arguments and the tangents of its results as further results. Ops that no derivative
    flows through get none. Calls are inlined first.

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %y = array.sin %x : tensor<f64>
          func.return %y : tensor<f64>
        }

    becomes

        func.func @f(%x: tensor<f64>, %x_tangent: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
          %y = array.sin %x : tensor<f64>
          %0 = array.cos %x : tensor<f64>
          %1 = array.mul %x_tangent, %0 : tensor<f64>
          func.return %y, %1 : tensor<f64>, tensor<f64>
        }

    Options:
        function: the function to differentiate; every public one if left out.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no tangent.
    """

    name: ClassVar[str] = "array-jvp"

    function: str | None = None
    argnums: tuple[int, ...] = (0,)
    aux: int = 0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by its jvp."""
        replace_functions(op, self.function, lambda f: jvp(f, self.argnums, aux=self.aux))
