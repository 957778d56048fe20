"""Plots: how many times JAX takes our time, and compile time against the length of programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .workload import Figure


def plot_ratios(figures: Sequence[Figure], path: Path) -> None:
    """Draw one bar for each figure that JAX took part in; right of the line we are faster."""
    from matplotlib.figure import Figure as Canvas

    compared = [(f.title, f.ratio) for f in figures if f.ratio is not None and f.ratio > 0]
    canvas = Canvas(figsize=(9, 1 + 0.27 * len(compared)), layout="constrained")
    axes = canvas.subplots()
    titles, ratios = [title for title, _ in compared], [ratio for _, ratio in compared]
    colours = ["tab:blue" if ratio >= 1 else "tab:red" for ratio in ratios]
    axes.barh(range(len(ratios)), [r - 1 for r in ratios], left=1, color=colours)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(titles)), titles, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("time of JAX / time of gradatim (minima)")
    canvas.savefig(path)


def plot_chains(figures: Sequence[Figure], path: Path) -> None:
    """Draw the time to compile gradients of chains against their length."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(6, 4), layout="constrained")
    axes = canvas.subplots()
    lines: dict[str, list[tuple[int, float]]] = {}
    for figure in figures:
        found = re.fullmatch(r"chain-gradient-(\d+)-compile", figure.name)
        if found:
            for peer, sample in figure.samples.items():
                lines.setdefault(peer, []).append((int(found[1]), sample.minimum))
    for peer, points in lines.items():
        axes.loglog(*zip(*sorted(points)), marker="o", label=peer)
    axes.set_xlabel("elementwise operations")
    axes.set_ylabel("seconds to compile the gradient")
    if lines:
        axes.legend()
    canvas.savefig(path)
