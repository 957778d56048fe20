"""Structured control flow: values, types of carries, closures, running at once, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors, lax

XS = np.array([1.0, 2.0, 4.0])


def inside(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call the function in a trace."""
    return gd.stage(lambda *args: function(*args))


def at_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Call the function as it is."""
    return function


both = pytest.mark.parametrize("called", [inside, at_once])


def equal(found: Any, expected: Any) -> None:
    leaves, structure = gd.tree.flatten(found)
    wanted, expected_structure = gd.tree.flatten(expected)
    assert structure == expected_structure
    for a, b in zip(leaves, wanted):
        assert np.asarray(a).dtype == np.asarray(b).dtype, (found, expected)
        np.testing.assert_allclose(a, b, rtol=1e-14)


# Values


@both
@pytest.mark.parametrize("x", [-1.5, 0.0, 2.5])
def test_cond(called: Any, x: float):
    def f(x: Any) -> Any:
        return lax.cond(x > 0, lambda a, b: (a, {"b": b}), lambda a, b: (b, {"b": a}), x, 2 * x)

    x = np.float64(x)
    equal(called(f)(x), (x, {"b": 2 * x}) if x > 0 else (2 * x, {"b": x}))


@pytest.mark.parametrize("pred", [0, 3, np.int8(-1), 0.0, 2.5, True, np.bool_(False)])
def test_a_number_as_predicate_is_true_unless_it_is_zero(pred: Any):
    f = gd.stage(lambda p, x: lax.cond(p, np.sin, np.cos, x))
    equal(f(pred, 0.5), (np.sin if pred else np.cos)(0.5))


@both
@pytest.mark.parametrize("index", [-3, 0, 1, 2, 9])
def test_switch_clamps(called: Any, index: int):
    def f(index: Any, x: Any) -> Any:
        return lax.switch(index, [lambda x: x, lambda x: 2 * x, lambda x: x - 1], x)

    equal(called(f)(np.int32(index), 1.5), [1.5, 3.0, 0.5][min(max(index, 0), 2)] * np.float64(1))


@both
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_takes_and_stacks_trees(called: Any, reverse: bool):
    def f(xs: Any) -> Any:
        def step(carry: Any, x: Any) -> Any:
            total, _ = carry
            return (total + x["a"], x["b"]), {"before": total, "pair": (x["a"], total * x["b"])}

        init = (np.zeros(2), np.float32(0))
        return lax.scan(step, init, xs, reverse=reverse)

    xs = {"a": np.arange(6.0).reshape(3, 2), "b": np.arange(3, dtype=np.float32)}
    total, last, before, products = np.zeros(2), np.float32(0), np.zeros((3, 2)), np.zeros((3, 2))
    for i in (2, 1, 0) if reverse else (0, 1, 2):
        before[i], products[i] = total, total * xs["b"][i]
        total, last = total + xs["a"][i], xs["b"][i]
    equal(called(f)(xs), ((total, last), {"before": before, "pair": (xs["a"], products)}))


@both
@pytest.mark.parametrize("length", [0, 1, 4])
def test_scan_without_arrays_counts(called: Any, length: int):
    f = called(lambda x: lax.scan(lambda c, _: (c * 2, None), x, None, length=length))
    equal(f(np.float64(1.5)), (np.float64(1.5 * 2**length), None))


@pytest.mark.parametrize("unroll", [1, 2, 3, 5, True])
def test_unrolling_changes_nothing(unroll: Any):
    f = gd.stage(lambda xs: lax.scan(lambda c, x: (c * 0.5 + x, c), 1.0, xs, unroll=unroll))
    plain = gd.stage(lambda xs: lax.scan(lambda c, x: (c * 0.5 + x, c), 1.0, xs))
    equal(f(np.arange(5.0)), plain(np.arange(5.0)))


@both
@pytest.mark.parametrize("lower, upper", [(0, 5), (2, 4), (3, 3), (4, 1), (-2, 2)])
def test_fori_loop(called: Any, lower: int, upper: int):
    f = called(lambda x: lax.fori_loop(lower, upper, lambda i, v: v * 2 + i, x))
    g = gd.stage(lambda a, b, x: lax.fori_loop(a, b, lambda i, v: v * 2 + i, x))
    expected = np.float64(0.5)
    for i in range(lower, upper):
        expected = expected * 2 + i
    equal(f(np.float64(0.5)), expected)
    equal(g(lower, upper, np.float64(0.5)), expected)


@both
def test_while_loop(called: Any):
    def f(n: Any) -> Any:
        return lax.while_loop(
            lambda s: s["n"] != 1,
            lambda s: {
                "n": np.where(s["n"] % 2 == 0, s["n"] // 2, 3 * s["n"] + 1),
                "k": s["k"] + 1,
            },
            {"n": n, "k": 0},
        )

    equal(called(f)(np.int64(6)), {"k": np.int64(8), "n": np.int64(1)})


@both
@pytest.mark.parametrize("batch_size", [None, 1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_map(called: Any, count: int, batch_size: int | None):
    xs = np.arange(2.0 * count).reshape(count, 2)
    f = called(lambda xs: lax.map(lambda x: {"s": x.sum(), "x": x * 2}, xs, batch_size=batch_size))
    equal(f(xs), {"s": xs.sum(axis=1), "x": xs * 2})


@both
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8])
def test_associative_scan(called: Any, count: int, reverse: bool, axis: int):
    x = np.arange(1.0, 1 + 3 * count).reshape((count, 3) if axis == 0 else (3, count)) / 7
    f = called(lambda x: lax.associative_scan(np.add, x, reverse=reverse, axis=axis))
    line = np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)
    np.testing.assert_allclose(f(x), line, rtol=1e-13)


def test_associative_scan_of_matrices():
    ms = np.random.default_rng(0).normal(size=(5, 2, 2))
    found = gd.stage(lambda ms: lax.associative_scan(np.matmul, ms))(ms)
    expected = [ms[0]]
    for m in ms[1:]:
        expected.append(expected[-1] @ m)
    np.testing.assert_allclose(found, np.stack(expected), rtol=1e-12)


# Types


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.int32])
def test_python_scalars_take_the_dtype_that_the_body_gives_them(dtype: Any):
    xs = np.ones(3, dtype)
    last, _ = gd.stage(lambda xs: lax.scan(lambda c, x: (c + x, None), 0, xs))(xs)
    assert last.dtype == dtype
    assert gd.stage(lambda x: lax.fori_loop(0, 2, lambda i, v: v * x, 1))(xs[0]).dtype == dtype


def test_an_int_that_becomes_a_float_is_a_float_from_the_start():
    equal(gd.stage(lambda n: lax.fori_loop(0, n, lambda i, v: v / 2, 8))(3), np.float64(1.0))


def test_the_index_is_as_weak_as_a_python_int():
    f = gd.stage(lambda x: lax.fori_loop(0, 3, lambda i, v: v + i, x))
    assert f(np.float32(1)).dtype == np.float32
    assert f(np.int8(1)).dtype == np.int8


def test_branches_give_python_scalars_the_dtype_of_the_others():
    f = gd.stage(lambda x: lax.cond(x > 0, lambda: x, lambda: 0))
    equal(f(np.float32(-1)), np.float32(0))


# Closures


def test_regions_close_over_traced_values_and_arrays():
    large = np.linspace(0.0, 1.0, 1000)

    def f(x: Any) -> Any:
        y = x * 2

        def step(c: Any, i: Any) -> Any:
            def inner(d: Any, w: Any) -> Any:
                return d + w * y + np.sum(large), None

            return lax.scan(inner, c, XS)[0], None

        return lax.scan(step, x, np.arange(2))[0]

    expected = 0.5 + 2 * (XS.sum() * 1.0 + 3 * large.sum())
    np.testing.assert_allclose(gd.stage(f)(0.5), expected, rtol=1e-12)


def test_what_a_branch_computes_from_values_around_it_is_computed_in_the_branch():
    def f(x: Any) -> Any:
        return lax.cond(x > 0, lambda: np.exp(x), lambda: x)

    text = str(gd.stage(f).trace(1.0).module)
    assert text.index("array.case") < text.index("array.exp")


def test_staged_functions_and_transformations_in_regions():
    square = gd.stage(lambda x: x * x)

    def f(x: Any) -> Any:
        return lax.fori_loop(0, 3, lambda i, v: square(v) + gd.grad(square)(x), x)

    def plain(x: float) -> float:
        v = x
        for _ in range(3):
            v = v * v + 2 * x
        return v

    np.testing.assert_allclose(gd.stage(f)(0.3), plain(0.3), rtol=1e-14)


def test_functions_are_compiled_once_where_they_run_at_once():
    def body(c: Any, x: Any) -> Any:
        traced.append(c)
        return c + x, None

    traced: list[Any] = []
    for _ in range(3):
        assert lax.scan(body, 0.0, XS)[0] == 7.0
    assert len(traced) <= 2  # twice where the carry's type is found by a second look


# Errors


def fails(error: type[Exception], match: str, function: Callable[..., Any], *args: Any) -> None:
    with pytest.raises(error, match=match) as caught:
        gd.stage(function)(*args)
    assert "test_lax.py" in str(caught.value)


@pytest.mark.parametrize(
    ("match", "function"),
    [
        (r"`carry` enters `.*` at .*test_lax.py:\d+ as f64\[\] and leaves it as f64\[3\]",
         lambda x: lax.scan(lambda c, e: (c + XS, e), x, XS)),
        (r"`carry\['a'\]\[1\]` enters .* as f64\[\] and leaves it as c128\[\]",
         lambda x: lax.fori_loop(0, 3, lambda i, v: {"a": (v["a"][0], v["a"][1] * 1j)},
                                 {"a": (x, x)})),
        (r"takes a carry of structure .* and returns",
         lambda x: lax.while_loop(lambda v: v < 3, lambda v: (v, v), x)),
        (r"returns a pair of the next carry and what to stack",
         lambda x: lax.scan(lambda c, e: c, x, XS)),
        (r"the condition of a loop must be one bool, .* returns f64\[\]",
         lambda x: lax.while_loop(lambda v: v, lambda v: v - 1, x)),
        (r"the condition of a loop must be one bool, .* returns bool\[3\]",
         lambda x: lax.while_loop(lambda v: v < XS, lambda v: v - 1, x)),
    ],
)  # fmt: skip
def test_carries_that_change_are_named_with_both_types(match: str, function: Any):
    fails(errors.CarryError, match, function, np.float64(1.0))


@pytest.mark.parametrize(
    ("match", "function"),
    [
        (r"`result` is f64\[3\] from .*, f64\[\] from",
         lambda x: lax.cond(x > 0, lambda: x, lambda: XS)),
        (r"`result\[1\]` is i64\[\] from .*f64\[\] from",
         lambda x: lax.cond(x > 0, lambda: (x, x), lambda: (x, np.int64(1)))),
        (r"must return one structure", lambda x: lax.cond(x > 0, lambda: x, lambda: (x, x))),
        (r"must return one structure",
         lambda x: lax.switch(x.astype(int), [lambda: x, lambda: x, lambda: None])),
    ],
)  # fmt: skip
def test_branches_that_differ_are_named_with_their_types(match: str, function: Any):
    fails(errors.BranchError, match, function, np.float64(1.0))


@pytest.mark.parametrize(
    ("match", "function"),
    [
        ("needs a length", lambda x: lax.scan(lambda c, e: (c, e), x, None)),
        ("needs one length", lambda x: lax.scan(lambda c, e: (c, c), x, XS, length=4)),
        ("needs one length", lambda x: lax.scan(lambda c, e: (c, c), x, (XS, XS[1:]))),
        ("must not be negative", lambda x: lax.scan(lambda c, e: (c, c), x, None, length=-1)),
        ("no dimension to scan over", lambda x: lax.scan(lambda c, e: (c, c), x, x)),
        ("`upper` must be one integer", lambda x: lax.fori_loop(0, x, lambda i, v: v, x)),
        ("`lower` must be one integer", lambda x: lax.fori_loop(0.5, 3, lambda i, v: v, x)),
        ("`pred` must be one number", lambda x: lax.cond(x < XS, lambda: 1, lambda: 2)),
        ("an integer as index", lambda x: lax.switch(x, [lambda: 1, lambda: 2])),
        ("at least one branch", lambda x: lax.switch(0, [])),
        ("batch_size must be positive", lambda x: lax.map(lambda e: e, XS + x, batch_size=0)),
        ("needs a function", lambda x: lax.associative_scan(None, XS + x)),
    ],
)  # fmt: skip
def test_wrong_arguments(match: str, function: Any):
    fails(errors.ArgumentError, match, function, np.float64(1.0))


def test_a_value_that_leaks_from_a_region():
    leaked: list[Any] = []

    def f(x: Any) -> Any:
        lax.fori_loop(0, 3, lambda i, v: leaked.append(v) or v * 2, x)
        return leaked[0] + x

    fails(errors.UnexpectedTracerError, "is used after that ended", f, 1.0)


def test_an_error_in_a_body_leaves_no_trace_open():
    def f(x: Any) -> Any:
        return lax.fori_loop(0, 3, lambda i, v: v.nonsense, x)

    with pytest.raises(AttributeError):
        gd.stage(f)(1.0)
    assert gd.stage(lambda x: x + 1)(1.0) == 2.0
