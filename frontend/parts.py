"""Functions in two parts: what depends on a point, and what is linear there, called later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, SSAValue

from ..ir.functions import find_function, return_of
from ..ir.ops import copy_module
from ..ir.types import tensor_info
from ..passes.simplify.inline import erase_uncalled
from . import tree
from .arguments import Arguments, ShapeDtypeStruct, flatten_arguments
from .boundary import PublicCallable, public
from .checks.requiring import add_checks
from .compiled import Compiled
from .errors import ArgumentError
from .execution import raise_status
from .traced import Traced, call_in, run_passes
from .tracing import find_trace
from .transforms import Function, PassCall, Results
from .transforms.shared import (
    cast,
    check_derivatives,
    derivative_tree,
    derivative_trees,
    inexact_parameters,
    join,
    split_aux,
)


class Kind(NamedTuple):
    """What the second part of a function is.

    Attributes:
        pass_name: the pass that parts a function.
        part: what it calls the second part.
        given: what that takes besides residuals: ``cotangents`` or ``tangents``.
    """

    pass_name: str
    part: str
    given: str


class LinearCode(PublicCallable):
    """The second part of a function, without residuals: ``(residuals, given) -> results``.

    Args:
        traced: the second part.
        given: what it takes besides residuals, for messages.
    """

    def __init__(self, traced: Traced, given: str) -> None:
        super().__init__(self._call_slowly, raise_status)
        self.traced = traced
        self._given = given
        arguments = traced.function.arguments
        self._types = arguments.unflatten(arguments.types)[0][1]

    def __repr__(self) -> str:
        return f"<{self.traced.fun_name}>"

    @public
    def _call_slowly(self, residuals: Sequence[Any], given: Any) -> Any:
        names = ("residuals", self._given)
        leaves, found = flatten_arguments((residuals, cast(given, self._types)), {}, names)
        self._check(found)
        outer = find_trace(leaves)
        if outer is not None:
            return self.traced.out_tree.unflatten(call_in(outer, self.traced, leaves))
        compiled = self._compiled
        if compiled.program is not None and compiled.program not in self.programs:
            self.add(compiled.program)
        return compiled.run(leaves)

    @cached_property
    def _compiled(self) -> Compiled:
        arguments = self.traced.function.arguments
        return Compiled(self.traced, arguments.unflatten(arguments.types))

    def _check(self, found: Arguments) -> None:
        expected = self.traced.function.arguments
        count = expected.offsets[1]
        for have, want in zip(found.types[:count], expected.types):
            if have.shape != want.shape:
                raise ArgumentError(
                    f"the function holds residuals of shape {have.shape} instead of {want.shape}; "
                    "if it stands for a batch of functions, call it under vmap"
                )
        check_derivatives(
            self._given,
            found.trees[1],
            expected.trees[1],
            found.types[count:],
            expected.types[count:],
        )


class Parts:
    """A function in two parts, for arguments of known structure and types.

    Args:
        traced: the function.
        kind: what the second part is to be.
        has_aux: whether the function returns a pair of results and what has no derivative.

    Attributes:
        code: the second part.
    """

    def __init__(self, traced: Traced, kind: Kind, has_aux: bool) -> None:
        division = _Division(traced, kind, has_aux)
        self._first = division.first_part()
        self._captured = [division.captured[i] for i in division.residuals]
        self.code = LinearCode(division.second_part(), kind.given)

    def __call__(self, primals: Sequence[Any], leaves: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Run the first part; return its results and the residuals.

        Args:
            primals: the arguments.
            leaves: their leaves.
        """
        captures = self._first.captures
        outer = find_trace((*leaves, *captures))
        if outer is None:
            results, returned = self._compiled(*primals)
        else:
            found = call_in(outer, self._first, leaves)
            results, returned = self._first.out_tree.unflatten(found)
        rest = iter(returned)
        return results, [next(rest) if i is None else captures[i] for i in self._captured]

    @cached_property
    def _compiled(self) -> Compiled:
        arguments = self._first.function.arguments
        return Compiled(self._first, arguments.unflatten(arguments.types))


class _Division:
    """A function being parted.

    Captured arrays that the second part needs become captures of it; captured values of outer
    traces are residuals, but the first part need not return them.

    Attributes:
        captured: for each value that the second part takes from the first one, the capture that it
            is, or None.
        residuals: positions of those of them that are no captured arrays.
    """

    def __init__(self, traced: Traced, kind: Kind, has_aux: bool) -> None:
        self._traced, self._kind = traced, kind
        self._primal, aux = split_aux(traced.function.results, has_aux)
        self._names = f"{traced.fun_name}.forward", f"{traced.fun_name}.{kind.part}"
        self._first, self._second = self._modules(len(aux.types) if aux else 0)
        handed = return_of(find_function(self._first, self._names[0])).operands[self._count :]
        self._types = [ShapeDtypeStruct(*tensor_info(value)) for value in handed]
        self.captured = [self._capture(value) for value in handed]
        captures = traced.captures
        self.residuals = [
            i
            for i, capture in enumerate(self.captured)
            if capture is None or not isinstance(captures[capture], np.ndarray)
        ]

    @property
    def _count(self) -> int:
        return len(self._traced.function.results.types)

    def _modules(self, aux: int) -> tuple[ModuleOp, ModuleOp]:
        function = self._traced.function
        options = {
            "function": function.name,
            "argnums": inexact_parameters(function),
            "aux": aux,
        }
        module = copy_module(self._traced.module)
        run_passes(module, [PassCall(self._kind.pass_name, options)])
        for name in self._names:
            add_checks(module, name, self._traced.checks)
        first, second = module, copy_module(module)
        for part, other in ((first, self._names[1]), (second, self._names[0])):
            part.body.block.erase_op(find_function(part, other))
            erase_uncalled(part)
        return first, second

    def _capture(self, value: SSAValue) -> int | None:
        if not isinstance(value, BlockArgument):
            return None
        return value.index if value.index < self._traced.function.captures else None

    def first_part(self) -> Traced:
        """Return the first part: ``(x...) -> (results, residuals that are no captures)``."""
        name, count, function = self._names[0], self._count, self._traced.function
        returned = [i for i in self.residuals if self.captured[i] is None]
        order = (*range(count), *(count + i for i in returned))
        selection = PassCall("array-select-results", {"function": name, "results": order})
        run_passes(self._first, [selection])
        results = join([function.results, _flat([self._types[i] for i in returned])])
        described = Function(name, function.captures, function.arguments, results)
        traced = self._traced
        return Traced(described, traced.captures, self._first, (), traced.names, traced.flatten)

    def second_part(self) -> Traced:
        """Return the second part: ``(residuals, tangents or cotangents) -> ...``."""
        name, count = self._names[1], len(self.captured)
        arrays = [i for i in range(count) if i not in self.residuals]
        total = len(find_function(self._second, name).body.block.args)
        order = (*arrays, *self.residuals, *range(count, total))
        permutation = PassCall("array-permute-arguments", {"function": name, "arguments": order})
        run_passes(self._second, [permutation])
        held = [self.captured[i] for i in arrays]
        captures = [self._traced.captures[i] for i in held if i is not None]
        names = ("residuals", self._kind.given)

        def flatten(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], Arguments]:
            return flatten_arguments(args, kwargs, names)

        return Traced(self._described(len(arrays)), captures, self._second, (), names, flatten)

    def _described(self, captures: int) -> Function:
        arguments, primal = self._traced.function.arguments, self._primal
        trees = derivative_trees(arguments, range(len(arguments.trees)), arguments.trees)
        by_arguments = Results(tree.tuple_of(trees), _inexact(arguments.types))
        of_results = Results(derivative_tree(primal.tree, primal.types), _inexact(primal.types))
        given, returned = by_arguments, of_results
        if self._kind.given == "cotangents":
            given, returned = returned, given
        held = _flat([self._types[i] for i in self.residuals])
        takes = Arguments((held.tree, given.tree), (), (*held.types, *given.types))
        return Function(self._names[1], captures, takes, returned)


def _flat(types: Sequence[ShapeDtypeStruct]) -> Results:
    """Return results that are a tuple of arrays."""
    return Results(tree.tuple_of([tree.LEAF] * len(types)), tuple(types))


def _inexact(types: Sequence[ShapeDtypeStruct]) -> tuple[ShapeDtypeStruct, ...]:
    return tuple([type_.strong() for type_ in types if type_.inexact])
