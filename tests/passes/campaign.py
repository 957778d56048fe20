"""Many random programs with loops and branches, compiled and run, against the interpreter.

The tests draw some hundred such programs; this runs as many as there is time for:

    python -m tests.passes.campaign --seeds 0:10000 --processes 2

Each seed is one program, which is compiled as it is and after each of some passes. What differs,
and what cannot be compiled, is printed with its seed; so is what crashes and what does not end, for
programs run in a process of their own. `check` runs one of them again.

Programs run on one thread and on three, and with the chunks of parallel loops in reverse order, on
whole numbers and on others: the results have to be the same bits. As small programs are not split
among threads, this says something with ``--thresholds low``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random
from typing import Final, NamedTuple
from unittest.mock import patch

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel import registers
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.fusion import roles
from gradatim.passes.pipeline import Options, kernel_pipeline, loop_pipeline, passes_to, run_passes

from . import thresholds
from .batch_programs import BATCHES, BatchMaker, rough
from .differentiation import is_inexact
from .kernels import CONTEXT, equal
from .loop_programs import LARGE, WHOLE, LoopMaker
from .lowered import CompiledModule, orders, thread_count
from .programs import Program, Style
from .test_batching import batch_of

OPTIONS: Final = Options(vector_bits=256)
BLOCK: Final = 50
"""So many seeds are one piece of work."""

SECONDS: Final = 60.0
"""A program that takes longer does not end; most take some hundredths."""


class Programs(NamedTuple):
    """Where programs come from: the style of their values, and how many steps they have at most.

    With low thresholds, passes do to them what they do to long programs.
    """

    style: Style
    steps: int
    maker: type[LoopMaker] = LoopMaker
    low: bool = False

    def of(self, seed: int) -> Program:
        """Return the program of a seed."""
        return self.maker(Random(seed), self.style).make(1 + seed % self.steps)


PROGRAMS: Final = {
    "small": Programs(WHOLE, 4),
    "large": Programs(LARGE, 6),
    "batches": Programs(BATCHES, 6, BatchMaker),
}
"""By what they compute with."""


# What is done to a program before it is compiled


def _itself(program: Program, random: Random) -> Program:
    return program


def _pushed(program: Program, random: Random) -> Program | None:
    """The program's derivative along whole numbers, in forward mode."""
    function, arguments = program
    argnums = [i for i, a in enumerate(arguments) if is_inexact(a)]
    if not argnums:
        return None
    tangents = [_whole(arguments[i], random) for i in argnums]
    return Program(jvp(function, argnums), [*arguments, *tangents])


def _pulled(program: Program, random: Random) -> Program | None:
    """The program's derivative in reverse mode."""
    function, arguments = program
    argnums = [i for i, a in enumerate(arguments) if is_inexact(a)]
    outputs = [y for y in _interpreted(program) if is_inexact(y)]
    if not argnums or not outputs:
        return None
    return Program(vjp(function, argnums), [*arguments, *(_whole(y, random) for y in outputs)])


def _batched(program: Program, random: Random) -> Program:
    """The program on a batch of one to three examples."""
    function, arguments = program
    size = random.randint(1, 3)
    in_axes = [random.randint(-1, a.ndim) for a in arguments]
    if all(axis == -1 for axis in in_axes):
        in_axes[0] = 0
    out_axes = [0] * len(function.function_type.outputs)
    batches = [batch_of(a, size, axis) for a, axis in zip(arguments, in_axes)]
    return Program(vmap(function, size, in_axes, out_axes), batches)


def _batched_derivative(program: Program, random: Random) -> Program | None:
    pulled = _pulled(program, random)
    return None if pulled is None else _batched(pulled, random)


def _whole(like: np.ndarray, random: Random) -> np.ndarray:
    numbers = [random.randint(-2, 2) for _ in range(like.size)]
    return np.array(numbers, like.dtype).reshape(like.shape)


class Variant(NamedTuple):
    """How programs are changed and compiled.

    Attributes:
        change: gives the program to compile; None if there is none.
        simplify: whether the passes that simplify run too.
        elements: how large arrays may be that are kept in registers, if not as they mostly are.
        tolerance: how much results may differ, relative to the largest number.
    """

    change: Callable[[Program, Random], Program | None] = _itself
    simplify: bool = True
    elements: int | None = None
    tolerance: float = 0.0


VARIANTS: Final[dict[str, Variant]] = {
    "plain": Variant(simplify=False),
    "simplified": Variant(),
    "in-memory": Variant(elements=1),
    "plain-in-memory": Variant(simplify=False, elements=1),
    "jvp": Variant(_pushed, tolerance=1e-9),
    "vjp": Variant(_pulled, tolerance=1e-9),
    "vmap": Variant(_batched),
    "vmap-vjp": Variant(_batched_derivative, tolerance=1e-9),
}
"""By their names."""


def check(seed: int, name: str, programs: Programs = PROGRAMS["small"]) -> None:
    """Assert that a program, changed and compiled, gives what the interpreter gives."""
    variant = VARIANTS[name]
    changed = variant.change(programs.of(seed), Random(seed))
    if changed is None:
        return
    expected = _interpreted(changed)
    module = _lowered(changed, variant, Random(f"{seed} {name}") if programs.low else None)
    code = CompiledModule(module)
    arguments = [np.ascontiguousarray(a).reshape(a.shape) for a in changed.arguments]
    found = _same_in_all_orders(code, arguments, expected)
    for got, wanted in zip(found, expected, strict=True):
        finite = np.abs(wanted[np.isfinite(wanted)])
        scale = variant.tolerance * float(np.max(finite, initial=1))
        np.testing.assert_allclose(got, wanted, rtol=variant.tolerance, atol=scale)
    if "@gd.parallel" in code.text:
        _same_in_all_orders(code, rough(arguments), expected)


def _lowered(program: Program, variant: Variant, low: Random | None) -> ModuleOp:
    """Return a program at the loop level, by passes whose thresholds may be low."""
    module = ModuleOp([program.function.clone()])
    plain = (*kernel_pipeline(OPTIONS), *loop_pipeline(OPTIONS))
    with ExitStack() as stack:
        if low is not None:
            stack.enter_context(thresholds.low(low))
        for place in (registers, roles) if variant.elements is not None else ():
            stack.enter_context(patch.object(place, "MAX_ELEMENTS", variant.elements))
        passes = passes_to("loop", OPTIONS) if variant.simplify else plain
        run_passes(module, passes, [], CONTEXT)
    return module


def _same_in_all_orders(
    code: CompiledModule, arguments: Sequence[np.ndarray], like: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return the results on one thread; those on three have to be the same, as in reverse order."""
    with thread_count(1):
        found = code.run(arguments, like)
    if "@gd.parallel" in code.text:
        with thread_count(3):
            others = {"three threads": code.run(arguments, like)}
        others["the reverse order"] = code.run(arguments, like, orders()[1])
        for way, results in others.items():
            assert all(map(equal, results, found)), f"other bits by {way}"
    return found


def _interpreted(program: Program) -> list[np.ndarray]:
    function: FuncOp = program.function
    with np.errstate(all="ignore"):
        return Interpreter(ModuleOp([])).run_function(function, program.arguments)


# Many of them


class Failure(NamedTuple):
    """A program that does not do what it should."""

    seed: int
    variant: str
    message: str


def failures_of(
    seeds: Sequence[int], variants: Sequence[str], programs: Programs = PROGRAMS["small"]
) -> list[Failure]:
    """Return which of some programs fail."""
    found = []
    for seed in seeds:
        for name in variants:
            try:
                check(seed, name, programs)
            except Exception as error:
                message = f"{type(error).__name__}: {error}".strip()
                found.append(Failure(seed, name, " ".join(message.split())[:200]))
    return found


def campaign(
    seeds: range, variants: Sequence[str], programs: Programs, processes: int
) -> Iterator[Failure]:
    """Yield the programs that fail, in no certain order."""
    blocks = [seeds[i : i + BLOCK] for i in range(0, len(seeds), BLOCK)]
    with ThreadPoolExecutor(processes) as pool:
        running = [pool.submit(_watched, block, variants, programs) for block in blocks]
        for done in as_completed(running):
            yield from done.result()


def _watched(seeds: Sequence[int], variants: Sequence[str], programs: Programs) -> list[Failure]:
    """Return which programs fail in processes of their own; after a crash the next one goes on."""
    todo = [(seed, name) for seed in seeds for name in variants]
    found = []
    context = get_context("forkserver")
    while todo:
        near, far = context.Pipe(duplex=False)
        process = context.Process(target=_report, args=(todo, programs, far))
        process.start()
        far.close()
        try:
            while todo and near.poll(SECONDS):
                found += near.recv()
                todo.pop(0)
            reason = f"does not end within {SECONDS} seconds"
        except EOFError:
            process.join()
            reason = f"the process ended by {process.exitcode}"
        if todo:
            found.append(Failure(*todo.pop(0), reason))
        process.kill()
        process.join()
    return found


def _report(todo: Sequence[tuple[int, str]], programs: Programs, far: Connection) -> None:
    """Send the failures of each program, in order."""
    for seed, name in todo:
        far.send(failures_of([seed], [name], programs))


def main() -> int:
    """Run a campaign from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", default="0:1000", help="first:end")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--programs", default="small", choices=PROGRAMS)
    parser.add_argument("--thresholds", default="usual", choices=["usual", "low"])
    options = parser.parse_args()
    programs = PROGRAMS[options.programs]._replace(low=options.thresholds == "low")
    seeds = range(*map(int, options.seeds.split(":")))
    count = 0
    for failure in campaign(seeds, options.variants, programs, options.processes):
        count += 1
        print(*failure, flush=True)
    print(f"{len(seeds)} seeds, {count} failures")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
