"""What a statement may change: variables, and the contents of objects that it can reach.

A statement that is traced more than once, or of which several branches are, has to begin each time
with what was there before. So what it may change is noted first, compared afterwards, and put back.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from types import CellType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any, Final, NamedTuple

import numpy as np

from ..boundary import PublicCallable
from ..local import LocalArray
from ..tracer import Tracer
from .need import is_library_file
from .syntax import PRIVATE
from .units import Site
from .unusable import Maybe, Unusable

_LIMIT: Final = 20_000
"""Objects beyond so many are not looked into."""


class Unset:
    """A variable, or an entry of a container, that is not there."""

    def __repr__(self) -> str:
        return "unset"


UNSET: Final = Unset()

Cells = dict[str, CellType]


def cells_of(site: Site, handle: Callable[[], Any]) -> Cells:
    """Return the cells of the variables of a site.

    Args:
        site: the statement.
        handle: the lambda in the rewritten function that closes over the variables.
    """
    assert isinstance(handle, FunctionType)
    cells = dict(zip(handle.__code__.co_freevars, handle.__closure__ or ()))
    for name in site.local:
        if name not in cells:
            cells[name] = CellType()
    return cells


class Variables:
    """The variables that a statement may bind.

    Attributes:
        names: in order.
    """

    def __init__(self, site: Site, cells: Cells, module: dict[str, Any]) -> None:
        self.names = tuple(dict.fromkeys((*site.assigned, *site.local)))
        self._cells = cells
        self._module = module

    def read(self) -> list[Any]:
        """Return the values; `UNSET` for a variable that is not bound."""
        return [self.get(name) for name in self.names]

    def write(self, values: Iterable[Any]) -> None:
        """Give all variables values."""
        for name, value in zip(self.names, values):
            self.set(name, value)

    def get(self, name: str) -> Any:
        """Return a variable's value."""
        cell = self._cells.get(name)
        return self._module.get(name, UNSET) if cell is None else content_of(cell)

    def set(self, name: str, value: Any) -> None:
        """Give a variable a value."""
        cell = self._cells.get(name)
        if cell is None:
            if value is UNSET:
                self._module.pop(name, None)
            else:
                self._module[name] = value
        elif value is not UNSET:
            cell.cell_contents = value
        elif self.get(name) is not UNSET:
            del cell.cell_contents


class _Kind(NamedTuple):
    """How the contents of a kind of object are noted and put back.

    Attributes:
        read: gives the contents, by key.
        write: puts contents back.
        entry: says how an entry is reached, for messages.
        grows: whether an entry may be there on one path only.
    """

    read: Callable[[Any], dict[Any, Any]]
    write: Callable[[Any, dict[Any, Any]], None]
    entry: str
    grows: bool = True

    def putter(self, container: Any, key: Any) -> Callable[[Any], None]:
        """Return what puts a value in one entry of a container, or takes it out (`UNSET`)."""

        def put(value: Any) -> None:
            contents = self.read(container)
            if value is UNSET:
                contents.pop(key, None)
            else:
                contents[key] = value
            self.write(container, contents)

        return put


def _write_list(container: list[Any], contents: dict[Any, Any]) -> None:
    container[:] = contents.values()


def _write_deque(container: deque[Any], contents: dict[Any, Any]) -> None:
    container.clear()
    container.extend(contents.values())


def _write_dict(container: dict[Any, Any], contents: dict[Any, Any]) -> None:
    container.clear()
    container.update(contents)


def _write_set(container: set[Any], contents: dict[Any, Any]) -> None:
    container.clear()
    container.update(contents)


def _read_attributes(instance: Any) -> dict[str, Any]:
    """Return attributes, also those that an instance has of the user's classes, until it is set."""
    return {**_class_attributes(type(instance)), **vars(instance)}


def _write_attributes(instance: Any, contents: dict[str, Any]) -> None:
    own, shared = vars(instance), _class_attributes(type(instance))
    set_ = {k: v for k, v in contents.items() if k in own or shared.get(k, UNSET) is not v}
    own.clear()
    own.update(set_)


def _class_attributes(kind: type) -> dict[str, Any]:
    """Return the attributes of the user's classes that are data, as they are found by instances."""
    return {
        name: value
        for base in reversed(kind.__mro__)
        if is_users(base)
        for name, value in vars(base).items()
        if not name.startswith("__") and not hasattr(type(value), "__get__")
    }


def content_of(cell: CellType) -> Any:
    """Return what is in a cell, `UNSET` if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return UNSET


def _read_cell(cell: CellType) -> dict[Any, Any]:
    content = content_of(cell)
    return {} if content is UNSET else {"": content}


def _write_cell(cell: CellType, contents: dict[Any, Any]) -> None:
    if contents:
        cell.cell_contents = contents[""]
    else:
        del cell.cell_contents


_LIST: Final = _Kind(lambda x: dict(enumerate(x)), _write_list, "[{!r}]", False)
_DICT: Final = _Kind(dict, _write_dict, "[{!r}]")
_SET: Final = _Kind(dict.fromkeys, _write_set, "", False)
_ATTRIBUTES: Final = _Kind(_read_attributes, _write_attributes, ".{}")
_DEQUE: Final = _Kind(lambda x: dict(enumerate(x)), _write_deque, "[{!r}]", False)
_CELL: Final = _Kind(_read_cell, _write_cell, "")

_KINDS: Final[dict[type, _Kind]] = {list: _LIST, dict: _DICT, set: _SET, CellType: _CELL}
_BASES: Final = ((dict, _DICT), (list, _LIST), (deque, _DEQUE), (SimpleNamespace, _ATTRIBUTES))
_LEAVES: Final = frozenset(
    {int, float, complex, bool, str, bytes, type(None), np.ndarray, np.dtype, range}
    | {Tracer, LocalArray, Unusable, Maybe}
)
_OPAQUE: Final = (type, ModuleType, np.generic, np.ndarray, np.ufunc, PublicCallable)


class Tracked(NamedTuple):
    """An object that a statement can reach, with what was in it.

    Attributes:
        container: the object.
        kind: how its contents are read.
        path: how the user's program reaches it.
        before: what was in it.
    """

    container: Any
    kind: _Kind
    path: str
    before: dict[Any, Any]


class Contents:
    """The contents of the objects that can be reached from some values.

    Attributes:
        tracked: the objects.
    """

    def __init__(self, roots: Iterable[tuple[str, Any]], known: Iterable[CellType]) -> None:
        """Look into the objects below ``roots``, but not into the cells that are known."""
        self.tracked: list[Tracked] = []
        seen = set(map(id, known))
        pending = [(path, value) for path, value in roots if type(value) not in _LEAVES]
        while pending and len(seen) < _LIMIT:
            path, value = pending.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            pending += self._look_into(path, value)

    def _look_into(self, path: str, value: Any) -> Iterator[tuple[str, Any]]:
        kind = _kind_of(value)
        if kind is not None:
            contents = kind.read(value)
            self.tracked.append(Tracked(value, kind, path, contents))
            inner = [(path + kind.entry.format(key), item) for key, item in contents.items()]
        else:
            inner = [(path, item) for item in _parts(value)]
        return ((p, item) for p, item in inner if type(item) not in _LEAVES)

    def restore(self) -> None:
        """Put back what was there at first."""
        for container, kind, _, before in self.tracked:
            if not _same_entries(kind.read(container), before):
                kind.write(container, before)

    def read(self) -> list[dict[Any, Any] | None]:
        """Return what each object now has in it; None where nothing changed."""
        found: list[dict[Any, Any] | None] = []
        for container, kind, _, before in self.tracked:
            now = kind.read(container)
            found.append(None if _same_entries(now, before) else now)
        return found


def _same_entries(first: dict[Any, Any], second: dict[Any, Any]) -> bool:
    if len(first) != len(second):
        return False
    pairs = zip(first.items(), second.items())
    return all(a is b or a == b for (a, _), (b, _) in pairs) and all(
        a is b for a, b in zip(first.values(), second.values())
    )


def _kind_of(value: Any) -> _Kind | None:
    """Return how the contents of an object are read, None if it has none that can change."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    for base, kind in _BASES:
        if isinstance(value, base):
            return kind
    if isinstance(value, (*_OPAQUE, FunctionType, MethodType)):
        return None
    has_attributes = type(getattr(value, "__dict__", None)) is dict
    kind_of_value: Any = type(value)
    return _ATTRIBUTES if has_attributes and is_users(kind_of_value) else None


@lru_cache(maxsize=1024)
def is_users(kind: type) -> bool:
    """Tell whether a class is the user's own: of a shell, or a file that is no library's."""
    module = sys.modules.get(kind.__module__)
    if module is None or kind.__module__ == "__main__":
        return True
    file = getattr(module, "__file__", None)
    return file is not None and not is_library_file(file)


def _parts(value: Any) -> Iterable[Any]:
    """Return what can be reached through a value that does not change itself."""
    if isinstance(value, tuple):
        return value
    if type(value) is MethodType:
        return (value.__self__, value.__func__)
    if type(value) is FunctionType and not is_library_file(value.__code__.co_filename):
        pairs = zip(value.__code__.co_freevars, value.__closure__ or ())
        return [cell for name, cell in pairs if not name.startswith(PRIVATE)]
    return ()


class State:
    """All that a statement may change, and what it was before.

    Attributes:
        variables: those that it may bind.
        before: their values.
        contents: of the objects that it can reach.
    """

    def __init__(self, site: Site, cells: Cells, module: dict[str, Any]) -> None:
        self.variables = Variables(site, cells, module)
        self.before = self.variables.read()
        self.contents = Contents(_roots(site, cells, module), cells.values())

    def restore(self) -> None:
        """Put back what was there before."""
        self.variables.write(self.before)
        self.contents.restore()

    def read(self) -> tuple[list[Any], list[dict[Any, Any] | None]]:
        """Return the values of the variables, and what is in the objects that changed."""
        return self.variables.read(), self.contents.read()


def _roots(site: Site, cells: Cells, module: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Walk through the values that a statement mentions by name."""
    for name, cell in cells.items():
        for value in _read_cell(cell).values():
            yield name, value
    for name in site.module_names:
        if name in module:
            yield name, module[name]
