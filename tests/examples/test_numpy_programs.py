"""Programs that know nothing of gradatim: staged as they are, they give NumPy's results."""

from __future__ import annotations

import numpy as np
import pytest

import gradatim as gd
from examples.numpy_programs.programs import PROGRAMS, Program

every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
differentiable = pytest.mark.parametrize(
    "program", [p for p in PROGRAMS if p.loss], ids=lambda p: p.name
)


@every_program
def test_staged_as_it_is_it_gives_what_numpy_gives(program: Program):
    inputs = program.inputs()
    before = [np.copy(x) for x in gd.tree.leaves(inputs)]
    expected = program.run(*inputs)
    found = gd.stage(program.run)(*inputs)
    for a, b in zip(gd.tree.leaves(found), gd.tree.leaves(expected), strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    for a, b in zip(gd.tree.leaves(inputs), before):
        np.testing.assert_array_equal(a, b)  # arguments are left as they are


@differentiable
def test_its_gradient_is_that_of_differences(program: Program):
    first, *others = program.inputs()
    assert program.loss is not None
    slopes = gd.tree.leaves(gd.grad(program.loss)(first, *others))
    leaves, structure = gd.tree.flatten(first)
    random = np.random.default_rng(0)
    for _ in range(3):
        direction = [random.normal(size=x.shape) for x in leaves]
        values = []
        for step in (1e-6, -1e-6):
            moved = structure.unflatten([x + step * d for x, d in zip(leaves, direction)])
            values.append(program.loss(moved, *others))
        expected = (values[0] - values[1]) / 2e-6
        found = sum(np.sum(s * d) for s, d in zip(slopes, direction))
        np.testing.assert_allclose(found, expected, rtol=2e-5)


@differentiable
def test_forward_mode_agrees_with_reverse_mode(program: Program):
    first, *others = program.inputs()
    assert program.loss is not None
    random = np.random.default_rng(1)
    direction = gd.tree.map(lambda x: random.normal(size=x.shape), first)
    slopes = gd.grad(program.loss)(first, *others)
    _, tangent = gd.jvp(lambda x: program.loss(x, *others), (first,), (direction,))
    pairs = zip(gd.tree.leaves(slopes), gd.tree.leaves(direction))
    np.testing.assert_allclose(tangent, sum(np.sum(s * d) for s, d in pairs), rtol=1e-10)
