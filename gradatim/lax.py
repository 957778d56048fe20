"""Functions with JAX's names: control flow (``cond``, ``scan``, ...), and ``sort``, ``top_k``."""

from .frontend.lax import (
    associative_scan,
    cond,
    fori_loop,
    map,
    scan,
    sort,
    sort_key_val,
    stop_gradient,
    switch,
    top_k,
    while_loop,
)

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
