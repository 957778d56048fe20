"""Batching of control flow.

Loops whose number of steps is the same for all lanes run once for all; which of their carries
differ between lanes is found by a fixpoint. Where lanes differ in what they do, they run together
under a mask, in blocks of lanes or one by one, whichever is cheaper.
"""

from __future__ import annotations

from typing import Final

from xdsl.ir import Operation

from ..batched import LaneRule
from . import plain, uniform

RULES: Final[dict[type[Operation], LaneRule]] = {**uniform.RULES, **plain.RULES}
"""The rule of each op of the family."""
