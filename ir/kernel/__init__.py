"""The kernel dialect: array ops that one loop nest computes, with a schedule beside.

Its fusions make up the kernel level. A few ops more belong to the loop level, where the upstream
dialects lack them: named mathematical functions, saturating conversion, strided vectors.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .arithmetic import MathOp, SaturatingConvertOp
from .memory import StridedLoadOp, StridedStoreOp
from .ops import FusionOp, YieldOp
from .schedule import ScheduleAttr

Kernel = Dialect(
    "kernel",
    [FusionOp, YieldOp, MathOp, SaturatingConvertOp, StridedLoadOp, StridedStoreOp],
    [ScheduleAttr],
)
"""The dialect itself, to be registered in an xDSL context."""
