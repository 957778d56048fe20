"""Random vectors and matrices."""

from __future__ import annotations

from operator import index
from typing import Any, Final

import numpy as np

from ..boundary import public
from ..errors import ArgumentError, ShapeError
from ..numpy.manipulation import sizes
from ..tracer import Tracer
from .calls import chosen_dtype, one_key, result_shape
from .continuous import normal

_METHODS: Final = ("cholesky", "eigh", "svd")


@public
def multivariate_normal(
    key: Any, mean: Any, cov: Any, shape: Any = None, dtype: Any = None, method: str = "cholesky"
) -> Any:
    """Return vectors of the normal distribution of a mean and a covariance.

    Args:
        key: a key, u32[2].
        mean: an array ``[..., n]``.
        cov: symmetric matrices ``[..., n, n]`` without negative eigenvalues, for ``cholesky``
            without eigenvalue 0 either.
        shape: of the result without its last dimension, to which the leading dimensions of ``mean``
            and ``cov`` broadcast; theirs together by default.
        dtype: a float dtype; by default that of ``mean`` and ``cov`` together.
        method: how a matrix A with ``A @ A.T == cov`` is found: ``"cholesky"``, ``"eigh"`` or
            ``"svd"``.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or the method none.
        ShapeError: (a ValueError) if the shapes do not fit.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    found = one_key("multivariate_normal", key)
    if method not in _METHODS:
        raise ArgumentError(
            f"method must be one of {', '.join(map(repr, _METHODS))}, not {method!r}"
        )
    mean, cov = (x if isinstance(x, Tracer) else np.asarray(x) for x in (mean, cov))
    if not mean.ndim or cov.ndim < 2 or cov.shape[-2:] != 2 * mean.shape[-1:]:
        raise ShapeError(
            "multivariate_normal takes a mean [..., n] and a covariance [..., n, n], found shapes "
            f"{mean.shape} and {cov.shape}"
        )
    together = np.result_type(mean.dtype, cov.dtype, np.float32)
    wanted = chosen_dtype("multivariate_normal", together if dtype is None else dtype)
    size = result_shape("multivariate_normal", shape, mean.shape[:-1], cov.shape[:-2])
    numbers = normal(found, (*size, mean.shape[-1]), wanted)
    factor = _factor(cov.astype(wanted), method)
    return mean.astype(wanted) + np.einsum("...ij,...j->...i", factor, numbers)


def _factor(cov: Any, method: str) -> Any:
    """Return matrices A with ``A @ A.T == cov``."""
    if method == "cholesky":
        return np.linalg.cholesky(cov)
    if method == "svd":
        vectors, values, _ = np.linalg.svd(cov)
    else:
        values, vectors = np.linalg.eigh(cov)
    return vectors * np.sqrt(values)[..., None, :]


@public
def orthogonal(key: Any, n: int, shape: Any = (), dtype: Any = None, m: int | None = None) -> Any:
    """Return matrices with orthonormal columns, or rows where there are fewer of these.

    They are evenly distributed (by Haar's measure; Mezzadri, *How to generate random matrices from
    the classical compact groups*, Notices of the AMS 54, 2007).

    Args:
        key: a key, u32[2].
        n: the number of rows.
        shape: of the result without its last two dimensions.
        dtype: a float dtype; float64 by default.
        m: the number of columns; ``n`` by default.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        DtypeError: (a TypeError) if ``dtype`` is no float dtype.
    """
    found, wanted = one_key("orthogonal", key), chosen_dtype("orthogonal", dtype)
    rows, columns = index(n), index(n if m is None else m)
    size = (*sizes(shape), max(rows, columns), min(rows, columns))
    q, r = np.linalg.qr(normal(found, size, wanted))
    result = q * np.sign(np.linalg.diagonal(r))[..., None, :]
    return np.swapaxes(result, -1, -2) if rows < columns else result
