"""The compiled call: from Python objects to a program's C entry and back.

A program is a module of LLVM text that defines ``i32 @gd.main`` and, from `emit_entry`,
``i32 @gd.entry``. Compiled (`backend.jit`) and linked (`link_program`) it becomes a `Program`; a
`CompiledCallable` tries its programs in turn, entirely in machine code, and asks a Python function
for what none of them takes.
"""

from .entry import ENTRY, MISMATCH, capture_symbol, emit_entry
from .function import CompiledCallable
from .program import Program, link_program
from .signature import ArraySpec, CallSignature, flat_signature

__all__ = [
    "ENTRY",
    "MISMATCH",
    "ArraySpec",
    "CallSignature",
    "CompiledCallable",
    "Program",
    "capture_symbol",
    "emit_entry",
    "flat_signature",
    "link_program",
]
