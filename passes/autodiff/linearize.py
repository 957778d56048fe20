"""Derivatives as functions of their own: vjp and linearization in two parts, and transposition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, SSAValue
from xdsl.passes import ModulePass

from ...ir.functions import return_of
from ..blocks import ops_between
from ..costs import cost_of_computing
from ..functions import replace_functions, visibility_of
from ..influence import influenced_values
from ..partition import Prices, Split, cost_between_calls, part_of, split
from ..simplify.canonicalize import canonicalize
from .kinds import not_linear, require_unused
from .rules import NON_DIFFERENTIABLE
from .signature import differentiable_results, inputs_of, prepared
from .vjp import reverse, vjp


def split_vjp(function: FuncOp, argnums: Sequence[int] = (0,), *, aux: int = 0) -> Split:
    """Return reverse mode in two parts, of which the second can be called many times.

    Args:
        function: a function ``(x...) -> (y...)`` without calls; it is left as it is.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no cotangent.

    Returns:
        ``f.forward``, ``(x...) -> (y..., residuals...)``, and ``f.pullback``, ``(residuals...,
        cotangents of y...) -> gradients of the argnums``. Results of integers and bools have no
        cotangent.

    Raises:
        GradatimError: if ``argnums`` or ``aux`` do not fit, or if an op has no derivative rule.
        DtypeError: if an argument of ``argnums`` is neither of floats nor of complex numbers.
    """
    return _split(function, argnums, aux, "pullback", repeats=1)


def _split(function: FuncOp, argnums: Sequence[int], aux: int, name: str, repeats: int) -> Split:
    """Return reverse mode in two parts, the second of which is expected to be called so often."""
    joint = vjp(function, argnums, aux=aux)
    canonicalize(joint)
    prefix = function.sym_name.data
    known, results = len(function.body.block.args), len(return_of(function).operands)
    prices = Prices(cost_between_calls, lambda op: repeats * cost_of_computing(op))
    return split(joint, known, results, (f"{prefix}.forward", f"{prefix}.{name}"), prices)


REPEATS: Final = 16
"""How often a linearization is expected to be used, so that what it repeats counts as often."""


def linearize(function: FuncOp, argnums: Sequence[int] = (0,), *, aux: int = 0) -> Split:
    """Return forward mode in two parts, of which the second, linear one can be called many times.

    It is the transpose of the pullback, so that it computes nothing that depends on the arguments
    only.

    Args:
        function: a function ``(x...) -> (y...)`` without calls; it is left as it is.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no tangent.

    Returns:
        ``f.forward``, ``(x...) -> (y..., residuals...)``, and ``f.linear``, ``(residuals...,
        tangents of the argnums...) -> tangents of y``. Results of integers and bools have no
        tangent.

    Raises:
        GradatimError: if ``argnums`` or ``aux`` do not fit, or if an op has no derivative rule.
        DtypeError: if an argument of ``argnums`` is neither of floats nor of complex numbers.
    """
    forward, pullback = _split(function, argnums, aux, "linear", REPEATS)
    residuals = len(return_of(forward).operands) - len(return_of(function).operands)
    linear = transpose(pullback, range(residuals, len(pullback.body.block.args)))
    for argument in linear.body.block.args[residuals:]:
        argument.name_hint = "tangent"
    return Split(forward, linear)


def transpose(function: FuncOp, linear_args: Sequence[int] = (0,)) -> FuncOp:
    """Return the transpose of a function that is linear in some arguments.

    Args:
        function: a function without calls; it is left as it is.
        linear_args: the arguments in which it is linear.

    Returns:
        ``(other arguments..., cotangents of the results...) -> cotangents of the linear_args``.
        Results of integers and bools have no cotangent.

    Raises:
        GradatimError: if ``linear_args`` do not fit, if an op has no derivative rule, or if the
            function is not linear; the message names the op and its line.
        DtypeError: if an argument of ``linear_args`` is neither of floats nor of complex numbers.
    """
    function = prepared(function)
    inputs = inputs_of(function, linear_args)
    parameters = function.body.block.args
    positions = differentiable_results(function, 0)
    joint, results, gradients = reverse(function, inputs, positions, linear=True)
    linear = [new for old, new in zip(parameters, joint.arguments) if old in inputs]
    _require_derivatives(joint.block, linear, [results[i] for i in positions])
    whole = joint.finish(gradients, visibility_of(function))
    needed = part_of(whole, function.sym_name.data, whole.body.block.args, gradients)
    if any(op.regions for op in needed.body.block.ops):
        canonicalize(needed)  # so that no op with regions takes linear arguments in vain
    places = [i for i, value in enumerate(joint.arguments) if value in linear]
    arguments = needed.body.block.args
    require_unused([arguments[i] for i in places])
    others = [value for i, value in enumerate(arguments) if i not in places]
    return part_of(needed, function.sym_name.data, others, return_of(needed).operands)


def _require_derivatives(
    block: Block, linear: Sequence[SSAValue], results: Sequence[SSAValue]
) -> None:
    """Raise if results depend on the linear arguments by an op without derivative."""
    dependent = influenced_values(block, linear)
    for op in ops_between(block, block.args, results):
        if type(op) in NON_DIFFERENTIABLE and not dependent.isdisjoint(op._operands):
            raise not_linear(op.name, op.location)


@dataclass(frozen=True)
class ArraySplitVjp(ModulePass):
    """Differentiate in reverse mode, in two functions: one forward, and one from cotangents back.

    In place of ``f`` come ``f.forward``, which has residuals as further results, and
    ``f.pullback``, which takes them and the cotangents of the results. Which values are residuals
    and which are computed again follows from what both cost. Calls are inlined first.

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %y = array.sin %x : tensor<f64>
          func.return %y : tensor<f64>
        }

    becomes

        func.func @f.forward(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
          %y = array.sin %x : tensor<f64>
          %0 = array.cos %x : tensor<f64>
          func.return %y, %0 : tensor<f64>, tensor<f64>
        }
        func.func @f.pullback(%0: tensor<f64>, %cotangent: tensor<f64>) -> tensor<f64> {
          %1 = array.mul %cotangent, %0 : tensor<f64>
          func.return %1 : tensor<f64>
        }

    Options:
        function: the function to differentiate; every public one if left out.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no cotangent.
    """

    name: ClassVar[str] = "array-split-vjp"

    function: str | None = None
    argnums: tuple[int, ...] = (0,)
    aux: int = 0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by the two parts of its vjp."""
        replace_functions(op, self.function, lambda f: split_vjp(f, self.argnums, aux=self.aux))


@dataclass(frozen=True)
class ArrayLinearize(ModulePass):
    """Differentiate in forward mode, in two functions: one forward, and one linear in tangents.

    In place of ``f`` come ``f.forward``, which has residuals as further results, and ``f.linear``,
    which takes them and the tangents of the arguments ``argnums``. It computes nothing that depends
    on the arguments only. Calls are inlined first.

        func.func @f(%x: tensor<f64>) -> tensor<f64> {
          %y = array.sin %x : tensor<f64>
          func.return %y : tensor<f64>
        }

    becomes

        func.func @f.forward(%x: tensor<f64>) -> (tensor<f64>, tensor<f64>) {
          %y = array.sin %x : tensor<f64>
          %0 = array.cos %x : tensor<f64>
          func.return %y, %0 : tensor<f64>, tensor<f64>
        }
        func.func @f.linear(%0: tensor<f64>, %tangent: tensor<f64>) -> tensor<f64> {
          %1 = array.mul %tangent, %0 : tensor<f64>
          func.return %1 : tensor<f64>
        }

    Options:
        function: the function to differentiate; every public one if left out.
        argnums: the arguments by which to differentiate.
        aux: how many of the last results have no tangent.
    """

    name: ClassVar[str] = "array-linearize"

    function: str | None = None
    argnums: tuple[int, ...] = (0,)
    aux: int = 0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by the two parts of its linearization."""
        replace_functions(op, self.function, lambda f: linearize(f, self.argnums, aux=self.aux))


@dataclass(frozen=True)
class ArrayTranspose(ModulePass):
    """Transpose a function that is linear in some of its arguments.

    The new function takes the old one's place. In place of the linear arguments it has cotangents
    of the results, behind the other arguments, and its results are cotangents of the linear
    arguments. An op that is not linear is an error. Calls are inlined first.

        func.func @f(%w: tensor<3xf64>, %x: tensor<f64>) -> tensor<3xf64> {
          %b = array.broadcast %x dims [] : tensor<f64> -> tensor<3xf64>
          %y = array.mul %w, %b : tensor<3xf64>
          func.return %y : tensor<3xf64>
        }

    becomes with ``array-transpose{linear-args=1}``

        func.func @f(%w: tensor<3xf64>, %cotangent: tensor<3xf64>) -> tensor<f64> {
          %0 = array.mul %cotangent, %w : tensor<3xf64>
          %1 = array.reduce add %0 dims [0] : tensor<3xf64> -> tensor<f64>
          func.return %1 : tensor<f64>
        }

    Options:
        function: the function to transpose; every public one if left out.
        linear-args: the arguments in which it is linear.
    """

    name: ClassVar[str] = "array-transpose"

    function: str | None = None
    linear_args: tuple[int, ...] = (0,)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Replace the function by its transpose."""
        replace_functions(op, self.function, lambda f: transpose(f, self.linear_args))
