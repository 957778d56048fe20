"""Structures of trees, and taking trees apart."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from ..errors import TreeError
from .keys import KeyPath, keystr
from .kinds import TUPLE, UNSEEN, NodeKind, kind_of, known_kinds

IsLeaf: TypeAlias = Callable[[Any], bool]
"""Tells of a part of a tree, before it is taken apart, whether to leave it whole as a leaf."""


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

    @property
    def num_nodes(self) -> int:
        """Number of leaves and containers."""
        return 1 + sum(child.num_nodes for child in self.children)

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Return the tree of this structure with the given leaves.

        Raises:
            TreeError: if there are not `num_leaves` of them.
        """
        given = leaves if isinstance(leaves, (list, tuple)) else list(leaves)
        if len(given) != self.num_leaves:
            raise TreeError(f"a structure of {self.num_leaves} leaves was given {len(given)}")
        return self._build(iter(given))

    def compose(self, replacements: TreeDef | Sequence[TreeDef]) -> TreeDef:
        """Return the structure with each leaf replaced by a structure, the same one or its own."""
        if isinstance(replacements, TreeDef):
            replacements = [replacements] * self.num_leaves
        return self._compose(iter(replacements))

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """Return the parts of a tree that stand where this structure has leaves.

        Raises:
            TreeError: if this structure is no prefix of the tree's.
        """
        parts: list[Any] = []
        if not self._flatten_up_to(tree, parts):
            path, expected, found = self._difference(tree, ())
            place = f" at {keystr(path)}" if path else ""
            raise TreeError(f"trees of different structures{place}: {expected} and {found}")
        return parts

    def paths(self, root: str = "") -> list[str]:
        """Return how each leaf is reached, as ``root['w'][0].bias``."""
        return [root + keystr(path) for path in self.key_paths()]

    def key_paths(self) -> list[KeyPath]:
        """Return how each leaf is reached, as keys."""
        return list(self._key_paths(()))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(leaves)
        return self.kind.unflatten(self.data, [child._build(leaves) for child in self.children])

    def _compose(self, replacements: Iterator[TreeDef]) -> TreeDef:
        if self.kind is None:
            return next(replacements)
        children = tuple([child._compose(replacements) for child in self.children])
        return TreeDef(self.kind, self.data, children, sum(c.num_leaves for c in children))

    def _flatten_up_to(self, tree: Any, parts: list[Any]) -> bool:
        if self.kind is None:
            parts.append(tree)
            return True
        kind, data, nodes = flatten_one_level(tree)
        return (
            kind is self.kind
            and data == self.data
            and len(nodes) == len(self.children)
            and all(child._flatten_up_to(node, parts) for child, node in zip(self.children, nodes))
        )

    def _difference(self, tree: Any, path: KeyPath) -> tuple[KeyPath, TreeDef, TreeDef]:
        """Return where a tree differs first from what this is no prefix of, and both parts."""
        kind, data, nodes = flatten_one_level(tree)
        if kind is self.kind and data == self.data and len(nodes) == len(self.children):
            keys = self.kind.keys(self.data, len(nodes)) if self.kind else ()
            for child, node, key in zip(self.children, nodes, keys):
                if not child._flatten_up_to(node, []):
                    return child._difference(node, (*path, key))
        return path, self, structure(tree)

    def _key_paths(self, prefix: KeyPath) -> Iterator[KeyPath]:
        if self.kind is None:
            yield prefix
            return
        keys = self.kind.keys(self.data, len(self.children))
        for key, child in zip(keys, self.children):
            yield from child._key_paths((*prefix, key))


class _Star:
    def __repr__(self) -> str:
        return "*"


LEAF: Final = TreeDef(None, None, (), 1)
"""The structure of a single leaf."""


_DEPTH: Final = 100
"""Containers nested deeper may be what exceeds Python's limit of recursion."""


def flatten(tree: Any, is_leaf: IsLeaf | None = None) -> tuple[list[Any], TreeDef]:
    """Return the leaves of a tree, depth first, and its structure.

    Args:
        tree: the tree.
        is_leaf: tells which parts to leave whole.

    Raises:
        TreeError: if the keys of a dictionary cannot be sorted, or a container holds itself.
    """
    leaves: list[Any] = []
    try:
        if is_leaf is None:
            found = _flatten(tree, leaves)
        else:
            found = _flatten_until(tree, (), lambda path, node: is_leaf(node), leaves, [])
    except RecursionError:
        _require_shallow(tree)
        raise
    return leaves, found


def flatten_with_path(
    tree: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> tuple[list[tuple[KeyPath, Any]], TreeDef]:
    """Return pairs of path and leaf, depth first, and the structure of a tree.

    Args:
        tree: the tree.
        is_leaf: tells which parts to leave whole.
        is_leaf_takes_path: whether it is called with the path and the part.

    Raises:
        TreeError: if the keys of a dictionary cannot be sorted, or a container holds itself.
    """
    stop: Callable[[KeyPath, Any], bool] = lambda path, node: False  # noqa: E731
    if is_leaf is not None:
        stop = is_leaf if is_leaf_takes_path else lambda path, node: is_leaf(node)
    leaves: list[Any] = []
    paths: list[KeyPath] = []
    try:
        found = _flatten_until(tree, (), stop, leaves, paths)
    except RecursionError:
        _require_shallow(tree)
        raise
    return list(zip(paths, leaves)), found


def structure(tree: Any, is_leaf: IsLeaf | None = None) -> TreeDef:
    """Return the structure of a tree."""
    return flatten(tree, is_leaf)[1]


def flatten_one_level(node: Any) -> tuple[NodeKind | None, Hashable, Sequence[Any]]:
    """Return kind, data and children of a container; the kind of a leaf is None."""
    kind = kind_of(type(node))
    if kind is None:
        return None, None, ()
    children, data = kind.flatten(node)
    return kind, data, children


def tuple_of(children: Iterable[TreeDef]) -> TreeDef:
    """Return the structure of a tuple of trees of the given structures."""
    parts = tuple(children)
    return TreeDef(TUPLE, None, parts, sum(child.num_leaves for child in parts))


def _flatten(tree: Any, leaves: list[Any]) -> TreeDef:
    kind = known_kinds.get(type(tree), UNSEEN)
    if kind is UNSEEN:
        kind = kind_of(type(tree))
    if kind is None:
        leaves.append(tree)
        return LEAF
    nodes, data = kind.flatten(tree)
    before = len(leaves)
    children = []
    for node in nodes:
        if known_kinds.get(type(node), UNSEEN) is None:  # a known leaf: spare the call
            leaves.append(node)
            children.append(LEAF)
        else:
            children.append(_flatten(node, leaves))
    return TreeDef(kind, data, tuple(children), len(leaves) - before)


def _require_shallow(tree: Any) -> None:
    """Raise TreeError if it is the tree that made the recursion too deep, not what called."""
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > _DEPTH:
            raise TreeError("a container holds itself, or is nested too deeply")
        pending += [(child, depth + 1) for child in flatten_one_level(node)[2]]


def _flatten_until(
    tree: Any,
    path: KeyPath,
    stop: Callable[[KeyPath, Any], bool],
    leaves: list[Any],
    paths: list[KeyPath],
) -> TreeDef:
    """As `_flatten`, with paths, and leaves where ``stop`` says so."""
    kind = None if stop(path, tree) else kind_of(type(tree))
    if kind is None:
        leaves.append(tree)
        paths.append(path)
        return LEAF
    nodes, data = kind.flatten(tree)
    before = len(leaves)
    children = [
        _flatten_until(node, (*path, key), stop, leaves, paths)
        for node, key in zip(nodes, kind.keys(data, len(nodes)))
    ]
    return TreeDef(kind, data, tuple(children), len(leaves) - before)
