"""The IR as text: printing so that it reads back the same, and parsing.

The text is MLIR's. Dense constants that xDSL's printer would lose are printed as hexadecimal
digits, ``dense<"0x0000C07F">``, which the tools of MLIR and xDSL read as well: NaN and infinities,
which xDSL's parser takes for integers, and zeros of both signs, which its printer takes for a
splat. For the same reason no finite number is printed as hexadecimal digits.
"""

from __future__ import annotations

from io import StringIO

import numpy as np
from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr, ModuleOp
from xdsl.ir import Attribute, Operation
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.syntax_printer import SyntaxPrinter

from .dialects import new_context
from .types import ELEMENT_TYPES

_DTYPES = {element: dtype for dtype, element in ELEMENT_TYPES.items()}


class ExactPrinter(Printer):
    """xDSL's printer, with constants that read back as the same bits."""

    def print_float(self, value: float, type: AnyFloat) -> None:
        """Print a float; an integral one that needs many digits as ``16777217.0``."""
        digits = f"{value:.17g}"
        if digits.lstrip("-").isdigit() and float(f"{value:.5e}") != value:
            self.print_string(f"{digits}.0")
        else:
            super().print_float(value, type)

    def print_attribute(self, attribute: Attribute) -> None:
        """Print an attribute, a dense one exactly."""
        if isinstance(attribute, DenseIntOrFPElementsAttr) and not _prints_exactly(attribute):
            self.print_string(f'dense<"0x{attribute.data.data.hex().upper()}"> : ')
            self.print_attribute(attribute.type)
        else:
            super().print_attribute(attribute)


class ExactSyntaxPrinter(SyntaxPrinter, ExactPrinter):
    """The same with colours for a terminal."""


def _prints_exactly(attribute: DenseIntOrFPElementsAttr) -> bool:
    dtype = _DTYPES.get(attribute.type.element_type)
    if dtype is None or dtype.kind not in "fc":
        return True
    elements = np.frombuffer(attribute.data.data, dtype)
    parts = elements.view(elements.real.dtype)
    signs = np.signbit(parts[parts == 0])
    return bool(np.isfinite(parts).all() and (signs.all() or not signs.any()))


def to_text(op: Operation, *, generic: bool = False, locations: bool = False) -> str:
    """Print an op, such as a module, as MLIR text.

    ``generic`` prints every op in MLIR's generic form; ``locations`` adds source locations.
    """
    out = StringIO()
    ExactPrinter(out, print_generic_format=generic, print_debuginfo=locations).print_op(op)
    return out.getvalue()


def parse_module(text: str, name: str = "<text>") -> ModuleOp:
    """Read a module of any of gradatim's levels; ``name`` stands for the file in errors.

    Raises:
        ParseError: if the text is no MLIR of known dialects.
    """
    return Parser(new_context(), text, name).parse_module()
