"""Promotion as in NumPy 2 (NEP 50), by asking NumPy about dtypes and Python types.

A Python scalar, or a traced value that stands for one (``Tracer.weak``), counts by its Python type
alone and takes the dtype of what it meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from ...ir.locations import spell_location
from ...ir.types import ELEMENT_TYPES
from ..errors import DtypeError
from ..source import user_location
from ..tracer import Tracer
from ..tracing import Operand

PromotionKey: TypeAlias = np.dtype | type
"""What counts for promotion: the dtype of an array, the Python type of a weak scalar."""

BOOL: Final = np.dtype(np.bool_)
INT64: Final = np.dtype(np.int64)
FLOAT64: Final = np.dtype(np.float64)

_WEAK_TYPES: Final[dict[str, PromotionKey]] = {"b": BOOL, "i": int, "f": float, "c": complex}
_SCALAR_KEYS: Final[dict[type, PromotionKey]] = {bool: BOOL, int: int, float: float}


def promotion_key(operand: Operand) -> PromotionKey:
    """Return what counts of a lifted operand: its dtype, or a Python type if it is weak."""
    if type(operand) is Tracer:
        dtype = operand.dtype
        return _WEAK_TYPES[dtype.kind] if operand.weak else dtype
    return _SCALAR_KEYS.get(type(operand), complex)


@lru_cache(maxsize=4096)
def loop_dtypes(
    ufunc: np.ufunc, keys: tuple[PromotionKey, ...], dtype: np.dtype | None, reduction: bool = False
) -> tuple[np.dtype, ...]:
    """Return the dtypes of inputs and outputs of the loop that NumPy would run.

    Args:
        ufunc: the function.
        keys: the promotion key of each input; for a reduction None stands for the output.
        dtype: what the caller asked for by ``dtype=``.
        reduction: whether the ufunc reduces an array.

    Raises:
        TypeError: as NumPy does, if the ufunc has no loop for such operands.
        DtypeError: if the loop has a dtype that is not supported, such as float16.
    """
    asked: dict[str, Any] = {"reduction": reduction}
    if dtype is not None:
        fixed = (dtype, None, None) if reduction else (None,) * ufunc.nin + (dtype,) * ufunc.nout
        asked |= {"signature": fixed, "casting": "unsafe" if reduction else "same_kind"}
    if all(isinstance(key, type) for key in keys):  # NumPy would compare two ints as objects
        keys = tuple([np.dtype(key) for key in keys])
    found = ufunc.resolve_dtypes(keys + (None,) * (ufunc.nargs - len(keys)), **asked)
    for position, loop_dtype in enumerate(found):
        if loop_dtype not in ELEMENT_TYPES:
            described = " and ".join(str(getattr(k, "name", k)) for k in keys)
            role = "gives" if position >= ufunc.nin else "is computed in"
            raise DtypeError(
                f"`numpy.{ufunc.__name__}` of {described} {role} {loop_dtype}, which is not "
                "supported; convert the operand first, for example by `x.astype(np.float32)`",
                spell_location(user_location()),
            )
    return found


def promotion_sample(operand: Operand) -> Any:
    """Return what stands for a lifted operand in ``numpy.result_type``."""
    key = promotion_key(operand)
    return key(0) if isinstance(key, type) else key


def result_dtype(operands: Sequence[Operand]) -> np.dtype:
    """Return the dtype that the operands have in common, as ``numpy.result_type``."""
    return np.result_type(*map(promotion_sample, operands))


def inexact_dtype(dtype: np.dtype) -> np.dtype:
    """Return the dtype itself if it is inexact, and float64 for integers and bools."""
    return dtype if dtype.kind in "fc" else FLOAT64
