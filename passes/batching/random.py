"""Batching of what random numbers are made of: the same op on larger arrays."""

from __future__ import annotations

from typing import Final

from xdsl.ir import Operation

from ...ir.array.random import ThreefryOp
from .batched import BatchingRule
from .elementwise import elementwise

RULES: Final[dict[type[Operation], BatchingRule]] = {ThreefryOp: elementwise}
