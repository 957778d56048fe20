"""The transformations of a staged function: each is data, and says which pass does the work.

A transformation knows three things: what its function must be called with, given what the
transformed one is called with (before tracing); what the transformed one returns, given what the
function returns (after tracing); and the passes that make one of the other. It computes nothing
and looks into no IR, so that transformations nest to any depth.
"""

from .base import Function, Lanes, PassCall, Results, Transform
from .derivatives import Grad, Jvp, Vjp
from .jacobians import Jacobian
from .mapping import Vmap
from .recomputation import Checkpoint
from .shared import as_argnums
from .transposition import LinearTranspose

__all__ = [
    "Checkpoint",
    "Function",
    "Grad",
    "Jacobian",
    "Jvp",
    "Lanes",
    "LinearTranspose",
    "PassCall",
    "Results",
    "Transform",
    "Vjp",
    "Vmap",
    "as_argnums",
]
