"""Functions with rules for batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, lax

asked: list[Any] = []


@gd.custom_vmap
def scaled(x: Any, w: Any) -> Any:
    return {"y": x * w["w"], "n": w["w"] + 1}


@scaled.def_vmap
def _(axis_size: int, in_batched: Any, x: Any, w: Any) -> Any:
    asked.append((axis_size, in_batched))
    batched = in_batched[0] or in_batched[1]["w"]
    result = {"y": x * w["w"] + 100, "n": w["w"] + 1}
    return result, {"y": batched, "n": in_batched[1]["w"]}


X = np.arange(3.0)


def test_the_rule_is_what_vmap_makes():
    assert scaled(2.0, {"w": 3.0}) == {"y": 6.0, "n": 4.0}
    assert gd.jit(scaled)(2.0, {"w": 3.0}) == {"y": 6.0, "n": 4.0}
    for w, axis, n in [(2.0, None, np.full(3, 3.0)), (X, 0, X + 1)]:
        asked.clear()
        found = gd.vmap(scaled, in_axes=(0, axis))(X, {"w": w})
        np.testing.assert_array_equal(found["y"], X * w + 100)
        np.testing.assert_array_equal(found["n"], n)
        assert set(map(str, asked)) == {f"(3, [True, {{'w': {axis == 0}}}])"}


def test_other_axes_and_control_flow():
    a = np.arange(6.0).reshape(2, 3)
    f = gd.vmap(lambda x: scaled(x, {"w": 2.0})["y"], in_axes=1, out_axes=1)
    np.testing.assert_array_equal(f(a), 2 * a + 100)

    def steps(x: Any) -> Any:
        return lax.fori_loop(0, 2, lambda i, s: scaled(s, {"w": 1.0})["y"], x)

    np.testing.assert_array_equal(gd.vmap(steps)(X), X + 200)
    np.testing.assert_array_equal(
        gd.vmap(gd.jit(lambda x: scaled(x, {"w": x})["y"]))(X), X * X + 100
    )
    twice = gd.vmap(gd.vmap(lambda x: scaled(x, {"w": 2.0})["y"]))
    np.testing.assert_array_equal(twice(a), 2 * a + 100)


def test_derivatives_are_those_of_the_function():
    f = lambda x: scaled(x * x, {"w": x})["y"]  # noqa: E731
    assert gd.grad(f)(2.0) == 12.0
    np.testing.assert_array_equal(gd.vmap(gd.grad(f))(X), 3 * X**2)
    np.testing.assert_array_equal(gd.grad(lambda x: gd.vmap(f)(x).sum())(X), 3 * X**2)
    assert gd.jvp(f, (2.0,), (1.0,)) == (8.0, 12.0)


def with_rule(rule: Any) -> Any:
    f = gd.custom_vmap(lambda x: x + 1)
    f.def_vmap(rule)
    return f


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda size, batched, x: x, "must return a pair"),
        (lambda size, batched, x: ((x, x), True), "must return"),
        (lambda size, batched, x: (x[0], True), r"shape \(\) instead of \(3,\)"),
        (lambda size, batched, x: (x, False), r"shape \(3,\) instead of \(\)"),
    ],
)
def test_wrong_rules(rule: Any, message: str):
    with pytest.raises(errors.CustomRuleError, match=message):
        gd.vmap(with_rule(rule))(X)


def test_a_function_without_a_rule():
    with pytest.raises(errors.CustomRuleError, match="no rule yet"):
        gd.custom_vmap(lambda x: x)(1.0)

    def closing(x: Any) -> Any:
        f = gd.custom_vmap(lambda y: x + y)
        f.def_vmap(lambda size, batched, y: (y, batched[0]))
        return f(x)

    with pytest.raises(errors.CustomRuleError, match="closes over values that carry the batch"):
        gd.vmap(closing)(X)
