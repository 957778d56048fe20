"""The example that gradatim started from: the derivative of f(x) = x sin(x^2), step by step.

Run it by ``make demo``, or ``python examples/demo.py`` where gradatim is installed. Where JAX is
installed too, its times stand beside ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from timeit import Timer
from typing import Any

import numpy as np

import gradatim as gd

os.environ.setdefault("GRADATIM_CACHE", "0")  # so that first calls compile, also the second time

X, Y = 0.13, 1.0
POINTS = np.linspace(0.0, 1.0, 1_000_000)


def f(x):
    return x * np.sin(x**2)


def g(x, y):
    return x * np.sin(x**2) + x * y


def derivative(x):
    return np.sin(x**2) + 2 * x**2 * np.cos(x**2)


def second_derivative(x):
    return 6 * x * np.cos(x**2) - 4 * x**3 * np.sin(x**2)


def main() -> None:
    show_gradient()
    show_partial_derivatives()
    show_second_derivative()
    show_map()
    show_levels()
    show_times()


# Derivatives


def show_gradient() -> None:
    title("The gradient of f(x) = x sin(x^2) at 0.13")
    for x, bound in ((np.float64(X), 1e-15), (np.float32(X), 2e-7)):
        report(str(x.dtype), gd.grad(f)(x), derivative(float(x)), bound)


def show_partial_derivatives() -> None:
    title("The partial derivatives of f(x, y) = x sin(x^2) + x y at (0.13, 1)")
    report("by x", gd.grad(g)(X, Y), derivative(X) + Y, 1e-15)
    report("by y", gd.grad(g, argnums=1)(X, Y), X, 1e-15)


def show_second_derivative() -> None:
    title("The second derivative of x sin(x^2) at 0.13: the gradient of the gradient")
    report("float64", gd.grad(gd.grad(f))(X), second_derivative(X), 1e-15)


def show_map() -> None:
    title(f"The gradient at {POINTS.size:,} points of [0, 1]: vmap of the gradient")
    found = gd.stage(f).grad().vmap()(POINTS)
    error = np.max(np.abs(found - derivative(POINTS)))
    print(f"  largest error {error:.1e}")
    assert error < 2e-15


def report(name: str, found: Any, exact: float, bound: float) -> None:
    error = abs(float(found) - exact) / abs(exact)
    print(f"  {name:8} {found!s:<21} exact {exact:<21.17g} relative error {error:.1e}")
    assert error < bound, f"the relative error is {error}, not below {bound}"


# Levels

SHOWN_LINES = 10


def show_levels() -> None:
    lowered = gd.stage(f).grad().vmap().lower(gd.ShapeDtypeStruct((1000,), np.float64))
    for level in ("array", "kernel", "loop", "llvm", "asm"):
        title(f"The mapped gradient of 1000 points at level `{level}`")
        print(shortened(lowered.as_text(level).splitlines()))


def shortened(lines: list[str]) -> str:
    if lines[0] == "builtin.module {":  # its one function says it all
        lines = [line[2:] for line in lines[1:-1]]
    if "gd.main:" in lines:  # in assembly, constants precede the function
        lines = lines[lines.index("gd.main:") :]
    shown = [f"  {line.expandtabs(4)[:96]}" for line in lines[:SHOWN_LINES]]
    left = len(lines) - len(shown)
    return "\n".join(shown) + (f"\n  ... and {left} more" if left > 0 else "")


# Times


def show_times() -> None:
    title("Times: NumPy's are of the function and of the derivative worked out by hand")
    columns = ["NumPy", "first call", "compiled"]
    peer = jax_functions() if find_spec("jax") else None
    columns += ["JAX first", "JAX"] if peer else []
    print(f"  {'':28}" + "".join(f"{column:>12}" for column in columns))
    for name, numpy_function, transform, x in workloads():
        times = [best(partial(numpy_function, x)), *first_and_best(transform(gd, fresh()), x)]
        if peer:
            jax, function, wait = peer
            times += first_and_best(jax.jit(transform(jax, function())), jax.numpy.array(x), wait)
        print(f"  {name:28}" + "".join(f"{spell_time(t):>12}" for t in times))
    if not peer:
        print("  (JAX is not installed; `pip install jax` adds its times)")


Transform = Callable[[Any, Callable[..., Any]], Callable[..., Any]]


def workloads() -> Iterator[tuple[str, Callable[[Any], Any], Transform, Any]]:
    """Yield a name, the computation in NumPy, what to do to f, and the argument."""
    yield "f(0.13)", f, lambda library, function: library.jit(function), np.float64(X)
    yield "f'(0.13)", derivative, lambda library, function: library.grad(function), np.float64(X)
    for dtype in (np.float64, np.float32):
        yield (
            f"f' at 1,000,000 {np.dtype(dtype)}",
            derivative,
            lambda library, function: library.vmap(library.grad(function)),
            POINTS.astype(dtype),
        )


def fresh() -> Callable[..., Any]:
    """Return f as a new function, of which nothing is compiled yet."""
    return lambda x: x * np.sin(x**2)


def jax_functions() -> tuple[Any, Callable[[], Callable[..., Any]], Callable[[Any], Any]]:
    """Return JAX, warmed up and with float64, what gives f anew, and what waits for a result."""
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.jit(lambda x: x + 1)(1.0).block_until_ready()
    return jax, lambda: lambda x: x * jax.numpy.sin(x**2), lambda y: y.block_until_ready()


def first_and_best(
    function: Callable[..., Any], x: Any, wait: Callable[[Any], Any] | None = None
) -> list[float]:
    """Return the times of the first call and of the best one after it, in seconds."""
    call = partial(function, x) if wait is None else lambda: wait(function(x))
    return [Timer(call).timeit(1), best(call)]


def best(call: Callable[[], Any], budget: float = 0.15) -> float:
    """Return the time of the best of many calls, in seconds."""
    once = Timer(call).timeit(1)
    calls = max(1, min(10_000, int(0.002 / once)))
    repeats = max(3, int(budget / (calls * once)))
    return min(Timer(call).repeat(repeats, calls)) / calls


def spell_time(seconds: float) -> str:
    for unit, size in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3)):
        if seconds < 999.5 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def title(text: str) -> None:
    print(f"\n{text}\n")


if __name__ == "__main__":
    main()
