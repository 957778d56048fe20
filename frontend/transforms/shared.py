"""What transformations that differentiate share: auxiliary results, structures of derivatives."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

from .. import tree
from ..arguments import Arguments, ShapeDtypeStruct, no_derivative
from ..errors import (
    ArgumentError,
    NonDifferentiableArgumentError,
    NonScalarOutputError,
    TreeError,
)
from ..tree import TreeDef
from .base import Function, PassCall, Results


def split_aux(results: Results, has_aux: bool) -> tuple[Results, Results | None]:
    """Return the results that are differentiated, and the others."""
    if not has_aux:
        return results, None
    structure = results.tree
    if structure.kind is not tree.TUPLE or len(structure.children) != 2:
        raise NonScalarOutputError(
            "has_aux=True needs a function that returns a pair of its result and auxiliary data, "
            f"but this one returned {structure}"
        )
    first, second = structure.children
    count = first.num_leaves
    return Results(first, results.types[:count]), Results(second, results.types[count:])


def join(parts: Sequence[Results]) -> Results:
    """Return results that are a tuple of others."""
    structure = tree.tuple_of([part.tree for part in parts])
    return Results(structure, tuple([type_ for part in parts for type_ in part.types]))


def pair(first: Results, second: Results) -> Results:
    """Return results that are a pair of others."""
    return join((first, second))


def derivative_tree(structure: TreeDef, types: Iterable[ShapeDtypeStruct]) -> TreeDef:
    """Return the structure of derivatives: as the values', without leaves for integers."""
    return structure.compose(
        [tree.LEAF if type_.inexact else no_derivative(type_.shape) for type_ in types]
    )


def derivative_trees(
    arguments: Arguments, positions: Iterable[int], trees: Sequence[TreeDef]
) -> list[TreeDef]:
    """Return the structures of the derivatives by some arguments."""
    return [
        derivative_tree(trees[n], [arguments.types[i] for i in arguments.leaves_of(n)])
        for n in positions
    ]


def positions_of(argnums: int | tuple[int, ...], outer: Arguments) -> list[int]:
    """Return argnums counted from 0.

    Raises:
        ArgumentError: if they do not name distinct positional arguments.
    """
    count = outer.positional
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    for n in numbers:
        if not -count <= n < count:
            raise ArgumentError(
                f"argnums={argnums} needs more positional arguments than the {count} "
                "that the function was called with"
            )
    positions = [n % count for n in numbers]
    if len(set(positions)) != len(positions):
        raise ArgumentError(f"argnums={argnums} names an argument twice")
    return positions


def differentiated(argnums: int | tuple[int, ...], outer: Arguments) -> list[int]:
    """Return the indices of the leaves of the arguments of argnums that have derivatives."""
    wanted = [leaf for n in positions_of(argnums, outer) for leaf in outer.leaves_of(n)]
    return [leaf for leaf in wanted if outer.types[leaf].inexact]


def check_arguments(
    what: str,
    argnums: int | tuple[int, ...],
    outer: Arguments,
    names: Sequence[str],
    holomorphic: bool,
    allow_int: bool,
) -> None:
    """Raise unless the arguments of argnums can be differentiated by.

    Args:
        what: the transformation, for messages.
        argnums: positions of arguments.
        outer: the arguments.
        names: the parameters of the user's function, for messages.
        holomorphic: whether they must be complex.
        allow_int: whether they may be integers.

    Raises:
        ArgumentError: if there are no such arguments.
        NonDifferentiableArgumentError: if they do not have the dtypes that they must have.
    """
    paths = outer.paths(names)
    for position in positions_of(argnums, outer):
        for leaf in outer.leaves_of(position):
            type_, path = outer.types[leaf], paths[leaf]
            if holomorphic and type_.dtype.kind != "c":
                raise NonDifferentiableArgumentError(
                    f"{what} with holomorphic=True needs complex arguments, but `{path}` is {type_}"
                )
            if not type_.inexact and not allow_int:
                advice = ", or set allow_int=True" if what != "jacfwd" else ""
                raise NonDifferentiableArgumentError(
                    f"{what} needs floating-point arguments, but `{path}` is {type_}; pass a "
                    f"float, or leave it out of argnums{advice}"
                )


def inexact_parameters(function: Function) -> tuple[int, ...]:
    """Return the positions of the function's parameters that have derivatives."""
    types = function.arguments.types
    return tuple([function.captures + i for i, type_ in enumerate(types) if type_.inexact])


def pair_of_arguments(
    outer: Arguments, name: str, first: str, second: str
) -> tuple[TreeDef, TreeDef]:
    """Return the structures of a call's two arguments, of which the first is a sequence.

    Raises:
        ArgumentError: if there are others.
    """
    if len(outer.trees) != 2 or outer.keywords:
        raise ArgumentError(f"the {name} of a function takes two arguments: {first}, {second}")
    primals, others = outer.trees
    if primals.kind not in (tree.TUPLE, tree.LIST):
        raise ArgumentError(
            f"{first} must be a tuple with one entry for each argument of the function, "
            f"found {primals}"
        )
    return primals, others


def unpacked(outer: Arguments, primals: TreeDef) -> Arguments:
    """Return the arguments that the first one, a sequence, holds."""
    return Arguments(primals.children, (), outer.types[: primals.num_leaves])


def check_derivatives(
    name: str,
    structure: TreeDef,
    expected: TreeDef,
    types: Sequence[ShapeDtypeStruct],
    expected_types: Sequence[ShapeDtypeStruct],
) -> None:
    """Raise unless derivatives have the structure and the types that they must have."""
    if structure.kind is tree.LIST and expected.kind is tree.TUPLE:
        structure = tree.tuple_of(structure.children)
    if structure != expected:
        raise TreeError(f"{name} must have the structure {expected}, found {structure}")
    for found, wanted, path in zip(types, expected_types, structure.paths(name)):
        if found.shape != wanted.shape or found.dtype != wanted.dtype:
            raise ArgumentError(f"`{path}` must be {wanted}, as what it belongs to, found {found}")


def rotated(first: int, second: int) -> list[int]:
    """Return the order that puts ``second`` results before the ``first`` ones they follow."""
    return [*range(first, first + second), *range(first)]


def select(function: str, order: Sequence[int]) -> PassCall:
    """Return the pass that gives a function these of its results, in this order."""
    return PassCall("array-select-results", {"function": function, "results": tuple(order)})


def as_argnums(argnums: Any) -> int | tuple[int, ...]:
    """Return argnums as an int or a tuple.

    Raises:
        ArgumentError: if it is neither an int nor a sequence of ints.
    """
    try:
        if isinstance(argnums, Sequence):
            return tuple([operator.index(n) for n in argnums])
        return operator.index(argnums)
    except TypeError:
        raise ArgumentError(f"argnums must be an int or a tuple of ints, not {argnums!r}") from None


def cast(derivatives: Any, values: Any) -> Any:
    """Give Python numbers among derivatives the dtypes of the values that they belong to."""
    leaves, structure = tree.flatten(derivatives)
    others, other_structure = tree.flatten(values)
    if structure != other_structure:
        return derivatives
    return structure.unflatten([_cast_leaf(d, v) for d, v in zip(leaves, others)])


def _cast_leaf(derivative: Any, value: Any) -> Any:
    dtype = getattr(value, "dtype", None)
    if type(derivative) in (int, float, complex) and dtype is not None and dtype.kind in "fc":
        if isinstance(derivative, complex) and dtype.kind == "f":
            return derivative
        return dtype.type(derivative)
    if type(derivative) is int and type(value) is float:
        return float(derivative)
    return derivative
