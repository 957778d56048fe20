"""Python's control flow on traced values: staged programs do what Python does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradatim as gd

from .control_flow_programs import PROGRAMS, Program


def expected(program: Program, arguments: tuple[Any, ...]) -> Any:
    return gd.tree.map(np.asarray, program.function(*gd.tree.map(_copied, arguments)))


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def assert_equal(found: Any, wanted: Any) -> None:
    leaves, structure = gd.tree.flatten(found)
    others, other_structure = gd.tree.flatten(wanted)
    assert structure == other_structure
    for a, b in zip(leaves, others):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.function.__name__)
def test_staged_programs_do_what_python_does(program: Program) -> None:
    staged = gd.stage(program.function)
    for arguments in program.arguments:
        assert_equal(staged(*arguments), expected(program, arguments))
    if program.function.__name__ != "matches":
        assert len(staged._traces) == 1
