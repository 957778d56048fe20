"""Checks of derivatives against finite differences, with the names of ``jax.test_util``."""

from .frontend.test_util import check_grads, check_jvp, check_vjp

__all__ = ["check_grads", "check_jvp", "check_vjp"]
