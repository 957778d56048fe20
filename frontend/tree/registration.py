"""Making types containers."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from .keys import FlattenedIndexKey
from .kinds import NodeKind, Static, dataclass_kind, known_kinds, register_kind

T = TypeVar("T")


def register_node(
    nodetype: type[T],
    flatten_func: Callable[[T], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Sequence[Any]], T],
    flatten_with_keys_func: Callable[[T], tuple[Iterable[tuple[Any, Any]], Hashable]] | None = None,
) -> None:
    """Make a type a container; JAX calls this ``register_pytree_node``.

    Args:
        nodetype: the type; subclasses are not included.
        flatten_func: gives the children, and a hashable value for what else the structure consists
            of.
        unflatten_func: makes an instance from that value and the children, which may be anything.
        flatten_with_keys_func: as ``flatten_func``, with pairs of key and child; for paths.

    Raises:
        ValueError: if the type is registered already.
    """

    def take_apart(node: T) -> tuple[Sequence[Any], Hashable]:
        children, data = flatten_func(node)
        return tuple(children), (nodetype, data)

    def put_together(data: Any, children: Sequence[Any]) -> T:
        return unflatten_func(data[1], tuple(children))

    def keys(data: Any, count: int) -> Sequence[Any]:
        if flatten_with_keys_func is None:
            return [FlattenedIndexKey(i) for i in range(count)]
        pairs, _ = flatten_with_keys_func(put_together(data, [None] * count))
        return [key for key, _ in pairs]

    register_kind(
        nodetype, NodeKind(f"node {nodetype.__qualname__}", take_apart, put_together, keys)
    )


def register_pytree_with_keys(
    nodetype: type[T],
    flatten_with_keys: Callable[[T], tuple[Iterable[tuple[Any, Any]], Hashable]],
    unflatten_func: Callable[[Any, Sequence[Any]], T],
    flatten_func: Callable[[T], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Make a type a container whose children have keys.

    Args:
        nodetype: the type; subclasses are not included.
        flatten_with_keys: gives pairs of key and child, and what else the structure consists of.
        unflatten_func: makes an instance from that and the children, which may be any objects.
        flatten_func: gives the children without keys, faster.

    Raises:
        ValueError: if the type is registered already.
    """

    def without_keys(node: T) -> tuple[Iterable[Any], Hashable]:
        pairs, data = flatten_with_keys(node)
        return [child for _, child in pairs], data

    register_node(nodetype, flatten_func or without_keys, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls: type[T]) -> type[T]:
    """Make a class a container, by its methods ``tree_flatten`` and ``tree_unflatten``.

    The former gives children and data; the latter, a class method, takes data and children.
    """
    class_: Any = cls
    register_node(cls, lambda node: node.tree_flatten(), class_.tree_unflatten)  # type: ignore[attr-defined]
    return cls


def register_pytree_with_keys_class(cls: type[T]) -> type[T]:
    """Make a class a container, by ``tree_flatten_with_keys`` and ``tree_unflatten``.

    A method ``tree_flatten``, if there is one, gives the children without keys.
    """
    class_: Any = cls
    register_pytree_with_keys(
        cls,
        lambda node: node.tree_flatten_with_keys(),  # type: ignore[attr-defined]
        class_.tree_unflatten,
        getattr(class_, "tree_flatten", None),
    )
    return cls


def register_static(cls: type[T]) -> type[T]:
    """Make a class a container without children: its instances belong to the structure.

    They must be hashable and comparable. As arguments, functions are compiled for each value.

    Raises:
        ValueError: if the class is registered already.
    """
    register_node(cls, lambda node: ((), Static(node)), lambda data, children: data.value)
    return cls


def register_leaf(leaf_type: type[Any]) -> None:
    """Make a type a leaf that would be a container otherwise, such as a named tuple."""
    register_kind(leaf_type, None)


def register_dataclass(
    nodetype: type[T],
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> type[T]:
    """Say which fields of a dataclass are children and which belong to the structure.

    Args:
        nodetype: a dataclass.
        data_fields: names of the fields that are children; by default all but ``meta_fields`` and
            those declared by ``field(metadata={"static": True})``, or shorter `static`.
        meta_fields: names of the fields whose (hashable) values belong to the structure.
        drop_fields: names of fields that are neither, and get their defaults.

    Returns:
        The type, so that this can decorate it.

    Raises:
        ValueError: if the type is registered already, or the names are not its fields.
        TypeError: if it is no dataclass.
    """
    fields = {field.name: field for field in dataclasses.fields(nodetype) if field.init}  # type: ignore[arg-type]
    kept = [name for name in fields if name not in drop_fields]
    if meta_fields is None:
        chosen = data_fields or ()
        meta_fields = [
            name
            for name in kept
            if fields[name].metadata.get("static")
            or (data_fields is not None and name not in chosen)
        ]
    if data_fields is None:
        data_fields = [name for name in kept if name not in meta_fields]
    if sorted((*data_fields, *meta_fields)) != sorted(kept):
        raise ValueError(
            f"data fields {list(data_fields)} and meta fields {list(meta_fields)} are not the "
            f"fields {kept} of {nodetype.__name__}"
        )
    register_kind(nodetype, dataclass_kind(nodetype, tuple(data_fields), tuple(meta_fields)))
    return nodetype


def static(**kwargs: Any) -> Any:
    """Declare a dataclass field that belongs to the structure; as ``dataclasses.field``."""
    metadata = {**(kwargs.pop("metadata", None) or {}), "static": True}
    return dataclasses.field(**kwargs, metadata=metadata)


def is_tree_node(typ: type[Any]) -> bool:
    """Tell whether instances of a type are known as containers."""
    return known_kinds.get(typ) is not None


class Partial(functools.partial):  # type: ignore[type-arg]
    """A ``functools.partial`` whose arguments are children of a container.

    The function belongs to the structure. So a function that carries arrays can be an argument of
    a staged function, and a result.

    Example:
        >>> double = Partial(lambda factor, x: factor * x, 2.0)
        >>> double(21)
        42.0
    """


register_node(
    Partial,
    lambda node: ((node.args, node.keywords), Static(node.func)),
    lambda data, children: Partial(data.value, *children[0], **children[1]),
)
