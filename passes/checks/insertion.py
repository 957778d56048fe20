"""Insertion of checks: behind an op comes what it must fulfil.

From there on they are as the user's own: derivatives pass by them, lanes that have stopped do not
count, and they are raised or become results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import LocationAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array.control import WhileOp
from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.functions import find_function
from ...ir.locations import CHECKED, derived, marks_of
from ..simplify.inline import inline_calls, is_private
from ..simplify.rewriting import functions_of, rewrite_forward
from .sites import KINDS, Site, Sites, checked_blocks

Number = Callable[[str, Site, LocationAttr], int]
"""Gives the number of the program's function that raises the error of a check: it gets the kind of
the check, the check, and where in the program it is."""


def insert_checks(module: ModuleOp, function: FuncOp, kinds: Sequence[str], number: Number) -> None:
    """Insert checks behind the ops of a function that have none yet; its calls are inlined.

    Ops are known by their locations to have them. So a function can be differentiated and treated
    again, for the sake of what is new in it. Derivative rules of the user's are left alone until
    they have taken the place of what they are rules for; in a batch of a loop also then, as they
    compute for lanes that have stopped.

    Raises:
        GradatimError: if there is no such kind of checks.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise GradatimError(f"the kinds of checks are {', '.join(KINDS)}, not {unknown[0]}")
    inline_calls(module, function)
    chosen = {kind: sites for kind, sites in KINDS.items() if kind in kinds}
    _insert(function.body.block, chosen, number, False)


def _insert(block: Block, kinds: Mapping[str, Sites], number: Number, in_while: bool) -> None:
    b = Builder(block)

    def visit(op: Operation) -> Sequence[SSAValue] | None:
        for inner in checked_blocks(op):
            _insert(inner, kinds, number, in_while or isinstance(op, WhileOp))
        sites = [(kind, site) for kind, of in kinds.items() for site in of(op)]
        if sites and _lacks_checks(op.location, in_while):
            b.location = op.location = derived(op.location, CHECKED)
            for kind, site in sites:
                holds, payload = site.emit(b, op.operands, op.results)
                b.check(holds, site.message, payload, number=number(kind, site, op.location))
        return None

    rewrite_forward(block, visit)


def _lacks_checks(location: LocationAttr, in_while: bool) -> bool:
    """Tell whether an op is to get checks; its batched form has them, its derivative has not."""
    marks = list(marks_of(location))
    last = next((mark for mark in marks if mark != "vmap"), "")
    if in_while and marks[:1] == ["vmap"]:
        return False
    return last.rpartition("/")[2] != CHECKED


@dataclass(frozen=True)
class ArrayInsertChecks(ModulePass):
    """Insert checks of what ops are given and make. Calls are inlined first.

    With ``kinds=div`` this

        %2 = array.div %0, %1 : tensor<f64>

    becomes

        %2 = array.div %0, %1 : tensor<f64>
        %3 = array.constant dense<0.0> : tensor<f64>
        %4 = array.compare eq %1, %3 : tensor<f64> -> tensor<i1>
        %5 = array.not %4 : tensor<i1>
        %6 = array.check %5 "division by zero" raises 0 : i64 names []

    Ops that have checks are marked by their locations, and get none again.

    Options:
        function: the function; every public one if left out.
        kinds: of ``index``, ``div`` and ``nan``.
        number: of the Python function that raises the errors.
    """

    name: ClassVar[str] = "array-insert-checks"

    function: str | None = None
    kinds: tuple[str, ...] = tuple(KINDS)
    number: int = 0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Insert checks in the function or functions."""
        if self.function is not None:
            chosen = [find_function(op, self.function)]
        else:
            chosen = [function for function in functions_of(op) if not is_private(function)]
        for function in chosen:
            insert_checks(op, function, self.kinds, lambda kind, site, location: self.number)
