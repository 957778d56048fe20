"""Trees of Python containers: what arguments and results may be."""

from .frontend.tree import (
    TreeDef,
    flatten,
    leaves,
    map,
    register_dataclass,
    register_node,
    structure,
    unflatten,
)

__all__ = [
    "TreeDef",
    "flatten",
    "leaves",
    "map",
    "register_dataclass",
    "register_node",
    "structure",
    "unflatten",
]
