"""``if`` on traced conditions: both branches are traced, and become regions of one op."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import BranchError
from ..regions import TracedRegion, assign_changed, changed_cells, lift_leaf, values_of, wrapped
from ..tracer import Tracer
from ..tracing import Trace, current_trace
from .decisions import Retrace, decision_of
from .exits import FLAGS
from .joining import Joins, Rebuild, frozen
from .operators import Thunk, truth
from .state import UNSET, Cells, State, Tracked, cells_of, content_of
from .syntax import Guard
from .units import Site
from .unusable import Literals, Maybe, Unusable

_WHEN = ("if the condition does not hold", "if it holds")


def if_(site: Site, test: Tracer, handle: Callable[[], Any]) -> None:
    """Run ``if test``, for a traced condition, on the variables that ``handle`` closes over."""
    cells = cells_of(site, handle)
    module = module_of(handle)
    branches = [site.function(name, module, cells) for name in ("@orelse", "@then")]
    guard: Guard | None = site.details
    known = [guard.known(in_body) for in_body in (False, True)] if guard else [{}, {}]
    run_branches(site, truth(test), branches, cells, module, known)


def rest(site: Site, test: Tracer, handle: Callable[[], Any]) -> Any:
    """Run a traced ``if`` with all that follows it, as one of its branches leaves early."""
    return site.function("@rest", module_of(handle), cells_of(site, handle))(test)


def leave(loop: Site) -> None:
    """Leave a loop under a traced condition: the loop has to become one of the program."""
    assert decision_of(loop) is None, "a loop that is rolled is left by its flags"
    raise Retrace(loop, "roll")


def module_of(handle: Callable[[], Any]) -> dict[str, Any]:
    """Return the global variables of the function that a lambda stands in."""
    found: dict[str, Any] = handle.__globals__
    return found


class Outcome(NamedTuple):
    """What a branch left behind.

    Attributes:
        values: of the variables, frozen.
        changed: which variables it bound anew.
        contents: of the objects that it changed, None for the others.
    """

    values: list[Any]
    changed: list[bool]
    contents: list[dict[Any, Any] | None]


def run_branches(
    site: Site,
    test: Tracer,
    branches: Sequence[Callable[[], Any]],
    cells: Cells,
    module: dict[str, Any],
    known: Sequence[Mapping[str, bool]] = ({}, {}),
) -> None:
    """Trace branches, of which a condition chooses one, and append the op.

    Args:
        site: the statement.
        test: one bool.
        branches: for False and for True; they share the cells.
        cells: of the variables.
        module: the global variables.
        known: values that flags of exits have in each branch.
    """
    state = State(site, cells, module)
    outer = current_trace() or test.trace
    entries: list[set[Any]] = [set() for _ in state.contents.tracked]
    while True:
        regions, outcomes = _trace_branches(outer, branches, state, cells, entries, known)
        found = _changed_entries(state, outcomes)
        if all(new <= old for new, old in zip(found, entries)):
            break
        entries = [new | old for new, old in zip(found, entries)]
    joins = Joins(regions, _WHEN, site.where, [_known_flags(state, o) for o in outcomes])
    values = _join_variables(joins, state, outcomes)
    contents = _join_contents(site, joins, state, outcomes, entries)
    results = append_case(outer, test, regions, joins)
    for name, rebuild in values:
        state.variables.set(name, rebuild(results))
    for write in contents:
        write(results)


def _trace_branches(
    outer: Trace,
    branches: Sequence[Callable[[], Any]],
    state: State,
    cells: Cells,
    entries: Sequence[set[Any]],
    known: Sequence[Mapping[str, bool]],
) -> tuple[list[TracedRegion], list[Outcome]]:
    regions: list[TracedRegion] = []
    outcomes: list[Outcome] = []
    try:
        for branch, flags in zip(branches, known):

            def traced(
                branch: Callable[[], Any] = branch, flags: Mapping[str, bool] = flags
            ) -> None:
                uncovered = _uncover(cells, flags)
                branch()
                _cover(uncovered, cells, state.variables.names)
                outcomes.append(_outcome(state, entries))

            captures = regions[-1].captures if regions else ()
            place = branch.__code__
            regions.append(TracedRegion(outer, traced, [], tuple, captures, place))
            state.restore()
    except BaseException:
        state.restore()
        raise
    return regions, outcomes


def _uncover(cells: Cells, known: Mapping[str, bool]) -> dict[str, Maybe]:
    """Let variables have their values that are there if flags have known values."""
    found = {}
    for name, cell in cells.items() if known else ():
        value = content_of(cell)
        if isinstance(value, Maybe) and value.is_there(known):
            cell.cell_contents = value.value
            found[name] = value
    return found


def _cover(uncovered: Mapping[str, Maybe], cells: Cells, joined: Sequence[str]) -> None:
    """Undo `_uncover` for variables that are not joined with those of other branches."""
    for name, value in uncovered.items():
        if name not in joined:
            cells[name].cell_contents = value


def _known_flags(state: State, outcome: Outcome) -> Literals:
    """Return the flags of exits whose values are known behind a branch."""
    pairs = zip(state.variables.names, outcome.values)
    return frozenset((n, v) for n, v in pairs if n.startswith(FLAGS) and type(v) is bool)


def _outcome(state: State, entries: Sequence[set[Any]]) -> Outcome:
    trace = current_trace()
    assert trace is not None
    values, contents = state.read()
    changed = [new is not old for new, old in zip(values, state.before)]
    kept: list[dict[Any, Any] | None] = []
    for tracked, now, keys in zip(state.contents.tracked, contents, entries):
        current = now if now is not None else tracked.before
        wanted = {
            key: frozen(trace, current.get(key, UNSET), tracked.before.get(key)) for key in keys
        }
        kept.append({**current, **wanted} if now is not None or keys else None)
    pairs = zip(values, state.before)
    return Outcome([frozen(trace, value, before) for value, before in pairs], changed, kept)


def _changed_entries(state: State, outcomes: Sequence[Outcome]) -> list[set[Any]]:
    """Return for each tracked object the keys of the entries that some branch changed."""
    found = []
    for number, tracked in enumerate(state.contents.tracked):
        keys: set[Any] = set()
        for outcome in outcomes:
            now = outcome.contents[number]
            if now is not None:
                before = tracked.before
                keys |= {k for k in now if k not in before or now[k] is not before[k]}
                keys |= {k for k in before if k not in now}
        found.append(keys)
    return found


def _join_variables(
    joins: Joins, state: State, outcomes: Sequence[Outcome]
) -> list[tuple[str, Rebuild]]:
    found = []
    for i, name in enumerate(state.variables.names):
        if any(outcome.changed[i] for outcome in outcomes):
            found.append((name, joins.add(name, [o.values[i] for o in outcomes])))
    return found


def _join_contents(
    site: Site,
    joins: Joins,
    state: State,
    outcomes: Sequence[Outcome],
    entries: Sequence[set[Any]],
) -> list[Callable[[Sequence[Tracer]], None]]:
    found: list[Callable[[Sequence[Tracer]], None]] = []
    for number, (tracked, keys) in enumerate(zip(state.contents.tracked, entries)):
        if not keys:
            continue
        left = [content for o in outcomes if (content := o.contents[number]) is not None]
        if not tracked.kind.grows:
            _require_same_size(site, tracked, left)
        parts = {}
        for key in sorted(keys, key=str):
            path = tracked.path + tracked.kind.entry.format(key)
            parts[key] = joins.add(path, [content.get(key, UNSET) for content in left])
        order = list(dict.fromkeys(key for content in left for key in content))

        def write(
            results: Sequence[Tracer],
            tracked: Any = tracked,
            parts: dict[Any, Rebuild] = parts,
            order: list[Any] = order,
        ) -> None:
            new = {k: parts[k](results) if k in parts else tracked.before[k] for k in order}
            kept = {k: v for k, v in new.items() if v is not UNSET}
            tracked.kind.write(tracked.container, kept)

        found.append(write)
    return found


def _require_same_size(site: Site, tracked: Tracked, left: Sequence[dict[Any, Any]]) -> None:
    sizes = [sum(item is not UNSET for item in content.values()) for content in left]
    if len(set(sizes)) > 1:
        each = " and ".join(f"{size} items {when}" for size, when in zip(sizes, _WHEN))
        raise BranchError(
            f"`{tracked.path}` has {each} ({site.where}); under a traced condition a "
            f"{type(tracked.container).__name__} must get the same number of items on both paths",
            site.where,
        )


def append_case(
    outer: Trace, test: Tracer, regions: Sequence[TracedRegion], joins: Joins
) -> list[Tracer]:
    """Append the op of branches and return its results, as `joins` numbers them."""
    changed = changed_cells(regions)
    if not joins.columns and not changed:
        return []
    for number, region in enumerate(regions):
        region.results = joins.results_of(number)
    captures = regions[-1].captures
    blocks = [region.finish(joins.types, captures, changed) for region in regions]
    outer.locate()
    chosen = lift_leaf(outer, test).value
    values = outer.builder.case(chosen, values_of(captures), blocks)
    assign_changed(outer, changed, values)
    return wrapped(outer, values[len(changed) :], joins.types)


def value_of(test: Tracer, body: Thunk, orelse: Thunk) -> Any:
    """Return what an expression gives that a traced condition chooses.

    Raises:
        BranchError: if both give something else than arrays of one shape and dtype, or numbers.
    """
    outer = current_trace() or test.trace
    regions: list[TracedRegion] = []
    values: list[Any] = []
    for thunk in (orelse, body):

        def traced(thunk: Thunk = thunk) -> None:
            trace = current_trace()
            assert trace is not None
            values.append(frozen(trace, thunk()))

        captures = regions[-1].captures if regions else ()
        place = thunk.__code__
        regions.append(TracedRegion(outer, traced, [], tuple, captures, place))
    where = regions[0].where
    joins = Joins(regions, _WHEN, where)
    rebuild = joins.add("the expression", values)
    found = rebuild(append_case(outer, test, regions, joins))
    if isinstance(found, Unusable):
        raise found.error()
    return found
