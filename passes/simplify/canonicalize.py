"""Canonical forms by a builder that simplifies what it is asked to build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from ...ir.array import OPS_BY_FAMILY
from ...ir.array.base import ArrayOp
from ...ir.array.control import TapePopOp
from ...ir.array.regions import RegionOp
from ...ir.locations import fused
from ...ir.types import Tensor
from ..blocks import append_copy
from . import contraction, elementwise, indexing, ordering, reduction, shape
from .control.revise import Walker, popped, revise
from .cse import Numbering, is_commutative
from .dce import eliminate_dead_code
from .fold import folded
from .inline import inline_calls
from .rewriting import functions_of, rewrite_forward
from .rules import (
    Compositions,
    Rewritten,
    Rules,
    SplatRules,
    array_op_type,
    constant_of,
    splat_of,
)

_ARRAY_OPS: Final = frozenset(op for ops in OPS_BY_FAMILY.values() for op in ops)

RULES: Final[Rules] = {
    **elementwise.RULES,
    **shape.RULES,
    **indexing.RULES,
    **reduction.RULES,
    **contraction.RULES,
    **ordering.RULES,
}

COMPOSITIONS: Final[Compositions] = {
    **elementwise.COMPOSITIONS,
    **shape.COMPOSITIONS,
    **indexing.COMPOSITIONS,
    **reduction.COMPOSITIONS,
    **contraction.COMPOSITIONS,
}

SPLAT_RULES: Final[SplatRules] = elementwise.SPLAT_RULES


class Canonicalizer(Walker):
    """A builder that returns the simplest value it knows to equal the result of the op asked for.

    Operands are simple before an op of them is built, and what a rule builds goes the same way, so
    one forward walk over a program reaches the fixpoint: no rule applies to the ops that stay.
    """

    def __init__(
        self, block: Block, fast: bool = False, select_branches: bool = False, nested: bool = False
    ) -> None:
        super().__init__(block)
        self.fast = fast
        self.select_branches = select_branches
        self.nested = nested
        self.changed = False
        self.has_regions = False
        self.numbering = Numbering()

    def walk(self) -> None:
        """Simplify each op of the block once, in order."""

        def visit(op: Operation) -> Sequence[SSAValue] | None:
            self.location = op.location
            values = self.simplest(op)
            if values is op.results:
                return None
            self.changed = True
            return values

        rewrite_forward(self.block, visit)
        self.numbering.fuse_locations()

    def walk_inner(self, block: Block) -> None:
        """Simplify each op of a block in a region."""
        inner = Canonicalizer(block, self.fast, self.select_branches, nested=True)
        inner.walk()
        self.changed |= inner.changed
        self.waiting |= inner.waiting

    def replay(self, op: Operation, environment: dict[SSAValue, SSAValue]) -> None:
        """Append a copy of an op, or what is simpler, and note its results."""
        with self.at(op.location):
            copy = append_copy(self.block, op, environment)
            values = self.simplest(copy)
        if values is not copy.results:
            environment.update(zip(op.results, values))
            self.block.erase_op(copy)

    def create_results(
        self,
        op_type: type[ArrayOp],
        operands: Sequence[SSAValue],
        properties: Mapping[str, Attribute] = {},
        requested: Tensor | None = None,
    ) -> Sequence[SSAValue]:
        """Return the values of the op, which is appended only if nothing simpler is known."""
        op = super().create_results(op_type, operands, properties, requested)[0].owner
        assert isinstance(op, Operation)
        values = self.simplest(op)
        if values is not op.results:
            self.block.erase_op(op)
        return values

    def simplest(self, op: Operation) -> Sequence[SSAValue]:
        """Return the simplest values that equal the results of ``op``, the last op of the block.

        They are the op's own ``results`` where nothing simpler is known.
        """
        if type(op) not in _ARRAY_OPS:
            return self._beside_arrays(op)
        found = self._rewritten(op)
        if found is None:
            return self.numbering.first_equal(op).results
        return (found,) if isinstance(found, SSAValue) else found

    def _beside_arrays(self, op: Operation) -> Sequence[SSAValue]:
        """Return the simplest values of an op that is not on arrays alone."""
        if isinstance(op, TapePopOp):
            return popped(op)
        if not isinstance(op, RegionOp):
            return op.results
        self.has_regions = True
        values = revise(self, op)
        return op.results if values is None else values

    def _rewritten(self, op: Operation) -> Rewritten:
        constants = folded(op)
        if constants is not None:
            return [self.constant_attribute(constant) for constant in constants]
        operands = op._operands
        if len(operands) == 2:
            value = self._with_constant(op, *operands)
            if value is not None:
                return value
        for rule in RULES.get(type(op), ()):
            found = rule(self, op)
            if found is not None:
                return found
        return self._composed(op)

    def _with_constant(self, op: Operation, x: SSAValue, y: SSAValue) -> SSAValue | None:
        """Bring a constant to the right of a commutative op, and try the rules for one there."""
        if constant_of(y) is None:
            if constant_of(x) is None or not is_commutative(type(op)):
                return None
            return self.create(array_op_type(op), (y, x), op.properties)
        rule = SPLAT_RULES.get(type(op))
        element = splat_of(y) if rule else None
        return None if rule is None or element is None else rule(self, op, x, element)

    def _composed(self, op: Operation) -> Rewritten:
        """Try the rules for the op together with each of the ops that make its operands."""
        for index, operand in enumerate(op._operands):
            inner = operand.owner
            rule = COMPOSITIONS.get((type(op), index, type(inner)))
            if rule is None:
                continue
            assert isinstance(inner, Operation)
            with self.at(fused((op.location, inner.location))):
                value = rule(self, op, inner)
            if value is not None:
                return value
        return None


MOST_WALKS: Final = 16
"""More walks than any program needs, so that two rules that undo each other are no endless loop."""


def canonicalize(function: FuncOp, fast: bool = False, select_branches: bool = False) -> None:
    """Bring a function into canonical form and drop what is dead then.

    One forward walk, and another where the first has freed a value that a rule waited for.

    Args:
        function: the function, which is changed.
        fast: whether rewrites are allowed that are exact for real numbers but not in floating
            point.
        select_branches: whether small branches are all computed, and one selected. That is for
            functions of which no derivative is taken any more: the derivative of a branch that is
            not taken may be infinite, and zero times that is no number.
    """
    for _ in range(MOST_WALKS):
        walked = walk(function, fast, select_branches)
        if not (walked.changed and walked.waiting):
            break


class Walked(NamedTuple):
    """What a walk over a function did: whether anything, and whether a rule waited to apply."""

    changed: bool
    waiting: bool


def walk(function: FuncOp, fast: bool = False, select_branches: bool = False) -> Walked:
    """Simplify each op of a function once, in order, and drop what is dead then."""
    canonicalizer = Canonicalizer(function.body.block, fast, select_branches)
    canonicalizer.walk()
    dead = eliminate_dead_code(function)
    waiting = canonicalizer.waiting or (dead and canonicalizer.has_regions)
    return Walked(dead or canonicalizer.changed, waiting)


@dataclass(frozen=True)
class ArrayCanonicalize(ModulePass):
    """Bring programs into one form: fold, cancel, merge equal ops, and drop what is dead.

    Forward walks over each function, as a rule one, after which no rule applies any more.
    Constants are folded and stand at the right of commutative ops, neighbouring shape ops become
    one or vanish, transposes move into contractions and reductions, and what is computed from
    repeated elements is computed before they are repeated.

    Results keep their bits, but for the order of a reduction's additions, the sign of a zero that
    ``max`` or ``min`` picks out of two, small powers (within 2 ulp), and the bits of a NaN.
    ``fast`` allows what is exact for real numbers only: zeros have no sign, values are finite,
    constants reassociate.

        %one = array.constant dense<1.0> : tensor<2x3xf64>
        %a = array.mul %x, %one : tensor<2x3xf64>
        %b = array.transpose %a permutation [1, 0] : tensor<2x3xf64> -> tensor<3x2xf64>
        %c = array.transpose %b permutation [1, 0] : tensor<3x2xf64> -> tensor<2x3xf64>
        %d = array.neg %c : tensor<2x3xf64>

    becomes

        %d = array.neg %x : tensor<2x3xf64>

    Loops and branches take no more than they need, carry what changes, and give what is used; what
    is the same in all steps is computed before them. With ``select-branches`` small branches are
    all computed and one is selected, which is for programs of which no derivative is taken any
    more.

    Options:
        fast: whether to change bits as above.
        select-branches: whether to select among small branches.
    """

    name: ClassVar[str] = "array-canonicalize"

    fast: bool = False
    select_branches: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Apply the pass to each function."""
        for function in functions_of(op):
            canonicalize(function, self.fast, self.select_branches)


def simplify(module: ModuleOp, fast: bool = False) -> None:
    """Inline all calls and canonicalize what is left: ``array-inline,array-canonicalize``.

    Raises:
        GradatimError: if a function calls itself, or one that the module lacks.
    """
    inline_calls(module)
    for function in functions_of(module):
        canonicalize(function, fast)
