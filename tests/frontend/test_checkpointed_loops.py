"""Loops of which reverse mode keeps what is carried every so many steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, lax

XS = np.linspace(-1, 1, 23)
EVERY = [None, 1, 5, 23, 100, (6, 2), [8, 4, 2]]
every_so_many = pytest.mark.parametrize("every", EVERY, ids=str)


def scanned(x: Any, every: Any, reverse: bool = False) -> Any:
    def step(x: Any, e: Any) -> tuple[Any, Any]:
        y = np.sin(x * e + 1)
        return y, x * y

    last, ys = lax.scan(step, x, XS, reverse=reverse, checkpoint_every=every)
    return last + np.sum(ys * XS)


def counted(x: Any, every: Any) -> Any:
    return lax.fori_loop(2, 20, lambda i, x: np.sin(x + i), x, checkpoint_every=every)


def unbounded(x: Any, every: Any) -> Any:
    def body(state: Any) -> Any:
        n, x = state
        return n + 1, np.sin(x + n)

    return lax.while_loop(lambda s: s[0] < 17, body, (0, x), checkpoint_every=every)[1]


@every_so_many
@pytest.mark.parametrize("reverse", [False, True])
def test_scan(every: Any, reverse: bool) -> None:
    expected = gd.value_and_grad(scanned)(0.3, None, reverse)
    found = gd.value_and_grad(scanned)(0.3, every, reverse)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@every_so_many
def test_fori_loop(every: Any) -> None:
    expected = gd.value_and_grad(counted)(0.3, None)
    np.testing.assert_allclose(gd.value_and_grad(counted)(0.3, every), expected, rtol=1e-12)


@pytest.mark.parametrize("every", [1, 5, 100, (6, 2)], ids=str)
def test_while_loop(every: Any) -> None:
    expected = gd.value_and_grad(unbounded)(0.3, None)
    np.testing.assert_allclose(gd.value_and_grad(unbounded)(0.3, every), expected, rtol=1e-12)


def test_computed_bounds() -> None:
    def f(x: Any, n: Any) -> Any:
        return lax.fori_loop(0, n, lambda i, x: np.sin(x + i), x, checkpoint_every=4)

    def plain(x: Any, n: Any) -> Any:
        return lax.fori_loop(0, n, lambda i, x: np.sin(x + i), x)

    for n in (0, 3, 4, 13):
        np.testing.assert_allclose(gd.grad(f)(0.3, n), gd.grad(plain)(0.3, n), rtol=1e-12)


def test_second_order_and_lanes() -> None:
    x = np.linspace(0.1, 1, 4)
    for f in (scanned, counted, unbounded):
        second = gd.vmap(gd.grad(gd.grad(f)), in_axes=(0, None))
        np.testing.assert_allclose(second(x, 5), second(x, None), rtol=1e-10)


@pytest.mark.parametrize("every", [-1, 0, (4, 0), ()])
def test_segments_have_steps(every: Any) -> None:
    for f in (scanned, counted, unbounded):
        with pytest.raises(errors.ArgumentError, match=r"checkpoint_every must be at least 1"):
            f(0.3, every)
