"""What a loop carries from one step to the next: variables, and entries of objects.

A place is carried if a step may read what the step before left in it. Its types are those that a
step leaves as it found them, for which the step may have to be traced several times: numbers of
Python take the dtypes of what they become, by NumPy's promotion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from ..arguments import ShapeDtypeStruct
from ..errors import CarryError, GradatimError, UndefinedError
from ..lax.common import common_type
from ..regions import TracedRegion, converted, lift_leaf, type_of_tracer
from ..tracer import Cell, Tracer
from ..tracing import Trace, current_trace
from .exits import FLAGS, VALUE
from .joining import flat, frozen, is_numeric, same, spelled
from .rewriting import LoopDetails
from .state import UNSET, State
from .unusable import Literals, Maybe, Unusable

ROUNDS: Final = 8
"""A step is traced at most so many times until the types stay."""


class Mode(Enum):
    """What becomes of a place.

    CARRIED: each step reads what the last one left.
    LATE: each step sets it without having read it, and it is read behind the loop.
    KEPT: an array outside, which a step changes in place if at all.
    SCRATCH: nothing that a step leaves there is read by others.
    """

    CARRIED = 1
    LATE = 2
    KEPT = 3
    SCRATCH = 4


class Place:
    """A variable, or an entry of an object, that a loop's step may set.

    Attributes:
        path: how the user's program calls it.
        put: puts a value there.
        before: its value before the loop.
        mode: what becomes of it.
        final: what the step that was traced last left there, frozen.
        rebound: whether that is another object than was there before.
        outcome: what it holds behind the loop, if that is known already.
        missing: why and when it has no value behind the loop.
        begins_with: what the leaves are when a step begins.
        known: what Python knows that it holds behind the loop.
    """

    def __init__(self, path: str, put: Callable[[Any], None], before: Any, mode: Mode) -> None:
        self.path = path
        self.put = put
        self.before = before
        self.mode = mode
        self.final: Any = UNSET
        self.rebound = False
        self.outcome: Any = UNSET
        self.missing: tuple[str, Literals] | None = None
        self.begins_with: list[Any] = []
        self.known: Any = UNSET
        self._leaves, self._structure = flat(None if before is UNSET else before)
        self._given = list(self._leaves)
        self._numeric = [i for i, leaf in enumerate(self._leaves) if is_numeric(leaf)]

    def begin(self, outer: Trace) -> None:
        """Read the first values as ones of the loop's trace."""
        for i in self._numeric:
            self._leaves[i] = lift_leaf(outer, self._leaves[i])

    @property
    def leaves(self) -> list[Tracer]:
        """The arrays and numbers that are carried, before the loop."""
        return [self._leaves[i] for i in self._numeric]

    @property
    def given(self) -> list[Any]:
        """The same before they became traced values."""
        return [self._given[i] for i in self._numeric]

    def value(self, leaves: Sequence[Tracer]) -> Any:
        """Return the value with the given arrays and numbers."""
        found = list(self._leaves)
        for i, leaf in zip(self._numeric, leaves):
            found[i] = leaf
        return self._structure.unflatten(found)

    def settle(self, outer: Trace, region: TracedRegion, where: str) -> bool:
        """Promote the types to what a step leaves; tell whether they stayed.

        Raises:
            CarryError: if there is no common type, or what is no number changes.
        """
        if isinstance(self.final, Unusable):
            raise self.final.error()
        if self.final is UNSET:
            raise CarryError(f"a step of the loop ({where}) deletes `{self.path}`", where)
        leaves, structure = flat(self.final)
        if structure != self._structure:
            raise self._changes(spelled(self.before), spelled(self.final), where)
        stayed = True
        for i, (old, new) in enumerate(zip(self._leaves, leaves)):
            if i not in self._numeric:
                if not same(old, new):
                    raise self._changes(repr(old), repr(new), where)
                continue
            if not is_numeric(new):
                raise self._changes(str(old), repr(new), where)
            before, after = type_of_tracer(old), type_of_tracer(region.lift(new))
            common = common_type(before, after, True)
            if common is None:
                raise self._changes(str(before), str(after), where)
            if common != before:
                stayed = False
                outer.locate()
                self._leaves[i] = converted(old, common)
        return stayed

    @property
    def stays(self) -> bool:
        """Whether a step leaves what was there when it began."""
        leaves = flat(self.final)[0]
        found = [_identity(leaves[i]) for i in self._numeric]
        return all(a is b for a, b in zip(found, self.begins_with))

    def results(self, region: TracedRegion) -> list[Tracer]:
        """Return what the region has to yield for the place."""
        leaves = flat(self.final)[0]
        return [region.lift(leaves[i]) for i in self._numeric]

    def become_late(self, outer: Trace) -> None:
        """Take the structure and the types of what a step leaves."""
        self._leaves, self._structure = flat(self.final)
        self._numeric = [i for i, leaf in enumerate(self._leaves) if is_numeric(leaf)]
        for i in self._numeric:
            type_ = _type_of(self._leaves[i])
            zeros = outer.builder.full(type_.shape, type_.dtype, 0)
            self._leaves[i] = outer.tracer(zeros, type_.weak_type)

    def _changes(self, old: str, new: str, where: str) -> GradatimError:
        return CarryError(
            f"`{self.path}` is {old} when a step of the loop begins and {new} when it ends "
            f"({where}); what a loop on traced values carries must keep its structure, shape and "
            "dtype",
            where,
        )


def _type_of(leaf: Any) -> ShapeDtypeStruct:
    from ..arguments import type_of

    return type_of_tracer(leaf) if type(leaf) is Tracer else type_of(leaf)


class Carried:
    """The places of a loop, while it is found out what becomes of them.

    Args:
        outer: the trace that the loop belongs to.
        details: what is known from the source.
        state: what the loop may change.
        where: the place of the loop, for messages.
        runs: whether it surely runs at least one step.
    """

    def __init__(
        self, outer: Trace, details: LoopDetails, state: State, where: str, runs: bool
    ) -> None:
        self._outer = outer
        self._details = details
        self._state = state
        self._where = where
        self._runs = runs
        self._entries: dict[tuple[int, Any], Place] = {}
        self._variables = [
            self._variable(name, before)
            for name, before in zip(state.variables.names, state.before)
        ]

    @property
    def places(self) -> list[Place]:
        """All places."""
        return [*self._variables, *self._entries.values()]

    def of_mode(self, mode: Mode) -> list[Place]:
        """Return the places of a mode."""
        return [place for place in self.places if place.mode is mode]

    @property
    def first(self) -> list[Tracer]:
        """What is carried into the first step."""
        return [leaf for place in self.of_mode(Mode.CARRIED) for leaf in place.leaves]

    def _variable(self, name: str, before: Any) -> Place:
        flags = self._details.flags
        if name == flags.broke:
            before = False
        place = Place(name, lambda new: self._state.variables.set(name, new), before, Mode.SCRATCH)
        read = name in self._details.read_first or name.startswith(FLAGS)
        later = name in self._details.read_later or name.startswith((*FLAGS, VALUE))
        missing = before is UNSET or isinstance(before, Unusable)
        if not missing and name in self._details.updated and _is_array(before):
            place.mode = Mode.KEPT
        elif later or read:
            place.mode = Mode.LATE if missing else Mode.CARRIED
        if place.mode is Mode.CARRIED:
            place.begin(self._outer)
        return place

    @property
    def given(self) -> list[Any]:
        """The same before it became traced values."""
        return [leaf for place in self.of_mode(Mode.CARRIED) for leaf in place.given]

    def is_last(self, item: Any, last: Any) -> None:
        """Note that a variable that holds a step's item is known behind the loop."""
        for place in self._variables:
            if type(place.final) is Tracer and type(item) is Tracer and same(place.final, item):
                place.known = last

    @property
    def is_read(self) -> list[bool]:
        """Tell of each leaf that is carried whether a step may read what the last one left."""
        return [
            place in self._entries.values() or place.path in self._details.read_first
            for place in self.of_mode(Mode.CARRIED)
            for _ in place.leaves
        ]

    # A step

    def enter(self, leaves: Sequence[Tracer], step: bool = True) -> None:
        """Put traced values in all places.

        Args:
            leaves: the values.
            step: whether a step begins, so that no flag has ended the loop.
        """
        rest = iter(leaves)
        for place in self.places:
            if place.mode is Mode.CARRIED:
                given: list[Any] = [next(rest) for _ in place.leaves]
                value = place.value(given)
                if step and place.path in self._details.stops:
                    value = False
                    given = [value]
                if step:
                    place.begins_with = [_identity(leaf) for leaf in given]
                place.put(value)
            elif place.mode is not Mode.KEPT and not isinstance(place.before, Unusable):
                place.put(UNSET)

    def leave(self) -> None:
        """Note what a step left in all places."""
        trace = current_trace()
        assert trace is not None
        values, contents = self._state.read()
        for place, value in zip(self._variables, values):
            place.rebound = value is not place.before
            place.final = frozen(trace, value)
        for number, (tracked, now) in enumerate(zip(self._state.contents.tracked, contents)):
            if now is None:
                continue
            if not tracked.kind.grows and len(now) != len(tracked.before):
                raise CarryError(
                    f"`{tracked.path}` gets another number of items in a step of the loop "
                    f"({self._where}), which a loop on traced values cannot do; make an array "
                    "before and assign to its parts",
                    self._where,
                )
            for key in {**tracked.before, **now}:
                self._note_entry(trace, number, key, now.get(key, UNSET))

    def _note_entry(self, trace: Trace, number: int, key: Any, value: Any) -> None:
        tracked = self._state.contents.tracked[number]
        before = tracked.before.get(key, UNSET)
        place = self._entries.get((number, key))
        if place is None:
            if value is before:
                return
            path = tracked.path + tracked.kind.entry.format(key)
            put = tracked.kind.putter(tracked.container, key)
            mode = Mode.LATE if before is UNSET else Mode.CARRIED
            place = self._entries[number, key] = Place(path, put, before, mode)
            if mode is Mode.CARRIED:
                place.begin(self._outer)
            place.rebound = True
        place.final = frozen(trace, value)

    def settle(self, region: TracedRegion) -> bool:
        """Adapt what is carried to what a step left; tell whether nothing had to be adapted."""
        stayed = True
        for place in self._variables:
            if place.mode is Mode.KEPT and place.rebound:
                place.mode, stayed = Mode.CARRIED, False
                place.begin(self._outer)
        for place in self._entries.values():
            stayed = stayed and not place.rebound
            place.rebound = False
        if not stayed:
            return False
        found = [self._settle(place, region) for place in self.of_mode(Mode.CARRIED)]
        return all(found)

    def _settle(self, place: Place, region: TracedRegion) -> bool:
        try:
            return place.settle(self._outer, region, self._where)
        except GradatimError:
            if place.path in self._details.read_first or place in self._entries.values():
                raise
            # No step reads what the last one left: behind the loop it matters what the last did.
            place.mode = Mode.LATE
            return False

    def end(self, region: TracedRegion) -> tuple[list[Tracer], list[Tracer]]:
        """Return what the last values of the late places are carried from, and all results."""
        late = self.of_mode(Mode.LATE)
        for place in late:
            self._end_late(place)
        ending = [place for place in late if place.mode is Mode.LATE]
        results = [
            leaf
            for place in (*self.of_mode(Mode.CARRIED), *ending)
            for leaf in place.results(region)
        ]
        return [leaf for place in ending for leaf in place.leaves], results

    def _end_late(self, place: Place) -> None:
        """Find out whether what a step leaves at a place is there behind the loop."""
        flags = self._details.flags
        if place.final is UNSET:
            place.mode = Mode.SCRATCH
            return
        # Where a step may leave the value out, the last one may have, though others had not.
        literals: Literals | None = None
        if isinstance(place.final, Maybe):
            literals = place.final.literals & {(flags.broke, False), (flags.returned, True)}
        message = (
            f"`{place.path}` has no value if the loop ({self._where}) makes no step; assign it "
            "before the loop"
        )
        if isinstance(place.final, Unusable):
            message = place.final.message
        if not self._runs and not place.path.startswith(VALUE):
            without = frozenset({(flags.broke, False), (flags.returned, False)})
            literals = without if literals is None else literals & without
        if literals is not None and not literals:
            place.mode, place.outcome = Mode.SCRATCH, Unusable(UndefinedError, message, self._where)
        elif isinstance(place.final, Unusable) and not isinstance(place.final, Maybe):
            place.mode, place.outcome = Mode.SCRATCH, place.final
        else:
            place.final = place.final.value if isinstance(place.final, Maybe) else place.final
            place.missing = (message, literals) if literals else None
            place.become_late(self._outer)

    def finish(self, results: Sequence[Tracer]) -> None:
        """Put the op's results, in the order of `end`, in all places."""
        rest = iter(results)
        for place in (*self.of_mode(Mode.CARRIED), *self.of_mode(Mode.LATE)):
            value = place.value([next(rest) for _ in place.leaves])
            if place.known is not UNSET:
                value = place.known
            elif place.mode is Mode.CARRIED and place.stays:
                value = place.before
            if place.missing is not None:
                message, literals = place.missing
                value = Maybe(UndefinedError, message, self._where, value, literals)
            place.put(value)
        for place in self.of_mode(Mode.SCRATCH):
            place.put(place.outcome)


def _identity(leaf: Any) -> Any:
    """Return what tells a leaf from what a step may make of it."""
    return leaf.value if type(leaf) is Tracer else leaf


def _is_array(value: Any) -> bool:
    """Tell whether a value is an array that changes in place."""
    return isinstance(value, Cell) and not (type(value) is Tracer and value.is_scalar)
