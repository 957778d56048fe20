"""Emission: a module of the loop level becomes LLVM IR text.

Text is written directly, op by op, since that costs a small part of what builder objects cost. One
table for each upstream dialect maps op classes to emitters; ``function.py`` holds what they share.
"""

from __future__ import annotations

from .module import LlvmModule, emit_module
from .symbols import ENTRY

__all__ = ["ENTRY", "LlvmModule", "emit_module"]
