"""Reverse mode and linearization in two parts, and transposition."""

from __future__ import annotations

import numpy as np
import pytest

from gradatim.ir.errors import DtypeError, GradatimError
from gradatim.passes.autodiff.jvp import jvp
from gradatim.passes.autodiff.linearize import linearize, split_vjp, transpose
from gradatim.passes.autodiff.vjp import vjp
from gradatim.passes.cut import UNBOUNDED, Network

from .control_programs import FORMS, linear, smooth
from .differentiation import Body, make, random_like, run

X = np.linspace(0.3, 1.7, 6).reshape(2, 3)
Y = np.linspace(-1.1, 0.9, 6).reshape(2, 3)
W = np.linspace(-1.0, 2.0, 12).reshape(3, 4)
Z = X + 1j * Y


def _shared(b, x, y):
    a = b.exp(b.mul(x, y))
    return [b.reduce("add", b.mul(a, b.sin(x)), (1,)), b.div(a, x)]


def _network(b, x, w):
    h = b.tanh(b.dot_general(x, w, contract=((1,), (0,))))
    return b.reduce("add", b.mul(h, h), (0, 1))


def _integers(b, x, y):
    best = b.argreduce("max", x, 1)
    return [b.mul(x, y), best, b.reduce("max", x, (0,))]


def _complex(b, z, x):
    return [b.mul(z, b.exp(z)), b.abs(z), b.mul(x, b.real(z))]


def _passed_through(b, x, y):
    return [x, b.full_like(y, 3.0)]


PROGRAMS: list[tuple[Body, tuple[np.ndarray, ...]]] = [
    (_shared, (X, Y)),
    (_network, (X, W)),
    (_integers, (X, Y)),
    (_complex, (Z, X)),
    (_passed_through, (X, Y)),
]
programs = pytest.mark.parametrize(
    "body, arguments", PROGRAMS, ids=lambda p: getattr(p, "__name__", "")
)


@programs
def test_pullback_is_that_of_the_whole_vjp(body: Body, arguments: tuple[np.ndarray, ...]):
    function = make(body, *arguments)
    rng = np.random.default_rng(0)
    values = run(function, *arguments)
    cotangents = [random_like(rng, y) for y in values if y.dtype.kind in "fc"]
    whole = run(vjp(function, (0, 1)), *arguments, *cotangents)
    forward, pullback = split_vjp(function, (0, 1))
    results = run(forward, *arguments)
    for found, expected in zip(results, values):
        np.testing.assert_array_equal(found, expected)
    for scale in (1.0, -2.0):  # it can be called again
        scaled = [np.asarray(scale * c, c.dtype) for c in cotangents]
        gradients = run(pullback, *results[len(values) :], *scaled)
        for found, expected in zip(gradients, whole[len(values) :], strict=True):
            np.testing.assert_allclose(found, scale * expected, rtol=1e-12)


@programs
def test_linearization_is_the_jvp(body: Body, arguments: tuple[np.ndarray, ...]):
    function = make(body, *arguments)
    rng = np.random.default_rng(0)
    tangents = [random_like(rng, x) for x in arguments]
    whole = run(jvp(function, (0, 1)), *arguments, *tangents)
    forward, linear = linearize(function, (0, 1))
    count = len(run(function, *arguments))
    results = run(forward, *arguments)
    for found, expected in zip(results[:count], whole):
        np.testing.assert_array_equal(found, expected)
    found = run(linear, *results[count:], *tangents)
    for tangent, expected in zip(found, whole[count:], strict=True):
        np.testing.assert_allclose(tangent, expected, rtol=1e-12, atol=1e-14)


def test_transpose_of_a_linear_function():
    function = make(lambda b, x, w: b.dot_general(x, b.exp(w), contract=((1,), (0,))), X, W)
    cotangent = np.arange(8.0).reshape(2, 4)
    (found,) = run(transpose(function, (0,)), W, cotangent)
    np.testing.assert_allclose(found, cotangent @ np.exp(W).T)


@pytest.mark.parametrize(
    "body, op",
    [
        (lambda b, x: b.mul(x, x), "array.mul"),
        (lambda b, x: b.neg(b.sin(x)), "array.sin"),
        (lambda b, x: b.mul(b.floor(x), b.full_like(x, 2)), "array.floor"),
        (lambda b, x: b.floor(x), "array.floor"),
        (lambda b, x: b.max(x, b.full_like(x, 0)), "array.max"),
    ],
)
def test_transpose_of_what_is_not_linear(body: Body, op: str):
    with pytest.raises(GradatimError, match=rf"{op} is not linear .*\n  at user.py:7"):
        transpose(make(body, X))


def test_transpose_by_integers():
    with pytest.raises(DtypeError, match="argument 0"):
        transpose(make(lambda b, n: b.neg(n), np.arange(3)))


def _residuals(body: Body, *arguments: np.ndarray) -> list[str]:
    """Return the names and shapes of what the forward part hands over."""
    function = make(body, *arguments)
    forward, _ = split_vjp(function, range(len(arguments)))
    results = forward.body.block.last_op.operands[1:]
    return [getattr(value.owner, "name", "argument") for value in results]


def test_dear_values_are_kept_and_cheap_ones_computed_again():
    x = np.ones(1000)
    chain = lambda b, x: b.mul(b.add(x, x), b.exp(b.neg(x)))  # noqa: E731
    assert _residuals(chain, x) == ["argument", "array.exp"]


def test_values_larger_than_what_they_are_computed_from_are_not_kept():
    def pairs(b, x):
        shape = (1000, 1000)
        rows, columns = (b.broadcast(x, shape, (d,)) for d in (0, 1))
        return b.reduce("add", b.exp(b.sub(rows, columns)), (0, 1))

    assert _residuals(pairs, np.ones(1000)) == ["argument"]


def test_minimum_cut_closest_to_the_sink():
    network = Network()
    source, a, b, c, sink = (network.node() for _ in range(5))
    for tail, head, capacity in (
        (source, a, 3),
        (a, b, 3),
        (source, b, 2),
        (b, c, 5),
        (c, sink, UNBOUNDED),
    ):
        network.arc(tail, head, capacity)
    assert network.sink_side(source, sink) == {c, sink}


def test_minimum_cuts_of_random_networks():
    """The capacity of the cut is the smallest of all cuts, by trying all."""
    rng = np.random.default_rng(1)
    for _ in range(100):
        nodes = 7
        arcs = [
            (int(t), int(h), int(rng.integers(0, 6)))
            for t, h in rng.integers(0, nodes, (14, 2))
            if t != h
        ]
        network = Network()
        for _ in range(nodes):
            network.node()
        for arc in arcs:
            network.arc(*arc)

        def capacity(behind: set[int], arcs=arcs) -> int:
            return sum(c for t, h, c in arcs if t not in behind and h in behind)

        subsets = [
            {1, *(n + 2 for n in range(nodes - 2) if mask >> n & 1)} for mask in range(1 << 5)
        ]
        best = min(map(capacity, subsets))
        found = network.sink_side(0, 1)
        assert capacity(found) == best
        assert len(found) == min(len(s) for s in subsets if capacity(s) == best)


def test_no_bounded_cut():
    network = Network()
    network.node(), network.node()
    network.arc(0, 1, UNBOUNDED)
    with pytest.raises(ValueError, match="no cut is bounded"):
        network.sink_side(0, 1)


@pytest.mark.parametrize("inner", FORMS)
@pytest.mark.parametrize("outer", FORMS)
def test_linearization_of_control_flow_is_the_jvp(outer: str, inner: str):
    arguments = (np.array([0.4, 0.9]), np.array([0.3, 0.7]))
    function = make(FORMS[outer](FORMS[inner](smooth)), *arguments)
    tangents = [np.array([1.0, -0.5]), np.array([0.2, 0.7])]
    whole = run(jvp(function, (0, 1)), *arguments, *tangents)
    forward, linear = linearize(function, (0, 1))
    count = len(run(function, *arguments))
    residuals = run(forward, *arguments)[count:]
    for found, expected in zip(run(linear, *residuals, *tangents), whole[count:], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11)


def _squared(step):
    def square(b, x, w):
        y = step(b, x, w)
        return b.mul(y, y)

    return square


@pytest.mark.parametrize("name", FORMS)
def test_transpose_of_control_flow_that_is_not_linear(name: str):
    """What is inside of the form, or what becomes of its result, in it or in another one."""
    form = FORMS[name]
    for step in (smooth, _squared(linear), _squared(form(linear))):
        for whole in (step, form(step)):
            with pytest.raises(GradatimError, match=r"array\.\w+ is not linear"):
                transpose(make(whole, np.array([0.4, 0.9]), np.array([0.3, 0.7])))
