"""Gradients of losses: small models of the kinds that people fit."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..peers import Function, Peer
from ..workload import Work, Workload
from .loops import loop

# Logistic regression

POINTS, FEATURES = 10_000, 100


def logistic_gradient(peer: Peer) -> Function:
    np = peer.np

    def loss(weights: Any, x: Any, labels: Any) -> Any:
        return np.mean(np.log(1 + np.exp(-labels * (x @ weights))))

    return peer.jit(peer.grad(loss))


def logistic_gradient_by_hand(weights: Any, x: Any, labels: Any) -> Any:
    slopes = -labels / (1 + np.exp(labels * (x @ weights))) / len(labels)
    return slopes @ x


def logistic_inputs() -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(0)
    x = random.standard_normal((POINTS, FEATURES))
    weights = random.standard_normal(FEATURES) / 10
    labels = np.sign(x @ weights + random.standard_normal(POINTS))
    return weights.astype(np.float32), x.astype(np.float32), labels.astype(np.float32)


# A network of three layers

SIZES = (784, 512, 512, 10)
BATCH = 128
WEIGHTS = sum(n * m for n, m in pairwise(SIZES))


def network_gradient(peer: Peer) -> Function:
    np = peer.np

    def loss(weights: Any, x: Any, targets: Any) -> Any:
        for layer in weights[:-1]:
            x = np.tanh(x @ layer)
        return np.mean((x @ weights[-1] - targets) ** 2)

    return peer.jit(peer.grad(loss))


def network_gradient_by_hand(weights: list[Any], x: Any, targets: Any) -> list[Any]:
    values = [x]
    for layer in weights[:-1]:
        values.append(np.tanh(values[-1] @ layer))
    slopes = (2 / targets.size) * (values[-1] @ weights[-1] - targets)
    gradients = [values[-1].T @ slopes]
    for layer, value, before in zip(weights[:0:-1], values[:0:-1], values[-2::-1]):
        slopes = (slopes @ layer.T) * (1 - value**2)
        gradients.append(before.T @ slopes)
    return gradients[::-1]


def network_inputs() -> tuple[Any, ...]:
    random = np.random.default_rng(0)
    weights = [
        (random.standard_normal((n, m)) / np.sqrt(n)).astype(np.float32) for n, m in pairwise(SIZES)
    ]
    x, targets = random.standard_normal((BATCH, SIZES[0])), random.standard_normal((BATCH, 10))
    return weights, x.astype(np.float32), targets.astype(np.float32)


def in_double(function: Function) -> Function:
    """Return a reference that computes in float64."""

    def converted(value: Any) -> Any:
        if isinstance(value, list):
            return [converted(item) for item in value]
        return value.astype(np.float64)

    return lambda *inputs: function(*map(converted, inputs))


# Rosenbrock's function


def rosenbrock_gradient(peer: Peer) -> Function:
    np = peer.np

    def rosenbrock(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return peer.jit(peer.grad(rosenbrock))


def rosenbrock_gradient_by_hand(x: np.ndarray) -> np.ndarray:
    step = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * x[:-1] * step - 2 * (1 - x[:-1])
    gradient[1:] += 200 * step
    return gradient


MODELS = (
    Workload(
        name="logistic",
        title="logistic regression gradient, 10,000 x 100 f32",
        inputs=logistic_inputs,
        program=logistic_gradient,
        reference=in_double(logistic_gradient_by_hand),
        tolerance=1e-5,
        staging=("jax", "torch"),
        by_hand={"numpy": lambda: logistic_gradient_by_hand},
    ),
    Workload(
        name="network",
        title="784-512-512-10 network gradient, batch 128 f32",
        inputs=network_inputs,
        program=network_gradient,
        reference=in_double(network_gradient_by_hand),
        tolerance=1e-5,
        staging=("jax", "torch"),
        by_hand={"numpy": lambda: network_gradient_by_hand},
        work=Work(flops=6 * BATCH * WEIGHTS - 2 * BATCH * SIZES[0] * SIZES[1]),
    ),
    Workload(
        name="rosenbrock",
        title="gradient of Rosenbrock's function, f64[50]",
        inputs=lambda: (np.linspace(-1.0, 1.5, 50),),
        program=rosenbrock_gradient,
        reference=rosenbrock_gradient_by_hand,
        tolerance=1e-14,
        double=True,
        staging=("jax", "torch"),
        by_hand={
            "numba": loop("rosenbrock_gradient"),
            "numpy": lambda: rosenbrock_gradient_by_hand,
        },
        work=Work(calls=1),
    ),
)
