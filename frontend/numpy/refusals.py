"""Functions that cannot take traced values, or not yet, each with what to do instead."""

from __future__ import annotations

import numpy as np

from .registry import refuse

_SHAPE = "the result's shape depends on values; mask by `np.where` instead, or call it outside"
_DISTINCT = (
    "how many elements are distinct depends on values; those of `s = np.sort(x)` are new where "
    "`s[1:] != s[:-1]`, and `np.isin` tells which elements are among others"
)
_COUNTS = (
    "the result's length depends on values; `np.histogram(x, np.arange(n + 1))[0]` counts the "
    "integers below a known n"
)
_DECOMPOSITION = "matrix decompositions are not supported"
_FOURIER = "Fourier transforms are not supported"

_REASONS = {
    _SHAPE: (*(np.argwhere, np.flatnonzero, np.nonzero, np.trim_zeros),),
    _DISTINCT: (
        *(np.intersect1d, np.setdiff1d, np.setxor1d, np.union1d, np.unique, np.unique_all),
        *(np.unique_counts, np.unique_inverse, np.unique_values),
    ),
    _COUNTS: (np.bincount,),
    _DECOMPOSITION: (
        *(np.linalg.cholesky, np.linalg.cond, np.linalg.det, np.linalg.eig, np.linalg.eigh),
        *(np.linalg.eigvals, np.linalg.eigvalsh, np.linalg.inv, np.linalg.lstsq),
        *(np.linalg.matrix_rank, np.linalg.pinv, np.linalg.qr, np.linalg.slogdet),
        *(np.linalg.solve, np.linalg.svd, np.linalg.svdvals),
    ),
    _FOURIER: tuple(
        getattr(np.fft, n) for n in np.fft.__all__ if "fft" in n and n[-4:] not in ("hift", "freq")
    ),
}

for _reason, _functions in _REASONS.items():
    for _function in _functions:
        refuse(_function, _reason)
