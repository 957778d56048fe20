"""Scans of which reverse mode keeps the carry of some steps only."""

from __future__ import annotations

import numpy as np
import pytest

import gradatim as gd
from gradatim import lax

XS = np.linspace(0.1, 0.9, 12)


def step(carry, x):
    position, speed = carry
    speed = speed - 0.1 * np.sin(position) * x
    return (position + speed, speed), position * speed


def summed(xs, **options):
    (position, speed), ys = lax.scan(step, (0.5, 1.0), xs, **options)
    return position * speed + (ys * np.arange(len(ys))).sum()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("every", [1, 3, 5, 12, 20])
class TestValues:
    def test_they_and_their_derivatives_are_those_of_a_scan(self, every, reverse):
        def segmented(xs):
            return summed(xs, reverse=reverse, checkpoint_every=every)

        def plain(xs):
            return summed(xs, reverse=reverse)

        for size in (0, 1, 12):
            xs = XS[:size]
            for transform in (gd.value_and_grad, gd.hessian):
                found, wanted = transform(segmented)(xs), transform(plain)(xs)
                for a, b in zip(gd.tree.leaves(found), gd.tree.leaves(wanted), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)

    def test_batches(self, every, reverse):
        batch = np.stack([XS, 2 * XS, -XS])
        gradient = gd.grad(lambda xs: summed(xs, reverse=reverse, checkpoint_every=every))
        plain = gd.grad(lambda xs: summed(xs, reverse=reverse))
        expected = np.stack([plain(xs) for xs in batch])
        np.testing.assert_allclose(gd.vmap(gradient)(batch), expected, rtol=1e-12, atol=1e-13)


def test_steps_without_elements():
    def power(x, **options):
        return lax.scan(lambda c, _: (c * x, None), 1.0, None, 7, **options)[0]

    assert np.isclose(gd.grad(lambda x: power(x, checkpoint_every=3))(1.5), 7 * 1.5**6)


def test_less_is_kept():
    def last(x, **options):
        return lax.scan(lambda c, _: (np.sin(c), None), x, None, 100, **options)[0].sum()

    def kept(**options):
        gradient = gd.stage(lambda x: last(x, **options)).grad()
        return str(gradient.lower(np.ones(7)).as_text("array"))

    assert "tensor<100x7xf64>" in kept()
    assert "tensor<100x7xf64>" not in kept(checkpoint_every=10)
    assert "tensor<10x7xf64>" in kept(checkpoint_every=10)


def test_none_between_is_refused():
    with pytest.raises(TypeError, match="checkpoint_every must be at least 1: 0"):
        summed(XS, checkpoint_every=0)
