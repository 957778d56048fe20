"""The kinds of derivative rule. An op has one rule, of one kind.

A tangent or cotangent that is None is zero, and no op is made for it.

For complex values a linear map and its transpose pair by sum(c * t) without conjugation, of which
the real part counts where the map is linear over the reals only. The gradient of a real function of
x + iy is then df/dx - i df/dy, as in JAX.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from xdsl.dialects.builtin import LocationAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from ...ir.array.control import TapeType, inexact_types, is_inexact_type
from ...ir.array.indexing import DynamicUpdateSliceOp, ScatterOp
from ...ir.array.shape import ConstantOp
from ...ir.attributes import ScatterKind
from ...ir.builder import Builder
from ...ir.errors import GradatimError
from ...ir.locations import spell_location
from ...ir.types import element_of, is_splat, shape_of

Derivative: TypeAlias = SSAValue | None
"""A tangent or a cotangent; None is zero."""

Derivatives: TypeAlias = Sequence[Derivative]

Partial: TypeAlias = Callable[..., SSAValue]
"""``partial(builder, g, z, *operands)`` appends g times a partial derivative of the result z."""

Transpose: TypeAlias = Callable[[Builder, Any, SSAValue, int], SSAValue]
"""``transpose(builder, op, g, i)`` appends operand i's cotangent for the result's cotangent g."""


def is_inexact(value: SSAValue) -> bool:
    """Tell whether a value is of floats or complex numbers, which alone have derivatives.

    A tape is if one of its items is.
    """
    return is_inexact_type(value.type)


def is_differentiable_tape(value: SSAValue) -> bool:
    """Tell whether a value is a tape of which an item has a derivative.

    Beside it runs another one, of the derivatives of its items, which is pushed and popped whenever
    it is itself.
    """
    return isinstance(value.type, TapeType) and is_inexact_type(value.type)


def derivative_type(value: SSAValue) -> Attribute:
    """Return the type of an inexact value's tangents and cotangents."""
    type_ = value.type
    return TapeType.of(inexact_types(type_.types)) if isinstance(type_, TapeType) else type_


def zero_like(builder: Builder, value: SSAValue) -> SSAValue:
    """Append the zero tangent or cotangent of an inexact value, which if a tape is empty."""
    type_ = derivative_type(value)
    if isinstance(type_, TapeType):
        return builder.tape_new(type_.types)
    return builder.full_like(value, 0)


def not_linear(name: str, location: LocationAttr) -> GradatimError:
    """Return the error about an op that should be linear."""
    return GradatimError(
        f"{name} is not linear in the arguments to transpose by", spell_location(location)
    )


def require_unused(linear: Iterable[SSAValue]) -> None:
    """Raise unless a transpose needs none of the arguments in which the function was linear."""
    for value in linear:
        if value.first_use is not None:
            op = value.first_use.operation
            raise not_linear(op.name, op.location)


class Rule(Protocol):
    """How to differentiate an op in both modes."""

    def jvp(self, builder: Builder, op: Any, tangents: Derivatives, /) -> Derivatives:
        """Append and return the results' tangents for the operands' ones, not all zero."""

    def vjp(
        self, builder: Builder, op: Any, cotangents: Derivatives, wanted: Sequence[bool], /
    ) -> Derivatives:
        """Append and return the wanted operands' cotangents for the results' ones, not all zero.

        What is returned for an operand that is not wanted does not count.
        """


@dataclass(frozen=True)
class Partials:
    """The rule of an elementwise function: its partial derivatives.

    Its Jacobian is diagonal, hence its own transpose, so that both modes multiply by the same. A
    partial derivative that is zero everywhere is None.
    """

    partials: Sequence[Partial | None]

    def jvp(self, builder: Builder, op: Operation, tangents: Derivatives, /) -> Derivatives:
        """Sum the tangents times the partial derivatives."""
        terms = [
            partial(builder, tangent, op.results[0], *op.operands)
            for partial, tangent in zip(self.partials, tangents)
            if partial is not None and tangent is not None
        ]
        return [add_all(builder, terms)]

    def vjp(
        self, builder: Builder, op: Operation, cotangents: Derivatives, wanted: Sequence[bool], /
    ) -> Derivatives:
        """Multiply the cotangent by the partial derivatives."""
        return [
            partial(builder, cotangents[0], op.results[0], *op.operands)
            if partial is not None and wants
            else None
            for partial, wants in zip(self.partials, wanted)
        ]


@dataclass(frozen=True)
class Linear:
    """The rule of an op of one result that is linear in its inexact operands: the transpose.

    It is linear in all of them together (a sum), or, if ``in_each``, in each one while the others
    are held (a product). Forward mode applies the op itself.
    """

    transpose: Transpose
    in_each: bool = False

    def jvp(self, builder: Builder, op: Operation, tangents: Derivatives, /) -> Derivatives:
        """Apply the op to the tangents, to all at once or to one after the other."""
        if not self.in_each:
            return apply_jointly(builder, op, tangents)
        terms = []
        for position, tangent in enumerate(tangents):
            if tangent is not None:
                operands = list(op.operands)
                operands[position] = tangent
                terms.append(_apply(builder, op, operands))
        return [add_all(builder, terms)]

    def vjp(
        self, builder: Builder, op: Operation, cotangents: Derivatives, wanted: Sequence[bool], /
    ) -> Derivatives:
        """Apply the transpose for each wanted operand."""
        g = cotangents[0]
        assert g is not None
        return [
            self.transpose(builder, op, g, position) if wants else None
            for position, wants in enumerate(wanted)
        ]


def apply_jointly(builder: Builder, op: Any, tangents: Derivatives) -> Derivatives:
    """Apply an op to the tangents of all its inexact operands: the jvp of a jointly linear op.

    Here zeros must be written out.
    """
    operands = [
        tangent
        if tangent is not None
        else builder.full_like(operand, 0)
        if is_inexact(operand)
        else operand
        for operand, tangent in zip(op.operands, tangents)
    ]
    return builder.create_results(type(op), operands, op.properties, op.results[0].type)


def _apply(builder: Builder, op: Any, operands: Sequence[SSAValue]) -> SSAValue:
    return builder.create(type(op), operands, op.properties, requested=op.results[0].type)


@dataclass(frozen=True)
class Own:
    """A rule of no particular form: a jvp and a vjp as ``Rule`` has them, side by side."""

    jvp: Callable[[Builder, Any, Derivatives], Derivatives]
    vjp: Callable[[Builder, Any, Derivatives, Sequence[bool]], Derivatives]


@dataclass(frozen=True)
class Composed:
    """No rule: ``compose(builder, op, operands)`` writes the op out in others, which have theirs.

    It returns the op's result, or all of its results. Where the op is differentiated, its
    composition takes its place, so that the derivatives are right to every order.
    """

    compose: Callable[[Builder, Any, Sequence[SSAValue]], SSAValue | Sequence[SSAValue]]


Flags: TypeAlias = Sequence[bool]
"""Which of the operands, results or arguments something holds of."""

Pullback: TypeAlias = Callable[[Derivatives], Derivatives]
"""Appends what makes of the results' cotangents those of the operands, or arguments."""


class Engine(Protocol):
    """Both modes on blocks, as the rules of ops with regions need them."""

    def varied(self, body: Block, varied: Flags) -> list[bool]:
        """Tell which results of a block depend differentiably on the varied arguments."""

    def useful(self, body: Block, varied: Flags, wanted: Flags) -> list[bool]:
        """Tell on which varied arguments the wanted results depend differentiably."""

    def push_forward(
        self,
        builder: Builder,
        body: Block,
        arguments: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
    ) -> tuple[list[SSAValue], list[Derivative]]:
        """Append a block and its tangents; return its results and the wanted ones' tangents.

        The arguments, values of the builder's block, are distinct.
        """

    def record(
        self,
        builder: Builder,
        body: Block,
        arguments: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        *,
        linear: bool = False,
    ) -> tuple[list[SSAValue], Pullback]:
        """Append a block; return its results, and how to pull the wanted ones' cotangents back.

        Cotangents are pulled back to the varied arguments, which are distinct values of the
        builder's block, and to no other. The pullback appends to the builder when it is called,
        once. ``linear`` demands that the results are linear in the varied arguments.

        Raises:
            GradatimError: if an op has no derivative rule, or is not linear but should be.
        """


class RegionRule(ABC):
    """How to differentiate an op with regions, in place of which another one comes.

    The op is the original one. Its operands in the new program are ``operands``; lists that tell
    which of them vary, or have tangents, and which of the results are wanted, go by position.
    """

    @abstractmethod
    def varied(self, engine: Engine, op: Any, varied: Flags, /) -> Flags:
        """Tell which results depend differentiably on the varied operands."""

    @abstractmethod
    def useful(self, engine: Engine, op: Any, varied: Flags, wanted: Flags, /) -> Flags:
        """Tell on which varied operands the wanted results depend differentiably."""

    @abstractmethod
    def jvp(
        self,
        engine: Engine,
        builder: Builder,
        op: Any,
        operands: Sequence[SSAValue],
        tangents: Derivatives,
        wanted: Flags,
        /,
    ) -> tuple[Sequence[SSAValue], Derivatives]:
        """Append what computes the results and the wanted ones' tangents; return both."""

    @abstractmethod
    def vjp(
        self,
        engine: Engine,
        builder: Builder,
        op: Any,
        operands: Sequence[SSAValue],
        varied: Flags,
        wanted: Flags,
        linear: bool,
        /,
    ) -> tuple[Sequence[SSAValue], Pullback]:
        """Append what computes the results and keeps what the pullback needs; return both."""


@dataclass(frozen=True)
class ByKind:
    """The rules of an op whose property ``kind`` says what it computes."""

    rules: Mapping[object, Rule | Composed]


OpRule: TypeAlias = Rule | Composed | ByKind | RegionRule
"""What a family's table holds for an op."""


class PairwiseSum:
    """A sum by a balanced tree, neighbours first, each part of it added up as soon as it can be.

    At most one partial sum of each power of two is pending, so that few of many terms are alive at
    a time; the rounding error grows with the logarithm of their number (pairwise summation; Higham,
    Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2).

    Terms that were put among zeros, as the cotangent of what was read at a computed position is,
    are added last and in their place alone. So a loop that reads an element in each step takes time
    for the element and not for the array.
    """

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._partial: list[tuple[int, SSAValue]] = []
        self._placed: dict[tuple[object, ...], tuple[SSAValue, PairwiseSum]] = {}

    def add(self, value: SSAValue) -> None:
        """Add one more term."""
        update = _placed_among_zeros(value)
        if update is not None:
            _, updates = self._placed.setdefault(
                _place_of(value), (value, PairwiseSum(self._builder))
            )
            updates.add(update)
            return
        size = 1
        while self._partial and self._partial[-1][0] == size:
            value = self._builder.add(self._partial.pop()[1], value)
            size *= 2
        self._partial.append((size, value))

    def total(self) -> Derivative:
        """Return the sum of all terms; None where there are none."""
        total: Derivative = None
        for _, value in reversed(self._partial):
            total = value if total is None else self._builder.add(value, total)
        for value, updates in self._placed.values():
            update = updates.total()
            assert update is not None
            total = _add_in_place(self._builder, total, value, update)
        return total


def _placed_among_zeros(value: SSAValue) -> Derivative:
    """Return what a value has at computed positions if it is zero everywhere else."""
    op = value.owner
    if type(op) is ScatterOp and op.kind.data is not ScatterKind.ADD:
        return None
    if (type(op) is ScatterOp or type(op) is DynamicUpdateSliceOp) and is_zero(op.operand):
        return op.update
    return None


def _place_of(value: SSAValue) -> tuple[object, ...]:
    """Return what values have in common that have something at the same positions."""
    op = value.owner
    assert isinstance(op, DynamicUpdateSliceOp | ScatterOp)
    return type(op), shape_of(op.update), tuple(op.operands[2:]), tuple(op.properties.items())


def is_zero(value: SSAValue) -> bool:
    """Tell whether a value is a constant of zeros."""
    op = value.owner
    if not isinstance(op, ConstantOp) or not is_splat(op.value):
        return False
    return bool(element_of(op.value) == 0)


def _add_in_place(b: Builder, total: Derivative, term: SSAValue, update: SSAValue) -> SSAValue:
    """Append the total with an update added where the term has its own."""
    op = term.owner
    assert isinstance(op, DynamicUpdateSliceOp | ScatterOp)
    if total is None:
        if update is op.update:
            return term
        total = op.operand
    elif isinstance(op, DynamicUpdateSliceOp):
        update = b.add(b.dynamic_slice(total, op.starts, shape_of(update)), update)
    return b.create(type(op), (total, update, *op.operands[2:]), op.properties)


def add_all(builder: Builder, values: Sequence[SSAValue]) -> Derivative:
    """Sum values by a balanced tree, neighbours first; None where there are none."""
    terms = PairwiseSum(builder)
    for value in values:
        terms.add(value)
    return terms.total()
