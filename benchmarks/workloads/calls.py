"""What a call costs: compiled functions that compute next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..peers import Function, Peer
from ..workload import TOLERANCES, Target, Work, Workload
from .loops import loop

POINT = 0.13
BOTH = ("jax", "jax (NumPy in)")


def example(np: Any) -> Function:
    """Return x sin(x²), computed in a namespace."""
    return lambda x: x * np.sin(x**2)


def example_gradient(x: Any) -> Any:
    """Return the derivative of x sin(x²)."""
    return np.sin(x**2) + 2 * x**2 * np.cos(x**2)


def scalar_gradient(peer: Peer) -> Function:
    return peer.jit(peer.grad(example(peer.np)))


def gradient_as_written(peer: Peer) -> Function:
    function = example(peer.np)
    return lambda x: peer.grad(function)(x)


def scaled(peer: Peer) -> Function:
    return peer.jit(lambda x: 2.0 * x)


def decayed(peer: Peer) -> Function:
    return peer.jit(lambda weights: {name: 0.9 * value for name, value in weights.items()})


def _four() -> np.ndarray:
    return np.linspace(1.0, 2.0, 4)


def _weights() -> dict[str, np.ndarray]:
    return {f"layer{i:02}": i + _four() for i in range(20)}


CALLS = (
    Workload(
        name="call-float",
        title="call of a scalar gradient, Python float",
        inputs=lambda: (POINT,),
        program=scalar_gradient,
        reference=example_gradient,
        tolerance=TOLERANCES["float64"],
        double=True,
        by_hand={"numba": loop("gradient"), "numpy": lambda: example_gradient},
        work=Work(calls=1),
        target=Target(0.1e-6),
    ),
    Workload(
        name="call-float64",
        title="call of a scalar gradient, NumPy float64",
        inputs=lambda: (np.float64(POINT),),
        program=scalar_gradient,
        reference=example_gradient,
        tolerance=TOLERANCES["float64"],
        double=True,
        staging=BOTH,
        by_hand={"numba": loop("gradient"), "numpy": lambda: example_gradient},
        work=Work(calls=1),
        target=Target(0.1e-6),
    ),
    Workload(
        name="call-array",
        title="call with one f64[4]",
        inputs=lambda: (_four(),),
        program=scaled,
        reference=lambda x: 2.0 * x,
        tolerance=0.0,
        double=True,
        staging=BOTH,
        by_hand={"numpy": lambda: lambda x: 2.0 * x},
        work=Work(calls=1),
        target=Target(0.15e-6),
    ),
    Workload(
        name="call-dict",
        title="call with a dict of 20 f64[4], to a dict",
        inputs=lambda: (_weights(),),
        program=decayed,
        reference=lambda weights: {k: 0.9 * v for k, v in weights.items()},
        tolerance=0.0,
        double=True,
        staging=BOTH,
        by_hand={"numpy": lambda: lambda weights: {k: 0.9 * v for k, v in weights.items()}},
        target=Target(2.5e-6),
    ),
    Workload(
        name="call-grad",
        title="grad(f)(0.13), so written, second time on",
        inputs=lambda: (POINT,),
        program=gradient_as_written,
        reference=example_gradient,
        tolerance=TOLERANCES["float64"],
        double=True,
        target=Target(3e-6),
    ),
)
