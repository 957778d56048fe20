"""Large arrays that steps of a loop change in place although they read parts of them elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects import scf
from xdsl.dialects.builtin import MemRefType

import gradatim as gd

EVEN, UNEVEN, SMALL = (192, 256), (513, 515), (40, 48)
STEPS = 5


def shortest(i, d):
    return np.minimum(d, d[:, i, None] + d[None, i, :])


def eliminated(i, d):
    factor = np.where(np.arange(len(d)) > i, d[:, i] / d[i, i], 0)
    return d - factor[:, None] * d[i]


def scaled(i, d):
    return d / d[i, i] + d[0] * d[-1]


def of_an_expression(i, d):
    return d + np.sin(d * 2)[i]


def every_other(i, d):
    return d * 0.5 + np.concatenate([d[i, ::2], d[i, ::2][: d.shape[1] // 2]])[: d.shape[1]]


def mirrored(i, d):
    return d * 0.5 + d[::-1] + d[i]


def turned(i, d):
    return d.reshape(-1)[::-1].reshape(d.shape) * d[i] + d


def diagonal(i, d):
    n = min(d.shape)
    return d + np.pad(d[np.arange(n), np.arange(n)], (0, d.shape[1] - n))


def needed_after(i, d):
    following = d * 0.5 + d[i]
    return following + np.sort(d, axis=1)[:, :1] * np.max(following)


BODIES = (
    shortest,
    eliminated,
    scaled,
    of_an_expression,
    every_other,
    mirrored,
    turned,
    diagonal,
    needed_after,
)


def counted(body, shape):
    def run(x):
        return gd.lax.fori_loop(0, STEPS, body, x)

    return run, np.random.default_rng(3).uniform(1, 2, shape)


def open_ended(body, shape):
    def run(x):
        def step(carry):
            i, x = carry
            return i + 1, body(i, x)

        return gd.lax.while_loop(lambda carry: carry[0] < STEPS, step, (0, x))[1]

    return run, np.random.default_rng(4).uniform(1, 2, shape)


def moves(run, x) -> bool:
    """Tell whether a loop carries where an array is, since that changes."""
    module = gd.stage(run).lower(x)._modules["loop"]
    loops = [op for op in module.walk() if isinstance(op, scf.ForOp | scf.WhileOp)]
    return any(isinstance(v.type, MemRefType) for op in loops for v in op.results)


@pytest.mark.parametrize("shape", [EVEN, UNEVEN, SMALL], ids=str)
@pytest.mark.parametrize("loop", [counted, open_ended])
@pytest.mark.parametrize("body", BODIES)
def test_steps_read_what_was_there_before(body, loop, shape):
    run, x = loop(body, shape)
    expected = x.copy()
    for i in range(STEPS):
        expected = body(i, expected)
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(gd.stage(run)(x), expected, rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("body", [shortest, eliminated, scaled, of_an_expression, diagonal])
@pytest.mark.parametrize("loop", [counted, open_ended])
@pytest.mark.parametrize("shape", [EVEN, UNEVEN], ids=str)
def test_large_arrays_stay_where_they_are(body, loop, shape):
    assert not moves(*loop(body, shape))


def test_others_take_turns():
    assert moves(*counted(mirrored, EVEN))


@pytest.mark.parametrize("body", [shortest, eliminated])
def test_passes_keep_the_meaning(body):
    run, x = counted(body, EVEN)
    gd.stage(run).compile(x, check="each-pass")


@pytest.mark.parametrize("body", [shortest, eliminated])
def test_batches(body):
    run, x = counted(body, EVEN)
    several = np.stack([x, x * 2, x + 1])
    found = gd.stage(run).vmap()(several)
    for i, each in enumerate(several):
        np.testing.assert_allclose(found[i], gd.stage(run)(each), rtol=1e-12)
