"""Indexing of traced values, by all that NumPy indexes by."""

from __future__ import annotations

from .reading import indexed
from .updating import updated

__all__ = ["indexed", "updated"]
