"""The kernel dialect: array ops that one loop nest computes, with a schedule beside.

Its fusions make up the kernel level; bufferised, small arrays go between registers and memory by
``kernel.load`` and ``kernel.store``, and tapes are memory that grows. A few ops more belong to the
loop level, where the upstream dialects lack them: comparison and conversion of vectors, rotation of
bits, named mathematical functions, vectors of strided, interleaved and scattered elements, scratch
memory of threads.
"""

from __future__ import annotations

from xdsl.ir import Dialect

from .arithmetic import CastOp, CompareOp, MathOp, SelectOp, ThreefryOp
from .memory import (
    GatherLoadOp,
    InterleavedLoadOp,
    InterleavedStoreOp,
    LoadOp,
    ScatterStoreOp,
    StoreOp,
    StridedLoadOp,
    StridedStoreOp,
)
from .ops import FusionOp, YieldOp
from .schedule import ScheduleAttr
from .scratch import ScratchGiveOp, ScratchReserveOp, ScratchTakeOp
from .tape import TapeFreeOp, TapeNewOp, TapePopOp, TapePushOp, TapeType

Kernel = Dialect(
    "kernel",
    [
        *(FusionOp, YieldOp, LoadOp, StoreOp),
        *(TapeNewOp, TapePushOp, TapePopOp, TapeFreeOp),
        *(CastOp, CompareOp, MathOp, SelectOp, ThreefryOp),
        *(StridedLoadOp, StridedStoreOp, InterleavedLoadOp, InterleavedStoreOp),
        *(GatherLoadOp, ScatterStoreOp),
        *(ScratchReserveOp, ScratchTakeOp, ScratchGiveOp),
    ],
    [ScheduleAttr, TapeType],
)
"""The dialect itself, to be registered in an xDSL context."""
