"""Timing of calls in alternation: A B C A B C, the minimum and the median of many runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from timeit import Timer
from typing import Any, NamedTuple

SHORTEST_RUN_SECONDS = 2e-3
"""A run repeats a call until it takes as long, so that the clock's resolution does not matter."""

FEWEST_ROUNDS, MOST_ROUNDS = 5, 200


class Sample(NamedTuple):
    """What was measured of one thing: seconds (or bytes), and how often."""

    minimum: float
    median: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Sample:
        """Summarise the values of all runs."""
        return cls(min(values), statistics.median(values), len(values))


def call_timer(call: Callable[..., Any], arguments: Sequence[Any], waiting: str = "") -> Timer:
    """Return a timer of ``call(*arguments)``, written out, so that no wrapper is timed with it.

    Args:
        call: what is timed.
        arguments: its arguments.
        waiting: text behind the call that waits for its result.
    """
    names = [f"argument{i}" for i in range(len(arguments))]
    scope = {"call": call, **dict(zip(names, arguments))}
    return Timer(f"call({', '.join(names)}){waiting}", globals=scope)


def alternate(timers: Mapping[str, Timer], seconds: float) -> dict[str, Sample]:
    """Time each in turn, again and again, for about so many seconds; return seconds a call."""
    counts = {name: calibrate(timer) for name, timer in timers.items()}
    values: dict[str, list[float]] = {name: [] for name in timers}
    for _ in rounds(seconds):
        for name, timer in timers.items():
            values[name].append(timer.timeit(counts[name]) / counts[name])
    return {name: Sample.of(found) for name, found in values.items()}


def calibrate(timer: Timer) -> int:
    """Return how many calls make a run of sufficient length; this also warms up."""
    count = 1
    while (elapsed := timer.timeit(count)) < SHORTEST_RUN_SECONDS:
        wanted = 1.2 * SHORTEST_RUN_SECONDS / max(elapsed, 1e-9) * count
        count = max(2 * count, min(int(wanted), 20 * count))
    return count


def rounds(seconds: float, fewest: int = FEWEST_ROUNDS, most: int = MOST_ROUNDS) -> Iterator[int]:
    """Count rounds until the time is over, within bounds."""
    end = perf_counter() + seconds
    for number in range(most):
        if number >= fewest and perf_counter() >= end:
            return
        yield number
