"""The threads that parallel loops run on (threads.ll), and how many there are.

Environment variable:
    GRADATIM_THREADS: the number of threads, that of the caller included; by default the CPUs that
        the process may run on, bounded by the CPU time that its control group grants. Results do
        not depend on it.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from . import cache, jit

_CGROUPS = Path("/sys/fs/cgroup")
_EXPORTS = (
    "gd.parallel",
    "gd.threads.clock",
    "gd.threads.helpers",
    "gd.threads.reset",
    "gd.threads.set.mask",
)

_RELAX = {
    "x86_64": ("llvm.x86.sse2.pause", ""),
    "aarch64": ("llvm.aarch64.hint", "i32 1"),
    "arm64": ("llvm.aarch64.hint", "i32 1"),
}
"""Instructions for loops that wait, by architecture."""

_lock = threading.RLock()


def symbols() -> dict[str, int]:
    """Return what code with parallel loops is linked against.

    ``void @gd.parallel(ptr function, ptr context, i64 chunks)`` calls ``function(context, i)`` for
    each i below ``chunks``, in any order and by several threads, and returns after the last one.
    It is called without the interpreter's lock or with it, from any thread.
    """
    with _lock:
        return {"gd.parallel": _linked().address("gd.parallel")}


def thread_count() -> int:
    """Return how many threads a parallel loop runs on at most."""
    with suppress(KeyError, ValueError):
        return max(int(os.environ["GRADATIM_THREADS"]), 1)
    return max(math.ceil(min(_available_cpus(), _granted_cpus())), 1)


def _available_cpus() -> int:
    """Return the number of CPUs that the process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _granted_cpus() -> float:
    """Return how many CPUs' time the control groups of the process grant; infinity for no bound.

    Reference: the Linux kernel's documentation, "Control Group v2" (cpu.max) and "CFS Bandwidth
    Control" (cpu.cfs_quota_us).
    """
    return min((_quota(directory) for directory in _cgroup_directories()), default=math.inf)


def _cgroup_directories() -> Iterator[Path]:
    """Yield the directories of the control groups of the process that may bound its CPU time."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = _CGROUPS / controllers  # version 2 names no controllers and has one hierarchy
        group = root / path.lstrip("/")
        yield group
        yield from (parent for parent in group.parents if parent.is_relative_to(root))


def _quota(directory: Path) -> float:
    """Return how many CPUs' time one control group grants."""
    with suppress(OSError, ValueError):
        quota, period = (directory / "cpu.max").read_text(encoding="utf-8").split()
        return int(quota) / int(period)
    with suppress(OSError, ValueError):
        quota, period = (
            (directory / f"cpu.cfs_{name}_us").read_text(encoding="utf-8")
            for name in ("quota", "period")
        )
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    return math.inf


def _relax() -> str:
    """Return the definition of ``void @relax()`` for this processor."""
    architecture = jit.host_target().triple.split("-")[0]
    if architecture not in _RELAX:
        return "define internal void @relax() {\n  ret void\n}\n"
    name, argument = _RELAX[architecture]
    return (
        f"declare void @{name}({argument.partition(' ')[0]})\n"
        f"define internal void @relax() {{\n  call void @{name}({argument})\n  ret void\n}}\n"
    )


@functools.cache
def _linked() -> jit.Linked:
    text = Path(__file__).with_suffix(".ll").read_text(encoding="utf-8") + _relax()
    code = jit.cached_object(text) if cache.enabled() else jit.compile_object(text, quick=True)
    linked = jit.link(code, exports=_EXPORTS)
    # Workers run the code until the process ends.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(linked))
    address = linked.address
    ctypes.c_int64.from_address(address("gd.threads.helpers")).value = thread_count() - 1
    ctypes.c_int32.from_address(address("gd.threads.set.mask")).value = int(signal.SIG_SETMASK)
    ctypes.c_int32.from_address(address("gd.threads.clock")).value = time.CLOCK_MONOTONIC
    os.register_at_fork(after_in_child=ctypes.CFUNCTYPE(None)(address("gd.threads.reset")))
    return linked
