"""jvp and vjp of whole programs: signatures, sharing, activity, composition, errors, cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import SSAValue

from gradatim.ir.builder import Builder
from gradatim.ir.checks import check_function
from gradatim.ir.errors import DtypeError, GradatimError, ShapeError
from gradatim.ir.functions import FunctionBuilder, find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.locations import derived, source_location, spell_location
from gradatim.ir.types import spell, tensor_type
from gradatim.passes.autodiff import rules
from gradatim.passes.autodiff.jvp import ArrayJvp, jvp
from gradatim.passes.autodiff.vjp import ArrayVjp, vjp

from ..work import lines_run
from .differentiation import check_derivatives, make, run

F64 = np.dtype(np.float64)
I64 = np.dtype(np.int64)
X = np.array([0.3, -1.2, 0.8])


def _spelled(function: FuncOp) -> tuple[list[str], list[str]]:
    type_ = function.function_type
    return [spell(t) for t in type_.inputs], [spell(t) for t in type_.outputs]


def _ops(function: FuncOp, name: str) -> int:
    return sum(op.name == name for op in function.body.block.ops)


# Signatures


def _mixed(b: Builder, x: SSAValue, n: SSAValue, y: SSAValue) -> list[SSAValue]:
    """Two float results, an integer one and a float one to be aux."""
    shifted = b.add(x, b.convert(n, F64))
    return [b.mul(shifted, y), b.add(n, n), b.exp(b.reduce("add", x, (0,))), b.sin(y)]


N = np.array([1, 2, 3])
Y = np.array([2.0, 0.5, -1.0])


def test_jvp_signature_and_values():
    forward = jvp(make(_mixed, X, N, Y), (0, 2), aux=1)
    assert _spelled(forward) == (
        ["f64[3]", "i64[3]", "f64[3]", "f64[3]", "f64[3]"],
        ["f64[3]", "i64[3]", "f64[]", "f64[3]", "f64[3]", "f64[]"],
    )
    dx, dy = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.5, 2.0])
    *_, tangent, total_tangent = run(forward, X, N, Y, dx, dy)
    np.testing.assert_allclose(tangent, dx * Y + (X + N) * dy)
    np.testing.assert_allclose(total_tangent, np.exp(X.sum()) * dx.sum())


def test_vjp_signature_and_values():
    reverse = vjp(make(_mixed, X, N, Y), (2, 0), aux=1)
    assert _spelled(reverse) == (
        ["f64[3]", "i64[3]", "f64[3]", "f64[3]", "f64[]"],
        ["f64[3]", "i64[3]", "f64[]", "f64[3]", "f64[3]", "f64[3]"],
    )
    c, d = np.array([1.0, 2.0, 3.0]), np.float64(0.5)
    values = run(reverse, X, N, Y, c, d)
    np.testing.assert_allclose(values[-2], c * (X + N))
    np.testing.assert_allclose(values[-1], c * Y + d * np.exp(X.sum()))


def test_gradient_seeds_and_keeps_only_aux():
    def body(b, x):
        return [b.reduce("add", b.mul(x, x), (0,)), b.sin(x)]

    gradient = vjp(make(body, X), aux=1, seed=True, value=False)
    assert _spelled(gradient) == (["f64[3]"], ["f64[3]", "f64[3]"])
    sine, found = run(gradient, X)
    np.testing.assert_allclose(sine, np.sin(X))
    np.testing.assert_allclose(found, 2 * X)


def test_names_of_arguments_are_kept_and_extended():
    function = FunctionBuilder("f", [tensor_type((), F64)] * 2, ["x", None])
    finished = function.finish([function.builder.mul(*function.arguments)])
    forward, reverse = jvp(finished, (0, 1)), vjp(finished)
    assert [a.name_hint for a in forward.body.block.args] == ["x", None, "x_tangent", None]
    assert [a.name_hint for a in reverse.body.block.args] == ["x", None, "cotangent"]


def test_the_given_function_is_left_as_it_is():
    function = make(_mixed, X, N, Y)
    before = str(function)
    jvp(function)
    vjp(function, (2,))
    assert str(function) == before


# Sharing, constants, results that are arguments


@pytest.mark.parametrize(
    "body",
    [
        lambda b, x: x,
        lambda b, x: [x, x],
        lambda b, x: [x, b.sin(x), x],
        lambda b, x: b.full_like(x, 3),
        lambda b, x: [b.full_like(x, 3), b.mul(x, x)],
        lambda b, x: b.mul(b.mul(x, x), b.mul(x, x)),
    ],
    ids=["argument", "argument-twice", "argument-shared", "constant", "some-constant", "powers"],
)
def test_results_and_sharing(body):
    check_derivatives(make(body, X), [X], order=2)


def test_value_used_many_times_is_summed_by_a_tree_in_fixed_order():
    def body(b, x):
        y = b.sin(x)
        return [b.mul(y, b.full_like(y, k)) for k in range(1, 8)]

    reverse = vjp(make(body, X))
    cotangents = [np.full(3, 10.0**k) for k in range(7)]
    expected = sum(k * 10.0 ** (k - 1) for k in range(1, 8)) * np.cos(X)
    np.testing.assert_allclose(run(reverse, X, *cotangents)[-1], expected)
    assert _ops(reverse, "array.add") == 6
    depth: dict[SSAValue, int] = {}
    for op in reverse.body.block.ops:
        adds = op.name == "array.add"
        for result in op.results:
            depth[result] = max((depth.get(v, 0) for v in op.operands), default=0) + adds
    assert max(depth.values()) == 3
    assert str(vjp(make(body, X))) == str(vjp(make(body, X)))


def test_unused_argument_has_gradient_zero():
    function = make(lambda b, x, y: b.sin(x), X, np.ones((2, 2)))
    np.testing.assert_array_equal(
        run(vjp(function, (1,)), X, np.ones((2, 2)), X)[1], np.zeros((2, 2))
    )


# Activity: what no derivative flows through costs nothing


def test_no_op_for_what_does_not_depend_on_the_inputs():
    def body(b, x, y):
        return b.mul(x, b.exp(b.sin(b.tanh(y))))

    function = make(body, X, Y)
    size = len(list(function.body.block.ops))
    for derivative in (jvp(function), vjp(function)):
        assert len(list(derivative.body.block.ops)) == size + 1


def test_no_op_for_what_does_not_reach_the_results():
    def body(b, x):
        return [b.mul(x, x), b.exp(b.sin(b.tanh(x)))]

    function = make(body, X)
    size = len(list(function.body.block.ops))
    assert len(list(jvp(function, aux=1).body.block.ops)) == size + 3
    assert len(list(vjp(function, aux=1).body.block.ops)) == size + 3


# Composition


def _loss(b: Builder, x: SSAValue, w: SSAValue) -> SSAValue:
    """A layer, a softmax and a sum of squares, by ops of each family."""
    h = b.tanh(b.dot_general(x, w, contract=((1,), (0,))))
    top = b.broadcast(b.reduce("max", h, (1,)), (2, 3), (0,))
    exponentials = b.exp(b.sub(h, top))
    total = b.broadcast(b.reduce("add", exponentials, (1,)), (2, 3), (0,))
    softmax = b.div(exponentials, total)
    shifted = b.concatenate([b.slice(softmax, (0, 1), (2, 3)), b.slice(softmax, (0, 0), (2, 1))], 1)
    return b.reduce("add", b.mul(softmax, b.mul(shifted, h)), (0, 1))


def _loss_arguments() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [rng.normal(size=(2, 4)), rng.normal(size=(4, 3))]


def test_loss_to_third_order_in_all_mixtures():
    """check_derivatives goes from a function to its jvp and its vjp, and on: 8 mixtures."""
    arguments = _loss_arguments()
    check_derivatives(make(_loss, *arguments), arguments, order=3, tolerance=1e-8)


def test_hessians_agree_in_all_four_modes():
    x = np.array([0.4, -0.7, 1.1])

    def body(b, v):
        return b.reduce("mul", b.sin(b.add(v, b.reverse(v, (0,)))), (0,))

    function = make(body, x)
    one, basis = np.float64(1), np.eye(3)
    gradient = vjp(function, seed=True, value=False)
    forward = jvp(function)
    forward_reverse = [run(jvp(gradient), x, e)[1] for e in basis]
    reverse_reverse = [run(vjp(gradient), x, e)[1] for e in basis]
    reverse_forward = [run(vjp(forward, (0,), value=False), x, e, one * 0, one)[0] for e in basis]
    forward_forward = [[run(jvp(forward, (0,)), x, e, other)[3] for other in basis] for e in basis]
    for found in (reverse_reverse, reverse_forward, forward_forward):
        np.testing.assert_allclose(found, forward_reverse, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(forward_reverse, np.transpose(forward_reverse), atol=1e-14)


def test_fifth_derivative_of_a_gaussian():
    """The n-th derivative of exp(-x^2) is (-1)^n times the n-th Hermite polynomial times it."""
    x = np.float64(0.5)
    function = make(lambda b, v: b.exp(b.neg(b.mul(v, v))), x)
    for _ in range(5):
        function = vjp(function, seed=True, value=False)
    hermite = 32 * x**5 - 160 * x**3 + 120 * x
    np.testing.assert_allclose(run(function, x)[0], -hermite * np.exp(-(x**2)), rtol=1e-12)


def test_transpose_of_a_linear_function_is_the_vjp_of_its_jvp():
    """The tangent part of a jvp is linear; its vjp by the tangents is the vjp of the function."""
    arguments = _loss_arguments()
    function = make(_loss, *arguments)
    one = np.float64(1)
    transposed = vjp(jvp(function, (0, 1)), (2, 3), value=False)
    zeros = [np.zeros_like(a) for a in arguments]
    found = run(transposed, *arguments, *zeros, one * 0, one)
    expected = run(vjp(function, (0, 1), value=False), *arguments, one)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


# Random programs


UNARY = ("sin", "cos", "tanh", "exp", "neg", "logistic", "atan", "erf", "asinh")
SMOOTH = ("add", "sub", "mul")
BINARY = (*SMOOTH, "max", "min", "atan2")


@st.composite
def _programs(draw: st.DrawFn) -> tuple[FuncOp, list[np.ndarray]]:
    """A random program of a vector and a matrix, with sharing, and points to evaluate it at."""
    function = FunctionBuilder("f", [tensor_type((3,), F64), tensor_type((2, 3), F64)])
    b = function.builder
    b.location = function.location = source_location("user.py", 1, 1, "f")
    pools = {(3,): [function.arguments[0]], (2, 3): [function.arguments[1]]}
    for _ in range(draw(st.integers(1, 10))):
        shape = draw(st.sampled_from(list(pools)))
        x, y = draw(st.sampled_from(pools[shape])), draw(st.sampled_from(pools[shape]))
        _step(draw, b, pools, shape, x, y)
    results = [draw(st.sampled_from(pool)) for pool in pools.values()]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return function.finish(results), [rng.uniform(-1.5, 1.5, (3,)), rng.uniform(-1.5, 1.5, (2, 3))]


def _step(draw, b: Builder, pools: dict, shape: tuple[int, ...], x: SSAValue, y: SSAValue) -> None:
    match draw(st.sampled_from(("unary", "binary", "select", "convert", "move", "reshape"))):
        case "unary":
            pools[shape].append(b.tanh(getattr(b, draw(st.sampled_from(UNARY)))(x)))
        case "binary":
            pools[shape].append(getattr(b, draw(st.sampled_from(BINARY)))(x, y))
        case "select":
            pools[shape].append(b.select(b.compare("lt", x, y), b.sin(x), b.mul(x, y)))
        case "convert":
            pools[shape].append(b.add(x, b.convert(b.convert(y, I64), F64)))
        case "move":
            dim = draw(st.integers(0, len(shape) - 1))
            pools[shape].append(b.mul(y, b.cumulative("add", b.reverse(x, (dim,)), dim)))
        case "reshape" if shape == (3,):
            pools[2, 3].append(b.broadcast(b.mul(x, y), (2, 3), (1,)))
        case "reshape":
            product = b.dot_general(x, y, contract=((0,), (0,)))
            pools[3,].append(b.reduce("add", product, (1,)))
            pools[3,].append(b.reduce(draw(st.sampled_from(("max", "mul", "add"))), x, (0,)))


@st.composite
def _smooth_programs(draw: st.DrawFn) -> tuple[FuncOp, list[np.ndarray]]:
    """A random program without corners, tame enough for finite differences."""

    def body(b, x):
        values = [x]
        for _ in range(draw(st.integers(1, 6))):
            left, right = draw(st.sampled_from(values)), draw(st.sampled_from(values))
            joined = getattr(b, draw(st.sampled_from(SMOOTH)))(left, b.reverse(right, (0,)))
            values.append(b.sin(getattr(b, draw(st.sampled_from(UNARY)))(joined)))
        return [draw(st.sampled_from(values)), b.reduce("add", values[-1], (0,))]

    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.uniform(-0.8, 0.8, (3,))
    return make(body, x), [x]


@settings(max_examples=40, deadline=None)
@given(_smooth_programs())
def test_smooth_random_programs_against_finite_differences(program):
    function, arguments = program
    check_derivatives(function, arguments, order=2, tolerance=1e-6)


@settings(max_examples=60, deadline=None)
@given(_programs())
def test_modes_agree_on_random_programs(program: tuple[FuncOp, list[np.ndarray]]):
    """vjp is the transpose of jvp, for the program and for its own derivatives.

    This holds at corners and next to them too, where finite differences do not.
    """
    function, arguments = program
    rng = np.random.default_rng(0)
    for derivative in (function, vjp(function, (0, 1)), jvp(function, (0, 1))):
        inputs = [rng.uniform(-1, 1, t.get_shape()) for t in derivative.function_type.inputs]
        inputs[:2] = arguments
        argnums = range(len(inputs))
        tangents = [rng.uniform(-1, 1, a.shape) for a in inputs]
        values = run(derivative, *inputs)
        cotangents = [rng.uniform(-1, 1, v.shape) for v in values]
        forward = run(jvp(derivative, argnums), *inputs, *tangents)[len(values) :]
        backward = run(vjp(derivative, argnums), *inputs, *cotangents)[len(values) :]
        left = [np.sum(a * b) for a, b in zip(cotangents, forward, strict=True)]
        right = [np.sum(a * b) for a, b in zip(backward, tangents, strict=True)]
        magnitude = sum(map(abs, left)) + sum(map(abs, right)) + 1
        assert abs(sum(left) - sum(right)) <= 1e-10 * magnitude


# Calls and modules


def _module_of_call(callee_visibility: str | None) -> ModuleOp:
    scalar = tensor_type((), F64)
    location = source_location("user.py", 2, 4, "g")
    callee = FunctionBuilder("g", [scalar], ["x"], location)
    callee.builder.location = location
    inner = callee.finish([callee.builder.sin(callee.arguments[0])], callee_visibility)
    caller = FunctionBuilder("f", [scalar], ["x"], location)
    x = caller.arguments[0]
    call = CallOp("g", [caller.builder.mul(x, x)], [scalar])
    call.location = location
    caller.block.add_op(call)
    return ModuleOp([inner, caller.finish([call.results[0]])])


def test_pass_inlines_calls():
    module = _module_of_call("private")
    ArrayVjp("f", seed=True, value=False).apply(Context(), module)
    assert [f.sym_name.data for f in module.body.block.ops] == ["f"]
    found = Interpreter(module).call("f", np.float64(0.5))[0]
    np.testing.assert_allclose(found, 2 * 0.5 * np.cos(0.25))


def test_callers_of_a_replaced_function_keep_the_old_one():
    module = _module_of_call(None)
    ArrayJvp("g").apply(Context(), module)
    module.verify()
    interpreter = Interpreter(module)
    np.testing.assert_allclose(interpreter.call("f", np.float64(0.5))[0], np.sin(0.25))
    both = interpreter.call("g", np.float64(0.5), np.float64(2))
    np.testing.assert_allclose(both, [np.sin(0.5), 2 * np.cos(0.5)])
    assert find_function(module, "g.primal").sym_visibility.data == "private"


def test_without_a_name_every_public_function_is_replaced():
    module = _module_of_call(None)
    ArrayJvp().apply(Context(), module)
    module.verify()
    interpreter = Interpreter(module)
    for name, value, slope in (
        ("f", np.sin(0.25), np.cos(0.25)),
        ("g", np.sin(0.5), np.cos(0.5)),
    ):
        found = interpreter.call(name, np.float64(0.5), np.float64(1))
        np.testing.assert_allclose(found, [value, slope])


def test_declared_function_cannot_be_differentiated():
    module = ModuleOp([FuncOp.external("g", [tensor_type((), F64)], [tensor_type((), F64)])])
    with pytest.raises(GradatimError, match=r"@g is only declared; there is no body"):
        ArrayVjp("g").apply(Context(), module)
    with pytest.raises(GradatimError, match=r"the module has no function @h"):
        ArrayVjp("h").apply(Context(), module)


# Locations


def test_ops_know_the_line_and_the_rule_that_made_them():
    function = make(lambda b, x: b.reduce("mul", b.sin(x), (0,)), X)
    for name, derivative in (("jvp", jvp(function)), ("vjp", vjp(function))):
        check_function(derivative)
        line = source_location("user.py", 7, 3, "f")
        locations = [op.location for op in derivative.body.block.ops]
        assert derived(line, name) in locations
        assert line in locations
        assert {spell_location(loc) for loc in locations} == {"user.py:7", "user.py:1"}


# Errors


def test_integer_argument_is_refused():
    with pytest.raises(DtypeError, match=r"@f cannot .* by argument 1: it is i64\[3\], and only"):
        vjp(make(_mixed, X, N, Y), (1,))
    with pytest.raises(DtypeError, match=r"argument 1"):
        jvp(make(_mixed, X, N, Y), (0, 1))


@pytest.mark.parametrize("argnums", [(3,), (-1,), (0, 0)])
def test_argnums_must_be_distinct_arguments(argnums: tuple[int, ...]):
    with pytest.raises(GradatimError, match=r"are not distinct arguments of @f, which has 3"):
        vjp(make(_mixed, X, N, Y), argnums)


@pytest.mark.parametrize("aux", [5, -1])
def test_aux_must_fit_the_results(aux: int):
    with pytest.raises(GradatimError, match=rf"@f has 4 results, of which {aux} cannot be aux"):
        jvp(make(_mixed, X, N, Y), aux=aux)


def test_gradient_needs_one_number():
    with pytest.raises(ShapeError, match=r"one float; @f returns f64\[3\]"):
        vjp(make(lambda b, x: b.sin(x), X), seed=True)
    with pytest.raises(ShapeError, match=r"one float; @f returns i64\[\]"):
        vjp(make(lambda b, x: b.argreduce("max", x, 0), X), seed=True)
    with pytest.raises(GradatimError, match=r"one result apart from aux; @f has 2"):
        vjp(make(lambda b, x: [x, x], X), seed=True)


def test_missing_rule_names_op_and_line(monkeypatch: pytest.MonkeyPatch):
    function = make(lambda b, x: b.sin(x), X)
    monkeypatch.delitem(rules.RULES, type(function.body.block.first_op))
    with pytest.raises(GradatimError, match=r"array.sin has no derivative rule\n  at user.py:7"):
        jvp(function)


# Cost


def _chain(length: int) -> FuncOp:
    """A chain of add, mul, sin and max, as the project's compile-time goal has it."""

    def body(b, x):
        y, half = x, b.full_like(x, 0.5)
        steps = [
            lambda y: b.add(y, x),
            lambda y: b.mul(y, x),
            lambda y: b.sin(y),
            lambda y: b.max(y, half),
        ]
        for k in range(length):
            y = steps[k % 4](y)
        return b.reduce("add", y, (0,))

    return make(body, np.zeros(1000))


def _wide(width: int) -> FuncOp:
    """One value with many uses, and one op with many operands."""

    def body(b, x):
        parts = [b.mul(x, b.full_like(x, k)) for k in range(width)]
        return b.reduce("add", b.concatenate(parts, 0), (0,))

    return make(body, np.zeros(4))


@pytest.mark.parametrize("program", [_chain, _wide])
def test_size_and_work_are_linear(program: Callable[[int], FuncOp]):
    def size(function: FuncOp) -> int:
        return len(list(vjp(function, seed=True, value=False).body.block.ops))

    def work(function: FuncOp) -> int:
        return lines_run(lambda: vjp(function, seed=True, value=False))

    short, long = program(200), program(2000)
    assert 9 * size(short) < size(long) < 10 * size(short) + 10
    assert work(long) < 12 * work(short)
