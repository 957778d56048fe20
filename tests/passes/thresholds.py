"""Bounds of the passes, so low that the small programs of tests cross them.

Passes leave alone what takes little time: they measure programs of a few elements against bounds of
some hundred microseconds. `low` sets the bounds such that what is done to long programs is done to
short ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any, Final
from unittest.mock import patch

from gradatim.ir.kernel import registers
from gradatim.passes.fusion import grouping, pack, products, roles, schedule, target
from gradatim.passes.lanes import split
from gradatim.passes.lowering import chunks, contraction, edges, fusion, tiles
from gradatim.passes.lowering.lower_to_loops import KernelLowerToLoops
from gradatim.passes.split_short import choice

LITTLE: Final = 1e-9

BOUNDS: Final[dict[str, list[tuple[Any, str, Any]]]] = {
    "registers": [(m, "MAX_ELEMENTS", 1) for m in (registers, roles, choice)],
    "lanes": [
        (split, "SPLIT_MICROSECONDS", 0.0),
        (split, "CHUNK_MICROSECONDS", LITTLE),
        (split, "CHUNK_LANES", 1),
    ],
    "threads": [
        (target.Target.__new__, "__defaults__", (0.0,)),
        (target, "PARALLEL_ROWS", 2),
    ],
    "chunks": [(chunks.split, "__defaults__", (1, 1, chunks.MOST_CHUNKS))],
    "partial results": [(fusion, "_WORK_PER_PARTIAL", 1), (fusion, "_ENOUGH_ITERATIONS", 2)],
    "steps": [(schedule, "MIN_PARALLEL_STEPS", 2), (schedule, "STEPS_MICROSECONDS", LITTLE)],
    "packing": [(pack, "PACKING_ROWS", 1)],
    "product loops": [(products, "LEAST_ROWS", 1)],
    "near operands": [
        (products, "WIDE", products.WIDE._replace(near=0)),
        (products, "NARROW", products.NARROW._replace(near=0)),
    ],
    "library": [(products, "GEMM_PRODUCTS", 0)],
    "calls of products": [(tiles, "INLINE_PRODUCTS", 0)],
    "chunks of products": [
        (contraction, "PANEL_PRODUCTS", 1),
        (contraction, "LOOP_PRODUCTS", 1),
        (contraction, "PANEL_LINES", 2),
        (contraction, "HALVED_LINES", 2),
        (contraction, "PANEL_MULTIPLE", 1),
    ],
    "components": [(choice, "WORK_PER_CROSSING", LITTLE), (choice, "WORK_OF_LONGEST", LITTLE)],
    "edges": [(edges, "MIN_ELEMENTS", 1)],
    "groups": [(grouping, "MAX_OPS", 6), (grouping, "MIN_OPS", 3), (grouping, "MIN_ROWS", 2)],
    "rows": [(grouping, "ROW_BYTES", 64)],
    "functions": [(KernelLowerToLoops.__init__, "__defaults__", (1,))],
}
"""What each bound is when it is low, and where it is kept."""

SELDOM: Final = frozenset({"near operands", "groups", "rows", "functions"})
"""What keeps others from taking part."""


@contextmanager
def low(random: Random) -> Iterator[None]:
    """Have most bounds low, by chance, while the passes of one program run."""
    with ExitStack() as stack:
        for name, patches in BOUNDS.items():
            if random.random() < (0.25 if name in SELDOM else 0.75):
                for place, attribute, value in patches:
                    stack.enter_context(patch.object(place, attribute, value))
        yield
