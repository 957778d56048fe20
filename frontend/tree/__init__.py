"""Trees of Python containers, as JAX's pytrees: arguments and results are such trees of arrays.

Inner nodes are lists, tuples, named tuples, dictionaries (by sorted keys), ``OrderedDict``,
``defaultdict``, ``None`` (a node without children), dataclasses, and types registered here.
Everything else is a leaf.

A dataclass needs no registration: its fields are children, but those declared by
``field(metadata={"static": True})`` belong to the structure. `register_dataclass` says otherwise.
"""

from .functions import (
    all,
    all_leaves,
    broadcast,
    leaves,
    leaves_with_path,
    map,
    map_with_path,
    reduce,
    reduce_associative,
    transpose,
    unflatten,
)
from .keys import DictKey, FlattenedIndexKey, GetAttrKey, KeyPath, SequenceKey, keystr
from .kinds import DICT, LIST, NAMED_TUPLE, NONE, STATIC, TUPLE, DataclassData, NodeKind, Static
from .registration import (
    Partial,
    is_tree_node,
    register_dataclass,
    register_leaf,
    register_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
    static,
)
from .structure import (
    LEAF,
    TreeDef,
    flatten,
    flatten_one_level,
    flatten_with_path,
    structure,
    tuple_of,
)

__all__ = [
    "DICT",
    "LEAF",
    "LIST",
    "NAMED_TUPLE",
    "NONE",
    "STATIC",
    "TUPLE",
    "DataclassData",
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyPath",
    "NodeKind",
    "Partial",
    "SequenceKey",
    "Static",
    "TreeDef",
    "all",
    "all_leaves",
    "broadcast",
    "flatten",
    "flatten_one_level",
    "flatten_with_path",
    "is_tree_node",
    "keystr",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "register_dataclass",
    "register_leaf",
    "register_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "static",
    "structure",
    "transpose",
    "tuple_of",
    "unflatten",
]
