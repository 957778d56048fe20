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
    from . import (
        checks,
        debug,
        errors,
        flatten_util,
        lax,
        numpy,
        random,
        test_util,
        tree,
        tree_util,
    )
    from .frontend.api import (
        grad,
        hessian,
        hvp,
        jacfwd,
        jacobian,
        jacrev,
        jit,
        jvp,
        value_and_grad,
        vmap,
    )
    from .frontend.arguments import ShapeDtypeStruct
    from .frontend.callbacks import io_callback, pure_callback
    from .frontend.checkpointing import checkpoint, checkpoint_name, checkpoint_policies, remat
    from .frontend.closures import closure_convert
    from .frontend.compiled import Compiled
    from .frontend.control_flow.conversion import do_not_convert
    from .frontend.custom import custom_gradient, custom_jvp, custom_vjp, custom_vmap, stop_gradient
    from .frontend.errors import GradatimError
    from .frontend.inspection import eval_shape, make_ir, make_jaxpr
    from .frontend.leaks import checking_leaks
    from .frontend.linear import linear_transpose, linearize, vjp
    from .frontend.lowered import Lowered
    from .frontend.scopes import named_call, named_scope
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
    "checking_leaks": "frontend.leaks",
    "checkpoint": "frontend.checkpointing",
    "checkpoint_name": "frontend.checkpointing",
    "checkpoint_policies": "frontend.checkpointing",
    "closure_convert": "frontend.closures",
    "custom_gradient": "frontend.custom",
    "custom_jvp": "frontend.custom",
    "custom_vjp": "frontend.custom",
    "custom_vmap": "frontend.custom",
    "eval_shape": "frontend.inspection",
    "io_callback": "frontend.callbacks",
    "pure_callback": "frontend.callbacks",
    "grad": "frontend.api",
    "hessian": "frontend.api",
    "hvp": "frontend.api",
    "jacfwd": "frontend.api",
    "jacobian": "frontend.api",
    "jacrev": "frontend.api",
    "jit": "frontend.api",
    "jvp": "frontend.api",
    "linear_transpose": "frontend.linear",
    "linearize": "frontend.linear",
    "make_ir": "frontend.inspection",
    "make_jaxpr": "frontend.inspection",
    "named_call": "frontend.scopes",
    "named_scope": "frontend.scopes",
    "remat": "frontend.checkpointing",
    "stage": "frontend.stage",
    "stop_gradient": "frontend.custom",
    "value_and_grad": "frontend.api",
    "vjp": "frontend.linear",
    "vmap": "frontend.api",
}
_MODULES = (
    "checks",
    "debug",
    "errors",
    "flatten_util",
    "lax",
    "numpy",
    "random",
    "test_util",
    "tree",
    "tree_util",
)

__all__ = [
    "Compiled",
    "GradatimError",
    "Lowered",
    "ShapeDtypeStruct",
    "Staged",
    "Traced",
    "checking_leaks",
    "checkpoint",
    "checkpoint_name",
    "checkpoint_policies",
    "checks",
    "closure_convert",
    "custom_gradient",
    "custom_jvp",
    "custom_vjp",
    "custom_vmap",
    "debug",
    "do_not_convert",
    "errors",
    "eval_shape",
    "flatten_util",
    "grad",
    "hessian",
    "hvp",
    "io_callback",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "lax",
    "linear_transpose",
    "linearize",
    "make_ir",
    "make_jaxpr",
    "named_call",
    "named_scope",
    "numpy",
    "pure_callback",
    "random",
    "remat",
    "stage",
    "stop_gradient",
    "test_util",
    "tree",
    "tree_util",
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
