"""The plug-in that tells xDSL's own tools (``xdsl-opt``, ``xdsl-gui``) of gradatim's IR."""

from __future__ import annotations

from xdsl.universe import Universe

from .ir.dialects import DIALECTS
from .passes.registry import PASSES

UNIVERSE = Universe(all_dialects=DIALECTS, all_passes=PASSES)
