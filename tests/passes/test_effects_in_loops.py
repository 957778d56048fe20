"""Effects in loops and branches happen once, in order, whatever is differentiated or mapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.array.control import INDEX, CustomParts
from gradatim.ir.array.effect import DONE
from gradatim.ir.builder import Builder
from gradatim.ir.interpreter import Interpreter
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.linearize import split_vjp
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.batching.vmap import vmap
from gradatim.passes.simplify.canonicalize import canonicalize

from .control_programs import block, integer, types
from .differentiation import make

X = np.float64(0.4)


def say(b: Builder, x: SSAValue) -> None:
    """Append an effect of which only that counts."""
    b.callback(0, "say", [x], [DONE])


def watched(function: FuncOp, *arguments: Any) -> list[float]:
    """Run a function and return what it says; simplification changes nothing of that."""
    heard = []
    for simplify in (False, True):
        said: list[float] = []

        def listen(x: np.ndarray, said: list[float] = said) -> list[np.ndarray]:
            said.append(round(float(x), 6))
            return [np.int32(0)]

        copy = function.clone()
        if simplify:
            canonicalize(copy, select_branches=True)
        copy.verify()
        interpreter = Interpreter(ModuleOp([]), [listen])
        interpreter.run_function(copy, [np.asarray(a) for a in arguments])
        heard.append(said)
    assert heard[0] == heard[1]
    return heard[0]


def step(c: Builder, x: SSAValue) -> SSAValue:
    y = c.sin(x)
    say(c, y)
    return c.mul(y, x)


def scan(b: Builder, x: SSAValue) -> SSAValue:
    new = block(b, [INDEX, *types(x)], lambda c, i, x: [step(c, x)])
    return b.scan(3, [], [x], [], new)[0]


def while_loop(b: Builder, x: SSAValue) -> SSAValue:
    def condition(c: Builder, n, x):
        return [c.compare("lt", n, integer(c, 3))]

    def body(c: Builder, n, x):
        return [c.add(n, integer(c, 1)), step(c, x)]

    start = integer(b, 0)
    blocks = [block(b, types(start, x), part) for part in (condition, body)]
    return b.while_([], [start, x], *blocks)[1]


def case(b: Builder, x: SSAValue) -> SSAValue:
    branches = [block(b, types(x), lambda c, x: [x]), block(b, types(x), lambda c, x: [step(c, x)])]
    return b.case(b.compare("gt", x, b.full_like(x, 0)), [x], branches)[0]


def remat(b: Builder, x: SSAValue) -> SSAValue:
    return b.remat("nothing", [x], block(b, types(x), lambda c, x: [c.exp(step(c, x))]))[0]


def remat_of_while(b: Builder, x: SSAValue) -> SSAValue:
    return b.remat("nothing", [x], block(b, types(x), lambda c, x: [while_loop(c, x)]))[0]


def while_in_scan(b: Builder, x: SSAValue) -> SSAValue:
    new = block(b, [INDEX, *types(x)], lambda c, i, x: [c.cos(while_loop(c, x))])
    return b.scan(2, [], [x], [], new)[0]


FORMS: list[Callable[[Builder, SSAValue], SSAValue]] = [
    scan,
    while_loop,
    case,
    remat,
    remat_of_while,
    while_in_scan,
]
forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)


@forms
def test_derivatives_say_what_the_function_says(form):
    function = make(form, X)
    said = watched(function, X)
    assert said
    assert watched(jvp(function), X, X) == said
    reverse = vjp(function)
    assert watched(reverse, X, X) == said
    assert watched(vjp(reverse, (0, 1)), X, X, X, X) == said
    assert watched(jvp(reverse, (0, 1)), X, X, X, X) == said
    forward, pullback = split_vjp(function)
    assert watched(forward, X) == said
    residuals = Interpreter(ModuleOp([]), [lambda x: [np.int32(0)]]).run_function(forward, [X])
    assert watched(pullback, *residuals[1:], X) == []


@forms
def test_lanes_say_what_each_says(form):
    function = make(form, X)
    lanes = np.array([0.4, -0.7, 1.1])
    expected = sorted(said for lane in lanes for said in watched(function, lane))
    assert sorted(watched(vmap(function, 3), lanes)) == expected


def test_effects_of_a_backward_rule_come_with_the_cotangent():
    def body(b: Builder, x: SSAValue):
        def backward(c: Builder, x, g):
            say(c, g)
            return [c.mul(g, x)]

        def custom(c: Builder, x):
            parts = CustomParts(
                block(c, types(x), lambda d, x: [d.sin(x)]),
                None,
                block(c, types(x), lambda d, x: [d.sin(x), x]),
                block(c, types(x, x), backward),
            )
            return c.custom_derivative(0, [x], parts)[0]

        return b.scan(3, [], [x], [], block(b, [INDEX, *types(x)], lambda c, i, x: [custom(c, x)]))

    function = make(body, X)
    assert watched(function, X) == []
    assert len(watched(vjp(function), X, X)) == 3
    forward, pullback = split_vjp(function)
    assert watched(forward, X) == []
    residuals = Interpreter(ModuleOp([]), []).run_function(forward, [X])
    assert len(watched(pullback, *residuals[1:], X)) == 3


def test_a_callback_is_not_computed_ahead():
    """It keeps its place among the steps, though it depends on elements alone."""

    def body(b: Builder, x: SSAValue, e: SSAValue):
        def part(c: Builder, i, x, e):
            say(c, x)
            (y,) = c.callback(1, "double", [e], [e.type])
            return [c.mul(c.exp(y), x)]

        return b.scan(10, [], [x], [e], block(b, [INDEX, *types(x, x)], part))

    order: list[str] = []
    functions = [
        lambda x: order.append("say") or [np.int32(0)],
        lambda x: order.append("double") or [2 * x],
    ]
    function = make(body, X, np.ones(10))
    canonicalize(function)
    Interpreter(ModuleOp([]), functions).run_function(function, [X, np.ones(10)])
    assert order == ["say", "double"] * 10
