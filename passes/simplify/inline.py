"""Inlining of calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.control import CustomDerivativeOp
from ...ir.errors import GradatimError
from ...ir.functions import return_of
from ...ir.locations import spell_location
from ...ir.ops import append_op, copy_op, ops_in, ops_of
from .rewriting import functions_of, rewrite_forward


class _Inliner:
    """Puts the bodies of a module's functions in the place of calls."""

    def __init__(self, module: ModuleOp) -> None:
        self.functions = {f.sym_name.data: f for f in functions_of(module)}
        self.open: list[str] = []

    def inline(self, function: FuncOp) -> None:
        """Replace each call in the function's body, in place."""
        self.open.append(function.sym_name.data)
        self._inline_block(function.body.block, in_rule=False)
        self.open.pop()

    def _inline_block(self, block: Block, in_rule: bool) -> None:
        def visit(op: Operation) -> Sequence[SSAValue] | None:
            if isinstance(op, CallOp):
                return self._body(op, op.operands, block, in_rule)
            self._inline_regions(op, in_rule)
            return None

        if any(type(op) is CallOp for op in ops_of(block)):
            rewrite_forward(block, visit)
        else:
            for op in ops_of(block):
                if op.regions:
                    self._inline_regions(op, in_rule)

    def _inline_regions(self, op: Operation, in_rule: bool) -> None:
        for number, region in enumerate(op.regions):
            is_rule = isinstance(op, CustomDerivativeOp) and number > 0
            for block in region.blocks:
                self._inline_block(block, in_rule or is_rule)

    def _body(
        self, call: CallOp, arguments: Sequence[SSAValue], block: Block, in_rule: bool
    ) -> Sequence[SSAValue] | None:
        """Append the callee's body for these arguments to ``block`` and return its results.

        Return None where the call stays: where a derivative rule calls itself.
        """
        if in_rule and _callee_name(call) in self.open:
            return None
        callee = self._callee(call)
        self.open.append(callee.sym_name.data)
        mapped: dict[SSAValue, SSAValue] = dict(zip(callee.body.block.args, arguments))
        terminator = return_of(callee)
        for op in callee.body.block.ops:
            if op is terminator:
                continue
            results = None
            if isinstance(op, CallOp):
                operands = [mapped[value] for value in op.operands]
                results = self._body(op, operands, block, in_rule)
            if results is None:
                copy = copy_op(op, mapped)
                append_op(block, copy)
                self._inline_regions(copy, in_rule)
            else:
                mapped.update(zip(op.results, results))
        self.open.pop()
        return [mapped[value] for value in terminator.operands]

    def _callee(self, call: CallOp) -> FuncOp:
        name = _callee_name(call)
        where = spell_location(call.location)
        if name in self.open:
            chain = " calls ".join(f"@{n}" for n in (*self.open[self.open.index(name) :], name))
            raise GradatimError(f"a recursive function cannot be inlined: {chain}", where)
        if name not in self.functions:
            raise GradatimError(f"the module has no function @{name} to inline", where)
        return self.functions[name]


def inline_calls(module: ModuleOp, function: FuncOp | None = None) -> None:
    """Replace calls in ``function``, or in all public functions, by the bodies of the callees.

    Calls in regions are replaced, too, except where a derivative rule of the user's calls itself:
    that is opened once, and again when the rule has taken its place. Inlined ops keep their own
    locations and names. Private functions that nothing calls any more are erased. Time is linear in
    the ops that come out.

    Raises:
        GradatimError: if a function calls itself, directly or through others, or if a callee is
            not in the module.
    """
    inliner = _Inliner(module)
    public = [f for f in functions_of(module) if not is_private(f)]
    for caller in [function] if function else public:
        inliner.inline(caller)
    erase_uncalled(module, function)


def erase_uncalled(module: ModuleOp, kept: FuncOp | None = None) -> None:
    """Erase private functions that cannot be reached from a public one or from ``kept``."""
    functions = {f.sym_name.data: f for f in functions_of(module)}
    reached = [f for f in functions.values() if f is kept or not is_private(f)]
    others = {name: f for name, f in functions.items() if is_private(f) and f is not kept}
    for function in reached:
        called = dict.fromkeys(map(_callee_name, calls_in(function)))
        reached += [others.pop(name) for name in called if name in others]
    for function in others.values():
        module.body.block.erase_op(function)


def calls_in(function: FuncOp) -> list[CallOp]:
    """Return the calls in a function, also those in regions."""
    return [op for op in ops_in(function.body.block) if type(op) is CallOp]


def _callee_name(call: CallOp) -> str:
    return call.callee.root_reference.data


def is_private(function: FuncOp) -> bool:
    """Tell whether a function can be called from its own module only."""
    return function.sym_visibility is not None and function.sym_visibility.data == "private"


@dataclass(frozen=True)
class ArrayInline(ModulePass):
    """Replace calls by the bodies of the functions they call.

    Linear in the ops that come out. Private functions that nothing calls any more are erased. A
    recursive function is an error, but where a rule of ``array.custom_derivative`` calls itself,
    the inner call stays.

        func.func private @square(%x: tensor<f64>) -> tensor<f64> {
          %y = array.mul %x, %x : tensor<f64>
          func.return %y : tensor<f64>
        }
        func.func @f(%a: tensor<f64>) -> tensor<f64> {
          %b = func.call @square(%a) : (tensor<f64>) -> tensor<f64>
          func.return %b : tensor<f64>
        }

    becomes

        func.func @f(%a: tensor<f64>) -> tensor<f64> {
          %y = array.mul %a, %a : tensor<f64>
          func.return %y : tensor<f64>
        }
    """

    name: ClassVar[str] = "array-inline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        inline_calls(op)
