"""How `gradatim.numpy` and its submodules find the functions that their names stand for."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from ..dispatch import FUNCTIONS, UFUNCS


def public_member(module: ModuleType, name: str) -> Any:
    """Return a member of a NumPy module, or the function that does the same to traced values too.

    Raises:
        AttributeError: if the module has no such public member.
    """
    if name.startswith("_") and name != "__array_namespace_info__":
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    member = getattr(module, name)
    if isinstance(member, np.ufunc):
        return UFUNCS.get(member, member)
    return FUNCTIONS.get(member, member) if callable(member) else member


def names_of(module: ModuleType) -> list[str]:
    """Return the public names of a NumPy module."""
    return sorted(module.__all__)
