"""From the code of a function to code that can depend on traced values."""

from __future__ import annotations

from types import CellType, CodeType
from typing import Any

from ..tracer import Tracer
from .names import Scope, body_of, mentioned
from .rewriting import Rewriter
from .source_code import as_definition, bare, function_syntax
from .syntax import CALL, RUNTIME, TRACER, TYPE
from .units import RUNTIME_CELLS, Unit


def translated(code: CodeType, module: dict[str, Any]) -> Unit | None:
    """Return a function's code rewritten, None if its source is not at hand.

    Args:
        code: of the function.
        module: its global variables.
    """
    found = function_syntax(code, module)
    if found is None:
        return None
    node, origin = found
    if origin.class_name and any(map(_is_private, mentioned(body_of(node)))):
        return None  # as variables, such names are spelled otherwise in the compiled code
    if not RUNTIME_CELLS:
        _install()
    free = frozenset(code.co_freevars)
    sites: list[Any] = []
    try:
        rewritten = Rewriter(origin, Scope(free), sites).root(bare(node))
        unit = Unit(origin, [as_definition(rewritten)], free, sites)
    except RecursionError:  # expressions nested so deeply that only Python's own code can cope
        return None
    unit.remember()
    return unit


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__")


def _install() -> None:
    """Give rewritten source what it calls."""
    from . import runtime
    from .calls import call

    names = {RUNTIME: runtime, CALL: call, TRACER: Tracer, TYPE: type}
    RUNTIME_CELLS.update((name, CellType(value)) for name, value in names.items())
