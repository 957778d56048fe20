"""How `gradatim.numpy` and its submodules find the functions that their names stand for."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import numpy as np

from ...ir.types import ELEMENT_TYPES
from ..dispatch import FUNCTIONS, UFUNCS
from ..local import made


def public_member(module: ModuleType, name: str) -> Any:
    """Return a member of a NumPy module, or the function that does the same to traced values too.

    Raises:
        AttributeError: if the module has no such public member.
    """
    if name.startswith("_"):
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    member = getattr(module, name)
    if isinstance(member, np.ufunc):
        return UFUNCS.get(member, member)
    if not callable(member):
        return member
    return MAKERS.get(member) or FUNCTIONS.get(member, member)


_MAKE_ARRAYS: Final = (
    *(np.arange, np.array, np.copy, np.empty, np.empty_like, np.eye, np.fromfunction, np.full),
    *(np.full_like, np.geomspace, np.identity, np.indices, np.linspace, np.logspace, np.meshgrid),
    *(np.ones, np.ones_like, np.tri, np.vander, np.zeros, np.zeros_like),
)

MAKERS: Final[dict[Any, Callable[..., Any]]] = {
    function: made(FUNCTIONS.get(function, function)) for function in _MAKE_ARRAYS
}
"""Functions whose arrays can hold traced values while a function is traced."""


_INFO: Final[Any] = np.__array_namespace_info__()


class NamespaceInfo:
    """What the array API standard asks of ``__array_namespace_info__()``."""

    def capabilities(self) -> dict[str, bool | int]:
        """Return what functions of traced values can do: shapes never depend on values."""
        return {"boolean indexing": False, "data-dependent shapes": False, "max dimensions": 64}

    def default_device(self) -> str:
        """Return the only device."""
        return "cpu"

    def devices(self) -> list[str]:
        """Return all devices."""
        return ["cpu"]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, np.dtype]:
        """Return the dtypes of results where nothing else decides: NumPy's."""
        return _INFO.default_dtypes(device=device)

    def dtypes(
        self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None
    ) -> dict[str, np.dtype]:
        """Return the supported dtypes of a kind by their names in the standard."""
        known = _INFO.dtypes(device=device, kind=kind)
        return {name: dtype for name, dtype in known.items() if dtype in ELEMENT_TYPES}


def names_of(module: ModuleType) -> list[str]:
    """Return the public names of a NumPy module."""
    return sorted(module.__all__)
