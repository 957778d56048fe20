"""`gradatim.numpy`: NumPy's names, for arrays and traced values alike.

Functions compute at once by NumPy itself if no argument is traced, and else append to the function
that is being traced; plain ``numpy`` reaches the same implementations by NumPy's protocols. Only
what the protocols cannot see needs this namespace: functions that make arrays of traced values,
such as ``array([x, y])`` and ``full(3, x)``.

The package's modules fill the tables of `..dispatch`: `ufuncs`, by the rules of `ufunc_rules`, that
of universal functions; all others, by the decorator of `registry`, that of functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import (  # noqa: F401  they register their functions
    contraction,
    convolution,
    counting,
    creation,
    differences,
    einstein,
    interpolation,
    joining,
    linalg,
    manipulation,
    mathematics,
    matrices,
    norms,
    ordering,
    picking,
    quantiles,
    reductions,
    refusals,
    searching,
    selection,
    statistics,
    storing,
    taking,
    ufuncs,
)
from .namespace import NamespaceInfo, names_of, public_member

__all__ = [*names_of(np), "at"]


def __array_namespace_info__() -> NamespaceInfo:
    """Tell what the namespace can do, as the array API standard says."""
    return NamespaceInfo()


def at(x: Any, index: Any = None) -> Any:
    """Return JAX's ``x.at``, or with an index ``x.at[index]``, of an array or a traced value.

    ``at(x)[i].set(v)`` is a new array and leaves x as it is.
    """
    from ..at import At

    return At(x) if index is None else At(x)[index]


def __getattr__(name: str) -> Any:
    return public_member(np, name)


def __dir__() -> list[str]:
    return __all__
