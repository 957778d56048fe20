"""``gradatim-opt``: reads IR as text, runs passes on it, and prints what comes out.

    gradatim-opt program.mlir -p 'array-vjp{function=loss},array-cse'

All options of ``xdsl-opt`` hold; ``--list-passes`` tells what there is.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, get_pass_option_infos
from xdsl.targets.mlir import MLIRTarget
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
from ..ir.text import ExactPrinter, ExactSyntaxPrinter
from ..passes.registry import PASSES

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
        self.available_targets["mlir"] = lambda: TextTarget

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        """Add ``--list-passes`` to xDSL's arguments."""
        super().register_all_arguments(arg_parser)
        arg_parser.add_argument(
            "--list-passes",
            action=_ListPasses,
            passes=self.available_passes,
            help="Print each pass with its options and a summary, and exit",
        )

    def apply_passes(self, prog: ModuleOp) -> None:
        """Apply the passes in order; an error about the program is a diagnostic."""
        try:
            super().apply_passes(prog)
        except GradatimError as error:
            raise PassFailedException(str(error)) from error


@dataclass(frozen=True)
class TextTarget(MLIRTarget):
    """MLIR text, as xDSL's target of this name, with exact constants."""

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Print the module."""
        printer = (ExactSyntaxPrinter if self.syntax_highlight else ExactPrinter)(
            stream=output,
            print_generic_format=self.print_generic_format,
            print_properties_as_attributes=self.print_properties_as_attributes,
            print_debuginfo=self.print_debuginfo,
        )
        printer.print_op(module)
        printer.print_metadata(ctx.loaded_dialects)
        print(file=output)


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
        print("\n".join(describe(factory()) for factory in self.passes.values()))
        parser.exit()


def describe(pass_type: type[ModulePass]) -> str:
    """Return a pass's name, the first line of its docstring, and its options with defaults."""
    summary = (inspect.getdoc(pass_type) or "").partition("\n")[0]
    lines = [f"{pass_type.name}: {summary}"]
    for option, type_, default in get_pass_option_infos(pass_type):
        suffix = "" if default is None else f" = {default}"
        lines.append(f"    {option.replace('_', '-')}: {type_}{suffix}")
    return "\n".join(lines)


def main(args: Sequence[str] | None = None) -> int:
    """Run the tool and return its exit code."""
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
