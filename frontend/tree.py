"""Trees of Python containers, as JAX's pytrees: arguments and results are such trees of arrays.

Inner nodes are lists, tuples, named tuples, dictionaries (by sorted keys), ``OrderedDict``,
``defaultdict``, ``None`` (a node without children), dataclasses, and types registered here.
Everything else is a leaf.

A dataclass needs no registration: its fields are children, but those declared by
``field(metadata={"static": True})`` belong to the structure. `register_dataclass` says otherwise.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

from .errors import TreeError

T = TypeVar("T")


class NodeKind(NamedTuple):
    """How one type of container is taken apart and put together.

    Attributes:
        name: of the kind, unique.
        flatten: gives the children, and what else the structure consists of (hashable).
        unflatten: makes the container again, from that and the children.
        paths: how each child is reached from the container in source code, as ``[0]``.
    """

    name: str
    flatten: Callable[[Any], tuple[Sequence[Any], Hashable]]
    unflatten: Callable[[Any, Sequence[Any]], Any]
    paths: Callable[[Any, int], list[str]]


class Static:
    """A value that is part of a structure; equal only to an equal value of the same type."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if type(other) is not Static or type(other.value) is not type(self.value):
            return False
        return self.value is other.value or bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


class TreeDef:
    """The structure of a tree: hashable, and equal for equal structures.

    Attributes:
        kind: of the root, None for a leaf.
        data: what the root consists of besides its children: keys, type, static values.
        children: structures of the root's children.
        num_leaves: number of leaves below.
    """

    __slots__ = ("_hash", "children", "data", "kind", "num_leaves")

    def __init__(
        self,
        kind: NodeKind | None,
        data: Any,
        children: tuple[TreeDef, ...],
        num_leaves: int,
    ) -> None:
        self.kind = kind
        self.data = data
        self.children = children
        self.num_leaves = num_leaves
        self._hash: int | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            type(other) is TreeDef
            and self.kind is other.kind
            and self.num_leaves == other.num_leaves
            and self.data == other.data
            and self.children == other.children
        )

    def __hash__(self) -> int:
        if self._hash is None:
            name = self.kind.name if self.kind else None
            self._hash = hash((name, self.data, self.children))
        return self._hash

    def __repr__(self) -> str:
        return f"TreeDef({self.unflatten([_Star()] * self.num_leaves)!r})"

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """Return the tree of this structure with the given leaves.

        Raises:
            TreeError: if there are not `num_leaves` of them.
        """
        if len(leaves) != self.num_leaves:
            raise TreeError(f"a structure of {self.num_leaves} leaves was given {len(leaves)}")
        return self._build(iter(leaves))

    def compose(self, replacements: Sequence[TreeDef]) -> TreeDef:
        """Return the structure with each leaf replaced by a structure."""
        return self._compose(iter(replacements))

    def paths(self, root: str = "") -> list[str]:
        """Return how each leaf is reached, as ``root['w'][0].bias``."""
        return list(self._paths(root))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(leaves)
        return self.kind.unflatten(self.data, [child._build(leaves) for child in self.children])

    def _compose(self, replacements: Iterator[TreeDef]) -> TreeDef:
        if self.kind is None:
            return next(replacements)
        children = tuple([child._compose(replacements) for child in self.children])
        return TreeDef(self.kind, self.data, children, sum(c.num_leaves for c in children))

    def _paths(self, prefix: str) -> Iterator[str]:
        if self.kind is None:
            yield prefix
            return
        steps = self.kind.paths(self.data, len(self.children))
        for step, child in zip(steps, self.children):
            yield from child._paths(prefix + step)


class _Star:
    def __repr__(self) -> str:
        return "*"


LEAF: Final = TreeDef(None, None, (), 1)
"""The structure of a single leaf."""


def flatten(tree: Any) -> tuple[list[Any], TreeDef]:
    """Return the leaves of a tree, depth first, and its structure.

    Raises:
        TreeError: if the keys of a dictionary cannot be sorted, or a container holds itself.
    """
    leaves: list[Any] = []
    try:
        structure_ = _flatten(tree, leaves)
    except RecursionError:
        raise TreeError("a container holds itself, or is nested too deeply") from None
    return leaves, structure_


def unflatten(structure: TreeDef, leaves: Sequence[Any]) -> Any:
    """Return the tree of this structure with the given leaves.

    Raises:
        TreeError: if their number does not fit.
    """
    return structure.unflatten(leaves)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of a tree, depth first."""
    return flatten(tree)[0]


def structure(tree: Any) -> TreeDef:
    """Return the structure of a tree."""
    return flatten(tree)[1]


def map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply ``function`` to each leaf of ``tree`` and the leaves at its place in the others.

    Raises:
        TreeError: if the trees have different structures.
    """
    first, expected = flatten(tree)
    rest = []
    for other in others:
        found, found_structure = flatten(other)
        if found_structure != expected:
            raise TreeError(f"trees of different structures: {expected} and {found_structure}")
        rest.append(found)
    return expected.unflatten([function(*group) for group in zip(first, *rest)])


def flatten_one_level(node: Any) -> tuple[NodeKind | None, Hashable, Sequence[Any]]:
    """Return kind, data and children of a container; the kind of a leaf is None."""
    kind = _kinds.get(type(node), _UNSEEN)
    if kind is _UNSEEN:
        kind = _classify(type(node))
    if kind is None:
        return None, None, ()
    children, data = kind.flatten(node)
    return kind, data, children


def tuple_of(children: Sequence[TreeDef]) -> TreeDef:
    """Return the structure of a tuple of trees of the given structures."""
    count = sum(child.num_leaves for child in children)
    return TreeDef(TUPLE, None, tuple(children), count)


def static(value: Hashable) -> TreeDef:
    """Return a structure without leaves that stands for ``value``."""
    return TreeDef(STATIC, Static(value), (), 0)


def register_node(
    node_type: type[T],
    flatten: Callable[[T], tuple[Sequence[Any], Hashable]],
    unflatten: Callable[[Any, Sequence[Any]], T],
) -> None:
    """Make a type a container.

    Args:
        node_type: the type; subclasses are not included.
        flatten: gives the children, and a hashable value for what else the structure consists of.
        unflatten: makes an instance from that value and the children.

    Raises:
        ValueError: if the type is registered already.
    """

    def take_apart(node: T) -> tuple[Sequence[Any], Hashable]:
        children, data = flatten(node)
        return tuple(children), (node_type, data)

    def put_together(data: Any, children: Sequence[Any]) -> T:
        return unflatten(data[1], tuple(children))

    _register(
        node_type, NodeKind(f"node {node_type.__qualname__}", take_apart, put_together, _numbered)
    )


def register_leaf(leaf_type: type[Any]) -> None:
    """Make a type a leaf that would be a container otherwise, such as a named tuple."""
    _registered.add(leaf_type)
    _kinds[leaf_type] = None


def register_dataclass(
    node_type: type[T],
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
) -> type[T]:
    """Say which fields of a dataclass are children and which belong to the structure.

    Args:
        node_type: a dataclass.
        data_fields: names of the fields that are children; by default all but ``meta_fields`` and
            those declared by ``field(metadata={"static": True})``.
        meta_fields: names of the fields whose (hashable) values belong to the structure.

    Returns:
        The type, so that this can decorate it.

    Raises:
        ValueError: if the type is registered already, or the names are not its fields.
        TypeError: if it is no dataclass.
    """
    fields = {field.name: field for field in dataclasses.fields(node_type) if field.init}  # type: ignore[arg-type]
    if meta_fields is None:
        chosen = data_fields or ()
        meta_fields = [
            name
            for name, field in fields.items()
            if field.metadata.get("static") or (data_fields is not None and name not in chosen)
        ]
    if data_fields is None:
        data_fields = [name for name in fields if name not in meta_fields]
    if sorted((*data_fields, *meta_fields)) != sorted(fields):
        raise ValueError(
            f"data fields {list(data_fields)} and meta fields {list(meta_fields)} are not the "
            f"fields {list(fields)} of {node_type.__name__}"
        )
    _register(node_type, _dataclass_kind(node_type, tuple(data_fields), tuple(meta_fields)))
    return node_type


class DataclassData(NamedTuple):
    """What a dataclass node consists of besides its children."""

    type: type[Any]
    data_fields: tuple[str, ...]
    meta_fields: tuple[str, ...]
    values: tuple[Static, ...]


def _dataclass_kind(
    node_type: type[Any], data_fields: tuple[str, ...], meta_fields: tuple[str, ...]
) -> NodeKind:
    without_meta = DataclassData(node_type, data_fields, (), ())

    def take_apart(node: Any) -> tuple[Sequence[Any], Hashable]:
        children = [getattr(node, name) for name in data_fields]
        if not meta_fields:
            return children, without_meta
        values = tuple([Static(getattr(node, name)) for name in meta_fields])
        return children, DataclassData(node_type, data_fields, meta_fields, values)

    def put_together(data: DataclassData, children: Sequence[Any]) -> Any:
        values = dict(zip(data.data_fields, children))
        values.update((name, s.value) for name, s in zip(data.meta_fields, data.values))
        return node_type(**values)

    def paths(data: DataclassData, count: int) -> list[str]:
        return [f".{name}" for name in data.data_fields]

    return NodeKind(f"dataclass {node_type.__qualname__}", take_apart, put_together, paths)


def _numbered(data: Any, count: int) -> list[str]:
    return [f"[{i}]" for i in range(count)]


def _keyed(keys: Any, count: int) -> list[str]:
    return [f"[{key!r}]" for key in keys]


def _flatten_dict(node: dict[Any, Any]) -> tuple[Sequence[Any], Hashable]:
    keys = _sorted_keys(node)
    return [node[key] for key in keys], keys


def _sorted_keys(node: dict[Any, Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(node))
    except TypeError:
        raise TreeError(
            f"the keys {list(node)} of a dictionary cannot be sorted; use keys of one type"
        ) from None


def _flatten_defaultdict(node: defaultdict[Any, Any]) -> tuple[Sequence[Any], Hashable]:
    keys = _sorted_keys(node)
    return [node[key] for key in keys], (node.default_factory, keys)


def _unflatten_defaultdict(data: Any, children: Sequence[Any]) -> defaultdict[Any, Any]:
    return defaultdict(data[0], zip(data[1], children))


def _flatten_named_tuple(node: tuple[Any, ...]) -> tuple[Sequence[Any], Hashable]:
    return node, cast(Hashable, type(node))


def _unflatten_named_tuple(data: Any, children: Sequence[Any]) -> Any:
    return data(*children)


def _named_tuple_paths(data: Any, count: int) -> list[str]:
    return [f".{name}" for name in data._fields]


NONE: Final = NodeKind("None", lambda x: ((), None), lambda data, children: None, _numbered)
TUPLE: Final = NodeKind(
    "tuple", lambda x: (x, None), lambda data, children: tuple(children), _numbered
)
LIST: Final = NodeKind("list", lambda x: (x, None), lambda data, children: children, _numbered)
DICT: Final = NodeKind(
    "dict", _flatten_dict, lambda keys, children: dict(zip(keys, children)), _keyed
)
NAMED_TUPLE: Final = NodeKind(
    "named tuple", _flatten_named_tuple, _unflatten_named_tuple, _named_tuple_paths
)
STATIC: Final = NodeKind(
    "static", lambda x: ((), x), lambda data, children: data.value, lambda data, count: []
)
_ORDERED_DICT = NodeKind(
    "OrderedDict",
    lambda x: (list(x.values()), tuple(x)),
    lambda keys, children: OrderedDict(zip(keys, children)),
    _keyed,
)
_DEFAULT_DICT = NodeKind(
    "defaultdict",
    _flatten_defaultdict,
    _unflatten_defaultdict,
    lambda data, count: _keyed(data[1], count),
)

# The kind of each type met so far; None for types of leaves.
_kinds: dict[type[Any], NodeKind | None] = {
    type(None): NONE,
    tuple: TUPLE,
    list: LIST,
    dict: DICT,
    OrderedDict: _ORDERED_DICT,
    defaultdict: _DEFAULT_DICT,
    Static: STATIC,
}
_registered: set[type[Any]] = set(_kinds)
_UNSEEN: Final = NodeKind("unseen", *[_numbered] * 3)  # type: ignore[arg-type]


def _flatten(tree: Any, leaves: list[Any]) -> TreeDef:
    kind = _kinds.get(type(tree), _UNSEEN)
    if kind is _UNSEEN:
        kind = _classify(type(tree))
    if kind is None:
        leaves.append(tree)
        return LEAF
    nodes, data = kind.flatten(tree)
    before = len(leaves)
    children = []
    for node in nodes:
        if _kinds.get(type(node), _UNSEEN) is None:  # a known leaf: spare the call
            leaves.append(node)
            children.append(LEAF)
        else:
            children.append(_flatten(node, leaves))
    return TreeDef(kind, data, tuple(children), len(leaves) - before)


def _classify(type_: type[Any]) -> NodeKind | None:
    """Find out what instances of a type met for the first time are."""
    kind: NodeKind | None = None
    if issubclass(type_, tuple) and hasattr(type_, "_fields"):
        kind = NAMED_TUPLE
    elif dataclasses.is_dataclass(type_) and not hasattr(type_, "__array__"):
        fields = [field for field in dataclasses.fields(type_) if field.init]
        meta = tuple([field.name for field in fields if field.metadata.get("static")])
        kind = _dataclass_kind(type_, tuple([f.name for f in fields if f.name not in meta]), meta)
    _kinds[type_] = kind
    return kind


def _register(node_type: type[Any], kind: NodeKind) -> None:
    if node_type in _registered:
        raise ValueError(f"{node_type.__qualname__} is registered as a container already")
    _registered.add(node_type)
    _kinds[node_type] = kind
