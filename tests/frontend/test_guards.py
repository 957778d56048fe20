"""Decisions that Python takes by the values of a call: guards, paths, and where there are none."""

from __future__ import annotations

import math
import operator
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend.paths import MAXIMUM_PATHS

V = np.array([1.0, -2.0, 3.0])


class Counted:
    """A function that Python runs as it is, and that counts how often."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.runs = 0
        self.function = function

    def __call__(self, *args: Any) -> Any:
        self.runs += 1
        return self.function(*args)


def unconverted(function: Callable[..., Any]) -> tuple[Any, Counted]:
    """Return a function staged as if its source were not at hand, and its counter."""
    counted = Counted(gd.do_not_convert(function))
    return gd.stage(counted, convert=False), counted


def branch(x: Any, y: Any) -> Any:
    return x * y if x > 0 else y - x


def loop(x: Any) -> Any:
    while x < 10:
        x = x * 2
    return x


def logic(x: Any) -> Any:
    return 1.0 * x if (x > 0 and not x > 2) or x < -5 else -1.0 * x


PROGRAMS: list[tuple[str, Callable[..., Any], list[tuple[Any, ...]]]] = [
    ("if", branch, [(2.0, 3.0), (-1.0, 3.0), (0.5, 2.0), (-7.0, 1.0)]),
    ("while", loop, [(3.0,), (20.0,), (4.0,), (9.0,)]),
    ("logic", logic, [(1.0,), (3.0,), (-1.0,), (-6.0,)]),
    ("array condition", lambda x: x if (x > 0).all() else -x, [(V,), (np.abs(V),)]),
    ("int", lambda x: x * int(x), [(2.5,), (3.0,), (2.1,), (-1.5,)]),
    ("float", lambda x: x + 1 / (float(x) + 1e-300), [(2.5,), (0.0,), (-0.0,), (math.nan,)]),
    ("sign of zero", lambda x: math.atan2(x, -1.0) * np.ones(1), [(0.0,), (-0.0,)]),
    ("complex", lambda z: z * complex(z), [(1 + 2j,), (0j,), (complex(-0.0, 1),)]),
    ("round", lambda x: x * round(x), [(2.5,), (3.5,)]),
    ("trunc", lambda x: math.trunc(x) + math.ceil(x) + x, [(2.5,), (-3.5,)]),
    ("index", lambda x, n: [x, 2 * x, 3 * x][n], [(1.0, 0), (1.0, 2), (2.0, 2), (1.0, -1)]),
    ("range", lambda x, n: sum(x for _ in range(n)), [(1.0, 3), (2.0, 3), (2.0, 0)]),
    ("shape", lambda x, n: x + np.ones(operator.index(n)), [(1.0, 3), (2.0, 2)]),
    ("membership", lambda x: 1.0 * (3.0 in x), [(V,), (2 * V,)]),
    ("item", lambda x: x.sum() if x[0].item() > 0 else x.max(), [(V,), (-V,)]),
    ("sorting", lambda x: sorted([x[0], x[1], x[2]])[1], [(V,), (-V,), (V[::-1].copy(),)]),
    ("dictionary", lambda x, n: {0: x, 1: -x}[int(n)], [(1.0, 0), (1.0, 1)]),
    ("small int", lambda x: x if x else x + 1, [(np.int8(0),), (np.int8(5),)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "arguments"), [p[1:] for p in PROGRAMS], ids=[p[0] for p in PROGRAMS]
)
def test_calls_decide_by_values(
    function: Callable[..., Any], arguments: list[tuple[Any, ...]]
) -> None:
    staged, counted = unconverted(function)
    for _ in range(3):
        for values in arguments:
            np.testing.assert_array_equal(staged(*values), function(*values))
    assert counted.runs <= len(arguments)  # the second time, all paths are known


def test_a_path_is_compiled_once() -> None:
    staged, counted = unconverted(branch)
    for x in (1.0, 2.0, -1.0, 3.0, -5.0, 4.0):
        assert staged(x, 3.0) == branch(x, 3.0)
    assert counted.runs == 2
    assert len(staged.programs) == 2


def test_derivatives_decide_by_the_primal() -> None:
    staged, _ = unconverted(branch)
    gradient = staged.value_and_grad((0, 1))
    for x in (2.0, -1.0, 3.0, -2.0):
        value, (dx, dy) = gradient(x, 3.0)
        assert value == branch(x, 3.0)
        assert (dx, dy) == ((3.0, x) if x > 0 else (-1.0, 1.0))
    assert gd.jvp(staged, (-2.0, 1.0), (1.0, 0.0)) == (3.0, -1.0)
    assert staged.grad().grad()(2.0, 3.0) == 0.0
    result, pullback = gd.vjp(staged, 2.0, 3.0)
    assert (result, pullback(1.0)) == (6.0, (3.0, 2.0))


def test_lanes_that_decide_alike() -> None:
    staged, counted = unconverted(branch)
    x, y = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    np.testing.assert_array_equal(staged.vmap()(x, y), x * y)
    np.testing.assert_array_equal(staged.vmap()(-x, y), y + x)
    np.testing.assert_array_equal(staged.vmap((0, None))(2 * x, 2.0), 4 * x)
    np.testing.assert_array_equal(staged.vmap()(3 * x, y), 3 * x * y)
    assert counted.runs == 3
    np.testing.assert_array_equal(staged.grad().vmap()(x, y), y)
    np.testing.assert_array_equal(staged.vmap().vmap()(x[None], y[None]), (x * y)[None])
    nested = staged.vmap((0, None)).vmap((None, 0))
    np.testing.assert_array_equal(nested(-x, y), y[:, None] + x)


def test_lanes_that_decide_otherwise() -> None:
    staged, _ = unconverted(branch)
    with pytest.raises(errors.TracerBoolConversionError, match="under `vmap` it is not the same"):
        staged.vmap()(V, V)
    assert staged.vmap()(np.abs(V), V)[0] == 1.0
    with pytest.raises(errors.TracerBoolConversionError, match="under `vmap` it is not the same"):
        staged.vmap()(V, V)


def test_ahead_of_time_there_are_no_values() -> None:
    staged, _ = unconverted(branch)
    for make in (staged.trace, staged.lower, staged.compile):
        with pytest.raises(errors.TracerBoolConversionError, match="static_argnums"):
            make(1.0, 2.0)


def test_inside_another_function_there_are_no_values() -> None:
    staged, _ = unconverted(branch)
    with pytest.raises(errors.TracerBoolConversionError):
        gd.jit(lambda x: staged(x, 1.0))(2.0)
    with pytest.raises(errors.TracerBoolConversionError):
        gd.jit(lambda x: gd.lax.fori_loop(0, 3, lambda i, c: staged.function(c, 1.0), x))(2.0)


def test_a_value_from_around_decides_inside_a_branch() -> None:
    @gd.do_not_convert
    def scaled(x: Any, positive: Any) -> Any:
        return x if positive else -x

    @gd.jit
    def f(x: Any) -> Any:
        positive = x > 0
        return gd.lax.fori_loop(0, 3, lambda i, c: scaled(c, positive) + 1, x)

    assert (f(1.0), f(-1.0), f(2.0)) == (4.0, 2.0, 5.0)


def test_many_paths_warn() -> None:
    staged, counted = unconverted(lambda x: x * float(x))
    for n in range(MAXIMUM_PATHS):
        assert staged(float(n)) == n * n
    line = staged.function.function.__code__.co_firstlineno
    with pytest.warns(errors.PathsWarning, match=r"`float\(\)`.*static_argnums") as caught:
        assert staged(100.0) == 10_000
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in range(2 * MAXIMUM_PATHS):
            assert staged(float(n)) == n * n
    assert counted.runs > MAXIMUM_PATHS


def test_a_decision_at_the_edge_of_rounding_is_answered() -> None:
    # Compiled code may round otherwise than NumPy, by whose result the decision was taken.
    values = np.linspace(0.1, 3.0, 101)
    staged, _ = unconverted(lambda x: x if np.sin(x) * np.exp(x) == np.float64(limit) else -x)
    for x in values[::10]:
        limit = np.sin(x) * np.exp(x)
        assert abs(gd.stage(staged.function.function, convert=False)(x)) == x


def test_assertions_hold_by_values() -> None:
    def checked(x: Any) -> Any:
        assert x > 0, "not positive"
        return np.sqrt(x)

    staged = gd.jit(checked)
    assert staged(4.0) == 2.0
    with pytest.raises(AssertionError, match="not positive"):
        staged(-1.0)
    assert staged(9.0) == 3.0


def test_raising_under_a_traced_condition() -> None:
    def checked(x: Any) -> Any:
        if np.any(x < 0):
            raise ValueError(f"negative: {x.shape}")
        return np.sqrt(x)

    staged = gd.jit(checked)
    np.testing.assert_array_equal(staged(np.abs(V)), np.sqrt(np.abs(V)))
    with pytest.raises(ValueError, match=r"negative: \(3,\)"):
        staged(V)
    np.testing.assert_array_equal(staged(4 * np.abs(V)), 2 * np.sqrt(np.abs(V)))
    with pytest.raises(errors.TracerBoolConversionError):
        staged.trace(V)


def test_structures_of_arguments_have_paths_of_their_own() -> None:
    staged, counted = unconverted(lambda p: p["a"] if p["a"].sum() > 0 else -p["a"])
    for value in (1.0, -1.0, V, -V, np.float32(2), np.float32(-2)):
        np.testing.assert_array_equal(staged({"a": value}), np.abs(1) * staged({"a": value}))
    assert counted.runs == 6


def test_from_several_threads() -> None:
    staged, _ = unconverted(branch)
    found: dict[int, list[Any]] = {}

    def work(number: int) -> None:
        found[number] = [staged(float(x), 2.0) for x in range(-20, 20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [branch(float(x), 2.0) for x in range(-20, 20)]
    assert all(results == expected for results in found.values())


def test_stores_in_ordinary_arrays_are_not_decided_by_values() -> None:
    plain = np.zeros(3)

    def store(x: Any) -> Any:
        plain[0] = x
        return plain

    with pytest.raises(errors.TracerMutationError):
        gd.stage(store, convert=False)(1.0)


def test_closing_over_a_traced_value() -> None:
    @gd.jit
    def outer(x: Any) -> Any:
        inner = gd.stage(gd.do_not_convert(lambda y: y if x > 0 else -y), convert=False)
        return inner(x)

    with pytest.raises(errors.TracerBoolConversionError):
        outer(1.0)


def test_effects_happen_only_on_the_path_that_is_taken() -> None:
    seen: list[float] = []

    def note(x: Any) -> None:
        seen.append(float(x))

    inner = gd.stage(lambda x: (gd.debug.callback(note, 10 * x), 2 * x)[1])

    def program(x: Any, n: Any) -> Any:
        gd.debug.callback(note, x)
        y = inner(x)
        if y > 0:
            gd.checks.check(n < 5, "{} is too much", n)
            return y * n
        gd.debug.callback(note, -x)
        return y - n

    staged, _ = unconverted(program)
    for _ in range(2):
        for x, n, effects in [(1.0, 2, [1.0, 10.0]), (-1.0, 20, [-1.0, -10.0, 1.0])]:
            assert staged(x, n) == (2 * x * n if x > 0 else 2 * x - n)
            assert seen == effects
            seen.clear()
    with pytest.raises(errors.CheckError, match="20 is too much"):
        staged(1.0, 20)
    seen.clear()
    assert staged(-1.0, 20) == -22
    np.testing.assert_array_equal(staged.vmap((0, None))(V**2, 2), 4 * V**2)
    assert staged.grad()(-1.0, 20) == 2


def test_what_effects_give_decides_nothing_while_tracing() -> None:
    calls: list[Any] = []

    def doubled(x: Any) -> Any:
        calls.append(x)
        return 2 * x

    def decided(callback: Any) -> Any:
        def program(x: Any) -> Any:
            return x if callback(doubled, gd.ShapeDtypeStruct((), np.float64), x) > 0 else -x

        return gd.stage(program, convert=False)

    pure = decided(gd.pure_callback)
    assert [pure(x) for x in (1.0, -2.0, 3.0)] == [1, 2, 3]
    calls.clear()
    with pytest.raises(errors.TracerBoolConversionError):
        decided(gd.io_callback)(1.0)
    assert not calls
