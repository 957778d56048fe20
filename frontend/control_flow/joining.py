"""One value out of several: what a variable holds behind branches that left different values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final
from weakref import WeakValueDictionary

import numpy as np

from ...ir.types import ELEMENT_TYPES
from .. import tree
from ..arguments import ShapeDtypeStruct
from ..errors import BranchError, DtypeError, TreeError, UndefinedError
from ..lax.common import common_type
from ..regions import TracedRegion, type_of_tracer
from ..tracer import Cell, Tracer
from ..tracing import INLINE_BYTES, Trace
from ..tree import TreeDef
from ..views import Same, View
from .exits import VALUE
from .state import UNSET
from .unusable import Literals, Maybe, Unusable

_SCALARS: Final = (bool, int, float, complex)

Rebuild = Callable[[Sequence[Tracer]], Any]
"""Makes a value from the results of an op."""


def is_numeric(leaf: Any) -> bool:
    """Tell whether a leaf is an array or number, which compiled code can choose or carry."""
    if isinstance(leaf, Cell) or type(leaf) in _SCALARS:
        return True
    return isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype in ELEMENT_TYPES


def flat(value: Any) -> tuple[list[Any], TreeDef]:
    """Return leaves and structure of a value; one that is no tree is a leaf itself."""
    try:
        return tree.flatten(value)
    except TreeError:
        return [value], tree.LEAF


def frozen(trace: Trace, value: Any, before: Any = None) -> Any:
    """Return a value with what its arrays hold now, as values of a trace that is open.

    Args:
        trace: the trace.
        value: any value.
        before: what was in its place before.
    """
    if isinstance(value, Maybe):
        inner = frozen(trace, value.value, before)
        return Maybe(value.kind, value.message, value.where, inner, value.literals)
    if value is UNSET or type(value) in _SCALARS or isinstance(value, Unusable):
        return value
    leaves, structure = flat(value)
    own = {id(leaf) for leaf in flat(before)[0]}
    new = [_frozen_leaf(trace, leaf, id(leaf) in own) for leaf in leaves]
    return value if all(a is b for a, b in zip(leaves, new)) else structure.unflatten(new)


_shared: Final[WeakValueDictionary[int, Tracer]] = WeakValueDictionary()
"""Frozen values, by identity, of arrays that had other names when they were frozen."""


def _frozen_leaf(trace: Trace, leaf: Any, is_own: bool) -> Any:
    if isinstance(leaf, Cell) or (isinstance(leaf, np.ndarray) and leaf.nbytes > INLINE_BYTES):
        if not is_numeric(leaf):
            return leaf
        lifted: Any = trace.lift(leaf)
        found = trace.tracer(lifted.value, lifted.weak)
        if isinstance(leaf, Cell) and found.shape and not is_own and _has_other_names(trace, leaf):
            _shared[id(found)] = found
        return found
    return leaf


def _has_other_names(trace: Trace, leaf: Any) -> bool:
    """Tell whether an array existed outside a region, or is a view, so that others see it."""
    return leaf._trace is not trace or leaf._view is not None


class Chosen(Same):
    """What a condition chose from several arrays: a store would have to change one of them."""

    writeable: ClassVar[bool] = False
    refusal: ClassVar[str] = (
        "a traced condition chose this array from several, and a store would have to change one of "
        "them; store in a copy, `y = y.copy()`"
    )


def _chosen(found: Tracer) -> Tracer:
    """Return an array that cannot be stored into."""
    part = Tracer(found.value, found.trace, found.weak)
    part._view = View(found, Chosen())
    return part


def same(first: Any, second: Any) -> bool:
    """Tell whether two leaves are known to be the same."""
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if type(first) is Tracer:
        return first.value is second.value and first.weak == second.weak
    if type(first) in _SCALARS or isinstance(first, (np.generic, str, bytes)):
        return repr(first) == repr(second)
    if isinstance(first, np.ndarray):
        return first.shape == second.shape and first.tobytes() == second.tobytes()
    try:
        return bool(first == second)
    except Exception:  # whatever the user's comparison does, they are not known to be the same
        return False


class Joins:
    """The results of an op with several regions, while they are collected.

    Args:
        regions: of the op.
        when: says for each region when it runs, for messages.
        where: the place of the statement.
        flags: the values that flags of exits are known to have behind each region.
    """

    def __init__(
        self,
        regions: Sequence[TracedRegion],
        when: Sequence[str],
        where: str,
        flags: Sequence[Literals] = (),
    ) -> None:
        self.columns: list[list[Tracer]] = []
        self.types: list[ShapeDtypeStruct] = []
        self._regions = regions
        self._when = when
        self._where = where
        self._flags = flags or [frozenset()] * len(regions)

    def add(self, path: str, values: Sequence[Any]) -> Rebuild:
        """Note what the regions left at one place.

        Args:
            path: how the user's program calls the place.
            values: one for each region, `frozen` in it, or `UNSET`.

        Returns:
            What makes the value behind the op.
        """
        missing = [i for i, v in enumerate(values) if v is UNSET or isinstance(v, Unusable)]
        if not missing:
            return self._tree(path, values)
        if path.startswith(VALUE):
            return self._tree(path, self._filled(values))
        if all(value is UNSET for value in values):
            return lambda results: UNSET
        for value in values:
            if isinstance(value, Unusable) and not isinstance(value, Maybe):
                return lambda results: value
        return self._missing(path, values, missing)

    def _tree(self, path: str, values: Sequence[Any]) -> Rebuild:
        leaves, structures = zip(*map(flat, values))
        if any(structure != structures[0] for structure in structures):
            return self._conflict(path, [spelled(value) for value in values])
        paths = structures[0].paths(path)
        parts = [self._leaf(p, column) for p, column in zip(paths, zip(*leaves))]
        structure = structures[0]
        return lambda results: structure.unflatten([part(results) for part in parts])

    def _missing(self, path: str, values: Sequence[Any], missing: Sequence[int]) -> Rebuild:
        """Note a place that has no value behind some regions."""
        when = " or ".join(self._when[i] for i in missing if values[i] is UNSET)
        message = (
            f"`{path}` has no value {when} ({self._where}); assign it there too, or before"
            if when
            else next(v.message for v in values if isinstance(v, Maybe))
        )
        literals = [
            values[i].literals if isinstance(values[i], Maybe) else self._flags[i] for i in missing
        ]
        common = literals[0].intersection(*literals[1:])
        if not common:
            return self._unusable(UndefinedError, message)
        rebuild = self._tree(path, self._filled(values))

        def maybe(results: Sequence[Tracer]) -> Any:
            found = rebuild(results)
            return (
                found
                if isinstance(found, Unusable)
                else Maybe(UndefinedError, message, self._where, found, common)
            )

        return maybe

    def results_of(self, number: int) -> list[Tracer]:
        """Return what a region has to yield."""
        return [column[number] for column in self.columns]

    def _leaf(self, path: str, values: Sequence[Any]) -> Rebuild:
        first = values[0]
        if all(same(first, value) for value in values[1:]) and not _is_local(first, self._regions):
            return lambda results: first
        if not all(map(is_numeric, values)):
            return self._conflict(path, [repr(value) for value in values])
        try:
            lifted = [region.lift(v) for region, v in zip(self._regions, values)]
        except DtypeError as error:
            return self._unusable(type(error), error.message)
        types = [type_of_tracer(value) for value in lifted]
        common: ShapeDtypeStruct | None = types[0]
        for type_ in types[1:]:
            common = common and common_type(common, type_, False)
        if common is None:
            return self._conflict(path, [str(type_) for type_ in types])
        number = len(self.columns)
        self.columns.append(lifted)
        self.types.append(common)
        if any(id(value) in _shared for value in values):
            return lambda results: _chosen(results[number])
        return lambda results: results[number]

    def _filled(self, values: Sequence[Any]) -> list[Any]:
        """Put zeros where a value is missing that is not used there either."""
        given = [value.value if isinstance(value, Maybe) else value for value in values]
        sample = next((value for value in given if value is not UNSET), None)
        return [
            _zeros_like(region, sample) if value is UNSET else value
            for region, value in zip(self._regions, given)
        ]

    def _conflict(self, path: str, found: Sequence[str]) -> Rebuild:
        path = "the result of the function" if path.startswith(VALUE) else f"`{path}`"
        each = " and ".join(f"{text} {when}" for text, when in zip(found, self._when))
        return self._unusable(
            BranchError,
            f"{path} is {each} ({self._where}); a traced condition can only choose between arrays "
            "of one shape and dtype, or numbers",
        )

    def _unusable(self, kind: Any, message: str) -> Rebuild:
        found = Unusable(kind, message, self._where)
        return lambda results: found


def _is_local(leaf: Any, regions: Sequence[TracedRegion]) -> bool:
    return type(leaf) is Tracer and any(region.owns(leaf) for region in regions)


def _zeros_like(region: TracedRegion, value: Any) -> Any:
    leaves, structure = flat(value)
    return structure.unflatten([_zero(region, leaf) for leaf in leaves])


def _zero(region: TracedRegion, leaf: Any) -> Any:
    if type(leaf) in _SCALARS:
        return type(leaf)(0)
    if not is_numeric(leaf):
        return leaf
    return region.zeros(leaf.shape, leaf.dtype, getattr(leaf, "weak", False))


def spelled(value: Any) -> str:
    """Spell a value with the types of its arrays."""
    leaves, structure = flat(value)
    texts = [_Plain(_spelled_leaf(leaf)) for leaf in leaves]
    return texts[0] if structure is tree.LEAF else repr(structure.unflatten(texts))


def _spelled_leaf(leaf: Any) -> str:
    return str(type_of_tracer(leaf)) if type(leaf) is Tracer else repr(leaf)


class _Plain(str):
    """Text whose repr has no quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
