"""Functions with JAX's names that NumPy lacks: structured control flow, and sorting together.

In a traced function the former become control-flow ops, which all transformations take. Outside of
one all compile and run at once.
"""

from ..custom import stop_gradient
from .branches import cond, switch
from .loops import fori_loop, scan, while_loop
from .maps import associative_scan, map
from .ordering import sort, sort_key_val, top_k

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "sort",
    "sort_key_val",
    "stop_gradient",
    "switch",
    "top_k",
    "while_loop",
]
