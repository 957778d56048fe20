"""Functions with JAX's names that NumPy lacks: control flow, sorting together, computed windows.

In a traced function the first become control-flow ops, which all transformations take. Outside of
one all compile and run at once.
"""

from ..custom import stop_gradient
from .branches import cond, switch
from .collectives import axis_index, axis_size, pmax, pmean, pmin, psum
from .loops import fori_loop, scan, while_loop
from .maps import associative_scan, map
from .ordering import sort, sort_key_val, top_k
from .windows import (
    dynamic_index_in_dim,
    dynamic_slice,
    dynamic_slice_in_dim,
    dynamic_update_index_in_dim,
    dynamic_update_slice,
    dynamic_update_slice_in_dim,
)

__all__ = [
    "associative_scan",
    "axis_index",
    "axis_size",
    "cond",
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "fori_loop",
    "map",
    "pmax",
    "pmean",
    "pmin",
    "psum",
    "scan",
    "sort",
    "sort_key_val",
    "stop_gradient",
    "switch",
    "top_k",
    "while_loop",
]
