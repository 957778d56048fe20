"""Run the benchmarks: ``python benchmarks/run.py [names] [--quick] [--peers jax,numpy]``.

Results are checked against NumPy before anything is timed. The table is printed; it goes to
``benchmarks/results/`` as well, with plots and with all figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

if __name__ == "__main__":
    # Modules of this folder are parts of a package, and are not found by their bare names.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import machine, peers, plot, report
from benchmarks.cold import COLD, ROOT
from benchmarks.pair import COMPILE, WORKLOADS, Samples, measure_beside
from benchmarks.timing import Sample
from benchmarks.workload import BASELINE, OURS, Figure, Target
from benchmarks.workloads import GROUPS

RESULTS = ROOT / "benchmarks" / "results"
SECONDS, QUICK_SECONDS = 2.5, 0.3
PROCESSES, QUICK_PROCESSES = 5, 1
OTHERS_SHARE = 0.4  # of the time, for libraries that are there for orientation
BUSY_LOAD = 0.5
LINEAR = 1.25
"""Twice as many operations may take this much more than twice the time to compile, at most."""

SHORT, LONG = 800, 4000
COLD_GROUP = "compilation"
FRONT_PAGE = (
    *("import", "first-call", "memory", "chain-gradient-800", "call-", "vmap-grad"),
    *("lorenz", "scalars", "newton", "heat", "gru", "collatz", "hessian", "bodies", "uniform"),
)
"""Figures that the front page shows, but for the times to compile what is measured warm."""

FRONT = """\
`make bench` measures these and others on your machine; [docs/benchmarks.md](docs/benchmarks.md) has
them all, and says how they are measured."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 0."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.publish and (options.names or options.quick):
        parser.error("--publish takes a full run: no names, no --quick")
    about = machine.describe()
    for name, value in about.items():
        print(f"{name}: {value}")
    if machine.load() > BUSY_LOAD * machine.cores():
        print("The machine is busy: trust ratios more than times, and neither much.")
    chosen = peers.installed({OURS, *options.peers})
    groups = measure(options.names, chosen, quick=options.quick, slow=options.slow)
    for name, figures in groups.items():
        print(f"\n{name}\n\n{report.as_text(figures)}")
    everything = [figure for figures in groups.values() for figure in figures]
    for figure in report.missed(everything):
        print(f"missed: {figure.title}")
    for figure in report.below_limit(everything):
        print(f"below its limit, which must have been measured badly: {figure.title}")
    _save(groups, everything, about)
    if options.publish:
        publish(groups, about)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of names of benchmarks; all if none")
    parser.add_argument("--quick", action="store_true", help="fewer runs, to see that it works")
    parser.add_argument("--slow", action="store_true", help="also what takes JAX long, once")
    parser.add_argument(
        "--peers",
        type=_packages,
        default=peers.PACKAGES,
        help=f"packages to compare with, by comma: {', '.join(peers.PACKAGES)}",
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the tables into README.md and docs/"
    )
    return parser


def _packages(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - set(peers.PACKAGES)
    if unknown:
        raise argparse.ArgumentTypeError(f"no such packages: {', '.join(sorted(unknown))}")
    return names


def measure(
    names: Sequence[str], chosen: Iterable[str], quick: bool, slow: bool
) -> dict[str, list[Figure]]:
    """Measure everything whose name contains one of the names; fresh processes come first.

    They do so while this process is small, for a process is copied when it starts another.
    """
    wanted = list(chosen)
    processes = QUICK_PROCESSES if quick else PROCESSES
    groups: dict[str, list[Figure]] = {}
    for cold in COLD:
        if _matches(cold.name, names):
            print(f"  {cold.name} ...", file=sys.stderr, flush=True)
            groups.setdefault(COLD_GROUP, []).extend(cold.measure(wanted, processes, slow))
    groups.update(_linearity(groups))
    groups.update(_measure_warm(names, wanted, QUICK_SECONDS if quick else SECONDS))
    return groups


def _measure_warm(
    names: Sequence[str], chosen: Sequence[str], seconds: float
) -> dict[str, list[Figure]]:
    """Measure what runs many times, beside each package in turn; our samples come from JAX's."""
    selected = [name for name in WORKLOADS if _matches(name, names)]
    packages = [p for p in peers.PACKAGES if p in {peers.PEERS[name].package for name in chosen}]
    beside = sorted(set(packages) - {OURS}, key=lambda package: package != BASELINE) or [OURS]
    samples: Samples = {}
    for package in beside:
        share = 1.0 if package == BASELINE else OTHERS_SHARE
        alone = package == beside[0]
        found = measure_beside(package, selected, share * seconds, str(ROOT), alone=alone)
        for name, timed in found.items():
            samples[name] = timed | samples.get(name, {})
    groups: dict[str, list[Figure]] = {}
    for group, workloads in GROUPS.items():
        figures = [w.figure(samples[w.name]) for w in workloads if samples.get(w.name)]
        compiled = [(w, samples.get(f"{w.name}{COMPILE}")) for w in workloads]
        figures += [w.compilation_figure(found) for w, found in compiled if found]
        if figures:
            groups[group] = figures
    return groups


def _matches(name: str, parts: Sequence[str]) -> bool:
    return not parts or any(part in name for part in parts)


def _linearity(groups: dict[str, list[Figure]]) -> dict[str, list[Figure]]:
    """Add how the time to compile an operation grows from short to long chains."""
    found = {figure.name: figure for figure in groups.get(COLD_GROUP, ())}
    pair = [found.get(f"chain-gradient-{n}-compile") for n in (SHORT, LONG)]
    if pair[0] is None or pair[1] is None or pair[0].ours is None or pair[1].ours is None:
        return {}
    growth = pair[1].ours.minimum / LONG / (pair[0].ours.minimum / SHORT)
    figure = Figure(
        "chain-gradient-growth",
        f"its time per operation, {LONG:,} over {SHORT}",
        {OURS: Sample.of([growth])},
        "1",
        Target(LINEAR),
    )
    return {COLD_GROUP: [*groups[COLD_GROUP], figure]}


def _save(
    groups: dict[str, list[Figure]], everything: Sequence[Figure], about: dict[str, str]
) -> None:
    RESULTS.mkdir(exist_ok=True)
    data = report.as_data(groups, about)
    (RESULTS / "results.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    text = "\n\n".join(f"{name}\n\n{report.as_text(group)}" for name, group in groups.items())
    (RESULTS / "results.txt").write_text(text + "\n")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("No plots: matplotlib is not installed.")
    else:
        plot.plot_ratios(everything, RESULTS / "ratios.png")
        plot.plot_chains(everything, RESULTS / "chains.png")
    print(f"Results and plots are in {RESULTS.relative_to(ROOT)}/.")


def publish(groups: dict[str, list[Figure]], about: dict[str, str]) -> None:
    """Write the tables into the pages that have a place for them."""
    lines = "\n".join(f"* {name}: {value}" for name, value in about.items())
    parts = [f"## {name}\n\n{report.as_markdown(group)}" for name, group in groups.items()]
    compiled = {f"{name}{COMPILE}" for name in WORKLOADS}
    everything = [f for group in groups.values() for f in group if f.name not in compiled]
    front = [f for f in everything if f.name.startswith(FRONT_PAGE)]
    pages = {
        ROOT / "docs" / "benchmarks.md": "\n\n".join((lines, *parts)),
        ROOT / "README.md": f"{FRONT}\n\n{report.as_markdown(front)}\n\n{lines}",
    }
    for page, content in pages.items():
        page.write_text(report.replace_section(page.read_text(), "benchmarks", content))
        print(f"Wrote the tables into {page.relative_to(ROOT)}.")


if __name__ == "__main__":
    sys.exit(main())
