"""Loops that are split where padding, joined arrays and replaced windows begin."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from xdsl.dialects import scf

from gradatim.ir.kernel.schedule import Schedule
from gradatim.passes.lowering import chunks, edges

from .lowered import check, in_orders, lowered

RANDOM = np.random.default_rng(28)
I64 = np.dtype(np.int64)
F64 = np.dtype(np.float64)


@pytest.fixture(autouse=True)
def _split_small_loops(monkeypatch):
    monkeypatch.setattr(edges, "MIN_ELEMENTS", 0)


def draw(*shape):
    return RANDOM.normal(size=shape)


def schedules(rank):
    for vector, rows in product((1, 4, 8), range(rank)):
        outer = tuple(range(rows))
        yield Schedule(rows=outer, vector=vector)
        yield Schedule(rows=outer, parallel=outer or tuple(range(rank)), vector=vector)


def number(b, value):
    return b.full((), F64, value)


def padded(b, x, low, high):
    return b.pad(x, number(b, 3), low, high)


def stencil(b, x):
    """Each element plus its neighbours, beyond the edge of which there are zeros."""
    terms = [
        padded(b, x, [1 + d, 1 + e], [1 - d, 1 - e])
        for d, e in [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    ]
    total = terms[0]
    for term in terms[1:]:
        total = b.add(total, term)
    return total


@pytest.mark.parametrize("shape", [(40, 40), (38, 62), (9, 70), (70, 9), (3, 3), (1, 90)])
def test_stencils(shape):
    for schedule in schedules(2):
        check(stencil, draw(*shape), schedule=schedule)


LINES = {
    "in front": lambda b, x: padded(b, x, [5], [0]),
    "behind": lambda b, x: padded(b, x, [0], [1]),
    "far": lambda b, x: padded(b, x, [70], [0]),
    "cut": lambda b, x: padded(b, x, [-3], [9]),
    "reversed": lambda b, x: b.reverse(padded(b, x, [7], [2]), [0]),
    "of reversed": lambda b, x: padded(b, b.reverse(x, [0]), [7], [2]),
    "spread": lambda b, x: b.pad(x, number(b, 0), [2], [2], [1]),
    "of every other": lambda b, x: b.slice(padded(b, x, [7], [2]), [0], [70], [2]),
    "joined": lambda b, x: b.concatenate([b.slice(x, [60], [67]), b.exp(x), x], 0),
    "halves": lambda b, x: b.concatenate([b.exp(x), x], 0),
    "reversed halves": lambda b, x: b.reverse(b.concatenate([b.exp(x), x], 0), [0]),
    "replaced": lambda b, x: b.dynamic_update_slice(
        b.sin(x), b.exp(b.slice(x, [0], [60])), [b.full((), I64, 3)]
    ),
    "replaced little": lambda b, x: b.dynamic_update_slice(
        b.sin(x), b.exp(b.slice(x, [0], [2])), [b.full((), I64, 60)]
    ),
    "replaced at positions that are moved": lambda b, x: b.dynamic_update_slice(
        b.reshape(b.sin(x), (1, 67)),
        b.reshape(b.exp(b.slice(x, [0], [60])), (1, 60)),
        [b.full((), I64, n) for n in (2, 99)],
    ),
    "as a row": lambda b, x: b.reshape(padded(b, x, [7], [2]), (1, 76)),
}


@pytest.mark.parametrize("build", LINES.values(), ids=LINES)
@pytest.mark.parametrize("vector", [1, 4, 16])
def test_lines(build, vector):
    x = draw(67)
    check(lambda b, x: b.neg(build(b, x)), x, schedule=Schedule(vector=vector))
    both = Schedule(vector=vector, parallel=(0,))
    check(lambda b, x: [b.neg(build(b, x)), b.exp(build(b, x))], x, schedule=both)


def test_a_row_keeps_what_it_reduces_apart():
    """What a row computed is not what another one did, whether at an edge or not."""

    def normalized(b, x):
        wide = padded(b, x, [2, 3], [1, 0])
        shape = tuple(n + 3 for n in x.type.get_shape())
        most = b.broadcast(b.reduce("max", wide, [1]), shape, [0])
        parts = b.exp(b.sub(wide, most))
        total = b.broadcast(b.reduce("add", parts, [1]), shape, [0])
        return [b.div(parts, total), b.reduce("add", wide, [1])]

    for vector in (1, 8):
        check(normalized, draw(20, 33), schedule=Schedule(rows=(0,), vector=vector))


def test_sums_over_rows_and_over_everything():
    def sums(b, x):
        wide = padded(b, b.exp(x), [2, 3], [1, 0])
        return [b.reduce("add", wide, [0]), b.mul(wide, wide)]

    def total(b, x):
        return b.reduce("add", padded(b, b.exp(x), [2, 3], [1, 0]), [0, 1])

    for vector in (1, 8):
        check(sums, draw(20, 33), schedule=Schedule(rows=(0,), vector=vector))
        check(total, draw(20, 33), schedule=Schedule(vector=vector))


def test_the_order_of_the_chunks_of_an_interior_does_not_matter():
    x = draw(200, 300)
    for schedule in (
        Schedule(rows=(0,), parallel=(0,), vector=8),
        Schedule(parallel=(0, 1), vector=8),
    ):
        forward, backward, together = in_orders(stencil, [x], schedule)
        for one, other, third in zip(forward, backward, together, strict=True):
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(one, third)


def test_the_interior_asks_no_questions():
    """Rows are told apart once; in the interior's inner loops there is nothing to decide."""
    module = lowered(stencil, [draw(40, 40)], Schedule(rows=(0,), vector=8))
    (outer,) = [op for op in module.walk() if isinstance(op, scf.IfOp) and op.results == ()]
    interior = outer.true_region
    loops = [op for op in interior.walk() if isinstance(op, scf.ForOp)]
    assert len(loops) == 1
    names = {op.name for op in loops[0].walk()}
    assert not names & {"scf.if", "arith.cmpi", "arith.select", "vector.maskedload"}


def test_small_loops_are_not_split(monkeypatch):
    monkeypatch.setattr(edges, "MIN_ELEMENTS", 1024)
    module = lowered(stencil, [draw(9, 9)], Schedule(rows=(0,), vector=8))
    assert len([op for op in module.walk() if isinstance(op, scf.ForOp)]) == 2


def test_vectors_of_the_interior_lie_in_lines_of_the_cache():
    """If rows do, the interior begins with a whole vector, not right behind an edge."""
    module = lowered(stencil, [draw(38, 62)], Schedule(rows=(0,), vector=8))
    (outer,) = [op for op in module.walk() if isinstance(op, scf.IfOp) and op.results == ()]
    (loop,) = [op for op in outer.true_region.walk() if isinstance(op, scf.ForOp)]
    bounds = [value.owner.value.value.data for value in (loop.lb, loop.ub, loop.step)]
    assert bounds == [8, 56, 8]


@pytest.mark.parametrize("rows", [8, 12, 20])
def test_edges_of_one_column_in_chunks_of_rows(monkeypatch, rows):
    """Vectors then run along the rows, of which a chunk is to have whole vectors."""
    monkeypatch.setattr(chunks.split, "__defaults__", (1, 3, 128))

    def sums(b, x):
        return b.add(padded(b, x, [0, 1], [0, -1]), padded(b, x, [0, -1], [0, 1]))

    check(sums, draw(rows, 9), schedule=Schedule(parallel=(0,), vector=4))
