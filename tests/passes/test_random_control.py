"""Random programs with loops and branches in each other: simplified, batched, differentiated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradatim.ir.checks import check_function
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.simplify.canonicalize import canonicalize, walk

from ..ir.test_every_op import same_bits
from .differentiation import is_inexact, pairing, random_like, run
from .loop_programs import loop_programs
from .programs import Program
from .test_batching import batch_of, loop
from .test_simplify import PASSES


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=100, deadline=None)
@given(program=loop_programs(8))
def test_simplification_keeps_bits_and_is_done(name: str, program: Program):
    function, arguments = program
    before = run(function, *arguments)
    PASSES[name](function)
    function.verify()
    after = run(function, *arguments)
    assert all(map(same_bits, after, before))
    once = str(function)
    PASSES[name](function)
    assert str(function) == once
    if name == "canonicalize":
        assert not walk(function).changed


@settings(max_examples=100, deadline=None)
@given(program=loop_programs(8), data=st.data())
def test_vmap(program: Program, data: st.DataObject):
    function, arguments = program
    size = data.draw(st.integers(1, 3))
    in_axes = [data.draw(st.integers(-1, a.ndim)) for a in arguments]
    if all(axis == -1 for axis in in_axes):
        in_axes[0] = 0
    results = run(function, *arguments)
    batches = [batch_of(a, size, axis) for a, axis in zip(arguments, in_axes)]
    out_axes = [0] * len(results)
    batched = vmap(function, size, in_axes, out_axes)
    batched.verify()
    expected = loop(function, batches, in_axes, out_axes, size)
    for found, value in zip(run(batched, *batches), expected, strict=True):
        np.testing.assert_array_equal(found, value)


@settings(max_examples=60, deadline=None)
@given(program=loop_programs(8), simplified=st.booleans())
def test_reverse_mode_is_the_transpose_of_forward_mode(program: Program, simplified: bool):
    function, arguments = program
    argnums = [i for i, a in enumerate(arguments) if is_inexact(a)]
    values = run(function, *arguments)
    outputs = [y for y in values if is_inexact(y)]
    if not argnums or not outputs:
        return
    rng = np.random.default_rng(0)
    tangents = [random_like(rng, arguments[i]) for i in argnums]
    cotangents = [random_like(rng, y) for y in outputs]
    pushed, pulled = jvp(function, argnums), vjp(function, argnums)
    if simplified:
        canonicalize(pushed), canonicalize(pulled)
    for derivative in (pushed, pulled):
        derivative.verify()
        check_function(derivative)
    forward = run(pushed, *arguments, *tangents)[len(values) :]
    backward = run(pulled, *arguments, *cotangents)[len(values) :]
    left, right = pairing(cotangents, forward), pairing(backward, tangents)
    scale = sum(float(np.sum(np.abs(a * b))) for a, b in zip(cotangents, forward))
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9 * (1 + scale))


@settings(max_examples=100, deadline=None)
@given(program=loop_programs(8))
def test_selected_branches_keep_bits(program: Program):
    function, arguments = program
    before = run(function, *arguments)
    canonicalize(function, select_branches=True)
    function.verify()
    assert all(map(same_bits, run(function, *arguments), before))
    assert not walk(function, select_branches=True).changed
