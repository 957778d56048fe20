"""Jacobians, by forward and by reverse mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import tree
from ..arguments import Arguments, ShapeDtypeStruct, no_derivative
from ..errors import NonDifferentiableArgumentError, OutputError
from ..tree import TreeDef
from .base import Function, PassCall, Results, Transform
from .shared import check_arguments, differentiated, pair, positions_of, split_aux


@dataclass(frozen=True)
class Jacobian(Transform):
    """The Jacobian of a function, as JAX's ``jacfwd`` and ``jacrev``.

    The result has the structure of the function's; in the place of each leaf it has the structure
    of the argument, whose leaves have the dimensions of both.

    Attributes:
        mode: ``forward`` or ``reverse``.
        argnums: the positional arguments by which to differentiate; an int gives one Jacobian, a
            tuple a tuple of them.
        has_aux: whether the function returns a pair of its result and what else is wanted.
        holomorphic: whether arguments and results are complex.
        allow_int: whether arguments may be integers; their Jacobians are zeros of ``float0``.
    """

    mode: str
    argnums: int | tuple[int, ...] = 0
    has_aux: bool = False
    holomorphic: bool = False
    allow_int: bool = False

    @property
    def _name(self) -> str:
        return "jacfwd" if self.mode == "forward" else "jacrev"

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Check that the arguments of ``argnums`` can be differentiated by.

        Raises:
            ArgumentError: if there are no such arguments.
            NonDifferentiableArgumentError: if they are integers, or not complex where
                ``holomorphic`` says so; in forward mode also if they are complex where it does not.
        """
        check_arguments(self._name, self.argnums, outer, names, self.holomorphic, self.allow_int)
        if self.mode == "forward" and not self.holomorphic:
            self._require_real(outer, names)
        return outer

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return the Jacobians, and aux.

        Raises:
            OutputError: if a result is not complex where ``holomorphic`` says so; in reverse mode
                also if one is not real where it does not.
        """
        value, aux = split_aux(inner.results, self.has_aux)
        self._check_results(value)
        below = [self._tree_below(type_, outer) for type_ in value.types]
        types = [
            self._type(y, outer.types[leaf])
            for y in value.types
            if y.inexact
            for leaf in differentiated(self.argnums, outer)
        ]
        jacobians = Results(value.tree.compose(below), tuple(types))
        return pair(jacobians, aux) if aux else jacobians

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Compute all Jacobians at once; aux results are behind them."""
        _, aux = split_aux(inner.results, self.has_aux)
        options = {
            "function": inner.name,
            "argnums": tuple([inner.captures + i for i in differentiated(self.argnums, outer)]),
            "aux": len(aux.types) if aux else 0,
            "mode": self.mode,
        }
        return [PassCall("array-jacobian", options)]

    def _require_real(self, outer: Arguments, names: Sequence[str]) -> None:
        for leaf in differentiated(self.argnums, outer):
            if outer.types[leaf].dtype.kind == "c":
                raise NonDifferentiableArgumentError(
                    f"jacfwd needs real arguments, but `{outer.paths(names)[leaf]}` is "
                    f"{outer.types[leaf]}; for a holomorphic function set holomorphic=True"
                )

    def _check_results(self, value: Results) -> None:
        for type_, path in zip(value.types, value.tree.paths("result")):
            kind = type_.dtype.kind
            if self.holomorphic and kind != "c":
                wanted = "complex results where holomorphic=True"
            elif not self.holomorphic and kind != "f" and self.mode == "reverse":
                wanted = "real results"
            else:
                continue
            raise OutputError(f"{self._name} needs {wanted}, but `{path}` is {type_}")

    def _tree_below(self, y: ShapeDtypeStruct, outer: Arguments) -> TreeDef:
        """Return what is in the place of one leaf of the function's result."""
        trees = [
            outer.trees[n].compose(
                [
                    tree.LEAF if y.inexact and x.inexact else no_derivative(y.shape + x.shape)
                    for x in (outer.types[i] for i in outer.leaves_of(n))
                ]
            )
            for n in positions_of(self.argnums, outer)
        ]
        return trees[0] if isinstance(self.argnums, int) else tree.tuple_of(trees)

    def _type(self, y: ShapeDtypeStruct, x: ShapeDtypeStruct) -> ShapeDtypeStruct:
        dtype = y.dtype if self.mode == "forward" else x.dtype
        return ShapeDtypeStruct(y.shape + x.shape, dtype)
