"""Closures over traced values as functions without: what they close over becomes arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import tree
from .arguments import flatten_arguments
from .boundary import public
from .errors import ArgumentError
from .stage import stage
from .traced import Traced, call_in
from .tracer import Tracer
from .tracing import find_trace


class ConvertedClosure:
    """A function traced once, of which some captures have become arguments.

    Args:
        traced: the function.
        hoisted: which captures are passed as last arguments.
    """

    def __init__(self, traced: Traced, hoisted: Sequence[int]) -> None:
        self.traced = traced
        self.hoisted = tuple(hoisted)
        self.__name__ = traced.fun_name

    @public
    def __call__(self, *args: Any) -> Any:
        """Return the function's result.

        Args:
            args: its arguments, of the types that it was traced for, and what became arguments.

        Raises:
            ArgumentError: (a TypeError) if the arguments have other types.
        """
        split = len(args) - len(self.hoisted)
        leaves, found = flatten_arguments(args[: max(split, 0)], {}, self.traced.names)
        expected = self.traced.function.arguments
        same = [t.tensor for t in found.types] == [t.tensor for t in expected.types]
        if found.trees != expected.trees or not same:
            raise ArgumentError(
                f"`{self.__name__}` was converted for other arguments than it is called with"
            )
        captures = list(self.traced.captures)
        for place, value in zip(self.hoisted, args[split:]):
            captures[place] = value
        outer = find_trace((*leaves, *captures))
        if outer is None:
            return stage(self)(*args)
        return self.traced.out_tree.unflatten(call_in(outer, self.traced, leaves, captures))


@public
def closure_convert(
    fun: Callable[..., Any], *example_args: Any
) -> tuple[Callable[..., Any], list[Any]]:
    """Return a function that takes what ``fun`` closes over as arguments, and a list of that.

    Only traced values of floats and complex numbers become arguments, since only they can have
    derivatives. It lets a function with derivative rules take another one that closes over values
    by which one differentiates.

    Args:
        fun: the function.
        example_args: arguments, or their types, as `ShapeDtypeStruct`; values do not matter.

    Returns:
        ``converted, values``, such that ``converted(*args, *values)`` is ``fun(*args)``.
    """
    traced = stage(fun).trace(*example_args)
    hoisted = [
        i
        for i, capture in enumerate(traced.captures)
        if isinstance(capture, Tracer) and capture.dtype.kind in "fc"
    ]
    return ConvertedClosure(traced, hoisted), [traced.captures[i] for i in hoisted]


class Closure:
    """A closure as a container of all the traced values that it closes over.

    Attributes:
        values: these.
        code: the function of arguments and values.
    """

    def __init__(self, values: Sequence[Any], code: ConvertedClosure) -> None:
        self.values = tuple(values)
        self.code = code

    def __call__(self, *args: Any) -> Any:
        """Return the function's result."""
        return self.code(*args, *self.values)


tree.register_node(
    Closure, lambda node: (node.values, node.code), lambda code, values: Closure(values, code)
)


def closure_of(fun: Callable[..., Any], *example_args: Any) -> Closure:
    """Return a function as a container of the traced values that it closes over."""
    traced = stage(fun).trace(*example_args)
    hoisted = [i for i, capture in enumerate(traced.captures) if isinstance(capture, Tracer)]
    return Closure([traced.captures[i] for i in hoisted], ConvertedClosure(traced, hoisted))
