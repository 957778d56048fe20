"""The kinds of containers: how each type is taken apart and put together, and their registry."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple, cast

from ..errors import TreeError
from .keys import DictKey, GetAttrKey, SequenceKey


class NodeKind(NamedTuple):
    """How one type of container is taken apart and put together.

    Attributes:
        name: of the kind, unique.
        flatten: gives the children, and what else the structure consists of (hashable).
        unflatten: makes the container again, from that and the children.
        keys: how each of so many children is reached from the container.
    """

    name: str
    flatten: Callable[[Any], tuple[Sequence[Any], Hashable]]
    unflatten: Callable[[Any, Sequence[Any]], Any]
    keys: Callable[[Any, int], Sequence[Any]]


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


class DataclassData(NamedTuple):
    """What a dataclass node consists of besides its children."""

    type: type[Any]
    data_fields: tuple[str, ...]
    meta_fields: tuple[str, ...]
    values: tuple[Static, ...]


def kind_of(type_: type[Any]) -> NodeKind | None:
    """Return the kind of instances of a type; None if they are leaves."""
    kind = known_kinds.get(type_, UNSEEN)
    return _classify(type_) if kind is UNSEEN else kind


def register_kind(node_type: type[Any], kind: NodeKind | None) -> None:
    """Say what the instances of a type are; None for leaves.

    Raises:
        ValueError: if that was said already.
    """
    if node_type in _registered:
        raise ValueError(f"{node_type.__qualname__} is registered as a container already")
    _registered.add(node_type)
    known_kinds[node_type] = kind


def dataclass_kind(
    node_type: type[Any], data_fields: tuple[str, ...], meta_fields: tuple[str, ...]
) -> NodeKind:
    """Return the kind of a dataclass.

    Args:
        node_type: the dataclass.
        data_fields: names of the fields that are children.
        meta_fields: names of the fields whose values belong to the structure.
    """
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

    def keys(data: DataclassData, count: int) -> Sequence[Any]:
        return [GetAttrKey(name) for name in data.data_fields]

    return NodeKind(f"dataclass {node_type.__qualname__}", take_apart, put_together, keys)


def _classify(type_: type[Any]) -> NodeKind | None:
    """Find out what instances of a type met for the first time are."""
    kind: NodeKind | None = None
    if issubclass(type_, tuple) and hasattr(type_, "_fields"):
        kind = NAMED_TUPLE
    elif dataclasses.is_dataclass(type_) and not hasattr(type_, "__array__"):
        fields = [field for field in dataclasses.fields(type_) if field.init]
        meta = tuple([field.name for field in fields if field.metadata.get("static")])
        kind = dataclass_kind(type_, tuple([f.name for f in fields if f.name not in meta]), meta)
    known_kinds[type_] = kind
    return kind


def _numbered(data: Any, count: int) -> Sequence[Any]:
    return [SequenceKey(i) for i in range(count)]


def _keyed(keys: Any, count: int) -> Sequence[Any]:
    return [DictKey(key) for key in keys]


def _without_keys(data: Any, count: int) -> Sequence[Any]:
    return ()


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


def _named_tuple_keys(data: Any, count: int) -> Sequence[Any]:
    return [GetAttrKey(name) for name in data._fields]


NONE: Final = NodeKind("None", lambda x: ((), None), lambda data, children: None, _without_keys)
TUPLE: Final = NodeKind(
    "tuple", lambda x: (x, None), lambda data, children: tuple(children), _numbered
)
LIST: Final = NodeKind("list", lambda x: (x, None), lambda data, children: children, _numbered)
DICT: Final = NodeKind(
    "dict", _flatten_dict, lambda keys, children: dict(zip(keys, children)), _keyed
)
NAMED_TUPLE: Final = NodeKind(
    "named tuple", _flatten_named_tuple, _unflatten_named_tuple, _named_tuple_keys
)
STATIC: Final = NodeKind(
    "static", lambda x: ((), x), lambda data, children: data.value, _without_keys
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

UNSEEN: Final = NodeKind("unseen", *[_without_keys] * 3)  # type: ignore[arg-type]

known_kinds: dict[type[Any], NodeKind | None] = {
    type(None): NONE,
    tuple: TUPLE,
    list: LIST,
    dict: DICT,
    OrderedDict: _ORDERED_DICT,
    defaultdict: _DEFAULT_DICT,
    Static: STATIC,
}
"""The kind of each type met so far; None for types of leaves."""

_registered: set[type[Any]] = set(known_kinds)
