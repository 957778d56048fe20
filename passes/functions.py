"""Passes that make one function out of another: which ones, and what becomes of their callers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from xdsl.dialects.builtin import ModuleOp, StringAttr, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp

from ..ir.errors import GradatimError
from ..ir.functions import find_function
from .simplify.inline import calls_in, inline_calls, is_private
from .simplify.rewriting import functions_of


def replace_functions(
    module: ModuleOp, name: str | None, transform: Callable[[FuncOp], FuncOp | Sequence[FuncOp]]
) -> None:
    """Replace the function ``name``, or every public one, by what ``transform`` makes of it.

    Calls inside are inlined first. The new function, or functions, take the old one's place. Where
    others still call the old one, it stays beside as a private function.

    Raises:
        GradatimError: if there is no such function with a body, or if it calls itself.
    """
    if name is None:
        selected = [f for f in functions_of(module) if not is_private(f)]
    else:
        selected = [find_function(module, name)]
        if selected[0].is_declaration:
            raise GradatimError(f"@{name} is only declared; there is no body to transform")
    for function in selected:
        inline_calls(module, function)
    for function in selected:
        replacement = transform(function)
        new = [replacement] if isinstance(replacement, FuncOp) else replacement
        module.body.block.insert_ops_before(new, function)
        _retire(module, function)


def _retire(module: ModuleOp, function: FuncOp) -> None:
    """Take a replaced function out of the module, or make it private where it is called."""
    calls = [call for call in _calls(module) if call.callee.root_reference == function.sym_name]
    if not calls:
        module.body.block.detach_op(function)
        return
    taken = {f.sym_name.data for f in functions_of(module)}
    name = f"{function.sym_name.data}.primal"
    while name in taken:
        name += "_"
    function.properties["sym_name"] = StringAttr(name)
    function.properties["sym_visibility"] = StringAttr("private")
    for call in calls:
        call.properties["callee"] = SymbolRefAttr(name)


def visibility_of(function: FuncOp) -> str | None:
    """Return ``private`` or ``public`` where a function says so."""
    return function.sym_visibility.data if function.sym_visibility else None


def _calls(module: ModuleOp) -> list[CallOp]:
    return [call for function in functions_of(module) for call in calls_in(function)]
