"""Python's control flow on traced values: staged programs do what Python does."""

# ruff: noqa: B002, B007, B023, F841, PERF401, PERF402, SIM108  # written as users write

from __future__ import annotations

import functools
import traceback
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim.errors import BranchError, CarryError, UndefinedError
from gradatim.ir.locations import file_and_line

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


# Derivatives and batches

KINKS = {"chain_of_calls", "minimum", "bisection"}
"""Programs that have no derivative, or another one than their steps, at an argument."""

DIFFERENTIABLE = [p for p in PROGRAMS if p.differentiable and p.function.__name__ not in KINKS]


def total(program: Program) -> Any:
    """Return the program with a sum of all that it returns as the result."""

    def function(*arguments: Any) -> Any:
        return sum(np.sum(1.0 * leaf) for leaf in gd.tree.leaves(program.function(*arguments)))

    return function


@pytest.mark.parametrize("program", DIFFERENTIABLE, ids=lambda p: p.function.__name__)
def test_gradients_are_those_of_the_path_taken(program: Program) -> None:
    function = total(program)
    gradient = gd.grad(function)
    for x, *others in program.arguments:
        expected = numerical_gradient(lambda x: function(_copied(x), *others), x)
        np.testing.assert_allclose(gradient(x, *others), expected, rtol=1e-5, atol=1e-6)


def numerical_gradient(function: Any, x: Any, step: float = 1e-6) -> Any:
    values = np.asarray(x, float)
    found = np.zeros_like(values)
    for i in np.ndindex(values.shape):
        change = np.zeros_like(values)
        change[i] = step
        ends = [values + change, values - change]
        high, low = (function(end if values.shape else float(end)) for end in ends)
        found[i] = (high - low) / (2 * step)
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.function.__name__)
def test_lanes_take_their_own_paths(program: Program) -> None:
    columns = zip(*program.arguments)
    batch = [np.stack([np.asarray(value) for value in column]) for column in columns]
    found = gd.vmap(program.function)(*batch)
    each = [expected(program, arguments) for arguments in program.arguments]
    assert_equal(found, gd.tree.map(lambda *leaves: np.stack(leaves), *each))


def test_transformations_compose() -> None:
    from .control_flow_programs import bisection, early_return, newton, partial_return

    x = np.array([0.5, 3.0, 2.5, -4.0])
    for function in (early_return, partial_return):
        slopes = gd.vmap(gd.grad(function))(x)
        np.testing.assert_allclose(slopes, [gd.grad(function)(v) for v in x])
        batch = gd.grad(lambda v, f=function: gd.vmap(f)(v).sum())(x)
        np.testing.assert_allclose(batch, slopes)
        second = gd.vmap(gd.grad(gd.grad(function)))(x)
        np.testing.assert_allclose(
            second, [2.0 if f == 2.0 * v else 0.0 for f, v in zip(slopes, x)]
        )
    roots = np.array([2.0, 9.0, 0.25])
    np.testing.assert_allclose(gd.vmap(newton)(roots), np.sqrt(roots))
    np.testing.assert_allclose(gd.vmap(gd.grad(newton))(roots), 0.5 / np.sqrt(roots), rtol=1e-6)
    np.testing.assert_allclose(gd.jvp(newton, (2.0,), (1.0,))[1], 0.5 / np.sqrt(2.0))
    np.testing.assert_allclose(gd.vmap(bisection)(roots), np.sqrt(roots), atol=1e-8)


# What is not traced


def with_configuration(x, depth, mode, flags=()):
    for i in range(depth):
        if mode == "sum" and i not in flags:
            x = x + i
        elif mode is None or not flags:
            x = x * 2
        else:
            break
    while depth > 2:
        depth -= 1
        x = -x
    return x if mode else x * depth


def written_out(x):
    x = x + 0
    x = x + 1
    return -(-x)


def test_what_is_known_stays_with_python() -> None:
    one = gd.stage(with_configuration, static_argnames=("depth", "mode", "flags"))
    found = str(one.trace(1.0, depth=4, mode="sum", flags=(2,)).module)
    assert "case" not in found
    assert "while" not in found
    wanted = str(gd.stage(written_out).trace(1.0).module)
    assert found.replace("with_configuration", "written_out") == wanted


def test_python_numbers_keep_any_size() -> None:
    def function(x):
        n = 1
        for i in range(1, 30):
            n = n * i
        return x * (1 if n > 10**30 else 0)

    assert gd.jit(function)(2.0) == 2.0


def test_known_conditions_run_one_side_only() -> None:
    ran = []

    def function(x, wanted):
        if wanted:
            ran.append("body")
            return x
        else:
            ran.append("orelse")
        return (wanted and ran.append("and")) or (x if not wanted else ran.append("choice"))

    gd.stage(function, static_argnums=1)(1.0, False)
    assert ran == ["orelse"]


def test_a_function_is_traced_once_or_twice() -> None:
    runs = []

    def plain(x):
        runs.append("plain")
        return x if x > 0 else -x

    def leaves_a_loop(x):
        runs.append("leaves")
        for i in range(5):
            if x > i:
                break
        return i

    gd.stage(plain).trace(1.0)
    assert runs == ["plain"]
    gd.stage(leaves_a_loop).trace(1.0)
    assert runs == ["plain", "leaves", "leaves"]


# Which loops become loops of the program


def long_sum(x):
    for i in range(2000):
        x = x * 0.999 + i
    return x


def short_loop(x):
    for i in range(20):
        x = np.sin(x) + i
    return x


def few_steps(x):
    for _ in range(4):
        for _ in range(600):
            x = x * 1.001
    return x


def over_table(x):
    for t in np.linspace(0.0, 1.0, 1500):
        x = x + np.sin(t * x)
    return x


def over_traced_rows(x):
    y = np.ones((700, 2)) * x
    s = 0.0
    for i, (a, b) in enumerate(zip(y, y[::-1])):
        s = s + (a * b).sum() * i
    return s


def counters(x):
    n, k = 0, 7
    for i in range(1, 4000, 3):
        x = x + n * 1e-6 - k
        n += 2
        k = k
        last = i
    return x, n, k, last, i


def stores(x):
    out = np.zeros(1200)
    for i in range(1200):
        out[i] = x * i
    return out


def list_of_layers(x):
    layers = [np.eye(2) * (1 + k / 1000) for k in range(600)]
    for i in range(len(layers)):
        x = np.tanh(layers[i] @ (x * np.ones(2)))[0]
    return x


def needs_its_number(x):
    for i in range(600):
        x = x + np.ones(i % 3 + 1).sum()
    return x


def grows_a_list(x):
    ys = []
    for i in range(600):
        ys.append(x * i)
    return np.stack(ys[::100])


def taylor(x):
    total, factorial = 0.0, 1
    for i in range(1, 160):
        factorial *= i
        total = total + x**i / factorial
        total = total * 1.0 + 0.0 * x - 0.0 * x + 0.0 * x - 0.0 * x
    return total


def large_power(x):
    for i in range(1, 1200):
        x = x + i**8 * 1e-20
    return x


def divides(x):
    for i in range(1100):
        x = x + 1e-3 / (i + 1)
    return x


def only_python(x):
    total = 0
    for i in range(3000):
        total += i * i
    return x * total


def noted(x, log=[]):  # noqa: B006
    for i in range(1100):
        log.append(i)
        x = x * 1.0
    found = len(log)
    log.clear()
    return x + found


class Model:
    """Counts its calls."""

    def __init__(self):
        self.calls = 0
        self.state = 0.0

    def __call__(self, x):
        self.calls += 1
        self.state = self.state * 0.5 + x
        return self.state if x > 0 else -self.state


def model_in_loop(x):
    model = Model()
    for _ in range(500):
        x = x + 0.001 * model(x)
    return x, model.calls


class Counter:
    """Counts in an attribute that the class has at first."""

    count = 0


class Calls:
    """Counts for all."""

    count = 0


CALLS = 0


def counts_in_module(x):
    global CALLS
    CALLS += 1
    return x + 1e-3 * CALLS


def counts_in_class(x):
    Calls.count += 1
    return x + 1e-3 * Calls.count


def counts_in_default(x, counts=[0]):  # noqa: B006
    counts[0] += 1
    return x + 1e-3 * counts[0]


def counts_in_object(x, counter):
    counter.count += 1
    return x + 1e-3 * counter.count


def module_variable_in_loop(x):
    global CALLS
    CALLS = 0
    for _ in range(500):
        x = counts_in_module(x)
    return x


def class_attribute_in_loop(x):
    Calls.count = 0
    for _ in range(500):
        x = counts_in_class(x)
    return x


def default_in_loop(x):
    counts_in_default.__defaults__[0][0] = 0
    for _ in range(500):
        x = counts_in_default(x)
    return x


def object_in_loop(x):
    counter = Counter()
    for _ in range(500):
        x = counts_in_object(x, counter)
    return x, counter.count


ROLLED: list[tuple[Any, bool]] = [
    (long_sum, True), (short_loop, False), (few_steps, True), (over_table, True),
    (over_traced_rows, True), (counters, True), (stores, True), (list_of_layers, False),
    (needs_its_number, False), (grows_a_list, False), (taylor, False), (large_power, False),
    (divides, True), (only_python, False), (noted, False), (model_in_loop, True),
    (module_variable_in_loop, False), (class_attribute_in_loop, False), (default_in_loop, False),
    (object_in_loop, True),
]  # fmt: skip


@pytest.mark.parametrize(("function", "rolled"), ROLLED, ids=lambda c: getattr(c, "__name__", ""))
def test_long_loops_over_what_is_known(function: Any, rolled: bool) -> None:
    staged = gd.stage(function)
    assert ("array.scan" in str(staged.trace(0.3).module)) is rolled
    leaves, structure = gd.tree.flatten(staged(0.3))
    others, other_structure = gd.tree.flatten(function(0.3))
    assert structure == other_structure
    for a, b in zip(leaves, others):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_an_attribute_of_the_class_is_what_an_object_has_at_first() -> None:
    def function(x):
        counter = Counter()
        if x > 0:
            counter.count += 2
        return x + counter.count, vars(counter)

    for x in (1.5, -1.5):
        assert gd.jit(function)(x) == function(x)
    untouched = Counter()

    def reads(x):
        if x > 0:
            x = x + untouched.count
        return x

    assert gd.jit(reads)(1.5) == 1.5
    assert not vars(untouched)


def test_what_a_long_loop_leaves_is_known() -> None:
    def function(x):
        for i in range(2000):
            x = x + 1.0
        return x * np.ones(i - 1997)

    np.testing.assert_array_equal(gd.jit(function)(1.0), [2001.0, 2001.0])


def test_a_value_that_leaks_from_a_long_loop_is_no_error() -> None:
    def function(x):
        box = {}

        def remember(v, into=box):
            into.setdefault("first", v)
            return v * 1.0

        for i in range(1200):
            x = remember(x) + 1.0
        return box["first"] + x

    assert gd.jit(function)(1.0) == function(1.0)


# Errors


def branches_of_two_shapes(x):
    if x > 0:
        y = np.ones(2) * x
    else:
        y = np.ones(3) * x
    return y


def branches_of_two_dtypes(x):
    y = x.astype(np.float32) if x > 0 else x
    return y


def array_or_none(x):
    if x > 0:
        return x


def array_or_text(x):
    mode = "a"
    if x > 0:
        mode = "b"
    return x if mode == "a" else -x


def set_on_one_path(x):
    if x > 0:
        y = x
    return y + 1


def deleted_on_one_path(x):
    y = x
    if x > 0:
        del y
    return y


def set_in_the_loop_only(x):
    while x < 10:
        y = x
        x = x * 2
    return y


def lists_of_two_lengths(x):
    ys = [x]
    if x > 0:
        ys.append(x)
    return sum(ys)


def carry_changes_shape(x):
    y = np.ones(1)
    while x < 10:
        y = np.concatenate([y, y])
        x = x + y.sum()
    return x


def list_grows_in_a_loop(n):
    ys = []
    for i in range(n):
        ys.append(i)
    return len(ys)


def carry_is_text(x):
    mode = "a"
    while x < 10:
        x = x * 2 if mode == "a" else x
        mode = mode + "b"
    return x


def condition_of_an_array(x):
    return 1 if x * np.ones(2) > 0 else 2


def step_of_a_range(n):
    for i in range(0, 10, n):
        pass
    return i


ERRORS: list[tuple[Any, Any, type[Exception], str, int]] = [
    (branches_of_two_shapes, 1.0, BranchError, r"`y` is f64\[3\] if the condition does not hold "
     r"and f64\[2\] if it holds", 1),
    (branches_of_two_dtypes, np.float64(1), BranchError, r"f64\[\] if .* and f32\[\] if it", 1),
    (array_or_none, 1.0, BranchError, r"result of the function is None .* Python float if it", 1),
    (array_or_text, 1.0, BranchError, "`mode` is 'a' if the condition does not .* 'b' if", 4),
    (set_on_one_path, 1.0, UndefinedError, "`y` has no value if the condition does not hold", 3),
    (deleted_on_one_path, 1.0, UndefinedError, "`y` has no value if it holds", 2),
    (set_in_the_loop_only, 1.0, UndefinedError, "`y` has no value if the loop .* no step", 1),
    (lists_of_two_lengths, 1.0, BranchError, "`ys` has 1 items if .* 2 items if it holds", 2),
    (carry_changes_shape, 1.0, CarryError, r"`y` is f64\[1\] when .* f64\[2\] when it ends", 2),
    (list_grows_in_a_loop, 3, CarryError, "`ys` gets another number of items", 2),
    (carry_is_text, 1.0, CarryError, "`mode` is 'a' when .* 'ab' when it ends", 2),
    (condition_of_an_array, 1.0, ValueError, "truth value of an array with more than one", 1),
    (step_of_a_range, 3, TypeError, "step of a range over traced bounds must be known", 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "argument", "kind", "message", "line"), ERRORS, ids=lambda c: _name_of(c)
)
def test_errors_name_variable_types_and_line(
    function: Any, argument: Any, kind: type[Exception], message: str, line: int
) -> None:
    with pytest.raises(kind, match=message) as caught:
        gd.stage(function).trace(argument)
    if isinstance(caught.value, gd.GradatimError):
        place = f"{__file__}:{function.__code__.co_firstlineno + line}"
        assert str(caught.value).endswith(f"\n  at {place}")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert not [frame for frame in frames if "gradatim/" in frame.filename]


def _name_of(case: Any) -> str:
    return case.__name__ if callable(case) and not isinstance(case, type) else ""


def test_what_has_no_value_can_stand_unused() -> None:
    def function(x):
        if x > 0:
            unused, other = x, "text"
        else:
            other = 3
        again = other
        return x

    assert gd.jit(function)(2.0) == 2.0


# Places


def test_ops_carry_the_users_lines() -> None:
    def function(x):
        if x > 0:
            y = x * 2
        else:
            y = x - 3
        while y < 10:
            y = y + x
        return y

    first = function.__code__.co_firstlineno
    module = gd.stage(function).trace(1.0).module
    lines = {
        op.name: file_and_line(op.location)
        for op in module.walk()
        if op.name in ("array.mul", "array.sub", "array.add", "array.case", "array.while")
    }
    assert lines == {
        "array.case": (__file__, first + 1), "array.mul": (__file__, first + 2),
        "array.sub": (__file__, first + 4), "array.while": (__file__, first + 5),
        "array.add": (__file__, first + 6),
    }  # fmt: skip


def test_errors_in_branches_name_their_line() -> None:
    def function(x):
        y = x * np.ones(2)
        if x > 0:
            for _ in range(3):
                y = y + np.ones(3)
        return y

    line = function.__code__.co_firstlineno + 4
    with pytest.raises(gd.errors.ShapeError, match=rf"at {__file__}:{line}"):
        gd.stage(function).trace(1.0)


# Together with the functions of `lax` and with other functions


def module_level_step(carry, x):
    if x > carry:
        carry = carry + x
    return carry, carry


def test_bodies_of_lax_functions_are_converted() -> None:
    xs = np.array([1.0, -2.0, 5.0, 0.5])

    def plain(xs):
        carry, ys = 0.0, []
        for x in xs:
            carry, y = module_level_step(carry, x)
            ys.append(y)
        return carry, np.array(ys)

    def scanned(xs):
        return gd.lax.scan(module_level_step, 0.0, xs)

    carry, ys = gd.jit(scanned)(xs)
    assert carry == plain(xs)[0]
    np.testing.assert_array_equal(ys, plain(xs)[1])
    with pytest.raises(gd.errors.TracerBoolConversionError):
        gd.stage(scanned, convert=False).trace(xs)


def test_nested_staged_functions() -> None:
    @gd.jit
    def inner(x):
        return x if x > 1 else x * x

    def outer(x):
        if x > 0:
            return gd.grad(inner)(x) + inner(x)
        return gd.vmap(inner)(np.array([0.5, 2.0]) * x).sum()

    for x in (0.5, 3.0, -1.0):
        found = gd.jit(outer)(x)
        wanted = (2 * x if x < 1 else 1.0) + inner(x) if x > 0 else 0.25 + 4.0
        np.testing.assert_allclose(found, wanted)


def test_functions_given_to_functions() -> None:
    def clipped(x):
        return x if x < 2 else 2.0

    def function(x):
        several = map(clipped, [x, 2 * x, 3 * x])
        folded = functools.reduce(lambda a, b: a if a > b else b, several)
        return functools.partial(clipped)(folded) + sum(filter(None, [1.0, 0.0]))

    for x in (0.5, 1.0, 5.0):
        assert gd.jit(function)(x) == function(x)


# Arrays that change in place


def test_an_array_chosen_from_several_cannot_be_stored_into() -> None:
    def function(x):
        a, b = x + 1, x + 2
        y = a if x[0] > 0 else b
        y[0] = 7.0
        return a, b

    with pytest.raises(ValueError, match="chose this array from several"):
        gd.stage(function).trace(np.ones(2))

    def in_branches(x):
        a, b = x + 1, x + 2
        if x[0] > 0:
            y = a
        else:
            y = b
        y += 1
        return a, b

    with pytest.raises(ValueError, match="chose this array from several"):
        gd.stage(in_branches).trace(np.ones(2))


def copied_first(x):
    a, b = x + 1, x + 2
    y = (a if x[0] > 0 else b).copy()
    y[0] = 7.0
    return a, b, y


def own_array(x):
    y = x + 1
    if x[0] > 0:
        y = y * 2
    y[0] = 7.0
    z = y
    if x[1] > 0:
        z[1] = 5.0
    return y, z


def swapped(x):
    a, b = x + 1, x * 2
    while a.sum() < 100:
        a[0] = b[1] + 1
        a, b = b, a * 2
    a[1] = -1.0
    return a, b


def view_in_branch(x):
    y = x * 1.0
    part = y[1:]
    if x[0] > 0:
        part[:] = 0.0
    else:
        y[0] = part.sum()
    return y, part


def empty(n):
    return np.empty(n)


def array_made_by_a_helper(x):
    y = empty(3)
    for i in range(3):
        y[i] = x[i] * i
    return y


@pytest.mark.parametrize(
    "function", [copied_first, own_array, swapped, view_in_branch, array_made_by_a_helper]
)
@pytest.mark.parametrize("x", [np.array([1.0, 2.0, 3.0]), np.array([-1.0, 2.0, -3.0])], ids=repr)
def test_arrays_change_in_place_under_conditions(function: Any, x: Any) -> None:
    if function is swapped:
        x = np.abs(x)
    assert_equal(gd.jit(function)(x), function(x))
