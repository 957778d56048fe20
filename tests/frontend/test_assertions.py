"""``assert`` on traced values: in calls, ahead of time, in loops and branches, under vmap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import checks, errors, lax


def root(x: Any) -> Any:
    assert x >= 0, f"{x=} is {'negative'}: {x!s:>6}, {x:.2f}, {{}}"
    return np.sqrt(x)


def unnamed(x: Any) -> Any:
    assert (x > 0) & (x < 9)
    return x


def told(x: Any) -> Any:
    assert np.all(x > 0), x
    return x + 0


def in_loop(x: Any) -> Any:
    while x < 100:
        assert x != 4, ("four", 4)
        x = 2 * x
    return x


def in_steps(x: Any) -> Any:
    total = 0.0
    for value in x:
        assert value < 3, f"{value} after {total}"
        total += value
        if total > 4:
            break
    return total


def in_branch(c: Any, x: Any) -> Any:
    fits = x > 0
    if c:
        assert fits, "in the branch"
        return np.sqrt(x)
    return -x


def told_if_false(x: Any) -> Any:
    found: list[Any] = []
    assert x > 0, found[0]
    return x


CASES = [
    (root, (4.0,), (-4.0,), "x=-4.0 is negative:   -4.0, -4.00, {}"),
    (unnamed, (4.0,), (-4.0,), None),
    (told, (np.arange(1.0, 3),), (np.array([1.0, -1.0]),), "[ 1. -1.]"),
    (in_loop, (3.0,), (1.0,), "('four', 4)"),
    (in_steps, (np.array([1.0, 2, 2, 7]),), (np.array([1.0, 3, 7, 7]),), "3.0 after 1.0"),
    (in_branch, (True, 4.0), (True, -4.0), "in the branch"),
    (in_branch, (False, -4.0), (True, -4.0), "in the branch"),
]


@pytest.mark.parametrize(("function", "good", "bad", "message"), CASES)
def test_assertions(function: Any, good: Any, bad: Any, message: str | None) -> None:
    np.testing.assert_array_equal(gd.jit(function)(*good), function(*good))
    staged = gd.jit(function)
    for _ in range(2):  # while it is traced, and when it is compiled
        with pytest.raises(AssertionError) as caught:
            staged(*bad)
        if message is not None:
            assert str(caught.value).splitlines()[0] == message
        np.testing.assert_array_equal(staged(*good), function(*good))


@pytest.mark.parametrize(("function", "good", "bad", "message"), CASES)
def test_assertions_ahead_of_time(function: Any, good: Any, bad: Any, message: str | None) -> None:
    compiled = gd.jit(function).trace(*good).lower().compile()
    np.testing.assert_array_equal(compiled(*good), function(*good))
    with pytest.raises(errors.FailedAssertionError) as caught:
        compiled(*bad)
    assert caught.value.message == (message or "(x > 0) & (x < 9)")
    where = caught.value.where
    assert where is not None and where.rpartition(":")[0] == __file__


@pytest.mark.parametrize(("function", "good", "bad", "message"), CASES)
def test_assertions_are_checks(function: Any, good: Any, bad: Any, message: str | None) -> None:
    checked = checks.checkify(function)
    assert checked(*good)[0].get() is None
    found = checked(*bad)[0].get()
    assert found is not None and found.splitlines()[0] == (message or "(x > 0) & (x < 9)")


def test_all_lanes_must_fulfil_an_assertion() -> None:
    mapped = gd.vmap(root)
    np.testing.assert_array_equal(mapped(np.array([1.0, 4.0])), [1, 2])
    for bad in ([1.0, -4.0], [-4.0, -5.0]):
        for fresh in (mapped, gd.vmap(lambda x: root(x))):
            with pytest.raises(AssertionError, match=r"x=-4\.0"):
                fresh(np.array(bad))
    slope = gd.grad(lambda x: np.sum(gd.vmap(root)(x)))
    np.testing.assert_allclose(slope(np.array([1.0, 4.0])), [0.5, 0.25])
    with pytest.raises(AssertionError, match=r"x=-4\.0"):
        slope(np.array([1.0, -4.0]))


def test_messages_that_only_failing_assertions_have() -> None:
    assert gd.jit(told_if_false)(2.0) == 2.0
    compiled = gd.jit(told_if_false).trace(2.0).lower().compile()
    assert compiled(2.0) == 2.0
    with pytest.raises(errors.FailedAssertionError, match="x > 0"):
        compiled(-2.0)


def test_assertions_in_bodies_of_loops_and_in_staged_functions() -> None:
    def step(total: Any, x: Any) -> Any:
        assert x < 3, f"{x} after {total}"
        return total + root(x), None

    def summed(x: Any) -> Any:
        return lax.scan(step, 0.0, x)[0]

    assert gd.jit(summed)(np.array([1.0, 0.0])) == 1.0
    with pytest.raises(AssertionError, match=r"7\.0 after 1\.0"):
        gd.jit(summed)(np.array([1.0, 7.0]))
    inner = gd.jit(root)
    with pytest.raises(AssertionError, match=r"x=-4\.0"):
        gd.jit(lambda x: inner(x) + 1)(-4.0)
