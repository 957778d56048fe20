"""Schedules: how a kernel is computed, apart from what it computes (as in Halide, PLDI 2013)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition

if TYPE_CHECKING:
    from xdsl.parser import AttrParser
    from xdsl.printer import Printer


@dataclass(frozen=True)
class Schedule:
    """How the loop nest of a fusion runs over its iteration space.

    Dimensions are those of the space's domain (see ``iteration_space``).

    Attributes:
        rows: the outer loops. The other dimensions, the columns, are looped over within each row,
            once for each reduction that later ops of the row use.
        parallel: outer dimensions whose iterations are split among threads, in chunks that do not
            depend on the number of threads. They are rows, or the first of the columns where
            there are no rows. None of them means one thread.
        vector: the lanes of a vector along the last dimension; 1 means scalars. If the columns are
            several and the last one is short, it is written out, and vectors run along the one
            before.
        unroll: the vectors that one step of the inner loop takes, each with its own accumulator;
            fewer where there are many reductions.
        tile: the rows of a product of matrices that one step computes, each with ``unroll``
            accumulators.
        library: the library function that computes the one op of the body, such as ``gemm``.
        registers: there are no loops. Each op of the body is written out for all elements, which
            are few, and values stay in registers; ``vector`` counts elements of 32 bits.
        whole: whether an array with a part replaced is computed as a whole, element by element.
            Else the new part alone is computed, and stored over the old array or a copy of it.
    """

    rows: tuple[int, ...] = ()
    parallel: tuple[int, ...] = ()
    vector: int = 1
    unroll: int = 1
    tile: int = 1
    library: str | None = None
    registers: bool = False
    whole: bool = False


SHORT_LOOP: Final = 8
"""A loop along a last dimension of so many elements or fewer makes poor vectors."""

PARALLEL_STEPS: Final = "kernel.parallel"
"""The attribute of a scan whose steps run on several threads: how many are taken at a time."""

UNROLL: Final = "kernel.unroll"
"""The attribute of a loop: how many of its steps are written out one after the other."""

_DEFAULT: Final = Schedule()


@irdl_attr_definition
class ScheduleAttr(Data[Schedule]):
    """A schedule, ``<rows = [0], parallel = [0], vector = 16>``; others are defaults."""

    name = "kernel.schedule"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Schedule:
        """Parse ``<rows = [0], vector = 16>``, in any order."""
        entries = parser.parse_comma_separated_list(
            parser.Delimiter.ANGLE, lambda: _parse_entry(parser)
        )
        values = dict(entries)
        if len(values) != len(entries):
            parser.raise_error("an entry of the schedule is given twice")
        return Schedule(**values)  # type: ignore[arg-type]

    def print_parameter(self, printer: Printer) -> None:
        """Print ``rows`` and ``vector``, and what else differs from the default."""
        entries = []
        for field in fields(Schedule):
            value = getattr(self.data, field.name)
            if field.name in ("rows", "vector") or value != getattr(_DEFAULT, field.name):
                entries.append(f"{field.name} = {_spell(value)}")
        printer.print_string(f"<{', '.join(entries)}>")


def _spell(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _parse_dims(parser: AttrParser) -> tuple[int, ...]:
    return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer))


_PARSERS: Final[dict[str, Callable[[AttrParser], object]]] = {
    "rows": _parse_dims,
    "parallel": _parse_dims,
    "vector": lambda parser: parser.parse_integer(),
    "unroll": lambda parser: parser.parse_integer(),
    "tile": lambda parser: parser.parse_integer(),
    "library": lambda parser: parser.parse_str_literal(),
    "registers": lambda parser: parser.parse_boolean(),
    "whole": lambda parser: parser.parse_boolean(),
}


def _parse_entry(parser: AttrParser) -> tuple[str, object]:
    name = parser.parse_identifier()
    if name not in _PARSERS:
        parser.raise_error(f"a schedule has {', '.join(_PARSERS)}, not '{name}'")
    parser.parse_punctuation("=")
    return name, _PARSERS[name](parser)
