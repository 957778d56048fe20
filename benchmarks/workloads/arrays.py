"""Array programs: elementwise, row by row, reductions, products."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..peers import Function, Peer
from ..workload import TOLERANCES, Target, Work, Workload
from .calls import example, example_gradient
from .loops import loop

MILLION = 1_000_000


def _normal(*shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


# Derivatives at many points


def gradients(peer: Peer) -> Function:
    return peer.jit(peer.vmap(peer.grad(example(peer.np))))


def _gradients(dtype: str, target: Target) -> Workload:
    size = np.dtype(dtype).itemsize
    return Workload(
        name=f"vmap-grad-{dtype}",
        title=f"vmap(grad(f)), 1,000,000 {dtype}",
        inputs=lambda: (np.linspace(0, 4, MILLION, dtype=dtype),),
        program=gradients,
        reference=lambda x: example_gradient(x.astype(np.float64)),
        tolerance=TOLERANCES[dtype],
        double=dtype == "float64",
        staging=("jax", "torch"),
        by_hand={"numba": loop("gradients"), "numpy": lambda: example_gradient},
        work=Work(moved=2 * size * MILLION),
        target=target,
    )


# Rows


def softmax(peer: Peer) -> Function:
    return peer.jit(lambda x: _softmax(peer.np, x))


def _softmax(np: Any, x: Any) -> Any:
    exponential = np.exp(x - np.amax(x, -1, keepdims=True))
    return exponential / np.sum(exponential, -1, keepdims=True)


def softmax_by_hand(x: np.ndarray) -> Any:
    return _softmax(np, x)


def layer_norm(peer: Peer) -> Function:
    return peer.jit(lambda x, scale, shift: _layer_norm(peer.np, x, scale, shift))


def _layer_norm(np: Any, x: Any, scale: Any, shift: Any) -> Any:
    centred = x - np.mean(x, -1, keepdims=True)
    variance = np.mean(centred**2, -1, keepdims=True)
    return scale * (centred / np.sqrt(variance + 1e-5)) + shift


def layer_norm_by_hand(x: Any, scale: Any, shift: Any) -> Any:
    return _layer_norm(np, x, scale, shift)


def layer_norm_inputs() -> tuple[np.ndarray, ...]:
    return 2 + _normal(1000, 1000), 1 + _normal(1000) / 8, _normal(1000) / 8


# Reductions


def _reduction(name: str, title: str, shape: tuple[int, ...], reduce: Function) -> Workload:
    by_numpy = reduce(np)
    return Workload(
        name=name,
        title=title,
        inputs=lambda: (_normal(*shape),),
        program=lambda peer: peer.jit(reduce(peer.np)),
        reference=lambda x: by_numpy(x.astype(np.float64)),
        tolerance=5e-6,
        staging=("jax", "torch"),
        by_hand={"numpy": lambda: by_numpy},
    )


def _sum(axis: int | None = None) -> Function:
    return lambda np: lambda x: np.sum(x, axis)


def _mean_square(np: Any) -> Function:
    return lambda x: np.mean(x**2)


# Products


def _product(n: int) -> Workload:
    return Workload(
        name=f"matmul-{n}",
        title=f"matrix product, {n} x {n} f32",
        inputs=lambda: (_normal(n, n), _normal(n, n)[::-1].copy()),
        program=lambda peer: peer.jit(lambda a, b: a @ b),
        reference=lambda a, b: a.astype(np.float64) @ b,
        tolerance=TOLERANCES["float32"],
        staging=("jax", "torch"),
        by_hand={"numpy": lambda: np.matmul},
        work=Work(flops=2 * n**3, calls=1),
    )


# Black-Scholes: the price of an option and its five first derivatives


def black_scholes(peer: Peer) -> Function:
    return peer.jit(peer.vmap(peer.grad(_call_price(peer.np), argnums=(0, 1, 2, 3, 4))))


def _call_price(np: Any) -> Function:
    def price(spot: Any, strike: Any, years: Any, rate: Any, volatility: Any) -> Any:
        deviation = volatility * np.sqrt(years)
        drift = (rate + 0.5 * volatility**2) * years
        upper = (np.log(spot / strike) + drift) / deviation
        discounted = strike * np.exp(-rate * years)
        return spot * _normal_cdf(np, upper) - discounted * _normal_cdf(np, upper - deviation)

    return price


def _normal_cdf(np: Any, x: Any) -> Any:
    """The logistic approximation of Bowling et al. (2009), which needs no special function."""
    return 1 / (1 + np.exp(-(0.07056 * x**3 + 1.5976 * x)))


def _normal_pdf(x: Any) -> Any:
    exponential = np.exp(-(0.07056 * x**3 + 1.5976 * x))
    return (3 * 0.07056 * x**2 + 1.5976) * exponential / (1 + exponential) ** 2


def black_scholes_by_hand(
    spot: Any, strike: Any, years: Any, rate: Any, volatility: Any
) -> tuple[Any, ...]:
    root = np.sqrt(years)
    deviation = volatility * root
    upper = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / deviation
    lower = upper - deviation
    discount = np.exp(-rate * years)
    at_upper, at_lower = _normal_cdf(np, upper), _normal_cdf(np, lower)
    gain, loss = spot * _normal_pdf(upper), strike * discount * _normal_pdf(lower)
    difference = gain - loss  # zero, were the approximation exact
    by_years = (rate + 0.5 * volatility**2) / deviation - upper / (2 * years)
    by_volatility = root - upper / volatility
    return (
        at_upper + difference / deviation / spot,
        -discount * at_lower - difference / deviation / strike,
        rate * strike * discount * at_lower
        + difference * by_years
        + loss * volatility / (2 * root),
        years * strike * discount * at_lower + difference / deviation * years,
        difference * by_volatility + loss * root,
    )


def black_scholes_inputs() -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(0)
    bounds = ((80, 120), (90, 110), (0.5, 2.0), (0.01, 0.05), (0.1, 0.4))
    return tuple(random.uniform(*b, MILLION).astype(np.float32) for b in bounds)


ARRAYS = (
    _gradients("float32", Target(0.7e-3)),
    _gradients("float64", Target(of_baseline=0.25)),
    Workload(
        name="softmax",
        title="softmax of rows, 1000 x 1000 f32",
        inputs=lambda: (_normal(1000, 1000),),
        program=softmax,
        reference=lambda x: softmax_by_hand(x.astype(np.float64)),
        tolerance=TOLERANCES["float32"],
        staging=("jax", "torch"),
        by_hand={"numba": loop("softmax"), "numpy": lambda: softmax_by_hand},
        work=Work(moved=8 * MILLION),
    ),
    Workload(
        name="softmax-short",
        title="softmax of short rows, 1,000,000 x 4 f32",
        inputs=lambda: (_normal(MILLION, 4),),
        program=softmax,
        reference=lambda x: softmax_by_hand(x.astype(np.float64)),
        tolerance=TOLERANCES["float32"],
        staging=("jax", "torch"),
        by_hand={"numba": loop("softmax"), "numpy": lambda: softmax_by_hand},
        work=Work(moved=32 * MILLION),
    ),
    Workload(
        name="layer-norm",
        title="layer norm, 1000 x 1000 f32",
        inputs=layer_norm_inputs,
        program=layer_norm,
        reference=lambda *inputs: layer_norm_by_hand(*(a.astype(np.float64) for a in inputs)),
        tolerance=TOLERANCES["float32"],
        staging=("jax", "torch"),
        by_hand={"numpy": lambda: layer_norm_by_hand},
        work=Work(moved=8 * MILLION),
    ),
    _reduction("sum", "sum of 1,000,000 f32", (MILLION,), _sum()),
    _reduction("sum-rows", "sum along rows, 1000 x 1000 f32", (1000, 1000), _sum(1)),
    _reduction("sum-columns", "sum along columns, 1000 x 1000 f32", (1000, 1000), _sum(0)),
    _reduction("mean-square", "mean of squares, 1,000,000 f32", (MILLION,), _mean_square),
    *[_product(n) for n in (4, 16, 64, 256)],
    Workload(
        name="black-scholes",
        title="five Black-Scholes greeks, 1,000,000 f32",
        inputs=black_scholes_inputs,
        program=black_scholes,
        reference=lambda *inputs: black_scholes_by_hand(*(a.astype(np.float64) for a in inputs)),
        tolerance=5e-6,
        staging=("jax", "torch"),
        by_hand={"numpy": lambda: black_scholes_by_hand},
        work=Work(moved=40 * MILLION),
    ),
)
