"""Structured control flow with JAX's names: what Python's statements cannot say of traced values.

In a traced function these become control-flow ops, which all transformations take. Outside of one
they compile and run at once.
"""

from ..custom import stop_gradient
from .branches import cond, switch
from .loops import fori_loop, scan, while_loop
from .maps import associative_scan, map

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "stop_gradient",
    "switch",
    "while_loop",
]
