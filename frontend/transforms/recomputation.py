"""Recomputation in reverse mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..arguments import Arguments
from .base import Function, PassCall, Results, Transform


@dataclass(frozen=True)
class Checkpoint(Transform):
    """The same function, of which reverse mode keeps only what a policy allows.

    Attributes:
        policy: ``nothing``, ``everything``, ``dots``, or ``names:a,b``.
    """

    policy: str = "nothing"

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Return the same arguments."""
        return outer

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Return the same results."""
        return inner.results

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Mark the function."""
        return [PassCall("array-remat", {"function": inner.name, "policy": self.policy})]
