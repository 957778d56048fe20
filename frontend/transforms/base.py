"""What every transformation is, and what it is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from ..arguments import Arguments, ShapeDtypeStruct
from ..tree import TreeDef


class PassCall(NamedTuple):
    """A pass of the registry, by name, and its options."""

    name: str
    options: dict[str, Any]


class Results(NamedTuple):
    """What a function returns: the structure and the type of each leaf."""

    tree: TreeDef
    types: tuple[ShapeDtypeStruct, ...]


class Function(NamedTuple):
    """What is known of a function in the IR besides its body.

    Attributes:
        name: its symbol.
        captures: how many of its parameters precede those of the arguments.
        arguments: what the other parameters stand for.
        results: what it returns.
    """

    name: str
    captures: int
    arguments: Arguments
    results: Results


class Lanes(NamedTuple):
    """How a transformation maps a function over its arguments.

    Attributes:
        in_axes: for each leaf of the arguments the dimension that it is mapped over, -1 for none.
        size: how many lanes there are.
        name: by which the function knows them.
    """

    in_axes: tuple[int, ...]
    size: int
    name: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options of `array-vmap` that tell of the batch as such."""
        return {"size": self.size, **({} if self.name is None else {"axis_name": self.name})}


class Transform(ABC):
    """A transformation of functions."""

    begins_with_arguments: ClassVar[bool] = True
    """Whether the leaves of the function's arguments are the first of the transformed one's."""

    def lanes(self, outer: Arguments) -> Lanes | None:
        """Return how the function is mapped over ``outer``, None if it is not."""
        return None

    @abstractmethod
    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Return what the function is called with when the transformed one is with ``outer``.

        Args:
            outer: arguments of the transformed function.
            names: the parameters of the user's function, for messages.

        Raises:
            GradatimError: if the transformed function cannot be called with ``outer``.
        """

    @abstractmethod
    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return what the transformed function returns.

        Raises:
            GradatimError: if the function returns what cannot be transformed.
        """

    @abstractmethod
    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Return the passes that turn the function into the transformed one."""
