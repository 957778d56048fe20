"""Results as tables: for the terminal, as Markdown, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from .workload import BASELINE, OURS, Figure

_SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "B": ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
    "1": ((1.0, ""),),
}


def spell(value: float | None, unit: str) -> str:
    """Return a quantity in three digits, with the prefix that fits it; "-" for None."""
    if value is None:
        return "-"
    scales = _SCALES[unit]
    scale, name = next((pair for pair in scales if abs(value) >= pair[0]), scales[-1])
    digits = f"{value / scale:.3g}" if abs(value / scale) < 1000 else f"{value / scale:.0f}"
    return f"{digits} {name}".rstrip()


def _met(figure: Figure) -> str:
    return {True: "yes", False: "NO", None: "-"}[figure.met]


def _ratio(figure: Figure) -> str:
    return "-" if figure.ratio is None else f"{figure.ratio:.2f}"


def _sample(peer: str, part: str) -> Callable[[Figure], str]:
    def cell(figure: Figure) -> str:
        sample = figure.samples.get(peer)
        return spell(None if sample is None else getattr(sample, part), figure.unit)

    return cell


COLUMNS: dict[str, Callable[[Figure], str]] = {
    "what": lambda figure: figure.title,
    OURS: _sample(OURS, "minimum"),
    "median": _sample(OURS, "median"),
    "JAX": _sample(BASELINE, "minimum"),
    "JAX median": _sample(BASELINE, "median"),
    "JAX / ours": _ratio,
    "target": lambda figure: spell(figure.wanted, figure.unit),
    "met": _met,
    "limit": lambda figure: spell(figure.limit, figure.unit),
}
"""What the tables show of each figure. Other libraries follow, if they took part."""


def rows(figures: Sequence[Figure]) -> list[list[str]]:
    """Return the table of figures as text, with its head."""
    others = sorted({name for f in figures for name in f.samples} - {OURS, BASELINE})
    columns = COLUMNS | {name: _sample(name, "minimum") for name in others}
    body = [[cell(figure) for cell in columns.values()] for figure in figures]
    return [list(columns), *body]


def as_text(figures: Sequence[Figure]) -> str:
    """Return the table for a terminal."""
    table = rows(figures)
    widths = [max(map(len, column)) for column in zip(*table)]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_markdown(figures: Sequence[Figure]) -> str:
    """Return the table for a page."""
    head, *body = rows(figures)
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


def as_data(figures: Mapping[str, Sequence[Figure]], machine: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that was measured, for a JSON file."""
    groups = {name: [_as_data(figure) for figure in group] for name, group in figures.items()}
    return {"machine": dict(machine), "groups": groups}


def _as_data(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "title": figure.title,
        "unit": figure.unit,
        "samples": {peer: sample._asdict() for peer, sample in figure.samples.items()},
        "target": None if figure.target is None else asdict(figure.target),
        "wanted": figure.wanted,
        "met": figure.met,
        "ratio": figure.ratio,
        "limit": figure.limit,
    }


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that do not reach their targets."""
    return [figure for figure in figures if figure.met is False]


def below_limit(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that beat what is stated as the limit, which therefore is none."""
    return [f for f in figures if f.limit and f.ours and f.ours.minimum < f.limit]


def replace_section(text: str, name: str, content: str) -> str:
    """Return a page with what is between ``<!-- name -->`` and ``<!-- /name -->`` replaced.

    Raises:
        ValueError: if the page does not have each marker once, in this order.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = text.partition(start)
    _, found, after = rest.partition(end)
    if not found or start in rest or end in after:
        raise ValueError(f"the page needs one {start} and, behind it, one {end}")
    return f"{before}{start}\n\n{content}\n\n{end}{after}"
