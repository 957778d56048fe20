"""Times workloads in a process of one other library and gradatim, in alternation.

``python -m benchmarks.pair PACKAGE SECONDS NAME...`` prints a JSON object: by workload and peer,
the minimum, the median and the number of runs.

There is one process for each package because the thread pools of several libraries get in each
other's way: idle workers spin for a while before they sleep. With JAX, NumPy and PyTorch in one
process on two cores, JAX took three times as long, and NumPy and PyTorch up to a hundred times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence

from .peers import PEERS
from .timing import Sample
from .workload import OURS, Workload
from .workloads import GROUPS

Samples = dict[str, dict[str, Sample]]
"""By workload and peer; the time to compile stands under the workload's name and ``COMPILE``."""

COMPILE = "-compile"

COMPILATIONS = 5
"""How often a workload is compiled to be timed."""

WORKLOADS: dict[str, Workload] = {w.name: w for group in GROUPS.values() for w in group}


def measure_beside(
    package: str, names: Sequence[str], seconds: float, root: str, *, alone: bool = False
) -> Samples:
    """Time workloads beside the peers of a package, in a new process.

    If ``alone``, what no other library can do is timed there too.
    """
    wanted = [
        name
        for name in names
        if _peers_of(package, WORKLOADS[name]) or (alone and WORKLOADS[name].peers == (OURS,))
    ]
    if not wanted:
        return {}
    command = [sys.executable, "-m", "benchmarks.pair", package, str(seconds), *wanted]
    output = subprocess.run(
        command,
        cwd=root,
        env=os.environ | {"GRADATIM_CACHE": "0"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return {
        name: {peer: Sample(*values) for peer, values in samples.items()}
        for name, samples in json.loads(output).items()
    }


def _peers_of(package: str, workload: Workload) -> list[str]:
    return [peer for peer in workload.peers if PEERS[peer].package == package]


def _main(package: str, seconds: str, *names: str) -> None:
    samples = {}
    for name in names:
        print(f"  {name}, {package} ...", file=sys.stderr, flush=True)
        workload = WORKLOADS[name]
        peers = dict.fromkeys([OURS, *_peers_of(package, workload)])
        samples[name] = workload.measure(peers, float(seconds))
        if workload.compile_target is not None:
            compiled = workload.measure_compilation(peers, COMPILATIONS)
            samples[f"{name}{COMPILE}"] = compiled
    print(json.dumps(samples))


if __name__ == "__main__":
    _main(*sys.argv[1:])
