"""What each universal function computes, once its operands have the loop's dtypes and one shape.

A rule is the counterpart of NumPy's inner loop: a function of a `Builder` and of values of equal
shape whose dtypes are those of one line of ``ufunc.types``. It returns one value per output, of
the line's output dtypes. Promotion and broadcasting are done before, in `..ufuncs`.
"""

from __future__ import annotations

import numpy as np

from . import arithmetic, bits, comparison, floating, transcendental
from .common import Rule

RULES: dict[np.ufunc, Rule] = {
    **arithmetic.RULES,
    **bits.RULES,
    **comparison.RULES,
    **floating.RULES,
    **transcendental.RULES,
}
"""The rule of every supported elementwise ufunc."""
