"""Measurements that need a fresh process each: imports, first calls, compilation, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter

from .timing import Sample
from .workload import BASELINE, OURS, Figure, Target

ROOT = Path(__file__).resolve().parent.parent

_SCRIPT = """
{imports}
def f(x):
    return x * np.sin(x**2)
print({gradient}(0.13))
"""
SCRIPTS: dict[str, dict[str, str]] = {
    "import": {
        "gradatim": "import gradatim",
        "jax": "import jax.numpy",
        "numba": "import numba",
        "torch": "import torch",
    },
    "script": {
        "gradatim": _SCRIPT.format(
            imports="import numpy as np\nimport gradatim as gd", gradient="gd.grad(f)"
        ),
        "jax": _SCRIPT.format(
            imports="import jax\nimport jax.numpy as np", gradient="jax.jit(jax.grad(f))"
        ),
    },
}
"""Programs whose time counts from the start of the interpreter to its end, less a bare one's."""


@dataclass(frozen=True)
class Column:
    """A figure among those that a process prints."""

    key: str
    title: str
    unit: str = "s"
    target: Target | None = None


@dataclass(frozen=True)
class Cold:
    """Something that happens once in a process.

    Attributes:
        name: on the command line.
        columns: which of its figures are shown.
        task: of child.py, with its arguments; or one of ``SCRIPTS``.
        peers: the libraries that do it.
        slow: those that take so long that they do it once, and only if slow ones are asked for.
        cached: whether compiled programs are kept on disk, and were compiled before.
        processes: how many processes do it.
    """

    name: str
    columns: tuple[Column, ...]
    task: tuple[str, ...]
    peers: tuple[str, ...] = (OURS, BASELINE)
    slow: tuple[str, ...] = ()
    cached: bool = False
    processes: int = 5

    def measure(self, names: Iterable[str], processes: int, slow: bool = False) -> list[Figure]:
        """Run processes of libraries of the given names in alternation."""
        wanted = set(names)
        often = [name for name in self.peers if name in wanted]
        once = [name for name in self.slow if name in wanted and slow]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in (*often, *once)}
        with _environment(self.cached) as environment:
            run = self._script if self.task[0] in SCRIPTS else self._child
            for name in often if self.cached else ():
                run(name, environment)
            for number in range(min(processes, self.processes)):
                for name in (*often, *(once if number == 0 else ())):
                    found[name].append(run(name, environment))
        return [self._figure(column, found) for column in self.columns]

    def _figure(self, column: Column, found: dict[str, list[dict[str, float]]]) -> Figure:
        samples = {k: Sample.of([run[column.key] for run in v]) for k, v in found.items()}
        name = f"{self.name}-{column.key}" if len(self.columns) > 1 else self.name
        return Figure(name, column.title, samples, column.unit, column.target)

    def _script(self, peer: str, environment: Mapping[str, str]) -> dict[str, float]:
        command = [sys.executable, "-c", SCRIPTS[self.task[0]][peer]]
        return {"seconds": _wall(command, environment) - bare_python()}

    def _child(self, peer: str, environment: Mapping[str, str]) -> dict[str, float]:
        task, *arguments = self.task
        command = [sys.executable, "-m", f"{__package__}.child", task, peer, *arguments]
        figures: dict[str, float] = json.loads(_output(command, environment))
        return figures


@cache
def bare_python() -> float:
    """Return how long the interpreter takes to start and end, at best."""
    command = [sys.executable, "-c", ""]
    return min(_wall(command, os.environ) for _ in range(10))


def _wall(command: Sequence[str], environment: Mapping[str, str]) -> float:
    start = perf_counter()
    _output(command, environment)
    return perf_counter() - start


def _output(command: Sequence[str], environment: Mapping[str, str]) -> str:
    return subprocess.run(
        command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


@contextmanager
def _environment(cached: bool) -> Iterator[dict[str, str]]:
    """Yield an environment in which compilers keep programs in a new directory, or nowhere."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GRADATIM", "JAX"))}
    if not cached:
        yield environment | {"GRADATIM_CACHE": "0"}
        return
    with tempfile.TemporaryDirectory() as directory:
        yield environment | {
            "GRADATIM_CACHE_DIR": directory,
            "JAX_COMPILATION_CACHE_DIR": directory,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }


def _first(name: str, title: str, task: str, cached: bool, target: Target | None = None) -> Cold:
    return Cold(name, (Column("call", title, target=target),), (task,), cached=cached)


def _chain(operations: int, compile: Target | None = None) -> Cold:
    title = f"chain of {operations:,} elementwise operations"
    columns = (
        Column("compile", f"{title}: compile", target=compile),
        Column("run", f"{title}: run"),
    )
    return Cold(f"chain-{operations}", columns, ("chain", str(operations)), processes=3)


def _chain_gradient(
    operations: int,
    compile: Target | None = None,
    run: Target | None = None,
) -> Cold:
    title = f"gradient of a chain of {operations:,}"
    columns = (
        Column("compile", f"{title}: compile", target=compile),
        Column("run", f"{title}: run", target=run),
    )
    affordable = operations <= LONGEST_CHAIN_OF_BASELINE
    return Cold(
        f"chain-gradient-{operations}",
        columns,
        ("chain-gradient", str(operations)),
        peers=(OURS, BASELINE) if affordable else (OURS,),
        slow=(BASELINE,) if operations == SLOW_CHAIN else (),
        processes=3,
    )


LONGEST_CHAIN_OF_BASELINE = 400
SLOW_CHAIN = 800  # JAX does it once, and only if asked for: its time grows steeply from here

COLD = (
    Cold(
        "import",
        (Column("seconds", "import, over bare Python", target=Target(of_baseline=0.5)),),
        ("import",),
        peers=tuple(SCRIPTS["import"]),
    ),
    Cold(
        "script",
        (Column("seconds", "script of one gradient, over bare Python"),),
        ("script",),
    ),
    Cold(
        "script-cached",
        (Column("seconds", "the same, compiled before"),),
        ("script",),
        cached=True,
    ),
    _first("first-call", "first call of the gradient", "later-call", False, Target(15e-3)),
    _first("first-call-cached", "the same from the disk cache", "later-call", True, Target(4e-3)),
    _first("first-function", "the same, first of the process", "first-call-imported", False),
    _first("first-function-cached", "the same from the cache", "first-call-imported", True),
    Cold(
        "memory",
        (
            Column(
                "memory", "peak memory of a process with one function", "B", Target(of_baseline=1.0)
            ),
        ),
        ("first-call",),
    ),
    _chain(2000, Target(1.0)),
    *[_chain_gradient(operations) for operations in (100, 200, 400)],
    _chain_gradient(SLOW_CHAIN, Target(1.2), Target(2e-3)),
    *[_chain_gradient(operations) for operations in (2000, 4000)],
)
