"""Tracing: the user's places, weak scalars, captured arrays, values that outlive their trace."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, NameLoc
from xdsl.dialects.func import FuncOp

import gradatim as gd
from gradatim import errors
from gradatim.ir.locations import file_and_line
from gradatim.ir.types import to_numpy


def ops_of(module: ModuleOp) -> list[Any]:
    first = module.ops.first
    assert isinstance(first, FuncOp)
    return list(first.body.block.ops)


def line_here() -> int:
    return sys._getframe(1).f_lineno  # an assertion would be rewritten, in one more frame


LINES: dict[str, int] = {}


def several_lines(x: Any) -> Any:
    LINES["mul"] = line_here() + 1
    y = x * x
    LINES["sin"] = line_here() + 1
    z = np.sin(y)
    LINES["slice"] = line_here() + 1
    part = z[1:]
    LINES["add"] = line_here() + 2
    total = (
        part + helper(part)
    )  # fmt: skip
    return total


def helper(x: Any) -> Any:
    LINES["exp"] = line_here() + 1
    return np.exp(x)


def test_each_op_carries_the_users_line() -> None:
    module = gd.stage(several_lines).trace(np.ones(4)).module
    found = {op.name: file_and_line(op.location) for op in ops_of(module)}
    for name, line in LINES.items():
        assert found[f"array.{name}"] == (__file__, line), name


def test_location_names_function_and_column() -> None:
    def f(x: Any) -> Any:
        return 1.0 + np.sin(x)

    sin = next(op for op in ops_of(gd.stage(f).trace(1.0).module) if op.name == "array.sin")
    assert isinstance(sin.location, NameLoc)
    assert sin.location.desc.data.endswith("test_location_names_function_and_column.<locals>.f")
    place = sin.location.location
    assert isinstance(place, FileLineColLoc)
    source, first = inspect.getsourcelines(f)
    line = source[place.line.data - first]
    assert line[place.column.data - 1 :].startswith("np.sin(x)")


def test_every_op_has_a_location_after_transformations() -> None:
    module = gd.stage(several_lines).vjp().vmap().trace((np.ones((2, 4)),), np.ones((2, 3))).module
    for op in ops_of(module):
        place = file_and_line(op.location)
        assert place is not None and place[0] == __file__, op


PYTHON = {"i": 2, "f": 2.0, "c": 2j, "b": True}
DTYPES = ["bool", "int8", "int32", "int64", "uint8", "uint64", "float32", "float64", "complex64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", PYTHON.values(), ids=lambda s: type(s).__name__)
def test_python_scalars_promote_as_in_numpy(dtype: str, scalar: Any) -> None:
    array = np.ones(3, dtype)
    expected = (array + scalar).dtype
    constant = gd.stage(lambda x: x + scalar).trace(array)
    argument = gd.stage(lambda x, s: x + s).trace(array, scalar)
    assert constant.out_avals[0].dtype == expected
    assert argument.out_avals[0].dtype == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("other", DTYPES)
def test_numpy_scalars_promote_as_in_numpy(dtype: str, other: str) -> None:
    array, scalar = np.ones(3, dtype), np.dtype(other).type(1)
    traced = gd.stage(lambda x, s: x + s).trace(array, scalar)
    assert traced.out_avals[0].dtype == (array + scalar).dtype


WEAK: list[tuple[str, Callable[[Any], Any]]] = [
    ("operator with a constant", lambda s: s * 2.0 + 1),
    ("negation", lambda s: -s),
    ("power", lambda s: s**2),
    ("two arguments", lambda s: s + s),
]
STRONG: list[tuple[str, Callable[[Any], Any]]] = [
    ("a function of numpy", lambda s: np.sin(s)),
    ("a NumPy scalar", lambda s: s * np.float64(2.0)),
    ("astype", lambda s: s.astype(np.float64)),
]


@pytest.mark.parametrize("f", [f for _, f in WEAK], ids=[name for name, _ in WEAK])
def test_operators_on_python_scalars_stay_weak(f: Callable[[Any], Any]) -> None:
    x = np.ones(2, np.float32)
    assert gd.stage(lambda s: f(s) * x).trace(0.5).out_avals[0].dtype == (f(0.5) * x).dtype
    assert gd.stage(f).trace(0.5).out_avals[0].weak_type


@pytest.mark.parametrize("f", [f for _, f in STRONG], ids=[name for name, _ in STRONG])
def test_functions_of_python_scalars_are_strong(f: Callable[[Any], Any]) -> None:
    x = np.ones(2, np.float32)
    assert gd.stage(lambda s: f(s) * x).trace(0.5).out_avals[0].dtype == np.float64
    assert not gd.stage(f).trace(0.5).out_avals[0].weak_type


def test_small_arrays_become_constants_and_large_ones_captures() -> None:
    small, large = np.arange(128.0), np.arange(129.0)
    traced = gd.stage(lambda x: (x * small, x * large, x + large)).trace(1.0)
    (capture,) = traced.captures
    np.testing.assert_array_equal(capture, large)
    constants = [op for op in ops_of(traced.module) if op.name == "array.constant"]
    assert any(np.array_equal(to_numpy(op.value), small) for op in constants)
    assert len(ops_of(traced.module)[0].parent.args) == 2


def test_captured_arrays_are_snapshots() -> None:
    large = np.zeros(1000)
    f = gd.jit(lambda x: (x + large).max())
    assert f(1.0) == 1.0
    large[:] = 5.0
    assert f(1.0) == 1.0


def test_an_array_changed_while_tracing_is_captured_anew() -> None:
    def f(x: Any) -> Any:
        buffer = np.zeros(1000)
        first = x + buffer
        buffer[0] = 7.0
        return first, x + buffer

    first, second = gd.jit(f)(1.0)
    assert first[0] == 1.0
    assert second[0] == 8.0


def test_read_only_arrays_are_not_copied() -> None:
    large = np.arange(1000.0)
    large.flags.writeable = False
    assert gd.stage(lambda x: x + large).trace(1.0).captures[0] is large


def test_captures_of_all_layouts() -> None:
    base = np.arange(2000.0).reshape(40, 50)
    for array in (base.T, base[::-1, ::2], base.astype(">f8"), np.asfortranarray(base)):
        np.testing.assert_array_equal(gd.jit(lambda x, a=array: x * a)(2.0), 2.0 * array)


def test_a_stored_value_cannot_be_used_later() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * 2)
        return x

    gd.stage(f).trace(1.0)
    line = inspect.getsourcelines(f)[1] + 1
    uses: list[Callable[[Any], Any]] = [
        lambda y: y + 1,
        lambda y: np.sin(y),
        lambda y: y[...],
        lambda y: gd.jit(lambda x: x + y)(1.0),
        lambda y: gd.jit(lambda x: x)(y),
        lambda y: gd.jit(lambda x: y)(1.0),
    ]
    for use in uses:
        with pytest.raises(errors.UnexpectedTracerError, match="while `f` was traced") as caught:
            use(kept[0])
        assert f"made at {__file__}:{line}" in str(caught.value)


def test_a_value_of_a_failed_trace_cannot_be_used_later() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x)
        raise KeyError("user's own")

    with pytest.raises(KeyError, match="user's own"):
        gd.stage(f).trace(1.0)
    with pytest.raises(errors.UnexpectedTracerError):
        kept[0] + 1


def test_arguments_give_names_to_parameters() -> None:
    def f(params: Any, x: Any) -> Any:
        return params["w"] * x + params["b"][0]

    function = gd.stage(f).trace({"w": 1.0, "b": [2.0]}, 3.0).module.ops.first
    assert isinstance(function, FuncOp)
    assert [a.name_hint for a in function.body.block.args] == ["params_b", "params_w", "x"]


INDICES: list[Any] = [
    0, -1, np.int64(1), slice(None), slice(1, 3), slice(None, None, -1), slice(5, 0, -2),
    slice(-2, None), slice(3, 1), slice(0, 100, 3), None, ..., (0, 1), (slice(1, 2), 3),
    (..., 0), (None, ..., None), (0, ..., slice(None, None, 2)), (slice(None), -1, None),
    (1, 2, 3), (slice(None, None, -2), slice(None, None, -1), slice(None, None, 3)), (),
    np.array(1),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_static_indexing_is_numpys(index: Any) -> None:
    x = np.arange(60.0).reshape(3, 4, 5)
    expected = x[index]
    found = gd.jit(lambda x: x[index])(x)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


WRONG_INDICES: list[tuple[Any, str]] = [
    (3, "index 3 is out of bounds for axis 0 with size 3"),
    (-4, "index -4 is out of bounds for axis 0 with size 3"),
    ((0, 4), "index 4 is out of bounds for axis 1 with size 4"),
    ((0, 0, 0), "too many indices for array: array is 2-dimensional, but 3 were indexed"),
    ((..., ...), "single ellipsis"),
    (1.0, "only integers"),
    ("a", "only integers"),
]


@pytest.mark.parametrize(("index", "message"), WRONG_INDICES)
def test_wrong_indices(index: Any, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        gd.stage(lambda x: x[index]).trace(np.ones((3, 4)))
    with pytest.raises(IndexError):
        np.ones((3, 4))[index]


def test_iteration_and_length() -> None:
    x = np.arange(6.0).reshape(3, 2)
    rows = gd.jit(lambda x: [row * len(x) for row in x])(x)
    np.testing.assert_array_equal(rows, x * 3)
    for function in (len, iter):
        with pytest.raises(TypeError, match=r"0-d array|unsized"):
            gd.stage(lambda x, function=function: function(x)).trace(1.0)


def test_attributes_are_numpys() -> None:
    x = np.ones((3, 4), np.float32)
    names = ["shape", "dtype", "ndim", "size", "itemsize", "nbytes", "device"]
    seen: dict[str, Any] = {}
    gd.stage(lambda x: seen.update({name: getattr(x, name) for name in names})).trace(x)
    assert seen == {name: getattr(x, name) for name in names}
