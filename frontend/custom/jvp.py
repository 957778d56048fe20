"""Functions with a rule for tangents."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from .. import tree
from ..arguments import FLOAT0, type_of
from ..boundary import public
from ..caches import forget
from ..control_flow import conversion
from ..errors import ArgumentError, CustomRuleError, UnsupportedError
from ..tracing import current_trace
from .callee import Callee, callee_of, required
from .emission import (
    Call,
    append,
    begin,
    bound,
    converted,
    describe,
    fixed_positions,
    here,
    zeros_of,
)

P = ParamSpec("P")
R = TypeVar("R")


class custom_jvp(Generic[P, R]):
    """A function whose derivatives follow from a rule for tangents.

    Both modes work: reverse mode transposes the rule, which must be linear in the tangents. A rule
    may call the function itself, and is differentiated in its turn for higher derivatives.

    Args:
        fun: the function.
        nondiff_argnums: positions of arguments that have no derivative and may be anything, such as
            functions.
        nondiff_argnames: names of such arguments.

    Example:
        >>> @custom_jvp
        ... def f(x):
        ...     return np.log1p(np.exp(x))
        >>> @f.defjvp
        ... def f_jvp(primals, tangents):
        ...     (x,), (t,) = primals, tangents
        ...     return f(x), t / (1 + np.exp(-x))
        >>> grad(f)(1000.0)
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
        self.jvp: Callable[..., Any] | None = None

    @public
    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the rule, and return it; usable as a decorator.

        Args:
            jvp: takes the arguments without derivatives, one after the other, then two tuples, of
                primals and of their tangents; returns a pair of the result and its tangent. The
                tangent of an integer is an array of dtype ``float0``.
            symbolic_zeros: not supported; tangents that are zero are arrays of zeros.
        """
        if symbolic_zeros:
            raise UnsupportedError("symbolic_zeros is not supported; zeros are arrays", here())
        self.jvp = jvp
        forget(self)
        return jvp

    @public
    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Set the rule by one function for each argument.

        Args:
            jvps: each takes the tangent of its argument, the result, and all primals, and returns
                what it contributes to the result's tangent; None for an argument that contributes
                nothing.
        """
        if self.nondiff_argnums:
            raise ArgumentError(
                "defjvps is not for functions with nondiff_argnums; use defjvp", here()
            )

        def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            result: Any = self(*primals)  # type: ignore[call-arg]
            terms = [
                rule(tangent, result, *primals)
                for rule, tangent in zip(jvps, tangents, strict=True)
                if rule is not None
            ]
            if not terms:
                return result, tree.map(_zeros_like, result)
            return result, tree.map(lambda *parts: sum(parts[1:], parts[0]), *terms)

        self.jvp = jvp
        forget(self)

    @public
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function.

        Raises:
            CustomRuleError: (a TypeError) if there is no rule, or it gives something else than
                results and tangents.
        """
        outer = current_trace()
        if self.jvp is None:
            raise CustomRuleError(f"{describe(self.fun)} has no rule yet; set one by `defjvp`")
        if outer is None:
            return self.fun(*args, **kwargs)
        call = begin(outer, self.fun, bound(self.fun, args, kwargs), self.nondiff_argnums)
        name = self.fun.__name__
        primal = required(
            callee_of(
                outer, (self, "primal", call.key), name, self.fun, call.types, call.all_arguments
            ),
            name,
        )
        jvp = callee_of(
            outer,
            (self, "jvp", call.key),
            f"{name}.jvp",
            _checked(self.jvp, call, primal),
            [*call.types, *call.inexact],
            functools.partial(_with_tangents, call),
        )
        return append(call, primal, jvp)


def _with_tangents(call: Call, leaves: Sequence[Any]) -> list[Any]:
    """Return the arguments of a rule: those without derivatives, primals and tangents."""
    count = len(call.types)
    given = iter(leaves[count:])
    tangents = [next(given) if t.inexact else np.zeros(t.shape, FLOAT0) for t in call.types]
    unflatten = call.structure.unflatten
    return [*call.fixed, unflatten(leaves[:count]), unflatten(tangents)]


def _checked(rule: Callable[..., Any], call: Call, primal: Callee) -> Callable[..., list[Any]]:
    """Return a rule that gives the leaves of results, and those of tangents that there are."""

    converted_rule = conversion.converted(rule) if call.outer.root.convert else rule

    @functools.wraps(rule)
    def checked(*args: Any) -> list[Any]:
        found = converted_rule(*args)
        what = f"the rule {describe(rule)}"
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise CustomRuleError(
                f"{what} must return a pair of the result and its tangent, "
                f"found {tree.structure(found)}",
                here(),
            )
        structure, types = primal.structure, primal.types
        result = converted(found[0], structure, types, "result")
        tangents = converted(found[1], structure, types, "tangent")
        return [*result, *(t for t, type_ in zip(tangents, types) if type_.inexact)]

    return checked


def _zeros_like(leaf: Any) -> Any:
    type_ = type_of(leaf)
    return zeros_of(type_) if type_.inexact else np.zeros(type_.shape, FLOAT0)
