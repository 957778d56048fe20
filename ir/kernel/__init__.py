"""The kernel dialect: array ops that one loop nest computes, with a schedule beside.

Its fusions make up the kernel level; bufferised, small arrays go between registers and memory by
``kernel.load`` and ``kernel.store``. A few ops more belong to the loop level, where the upstream
dialects lack them: comparison and conversion of vectors, rotation of bits, named mathematical
functions, vectors of strided and scattered elements.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .arithmetic import CastOp, CompareOp, MathOp, RotateLeftOp, SelectOp
from .memory import (
    GatherLoadOp,
    LoadOp,
    ScatterStoreOp,
    StoreOp,
    StridedLoadOp,
    StridedStoreOp,
)
from .ops import FusionOp, YieldOp
from .schedule import ScheduleAttr

Kernel = Dialect(
    "kernel",
    [
        *(FusionOp, YieldOp, LoadOp, StoreOp),
        *(CastOp, CompareOp, MathOp, RotateLeftOp, SelectOp),
        *(StridedLoadOp, StridedStoreOp, GatherLoadOp, ScatterStoreOp),
    ],
    [ScheduleAttr],
)
"""The dialect itself, to be registered in an xDSL context."""
