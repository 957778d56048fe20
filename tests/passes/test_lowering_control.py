"""Loops and branches: compiled code and every pass on the way against the interpreter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from xdsl.dialects.builtin import ModuleOp

from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel import registers
from gradatim.passes.pipeline import Options, check_against, passes_to, run_passes, verify

from .kernels import CONTEXT
from .loop_programs import loop_programs
from .lowered import run
from .programs import Program

OPTIONS = Options(vector_bits=256)


def compiled(module: ModuleOp, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Compile a function, checking each pass, and run it."""
    expected = Interpreter(module).call("f", *arguments)
    hooks = [verify, check_against("f", arguments)]
    run_passes(module, passes_to("loop", OPTIONS), hooks, CONTEXT)
    return run(module, arguments, expected)


@pytest.mark.parametrize("most", [1, 4, 64])
def test_random_programs(most: int) -> None:
    """However many elements may be in registers."""

    @settings(max_examples=60, deadline=None)
    @given(loop_programs())
    def check(program: Program) -> None:
        module = ModuleOp([program.function.clone()])
        expected = Interpreter(module).call("f", *program.arguments)
        for found, wanted in zip(compiled(module, program.arguments), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registers, "MAX_ELEMENTS", most)
        check()
