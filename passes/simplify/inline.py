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

from ...ir.errors import GradatimError
from ...ir.functions import return_of
from ...ir.locations import spell_location
from .rewriting import blocks_of, functions_of, ops_in, rewrite_forward


class _Inliner:
    """Puts the bodies of a module's functions in the place of calls."""

    def __init__(self, module: ModuleOp) -> None:
        self.functions = {f.sym_name.data: f for f in functions_of(module)}
        self.open: list[str] = []

    def inline(self, function: FuncOp) -> None:
        """Replace each call in the function's body, in place."""
        if _callees(function):
            self.open.append(function.sym_name.data)
            self._inline_in(function.body.block)
            self.open.pop()

    def _inline_in(self, block: Block) -> None:
        def visit(op: Operation) -> Sequence[SSAValue] | None:
            for inner in blocks_of(op):
                self._inline_in(inner)
            return self.body(op, op.operands, block) if isinstance(op, CallOp) else None

        if any(isinstance(op, CallOp) for op in ops_in(block)):
            rewrite_forward(block, visit)

    def body(self, call: CallOp, arguments: Sequence[SSAValue], block: Block) -> list[SSAValue]:
        """Append the callee's body for these arguments to ``block`` and return its results."""
        callee = self._callee(call)
        self.open.append(callee.sym_name.data)
        mapped: dict[SSAValue, SSAValue] = dict(zip(callee.body.block.args, arguments))
        terminator = return_of(callee)
        for op in callee.body.block.ops:
            if isinstance(op, CallOp):
                operands = [mapped[value] for value in op.operands]
                mapped.update(zip(op.results, self.body(op, operands, block)))
            elif op is not terminator:
                copy = op.clone(mapped)
                block.add_op(copy)
                for inner in blocks_of(copy):
                    self._inline_in(inner)
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

    Inlined ops keep their own locations and names. Private functions that nothing calls any more
    are erased. Time is linear in the ops that come out.

    Raises:
        GradatimError: if a function calls itself, directly or through others, or if a callee is
            not in the module.
    """
    inliner = _Inliner(module)
    public = [f for f in functions_of(module) if not is_private(f)]
    for caller in [function] if function else public:
        inliner.inline(caller)
    _erase_uncalled(module, function)


def _erase_uncalled(module: ModuleOp, kept: FuncOp | None) -> None:
    """Erase private functions that cannot be reached from a public one or from ``kept``."""
    functions = {f.sym_name.data: f for f in functions_of(module)}
    reached = [f for f in functions.values() if f is kept or not is_private(f)]
    others = {name: f for name, f in functions.items() if is_private(f) and f is not kept}
    for function in reached:
        called = dict.fromkeys(_callees(function))
        reached += [others.pop(name) for name in called if name in others]
    for function in others.values():
        module.body.block.erase_op(function)


def _callees(function: FuncOp) -> list[str]:
    return [_callee_name(op) for op in ops_in(function.body.block) if isinstance(op, CallOp)]


def _callee_name(call: CallOp) -> str:
    return call.callee.root_reference.data


def is_private(function: FuncOp) -> bool:
    """Tell whether a function can be called from its own module only."""
    return function.sym_visibility is not None and function.sym_visibility.data == "private"


@dataclass(frozen=True)
class ArrayInline(ModulePass):
    """Replace calls by the bodies of the functions they call.

    Linear in the ops that come out. Private functions that nothing calls any more are erased; a
    recursive function is an error.

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
