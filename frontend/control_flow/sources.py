"""What a ``for`` loop runs over, where compiled code can run over it too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..local import LocalArray
from ..tracer import Tracer
from ..tracing import current_trace
from .calls import TracedRange


class Source(ABC):
    """A sequence of items that are known, or can be computed, by their number.

    Attributes:
        count: how many there are; a traced value if only compiled code knows.
    """

    count: Any

    @property
    def arrays(self) -> list[Any]:
        """The arrays whose parts along dimension 0 the items are made of."""
        return []

    @abstractmethod
    def item(self, number: Any, parts: Sequence[Any]) -> Any:
        """Return an item from its number, and the parts of `arrays` of that number."""

    @abstractmethod
    def plain(self) -> Iterable[Any]:
        """Return what Python iterates over instead."""

    def at(self, number: Any) -> Any:
        """Return an item from its number alone, which may be traced."""
        return self.item(number, [_traced(array)[number] for array in self.arrays])

    def last(self) -> Any:
        """Return the last item if it is the same for Python and for compiled code, else None."""
        return None


class RangeSource(Source):
    """The numbers of a range."""

    def __init__(self, numbers: range | TracedRange) -> None:
        self._numbers = numbers
        self.count = len(numbers) if isinstance(numbers, range) else _count_of(numbers)

    def item(self, number: Any, parts: Sequence[Any]) -> Any:
        """Return the number at a position."""
        start, step = self._numbers.start, self._numbers.step
        scaled = number if type(step) is int and step == 1 else number * step
        return scaled if type(start) is int and start == 0 else scaled + start

    def plain(self) -> Iterable[Any]:
        """Return the range."""
        return self._numbers

    def last(self) -> Any:
        """Return the last number, if it is known."""
        return self._numbers[-1] if isinstance(self._numbers, range) and self._numbers else None


def _count_of(numbers: TracedRange) -> Any:
    """Return how many numbers a range with traced bounds has."""
    start, stop, step = numbers.start, numbers.stop, numbers.step
    if type(step) is Tracer:
        raise TypeError("the step of a range over traced bounds must be known while tracing")
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    if start is stop:
        return 0
    from .operators import select

    distance = (stop - start) if step > 0 else (start - stop)
    count = (distance + (abs(step) - 1)) // abs(step)
    return select(count > 0, count, 0)


class ArraySource(Source):
    """The parts of an array along dimension 0."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.count = len(array)

    @property
    def arrays(self) -> list[Any]:
        """The array."""
        return [self._array]

    def item(self, number: Any, parts: Sequence[Any]) -> Any:
        """Return the part."""
        return parts[0]

    def plain(self) -> Iterable[Any]:
        """Return the array."""
        array: Iterable[Any] = self._array
        return array


class ZipSource(Source):
    """Items of several sources together."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self.count = min(source.count for source in sources)

    @property
    def arrays(self) -> list[Any]:
        """The arrays of all sources, as long as the shortest."""
        return [array[: self.count] for source in self._sources for array in source.arrays]

    def item(self, number: Any, parts: Sequence[Any]) -> Any:
        """Return a tuple of items."""
        rest = iter(parts)
        taken = [[next(rest) for _ in source.arrays] for source in self._sources]
        return tuple([source.item(number, p) for source, p in zip(self._sources, taken)])

    def plain(self) -> Iterable[Any]:
        """Return Python's ``zip``."""
        return zip(*[source.plain() for source in self._sources])


class EnumerateSource(Source):
    """Items with their numbers."""

    def __init__(self, source: Source, start: Any) -> None:
        self._source = source
        self._start = start
        self.count = source.count

    @property
    def arrays(self) -> list[Any]:
        """The arrays of the items."""
        return self._source.arrays

    def item(self, number: Any, parts: Sequence[Any]) -> Any:
        """Return number and item."""
        shifted = number if type(self._start) is int and self._start == 0 else number + self._start
        return shifted, self._source.item(number, parts)

    def plain(self) -> Iterable[Any]:
        """Return Python's ``enumerate``."""
        return enumerate(self._source.plain(), self._start)


class Joined:
    """``zip``, ``enumerate`` or ``reversed`` in the head of a ``for`` loop."""

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs

    def __iter__(self) -> Iterator[Any]:
        return iter(self.function(*self.args, **self.kwargs))


def joined(function: Any) -> Any:
    """Return what the head of a ``for`` loop calls instead of ``zip`` and its like."""
    if function in (zip, enumerate, reversed):
        return lambda *args, **kwargs: Joined(function, args, kwargs)
    from .calls import call

    return call(function)


def source_of(iterable: Any) -> Source | None:
    """Return the source that an iterable is, None if it is something else."""
    if isinstance(iterable, (range, TracedRange)):
        return RangeSource(iterable)
    if type(iterable) in (Tracer, LocalArray, np.ndarray):
        return ArraySource(iterable) if len(iterable.shape) else None
    if type(iterable) is Joined:
        return _joined_source(iterable)
    return None


def _joined_source(iterable: Joined) -> Source | None:
    args, kwargs = iterable.args, iterable.kwargs
    if iterable.function is reversed:
        return source_of(args[0][::-1]) if type(args[0]) in (range, np.ndarray, Tracer) else None
    sources = [source_of(a) for a in (args if iterable.function is zip else args[:1])]
    known = [s for s in sources if s is not None and type(s.count) is int]
    if not known or len(known) != len(sources):
        return None
    if iterable.function is enumerate:
        start = args[1] if len(args) > 1 else kwargs.get("start", 0)
        return EnumerateSource(known[0], start)
    if kwargs.get("strict") and len({source.count for source in known}) > 1:
        return None  # Python raises its error
    return ZipSource(known)


def _traced(array: Any) -> Any:
    trace = current_trace()
    assert trace is not None
    return trace.lift(array)
