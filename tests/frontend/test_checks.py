"""Checks: programs, arguments that pass, arguments that fail, and what the error says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import checks, errors, lax


def positive(x: Any) -> Any:
    checks.check(x > 0, "{what} is {}", x, what=7)
    return np.sqrt(np.abs(x))


def scanned(x: Any) -> Any:
    def step(total: Any, v: Any) -> Any:
        checks.check(v < 3, "{} after {total}", v, total=total)
        return total + v, total * v

    return lax.scan(step, 0.0, x)


def looped(x: Any) -> Any:
    def goes_on(s: Any) -> Any:
        checks.check(s < 30, "condition {}", s)
        return s < 10

    def step(s: Any) -> Any:
        checks.check(s != 4, "body {}", s)
        return s * 2

    return lax.while_loop(goes_on, step, x)


def branched(p: Any, x: Any) -> Any:
    return lax.cond(p, positive, lambda x: -x, x)


def by_python(x: Any) -> Any:
    s = 0.0
    while s < x:
        checks.check(s < 3, "s is {}", s)
        s = s + 1
    return s


def stored(a: Any, i: Any) -> Any:
    a = a + 0
    a[i] = 1.0
    return a


@gd.custom_jvp
def ruled(x: Any) -> Any:
    checks.check(x > 0, "ruled {}", x)
    return np.sin(x)


@ruled.defjvp
def _rule(primals: Any, tangents: Any) -> Any:
    return ruled(*primals), tangents[0] * 7


USER = [
    (positive, (4.0,), (-4.0,), "7 is -4.0"),
    (scanned, (np.array([1.0, 2.0]),), (np.array([1.0, 5.0, 7.0]),), "5.0 after 1.0"),
    (looped, (3.0,), (1.0,), "body 4.0"),
    (looped, (3.0,), (50.0,), "condition 50.0"),
    (branched, (True, 4.0), (True, -4.0), "7 is -4.0"),
    (branched, (False, -4.0), (np.True_, -1.0), "7 is -1.0"),
    (by_python, (2.0,), (4.0,), "s is 3.0"),
    (gd.checkpoint(positive), (4.0,), (-4.0,), "7 is -4.0"),
    (ruled, (1.0,), (-1.0,), "ruled -1.0"),
    (gd.grad(positive), (4.0,), (-4.0,), "7 is -4.0"),
    (gd.grad(looped), (3.0,), (1.0,), "body 4.0"),
    (gd.vmap(positive), (np.ones(3),), (np.array([1.0, -2.0, -3.0]),), "7 is -2.0"),
    (gd.vmap(looped), (np.array([3.0, 5.0]),), (np.array([3.0, 50.0]),), "condition 50.0"),
    (
        gd.vmap(branched),
        (np.array([True, False]), np.array([4.0, -1.0])),
        (np.array([True, True]), np.array([4.0, -1.0])),
        "7 is -1.0",
    ),
    (
        gd.vmap(branched, in_axes=(0, None)),
        (np.array([False, False]), -1.0),
        (np.array([False, True]), -1.0),
        "7 is -1.0",
    ),
]

AUTOMATIC = [
    (lambda a, i: a[i], "index", (np.arange(3.0), 2), (np.arange(3.0), 3), "position 3 is out"),
    (
        lambda a, i: a[i],
        "index",
        (np.arange(3.0), np.array([0, -3])),
        (np.arange(3.0), np.array([0, 5])),
        "position 5 is out of range along axis 0 of size 3",
    ),
    (
        stored,
        "index",
        (np.arange(3.0), 2),
        (np.arange(3.0), 4),
        "position 4 is out",
    ),
    (lambda a, b: a // b, "div", (1, 2), (1, 0), "division by zero"),
    (lambda a, b: a % b, "div", (1, 2), (1, 0), "division by zero"),
    (lambda a, b: a / b, "div", (np.ones(2), 2.0), (np.ones(2), 0.0), "division by zero"),
    (np.log, "nan", (np.array([np.nan, 1.0]),), (np.array([np.nan, -1.0]),), "log makes NaN"),
    (np.subtract, "nan", (np.inf, 1.0), (np.inf, np.inf), "sub makes NaN"),
    (np.sum, "nan", (np.array([np.inf, np.nan]),), (np.array([np.inf, -np.inf]),), "reduce makes"),
]


def _require_same(found: Any, expected: Any) -> None:
    for a, b in zip(gd.tree.leaves(found), gd.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("f", "good", "bad", "message"), USER)
def test_conditions_of_the_user(f: Callable[..., Any], good: Any, bad: Any, message: str):
    """Checkified, the error is a result; else the call raises it."""
    error, out = checks.checkify(f)(*good)
    assert error.get() is None
    error.throw()
    _require_same(out, gd.stage(f)(*good))
    error, _ = checks.checkify(f)(*bad)
    assert error.get().splitlines()[0] == message
    assert error.get().splitlines()[1].startswith(f"  at {__file__}:")
    for call in (error.throw, lambda: gd.stage(f)(*bad)):
        with pytest.raises(errors.CheckError) as caught:
            call()
        assert str(caught.value) == error.get()


@pytest.mark.parametrize(("f", "kind", "good", "bad", "message"), AUTOMATIC)
def test_automatic_checks(f: Any, kind: str, good: Any, bad: Any, message: str):
    kinds = frozenset({kind})
    assert kinds < checks.automatic_checks
    program = gd.stage(lambda *args: f(*args))
    for chosen in (kinds, checks.all_checks):
        assert checks.checkify(program, chosen)(*bad)[0].get() is not None
    error, _ = checks.checkify(program, kinds)(*bad)
    assert error.get().startswith(message) and f"  at {__file__}:" in error.get()
    error, out = checks.checkify(program, kinds)(*good)
    assert error.get() is None
    _require_same(out, program(*good))
    others = checks.index_checks if kind != "index" else checks.float_checks
    assert checks.checkify(program, others)(*bad)[0].get() is None


def test_the_message_has_the_line_of_the_check():
    line = inspect.getsourcelines(positive)[1] + 1
    assert checks.checkify(positive)(-1.0)[0].get().endswith(f"{__file__}:{line}")


def test_each_example_has_its_own_error():
    error, out = gd.vmap(checks.checkify(looped))(np.array([3.0, 1.0, 50.0]))
    lines = error.get().splitlines()
    assert lines[0] == "at mapped index 1: body 4.0"
    assert lines[2] == "at mapped index 2: condition 50.0"
    np.testing.assert_array_equal(out, [12.0, 16.0, 50.0])
    with pytest.raises(errors.CheckError, match=r"body 4\.0"):
        error.throw()


def test_it_can_be_differentiated():
    f = gd.grad(lambda x: checks.checkify(looped)(x)[::-1], has_aux=True)
    gradient, error = f(1.0)
    assert gradient == 16.0 and error.get().startswith("body 4.0")
    assert gd.grad(lambda x: checks.checkify(ruled)(x)[1])(-1.0) == 7.0


def test_an_error_can_be_checked_in_a_trace():
    def f(x: Any) -> Any:
        error, y = checks.checkify(looped)(x)
        checks.check_error(error)
        return y

    assert checks.checkify(f)(1.0)[0].get().startswith("body 4.0")
    with pytest.raises(errors.CheckError, match=r"body 4\.0"):
        gd.stage(f)(1.0)
    assert gd.stage(f)(3.0) == 12.0


def test_the_first_check_of_all_kinds_wins():
    def f(x: Any, i: Any) -> Any:
        y = 1.0 / x
        return y + np.arange(3.0)[i]

    f_checked = checks.checkify(f, checks.automatic_checks)
    assert f_checked(0.0, 5)[0].get().startswith("division by zero")
    assert f_checked(1.0, 5)[0].get().startswith("position 5")
    assert f_checked(1.0, 2)[0].get() is None


def test_outside_of_a_trace_a_check_is_a_condition():
    checks.check(np.True_, "never")
    with pytest.raises(errors.CheckError, match="x is 3"):
        checks.check(False, "x is {}", 3)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: checks.check(x > np.zeros(2), "bad"), "needs one bool"),
        (lambda x: checks.check(x, "bad"), "needs one bool"),
        (lambda x: checks.check(x > 0, "bad {} {}", x), "not given"),
        (lambda x: checks.checkify(positive, frozenset({"all"}))(x), "no kinds of checks"),
    ],
)
def test_errors(f: Any, message: str):
    with pytest.raises(errors.ArgumentError, match=message):
        gd.stage(f)(1.0)


def test_static_arguments_stay_static():
    f = gd.stage(lambda x, n: positive(x) * len(range(n)), static_argnums=1)
    error, y = checks.checkify(f)(4.0, 3)
    assert error.get() is None and y == 6.0
    assert checks.checkify(f) is checks.checkify(f)
