"""Decisions about statements that turn out too late: the function is traced again with them.

That a loop must become a loop of the program is known for certain only when a traced condition is
to end it, in the midst of a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tracing import current_trace

if TYPE_CHECKING:
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
"""What was decided about the loops of a function, during one tracing of it.

* ``roll``: a traced condition leaves the loop, so it must become one of the program.
* ``try``: its condition becomes traced after some steps; it is tried to begin before them.
* ``late``: that failed; it begins behind them.
* ``flags``: it can only be written out, each step under the condition that none before left it.
* ``plain``: Python runs it.
"""


def decide(site: Site, decision: str) -> None:
    """Note a decision about a site."""
    trace = current_trace()
    assert trace is not None
    trace.decisions[site] = decision


def decision_of(site: Site) -> str | None:
    """Return what was decided about a site, if anything was."""
    trace = current_trace()
    return trace.decisions.get(site) if trace is not None else None
