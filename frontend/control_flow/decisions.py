"""Decisions about statements that turn out too late: the function is traced again with them.

That a loop must become a loop of the program is known for certain only when a traced condition is
to end it, in the midst of a step.
"""

from __future__ import annotations

from typing import Any

from ..tracing import current_trace
from .units import Site


class Retrace(BaseException):
    """The function must be traced again, with another decision about a statement.

    It is no Exception, so that what the user's function catches does not catch it.
    """

    def __init__(self, site: Site, decision: str) -> None:
        super().__init__()
        self.site = site
        self.decision = decision


Decisions = dict[Any, str]
"""What was decided about each site during one tracing: of loops ``roll``, ``plain`` or ``flags``."""


def decisions() -> Decisions:
    """Return the decisions of the function that is being traced."""
    trace = current_trace()
    assert trace is not None
    return trace.decisions


def decision_of(site: Site) -> str | None:
    """Return what was decided about a site, if anything was."""
    trace = current_trace()
    return trace.decisions.get(site) if trace is not None else None
