"""Functions with a rule for batches."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, i64
from xdsl.dialects.func import FuncOp

from ...ir.functions import find_function
from ...ir.ops import copy_module
from ...passes.batching.custom import BATCHING, RULES_OF_USERS
from ...passes.simplify.inline import inline_calls
from .. import numpy as surface
from .. import tree
from ..arguments import ShapeDtypeStruct
from ..boundary import public
from ..caches import forget
from ..errors import CustomRuleError
from ..regions import TracedRegion, lift_tree, type_of_tracer, values_of, wrapped
from ..tracing import current_trace
from ..tree import TreeDef
from .emission import bound, describe, here

P = ParamSpec("P")
R = TypeVar("R")


class custom_vmap(Generic[P, R]):
    """A function of which a rule says what `vmap` makes.

    Derivatives are those of the function; where they are batched, the rule is not asked.

    Args:
        fun: the function, of arrays and trees of them.

    Example:
        >>> @custom_vmap
        ... def f(x):
        ...     return x + 1
        >>> @f.def_vmap
        ... def rule(axis_size, in_batched, xs):
        ...     return xs + 100, in_batched[0]
        >>> f(1.0), vmap(f)(np.zeros(2))
        (2.0, array([100., 100.]))
    """

    @public
    def __init__(self, fun: Callable[P, R]) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.vmap_rule: Callable[..., Any] | None = None

    @public
    def def_vmap(self, vmap_rule: Callable[..., Any]) -> Callable[..., Any]:
        """Set the rule, and return it; usable as a decorator.

        Args:
            vmap_rule: takes the size of the batch; a list that has for each argument a tree of
                bools, which leaves carry the batch, in dimension 0; and the arguments. It returns
                a pair of the result, and of bools that tell the same of its leaves: a tree of
                them, or one for all.
        """
        self.vmap_rule = vmap_rule
        forget(self)
        return vmap_rule

    @public
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function.

        Raises:
            CustomRuleError: (a TypeError) if there is no rule, or, under `vmap`, it gives something
                else than results of the function and bools, or the function closes over values that
                carry the batch.
        """
        if self.vmap_rule is None:
            raise CustomRuleError(f"{describe(self.fun)} has no rule yet; set it by `def_vmap`")
        outer = current_trace()
        if outer is None:
            return self.fun(*args, **kwargs)
        leaves, structure = lift_tree(outer, tuple(bound(self.fun, args, kwargs)))
        types = [type_of_tracer(leaf) for leaf in leaves]
        region = TracedRegion(outer, self.fun, types, structure.unflatten, code=None)
        captures = values_of(region.captures)
        rule = _Rule(self.fun, self.vmap_rule, structure, types, region, len(captures))
        RULES_OF_USERS.append(rule)
        block = region.finish(region.types, region.captures)
        results = outer.builder.remat("everything", [*captures, *values_of(leaves)], block)
        last = outer.builder.block.last_op
        assert last is not None
        last.attributes[BATCHING] = IntegerAttr(len(RULES_OF_USERS) - 1, i64)
        found: R = region.structure.unflatten(wrapped(outer, results, region.types))
        return found


class _Rule:
    """The rule of one call, as batching asks for it."""

    def __init__(
        self,
        function: Callable[..., Any],
        rule: Callable[..., Any],
        structure: TreeDef,
        types: Sequence[ShapeDtypeStruct],
        region: TracedRegion,
        captures: int,
    ) -> None:
        self._function, self._rule = function, rule
        self._structure, self._types, self._captures = structure, types, captures
        self._results, self._result_types = region.structure, region.types
        self._where = here()
        self._known: dict[Any, tuple[FuncOp, Sequence[bool]]] = {}

    def __call__(self, size: int, batched: Sequence[bool]) -> tuple[FuncOp, Sequence[bool]]:
        """Return the function of the batch, and which results carry it."""
        key = (size, tuple(batched))
        if key not in self._known:
            self._known[key] = self._traced(size, batched)
        return self._known[key]

    def _traced(self, size: int, batched: Sequence[bool]) -> tuple[FuncOp, Sequence[bool]]:
        from ..stage import Staged

        flags = batched[self._captures :]
        if any(batched[: self._captures]):
            raise CustomRuleError(
                f"{describe(self._function)} has a rule for batches, and closes over values that "
                "carry the batch; let it take them as arguments",
                self._where,
            )
        carried: list[bool] = []

        def run(captures: Any, *args: Any) -> list[Any]:
            found = self._rule(size, list(self._structure.unflatten(flags)), *args)
            results, carried[:] = self._checked(size, found)
            return results

        unused = [None] * self._captures
        args = self._structure.unflatten(
            [_batch(t, size) if flag else t for t, flag in zip(self._types, flags)]
        )
        traced = Staged(run).trace(unused, *args)
        if traced.captures:
            raise CustomRuleError(
                f"the rule for batches of {describe(self._function)} closes over large arrays or "
                "traced values; let the function take them as arguments",
                self._where,
            )
        module = copy_module(traced.module)
        function = find_function(module, traced.fun_name)
        inline_calls(module, function)
        return function, carried

    def _checked(self, size: int, found: Any) -> tuple[list[Any], list[bool]]:
        """Return the leaves of what a rule gave, and which carry the batch."""
        what = f"the rule for batches of {describe(self._function)}"
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise CustomRuleError(f"{what} must return a pair of results and bools", here())
        leaves, structure = tree.flatten(found[0])
        flags, told = tree.flatten(found[1])
        flags = flags * len(leaves) if len(flags) == 1 and told == tree.LEAF else flags
        if structure != self._results or len(flags) != len(leaves):
            raise CustomRuleError(f"{what} must return {self._results}, found {structure}", here())
        carried = [bool(flag) for flag in flags]
        for leaf, type_, flag in zip(leaves, self._result_types, carried):
            wanted = _batch(type_, size) if flag else type_
            if np.shape(leaf) != wanted.shape:
                raise CustomRuleError(
                    f"{what} gives a result of shape {np.shape(leaf)} instead of {wanted.shape}",
                    here(),
                )
        pairs = zip(leaves, self._result_types)
        return [
            surface.astype(surface.asarray(leaf), type_.dtype) for leaf, type_ in pairs
        ], carried


def _batch(type_: ShapeDtypeStruct, size: int) -> ShapeDtypeStruct:
    return ShapeDtypeStruct((size, *type_.shape), type_.dtype)
