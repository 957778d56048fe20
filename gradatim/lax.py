"""Structured control flow with JAX's names: ``cond``, ``switch``, ``scan``, ``while_loop``, ..."""

from .frontend.lax import (
    associative_scan,
    cond,
    fori_loop,
    map,
    scan,
    stop_gradient,
    switch,
    while_loop,
)

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
