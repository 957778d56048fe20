"""Trees of Python containers, by the names of ``jax.tree_util``; see `gradatim.tree`."""

from .frontend.tree import LEAF as _LEAF
from .frontend.tree import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    KeyPath,
    Partial,
    SequenceKey,
    all_leaves,
    is_tree_node,
    keystr,
    register_dataclass,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
)
from .frontend.tree import TreeDef as PyTreeDef
from .frontend.tree import all as tree_all
from .frontend.tree import broadcast as tree_broadcast
from .frontend.tree import flatten as tree_flatten
from .frontend.tree import flatten_with_path as tree_flatten_with_path
from .frontend.tree import leaves as tree_leaves
from .frontend.tree import leaves_with_path as tree_leaves_with_path
from .frontend.tree import map as tree_map
from .frontend.tree import map_with_path as tree_map_with_path
from .frontend.tree import reduce as tree_reduce
from .frontend.tree import reduce_associative as tree_reduce_associative
from .frontend.tree import register_node as register_pytree_node
from .frontend.tree import structure as tree_structure
from .frontend.tree import transpose as tree_transpose
from .frontend.tree import tuple_of as treedef_tuple
from .frontend.tree import unflatten as tree_unflatten

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all_leaves",
    "is_tree_node",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """Return the structures of a root's children."""
    return list(treedef.children)


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Tell whether a structure is that of a single leaf."""
    return treedef == _LEAF
