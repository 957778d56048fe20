"""The loops in NumPy, in float64, with derivatives by hand: what results are checked against."""

from __future__ import annotations

from typing import Any

import numpy as np


def lorenz(state: np.ndarray, steps: int, h: float) -> np.ndarray:
    return _lorenz(state.astype(np.float64), steps, h)


def lorenz_gradient(state: np.ndarray, steps: int, h: float) -> np.ndarray:
    """Differences of three trajectories at once; they are smooth over such a short time."""
    states = state.astype(np.float64)[:, None] + 1e-5 * np.hstack([np.eye(3), -np.eye(3)])
    sums = _lorenz(states, steps, h).sum(axis=0)
    return (sums[:3] - sums[3:]) / 2e-5


def _lorenz(state: np.ndarray, steps: int, h: float) -> np.ndarray:
    def slope(s: np.ndarray) -> np.ndarray:
        x, y, z = s
        return np.stack([10 * (y - x), x * (28 - z) - y, x * y - (8 / 3) * z])

    for _ in range(steps):
        a = slope(state)
        b = slope(state + h / 2 * a)
        c = slope(state + h / 2 * b)
        state = state + h / 6 * (a + 2 * b + 2 * c + slope(state + h * c))
    return state


def scalars(carry: Any, xs: np.ndarray) -> tuple[np.float64, ...]:
    a = np.array(carry)
    for x in xs:
        b = np.roll(a, -1)
        a = 0.9 * a + 0.1 * b * x - 0.01 * a * b
    return tuple(a)


def scalars_gradient(carry: Any, xs: np.ndarray) -> tuple[np.float64, ...]:
    states = [np.array(carry)]
    for x in xs:
        a, b = states[-1], np.roll(states[-1], -1)
        states.append(0.9 * a + 0.1 * b * x - 0.01 * a * b)
    slope = np.ones(len(carry))
    for x, a in zip(xs[::-1], states[-2::-1]):
        slope = slope * (0.9 - 0.01 * np.roll(a, -1)) + np.roll(slope * (0.1 * x - 0.01 * a), 1)
    return tuple(slope)


def heat(u: np.ndarray, steps: int) -> np.ndarray:
    u = u.astype(np.float64)
    for _ in range(steps):
        u = _heat_step(u)
    return u


def heat_gradient(u: np.ndarray, steps: int) -> np.ndarray:
    slope = 2 * heat(u, steps)
    for _ in range(steps):
        slope = _heat_step_transposed(slope)
    return slope


def _heat_step(u: np.ndarray) -> np.ndarray:
    inner = u[1:-1, 1:-1]
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    return np.pad(inner + 0.2 * (around - 4 * inner), 1)


def _heat_step_transposed(slope: np.ndarray) -> np.ndarray:
    inner, result = slope[1:-1, 1:-1], np.zeros_like(slope)
    result[1:-1, 1:-1] += 0.2 * inner
    for part in (np.s_[:-2, 1:-1], np.s_[2:, 1:-1], np.s_[1:-1, :-2], np.s_[1:-1, 2:]):
        result[part] += 0.2 * inner
    return result


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _gru_steps(weights: dict[str, np.ndarray], xs: np.ndarray, h: np.ndarray) -> list[Any]:
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    h, steps = h.astype(np.float64), []
    for x in xs.astype(np.float64):
        z = _logistic(x @ w["wz"] + h @ w["uz"])
        r = _logistic(x @ w["wr"] + h @ w["ur"])
        n = np.tanh(x @ w["wn"] + (r * h) @ w["un"])
        steps.append((x, h, z, r, n))
        h = (1 - z) * n + z * h
    return [*steps, h]


def gru(weights: dict[str, np.ndarray], xs: np.ndarray, h: np.ndarray) -> np.ndarray:
    last: np.ndarray = _gru_steps(weights, xs, h)[-1]
    return last


def gru_gradient(
    weights: dict[str, np.ndarray], xs: np.ndarray, h: np.ndarray
) -> dict[str, np.ndarray]:
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    *steps, last = _gru_steps(weights, xs, h)
    found = {name: np.zeros_like(value) for name, value in w.items()}
    slope = 2 * last
    for x, before, z, r, n in reversed(steps):
        dn = slope * (1 - z) * (1 - n * n)
        dz = slope * (before - n) * z * (1 - z)
        through = dn @ w["un"].T
        dr = through * before * r * (1 - r)
        for name, value in (("wz", dz), ("wr", dr), ("wn", dn)):
            found[name] += x.T @ value
        for name, left, value in (("uz", before, dz), ("ur", before, dr), ("un", r * before, dn)):
            found[name] += left.T @ value
        slope = slope * z + dz @ w["uz"].T + dr @ w["ur"].T + through * r
    return found


def collatz(numbers: np.ndarray) -> np.ndarray:
    n, counts = numbers.copy(), np.zeros_like(numbers)
    while (active := n != 1).any():
        n = np.where(active, np.where(n % 2 == 0, n // 2, 3 * n + 1), n)
        counts += active
    return counts


def rosenbrock_hessian(x: np.ndarray) -> np.ndarray:
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    beside = -400 * x[:-1]
    return np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)


def bodies_gradient(
    x: np.ndarray, v: np.ndarray, steps: int, h: float, softening: float
) -> np.ndarray:
    states = []
    for _ in range(steps):
        states.append(x)
        v = v + h * _pull(x, softening)
        x = x + h * v
    dx, dv = 2 * x, 2 * v
    for before in reversed(states):
        dv = dv + h * dx
        dx = dx + h * _pull_transposed(before, dv, softening)
    return dx


def _pull(x: np.ndarray, softening: float) -> np.ndarray:
    apart = x[None, :, :] - x[:, None, :]
    squared = np.sum(apart * apart, axis=-1) + softening**2
    result: np.ndarray = np.sum(apart * (squared**-1.5)[:, :, None], axis=1)
    return result


def _pull_transposed(x: np.ndarray, slope: np.ndarray, softening: float) -> np.ndarray:
    apart = x[None, :, :] - x[:, None, :]
    squared = np.sum(apart * apart, axis=-1) + softening**2
    along = np.sum(apart * slope[:, None, :], axis=-1)
    d = squared[:, :, None] ** -1.5 * slope[:, None, :]
    d = d - 3 * (along * squared**-2.5)[:, :, None] * apart
    result: np.ndarray = d.sum(axis=0) - d.sum(axis=1)
    return result
