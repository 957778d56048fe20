"""Convolution and correlation of sequences, made of one op: `array.convolution`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.array.window import Window
from ..tracer import Tracer
from .manipulation import reshaped, reversed_along
from .operands import converted, shape_error, traced_arrays, xp
from .promotion import BOOL, INT64
from .registry import implements


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Tracer:
    """Slide v, reversed, along a, or the shorter of them along the longer."""
    x, y = traced_arrays(a, v)[1]
    x, y = (reshaped(z, (1,)) if z.ndim == 0 else z for z in (x, y))
    _require_sequences("convolve", x, y)
    longer, shorter = (x, y) if x.size >= y.size else (y, x)
    return _slid(longer, reversed_along(shorter, [0]), mode)


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Tracer:
    """Slide v, conjugated, along a; if it is the longer one, a along v, from the other end."""
    x, y = traced_arrays(a, v)[1]
    _require_sequences("correlate", x, y)
    y = xp.conj(y) if y.dtype.kind == "c" else y
    return _slid(x, y, mode) if x.size >= y.size else reversed_along(_slid(y, x, mode), [0])


def _require_sequences(name: str, x: Tracer, y: Tracer) -> None:
    if x.ndim != 1 or y.ndim != 1 or 0 in (x.size, y.size):
        raise shape_error(f"`numpy.{name}` needs one-dimensional arrays with elements", [x, y])


def _slid(x: Tracer, y: Tracer, mode: str) -> Tracer:
    """Sum the products of y and what it sees of x; of bools tell whether any pair is true."""
    edges = {"valid": (0, 0), "same": (y.size // 2, (y.size - 1) // 2), "full": (y.size - 1,) * 2}
    if mode not in edges:
        raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")
    low, high = edges[mode]
    dtype = np.result_type(x.dtype, y.dtype)
    builder = x.trace.builder
    values = [builder.convert(z.value, INT64 if dtype == BOOL else dtype) for z in (x, y)]
    sequence = builder.reshape(values[0], (1, x.size, 1))
    kernel = builder.reshape(values[1], (y.size, 1, 1))
    slid = builder.convolution(sequence, kernel, [Window(y.size, 1, 1, low, high)])
    sums = builder.reshape(slid, (x.size + low + high - y.size + 1,))
    return converted(x.trace.tracer(sums), dtype)
