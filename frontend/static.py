"""Static arguments: those that a function gets as they are, and that are compiled in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Final, NamedTuple

from . import tree
from .errors import StaticArgumentError
from .tracer import Tracer

_TOLD_BY: Final[dict[type[Any], str]] = {
    Integral: "positions, which are ints",
    str: "names, which are strings",
}


class StaticArguments(NamedTuple):
    """Which arguments of a function are static.

    Attributes:
        numbers: their positions.
        names: their names.
    """

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return bool(self.numbers or self.names)

    def marked(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], parameters: Sequence[str]
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """Wrap static arguments of a call, so that they become part of the structure.

        Args:
            args: positional arguments.
            kwargs: those by keyword.
            parameters: the names of the function's positional parameters.

        Raises:
            StaticArgumentError: if one is traced, or cannot be hashed.
        """
        if not self.exist:
            return args, kwargs
        count = len(args)
        return (
            tuple(
                [
                    _static(value, i) if self.has_position(i, count, parameters) else value
                    for i, value in enumerate(args)
                ]
            ),
            {k: _static(v, k) if self.has_name(k, parameters) else v for k, v in kwargs.items()},
        )

    def has_position(self, position: int, count: int, parameters: Sequence[str]) -> bool:
        """Tell whether the argument at a position, of ``count``, is static."""
        if position in self.numbers or position - count in self.numbers:
            return True
        return position < len(parameters) and parameters[position] in self.names

    def has_name(self, name: str, parameters: Sequence[str]) -> bool:
        """Tell whether the argument of a name is static."""
        return name in self.names or (name in parameters and parameters.index(name) in self.numbers)

    def require_donatable(
        self, function: Callable[..., Any], numbers: Any, names: Any, parameters: Sequence[str]
    ) -> None:
        """Raise StaticArgumentError unless these are parameters, and none of them static."""
        numbers, names = as_tuple(numbers, Integral, "donated"), as_tuple(names, str, "donated")
        require_parameters(function, numbers, names, "donated")
        for number in from_front(parameters, numbers):
            if self.has_position(number, len(parameters), parameters):
                raise StaticArgumentError(f"argument {number} cannot be both static and donated")
        for name in names:
            if self.has_name(name, parameters):
                raise StaticArgumentError(f"argument {name!r} cannot be both static and donated")


def static_arguments(function: Callable[..., Any], numbers: Any, names: Any) -> StaticArguments:
    """Return the static arguments of a function.

    Args:
        function: the function.
        numbers: positions, a position, or None; negative ones count from the last parameter.
        names: names, a name, or None.

    Raises:
        StaticArgumentError: if one is no parameter.
    """
    numbers, names = as_tuple(numbers, Integral), as_tuple(names, str)
    require_parameters(function, numbers, names, "static")
    return StaticArguments(from_front(positional_parameters(function), numbers), names)


def positional_parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's positional parameters, as far as they are known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple([p.name for p in parameters if p.kind in positional])


def as_tuple(given: Any, kind: type[Any], what: str = "static") -> tuple[Any, ...]:
    """Return how a user tells parameters, by one position or name, by several or None, as a tuple.

    Args:
        given: what the user gave.
        kind: ``Integral`` for positions, ``str`` for names.
        what: which arguments they are, for messages.

    Raises:
        StaticArgumentError: if one is of another kind.
    """
    if given is None:
        return ()
    single = isinstance(given, (kind, str)) or not isinstance(given, Iterable)
    several = (given,) if single else tuple(given)
    for one in several:
        if not isinstance(one, kind):
            raise StaticArgumentError(f"{what} arguments are told by {_TOLD_BY[kind]}, not {one!r}")
    return several


def require_parameters(
    function: Callable[..., Any], numbers: Sequence[int], names: Sequence[str], what: str
) -> None:
    """Raise StaticArgumentError if there are no parameters of these positions and names."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return
    kinds = {p.kind for p in parameters.values()}
    title = f"`{getattr(function, '__qualname__', function)}`"
    for name in names:
        if name not in parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise StaticArgumentError(f"{what} argument {name!r} is no parameter of {title}")
    count = len(positional_parameters(function))
    for n in numbers:
        if not -count <= n < count and inspect.Parameter.VAR_POSITIONAL not in kinds:
            raise StaticArgumentError(
                f"{what} argument {n} is no positional parameter of {title}, which has {count}"
            )


def from_front(parameters: Sequence[str], numbers: Sequence[int]) -> tuple[int, ...]:
    """Count positions of parameters from the front, where it is known how many there are."""
    count = len(parameters)
    return tuple([n + count if -count <= n < 0 else n for n in numbers])


def _static(value: Any, name: int | str) -> tree.Static:
    if type(value) is Tracer:
        raise StaticArgumentError(f"static argument {name!r} is a traced value, {value}")
    try:
        hash(value)
    except TypeError:
        raise StaticArgumentError(
            f"static argument {name!r} must be hashable, found a {type(value).__name__}"
        ) from None
    return tree.Static(value)
