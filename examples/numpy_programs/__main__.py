"""Stage the programs as they are, compare results and times, differentiate where it makes sense."""

from __future__ import annotations

from time import perf_counter

import numpy as np

import gradatim as gd

from .programs import PROGRAMS, Program


def main() -> None:
    """Print a line for each program."""
    print(f"{'program':<18} {'NumPy':>10} {'first call':>11} {'compiled':>10}   gradient")
    for program in PROGRAMS:
        print(line(program))


def line(program: Program) -> str:
    """Run a program both ways and return what to print of it."""
    inputs = program.inputs()
    staged = gd.stage(program.run)
    first, found = timed(staged, inputs)
    plain, again = (
        min(timed(function, inputs)[0] for _ in range(20)) for function in (program.run, staged)
    )
    agree(found, program.run(*inputs))
    gradient = "-"
    if program.loss is not None:
        _, slopes = timed(gd.grad(program.loss), inputs)
        gradient = f"norm {np.sqrt(sum(np.sum(s**2) for s in gd.tree.leaves(slopes))):.6g}"
    times = f"{1e6 * plain:7.1f} us {1e3 * first:8.1f} ms {1e6 * again:7.1f} us"
    return f"{program.name:<18} {times}   {gradient}"


def timed(function, inputs):
    """Return the seconds of a call, and its result."""
    start = perf_counter()
    result = function(*inputs)
    return perf_counter() - start, result


def agree(found, expected) -> None:
    """Raise AssertionError unless the results are equal up to rounding."""
    for a, b in zip(gd.tree.leaves(found), gd.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


if __name__ == "__main__":
    main()
