"""Taking the effects out of functions."""

from __future__ import annotations

import numpy as np

import gradatim as gd
from gradatim import checks, lax
from gradatim.ir.functions import find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.passes.effects import any_effects, drop_effects


def _double(x: np.ndarray) -> np.ndarray:
    return 2 * x


def test_what_results_need_stays() -> None:
    @gd.stage
    def inner(x: float) -> float:
        checks.check(x > 0, "{}", x)
        gd.debug.print("{}", x)
        return x + 1

    def pure(x: float) -> float:
        def step(total: float, _: None) -> tuple[float, None]:
            checks.check(total > 0, "{}", total)
            return total + inner(x), None

        gd.io_callback(_double, gd.ShapeDtypeStruct((), np.float64), x)
        return lax.scan(step, 0.0, None, length=2)[0]

    def impure(x: float) -> float:
        return pure(gd.io_callback(_double, gd.ShapeDtypeStruct((), np.float64), x))

    for function, all_out in [(pure, True), (impure, False)]:
        traced = gd.stage(function).trace(-3.0)
        module = traced.module.clone()
        assert any_effects(module)
        assert drop_effects(module, find_function(module, traced.fun_name)) is all_out
        assert any_effects(module) is not all_out
        if all_out:
            assert Interpreter(module).call(traced.fun_name, np.asarray(-3.0)) == [-4]
