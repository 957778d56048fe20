"""Loops over what is known: when they become loops of the program instead of being written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .sources import Source
from .units import Site


def rolled(site: Site, source: Source, handle: Callable[[], Any]) -> bool:
    """Make a loop one of the program if that is better; tell whether it was done."""
    return False
