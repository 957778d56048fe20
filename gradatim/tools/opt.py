"""``gradatim-opt``: reads IR as text, runs passes on it, and prints what comes out.

    gradatim-opt program.mlir -p 'array-vjp{function=loss},array-cse'

All options of ``xdsl-opt`` hold. ``--list-passes`` tells what passes there are; ``-t llvm`` and
``-t asm`` print a program of the loop level as LLVM IR and as assembly language.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.transforms import get_all_passes
from xdsl.utils.exceptions import (
    ArgSpecParseError,
    DiagnosticException,
    ParseError,
    PassFailedException,
)
from xdsl.xdsl_opt_main import xDSLOptMain

from ..ir.dialects import register_dialects
from ..ir.errors import GradatimError
from ..passes.registry import PASSES
from .targets import AsmTarget, LlvmTarget, TextTarget

UPSTREAM_PASSES = ("canonicalize",)
"""The passes of xDSL that are of use at every level."""


class OptMain(xDSLOptMain):
    """xDSL's pass driver with gradatim's dialects, passes and targets."""

    version_format: ClassVar[str] = "gradatim-opt, built on xDSL {xdsl_version}"

    def __init__(self, args: Sequence[str] | None = None) -> None:
        super().__init__("Run passes on a program of gradatim's IR.", args)

    def register_all_dialects(self) -> None:
        """Register gradatim's dialects and the upstream ones it builds on."""
        register_dialects(self.ctx)

    def register_all_passes(self) -> None:
        """Register gradatim's passes and xDSL's general ones."""
        upstream = get_all_passes()
        for name, factory in PASSES.items():
            self.register_pass(name, factory)
        for name in UPSTREAM_PASSES:
            self.register_pass(name, upstream[name])

    def register_all_targets(self) -> None:
        """Register what the result can be printed as."""
        self.available_targets = {
            "mlir": lambda: TextTarget,
            "llvm": lambda: LlvmTarget,
            "asm": lambda: AsmTarget,
        }

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add ``--list-passes`` to xDSL's arguments."""
        super().register_all_arguments(arg_parser)
        arg_parser.add_argument(
            "--list-passes",
            action=_ListPasses,
            passes=self.available_passes,
            help="Print a summary of each pass and its options, and exit",
        )

    def apply_passes(self, prog: ModuleOp) -> None:
        """Apply the passes in order; an error about the program is a diagnostic."""
        try:
            super().apply_passes(prog)
        except GradatimError as error:
            raise PassFailedException(str(error)) from error

    def output_resulting_program(self, prog: ModuleOp) -> str:
        """Print for the target; an error about the program is a diagnostic."""
        try:
            return super().output_resulting_program(prog)
        except GradatimError as error:
            raise DiagnosticException(str(error)) from error


class _ListPasses(argparse.Action):
    def __init__(
        self,
        option_strings: Sequence[str],
        dest: str,
        passes: dict[str, Callable[[], type[ModulePass]]],
        help: str,
    ) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)
        self.passes = passes

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print("\n\n".join(describe(factory()) for factory in self.passes.values()))
        parser.exit()


def describe(pass_type: type[ModulePass]) -> str:
    """Return a pass's name and summary, and each option with its type, default and meaning."""
    doc = inspect.getdoc(pass_type) or ""
    meanings = option_meanings(doc)
    lines = [pass_type.name, f"  {doc.partition(chr(10))[0]}"]
    for field in dataclasses.fields(pass_type):
        name = field.name.replace("_", "-")
        default = "" if field.default is dataclasses.MISSING else f" = {_spell(field.default)}"
        lines.append(f"    {name}: {field.type}{default}")
        if name in meanings:
            lines.append(f"        {meanings[name]}")
    return "\n".join(lines)


def option_meanings(doc: str) -> dict[str, str]:
    """Read the ``Options:`` section of a pass's docstring: what each option means."""
    section = re.search(r"^Options:\n((?:[ ]{4}.*\n?)+)", doc, re.MULTILINE)
    entries = re.split(r"\n?^[ ]{4}(?=\S)", section[1] if section else "", flags=re.MULTILINE)
    pairs = (entry.split(":", 1) for entry in entries if ":" in entry)
    return {name.replace("_", "-"): " ".join(text.split()) for name, text in pairs}


def _spell(default: Any) -> str:
    """Spell a default as one would write it on the command line."""
    if isinstance(default, tuple):
        return ",".join(map(str, default)) or "()"
    return str(default).lower()


def main(args: Sequence[str] | None = None) -> int:
    """Run the tool and return its exit code: 1 for a wrong program, 2 for a wrong command."""
    try:
        tool = OptMain(args)
    except (ValueError, ArgSpecParseError) as error:
        print(f"gradatim-opt: {error}", file=sys.stderr)
        return 2
    try:
        tool.run()  # type: ignore[no-untyped-call]
    except (DiagnosticException, ParseError) as error:
        print(f"gradatim-opt: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
