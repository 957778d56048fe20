"""Loops over what is known: when they become loops of the program instead of being written out.

Python could run each step of such a loop, and write its ops one after the other. That is what
happens unless there would be more than `WRITTEN_OUT` of them: written out, a loop can use its
number as a number (`layers[i]`, `np.zeros(i)`), and its steps can be fused. Beyond that, compiling
takes too long. Then one step is traced with a traced number, and becomes the body of a scan, if
nobody can tell the difference:

* the step does nothing but compute (`quiet`), and does not need its number as a Python int;
* what it carries keeps its types;
* what is computed with Python's ints stays within 64 bits and divides by no zero (`integers`).

Otherwise, and if the step computes with nothing traced, Python runs the loop. ``for i in
list(range(n))`` is never one of the program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..regions import TracedRegion
from .decisions import decide
from .exits import BREAK, RETURN
from .integers import Integers
from .loops import Loop, attempt, roll_scan
from .quiet import speculating
from .sources import Source
from .units import Site

WRITTEN_OUT: Final = 400
"""A loop whose steps make at most so many ops is written out."""

FEWEST_STEPS: Final = 8
"""A loop of fewer steps is written out, whatever is in it."""


def rolled(site: Site, source: Source, handle: Callable[[], Any]) -> bool:
    """Make a loop one of the program if that is better; tell whether it was done."""
    count: int = source.count
    if count < FEWEST_STEPS or site.details.kinds & {BREAK, RETURN}:
        return False

    def accept(region: TracedRegion, integers: Integers) -> bool:
        if region.size * count <= WRITTEN_OUT:
            return False
        return integers.stay_python(region.block, count)

    with speculating():
        if attempt(lambda: roll_scan(Loop(site, handle), source, accept)):
            return True
    decide(site, "plain")
    return False
