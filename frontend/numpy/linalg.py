"""`gradatim.numpy.linalg`: the names of ``numpy.linalg``, for arrays and traced values alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import contraction, matrices, norms  # noqa: F401  they register their functions
from .namespace import names_of, public_member

__all__ = names_of(np.linalg)


def __getattr__(name: str) -> Any:
    return public_member(np.linalg, name)


def __dir__() -> list[str]:
    return __all__
