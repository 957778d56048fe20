"""``while`` and ``for`` on traced values: a step is traced, and becomes the body of one op."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from xdsl.ir import BlockArgument

from ...ir.array.shape import ConstantOp
from ..arguments import ShapeDtypeStruct
from ..errors import CarryError
from ..lax.loops import Body, append_scan, append_while
from ..local import noting_conversions
from ..regions import TracedRegion, type_of_tracer, wrapped
from ..tracer import Tracer
from ..tracing import Trace, current_trace
from .branches import module_of, run_branches
from .carrying import ROUNDS, Carried, Mode
from .decisions import Retrace, decide, decision_of
from .integers import Integers, counters_of
from .operators import and_, not_, or_, truth
from .sources import Source, source_of
from .state import Cells, State, cells_of, content_of
from .units import Site

_STEP: Final = ShapeDtypeStruct((), np.dtype(np.int64), True)


class Loop:
    """A loop of the user's that becomes one of the program.

    Args:
        site: the loop.
        handle: closes over its variables.
    """

    def __init__(self, site: Site, handle: Callable[[], Any]) -> None:
        self.site = site
        self.cells: Cells = cells_of(site, handle)
        self.module = module_of(handle)
        self.step = site.function("@step", self.module, self.cells)
        trace = current_trace()
        assert trace is not None
        self.outer: Trace = trace

    def test(self) -> Any:
        """Return the condition of a ``while``."""
        return self.site.function("@test", self.module, self.cells)()

    def stopped(self) -> Any:
        """Return whether a flag ends the loop."""
        found: Any = False
        for name in self.site.details.stops:
            found = or_(found, partial(content_of, self.cells[name]))
        return found

    def carried(self, runs: bool) -> tuple[State, Carried]:
        """Return what the loop may change, and what it carries."""
        state = State(self.site, self.cells, self.module)
        where = self.site.where
        return state, Carried(self.outer, self.site.details, state, where, runs)

    def traced(
        self, state: State, carried: Carried, head: Sequence[Any], parts: Sequence[Any], item: Any
    ) -> tuple[TracedRegion, list[Tracer]]:
        """Trace a step until what it carries keeps its types; return its parameters too.

        Args:
            state: what it may change.
            carried: what it carries.
            head: types of the arguments before what is carried.
            parts: types of those behind.
            item: makes the loop's item of both.
        """
        for _ in range(ROUNDS):
            types = [type_of_tracer(leaf) for leaf in carried.first]
            parameters: list[Tracer] = []

            def step(
                *leaves: Tracer, count: int = len(types), found: list[Tracer] = parameters
            ) -> None:
                split = len(head) + count
                found += leaves
                carried.enter(leaves[len(head) : split])
                self.step(item(leaves[: len(head)], leaves[split:]))
                carried.leave()

            try:
                region = TracedRegion(
                    self.outer, step, [*head, *types, *parts], tuple, (), self.step.__code__
                )
            finally:
                state.restore()
            if not region.outdated and carried.settle(region):
                return region, parameters
        raise CarryError(
            f"what the loop ({self.site.where}) carries gets another type in each step",
            self.site.where,
        )

    def condition(
        self,
        state: State,
        carried: Carried,
        body: Body,
        count: int,
        more: Callable[[Sequence[Tracer]], Any],
    ) -> TracedRegion:
        """Trace what must hold for another step.

        Args:
            state: what it may change.
            carried: what the loop carries.
            body: the loop's body.
            count: how many arguments there are before what is carried.
            more: tells whether there is another step, if no flag ends the loop.
        """
        carries = len(carried.first)

        def condition(*leaves: Tracer) -> Any:
            carried.enter(leaves[count : count + carries], step=False)
            found = more(leaves[:count])
            for name in self.site.details.stops:
                found = and_(not_(content_of(self.cells[name])), partial(_itself, found))
            return truth(found) if type(found) is Tracer else bool(found)

        captures = body.region.captures
        code = self.step.__code__
        try:
            return TracedRegion(self.outer, condition, body.types, tuple, captures, code)
        finally:
            state.restore()


def attempt(roll: Callable[[], bool | None]) -> bool:
    """Try to make a loop one of the program; tell whether it was done.

    What fails, or gives False, has changed nothing: Python can run the loop instead, and meets
    there whatever is wrong with it.
    """
    with noting_conversions() as conversions:
        try:
            if roll() is not False:
                return True
        except Exception:  # whatever it is, Python meets it again
            pass
    conversions.undo()
    return False


# while


def begin_while(site: Site, handle: Callable[[], Any]) -> int:
    """Begin a ``while`` loop: return 1 if Python is to run it, 0 if it is done."""
    decision = decision_of(site)
    if decision not in ("roll", "try"):
        return 1
    loop = Loop(site, handle)
    first = loop.test()
    if type(first) is not Tracer and not first:
        return 0
    if decision == "roll":
        _roll_while(loop, type(first) is not Tracer)
    elif not attempt(lambda: _roll_while(loop, type(first) is not Tracer)):
        decide(site, "late")
        return 1
    return 0


def while_(site: Site, test: Tracer, steps: int, handle: Callable[[], Any]) -> bool:
    """Run the rest of a ``while`` loop whose condition is traced; return False.

    Args:
        site: the loop.
        test: the condition.
        steps: 1 if Python has run no step yet.
        handle: closes over the variables.
    """
    truth(test)
    if steps != 1 and decision_of(site) is None:
        raise Retrace(site, "try")  # so that its first steps become steps of the loop too
    _roll_while(Loop(site, handle), False)
    return False


def _roll_while(loop: Loop, runs: bool) -> None:
    state, carried = loop.carried(runs)
    region, _ = loop.traced(state, carried, (), (), lambda head, parts: None)
    _append_while(loop, state, carried, region, (), lambda head: loop.test())


def _append_while(
    loop: Loop,
    state: State,
    carried: Carried,
    region: TracedRegion,
    head: Sequence[tuple[Tracer, Tracer]],
    more: Callable[[Sequence[Tracer]], Any],
) -> None:
    """Append the loop.

    Args:
        loop: the loop.
        state: what it may change.
        carried: what it carries.
        region: a step.
        head: what is carried besides, before all others: first values, and those that a step
            leaves.
        more: tells whether there is another step.
    """
    late, results = carried.end(region)
    first = [*(value for value, _ in head), *carried.first]
    types = [type_of_tracer(leaf) for leaf in (*first, *late)]
    for type_ in types[len(first) :]:
        region.add_argument(type_)
    region.results = [*(region.lift(left) for _, left in head), *results]
    body = Body(region, [*first, *late], types)
    condition = loop.condition(state, carried, body, len(head), more)
    found = append_while(loop.outer, body, condition)
    carried.finish(found[len(head) :])


# for


def iterate(site: Site, iterable: Any, handle: Callable[[], Any]) -> Iterable[Any]:
    """Begin a ``for`` loop: return what Python is to iterate over, which is empty if it is done."""
    if current_trace() is None:
        return iterable
    source = source_of(iterable)
    decision = decision_of(site)
    if source is not None and type(source.count) is Tracer:
        _roll_items(Loop(site, handle), source)
        return ()
    if decision == "roll":
        return _without_breaks(site, iterable, source, handle)
    if decision == "flags":
        _unroll(Loop(site, handle), iterable)
        return ()
    if source is None or decision == "plain":
        return iterable
    from .rolling import rolled

    return () if rolled(site, source, handle) else source.plain()


def _without_breaks(
    site: Site, iterable: Any, source: Source | None, handle: Callable[[], Any]
) -> Iterable[Any]:
    """Run a loop that a traced condition leaves."""
    if source is not None:
        known = source
        if attempt(lambda: _roll_items(Loop(site, handle), known)):
            return ()
        decide(site, "flags")
    _unroll(Loop(site, handle), iterable)
    return ()


def _roll_items(loop: Loop, source: Source) -> None:
    """Run a loop whose number of steps only compiled code knows."""
    outer = loop.outer
    runs = type(source.count) is not Tracer and source.count > 0
    state, carried = loop.carried(runs)
    outer.locate()
    end: Any = outer.lift(source.count)
    zero = outer.constant(0)

    def item(head: Sequence[Any], parts: Sequence[Any]) -> Any:
        left.append(head[0] + 1)
        return source.at(head[0])

    left: list[Tracer] = []
    region, _ = loop.traced(state, carried, [_STEP], (), item)
    head = [(zero, left[-1])]
    _append_while(loop, state, carried, region, head, lambda found: found[0] < end)


def roll_scan(loop: Loop, source: Source, accept: Callable[[TracedRegion, Integers], bool]) -> bool:
    """Run a loop with a known number of steps; tell whether it was accepted.

    Args:
        loop: the loop, which no flag ends.
        source: what it runs over.
        accept: tells of a traced step, and of the ints of Python that it begins with, whether it
            shall become a loop of the program.
    """
    outer = loop.outer
    state, carried = loop.carried(True)
    outer.locate()
    arrays: list[Any] = [outer.lift(array) for array in source.arrays]
    parts = [ShapeDtypeStruct(array.shape[1:], array.dtype) for array in arrays]

    def item(head: Sequence[Any], found: Sequence[Any]) -> Any:
        items.append(source.item(head[0], found))
        return items[-1]

    items: list[Any] = []
    region, parameters = loop.traced(state, carried, [_STEP], parts, item)
    region.on_leak(Retrace(loop.site, "plain"))
    left = [leaf for place in carried.of_mode(Mode.CARRIED) for leaf in place.results(region)]
    counters = counters_of(carried.given, parameters[1:], left, carried.is_read)
    traced = any(map(_is_traced, (*region.captures, *carried.given, *arrays)))
    if not traced or not accept(region, Integers(parameters[0].value, counters)):
        return False
    if source.last() is not None:
        carried.is_last(items[-1], source.last())
    late, results = carried.end(region)
    carries = [*carried.first, *late]
    types = [type_of_tracer(leaf) for leaf in carries]
    for number, type_ in enumerate(types[len(carries) - len(late) :]):
        region.add_argument(type_, 1 + len(carries) - len(late) + number)
    region.results = results
    body = Body(region, carries, types)
    values, found = append_scan(outer, body, arrays, source.count, False, 1)
    carried.finish(wrapped(outer, values, found))
    return True


def _itself(value: Any) -> Any:
    return value


def _is_traced(value: Any) -> bool:
    """Tell whether a value depends on arguments, and is not an array that Python knows."""
    if type(value) is not Tracer:
        return False
    ssa, trace = value.value, value.trace
    if isinstance(ssa, BlockArgument):
        if ssa.index >= len(trace.captures):
            return True
        return _is_traced(trace.captures[ssa.index])
    return not isinstance(ssa.owner, ConstantOp)


def _unroll(loop: Loop, iterable: Any) -> None:
    """Run a loop step by step, each under the condition that no flag has ended it."""
    for name in loop.site.details.stops:
        if name == loop.site.details.flags.broke:
            loop.cells[name].cell_contents = False
    for item in iterable:
        stopped = loop.stopped()
        if type(stopped) is not Tracer:
            if stopped:
                return
            loop.step(item)
            continue

        def step(item: Any = item) -> None:
            loop.step(item)

        def skip() -> None:
            pass

        run_branches(loop.site, not_(stopped), [skip, step], loop.cells, loop.module)
