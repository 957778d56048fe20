"""What a function with in-out arguments returns: its result, and apart what has changed."""

from __future__ import annotations

from collections.abc import Sequence

from . import tree
from .arguments import Arguments
from .transforms import Results


def without_changes(
    results: Results, arguments: Arguments, positions: Sequence[int]
) -> tuple[Results, tuple[int, ...]]:
    """Leave out of a function's results the new contents of its in-out arguments.

    Args:
        results: a pair of the function's own result, and a list for each in-out argument, which has
            for each leaf its new contents or None.
        arguments: of the function.
        positions: of the in-out arguments.

    Returns:
        The results, with None for all contents, and which leaves of the arguments these are of.
    """
    own, changes = results.tree.children
    leaves = tuple(
        arguments.offsets[position] + number
        for position, contents in zip(positions, changes.children)
        for number, content in enumerate(contents.children)
        if content.num_leaves
    )
    _, unchanged = tree.flatten([[None] * len(c.children) for c in changes.children])
    kept = results.types[: own.num_leaves]
    return Results(tree.tuple_of([own, unchanged]), kept), leaves
