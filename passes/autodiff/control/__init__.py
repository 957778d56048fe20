"""Derivative rules of the control family."""

from __future__ import annotations

from typing import Final

from xdsl.ir import Operation

from ..kinds import OpRule

RULES: Final[dict[type[Operation], OpRule]] = {}
NON_DIFFERENTIABLE: Final[dict[type[Operation], str]] = {}
