"""Functions with a rule for cotangents."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from .. import tree
from ..arguments import FLOAT0
from ..boundary import public
from ..caches import forget
from ..control_flow import conversion
from ..errors import CustomRuleError, UnsupportedError
from ..tracing import current_trace
from ..tree import TreeDef
from .callee import Callee, callee_of, required
from .emission import (
    Call,
    append,
    begin,
    bound,
    converted,
    cotangents_for,
    describe,
    fixed_positions,
    here,
)

P = ParamSpec("P")
R = TypeVar("R")


class custom_vjp(Generic[P, R]):
    """A function whose derivatives follow from a rule for cotangents.

    Both modes work: forward mode transposes the backward rule, which must be linear in the
    cotangents. Rules may call the function itself, and are differentiated in their turn for higher
    derivatives.

    Args:
        fun: the function.
        nondiff_argnums: positions of arguments that have no derivative and may be anything, such as
            functions.
        nondiff_argnames: names of such arguments.

    Example:
        >>> @custom_vjp
        ... def clipped(x):
        ...     return x
        >>> clipped.defvjp(lambda x: (x, None), lambda _, g: (np.clip(g, -1, 1),))
        >>> grad(lambda x: 5 * clipped(x))(2.0)
        np.float64(1.0)
    """

    @public
    def __init__(
        self,
        fun: Callable[P, R],
        nondiff_argnums: int | Sequence[int] = (),
        nondiff_argnames: str | Sequence[str] = (),
    ) -> None:
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = fixed_positions(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable[..., Any] | None = None
        self.bwd: Callable[..., Any] | None = None

    @public
    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Set the rules.

        Args:
            fwd: takes the function's arguments; returns a pair of the result and residuals, a tree
                of arrays.
            bwd: takes the arguments without derivatives, one after the other, then the residuals
                and the cotangents of the result; returns a tuple with the cotangents of each
                other argument. None stands for zeros. The cotangent of an integer is an array of
                dtype ``float0``.
            symbolic_zeros: not supported; cotangents that are zero are arrays of zeros.
            optimize_remat: has no effect; what nobody needs of ``fwd`` is always left out.
        """
        if symbolic_zeros:
            raise UnsupportedError("symbolic_zeros is not supported; zeros are arrays", here())
        self.fwd, self.bwd = fwd, bwd
        forget(self)

    @public
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function.

        Raises:
            CustomRuleError: (a TypeError) if there are no rules, or they give something else than
                results, residuals and cotangents.
        """
        if self.fwd is None or self.bwd is None:
            raise CustomRuleError(f"{describe(self.fun)} has no rules yet; set them by `defvjp`")
        outer = current_trace()
        if outer is None:
            return self.fun(*args, **kwargs)
        call = begin(outer, self.fun, bound(self.fun, args, kwargs), self.nondiff_argnums)
        name = self.fun.__name__
        key = (self, "primal", call.key)
        primal = required(
            callee_of(outer, key, name, self.fun, call.types, call.all_arguments), name
        )
        forward = callee_of(
            outer,
            (self, "forward", call.key),
            f"{name}.forward",
            _forward(self.fwd, call, primal),
            call.types,
            call.all_arguments,
        )
        if forward is None:  # the forward rule calls the function, and residuals are not known yet
            return append(call, primal)
        count = len(primal.types)
        residuals = forward.structure.children[1]
        cotangents = [type_ for type_ in primal.types if type_.inexact]
        backward = callee_of(
            outer,
            (self, "backward", call.key),
            f"{name}.backward",
            _backward(self.bwd, call),
            [*forward.types[count:], *cotangents],
            functools.partial(_with_cotangents, call, primal, residuals),
        )
        return append(call, primal, forward=forward, backward=backward)


def _forward(rule: Callable[..., Any], call: Call, primal: Callee) -> Callable[..., Any]:
    """Return a forward rule that gives a pair of the leaves of results, and residuals."""

    converted_rule = conversion.converted(rule) if call.outer.root.convert else rule

    @functools.wraps(rule)
    def forward(*args: Any) -> tuple[list[Any], Any]:
        found = converted_rule(*args)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise CustomRuleError(
                f"the forward rule {describe(rule)} must return a pair of the result and "
                f"residuals, found {tree.structure(found)}",
                here(),
            )
        return converted(found[0], primal.structure, primal.types, "result"), found[1]

    return forward


def _backward(rule: Callable[..., Any], call: Call) -> Callable[..., list[Any]]:
    """Return a backward rule that gives the leaves of cotangents that there are."""

    converted_rule = conversion.converted(rule) if call.outer.root.convert else rule

    @functools.wraps(rule)
    def backward(*args: Any) -> list[Any]:
        return cotangents_for(
            converted_rule(*args), call, f"what the backward rule {describe(rule)} returns"
        )

    return backward


def _with_cotangents(
    call: Call, primal: Callee, residuals: TreeDef, leaves: Sequence[Any]
) -> list[Any]:
    """Return the arguments of a backward rule: those without derivatives, residuals, cotangents."""
    count = residuals.num_leaves
    given = iter(leaves[count:])
    cotangents = [next(given) if t.inexact else np.zeros(t.shape, FLOAT0) for t in primal.types]
    return [
        *call.fixed,
        residuals.unflatten(leaves[:count]),
        primal.structure.unflatten(cotangents),
    ]
