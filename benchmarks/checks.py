"""What run-time checks cost: ``python benchmarks/checks.py``.

For each program the time of a call without automatic checks, and how many times that it takes with
each kind of them; the minimum of many interleaved runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from timeit import timeit
from typing import Any, Final

import numpy as np

import gradatim as gd
from gradatim import checks, lax

KINDS: Final = {
    "index": checks.index_checks,
    "div": checks.div_checks,
    "nan": checks.nan_checks,
    "all": checks.all_checks,
}


def elementwise(x: Any) -> Any:
    """Three elementary functions on an array."""
    return np.log(x) * np.sqrt(x) / (1 + np.exp(-x))


def gathering(a: Any, i: Any) -> Any:
    """Elements at computed positions."""
    return a[i] + 1


def newton(x: Any) -> Any:
    """A loop on numbers."""
    return lax.fori_loop(0, 1000, lambda _, s: s - (s * s - x) / (2 * s), x)


def loss(w: Any, x: Any) -> Any:
    """The loss of a layer, of which the gradient is taken."""
    return np.mean(np.log(1 + np.exp(np.tanh(x @ w))))


def main(rounds: int = 30) -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    x = np.linspace(1, 2, 100_000)
    w, samples = rng.normal(size=(256, 256)), rng.normal(size=(128, 256))
    programs = [
        (gd.stage(elementwise), (x,)),
        (gd.stage(gathering), (x, rng.permutation(x.size))),
        (gd.stage(newton), (2.0,)),
        (gd.stage(loss).grad(), (w, samples)),
    ]
    print(f"{'program':12} {'microseconds':>12} " + " ".join(f"{kind:>6}" for kind in KINDS))
    for program, arguments in programs:
        variants = [program, *(program.with_options(checks=kinds) for kinds in KINDS.values())]
        plain, *others = _best([partial(f, *arguments) for f in variants], rounds)
        name = program.function.__name__
        ratios = " ".join(f"{other / plain:6.2f}" for other in others)
        print(f"{name:12} {1e6 * plain:12.2f} {ratios}")


def _best(calls: list[Callable[[], Any]], rounds: int) -> list[float]:
    """Return the least seconds of each call."""
    counts = [max(1, int(2e-3 / max(timeit(call, number=2) / 2, 1e-8))) for call in calls]
    found = [[timeit(f, number=n) / n for f, n in zip(calls, counts)] for _ in range(rounds)]
    return [min(column) for column in zip(*found)]


if __name__ == "__main__":
    main()
