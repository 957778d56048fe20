"""The machine: what it is, and how fast it moves bytes and multiplies matrices."""

from __future__ import annotations

import os
import platform
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from timeit import Timer

import numpy as np

from . import peers
from .timing import calibrate, call_timer

_REPEATS = 15
_PRODUCT_REPEATS = 20  # of the largest product; more of smaller ones

SMALLEST_COPY = 1 << 18
"""Copies of fewer bytes measure the call rather than the memory."""


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, str]:
    """Return what a reader must know of the machine and of the versions."""
    return {
        "processor": f"{_processor()}, {cores()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{k} {v}" for k, v in peers.versions().items()),
        "load": f"{load():.1f} runnable processes at the start",
    }


def load() -> float:
    """Return the average number of runnable processes in the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return model


@cache
def copy_bandwidth(size: int) -> float:
    """Return bytes read and written a second by copies among ``size`` bytes, on all cores.

    The size decides which cache, if any, holds them. The best of one and all cores counts.
    """
    return max(_copy_bandwidth(size, threads) for threads in {1, cores()})


def _copy_bandwidth(size: int, threads: int) -> float:
    length = max(size // 2 // threads, 64)
    pairs = [(np.zeros(length, np.uint8), np.ones(length, np.uint8)) for _ in range(threads)]
    count = calibrate(call_timer(np.copyto, pairs[0]))

    def copy(pair: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(count):
            np.copyto(*pair)

    with ThreadPoolExecutor(threads) as pool:
        timer = Timer(lambda: list(pool.map(copy, pairs)))
        seconds = min(timer.repeat(_REPEATS, 1))
    return 2 * length * threads * count / seconds


@cache
def flop_rate(dtype: str) -> float:
    """Return floating-point operations a second of matrix products by NumPy's BLAS, at best.

    Several sizes take part: a small product is over before other processes get in its way.
    """
    return max(_flop_rate(dtype, n) for n in (256, 512, 1024))


def _flop_rate(dtype: str, n: int) -> float:
    a = np.random.default_rng(0).standard_normal((n, n)).astype(dtype)
    timer = call_timer(np.matmul, (a, a))
    calls = _PRODUCT_REPEATS * 1024 // n
    return 2 * n**3 / min(timer.repeat(calls, 1))


@cache
def call_seconds() -> float:
    """Return the time of a call of a function written in C, ``math.sin(0.13)``."""
    import math

    timer = call_timer(math.sin, (0.13,))
    count = calibrate(timer)
    return min(timer.repeat(_REPEATS, count)) / count
