"""Functions on trees, with JAX's names."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

from ..boundary import public
from ..errors import TreeError
from .keys import KeyPath
from .structure import LEAF, IsLeaf, TreeDef, flatten, flatten_with_path

_UNSPECIFIED: Final = object()


@public
def unflatten(treedef: TreeDef, leaves: Iterable[Any]) -> Any:
    """Return the tree of this structure with the given leaves.

    Raises:
        TreeError: if their number does not fit.
    """
    return treedef.unflatten(leaves)


def leaves(tree: Any, is_leaf: IsLeaf | None = None) -> list[Any]:
    """Return the leaves of a tree, depth first."""
    return flatten(tree, is_leaf)[0]


def leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """Return pairs of path and leaf, depth first."""
    return flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


@public
def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Apply ``f`` to each leaf of ``tree`` and what the others have at its place.

    Args:
        f: the function.
        tree: gives the structure of the result.
        rest: trees of the same structure, or of one of which ``tree``'s is a prefix.
        is_leaf: tells which parts of ``tree`` to leave whole.

    Raises:
        TreeError: if the structures do not fit.

    Example:
        >>> map(lambda x, y: x + y, {"a": 1, "b": [2]}, {"a": 10, "b": [20]})
        {'a': 11, 'b': [22]}
    """
    first, expected = flatten(tree, is_leaf)
    others = [expected.flatten_up_to(other) for other in rest]
    return expected.unflatten([f(*group) for group in zip(first, *others)])


@public
def map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """As `map`, with the leaf's path, a tuple of keys, as first argument of ``f``."""
    pairs, expected = flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    others = [expected.flatten_up_to(other) for other in rest]
    return expected.unflatten([f(*pair, *group) for pair, *group in zip(pairs, *others)])


def reduce(
    function: Callable[[Any, Any], Any],
    tree: Any,
    initializer: Any = _UNSPECIFIED,
    is_leaf: IsLeaf | None = None,
) -> Any:
    """Reduce the leaves of a tree, from the first to the last, as ``functools.reduce``.

    Raises:
        TypeError: if there is no leaf and no ``initializer``.
    """
    start = () if initializer is _UNSPECIFIED else (initializer,)
    return functools.reduce(function, leaves(tree, is_leaf), *start)


def reduce_associative(
    operation: Callable[[Any, Any], Any],
    tree: Any,
    *,
    identity: Any = _UNSPECIFIED,
    is_leaf: IsLeaf | None = None,
) -> Any:
    """Reduce the leaves of a tree by an associative operation, as a balanced tree.

    Args:
        operation: combines neighbours.
        tree: the tree.
        identity: the result where there is no leaf.
        is_leaf: tells which parts to leave whole.

    Raises:
        TypeError: if there is no leaf and no ``identity``.
    """
    level = leaves(tree, is_leaf)
    if not level:
        if identity is _UNSPECIFIED:
            raise TypeError("reduce_associative of a tree without leaves needs an identity")
        return identity
    while len(level) > 1:
        last = level[-1:] if len(level) % 2 else []
        level = [operation(a, b) for a, b in zip(level[::2], level[1::2])] + last
    return level[0]


def all(tree: Any, *, is_leaf: IsLeaf | None = None) -> bool:
    """Tell whether all leaves of a tree are true."""
    return builtins.all(leaves(tree, is_leaf))


@public
def transpose(outer_treedef: TreeDef, inner_treedef: TreeDef | None, pytree: Any) -> Any:
    """Turn a tree of trees inside out.

    Args:
        outer_treedef: structure of the outer tree.
        inner_treedef: structure of the tree in place of each of its leaves; found if None.
        pytree: the tree.

    Raises:
        TreeError: if it does not have this structure.

    Example:
        >>> transpose(structure([0, 0]), None, [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
        {'a': [1, 3], 'b': [2, 4]}
    """
    found, treedef = flatten(pytree)
    if inner_treedef is None:
        parts = outer_treedef.flatten_up_to(pytree)
        if not parts:
            raise TreeError("an outer tree without leaves does not tell the inner structure")
        inner_treedef = flatten(parts[0])[1]
    expected = outer_treedef.compose(inner_treedef)
    if treedef != expected:
        raise TreeError(f"expected a tree of the structure {expected}, found {treedef}")
    width = inner_treedef.num_leaves
    columns = [outer_treedef.unflatten(found[i::width]) for i in range(width)]
    return inner_treedef.unflatten(columns)


@public
def broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf | None = None) -> Any:
    """Return a tree of the full tree's structure that repeats the leaves of a prefix of it.

    Args:
        prefix_tree: a tree whose structure is a prefix of the other's.
        full_tree: gives the structure of the result.
        is_leaf: tells which parts of ``prefix_tree`` to leave whole.

    Raises:
        TreeError: if it is no prefix.

    Example:
        >>> broadcast([1, 2], [{"a": 0, "b": 0}, 0])
        [{'a': 1, 'b': 1}, 2]
    """
    values, prefix = flatten(prefix_tree, is_leaf)
    parts = prefix.flatten_up_to(full_tree)
    repeated = [value for value, part in zip(values, parts) for _ in leaves(part)]
    return flatten(full_tree)[1].unflatten(repeated)


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf | None = None) -> bool:
    """Tell whether all elements are leaves."""
    return builtins.all(flatten(element, is_leaf)[1] is LEAF for element in iterable)
