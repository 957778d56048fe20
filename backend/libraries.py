"""Libraries that compiled code calls: OpenBLAS, through CBLAS.

The copy of ``scipy-openblas32`` is our own, with its own thread count: one, since threads are the
business of the code that calls it, and since results must not depend on their number.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_PREFIX = "scipy_"


def is_library_symbol(name: str) -> bool:
    """Tell whether a symbol is a routine of a library."""
    return name.startswith("cblas_")


def library_symbols(names: Iterable[str]) -> dict[str, int]:
    """Return the addresses of library routines.

    Raises:
        OSError: the library cannot be loaded.
        AttributeError: it has no such routine.
    """
    wanted = list(names)
    if not wanted:
        return {}
    library = _openblas()
    return {name: _address(getattr(library, _PREFIX + name)) for name in wanted}


def _address(function: object) -> int:
    address = ctypes.cast(function, ctypes.c_void_p).value  # type: ignore[arg-type]
    assert address is not None
    return address


@lru_cache(maxsize=1)
def _openblas() -> ctypes.CDLL:
    import scipy_openblas32 as package

    library = ctypes.CDLL(str(Path(package.get_lib_dir()) / package.get_library(fullname=True)))
    library.scipy_openblas_set_num_threads(1)
    return library
