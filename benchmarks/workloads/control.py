"""Loops: what is computed step by step, and its gradients.

The programs are written once, by `scan`, `fori_loop` and `while_loop`. Each has a size, so that
tests can run small ones; `control_workloads` makes those that are measured.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..peers import Function, Peer
from ..workload import Target, Work, Workload
from . import control_by_hand as by_hand

# Lorenz's equations by Runge and Kutta's method of fourth order

LORENZ_STEP = 1e-4


def lorenz(peer: Peer, steps: int) -> Function:
    np, lax = peer.np, peer.lax

    def slope(state: Any) -> Any:
        x, y, z = state[0], state[1], state[2]
        return np.stack([10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z])

    def step(state: Any, _: None) -> Any:
        h = LORENZ_STEP
        a = slope(state)
        b = slope(state + h / 2 * a)
        c = slope(state + h / 2 * b)
        d = slope(state + h * c)
        return state + h / 6 * (a + 2 * b + 2 * c + d), None

    def final(state: Any) -> Any:
        return lax.scan(step, state, None, length=steps)[0]

    return final


# A chain of many scalars


def scalars(peer: Peer, steps: int) -> Function:
    lax = peer.lax

    def step(carry: Any, x: Any) -> Any:
        following = (*carry[1:], carry[0])
        new = tuple([0.9 * a + 0.1 * b * x - 0.01 * a * b for a, b in zip(carry, following)])
        return new, None

    def final(carry: Any, xs: Any) -> Any:
        return lax.scan(step, carry, xs)[0]

    return final


def sum_of_scalars(peer: Peer, steps: int) -> Function:
    final = scalars(peer, steps)

    def total(carry: Any, xs: Any) -> Any:
        result = final(carry, xs)
        return sum(result[1:], result[0])

    return total


# Newton's method


def newton(peer: Peer, steps: int) -> Function:
    lax = peer.lax

    def root(a: Any) -> Any:
        def body(state: Any) -> Any:
            i, x = state
            return i + 1, 0.5 * (x + a / x)

        return lax.while_loop(lambda state: state[0] < steps, body, (0, a))[1]

    return root


# The heat equation


def heat(peer: Peer, steps: int) -> Function:
    np, lax = peer.np, peer.lax

    def step(_: Any, u: Any) -> Any:
        inner = u[1:-1, 1:-1]
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        return np.pad(inner + 0.2 * (around - 4 * inner), 1)

    def final(u: Any) -> Any:
        return lax.fori_loop(0, steps, step, u)

    return final


def heat_energy(peer: Peer, steps: int) -> Function:
    np, final = peer.np, heat(peer, steps)
    return lambda u: np.sum(final(u) ** 2)


# A gated recurrent unit


def gru(peer: Peer, steps: int) -> Function:
    np, lax = peer.np, peer.lax

    def logistic(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    def final(weights: Any, xs: Any, h: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            z = logistic(x @ weights["wz"] + h @ weights["uz"])
            r = logistic(x @ weights["wr"] + h @ weights["ur"])
            n = np.tanh(x @ weights["wn"] + (r * h) @ weights["un"])
            return (1 - z) * n + z * h, None

        return lax.scan(step, h, xs)[0]

    return final


def gru_loss(peer: Peer, steps: int) -> Function:
    np, final = peer.np, gru(peer, steps)
    return lambda weights, xs, h: np.sum(final(weights, xs, h) ** 2)


def gru_inputs(steps: int, batch: int, hidden: int) -> tuple[Any, ...]:
    random = np.random.default_rng(0)

    def array(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    weights = {name: array(hidden, hidden) for name in ("wz", "uz", "wr", "ur", "wn", "un")}
    return weights, array(steps, batch, hidden), array(batch, hidden)


# Collatz's sequences, of each number its own length


def collatz(peer: Peer, steps: int) -> Function:
    np, lax = peer.np, peer.lax

    def length(n: Any) -> Any:
        def body(state: Any) -> Any:
            n, count = state
            return np.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1

        return lax.while_loop(lambda state: state[0] != 1, body, (n, np.zeros_like(n)))[1]

    return peer.vmap(length)


# Bodies that attract each other

SOFTENING, TIME_STEP = 0.1, 1e-3


def bodies(peer: Peer, steps: int) -> Function:
    np, lax = peer.np, peer.lax

    def energy(positions: Any, velocities: Any) -> Any:
        def step(state: Any, _: None) -> Any:
            x, v = state
            apart = x[None, :, :] - x[:, None, :]
            squared = np.sum(apart * apart, axis=-1) + SOFTENING**2
            pull = np.sum(apart * (squared**-1.5)[:, :, None], axis=1)
            v = v + TIME_STEP * pull
            return (x + TIME_STEP * v, v), None

        x, v = lax.scan(step, (positions, velocities), None, length=steps)[0]
        return np.sum(v * v) + np.sum(x * x)

    return energy


def bodies_inputs(count: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(0)
    return random.standard_normal((count, 3)), 0.1 * random.standard_normal((count, 3))


# Second derivatives


def rosenbrock(peer: Peer, steps: int) -> Function:
    np = peer.np

    def value(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return value


# A loop of unknown length, in reverse mode; JAX has none


def relaxation(peer: Peer, steps: int) -> Function:
    """A fixed point by small steps, some ``30 * steps`` of them until it stays."""
    lax, np = peer.lax, peer.np

    def root(a: Any) -> Any:
        def away(x: Any) -> Any:
            return np.abs(x * x - a) > 1e-12 * a

        def body(x: Any) -> Any:
            return x - (x * x - a) / (2 * steps * np.sin(x))

        return lax.while_loop(away, body, a)

    return root


def lorenz_workloads(dtype: Any, steps: int) -> tuple[Workload, ...]:
    """Return the forward pass and its gradient in a dtype."""
    double = dtype is np.float64
    suffix = "" if double else "-f32"
    start = np.array([1.0, 1.0, 1.05], dtype)
    common: dict[str, Any] = {
        "inputs": lambda: (start,),
        "tolerance": 1e-7 if double else 1e-3,
        "double": double,
        "compile_target": Target(of_baseline=0.5),
    }
    return (
        Workload(
            name=f"lorenz{suffix}",
            title=f"Lorenz by Runge-Kutta, {steps:,} steps of {'f64' if double else 'f32'}[3]",
            program=lambda peer: peer.jit(lorenz(peer, steps)),
            reference=lambda state: by_hand.lorenz(state, steps, LORENZ_STEP),
            target=Target(of_baseline=1.0),
            **common,
        ),
        Workload(
            name=f"lorenz{suffix}-gradient",
            title="its gradient",
            program=lambda peer: peer.jit(
                peer.grad(lambda state: peer.np.sum(lorenz(peer, steps)(state)))
            ),
            reference=lambda state: by_hand.lorenz_gradient(state, steps, LORENZ_STEP),
            target=Target(of_baseline=0.05),
            **common,
        ),
    )


def control_workloads(scale: float = 1.0) -> tuple[Workload, ...]:
    """Return the workloads, their numbers of steps and sizes times ``scale``."""

    def scaled(count: int) -> int:
        return max(int(count * scale), 3)

    steps, short, many = scaled(10_000), scaled(614), scaled(100_000)
    grid, words, hidden, pairs = scaled(512), scaled(200), scaled(128), scaled(500)
    chain = tuple(np.float64(1 + i / 60) for i in range(60)), np.linspace(0.1, 0.9, short)
    plate = np.random.default_rng(0).random((grid, grid)).astype(np.float32)
    series = gru_inputs(words, scaled(32), hidden)
    crowd = bodies_inputs(pairs)
    times = scaled(100)
    return (
        *lorenz_workloads(np.float64, steps),
        *lorenz_workloads(np.float32, steps),
        Workload(
            name="scalars",
            title=f"scan of {short} steps over 60 scalars f64",
            inputs=lambda: chain,
            program=lambda peer: peer.jit(scalars(peer, short)),
            reference=by_hand.scalars,
            tolerance=1e-12,
            double=True,
            target=Target(of_baseline=0.5),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="scalars-gradient",
            title="its gradient",
            inputs=lambda: chain,
            program=lambda peer: peer.jit(peer.grad(sum_of_scalars(peer, short))),
            reference=by_hand.scalars_gradient,
            tolerance=1e-11,
            double=True,
            target=Target(of_baseline=0.07),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="newton",
            title=f"Newton's method in a while loop, {many:,} steps, f64",
            inputs=lambda: (np.float64(2.0),),
            program=lambda peer: peer.jit(newton(peer, many)),
            reference=np.sqrt,
            tolerance=1e-15,
            double=True,
            target=Target(of_baseline=0.8),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="heat",
            title=f"heat equation, {grid}^2 f32, {times} steps",
            inputs=lambda: (plate,),
            program=lambda peer: peer.jit(heat(peer, times)),
            reference=lambda u: by_hand.heat(u, times),
            tolerance=1e-5,
            work=Work(moved=plate.nbytes * 2),
            target=Target(of_baseline=0.5),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="heat-gradient",
            title="gradient of its energy",
            inputs=lambda: (plate,),
            program=lambda peer: peer.jit(peer.grad(heat_energy(peer, times))),
            reference=lambda u: by_hand.heat_gradient(u, times),
            tolerance=1e-5,
            target=Target(of_baseline=0.5),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="gru",
            title=f"GRU, {words} steps, batch {len(series[2])}, hidden {hidden}, f32",
            inputs=lambda: series,
            program=lambda peer: peer.jit(gru(peer, words)),
            reference=by_hand.gru,
            tolerance=1e-4,
            work=Work(flops=12.0 * words * len(series[2]) * hidden * hidden),
            target=Target(of_baseline=0.6),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="gru-gradient",
            title="gradient of a loss by its weights",
            inputs=lambda: series,
            program=lambda peer: peer.jit(peer.grad(gru_loss(peer, words))),
            reference=by_hand.gru_gradient,
            tolerance=1e-3,
            work=Work(flops=36.0 * words * len(series[2]) * hidden * hidden),
            target=Target(of_baseline=0.4),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="collatz",
            title=f"Collatz's sequences under vmap, {2 * steps:,} of them, i64",
            inputs=lambda: (np.arange(1, 2 * steps + 1),),
            program=lambda peer: peer.jit(collatz(peer, 0)),
            reference=by_hand.collatz,
            tolerance=0.0,
            double=True,
            target=Target(of_baseline=0.4),
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="while",
            title=f"relaxation in a while loop, some {30 * times:,} steps, f64",
            inputs=lambda: (np.float64(2.0),),
            program=lambda peer: peer.jit(relaxation(peer, times)),
            reference=np.sqrt,
            tolerance=1e-12,
            double=True,
            compile_target=Target(of_baseline=0.5),
        ),
        Workload(
            name="while-gradient",
            title="its gradient in reverse mode, which JAX lacks",
            inputs=lambda: (np.float64(2.0),),
            program=lambda peer: peer.jit(peer.grad(relaxation(peer, times))),
            reference=lambda a: 0.5 / np.sqrt(a),
            tolerance=1e-9,
            double=True,
            staging=(),
        ),
        Workload(
            name="hessian",
            title="Hessian of Rosenbrock's function, f64[50]",
            inputs=lambda: (np.linspace(-1.0, 1.5, 50),),
            program=lambda peer: peer.jit(peer.hessian(rosenbrock(peer, 0))),
            reference=by_hand.rosenbrock_hessian,
            tolerance=1e-13,
            double=True,
            target=Target(of_baseline=0.25),
            compile_target=Target(of_baseline=0.4),
        ),
        Workload(
            name="bodies-gradient",
            title=f"gradient through {pairs} bodies, {times} steps, f64",
            inputs=lambda: crowd,
            program=lambda peer: peer.jit(peer.grad(bodies(peer, times))),
            reference=lambda x, v: by_hand.bodies_gradient(x, v, times, TIME_STEP, SOFTENING),
            tolerance=1e-9,
            double=True,
            target=Target(of_baseline=0.25),
            compile_target=Target(of_baseline=0.5),
        ),
    )


CONTROL = control_workloads()
"""The workloads at the sizes that are measured."""
