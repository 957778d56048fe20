"""What Python allows and a traced function must not do, such as leaks and endless recursion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.errors import LeakedTracerError, TracingRecursionError, UnexpectedTracerError

X = np.linspace(0.1, 1.0, 3)
kept: list[Any] = []
kept_globally: Any = None


@pytest.fixture(autouse=True)
def forget() -> None:
    kept.clear()


def line_of(text: str) -> int:
    """Return the number of the line of this file that has a text, and no other."""
    with open(__file__) as source:
        (found,) = [n for n, line in enumerate(source, 1) if line.rstrip().endswith(text)]
    return found


# Leaks


def keep(x: Any) -> Any:
    kept.append(x * 2)  # kept here
    return x


def fresh() -> Callable[[Any], Any]:
    """Return a function that no trace is kept of."""
    return lambda x: keep(x)


LEAKS: list[tuple[str, Callable[[Any], Any], Any]] = [
    ("function", lambda x: gd.jit(fresh())(x), X),
    ("gradient", lambda x: gd.grad(fresh())(x), 1.5),
    ("inner gradient", lambda x: gd.jit(lambda x: gd.grad(fresh())(x) * x)(x), 1.5),
    ("batch", lambda x: gd.vmap(fresh())(x), X),
    ("branch", lambda x: gd.lax.cond(x.sum() > 0, keep, lambda y: y, x), X),
    ("body of a loop", lambda x: gd.lax.fori_loop(0, 3, lambda i, c: keep(c), x), X),
    ("condition of a loop",
     lambda x: gd.lax.while_loop(lambda c: keep(c).sum() < 1, lambda c: c + 1, x), X),
    ("body of a scan", lambda x: gd.lax.scan(lambda c, e: (keep(c), e), x[0], x)[0], X),
]  # fmt: skip
USES: list[tuple[str, Callable[[Any], Any]]] = [
    ("operator", lambda leaked: leaked + 1),
    ("operator of an array", lambda leaked: np.ones(3) * leaked),
    ("function of numpy", np.sin),
    ("argument", lambda leaked: gd.jit(np.sin)(leaked)),
    ("closure", lambda leaked: gd.jit(lambda y: y + leaked)(1.0)),
    ("result", lambda leaked: gd.jit(lambda y: leaked)(1.0)),
    ("operand of a branch",
     lambda leaked: gd.jit(lambda y: gd.lax.cond(y > 0, np.sin, np.cos, leaked))(1.0)),
    ("closure of a branch",
     lambda leaked: gd.jit(lambda y: gd.lax.cond(y > 0, lambda: leaked, lambda: y))(1.0)),
    ("pullback", lambda leaked: gd.vjp(np.sin, leaked)),
]  # fmt: skip


@pytest.mark.parametrize("use", [use[1] for use in USES], ids=[use[0] for use in USES])
@pytest.mark.parametrize(
    ("leak", "argument"), [case[1:] for case in LEAKS], ids=[case[0] for case in LEAKS]
)
def test_a_value_that_outlives_its_function(
    leak: Callable[[Any], Any], argument: Any, use: Callable[[Any], Any]
) -> None:
    gd.stage(lambda x: leak(x)).trace(argument)
    with pytest.raises(UnexpectedTracerError, match="return the value from") as caught:
        use(kept[-1])
    assert f"{__file__}:{line_of('# kept here')} while" in str(caught.value)


def test_a_value_that_outlives_its_region_within_the_function() -> None:
    def f(x: Any) -> Any:
        gd.lax.cond(x > 0, keep, lambda y: y, x)
        return kept[-1] + x

    with pytest.raises(UnexpectedTracerError, match="while `keep` was traced"):
        gd.jit(f)(1.0)


class Holder:
    pass


holder = Holder()


def in_global(x: Any) -> Any:
    global kept_globally
    kept_globally = x + 1
    return x


def in_attribute(x: Any) -> Any:
    holder.value = x + 1  # type: ignore[attr-defined]
    return x


def in_cell() -> Callable[[Any], Any]:
    value = None

    def function(x: Any) -> Any:
        nonlocal value
        value = x + 1
        return x

    function.read = lambda: value  # type: ignore[attr-defined]
    return function


HOLDERS = [
    (keep, "held by an object of type list"),
    (in_global, f"held by a global variable of {__name__}"),
    (in_attribute, "held by an object of type Holder"),
    (in_cell(), "held by a variable of an enclosing function"),
    (lambda x: gd.lax.cond(x > 0, keep, lambda y: y, x), "held by an object of type list"),
    (lambda x: gd.grad(fresh())(x), "outlives the tracing of `lambda`"),
]


@pytest.mark.parametrize(("function", "message"), HOLDERS)
def test_leaks_are_found_at_once_where_they_are_checked(
    function: Callable[[Any], Any], message: str
) -> None:
    with gd.checking_leaks(), pytest.raises(LeakedTracerError, match=message) as caught:
        gd.stage(lambda x: function(x)).trace(1.5)
    assert f"made at {__file__}:" in str(caught.value)
    gd.stage(lambda x: function(x)).trace(1.5)  # outside nobody looks


def test_functions_that_leak_nothing_pass_the_check() -> None:
    def f(x: Any) -> Any:
        table = {"x": x, "parts": [x * i for i in range(3)]}
        result, pullback = gd.vjp(lambda y: np.sin(y) * table["x"], x)
        chosen = gd.lax.cond(x > 0, lambda y: y * x, lambda y: y, x)
        inner = gd.grad(lambda y: gd.lax.fori_loop(0, 2, lambda i, c: c * y, x))
        return result + pullback(1.0)[0] + chosen + table["parts"][1], inner

    with gd.checking_leaks():
        gd.jit(lambda x: f(x)[0]).trace(1.5)
        gd.stage(lambda x: gd.vjp(np.sin, x)).trace(X)
        gd.grad(lambda x: gd.vmap(gd.custom_gradient(lambda y: (y, lambda g: g)))(x).sum()).trace(X)


# Closures


def test_closing_over_values_of_outer_functions() -> None:
    def outer(x: Any) -> Any:
        def middle(y: Any) -> Any:
            def inner(z: Any) -> Any:
                return x * y * z

            return gd.lax.cond(y > 0, gd.grad(inner), inner, 2.0)

        return gd.grad(middle)(x)

    assert gd.stage(outer).eval_shape(3.0).shape == ()


# Recursion


@gd.jit
def endless(n: Any) -> Any:
    return np.where(n < 1, 1, n * endless(n - 1))  # endless here


def plain(n: Any) -> Any:
    return np.where(n < 1, 1, n * plain(n - 1))  # plain here


@gd.jit
def growing(n: Any) -> Any:
    return growing(np.concatenate([n, n[:1]]))  # growing here


@gd.jit
def ping(n: Any) -> Any:
    return pong(n + 1)  # ping here


@gd.jit
def pong(n: Any) -> Any:
    return ping(n + 1)


def branching(n: Any) -> Any:
    return gd.lax.cond(n < 1, lambda: 1.0, lambda: n * branching(n - 1))  # branching here


@pytest.mark.parametrize(
    ("function", "argument"),
    [(endless, 3.0), (plain, 3.0), (growing, X), (ping, 3.0), (branching, 3.0)],
    ids=["staged", "plain", "growing", "mutual", "branching"],
)
def test_recursion_without_end(function: Callable[[Any], Any], argument: Any) -> None:
    with pytest.raises(TracingRecursionError, match="does not end while it is traced") as caught:
        gd.jit(function)(argument)
    name = "ping" if function is ping else function.__name__
    assert f"\n  at {__file__}:" in str(caught.value)
    if function is not ping:
        assert str(caught.value).endswith(f":{line_of(f'# {name} here')}")


def power(x: Any, n: int) -> Any:
    return 1.0 if n == 0 else x * gd.jit(power, static_argnums=1)(x, n - 1)


def halved(x: Any) -> Any:
    """Sum by halves, which shapes end."""
    if x.shape[0] == 1:
        return x[0]
    middle = x.shape[0] // 2
    return gd.jit(halved)(x[:middle]) + gd.jit(halved)(x[middle:])


def counted(x: Any, left: list[int]) -> Any:
    @gd.jit
    def step(x: Any) -> Any:
        left[0] -= 1
        return step(x + 1) if left[0] else x

    return step(x)


def test_recursion_that_ends() -> None:
    assert gd.jit(power, static_argnums=1)(2.0, 20) == 2.0**20
    assert gd.jit(power, static_argnums=1).grad()(2.0, 3) == 12.0
    np.testing.assert_allclose(gd.jit(halved)(np.arange(9.0)), 36.0)
    assert counted(1.0, [10]) == 10.0  # a variable of Python's ends it


def test_errors_of_the_users_are_left_alone() -> None:
    def f(x: Any) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gd.jit(f)(1.0)
    with pytest.raises(errors.TreeError, match="holds itself"):
        endless_list: list[Any] = []
        endless_list.append(endless_list)
        gd.jit(lambda x: x)(endless_list)
