"""Derivatives of what random numbers are made of: none."""

from __future__ import annotations

from typing import Final

from ...ir.array import random as r
from ...ir.array.base import ArrayOp
from .kinds import OpRule

RULES: Final[dict[type[ArrayOp], OpRule]] = {}

NON_DIFFERENTIABLE: Final[dict[type[ArrayOp], str]] = {r.ThreefryOp: "it works on bits"}
"""Ops through which no derivative flows, and why: what they give has derivative zero."""
