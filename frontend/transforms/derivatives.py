"""Derivatives: gradients, Jacobian-vector and vector-Jacobian products."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from .base import Function, PassCall, Results, Transform


@dataclass(frozen=True)
class Grad(Transform):
    """The gradient of a function that returns one number, as JAX's ``grad``.

    Attributes:
        argnums: the positional arguments by which to differentiate; an int gives one gradient, a
            tuple a tuple of them.
        has_aux: whether the function returns a pair of the number and what else is wanted.
        holomorphic: whether arguments and result are complex.
        allow_int: whether arguments may be integers; their gradients are zeros of ``float0``.
        value: whether to return the function's value too.
    """

    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    holomorphic: bool = False
    allow_int: bool = False
    value: bool = False

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Check that the arguments of ``argnums`` can be differentiated by.

        Raises:
            ArgumentError: if there are no such arguments.
            NonDifferentiableArgumentError: if they are not floating point.
        """
        paths = outer.paths(names)
        for position in self._positions(outer):
            for leaf in outer.leaves_of(position):
                self._check_leaf(outer.types[leaf], paths[leaf])
        return outer

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return gradients of the arguments' structures, and value and aux if wanted.

        Raises:
            NonScalarOutputError: if the function does not return one number.
        """
        value, aux = _split_aux(inner.results, self.has_aux)
        self._check_value(value)
        gradients = _derivative_trees(outer, self._positions(outer), outer.trees)
        types = tuple([outer.types[i].strong() for i in self._leaves(outer)])
        gradient = gradients[0] if isinstance(self.argnums, int) else tree.tuple_of(gradients)
        first = Results(gradient, types)
        strong = Results(value.tree, tuple([type_.strong() for type_ in value.types]))
        if not self.value:
            return _pair(first, aux) if aux else first
        return _pair(_pair(strong, aux) if aux else strong, first)

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Run reverse mode from 1; where aux results come first, put them behind."""
        _, aux = _split_aux(inner.results, self.has_aux)
        aux_count = len(aux.types) if aux else 0
        leaves = self._leaves(outer)
        options = {
            "function": inner.name,
            "argnums": tuple([inner.captures + i for i in leaves]),
            "aux": aux_count,
            "seed": True,
            "value": self.value,
        }
        calls = [PassCall("array-vjp", options)]
        if not self.value and aux_count:
            calls.append(_select(inner.name, _rotated(aux_count, len(leaves))))
        return calls

    def _positions(self, outer: Arguments) -> list[int]:
        """Return argnums counted from 0."""
        count = outer.positional
        argnums = (self.argnums,) if isinstance(self.argnums, int) else self.argnums
        for n in argnums:
            if not -count <= n < count:
                raise ArgumentError(
                    f"argnums={self.argnums} needs more positional arguments than the {count} "
                    "that the function was called with"
                )
        positions = [n % count for n in argnums]
        if len(set(positions)) != len(positions):
            raise ArgumentError(f"argnums={self.argnums} names an argument twice")
        return positions

    def _leaves(self, outer: Arguments) -> list[int]:
        """Return the indices of the leaves that have a gradient."""
        wanted = [leaf for n in self._positions(outer) for leaf in outer.leaves_of(n)]
        return [leaf for leaf in wanted if outer.types[leaf].inexact]

    def _check_leaf(self, type_: ShapeDtypeStruct, path: str) -> None:
        kind = type_.dtype.kind
        if self.holomorphic and kind != "c":
            raise NonDifferentiableArgumentError(
                f"grad with holomorphic=True needs complex arguments, but `{path}` is {type_}"
            )
        if not type_.inexact and not self.allow_int:
            raise NonDifferentiableArgumentError(
                f"grad needs real or complex arguments, but `{path}` is {type_}; pass a float, "
                "leave it out of argnums, or set allow_int=True"
            )

    def _check_value(self, value: Results) -> None:
        wanted = "complex" if self.holomorphic else "real"
        if value.tree is not tree.LEAF:
            raise NonScalarOutputError(
                f"grad needs a function that returns one {wanted} number, but this one returned "
                f"{value.tree}" + ("" if self.has_aux else "; has_aux=True allows a second result")
            )
        type_ = value.types[0]
        if type_.shape:
            raise NonScalarOutputError(
                f"grad needs a function that returns one {wanted} number, but this one returned "
                f"an array {type_}; reduce it, for example by `sum`"
            )
        if type_.dtype.kind != wanted[0].replace("r", "f"):
            advice = "; holomorphic=True allows complex ones" if type_.dtype.kind == "c" else ""
            raise NonScalarOutputError(
                f"grad needs a function that returns a {wanted} number, but this one returned "
                f"{type_}{advice}"
            )


@dataclass(frozen=True)
class Jvp(Transform):
    """The Jacobian-vector product: ``(primals, tangents) -> (results, their tangents[, aux])``."""

    has_aux: bool = False

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Return the primals as arguments.

        Raises:
            ArgumentError: if the call is not of two sequences, or tangents have other types.
            TreeError: if tangents have another structure than the primals.
        """
        primals, tangents = _pair_of_arguments(outer, "jvp", "primals", "tangents")
        inner = _unpacked(outer, primals)
        expected = tree.tuple_of(_derivative_trees(inner, range(len(inner.trees)), inner.trees))
        types = [type_ for type_ in inner.types if type_.inexact]
        _check_derivatives("tangents", tangents, expected, outer.types[len(inner.types) :], types)
        return inner

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return the results, their tangents, and aux."""
        primal, aux = _split_aux(inner.results, self.has_aux)
        tangent = Results(
            _derivative_tree(primal.tree, primal.types),
            tuple([type_.strong() for type_ in primal.types if type_.inexact]),
        )
        return _join([primal, tangent, *([aux] if aux else [])])

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Run forward mode; put aux results behind the tangents."""
        primal, aux = _split_aux(inner.results, self.has_aux)
        aux_count = len(aux.types) if aux else 0
        options = {
            "function": inner.name,
            "argnums": _inexact_parameters(inner),
            "aux": aux_count,
        }
        calls = [PassCall("array-jvp", options)]
        if aux_count:
            count = len(primal.types)
            tangents = sum(type_.inexact for type_ in primal.types)
            order = [*range(count), *(count + i for i in _rotated(aux_count, tangents))]
            calls.append(_select(inner.name, order))
        return calls


@dataclass(frozen=True)
class Vjp(Transform):
    """The vector-Jacobian product: ``(primals, cotangents) -> (results, gradients[, aux])``.

    Attributes:
        has_aux: whether the function returns a pair of results and what has no cotangent.
        value: whether to return results and aux; if not, only the gradients are returned.
    """

    has_aux: bool = False
    value: bool = True

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Return the primals as arguments.

        Raises:
            ArgumentError: if the call is not of a sequence of primals and the cotangents.
        """
        primals, _ = _pair_of_arguments(outer, "vjp", "primals", "cotangents")
        return _unpacked(outer, primals)

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return the results, a tuple with a gradient for each primal, and aux.

        Raises:
            TreeError: if cotangents have another structure than the results.
            ArgumentError: if they have other types.
        """
        primal, aux = _split_aux(inner.results, self.has_aux)
        expected = _derivative_tree(primal.tree, primal.types)
        types = [type_ for type_ in primal.types if type_.inexact]
        given = outer.types[outer.offsets[1] :]
        _check_derivatives("cotangents", outer.trees[1], expected, given, types)
        arguments = inner.arguments
        gradients = Results(
            tree.tuple_of(
                _derivative_trees(arguments, range(len(arguments.trees)), arguments.trees)
            ),
            tuple([type_.strong() for type_ in arguments.types if type_.inexact]),
        )
        if not self.value:
            return gradients
        return _join([primal, gradients, *([aux] if aux else [])])

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Run reverse mode; put aux results behind the gradients, or drop them."""
        primal, aux = _split_aux(inner.results, self.has_aux)
        aux_count = len(aux.types) if aux else 0
        argnums = _inexact_parameters(inner)
        options = {
            "function": inner.name,
            "argnums": argnums,
            "aux": aux_count,
            "value": self.value,
        }
        calls = [PassCall("array-vjp", options)]
        if aux_count:
            count = len(primal.types) if self.value else 0
            order = [*range(count), *(count + i for i in _rotated(aux_count, len(argnums)))]
            calls.append(_select(inner.name, order if self.value else order[: len(argnums)]))
        return calls


def _split_aux(results: Results, has_aux: bool) -> tuple[Results, Results | None]:
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


def _join(parts: Sequence[Results]) -> Results:
    structure = tree.tuple_of([part.tree for part in parts])
    return Results(structure, tuple([type_ for part in parts for type_ in part.types]))


def _pair(first: Results, second: Results) -> Results:
    return _join((first, second))


def _derivative_tree(structure: TreeDef, types: Iterable[ShapeDtypeStruct]) -> TreeDef:
    """Return the structure of derivatives: as the values', without leaves for integers."""
    return structure.compose(
        [tree.LEAF if type_.inexact else no_derivative(type_.shape) for type_ in types]
    )


def _derivative_trees(
    arguments: Arguments, positions: Iterable[int], trees: Sequence[TreeDef]
) -> list[TreeDef]:
    return [
        _derivative_tree(trees[n], [arguments.types[i] for i in arguments.leaves_of(n)])
        for n in positions
    ]


def _inexact_parameters(function: Function) -> tuple[int, ...]:
    types = function.arguments.types
    return tuple([function.captures + i for i, type_ in enumerate(types) if type_.inexact])


def _pair_of_arguments(
    outer: Arguments, name: str, first: str, second: str
) -> tuple[TreeDef, TreeDef]:
    if len(outer.trees) != 2 or outer.keywords:
        raise ArgumentError(f"the {name} of a function takes two arguments: {first}, {second}")
    primals, others = outer.trees
    if primals.kind not in (tree.TUPLE, tree.LIST):
        raise ArgumentError(
            f"{first} must be a tuple with one entry for each argument of the function, "
            f"found {primals}"
        )
    return primals, others


def _unpacked(outer: Arguments, primals: TreeDef) -> Arguments:
    return Arguments(primals.children, (), outer.types[: primals.num_leaves])


def _check_derivatives(
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


def _rotated(first: int, second: int) -> list[int]:
    """Return the order that puts ``second`` results before the ``first`` ones they follow."""
    return [*range(first, first + second), *range(first)]


def _select(function: str, order: Sequence[int]) -> PassCall:
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
