"""The kernel dialect: groups of array ops that one loop nest computes, with a schedule beside them."""

from __future__ import annotations

from xdsl.ir import Dialect

from .ops import FusionOp, YieldOp
from .schedule import ScheduleAttr

Kernel = Dialect("kernel", [FusionOp, YieldOp], [ScheduleAttr])
"""The dialect itself, to be registered in an xDSL context."""
