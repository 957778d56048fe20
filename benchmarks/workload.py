"""What a benchmark is, and how it is checked and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from . import machine
from .peers import PEERS, Function, Peer
from .timing import Sample, alternate, call_timer

OURS, BASELINE = "gradatim", "jax"

TOLERANCES = {"float32": 2e-6, "float64": 1e-14}
"""The error allowed for a dtype, relative to the largest element of an array."""


class Prepared(NamedTuple):
    """A compiled function, its arguments, and the text that waits for its result."""

    function: Function
    arguments: tuple[Any, ...]
    waiting: str


@dataclass(frozen=True)
class Target:
    """What is to be reached: a figure, or a part of JAX's."""

    figure: float | None = None
    of_baseline: float | None = None

    def limit(self, baseline: Sample | None) -> float | None:
        """Return the figure, None if it depends on a baseline that was not measured."""
        if self.figure is not None:
            return self.figure
        if self.of_baseline is None or baseline is None:
            return None
        return self.of_baseline * baseline.minimum


@dataclass(frozen=True)
class Work:
    """What a program must do at least, from which the physical limit follows.

    Attributes:
        moved: bytes read and written, where it does both as a copy does; small arrays do not count.
        flops: operations of its matrix products.
        dtype: of these products.
        calls: how many calls of a function in C it is.
    """

    moved: int = 0
    flops: float = 0.0
    dtype: str = "float32"
    calls: int = 0

    def seconds(self) -> float:
        """Return the time that this machine needs at least; measured now, if not before."""
        bounds = [0.0]
        if self.moved >= machine.SMALLEST_COPY:
            bounds.append(self.moved / machine.copy_bandwidth(self.moved))
        if self.flops:
            bounds.append(self.flops / machine.flop_rate(self.dtype))
        if self.calls:
            bounds.append(self.calls * machine.call_seconds())
        return max(bounds)


@dataclass(frozen=True)
class Figure:
    """One line of the tables.

    Attributes:
        name: on the command line.
        title: what is measured.
        samples: what was measured, by peer.
        unit: "s" or "B", or "1" for a plain number.
        target: what is to be reached.
        limit: the physical limit, if it can be stated.
    """

    name: str
    title: str
    samples: Mapping[str, Sample]
    unit: str = "s"
    target: Target | None = None
    limit: float | None = None

    @property
    def ours(self) -> Sample | None:
        """What was measured of gradatim."""
        return self.samples.get(OURS)

    @property
    def baseline(self) -> Sample | None:
        """What was measured of JAX."""
        return self.samples.get(BASELINE)

    @property
    def ratio(self) -> float | None:
        """JAX's minimum over ours: how many times less we take."""
        if self.ours is None or self.baseline is None:
            return None
        return self.baseline.minimum / self.ours.minimum

    @property
    def wanted(self) -> float | None:
        """The target as a figure."""
        return None if self.target is None else self.target.limit(self.baseline)

    @property
    def met(self) -> bool | None:
        """Whether our minimum reaches the target."""
        if self.wanted is None or self.ours is None:
            return None
        return self.ours.minimum <= self.wanted


@dataclass(frozen=True)
class Workload:
    """A program that is run many times in one process.

    Attributes:
        name: on the command line.
        title: in the tables.
        inputs: makes its arguments, NumPy arrays (also in containers) and Python numbers.
        program: returns the function to be called, given a library that stages.
        reference: computes the result by NumPy; also in higher precision.
        tolerance: the error allowed, relative to the largest element of each array.
        double: whether the arguments are float64.
        staging: the libraries beside gradatim that run ``program``.
        by_hand: for libraries that do not stage, what returns the same function written for them.
        work: what bounds its time.
        target: what is to be reached.
        compile_target: the same for the time to compile, which is only measured if this is set.
    """

    name: str
    title: str
    inputs: Callable[[], tuple[Any, ...]]
    program: Callable[[Any], Function]
    reference: Function
    tolerance: float
    double: bool = False
    staging: tuple[str, ...] = ("jax",)
    by_hand: Mapping[str, Callable[[], Function]] = field(default_factory=dict)
    work: Work | None = None
    target: Target | None = None
    compile_target: Target | None = None

    @property
    def peers(self) -> tuple[str, ...]:
        """The names of all libraries that it is written for."""
        return (OURS, *self.staging, *self.by_hand)

    def function(self, peer: Peer) -> Function:
        """Return what is called."""
        if peer.name in self.by_hand:
            return self.by_hand[peer.name]()
        return self.program(peer)

    def prepare(self, names: Iterable[str]) -> dict[str, Prepared]:
        """Compile for each library, and check that its results are right.

        Raises:
            AssertionError: if they are not; the message names the library.
        """
        expected = self.reference(*self.inputs())
        prepared = {}
        for name in names:
            peer = PEERS[name]()
            function, arguments = self._set_up(peer)
            result = function(*arguments)
            prepared[name] = Prepared(function, arguments, peer.waiting(result))
            check(peer.to_numpy(result), expected, self.tolerance, f"{self.name}, {name}")
        return prepared

    def _set_up(self, peer: Peer) -> tuple[Any, tuple[Any, ...]]:
        """Return a function that is new to a library, and its arguments."""
        peer.use_double(self.double)
        return self.function(peer), tuple(peer.argument(value) for value in self.inputs())

    def measure(self, names: Iterable[str], seconds: float) -> dict[str, Sample]:
        """Check and time the program for libraries of the given names."""
        timers = {name: call_timer(*parts) for name, parts in self.prepare(names).items()}
        return alternate(timers, seconds)

    def measure_compilation(self, names: Iterable[str], rounds: int) -> dict[str, Sample]:
        """Time tracing, lowering and compiling functions that are new to each library, in turn."""
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(rounds):
            for name, found in seconds.items():
                function, arguments = self._set_up(PEERS[name]())
                start = perf_counter()
                function.lower(*arguments).compile()
                found.append(perf_counter() - start)
        return {name: Sample.of(found) for name, found in seconds.items()}

    def figure(self, samples: Mapping[str, Sample]) -> Figure:
        """Return the line of the tables, with the limit of this machine."""
        limit = None if self.work is None else self.work.seconds()
        return Figure(self.name, self.title, samples, "s", self.target, limit)

    def compilation_figure(self, samples: Mapping[str, Sample]) -> Figure:
        """Return the line of the tables for what `measure_compilation` measured."""
        title = f"{self.title}: compile"
        return Figure(f"{self.name}-compile", title, samples, "s", self.compile_target)


def check(result: Any, expected: Any, tolerance: float, what: str) -> None:
    """Compare results leaf by leaf, with the largest element of each array as the scale.

    Raises:
        AssertionError: if structures, shapes or values differ.
    """
    found, wanted = list(_leaves(result)), list(_leaves(expected))
    assert [path for path, _ in found] == [path for path, _ in wanted], f"{what}: structure"
    for (path, got), (_, want) in zip(found, wanted):
        assert got.shape == want.shape, f"{what}{path}: {got.shape} instead of {want.shape}"
        scale = max(float(np.max(np.abs(want), initial=0.0)), np.finfo(np.float32).tiny)
        error = float(np.max(np.abs(got.astype(np.float64) - want), initial=0.0)) / scale
        assert error <= tolerance, f"{what}{path}: relative error {error:.2g}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(value, dict):
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}[{key!r}]")
    elif isinstance(value, (tuple, list)):
        for position, item in enumerate(value):
            yield from _leaves(item, f"{path}[{position}]")
    else:
        yield path, np.asarray(value)
