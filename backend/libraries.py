"""Libraries that compiled code calls: OpenBLAS, through CBLAS, and routines of our own for sorting.

The copy of ``scipy-openblas32`` is our own, with its own thread count: one, since threads are the
business of the code that calls it, and since results must not depend on their number.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from . import sorting

_PREFIX = "scipy_"


def is_library_symbol(name: str) -> bool:
    """Tell whether a symbol is a routine of a library."""
    return name.startswith("cblas_") or sorting.is_sorting_symbol(name)


def library_symbols(names: Iterable[str]) -> dict[str, int]:
    """Return the addresses of library routines.

    Raises:
        OSError: the library cannot be loaded.
        AttributeError: it has no such routine.
    """
    return {name: _address_of(name) for name in names}


def _address_of(name: str) -> int:
    if sorting.is_sorting_symbol(name):
        return sorting.address_of(name)
    function = getattr(_openblas(), _PREFIX + name)
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return address


@lru_cache(maxsize=1)
def _openblas() -> ctypes.CDLL:
    import scipy_openblas32 as package

    library = ctypes.CDLL(str(Path(package.get_lib_dir()) / package.get_library(fullname=True)))
    library.scipy_openblas_set_num_threads(1)
    return library
