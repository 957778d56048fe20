"""What the rules of ops with regions share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Block, SSAValue

from ....ir.array.regions import terminator_of
from ....ir.builder import Builder
from ....ir.functions import FunctionBuilder, return_of
from ....ir.locations import derived
from ....ir.ops import Environment
from ...blocks import append_block, append_needed, effects_of, mapping
from ...groups import chosen, spread
from ...simplify.canonicalize import canonicalize
from ..kinds import Derivatives, Engine, Flags, derivative_type, require_unused, zero_like


def derivative_types(values: Iterable[SSAValue]) -> list[Attribute]:
    """Return the types of tangents and cotangents of values."""
    return [derivative_type(value) for value in values]


def filled(b: Builder, derivatives: Derivatives, values: Sequence[SSAValue]) -> list[SSAValue]:
    """Return tangents or cotangents of some values, with the zeros written out."""
    return [
        zero_like(b, value) if found is None else found for found, value in zip(derivatives, values)
    ]


class Joint:
    """The reverse mode of a block as one function: its forward part and the sweep back.

    The sweep back of a linear block needs nothing that depends on what the block is linear in. So
    the loops that it needs must not carry any such value, not even in vain, as those do that give
    such results. These results are computed apart, for uses that only other results have.

    Attributes:
        block: the function's block.
        arguments: the block's arguments that stand for those of the original.
        cotangents: its other arguments, one for each wanted result.
        results: the values of the original's results, if wanted.
        gradients: the cotangents of the varied arguments.
        effects: the ops with effects, those of the forward part and those of the sweep back.
    """

    def __init__(
        self,
        engine: Engine,
        body: Block,
        varied: Flags,
        wanted: Flags,
        location: LocationAttr,
        *,
        linear: bool = False,
        with_results: bool = True,
    ) -> None:
        outputs = chosen(terminator_of(body).operands, wanted)
        new = FunctionBuilder(
            "joint",
            [*body.arg_types, *derivative_types(outputs)],
            [*(argument.name_hint for argument in body.args), *["cotangent"] * len(outputs)],
            derived(location, "vjp"),
        )
        count = len(body.args)
        own, cotangents = new.arguments[:count], new.arguments[count:]
        results, pullback = engine.record(new.builder, body, own, varied, wanted, linear=linear)
        found = chosen(pullback(spread(cotangents, wanted)), varied)
        gradients = filled(new.builder, found, chosen(own, varied))
        apart = engine.varied(body, varied) if linear else [False] * len(results)
        kept = chosen(results, [not flag for flag in apart]) if with_results else []
        function = new.finish([*kept, *gradients])
        canonicalize(function)
        self._function = function  # which owns the block
        self.block = function.body.block
        self.arguments, self.cotangents = self.block.args[:count], self.block.args[count:]
        self.effects = effects_of(self.block, self.cotangents)
        outs = return_of(function).operands
        self.results, self.gradients = list(outs[: len(kept)]), outs[len(kept) :]
        if with_results and any(apart):
            self._add_results(body, apart)

    def _add_results(self, body: Block, apart: Flags) -> None:
        """Append the results that are computed apart, and put them between the others."""
        end = return_of(self._function)
        end.detach()  # type: ignore[no-untyped-call]
        found = append_block(self.block, body, self.arguments)
        self.block.add_op(end)
        others = iter(self.results)
        self.results = [y if flag else next(others) for y, flag in zip(found, apart)]

    def append_forward(
        self, block: Block, environment: Environment, kept: Sequence[SSAValue]
    ) -> list[SSAValue]:
        """Append what gives the results and what is kept, to values of the arguments."""
        outputs = [*self.results, *kept]
        return append_needed(block, self.block, outputs, environment, self.effects.early)

    def append_gradients(self, block: Block, environment: Environment) -> list[SSAValue]:
        """Append the sweep back, to values of what was kept and of the cotangents."""
        return append_needed(block, self.block, self.gradients, environment, self.effects.late)


def append_transpose(
    engine: Engine,
    b: Builder,
    body: Block,
    linear: Flags,
    arguments: Sequence[SSAValue],
    cotangents: Derivatives,
) -> list[SSAValue]:
    """Append the transpose of a block that is linear in some arguments.

    ``arguments`` are the others; ``cotangents`` are those of the results, where None has none.
    """
    wanted = [g is not None for g in cotangents]
    joint = Joint(engine, body, linear, wanted, b.location, linear=True, with_results=False)
    require_unused([a for a, is_linear in zip(joint.arguments, linear) if is_linear])
    others = [a for a, is_linear in zip(joint.arguments, linear) if not is_linear]
    given = [g for g in cotangents if g is not None]
    environment = mapping([*others, *joint.cotangents], [*arguments, *given])
    return append_needed(b.block, joint.block, joint.gradients, environment)
