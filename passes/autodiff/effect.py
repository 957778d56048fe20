"""Derivatives of effects: there are none of what Python functions compute, nor of checks."""

from __future__ import annotations

from typing import Final, NoReturn

from xdsl.ir import Operation

from ...ir.array.effect import CallbackOp, CheckOp
from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from .kinds import OpRule, Own


def _refuse(builder: object, op: CallbackOp, *derivatives: object) -> NoReturn:
    raise GradatimError(
        f"what {op.label.data} computes in Python cannot be differentiated; give the function that "
        "calls it a derivative of its own, by `custom_jvp` or `custom_vjp`",
        spell_location(op.location),
    )


RULES: Final[dict[type[Operation], OpRule]] = {CallbackOp: Own(_refuse, _refuse)}

NON_DIFFERENTIABLE: Final[dict[type[Operation], str]] = {
    CheckOp: "its result is a condition; derivatives pass by what it looks at",
}
