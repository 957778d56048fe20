"""What a fresh process does to be measured.

``python -m benchmarks.child TASK PEER [ARGUMENT ...]`` prints a JSON object of figures: seconds,
and bytes for ``memory``.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .peers import PEERS, Function, Peer
from .timing import alternate, call_timer
from .workload import TOLERANCES, check
from .workloads.calls import POINT, example_gradient, scalar_gradient

ELEMENTS = 1000
CHAIN_TOLERANCE = 2e-5  # many roundings in a row


def first_call(peer: Peer) -> dict[str, float]:
    """Compile the scalar gradient, with all that the library imports and starts for it."""
    peer.use_double(True)
    return {"call": _first_call(scalar_gradient(peer), POINT), "memory": peak_memory()}


def first_call_imported(peer: Peer) -> dict[str, float]:
    """The same, with every module of the library imported before."""
    import_all(peer)
    return first_call(peer)


def later_call(peer: Peer) -> dict[str, float]:
    """The same in a process that has compiled another function, so that all is started."""
    peer.use_double(True)
    _first_call(peer.jit(peer.grad(lambda x: peer.np.exp(x) / 3.0)), 1.5)
    return {"call": _first_call(scalar_gradient(peer), POINT)}


def _first_call(function: Function, point: float) -> float:
    start = perf_counter()
    result = float(function(point))
    seconds = perf_counter() - start
    again = float(function(point))
    assert result == again
    if point == POINT:
        check(np.float64(result), example_gradient(POINT), TOLERANCES["float64"], "gradient")
    return seconds


def import_all(peer: Peer) -> None:
    """Import every module of a library that a program can need; JAX imports them by itself."""
    if peer.package != "gradatim":
        return
    import gradatim

    for module in pkgutil.walk_packages(gradatim.__path__, "gradatim."):
        if ".tools" not in module.name:
            importlib.import_module(module.name)
    import llvmlite.binding  # noqa: F401


def chain(peer: Peer, operations: str) -> dict[str, float]:
    """Compile and run a chain of elementwise operations."""
    function, count = mixed_chain(peer.np, int(operations)), int(operations)
    return _compile_and_run(peer, peer.jit(function), mixed_chain(np, count))


def chain_gradient(peer: Peer, operations: str) -> dict[str, float]:
    """Compile and run the gradient of the sum of such a chain."""
    function = mixed_chain(peer.np, int(operations))
    gradient = peer.jit(peer.grad(lambda x: peer.np.sum(function(x))))
    return _compile_and_run(peer, gradient, mixed_chain_gradient(int(operations)))


def _compile_and_run(peer: Peer, function: Function, reference: Function) -> dict[str, float]:
    later_call(peer)
    peer.use_double(False)
    x = np.linspace(0.1, 0.9, ELEMENTS, dtype=np.float32)
    argument = peer.argument(x)
    start = perf_counter()
    result = peer.to_numpy(function(argument))
    first = perf_counter() - start
    check(result, reference(x.astype(np.float64)), CHAIN_TOLERANCE, "chain")
    timer = call_timer(function, (argument,), peer.waiting(function(argument)))
    run = alternate({"run": timer}, 0.2)["run"].minimum
    return {"compile": first - run, "run": run, "memory": peak_memory()}


def mixed_chain(np: Any, operations: int) -> Function:
    """Return a chain of additions, products, sines and maxima with its argument."""
    steps = (np.add, np.multiply, lambda y, x: np.sin(y), np.maximum)

    def function(x: Any) -> Any:
        y = x
        for number in range(operations):
            y = steps[number % 4](y, x)
        return y

    return function


def mixed_chain_gradient(operations: int) -> Function:
    """Return the gradient of the chain's sum by forward mode, in NumPy."""
    steps = (
        lambda y, dy, x: (y + x, dy + 1),
        lambda y, dy, x: (y * x, dy * x + y),
        lambda y, dy, x: (np.sin(y), np.cos(y) * dy),
        lambda y, dy, x: (np.maximum(y, x), np.where(y > x, dy, 1.0)),
    )

    def gradient(x: np.ndarray) -> np.ndarray:
        y, dy = x, np.ones_like(x)
        for number in range(operations):
            y, dy = steps[number % 4](y, dy, x)
        return dy

    return gradient


def peak_memory() -> float:
    """Return the most memory that this process has held, in bytes."""
    try:  # getrusage counts what the parent held when it forked
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except OSError:
        import resource

        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


TASKS = {
    "first-call": first_call,
    "first-call-imported": first_call_imported,
    "later-call": later_call,
    "chain": chain,
    "chain-gradient": chain_gradient,
}


if __name__ == "__main__":
    task, name, *arguments = sys.argv[1:]
    print(json.dumps(TASKS[task](PEERS[name](), *arguments)))
