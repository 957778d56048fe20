"""Derivative rules of the control family."""

from __future__ import annotations

from typing import Final

from xdsl.ir import Operation

from ..kinds import OpRule
from . import branches, custom, plain, rematerialization, scan, while_loop

RULES: Final[dict[type[Operation], OpRule]] = {
    **branches.RULES,
    **scan.RULES,
    **while_loop.RULES,
    **rematerialization.RULES,
    **custom.RULES,
    **plain.RULES,
}

NON_DIFFERENTIABLE: Final[dict[type[Operation], str]] = {}
