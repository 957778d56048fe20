"""Which dialects a program may be written in, and a context that knows them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from xdsl.context import Context
from xdsl.ir import Dialect


def _lazy(module: str, name: str) -> Callable[[], Dialect]:
    def load() -> Dialect:
        dialect = getattr(import_module(module, __package__), name)
        assert isinstance(dialect, Dialect)
        return dialect

    return load


DIALECTS: Final[dict[str, Callable[[], Dialect]]] = {
    "array": _lazy(".array", "Array"),
    "kernel": _lazy(".kernel", "Kernel"),
}
"""The dialects that gradatim adds, imported when first used."""

UPSTREAM_DIALECTS: Final[dict[str, Callable[[], Dialect]]] = {
    "builtin": _lazy("xdsl.dialects.builtin", "Builtin"),
    "func": _lazy("xdsl.dialects.func", "Func"),
    "arith": _lazy("xdsl.dialects.arith", "Arith"),
    "math": _lazy("xdsl.dialects.math", "Math"),
    "scf": _lazy("xdsl.dialects.scf", "Scf"),
    "memref": _lazy("xdsl.dialects.memref", "MemRef"),
    "vector": _lazy("xdsl.dialects.vector", "Vector"),
    "tensor": _lazy("xdsl.dialects.tensor", "Tensor"),
}
"""The dialects of xDSL that gradatim's levels are made of, imported when first used."""


def register_dialects(context: Context) -> None:
    """Make every dialect of gradatim's levels known to ``context``."""
    for name, factory in (UPSTREAM_DIALECTS | DIALECTS).items():
        context.register_dialect(name, factory)


def new_context() -> Context:
    """Return a context that knows every dialect of gradatim's levels."""
    context = Context()
    register_dialects(context)
    return context
