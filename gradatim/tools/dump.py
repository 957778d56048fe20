"""``python -m gradatim dump``: prints what becomes of a Python function, level by level.

    python -m gradatim dump model.py:loss --args 'f64[1000]' 'i32[]' --grad 0 --level loop

Transformations apply in the order in which they are given: ``--grad --vmap 0,None`` is
``vmap(grad(f), in_axes=(0, None))``.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from ast import literal_eval
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

from ..frontend.arguments import ShapeDtypeStruct
from ..frontend.lowered import LEVELS, Lowered
from ..frontend.stage import Staged, stage
from ..ir.errors import DtypeError, GradatimError
from ..ir.types import parse_spelling

TRANSFORMATIONS: Final[dict[str, Callable[[Staged, Any], Staged]]] = {
    "grad": lambda staged, argnums: staged.grad(argnums),
    "value-and-grad": lambda staged, argnums: staged.value_and_grad(argnums),
    "vmap": lambda staged, in_axes: staged.vmap(in_axes),
}
"""What can be done to the function, with the one argument of the option, 0 by default."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool and return its exit code: 1 for a wrong program, 2 for a wrong command."""
    options = _parser().parse_args(arguments)
    try:
        staged = stage(options.function)
        for name, argument in options.transformations:
            staged = TRANSFORMATIONS[name](staged, argument)
        lowered = staged.lower(*options.args)
        print(_passes(lowered) if options.passes else _text(lowered, options))
    except GradatimError as error:
        print(f"gradatim dump: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m gradatim")
    dump = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "dump", help="Print what becomes of a Python function, level by level"
    )
    dump.add_argument(
        "function",
        type=_function,
        metavar="MODULE:FUNCTION",
        help="The function, in a module or in a file whose name ends in .py",
    )
    dump.add_argument(
        "--args",
        nargs="*",
        type=_argument,
        default=[],
        metavar="ARGUMENT",
        help="Its arguments: array types as in 'f32[3,4]' or 'i64[]', or Python literals",
    )
    dump.add_argument(
        "--level", choices=[*LEVELS, "all"], default="array", help="Which level to print"
    )
    dump.add_argument("--debug-info", action="store_true", help="Print source locations")
    dump.add_argument(
        "--passes", action="store_true", help="Print time and ops of each pass instead"
    )
    dump.set_defaults(transformations=[])
    for name in TRANSFORMATIONS:
        dump.add_argument(
            f"--{name}",
            nargs="?",
            const=0,
            type=_literal,
            action=_Transform,
            metavar="IN_AXES" if name == "vmap" else "ARGNUMS",
            help=f"Apply {name}; transformations apply in the order given",
        )
    return parser


class _Transform(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        assert option_string is not None
        step = (option_string.removeprefix("--"), values)
        namespace.transformations = [*namespace.transformations, step]


def _function(spelled: str) -> Callable[..., Any]:
    """Find ``model:loss`` or ``path/model.py:loss``."""
    place, colon, name = spelled.rpartition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{spelled!r} names no function: write MODULE:FUNCTION")
    try:
        members = runpy.run_path(place) if place.endswith(".py") else vars(import_module(place))
    except (OSError, ImportError) as error:
        raise argparse.ArgumentTypeError(f"{place} cannot be imported: {error}") from error
    if not callable(members.get(name)):
        raise argparse.ArgumentTypeError(f"{place} has no function {name}")
    function: Callable[..., Any] = members[name]
    return function


def _literal(spelled: str) -> Any:
    try:
        return literal_eval(spelled)
    except (ValueError, SyntaxError) as error:
        raise argparse.ArgumentTypeError(f"{spelled!r} is no Python literal") from error


def _argument(spelled: str) -> Any:
    try:
        return ShapeDtypeStruct(*parse_spelling(spelled))
    except DtypeError as error:
        try:
            return literal_eval(spelled)
        except (ValueError, SyntaxError):
            raise argparse.ArgumentTypeError(str(error)) from None


def _text(lowered: Lowered, options: argparse.Namespace) -> str:
    if options.level != "all":
        return lowered.as_text(options.level, debug_info=options.debug_info)
    return "\n\n".join(
        f"// -----// {level} //----- //\n{lowered.as_text(level, debug_info=options.debug_info)}"
        for level in LEVELS
    )


def _passes(lowered: Lowered) -> str:
    head = f"{'pass':24}{'ms':>10}{'ops before':>12}{'ops after':>12}"
    rows = (f"{name:24}{ms:10.3f}{old:12}{new:12}" for name, ms, old, new in lowered.passes)
    return "\n".join((head, *rows))
