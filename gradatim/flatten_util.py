"""Trees of arrays as one vector, with the names of ``jax.flatten_util``."""

from .frontend.flatten_util import ravel_pytree

__all__ = ["ravel_pytree"]
