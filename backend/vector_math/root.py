"""sqrt, rsqrt."""

from __future__ import annotations

from .builder import Builder, Value


def sqrt(b: Builder, x: Value) -> Value:
    """The correctly rounded square root."""
    return b.square_root(x)


def rsqrt(b: Builder, x: Value) -> Value:
    """``1 / sqrt(x)``."""
    return 1.0 / b.square_root(x)
