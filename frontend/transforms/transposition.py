"""The transpose of a linear function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from .. import tree
from ..arguments import Arguments
from ..errors import ArgumentError, NonDifferentiableArgumentError, OutputError
from .base import Function, PassCall, Results, Transform
from .shared import check_derivatives, inexact_parameters


@dataclass(frozen=True)
class LinearTranspose(Transform):
    """The transpose of a function that is linear in all of its arguments: ``cotangents -> (x...)``.

    Attributes:
        arguments: what the function is called with.
    """

    arguments: Arguments

    begins_with_arguments: ClassVar[bool] = False

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Return the arguments that the function was to be transposed for.

        Raises:
            ArgumentError: if the transpose is not called with one argument.
            NonDifferentiableArgumentError: if an argument of the function is not floating point.
        """
        if len(outer.trees) != 1 or outer.keywords:
            raise ArgumentError("the transpose of a function takes one argument, the cotangents")
        for type_, path in zip(self.arguments.types, self.arguments.paths(names)):
            if not type_.inexact:
                raise NonDifferentiableArgumentError(
                    f"linear_transpose needs floating-point arguments, but `{path}` is {type_}; "
                    "close over what the function is not linear in"
                )
        return self.arguments

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return a tuple with a cotangent for each argument.

        Raises:
            OutputError: if the function returns what is not floating point.
            TreeError: if cotangents have another structure than the results.
            ArgumentError: if they have other types.
        """
        results, arguments = inner.results, self.arguments
        for type_, path in zip(results.types, results.tree.paths("result")):
            if not type_.inexact:
                raise OutputError(
                    f"linear_transpose needs floating-point results, but `{path}` is {type_}"
                )
        check_derivatives("cotangents", outer.trees[0], results.tree, outer.types, results.types)
        types = tuple([type_.strong() for type_ in arguments.types])
        return Results(tree.tuple_of(arguments.trees), types)

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Transpose by all arguments but the captures."""
        options = {"function": inner.name, "linear_args": inexact_parameters(inner)}
        return [PassCall("array-transpose", options)]
