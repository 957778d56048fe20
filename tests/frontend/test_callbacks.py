"""Python functions that compiled code calls: values, order, transformations, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, lax

NUMBER = gd.ShapeDtypeStruct((), np.float64)


def cube(x: Any) -> Any:
    """The third power, computed in Python."""
    return gd.pure_callback(lambda x: x**3, gd.ShapeDtypeStruct(x.shape, x.dtype), x)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "i4", "i8", "f4", "f8", "c8", "c16"])
def test_arrays_of_every_type_go_there_and_back(dtype: str, shape: tuple[int, ...]):
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    x = x * (1 + 2j) if dtype[0] == "c" else x
    seen: list[np.ndarray] = []

    def look(a: np.ndarray) -> np.ndarray:
        seen.append(a)
        return a[..., None] * np.ones(2, a.dtype)

    result = gd.ShapeDtypeStruct((*shape, 2), x.dtype)
    found = gd.stage(lambda x: gd.pure_callback(look, result, x))(x)
    assert seen[0].dtype == x.dtype
    np.testing.assert_array_equal(seen[0], x)
    np.testing.assert_array_equal(found, look(x))
    assert found.dtype == x.dtype


def test_trees_and_keywords_go_there_and_back():
    def look(pair: Any, *, scale: Any) -> Any:
        return {"sum": pair[0] + pair[1] * scale, "pair": pair}

    types = {"sum": NUMBER, "pair": (NUMBER, NUMBER)}
    f = gd.stage(lambda a, b: gd.pure_callback(look, types, (a, b), scale=2.0))
    assert f(1.0, 3.0) == {"pair": (1.0, 3.0), "sum": 7.0}


def test_outside_of_a_trace_it_is_a_call():
    assert gd.pure_callback(lambda x: x + 1, NUMBER, 2) == 3
    assert gd.io_callback(lambda x: x + 1, NUMBER, 2) == 3


def test_printing_keeps_the_order_of_the_program(capsys: Any):
    def f(x: Any) -> Any:
        gd.debug.print("first {} {y:.1f}", x, y=x * 2)

        def body(i: Any, s: Any) -> Any:
            gd.debug.print("step {}: {}", i, s)
            return s * 2

        result = lax.fori_loop(0, 2, body, x)
        lax.cond(x > 0, lambda: gd.debug.print("positive"), lambda: gd.debug.print("negative"))
        return result

    staged = gd.stage(f)
    for x, word in ((1.0, "positive"), (-1.0, "negative")):
        staged(x)
        expected = [f"first {x} {2 * x:.1f}", f"step 0: {x}", f"step 1: {2 * x}", word]
        assert capsys.readouterr().out.splitlines() == expected


def test_effects_happen_once_under_each_transformation():
    calls: list[float] = []

    def f(x: Any) -> Any:
        gd.debug.callback(lambda v: calls.append(float(v)), x)

        def body(i: Any, s: Any) -> Any:
            gd.debug.callback(lambda v: calls.append(float(v)), s)
            return s * s

        return lax.fori_loop(0, 2, body, x)

    transformed: list[Callable[[], Any]] = [
        lambda: gd.stage(f)(3.0),
        lambda: gd.grad(f)(3.0),
        lambda: gd.jvp(f, (3.0,), (1.0,)),
        lambda: gd.grad(gd.grad(f))(3.0),
        lambda: gd.vjp(f, 3.0)[1](1.0),
    ]
    for call in transformed:
        calls.clear()
        call()
        assert calls == [3.0, 3.0, 9.0]


def test_vmap_calls_for_each_example_in_order():
    calls: list[float] = []

    def f(x: Any) -> Any:
        gd.debug.callback(lambda v: calls.append(float(v)), x)
        return x

    gd.vmap(f)(np.arange(4.0))
    assert calls == [0, 1, 2, 3]


def test_under_a_mask_only_lanes_that_go_on_call():
    calls: list[float] = []

    def f(x: Any) -> Any:
        def body(s: Any) -> Any:
            gd.debug.callback(lambda v: calls.append(float(v)), s)
            return s * 2

        return lax.while_loop(lambda s: s < 5, body, x)

    np.testing.assert_array_equal(gd.vmap(f)(np.array([1.0, 4.0, 9.0])), [8, 8, 9])
    assert sorted(calls) == [1, 2, 4, 4]


@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        (None, [((), ())] * 3),
        ("sequential", [((), ())] * 3),
        ("expand_dims", [((3,), (1,))]),
        ("broadcast_all", [((3,), (3,))]),
    ],
)
def test_vmap_methods(method: str | None, shapes: list[Any]):
    seen: list[Any] = []

    def add(a: Any, b: Any) -> Any:
        seen.append((a.shape, b.shape))
        return a + b

    f = gd.vmap(
        lambda x, y: gd.pure_callback(add, NUMBER, x, y, vmap_method=method), in_axes=(0, None)
    )
    np.testing.assert_array_equal(f(np.arange(3.0), 1.0), [1, 2, 3])
    assert seen == shapes


def test_a_callback_with_a_derivative_of_its_own():
    @gd.custom_jvp
    def f(x: Any) -> Any:
        return cube(x)

    @f.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return f(primals[0]), 3 * primals[0] ** 2 * tangents[0]

    assert gd.grad(f)(2.0) == 12.0
    np.testing.assert_array_equal(gd.vmap(gd.grad(f))(np.array([1.0, 3.0])), [3, 27])


def test_a_pure_callback_that_nothing_needs_is_not_called():
    calls: list[Any] = []

    def f(x: Any) -> Any:
        gd.pure_callback(lambda v: calls.append(v) or v, NUMBER, x)
        return x

    assert gd.stage(f)(1.0) == 1.0
    assert not calls


def test_what_a_callback_raises_is_raised_by_the_call():
    def fail(x: Any) -> Any:
        if x > 2:
            raise KeyError("too large")
        return x

    def body(i: Any, s: Any) -> Any:
        return gd.io_callback(fail, NUMBER, s) + 1

    f = gd.stage(lambda x: lax.fori_loop(0, 100, body, x))
    for _ in range(2):
        with pytest.raises(KeyError, match="too large"):
            f(0.0)
    assert gd.stage(lambda x: lax.fori_loop(0, 2, body, x))(0.0) == 2.0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.float32(1), r"`lambda` returned `result` as f32\[\] instead of f64\[\]"),
        ((1.0, 2.0), "returned .* instead of"),
        (None, "returned .* instead of"),
    ],
)
def test_results_of_another_type_are_named(value: Any, message: str):
    with pytest.raises(errors.CallbackError, match=message) as caught:
        gd.stage(lambda x: gd.pure_callback(lambda x: value, NUMBER, x))(1.0)
    assert "test_callbacks.py" in str(caught.value)


def test_a_derivative_of_what_python_computes_is_refused():
    with pytest.raises(errors.GradatimError, match="custom_jvp") as caught:
        gd.grad(cube)(1.0)
    assert "test_callbacks.py" in str(caught.value)


def test_wrong_arguments():
    with pytest.raises(errors.ArgumentError, match="vmap_method is one of"):
        gd.pure_callback(np.sin, NUMBER, 1.0, vmap_method="all")
    with pytest.raises(errors.ArgumentError, match="names an argument that is not given"):
        gd.debug.print("{} {}", 1.0)


def test_the_interpreter_calls_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADATIM_EXECUTE", "interpreter")
    assert gd.stage(lambda x: cube(x) + 1)(np.float64(2.0)) == 9.0


def test_after_an_error_no_callback_is_called():
    calls: list[Any] = []

    def fail(x: Any) -> None:
        calls.append(float(x))
        if x == 2:
            raise KeyError("two")

    def f(x: Any) -> Any:
        y = lax.fori_loop(0, 10, lambda i, s: gd.debug.callback(fail, s) or s + 1, x)
        gd.io_callback(fail, None, y + 100)
        return gd.pure_callback(lambda y: calls.append("pure") or y, NUMBER, y)

    for transformed in (gd.stage(f), gd.stage(f).compile(0.0)):
        calls.clear()
        with pytest.raises(KeyError, match="two"):
            transformed(0.0)
        assert calls == [0, 1, 2]


def refuse(x: Any) -> Any:
    raise ZeroDivisionError("never")


def waiting_in_the_condition(x: Any) -> Any:
    return lax.while_loop(lambda s: gd.pure_callback(refuse, NUMBER, s) < 1, lambda s: s + 1, x)


def waiting_in_the_body(x: Any) -> Any:
    return lax.while_loop(lambda s: s < 1, lambda s: gd.io_callback(refuse, NUMBER, s), x)


def waiting_behind(x: Any) -> Any:
    step = gd.io_callback(refuse, NUMBER, x)
    return lax.while_loop(lambda s: s < 1, lambda s: s + step, x)


def waiting_in_a_branch(x: Any) -> Any:
    def step(s: Any) -> Any:
        return lax.cond(s < 1, lambda: gd.pure_callback(refuse, NUMBER, s), lambda: s)

    return lax.while_loop(lambda s: s < 1, step, x)


def waiting_on_a_tape(x: Any) -> Any:
    def step(s: Any) -> Any:
        gd.debug.callback(refuse, s)
        return np.sin(s) * s

    return lax.while_loop(lambda s: s < 1, step, x)


@pytest.mark.parametrize(
    "f",
    [
        waiting_in_the_condition,
        waiting_in_the_body,
        waiting_behind,
        waiting_in_a_branch,
        waiting_on_a_tape,
        gd.grad(waiting_on_a_tape),
    ],
)
def test_loops_do_not_wait_for_what_has_raised(f: Any):
    for call in (lambda: gd.stage(f)(0.0), lambda: gd.vmap(f)(np.zeros(3))):
        with pytest.raises(ZeroDivisionError, match="never"):
            call()


def test_an_error_keeps_its_own_traceback():
    f = gd.stage(lambda x: gd.pure_callback(refuse, NUMBER, x))
    for call in (f, f, f.compile(1.0)):
        with pytest.raises(ZeroDivisionError) as caught:
            call(1.0)
        names = [entry.name for entry in caught.traceback]
        assert names[-1] == "refuse"
        assert all(str(entry.path).endswith("test_callbacks.py") for entry in caught.traceback)


def test_compiled_calls_of_python_enter_no_slow_path():
    f = gd.stage(lambda x: cube(x) + 1)
    assert f(2.0) == 9.0
    assert len(f.programs) == 1
    nested = gd.stage(lambda x: gd.pure_callback(lambda x: f(x) + f(x), NUMBER, x))
    assert nested(2.0) == 18.0


def test_callbacks_stay_in_the_thread_of_the_caller():
    import threading

    threads = set()

    def slow(x: Any) -> Any:
        threads.add(threading.get_ident())
        return x

    def f(x: Any) -> Any:
        def step(_: None, a: Any) -> Any:
            return None, np.sin(gd.pure_callback(slow, NUMBER, a.sum()) * a)

        return lax.scan(step, None, x)[1]

    x = np.ones((64, 20000))
    assert gd.stage(f)(x).shape == x.shape
    assert threads == {threading.get_ident()}
