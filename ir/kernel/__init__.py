"""The kernel dialect: array ops that one loop nest computes, with a schedule beside.

Its fusions make up the kernel level. A few ops more belong to the loop level, where the upstream
dialects lack them: comparison and conversion of vectors, named mathematical
functions, strided vectors.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .arithmetic import CastOp, CompareOp, MathOp, SelectOp
from .memory import GatherLoadOp, ScatterStoreOp, StridedLoadOp, StridedStoreOp
from .ops import FusionOp, YieldOp
from .schedule import ScheduleAttr

Kernel = Dialect(
    "kernel",
    [
        FusionOp,
        YieldOp,
        CastOp,
        CompareOp,
        MathOp,
        SelectOp,
        StridedLoadOp,
        StridedStoreOp,
        GatherLoadOp,
        ScatterStoreOp,
    ],
    [ScheduleAttr],
)
"""The dialect itself, to be registered in an xDSL context."""
