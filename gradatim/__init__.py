"""gradatim: a staged compiler for array programs in Python.

A function that computes by NumPy is traced once; differentiation, batching and fusion are passes
on its intermediate representation; what comes out is machine code that takes and returns NumPy
arrays.

    import numpy as np
    import gradatim as gd

    def f(x):
        return x * np.sin(x**2)

    gd.grad(f)(0.13)
    gd.stage(f).grad().vmap()(np.linspace(0.0, 1.0, 1000))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, lax, numpy, tree
    from .frontend.api import grad, jit, jvp, value_and_grad, vjp, vmap
    from .frontend.arguments import ShapeDtypeStruct
    from .frontend.compiled import Compiled
    from .frontend.control_flow.conversion import do_not_convert
    from .frontend.errors import GradatimError
    from .frontend.lowered import Lowered
    from .frontend.stage import Staged, stage
    from .frontend.traced import Traced

__version__ = "0.1.0"

_PLACES = {
    "Compiled": "frontend.compiled",
    "GradatimError": "frontend.errors",
    "Lowered": "frontend.lowered",
    "ShapeDtypeStruct": "frontend.arguments",
    "Staged": "frontend.stage",
    "Traced": "frontend.traced",
    "do_not_convert": "frontend.control_flow.conversion",
    "grad": "frontend.api",
    "jit": "frontend.api",
    "jvp": "frontend.api",
    "stage": "frontend.stage",
    "value_and_grad": "frontend.api",
    "vjp": "frontend.api",
    "vmap": "frontend.api",
}
_MODULES = ("errors", "lax", "numpy", "tree")

__all__ = [
    "Compiled",
    "GradatimError",
    "Lowered",
    "ShapeDtypeStruct",
    "Staged",
    "Traced",
    "do_not_convert",
    "errors",
    "grad",
    "jit",
    "jvp",
    "lax",
    "numpy",
    "stage",
    "tree",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that ``import gradatim`` takes no time."""
    if name in _PLACES:
        found = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    elif name in _MODULES:
        found = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
