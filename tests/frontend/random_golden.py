"""What JAX draws, in random_golden.json: calls as text, and the results; and its signatures.

JAX 0.10.2 made the file, with 64-bit numbers enabled (``x64``) and without (``x32``); with JAX
installed, ``python -m tests.frontend.random_golden`` writes it anew. The tests need no JAX.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

GOLDEN = Path(__file__).with_suffix(".json")

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")

KEYS = [
    *(f"key_data(key({seed}))" for seed in (0, 42, 2**31 - 1, -1, 2**40 + 5, -(2**63))),
    *("key_data(PRNGKey(7))", "key_data(key(np.uint64(2**64 - 1)))", "key_data(key(np.int8(-1)))"),
    *(
        "key_data(split(key(42)))",
        "key_data(split(key(42), 5))",
        "key_data(split(key(42), (2, 3)))",
    ),
    *("key_data(fold_in(key(42), 0))", "key_data(fold_in(key(42), 2**32 - 1))"),
    "key_data(fold_in(key(42), np.int64(2**33 + 7)))",
    "key_data(fold_in(split(key(42))[1], 7))",
]
BITS = [
    *(f"bits(key(42), {shape}, '{d}')" for d in INTEGERS[1::2] for shape in ((), (3, 5))),
    *(f"uniform(key(42), {shape}, '{d}')" for d in FLOATS for shape in ((), (7,), (2, 1, 3))),
    *(f"uniform(key(42), (5,), '{d}', -2, 6)" for d in FLOATS),  # no rounding in a product by 8
    *(f"uniform(key(42), (2, 3), '{d}', np.array([[0.], [1.]], '{d}'))" for d in FLOATS),
    *(f"randint(key(42), (4, 6), 3, 100, '{d}')" for d in INTEGERS),
    *(f"randint(key(42), (5,), 5, 2, '{d}')" for d in INTEGERS),
    *(f"randint(key(42), (5,), {-(1 << n - 1)}, {1 << n - 1}, 'int{n}')" for n in (8, 16, 32)),
    *(f"randint(key(42), (5,), 0, {1 << n}, 'uint{n}')" for n in (8, 16, 32)),
    f"randint(key(42), (5,), {-(2**63)}, {2**63 - 1}, 'int64')",
    "randint(key(42), (2, 3), np.array([[0], [10]]), np.array([5, 20, 100]))",
    *(f"bernoulli(key(42), np.{d}(0.3), (20,))" for d in FLOATS),
    *(f"bernoulli(key(42), np.{d}(0.3), (20,), mode='high')" for d in FLOATS),
    *("bernoulli(key(42), np.array([[0.], [0.5], [1.]]), (3, 8))", "bernoulli(key(42))"),
    *("rademacher(key(42), (20,))", "rademacher(key(42), (20,), 'float32')"),
]
ORDERS = [
    *("permutation(key(42), 10)", "permutation(key(42), np.array([2., 3., 5., 7.]))"),
    "permutation(key(42), np.arange(12).reshape(3, 4), 1)",
    "permutation(key(42), np.arange(12).reshape(3, 4), -1, independent=True)",
    "permutation(key(42), 2000)[:20]",  # sorted twice
    *("choice(key(42), 7, (3, 4))", "choice(key(42), 7, (2, 3), replace=False)"),
    "choice(key(42), np.arange(12.).reshape(3, 4), (2, 2), axis=1)",
    "choice(key(42), np.arange(12.).reshape(3, 4), (2,), replace=False)",
    "choice(key(42), 4, (20,), p=np.array([0.1, 0.2, 0.3, 0.4]))",
    "choice(key(42), np.array([5, 6, 7, 8]), (3,), False, np.array([0.1, 0.2, 0.3, 0.4]))",
    *(f"categorical(key(42), np.linspace(-1, 1, 15, dtype='{d}').reshape(3, 5))" for d in FLOATS),
    "categorical(key(42), np.linspace(-1, 1, 15).reshape(3, 5), 0, (7, 5))",
    "categorical(key(42), np.linspace(-1, 1, 15).reshape(3, 5), 1, (7, 3), mode='high')",
    "categorical(key(42), np.linspace(-1, 1, 15).reshape(3, 5), -1, (2, 2, 3), replace=False)",
    "categorical(key(42), np.linspace(-1, 1, 15).reshape(3, 5), 0, (3, 5), replace=False)",
    *(f"geometric(key(42), np.{d}(0.2), (20,))" for d in FLOATS),
]
COUNTS = [
    "poisson(key(42), np.array([0., 0.1, 1., 3., 9.9]), (4, 5))",
    "poisson(key(42), np.float32(5), (20,), 'int8')",
    *(f"binomial(key(42), np.{d}(20), np.{d}(0.3), (20,), '{d}')" for d in FLOATS),
    "binomial(key(42), np.array([5., 10., 20., -1.]), np.array([0.1, 0.9, 0.5, 0.5]), (3, 4))",
    "multinomial(key(42), 20.0, np.array([0.2, 0.5, 0.3]))",
]
EXACT = [*KEYS, *BITS, *ORDERS, *COUNTS]
"""Calls whose results are JAX's bit by bit."""

ROUNDED = [
    text.replace("DTYPE", f"'{d}'").replace("TYPE", f"np.{d}")
    for d in FLOATS
    for text in (
        "uniform(key(42), (9,), DTYPE, -2.3, 5.7)",
        "normal(key(42), (4, 5), DTYPE)",
        "truncated_normal(key(42), -1.5, TYPE(0.75), (9,), DTYPE)",
        "lognormal(key(42), TYPE(0.5), (9,), DTYPE)",
        *(
            f"{name}(key(42), (9,), DTYPE)"
            for name in ("exponential", "laplace", "logistic", "cauchy", "maxwell", "gumbel")
        ),
        "gumbel(key(42), (9,), DTYPE, 'high')",
        "gumbel(key(42), (9,), DTYPE, 'highest')",
        "double_sided_maxwell(key(42), TYPE(0.5), np.array([1, 2], DTYPE), (5,), DTYPE)",
        "double_sided_maxwell(key(42), 0.0, np.array([1, 2], DTYPE), (), DTYPE)",
        "pareto(key(42), np.array([1, 2], DTYPE), (5, 2), DTYPE)",
        "rayleigh(key(42), np.array([1, 2], DTYPE), (5, 2), DTYPE)",
        "wald(key(42), np.array([1, 2], DTYPE), (5, 2), DTYPE)",
        "weibull_min(key(42), np.array([1, 2], DTYPE), np.array([3, 2], DTYPE), (5, 2), DTYPE)",
        "triangular(key(42), 0.0, 0.25, 2.0, (9,), DTYPE)",
        "multivariate_normal(key(42), np.ones(2, DTYPE), np.array([[2, 1], [1, 2]], DTYPE), (3,))",
        *(
            f"{name}(key(42), np.array([0.05, 0.5, 1, 2.5, 50], DTYPE), (4, 5), DTYPE)"
            for name in ("gamma", "loggamma", "chisquare", "t")
        ),
        "gamma(key(42), TYPE(2.5), dtype=DTYPE)",
        "beta(key(42), np.array([0.5, 2], DTYPE), np.array([3, 2], DTYPE), (4, 2), DTYPE)",
        "f(key(42), TYPE(3), TYPE(5), (9,), DTYPE)",
        "dirichlet(key(42), np.array([0.5, 1, 2], DTYPE), (3,), DTYPE)",
        "generalized_normal(key(42), TYPE(1.5), (9,), DTYPE)",
        "ball(key(42), 3, 2, (3,), DTYPE)",
        "orthogonal(key(42), 3, (2,), DTYPE)",
        "orthogonal(key(42), 2, (), DTYPE, 4)",
    )
] + ["normal(key(42), (5,), 'complex64')", "normal(key(42), (5,), 'complex128')"]
"""Calls whose results are JAX's up to the rounding of the functions in them."""


class Golden(NamedTuple):
    """A call and what JAX gives for it."""

    mode: str
    call: str
    value: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.mode}: {self.call}"


def stored() -> Iterator[Golden]:
    """Yield what the file holds."""
    for mode, call, dtype, value in json.loads(GOLDEN.read_text())["draws"]:
        array = np.array(value, np.float64 if dtype.startswith("complex") else dtype)
        if dtype.startswith("complex"):
            array = (array[..., 0] + 1j * array[..., 1]).astype(dtype)
        yield Golden(mode, call, array)


def evaluate(call: str, namespace: ModuleType) -> Any:
    """Return what a call gives by the functions of a namespace."""
    return eval(call, {"np": np, **{n: getattr(namespace, n) for n in dir(namespace)}})


def main() -> None:
    """Write the file, by JAX."""
    import jax  # type: ignore[import-not-found,unused-ignore]

    rows = []
    for mode in ("x64", "x32"):
        jax.config.update("jax_enable_x64", mode == "x64")
        for call in (*EXACT, *ROUNDED):
            if mode == "x32" and not has_a_result_without_64_bits(call):
                continue
            value = np.asarray(evaluate(call, jax.random))
            is_complex = value.dtype.kind == "c"
            parts = np.stack([value.real, value.imag], -1) if is_complex else value
            rows.append([mode, call, str(value.dtype), parts.tolist()])
    draws = ",\n".join(map(json.dumps, rows))
    signatures = json.dumps({n: _signature(getattr(jax.random, n)) for n in _names(jax.random)})
    GOLDEN.write_text(f'{{"signatures": {signatures},\n"draws": [\n{draws}\n]}}\n')


def _names(namespace: ModuleType) -> list[str]:
    """Return the functions of a namespace, but for those about JAX's dtypes and primitives."""
    found = [n for n in dir(namespace) if inspect.isfunction(getattr(namespace, n))]
    return [n for n in found if n[0] != "_" and n != "key_dtype"]


def _signature(function: Callable[..., Any]) -> list[tuple[str, bool, float | str]]:
    """Return each parameter's name, whether it is by keyword alone, and its default."""
    return [
        (p.name, p.kind is p.KEYWORD_ONLY, spelled_default(p.default))
        for p in inspect.signature(function).parameters.values()
        if p.name != "out_sharding"
    ]


def spelled_default(value: Any) -> float | str:
    """Return a default as a number or as text."""
    return float(value) if isinstance(value, (int, float, np.generic)) else repr(value)


def has_a_result_without_64_bits(call: str) -> bool:
    """Tell whether JAX gives the same without 64-bit numbers, which it takes by default.

    Random signs are made of bits of the default width.
    """
    if call.startswith(("rademacher", "double_sided_maxwell", "generalized_normal", "ball")):
        return False
    small = "32'" in call and str(2**31) not in call and str(2**32) not in call
    return small or call in ("key_data(key(42))", "key_data(split(key(42), 5))")


if __name__ == "__main__":
    main()
