"""Runs a NumPy program on traced values through the reference interpreter, and compares."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import gradatim.frontend.numpy  # noqa: F401  fills the tables of dispatch
from gradatim.frontend.errors import DtypeError
from gradatim.frontend.tracer import Tracer
from gradatim.frontend.tracing import Trace
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.types import ELEMENT_TYPES, tensor_type

__all__ = ["assert_same", "compare", "eager", "run_traced", "samples"]

BOOL, I8, I32, I64, U8, U64, F32, F64, C64, C128 = (
    np.dtype(name) for name in ("?", "i1", "i4", "i8", "u1", "u8", "f4", "f8", "c8", "c16")
)
REAL_DTYPES = (BOOL, I8, I32, I64, U8, U64, F32, F64)
ALL_DTYPES = (*REAL_DTYPES, C64, C128)
assert set(ALL_DTYPES) <= set(ELEMENT_TYPES)


def run_traced(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Trace ``function`` on arguments of these types, verify the IR, and interpret it.

    NumPy arrays and NumPy scalars are traced; Python scalars are weak arguments.
    """
    arrays = [np.asarray(a) for a in arguments]
    trace = Trace("f", [tensor_type(a.shape, a.dtype) for a in arrays])
    tracers = [
        trace.tracer(value, weak=type(a) in (bool, int, float, complex))
        for value, a in zip(trace.parameters, arguments, strict=True)
    ]
    result = function(*tracers)
    several = isinstance(result, (tuple, list))
    traced = [trace.lift(part) for part in (result if several else [result])]
    assert all(isinstance(part, Tracer) for part in traced)
    module = ModuleOp([trace.finish([part.value for part in traced])])
    module.verify()
    captures = [np.asarray(a) for a in trace.captures]
    values = Interpreter(module).call("f", *captures, *arrays)
    return tuple(values) if several else values[0]


def eager(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Run ``function`` on the arguments themselves, without NumPy's warnings."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


def assert_same(
    found: Any, expected: Any, ulps: int = 4, label: str = "", sums: bool = False
) -> None:
    """Require equal dtypes, shapes and values; inexact ones within ``ulps``.

    Where results are ``sums`` in another order, terms may cancel: their error is measured against
    the largest result.
    """
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected), label
        for f, e in zip(found, expected, strict=True):
            assert_same(f, e, ulps, label, sums)
        return
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype, f"{label}: {found.dtype}, not {expected.dtype}"
    assert found.shape == expected.shape, f"{label}: {found.shape}, not {expected.shape}"
    if expected.dtype.kind == "c":
        ulps = max(ulps, 4)  # complex division and powers have no one rounding
    if expected.dtype.kind not in "fc" or ulps == 0:
        np.testing.assert_array_equal(found, expected, err_msg=label)
        return
    rtol = ulps * np.finfo(expected.dtype).eps
    finite = np.abs(expected[np.isfinite(expected)])
    atol = rtol * finite.max() if sums and finite.size else 0
    np.testing.assert_allclose(found, expected, rtol, atol, equal_nan=True, err_msg=label)


def compare(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    ulps: int = 4,
    label: str = "",
    sums: bool = False,
) -> None:
    """Require that tracing ``function`` gives what NumPy gives, or refuses with a like error.

    Where NumPy's result has a dtype that is not supported (float16), DtypeError is required.
    """
    try:
        expected = eager(function, arguments)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        kinds = (TypeError, IndexError, OverflowError, ValueError)
        kind = next(k for k in kinds if isinstance(error, k))
        try:
            found = run_traced(function, arguments)
        except kind:
            return
        raise AssertionError(f"{label}: NumPy raises {error!r}, found {found}") from error
    parts = expected if isinstance(expected, (tuple, list)) else [expected]
    if any(np.asarray(part).dtype not in ELEMENT_TYPES for part in parts):
        with pytest.raises(DtypeError, match="not supported"):
            run_traced(function, arguments)
        return
    with np.errstate(all="ignore"):
        assert_same(run_traced(function, arguments), expected, ulps, label, sums)


def samples(dtype: np.dtype, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return reproducible values: small numbers of both signs, zeros, no special ones."""
    generator = np.random.default_rng(seed)
    size = int(np.prod(shape))
    if dtype.kind == "b":
        return (generator.random(size) < 0.5).reshape(shape)
    if dtype.kind in "iu":
        low = -5 if dtype.kind == "i" else 0
        return generator.integers(low, 6, size).astype(dtype).reshape(shape)
    values = generator.normal(size=size) * 2
    if dtype.kind == "c":
        values = values + 1j * generator.normal(size=size)
    return values.astype(dtype).reshape(shape)
