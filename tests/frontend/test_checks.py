"""Checks: programs, arguments that pass, arguments that fail, and what the error says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import checks, errors, lax, random


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
    (lambda a, i: a[i], "index", (np.arange(3.0), 2), (np.arange(3.0), 3), "index 3 is out"),
    (
        lambda a, i: a[i],
        "index",
        (np.arange(3.0), np.array([0, -3])),
        (np.arange(3.0), np.array([0, 5])),
        "index 5 is out of bounds for axis 0 with size 3",
    ),
    (
        stored,
        "index",
        (np.arange(3.0), 2),
        (np.arange(3.0), 4),
        "index 4 is out",
    ),
    (lambda a, b: a // b, "div", (1, 2), (1, 0), "division by zero"),
    (lambda a, b: a % b, "div", (1, 2), (1, 0), "division by zero"),
    (lambda a, b: a / b, "div", (np.ones(2), 2.0), (np.ones(2), 0.0), "division by zero"),
    (np.log, "nan", (np.array([np.nan, 1.0]),), (np.array([np.nan, -1.0]),), "log makes NaN"),
    (np.subtract, "nan", (np.inf, 1.0), (np.inf, np.inf), "sub makes NaN"),
    (np.sum, "nan", (np.array([np.inf, np.nan]),), (np.array([np.inf, -np.inf]),), "reduce makes"),
]


ERRORS = {
    "index": errors.IndexCheckError,
    "div": errors.DivisionCheckError,
    "nan": errors.NanCheckError,
}


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
    checked = gd.stage(program, checks=kinds)
    with pytest.raises(ERRORS[kind]) as caught:
        checked(*bad)
    assert str(caught.value) == checks.checkify(program, kinds)(*bad)[0].get()
    _require_same(checked(*good), out)
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
    assert f_checked(1.0, 5)[0].get().startswith("index 5")
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
        (lambda x: checks.checkify(positive, frozenset({"all"}))(x), "some of .* found .all"),
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


# On plain calls


INDICES = [
    (lambda a, i: a[i], -4, "index -4 is out of bounds for axis 0 with size 3"),
    (lambda a, i: a[i], 3, "index 3 is out of bounds for axis 0 with size 3"),
    (lambda a, i: a[0, i], -6, "index -6 is out of bounds for axis 1 with size 5"),
    (lambda a, i: a[1:, i], np.array([0, -7]), "index -7 is out of bounds for axis 1 with size 5"),
    (lambda a, i: a[i], np.array([[1], [-4]]), "index -4 is out of bounds for axis 0 with size 3"),
    (lambda a, i: a[i], np.array([1, 9], np.uint8), "index 9 is out of bounds"),
    (lambda a, i: np.take(a, i, axis=1), -9, "index -9 is out of bounds for axis 1 with size 5"),
    (lambda a, i: a[i, i], 3, "index 3 is out of bounds for axis 0 with size 3"),
]


@pytest.mark.parametrize(("f", "given", "message"), INDICES)
def test_an_index_is_named_as_it_was_given(f: Any, given: Any, message: str):
    a = np.ones((3, 5))
    checked = gd.stage(lambda a, i: f(a, i), checks=checks.index_checks)
    with pytest.raises(IndexError) as caught:
        checked(a, given)
    assert caught.value.message.startswith(message)
    assert caught.value.where.startswith(__file__)
    np.testing.assert_array_equal(checked(a, given * 0), f(a, given * 0))


def test_what_makes_nan_is_named_with_its_line():
    def f(x: Any) -> Any:
        y = np.sqrt(x)
        return y + 1

    line = inspect.getsourcelines(f)[1] + 1
    with pytest.raises(FloatingPointError, match="sqrt makes NaN of numbers") as caught:
        gd.stage(f, checks=checks.nan_checks)(-1.0)
    assert caught.value.where == f"{__file__}:{line}"


def reciprocal(x: Any) -> Any:
    checks.check(x < 9, "too large")
    return 1 / x


def test_the_option_says_which_checks_are_made():
    for kinds, x, error in [
        (None, 10.0, errors.CheckError),
        (None, 0.0, None),
        (checks.div_checks, 10.0, None),
        (checks.div_checks, 0.0, errors.DivisionCheckError),
        (checks.all_checks, 10.0, errors.CheckError),
        (frozenset(), 10.0, None),
    ]:
        f = gd.stage(reciprocal, checks=kinds)
        for call in (f, gd.stage(reciprocal).compile(x, checks=kinds), gd.jit(f)):
            if error is None:
                call(x)
            else:
                with pytest.raises(error):
                    call(x)
    assert gd.stage(reciprocal, checks=set()) is gd.stage(reciprocal, checks=frozenset())
    with pytest.raises(errors.ArgumentError, match=r"some of .* found 'all'"):
        gd.stage(reciprocal, checks={"all"})


def test_without_the_option_the_code_is_the_same():
    def f(a: Any, i: Any) -> Any:
        return a[i] / a[0]

    plain = gd.stage(f).lower(np.ones(3), 1)
    assert "array.check" not in str(plain.traced)
    assert plain.as_text("llvm") == gd.stage(f, checks=set()).lower(np.ones(3), 1).as_text("llvm")


def test_assertions_are_checks_of_the_user():
    def f(x: Any) -> Any:
        assert x > 0, "positive"
        return x

    assert gd.stage(f, checks=checks.index_checks)(-1.0) == -1.0
    for kinds in (None, checks.all_checks):
        with pytest.raises(AssertionError):
            gd.stage(f, checks=kinds)(-1.0)


def test_what_a_checked_function_calls_is_checked():
    inner = gd.stage(lambda x: 1 / x)
    assert inner(0.0) == np.inf

    @gd.custom_vjp
    def ruled(x: Any) -> Any:
        return 1 / x

    ruled.defvjp(lambda x: (1 / x, x), lambda x, g: (-g / x**2,))

    def scan(x: Any) -> Any:
        return lax.scan(lambda s, v: (s + inner(v), None), 0.0, np.stack([x, x]))[0]

    def cond(x: Any) -> Any:
        return lax.cond(x < 1, lambda: inner(x), lambda: x)

    for f in (inner, gd.checkpoint(inner), ruled, scan, cond, lambda x: gd.vjp(inner, x)[0]):
        checked = gd.stage(lambda x, f=f: f(x) + 1, checks=checks.div_checks)
        for call in (checked, checked.vmap(), checked.grad()):
            x = np.array([2.0, 0.0]) if call is checked.vmap() else 0.0
            with pytest.raises(ZeroDivisionError):
                call(x)
    assert inner(0.0) == np.inf


def test_derivatives_are_checked_too():
    """What is finite may have a derivative that is not."""

    def f(x: Any) -> Any:
        return np.sqrt(x) * x

    g = gd.stage(f, checks=checks.nan_checks)
    assert g(0.0) == 0
    loss = gd.stage(lambda x: g.vmap()(x).sum(), checks=checks.nan_checks)
    for call, x in [
        (g.grad(), 0.0),
        (g.jacfwd(), 0.0),
        (g.grad().vmap(), np.array([1.0, 0.0])),
        (loss.grad(), np.array([1.0, 0.0])),
    ]:
        with pytest.raises(FloatingPointError):
            call(x)
    assert g.grad()(4.0) == 3.0
    assert g.grad().grad()(4.0) == 0.375


def test_a_check_is_made_once():
    g = gd.stage(lambda x: 1 / x, checks=checks.div_checks)
    assert str(g.trace(1.0)).count("array.check") == 1
    assert str(g.vmap().trace(np.ones(2))).count("array.check") == 1
    once = str(g.grad().trace(1.0)).count("array.check")
    assert str(g.grad().vmap().trace(np.ones(2))).count("array.check") == once


def countdown(x: Any) -> Any:
    """A step divides by what is zero once a lane has stopped."""

    def step(s: Any) -> Any:
        n, total = s
        return n - 1, total + x * np.log(n) / n

    return lax.while_loop(lambda s: s[0] > 0, step, (x, 0.0 * x))[1]


def test_lanes_that_have_stopped_are_not_checked():
    x = np.array([1.0, 5.0, 3.0])
    expected = [countdown(v) for v in x]
    for kinds in (checks.float_checks, checks.all_checks):
        f = gd.stage(countdown, checks=kinds)
        np.testing.assert_allclose(f.vmap()(x), expected)
        error, found = checks.checkify(gd.vmap(countdown), kinds)(x)
        assert error.get() is None
        np.testing.assert_allclose(found, expected)
        np.testing.assert_allclose(f.grad().vmap()(x), [gd.grad(countdown)(v) for v in x])
        total = gd.stage(lambda x, f=f: f.vmap()(x).sum(), checks=kinds)
        np.testing.assert_allclose(total.grad()(x), [gd.grad(countdown)(v) for v in x])


def test_a_loop_that_does_not_converge_for_nan_ends():
    def f(x: Any) -> Any:
        return lax.while_loop(lambda s: ~(s < 1), lambda s: np.sqrt(s - 4), x)

    with pytest.raises(FloatingPointError, match="sqrt makes NaN"):
        gd.stage(f, checks=checks.nan_checks)(3.0)


def test_decisions_by_values_and_checks_go_together():
    def f(x: Any, n: Any) -> Any:
        return [np.sqrt, np.log][n](x)

    g = gd.stage(f, checks=checks.nan_checks)
    assert g(4.0, 0) == 2.0 and g(1.0, 1) == 0.0
    for n in (0, 1):
        with pytest.raises(FloatingPointError):
            g(-1.0, n)


def test_in_out_functions_are_checked():
    def f(a: Any, i: Any) -> None:
        a[i] = 1.0

    a = np.zeros(3)
    with pytest.raises(IndexError, match="index -5 is out of bounds"):
        gd.stage(f, inout=0, checks=checks.index_checks)(a, -5)
    np.testing.assert_array_equal(a, 0)


def test_samplers_are_not_checked():
    """What they compute for all elements, and use of some, may be NaN."""
    f = gd.stage(lambda key: random.beta(key, 0.5, 0.5, (50,)), checks=checks.automatic_checks)
    key = random.key(0)
    np.testing.assert_array_equal(f(key), random.beta(key, 0.5, 0.5, (50,)))


def test_the_parts_of_a_derivative_are_checked():
    f = gd.stage(lambda x: np.sqrt(x) * x, checks=checks.nan_checks)
    for make in (gd.vjp, gd.linearize):
        value, linear = make(f, 0.0)
        assert value == 0
        with pytest.raises(FloatingPointError):
            linear(1.0)
