"""Ops are made, copied and walked over as xDSL does it."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects import arith
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.ir import Block

import gradatim as gd
from gradatim.ir.ops import append_op, copy_module, default_properties, make_op, ops_in
from gradatim.ir.text import to_text
from gradatim.passes.pipeline import PIPELINES, Options, run_passes


@gd.jit
def _orbit(x: np.ndarray) -> np.ndarray:
    return gd.lax.fori_loop(
        0, 20, lambda i, x: gd.lax.cond(x[0] > 0, np.sin, lambda x: x * np.cumsum(x), x), x
    )


def _program(level: str) -> ModuleOp:
    """Return a program with loops, branches and names at a level."""
    module = gd.stage(lambda x: _orbit(x) @ x).grad().trace(np.ones(5)).module
    for name, pipeline in PIPELINES.items():
        run_passes(module, pipeline(Options()))
        if name == level:
            break
    return module


@pytest.mark.parametrize("level", PIPELINES)
def test_copy_is_what_was_copied(level):
    module = _program(level)
    before = to_text(module, locations=True)
    copy = copy_module(module)
    copy.verify()
    assert to_text(copy, locations=True) == before == to_text(module.clone(), locations=True)
    ours, theirs = list(ops_in(copy.body.block)), list(ops_in(module.body.block))
    assert ours == list(copy.walk())[1:]
    assert set(ours).isdisjoint(theirs)
    for op in reversed(ours):
        assert all(use.operation in ours for result in op.results for use in result.uses)
        op.parent.erase_op(op)
    assert to_text(module, locations=True) == before


def test_made_ops_are_those_that_xdsl_makes():
    block = Block(arg_types=[f64, f64])
    expected = arith.AddfOp(*block.args)
    made = make_op(
        arith.AddfOp, block.args, [f64], default_properties(arith.AddfOp), expected.location
    )
    assert made.is_structurally_equivalent(expected)
    append_op(block, made)
    block.add_op(expected)
    assert list(block.ops) == [made, expected]
    assert (made.parent, made.prev_op, made.next_op) == (block, None, expected)
