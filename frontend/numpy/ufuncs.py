"""Universal functions of traced values: promotion, broadcasting, then the rule of the loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from xdsl.ir import SSAValue

from ..dispatch import UFUNCS
from ..stores import require_castable, stored_result
from ..tracer import Tracer
from ..tracing import PYTHON_SCALARS, Operand, Trace
from ..views import detached
from .operands import broadcast_shape, is_one_of, is_traced, lifted, prepared, unsupported, xp
from .promotion import BOOL, loop_dtypes, promotion_key
from .ufunc_rules import RULES
from .ufunc_rules.arithmetic import constant_power

_DEFAULTS: Final[dict[str, Any]] = {
    "casting": "same_kind",
    "order": "K",
    "subok": True,
    "signature": None,
}
"""Keyword arguments of ufuncs that traced values accept at their default value only."""

_COMPARISONS: Final = (
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
)

LARGEST_MULTIPLIED_POWER: Final = 16
"""Up to this exponent a float is raised to an integer power by multiplication, not by ``pow``."""

Traced = Tracer | tuple[Tracer, ...]


def elementwise(ufunc: np.ufunc, *operands: Any, dtype: Any = None) -> Any:
    """Apply a ufunc to operands of which at least one is traced.

    Returns:
        A traced array, or a tuple of them if the ufunc has several outputs.

    Raises:
        TypeError: if the ufunc takes no operands of such dtypes, as NumPy does.
        DtypeError: if the result's dtype is not supported.
        ShapeError: if the operands cannot be broadcast together.
    """
    trace, found = lifted(*operands)
    return _apply(ufunc, trace, found, dtype)


def _apply(ufunc: np.ufunc, trace: Trace, operands: list[Operand], dtype: Any) -> Traced:
    dtypes = _loop(ufunc, operands, dtype)
    shape = broadcast_shape(operands)
    builder = trace.builder
    values = [prepared(builder, x, d, shape) for x, d in zip(operands, dtypes, strict=False)]
    result = RULES[ufunc](builder, *values)
    if isinstance(result, SSAValue):
        return trace.tracer(result)
    return tuple(map(trace.tracer, result))


def _loop(ufunc: np.ufunc, operands: list[Operand], dtype: Any) -> tuple[np.dtype, ...]:
    keys = tuple([promotion_key(x) for x in operands])
    return loop_dtypes(ufunc, keys, None if dtype is None else np.dtype(dtype))


def _compare(ufunc: np.ufunc, *operands: Any, dtype: Any = None) -> Any:
    """Compare; a Python int beyond the other operand's range is above or below all of it."""
    trace, found = lifted(*operands)
    for scalar, other in (found, found[::-1]):
        if type(scalar) is int and isinstance(other, Tracer) and _exceeds(scalar, other):
            outcome = ufunc(*[x if type(x) is int else 0 for x in found])
            return trace.tracer(trace.builder.full(other.shape, BOOL, outcome))
    return _apply(ufunc, trace, found, dtype)


def _exceeds(scalar: int, x: Tracer) -> bool:
    if x.dtype.kind not in "iu":
        return False
    limits = np.iinfo(x.dtype)
    return not limits.min <= scalar <= limits.max


def _power(ufunc: np.ufunc, x: Any, y: Any, *, dtype: Any = None) -> Any:
    """Raise to a power; exponents known while tracing become products, roots and reciprocals."""
    exponent = _known_scalar(y)
    if exponent is None or not isinstance(x, Tracer):
        return elementwise(ufunc, x, y, dtype=dtype)
    trace, found = lifted(x, y)
    base_dtype = _loop(ufunc, found, dtype)[0]
    base = prepared(trace.builder, found[0], base_dtype, x.shape)
    result = _known_power(trace, base, base_dtype, exponent)
    return elementwise(ufunc, x, y, dtype=dtype) if result is None else trace.tracer(result)


def _known_power(trace: Trace, x: SSAValue, dtype: np.dtype, exponent: Any) -> SSAValue | None:
    """Return x to a known power without ``pow``, or None where that is not possible.

    As ``x ** 0.5`` in NumPy, square roots ignore C99's special cases of ``pow`` for negative zero
    and negative infinity.
    """
    if dtype.kind in "iu":
        if dtype.type(exponent) < 0:  # which may overflow
            raise ValueError("Integers to negative integer powers are not allowed.")
        return constant_power(trace.builder, x, int(exponent))
    if exponent in (0.5, -0.5):
        return trace.builder.sqrt(x) if exponent > 0 else trace.builder.rsqrt(x)
    whole = exponent == exponent // 1 if not isinstance(exponent, complex) else False
    if not whole or abs(exponent) > LARGEST_MULTIPLIED_POWER:
        return None
    return constant_power(trace.builder, x, int(exponent))


def _known_scalar(x: Any) -> Any:
    """Return the number of a Python scalar or of a 0-d array that is not traced, else None."""
    if isinstance(x, (np.ndarray, np.generic)) and x.ndim == 0 and x.dtype.kind in "iufc":
        return x.item()
    return x if type(x) in (int, float, complex) else None


def _implementation_of(ufunc: np.ufunc) -> Callable[..., Any]:
    if ufunc in _COMPARISONS:
        return partial(_compare, ufunc)
    return partial(_power if ufunc in (np.power, np.float_power) else elementwise, ufunc)


def register_ufunc(ufunc: np.ufunc, implementation: Callable[..., Any]) -> None:
    """Make ``implementation`` what the ufunc does to traced values.

    The function in `dispatch.UFUNCS` takes what NumPy's takes, checks the keyword arguments, and
    computes by NumPy itself if no operand is traced.
    """

    def function(*operands: Any, out: Any = None, where: Any = True, **kwargs: Any) -> Any:
        if out is not None or where is not True or len(operands) > ufunc.nin:
            return _stored(ufunc, implementation, operands, out, where, kwargs)
        if not is_traced(operands):
            return ufunc(*operands, **kwargs)
        if kwargs:
            kwargs = _supported(ufunc, kwargs)
        if len(operands) != ufunc.nin:
            raise TypeError(
                f"{ufunc.__name__}() takes {ufunc.nin} operands, {len(operands)} were given"
            )
        result = implementation(*operands, **kwargs)
        return result if type(result) is Tracer and result._view is None else detached(result)

    function.__name__ = function.__qualname__ = ufunc.__name__
    function.__doc__ = f"As ``numpy.{ufunc.__name__}``, of traced values too."
    UFUNCS[ufunc] = function


def _stored(
    ufunc: np.ufunc,
    implementation: Callable[..., Any],
    operands: tuple[Any, ...],
    out: Any,
    where: Any,
    kwargs: dict[str, Any],
) -> Any:
    """Compute where ``where`` holds, and store in the outputs that are given."""
    if len(operands) > ufunc.nin:
        if out is not None or len(operands) > ufunc.nargs:
            raise TypeError(f"{ufunc.__name__}() got more operands than it has")
        operands, out = operands[: ufunc.nin], operands[ufunc.nin :]
    outputs: tuple[Any, ...] = out if type(out) is tuple else (out,)
    outputs += (None,) * (ufunc.nout - len(outputs))
    if not is_traced((*operands, *outputs, where)):
        return ufunc(*operands, out=out, where=where, **kwargs)
    casting = kwargs.pop("casting", "same_kind")
    compute = partial(implementation if is_traced(operands) else ufunc, **_supported(ufunc, kwargs))
    results = _where_wanted(ufunc, compute, operands, where)
    name = f"numpy.{ufunc.__name__}"
    for x, target in zip(results, outputs):
        if target is not None:
            require_castable(np.result_type(x), target.dtype, name, casting)
    merged = [_merged(x, target, where) for x, target in zip(results, outputs)]
    stored = [
        x if target is None else stored_result(target, x, name, casting)
        for x, target in zip(merged, outputs)
    ]
    return stored[0] if ufunc.nout == 1 else tuple(stored)


_DEFINED_AT: Final[dict[np.ufunc, float]] = {
    np.arccos: 0.0,
    np.arccosh: 2.0,
    np.arcsin: 0.0,
    np.arctanh: 0.0,
}
"""A number at which a ufunc and its derivatives are finite, where 1 is none."""


def _where_wanted(
    ufunc: np.ufunc, compute: Callable[..., Any], operands: tuple[Any, ...], where: Any
) -> tuple[Any, ...]:
    """Return the results of a ufunc, of which only those where ``where`` holds are wanted.

    What is not wanted has derivatives that are zero and not NaN: the operands are replaced there
    by a harmless number.
    """
    if where is not True:
        operands = tuple(_guarded(x, where, _DEFINED_AT.get(ufunc, 1.0)) for x in operands)
    results = compute(*operands)
    return results if type(results) is tuple else (results,)


def _guarded(operand: Any, where: Any, safe: float) -> Any:
    """Return an operand that is ``safe`` where the result is not wanted."""
    weak = operand.weak if type(operand) is Tracer else type(operand) in PYTHON_SCALARS
    if weak or np.result_type(operand).kind not in "fc":
        return operand
    return xp.where(where, operand, np.result_type(operand).type(safe))


def _merged(result: Any, out: Any, where: Any) -> Any:
    """Return the result where it is wanted, and elsewhere what ``out`` holds, or zeros."""
    if out is not None and np.shape(result) != np.shape(out):
        result = xp.broadcast_to(result, np.shape(out))
    if where is True:
        return result
    rest = xp.zeros_like(result) if out is None else xp.astype(out, np.result_type(result))
    return xp.where(where, result, rest)


def _supported(ufunc: np.ufunc, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return ``dtype`` if it was given; other keyword arguments must have their default.

    Raises:
        UnsupportedError: if one of them is not supported.
    """
    kept = {}
    for name, value in kwargs.items():
        if name == "dtype":
            kept[name] = value
        elif name not in _DEFAULTS or not is_one_of(value, (_DEFAULTS[name],)):
            raise unsupported(
                f"`numpy.{ufunc.__name__}` does not take `{name}=` with traced values"
            )
    return kept


for _ufunc in RULES:
    register_ufunc(_ufunc, _implementation_of(_ufunc))
