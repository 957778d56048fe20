"""Lanes of loops on several threads: results are those of the reference semantics, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects import scf

import gradatim as gd
from gradatim import lax
from gradatim.ir.functions import find_function
from gradatim.ir.text import parse_module
from gradatim.passes.bufferize.bufferize import KernelBufferize
from gradatim.passes.fusion.fuse import ArrayFuse
from gradatim.passes.lanes import split
from gradatim.passes.lanes.loops import LoopLanes
from gradatim.passes.lanes.split import KernelSplitLanes, chunks_of
from gradatim.passes.pipeline import check_against, run_passes, verify

RANDOM = np.random.default_rng(0)
STEPS, LANES, WIDTH = 9, 32, 20
H = RANDOM.standard_normal((LANES, WIDTH))
XS = RANDOM.standard_normal((STEPS, LANES, WIDTH))
W = RANDOM.standard_normal((WIDTH, WIDTH)) / 4
B = RANDOM.standard_normal(WIDTH)


@pytest.fixture(autouse=True)
def _split_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Split loops however short they are."""
    monkeypatch.setattr(split, "SPLIT_MICROSECONDS", 0.0)
    monkeypatch.setattr(split, "CHUNK_MICROSECONDS", 1e-9)


def splits(f, *arguments, passes=()) -> int:
    """Check the pass on a program, and return how many loops it split."""
    text = gd.stage(f).lower(*arguments).as_text("array")
    module = parse_module(text)
    name = "f"
    hooks = [verify, check_against(name, arguments)]
    run_passes(module, [ArrayFuse(), KernelBufferize(), KernelSplitLanes()], hooks)
    function = find_function(module, name)
    return sum(isinstance(op, scf.ParallelOp) for op in function.walk())


def named(step):
    """Return the scan of a step as a function ``f``."""

    def f(h, xs, w, b):
        return lax.scan(lambda h, x: step(h, x, w, b), h, xs)

    return f


def recurrent(h, x, w, b):
    h = np.tanh(h @ w + x + b)
    return h, h


def sums_of_lanes(h, x, w, b):
    total = np.sum(h, axis=1, keepdims=True)
    return h * 0.5 + x - total / WIDTH, total[:, 0]


def parts(h, x, w, b):
    """Slices, padding, joining and reversing along what is not a lane."""
    left, right = h[:, :8], h[:, 8:]
    joined = np.concatenate([right, np.pad(left, ((0, 0), (1, 0)))[:, :-1]], axis=1)
    return joined[:, ::-1] + x, np.max(x, axis=1)


def numbered(h, x, w, b):
    """Numbers of columns are the same in all lanes; those of lanes are read from memory."""
    columns, lanes = (np.arange(n, dtype=h.dtype) for n in (WIDTH, LANES))
    return h + columns * x + lanes[:, None], None


def swapped(h, x, w, b):
    """What is carried is read in another order, so that two buffers change places."""
    return h[:, ::-1] + x, None


APART = [recurrent, sums_of_lanes, parts, numbered, swapped]


@pytest.mark.parametrize("step", APART)
def test_lanes_apart(step):
    assert splits(named(step), H, XS, W, B) == 1


def meeting_sum(h, x, w, b):
    return h - np.sum(h, axis=0), None


def meeting_order(h, x, w, b):
    return h[::-1] + x, None


def meeting_shift(h, x, w, b):
    return np.concatenate([h[1:], h[:1]]) + x, None


def meeting_product(h, x, w, b):
    return h + 0.01 * (h @ h.T @ x), None


MEETING = [meeting_sum, meeting_order, meeting_shift, meeting_product]


@pytest.mark.parametrize("step", MEETING)
def test_lanes_that_meet(step):
    assert splits(named(step), H, XS, W, B) == 0


def test_callbacks_see_all_lanes():
    """Also one whose result is used by nobody, which must not vanish."""
    seen = []

    def step(h, x, w, b):
        gd.debug.callback(lambda h: seen.append(h.shape), h)
        return np.tanh(h) + x, None

    f = named(step)
    got = gd.stage(f)(H, XS, W, B)[0]
    assert seen == [(LANES, WIDTH)] * STEPS
    want = named(lambda h, x, w, b: (np.tanh(h) + x, None))(H, XS, W, B)[0]
    np.testing.assert_allclose(got, want, rtol=1e-9)


def test_shared_array_of_as_many_rows():
    """A square matrix that all lanes read has rows which are no lanes."""
    square = RANDOM.standard_normal((LANES, LANES)) / 6

    def f(h, w):
        return lax.fori_loop(0, STEPS, lambda i, h: np.tanh(h @ w), h)

    assert splits(f, square.copy(), square) <= 1


def test_no_lanes_without_rows_to_share():
    assert chunks_of(lanes_like(7, 1e6)) == 1
    assert chunks_of(lanes_like(32, 1e6)) == 4
    assert chunks_of(lanes_like(100, 1e6)) == 10
    assert chunks_of(lanes_like(96, 1e6, tile=6)) == 8
    assert chunks_of(lanes_like(97, 1e6)) == 1


class lanes_like(LoopLanes):
    """Lanes of a given number."""

    count = 0

    def __init__(self, count: int, microseconds: float, tile: int = 1) -> None:
        super().__init__(microseconds=microseconds, tile=tile)
        self.count = count


@pytest.mark.parametrize("step", [*APART, *MEETING])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-3)])
def test_compiled(step, dtype, tolerance):
    """Also where a chunk has fewer lanes than a vector."""
    f = named(step)
    arguments = [array.astype(dtype) for array in (H, XS, W, B)]
    got, want = gd.stage(f)(*arguments), f(*arguments)
    for g, e in zip(got, want):
        if e is not None:
            np.testing.assert_allclose(g, e, rtol=tolerance, atol=tolerance)


def test_several_loops_in_a_loop():
    """Lanes go through loops within; what an outer loop carries may change places."""

    def f(h, w):
        def inner(_, g):
            return np.tanh(g @ w)

        def outer(h, _):
            g = lax.fori_loop(0, 3, inner, h)
            return g[:, ::-1] + h, None

        return lax.scan(outer, h, None, length=STEPS)[0]

    splits(f, H, W)
    np.testing.assert_allclose(gd.stage(f)(H, W), f(H, W), rtol=1e-9)


@pytest.mark.parametrize("step", APART)
def test_compiled_gradients(step, monkeypatch: pytest.MonkeyPatch):
    """The loop back is split too; what it sums over lanes is computed outside."""
    f = named(step)

    def loss(h, xs, w, b):
        return np.sum(f(h, xs, w, b)[0] ** 2)

    arguments = (H, XS, W, B)
    got = gd.grad(loss, (0, 1, 2, 3))(*arguments)
    monkeypatch.setattr(split, "SPLIT_MICROSECONDS", np.inf)
    monkeypatch.setenv("GRADATIM_CACHE", "0")
    want = gd.grad(loss, (0, 1, 2, 3))(*arguments)
    for g, e in zip(got, want):
        np.testing.assert_allclose(g, e, rtol=1e-9, atol=1e-9)
