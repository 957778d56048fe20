"""Derivatives: gradients, Jacobian-vector and vector-Jacobian products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import tree
from ..arguments import Arguments
from ..errors import NonScalarOutputError
from .base import Function, PassCall, Results, Transform
from .shared import (
    check_arguments,
    check_derivatives,
    derivative_tree,
    derivative_trees,
    differentiated,
    inexact_parameters,
    join,
    pair,
    pair_of_arguments,
    positions_of,
    rotated,
    select,
    split_aux,
    unpacked,
)


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
        check_arguments("grad", self.argnums, outer, names, self.holomorphic, self.allow_int)
        return outer

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return gradients of the arguments' structures, and value and aux if wanted.

        Raises:
            NonScalarOutputError: if the function does not return one number.
        """
        value, aux = split_aux(inner.results, self.has_aux)
        self._check_value(value)
        gradients = derivative_trees(outer, positions_of(self.argnums, outer), outer.trees)
        types = tuple([outer.types[i].strong() for i in differentiated(self.argnums, outer)])
        gradient = gradients[0] if isinstance(self.argnums, int) else tree.tuple_of(gradients)
        first = Results(gradient, types)
        strong = Results(value.tree, tuple([type_.strong() for type_ in value.types]))
        if not self.value:
            return pair(first, aux) if aux else first
        return pair(pair(strong, aux) if aux else strong, first)

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Run reverse mode from 1; where aux results come first, put them behind."""
        _, aux = split_aux(inner.results, self.has_aux)
        aux_count = len(aux.types) if aux else 0
        leaves = differentiated(self.argnums, outer)
        options = {
            "function": inner.name,
            "argnums": tuple([inner.captures + i for i in leaves]),
            "aux": aux_count,
            "seed": True,
            "value": self.value,
        }
        calls = [PassCall("array-vjp", options)]
        if not self.value and aux_count:
            calls.append(select(inner.name, rotated(aux_count, len(leaves))))
        return calls

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
    """The Jacobian-vector product: ``(primals, tangents) -> (results, their tangents[, aux])``.

    Attributes:
        has_aux: whether the function returns a pair of results and what has no tangent.
        value: whether to return results and aux; if not, only the tangents are returned.
    """

    has_aux: bool = False
    value: bool = True

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Return the primals as arguments.

        Raises:
            ArgumentError: if the call is not of two sequences, or tangents have other types.
            TreeError: if tangents have another structure than the primals.
        """
        primals, tangents = pair_of_arguments(outer, "jvp", "primals", "tangents")
        inner = unpacked(outer, primals)
        expected = tree.tuple_of(derivative_trees(inner, range(len(inner.trees)), inner.trees))
        types = [type_ for type_ in inner.types if type_.inexact]
        check_derivatives("tangents", tangents, expected, outer.types[len(inner.types) :], types)
        return inner

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return the results, their tangents, and aux, or the tangents alone."""
        primal, aux = split_aux(inner.results, self.has_aux)
        tangent = Results(
            derivative_tree(primal.tree, primal.types),
            tuple([type_.strong() for type_ in primal.types if type_.inexact]),
        )
        if not self.value:
            return tangent
        return join([primal, tangent, *([aux] if aux else [])])

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Run forward mode; put aux results behind the tangents, or drop them and the results."""
        primal, aux = split_aux(inner.results, self.has_aux)
        aux_count = len(aux.types) if aux else 0
        options = {
            "function": inner.name,
            "argnums": inexact_parameters(inner),
            "aux": aux_count,
        }
        calls = [PassCall("array-jvp", options)]
        count = len(primal.types)
        tangents = sum(type_.inexact for type_ in primal.types)
        if not self.value:
            first = count + aux_count
            calls.append(select(inner.name, range(first, first + tangents)))
        elif aux_count:
            order = [*range(count), *(count + i for i in rotated(aux_count, tangents))]
            calls.append(select(inner.name, order))
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
        primals, _ = pair_of_arguments(outer, "vjp", "primals", "cotangents")
        return unpacked(outer, primals)

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return the results, a tuple with a gradient for each primal, and aux.

        Raises:
            TreeError: if cotangents have another structure than the results.
            ArgumentError: if they have other types.
        """
        primal, aux = split_aux(inner.results, self.has_aux)
        expected = derivative_tree(primal.tree, primal.types)
        types = [type_ for type_ in primal.types if type_.inexact]
        given = outer.types[outer.offsets[1] :]
        check_derivatives("cotangents", outer.trees[1], expected, given, types)
        arguments = inner.arguments
        gradients = Results(
            tree.tuple_of(
                derivative_trees(arguments, range(len(arguments.trees)), arguments.trees)
            ),
            tuple([type_.strong() for type_ in arguments.types if type_.inexact]),
        )
        if not self.value:
            return gradients
        return join([primal, gradients, *([aux] if aux else [])])

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Run reverse mode; put aux results behind the gradients, or drop them."""
        primal, aux = split_aux(inner.results, self.has_aux)
        aux_count = len(aux.types) if aux else 0
        argnums = inexact_parameters(inner)
        options = {
            "function": inner.name,
            "argnums": argnums,
            "aux": aux_count,
            "value": self.value,
        }
        calls = [PassCall("array-vjp", options)]
        if aux_count:
            count = len(primal.types) if self.value else 0
            order = [*range(count), *(count + i for i in rotated(aux_count, len(argnums)))]
            calls.append(select(inner.name, order if self.value else order[: len(argnums)]))
        return calls
