"""Where traced values find the implementations of NumPy's functions.

`gradatim.frontend.numpy` fills both tables when it is imported, which happens before the first
trace; operators and methods of `Tracer` and both of NumPy's protocols read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

UFUNCS: dict[np.ufunc, Callable[..., Any]] = {}
"""NumPy's universal functions: ``UFUNCS[np.add](x, y)``."""

FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {}
"""NumPy's other functions: ``FUNCTIONS[np.sum](x, axis=0)``."""
