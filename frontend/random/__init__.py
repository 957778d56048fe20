"""`gradatim.random`: random numbers, with JAX's names, keys and bits."""

from __future__ import annotations

from .keys import PRNGKey, clone, fold_in, key, key_data, key_impl, split, wrap_key_data
from .uniform import bernoulli, bits, rademacher, randint, uniform

__all__ = [
    "PRNGKey",
    "bernoulli",
    "bits",
    "clone",
    "fold_in",
    "key",
    "key_data",
    "key_impl",
    "rademacher",
    "randint",
    "split",
    "uniform",
    "wrap_key_data",
]
