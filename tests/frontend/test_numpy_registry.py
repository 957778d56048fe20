"""The table of functions: its doors, arguments, refusals, and the document made of it."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import gradatim.frontend.numpy as gnp
from gradatim.frontend.dispatch import FUNCTIONS, UFUNCS
from gradatim.frontend.errors import ShapeError, UnsupportedError
from gradatim.frontend.numpy.coverage import coverage
from gradatim.frontend.numpy.registry import REFUSED, qualified
from gradatim.frontend.tracer import Tracer
from gradatim.frontend.tracing import Trace
from gradatim.ir.types import tensor_type

from .numpy_harness import assert_same, run_traced

SUPPORTED = [f for f in FUNCTIONS if f not in REFUSED]


def traced(shape: tuple[int, ...] = (3,), dtype: str = "f8") -> Tracer:
    trace = Trace("f", [tensor_type(shape, np.dtype(dtype))])
    return trace.tracer(trace.parameters[0])


def ops_of(program) -> list[str]:
    x = traced((2, 3))
    program(x)
    return [op.name for op in x.trace.builder.block.ops]


@pytest.mark.parametrize("function", SUPPORTED, ids=qualified)
def test_parameters_are_numpys(function):
    """Names and order agree with NumPy's signature; what is left out can only be a keyword."""
    ours = inspect.signature(FUNCTIONS[function].__wrapped__).parameters
    theirs = inspect.signature(function).parameters
    variadic = {n for n, p in ours.items() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    if {p.kind for p in theirs.values()} & {inspect.Parameter.VAR_KEYWORD}:
        return  # such as `dtype` of einsum
    if variadic & {n for n, p in ours.items() if p.kind is p.VAR_POSITIONAL}:
        assert any(p.kind is p.VAR_POSITIONAL for p in theirs.values())
        return
    assert set(ours) - variadic <= set(theirs)
    positional = [n for n, p in ours.items() if p.kind is not p.KEYWORD_ONLY and n not in variadic]
    assert positional == list(theirs)[: len(positional)]


@pytest.mark.parametrize(
    "doors",
    [
        (np.sin, gnp.sin),
        (np.sum, gnp.sum, Tracer.sum, np.add.reduce and (lambda x: np.add.reduce(x, axis=None))),
        (np.transpose, gnp.transpose, Tracer.transpose, lambda x: x.T),
        (
            lambda x: np.multiply(x, 2),
            lambda x: x * 2,
            lambda x: 2 * x,
            lambda x: gnp.multiply(x, 2),
        ),
        (lambda x: np.power(x, 3), lambda x: x**3, lambda x: gnp.pow(x, 3)),
        (lambda x: np.add.outer(x, x), lambda x: x.reshape(2, 3, 1, 1) + x),
        (np.linalg.norm, gnp.linalg.norm),
    ],
)
def test_all_doors_lead_to_one_implementation(doors):
    first, *others = map(ops_of, doors)
    assert first
    assert all(other == first for other in others)


def test_untraced_arguments_are_computed_at_once():
    x = np.arange(6.0).reshape(2, 3)
    for found, expected in [
        (gnp.sin(x), np.sin(x)),
        (gnp.sum(x, axis=0, out=np.empty(3)), np.sum(x, axis=0)),
        (gnp.add(x, 1, out=np.empty((2, 3))), x + 1),
        (gnp.zeros((2, 2)), np.zeros((2, 2))),
        (gnp.array([[1, 2.5]]), np.array([[1, 2.5]])),
        (gnp.linalg.inv(np.eye(2)), np.eye(2)),
        (gnp.sort(x[:, ::-1]), x),
    ]:
        assert type(found) is np.ndarray
        assert_same(found, expected, ulps=0)


def test_the_namespace_has_numpys_names():
    assert gnp.pi == np.pi and gnp.newaxis is None and gnp.float32 is np.float32
    assert set(dir(gnp)) == {*np.__all__, "at"}
    assert gnp.concat is gnp.concatenate
    with pytest.raises(AttributeError, match="no attribute 'sinn'"):
        _ = gnp.sinn
    with pytest.raises(AttributeError, match="_core"):
        _ = gnp._core


def test_the_namespace_can_be_imported_under_its_public_name():
    public, linalg = map(import_module, ("gradatim.numpy", "gradatim.numpy.linalg"))
    assert public is gnp and linalg is gnp.linalg
    assert set(dir(linalg)) == set(np.linalg.__all__)
    assert linalg.norm is FUNCTIONS[np.linalg.norm] and linalg.LinAlgError is np.linalg.LinAlgError


def test_traced_values_name_their_namespace():
    namespace = traced().__array_namespace__()
    assert namespace is gnp
    info = namespace.__array_namespace_info__()
    assert info.capabilities()["data-dependent shapes"] is False
    assert info.default_device() == "cpu" and info.devices() == ["cpu"]
    assert info.default_dtypes()["real floating"] == np.float64
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}


def test_arguments_at_their_default_are_accepted():
    x = traced((2, 3))
    for program in (
        lambda: np.sum(x, 0, None, None),
        lambda: np.reshape(x, (3, 2), order="C", copy=None),
        lambda: np.zeros_like(x, subok=False, order="K", device="cpu"),
        lambda: np.concatenate([x, x], casting="same_kind"),
        lambda: np.sin(x, where=True, casting="same_kind", order="K"),
        lambda: x.astype("f4", copy=False),
    ):
        assert isinstance(program(), Tracer)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda x: np.zeros_like(x, order="F"), r"`numpy\.zeros_like` does not take `order=`"),
        (lambda x: np.concatenate([x], casting="no"), "does not take `casting=`"),
        (lambda x: np.nanmax(x, initial=3), r"`numpy\.nanmax` does not take `initial=`"),
        (lambda x: np.where(x > 0), "shape depends on values; give both choices"),
        (lambda x: np.linalg.norm(x, 2), "singular values"),
        (lambda x: np.linalg.matrix_power(x[:, :2], -1), "inverse"),
        (lambda x: np.pad(x, 1, "mean"), "mode='mean'"),
        (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), "even type"),
        (lambda x: np.real_if_close(x * 1j), r"use `np\.real`"),
        (lambda x: np.linalg.inv(x), "decompositions are not supported"),
        (lambda x: np.fft.fftn(x), "Fourier transforms are not supported"),
        (lambda x: gnp.repeat(np.ones(3), x[0, 0]), "must be known while tracing"),
        (lambda x: np.geomspace(x, 2.0), "does not take traced values"),
    ],
)
def test_what_is_not_supported_is_named(program, message):
    with pytest.raises(UnsupportedError, match=message) as caught:
        program(traced((2, 3)))
    assert "test_numpy_registry.py" in (caught.value.where or "")


def test_unknown_arguments_are_type_errors():
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        np.sum(traced(), axes=0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        gnp.sum(traced(), axes=0)


@pytest.mark.parametrize("function", REFUSED, ids=qualified)
def test_refused_functions_say_why(function):
    with pytest.raises(UnsupportedError) as caught:
        FUNCTIONS[function](traced())
    assert REFUSED[function] in str(caught.value)
    assert qualified(function) in str(caught.value)


def test_lists_of_traced_values_are_joined():
    def program(x, y):
        return gnp.array([[x, 1.0], [y, x * y]]), gnp.sum([x, y, 2]), gnp.add([x, y], [1, 2])

    found = run_traced(program, [np.float32(2), np.float32(3)])
    expected = (
        np.array([[2, 1.0], [3, 6]], np.float64),
        np.float64(7),
        np.array([3, 5], np.float64),
    )
    assert_same(found[0], expected[0], ulps=0)
    assert found[1] == expected[1]
    assert_same(found[2], expected[2], ulps=0)


def test_ragged_lists_are_shape_errors():
    with pytest.raises(ShapeError, match=r"f64\[3\], f64\[2\]"):
        x = traced()
        gnp.array([x, x[:2]])


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
def test_what_does_not_slide_is_refused(function):
    with pytest.raises(ShapeError, match=r"one-dimensional arrays .*: f64\[2,3\], f64\[3\]"):
        function(traced((2, 3)), np.ones(3))
    with pytest.raises(ShapeError, match=r"with elements: f64\[3\], f64\[0\]"):
        function(traced(), np.ones(0))
    with pytest.raises(ValueError, match=r"mode must be one of .* \(got 'all'\)"):
        function(traced(), np.ones(3), "all")


def test_large_arrays_beside_traced_values_become_captures():
    x, weights = traced((200,)), np.arange(200.0)
    np.dot(x, weights) + np.sum(x * weights)
    assert len(x.trace.captures) == 1


def test_tables_hold_no_function_twice():
    assert not set(FUNCTIONS) & set(UFUNCS)


def test_the_document_is_up_to_date():
    document = Path(__file__).parents[2] / "docs" / "numpy-coverage.md"
    assert document.read_text() == coverage(), (
        "run `python -m gradatim.frontend.numpy.coverage > docs/numpy-coverage.md`"
    )
