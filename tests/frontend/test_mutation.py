"""Arrays that change in staged code: programs against NumPy, plain, under grad and under vmap."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from copy import copy as copy_shallow
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import gradatim as gd
import gradatim.numpy as gnp
from gradatim import errors, lax, tree

from .mutation_programs import PROGRAMS, Program

ALL = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)


def arguments_of(program: Program, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in program.shapes]


def plain(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    with np.errstate(all="ignore"):
        return function(*[np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments])


def require_same(found: Any, expected: Any) -> None:
    pairs = list(zip(tree.leaves(found), tree.leaves(expected), strict=True))
    for f, e in pairs:
        assert np.shape(f) == np.shape(e)
        assert np.asarray(f).dtype == np.asarray(e).dtype
        np.testing.assert_allclose(f, e, rtol=1e-12, atol=1e-12)


def check(function: Callable[..., Any], *arguments: Any) -> None:
    """Require that a staged function returns what NumPy does, and leaves its arguments alone."""
    before = [np.copy(a) for a in arguments]
    found = gd.stage(function)(*arguments)
    for argument, copy in zip(arguments, before):
        np.testing.assert_array_equal(argument, copy)
    require_same(found, plain(function, arguments))


@ALL
def test_programs(program: Program) -> None:
    check(program.run, *arguments_of(program))


def weighted_sum(program: Program) -> Callable[..., Any]:
    """Return a function that makes one number of a program's results."""

    def loss(*arguments: Any) -> Any:
        total = 0.0
        for i, leaf in enumerate(tree.leaves(program.run(*arguments))):
            real = np.real(leaf) + np.imag(leaf)
            weights = np.cos(np.arange(float(np.size(real))) + i).reshape(np.shape(real))
            total = total + np.sum(real * weights)
        return total

    return loss


@ALL
def test_gradients(program: Program) -> None:
    loss, arguments = weighted_sum(program), arguments_of(program)
    numbers = tuple(range(len(arguments)))
    gradients = gd.grad(loss, argnums=numbers)(*arguments)
    rng = np.random.default_rng(1)
    directions = [rng.normal(size=a.shape) for a in arguments]
    step = 1e-6
    ends = [
        plain(loss, [a + sign * step * d for a, d in zip(arguments, directions)])
        for sign in (1, -1)
    ]
    slope = sum(np.sum(g * d) for g, d in zip(gradients, directions))
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-7)


@ALL
def test_batches(program: Program) -> None:
    batches = [np.stack(column) for column in zip(*(arguments_of(program, s) for s in range(3)))]
    found = gd.vmap(program.run)(*batches)
    single = [plain(program.run, [b[i] for b in batches]) for i in range(3)]
    expected = [np.stack(column) for column in zip(*map(tree.leaves, single))]
    for f, e in zip(tree.leaves(found), expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-12, atol=1e-12)


def test_views_tell_how_they_lie_in_memory() -> None:
    def strides(x: Any) -> Any:
        y = x[::2].T
        views = (
            x,
            y,
            y[::-1, None],
            y.copy(),
            x.reshape(2, 2, 3),
            x[0],
            np.broadcast_to(x, (2, 4, 3)),
        )
        return [v.strides for v in views], [v.base is None or v.base is x for v in views]

    found = []
    gd.stage(lambda x: found.append(strides(x)) or x).trace(np.ones((4, 3)))
    assert found == [strides(np.ones((4, 3)))]


# Stores without a copy


def ops_of(function: Callable[..., Any], *arguments: Any) -> list[str]:
    module = gd.stage(function).trace(*arguments).module
    return [op.name for op in module.walk() if op.name.startswith("array.")]


def test_reading_an_array_that_does_not_change_costs_nothing() -> None:
    def plain_reads(x: Any) -> Any:
        y, z = x[1:], x.T
        return y.sum() + z.sum() + y.sum()

    ops = ops_of(plain_reads, np.ones((3, 3)))
    assert ops.count("array.slice") == 1 and ops.count("array.transpose") == 1


def test_augmented_assignment_to_a_part_stores_once() -> None:
    def f(x: Any) -> Any:
        x[1:] += 1
        return x

    ops = ops_of(f, np.ones(4))
    assert [op for op in ops if "update" in op or "scatter" in op] == ["array.dynamic_update_slice"]


def test_arrays_of_one_number_are_not_captured() -> None:
    def f(x: Any) -> Any:
        out = gnp.zeros((100, 100))
        out[0] = x
        return out

    assert gd.stage(f).trace(np.ones(100)).captures == ()


# Regions


def staged_loop(count: int, body: Callable[[Any], None]) -> None:
    """Run a body that changes arrays around it, as a loop of the program while tracing."""
    lax.fori_loop(0, count, lambda i, nothing: (body(i), nothing)[1], 0)


def python_loop(count: int, body: Callable[[Any], None]) -> None:
    for i in range(count):
        body(i)


Loop = Callable[[int, Callable[[Any], None]], None]


def changes_by_index(loop: Loop, x: Any) -> Any:
    y = np.copy(x)
    part = y[1:]

    def body(i: Any) -> None:
        total = part.sum() + x.sum()
        y[i] = total
        part[0] += i

    loop(3, body)
    return y, part, x


def changes_views(loop: Loop, x: Any) -> Any:
    row = x[0]

    def body(i: Any) -> None:
        row[i] += 1

        def inner(j: Any) -> None:
            x[j] *= 1.5

        loop(2, inner)

    loop(3, body)
    return x, row * 2


def reads_before_it_changes(loop: Loop, x: Any) -> Any:
    out = gnp.zeros(4)
    out[3] = 1.0

    def body(i: Any) -> None:
        out[i] = x[i] + out.sum()

    loop(3, body)
    return out


def stores_numbers(loop: Loop, x: Any) -> Any:
    out, n = gnp.zeros(3), gnp.arange(2)

    def body(i: Any) -> None:
        out[1] = 5.0
        out[int(n[1]) + 1] += 1
        n.sum()

    loop(3, body)
    return out + x


def copies_share_a_value(loop: Loop, x: Any) -> Any:
    y = x.copy()

    def body(i: Any) -> None:
        z = y[:1] + x[:1]
        x[i] += z[0]

    loop(2, body)
    return x, y


@pytest.mark.parametrize(
    "program",
    [
        changes_by_index,
        changes_views,
        reads_before_it_changes,
        stores_numbers,
        copies_share_a_value,
    ],
)
def test_loops_change_arrays_around_them(program: Callable[..., Any]) -> None:
    x = np.arange(9.0).reshape(3, 3) if program is changes_views else np.arange(3.0) + 1
    found = gd.stage(lambda x: program(staged_loop, x))(x)
    require_same(found, program(python_loop, x.copy()))


def test_branches_change_arrays_around_them() -> None:
    def program(cond: Callable[..., None], x: Any) -> Any:
        y, z, part = np.zeros_like(x), gnp.zeros(3), x[1:]

        def positive() -> None:
            y[0] = x[0]
            z[1] = 4.0
            part[0] *= 2

        def negative() -> None:
            y[1] = 5.0

        cond(x.sum() > 0, positive, negative)
        cond(x.sum() < 0, positive, negative)
        return x, y, z

    def python_cond(which: Any, first: Callable[[], None], second: Callable[[], None]) -> None:
        (first if which else second)()

    for x in (np.arange(3.0) + 1, -np.arange(3.0) - 1):
        found = gd.stage(lambda x: program(lax.cond, x))(x)
        require_same(found, program(python_cond, x.copy()))


def test_while_loops_change_arrays_around_them() -> None:
    def f(x: Any) -> Any:
        y = x.copy()

        def body(i: Any) -> Any:
            y[i] = y.sum() * 0.5
            return i + 1

        n = lax.while_loop(lambda i: (i < 3) & (y.sum() < 40), body, 0)
        return y, n

    x = np.arange(4.0) + 1
    y, n = x.copy(), 0
    while n < 3 and y.sum() < 40:
        y[n] = y.sum() * 0.5
        n += 1
    require_same(gd.stage(f)(x), (y, np.int64(n)))


def test_a_condition_must_not_change_arrays() -> None:
    def f(x: Any) -> Any:
        def condition(i: Any) -> Any:
            x[0] = 1.0
            return i < 3

        return lax.while_loop(condition, lambda i: i + 1, 0)

    with pytest.raises(errors.TracerMutationError, match=r"the condition of a loop.*in the body"):
        gd.stage(f).trace(np.ones(3))


def test_derivatives_and_batches_of_loops_that_change_arrays() -> None:
    def total(x: Any) -> Any:
        y = x.copy()
        staged_loop(3, lambda i: y.__setitem__(i + 1, y[i] * y[i + 1]))
        return y.sum()

    def by_hand(x: Any) -> Any:
        y = [x[i] for i in range(4)]
        for i in range(3):
            y[i + 1] = y[i] * y[i + 1]
        return y[0] + y[1] + y[2] + y[3]

    x = np.array([0.5, 1.5, -2.0, 3.0])
    np.testing.assert_allclose(gd.jit(total)(x), by_hand(x))
    np.testing.assert_allclose(gd.grad(total)(x), gd.grad(by_hand)(x))
    np.testing.assert_allclose(gd.hessian(total)(x), gd.hessian(by_hand)(x))
    batch = np.stack([x, x + 1, -x])
    np.testing.assert_allclose(gd.vmap(total)(batch), [by_hand(row) for row in batch])
    gradients = [gd.grad(by_hand)(row) for row in batch]
    np.testing.assert_allclose(gd.vmap(gd.grad(total))(batch), gradients)


# Functions inside functions


def test_staged_functions_do_not_change_arguments_in_a_trace() -> None:
    @gd.jit
    def inner(y: Any) -> Any:
        y[0] = 7.0
        return y.sum()

    def outer(x: Any) -> Any:
        y = x * 1
        return inner(y), gd.grad(inner)(y), y

    x = np.ones(3)
    require_same(gd.stage(outer)(x), (9.0, np.array([0.0, 1.0, 1.0]), x))


def test_transformed_functions_must_not_change_what_they_close_over() -> None:
    def outer(x: Any) -> Any:
        y = x * 1

        def inner(z: Any) -> Any:
            y[0] = z[0]
            return z.sum()

        return gd.grad(inner)(x)

    with pytest.raises(
        errors.TracerMutationError, match=r"`inner` changes traced f64\[3\], made at .* which it"
    ) as caught:
        gd.stage(outer).trace(np.ones(3))
    assert caught.value.where is not None and "test_mutation.py" in caught.value.where


def test_a_value_closed_over_is_the_one_at_the_time_of_the_call() -> None:
    def outer(x: Any) -> Any:
        y = x * 1
        first = gd.jit(lambda z: z + y)(x)
        value, pullback = gd.vjp(lambda z, w: z * w, x, y)
        y[:] = 0
        return first, value, pullback(x)[0], y

    x = np.arange(3.0)
    require_same(gd.stage(outer)(x), (2 * x, x * x, x * x, 0 * x))


# Errors


def store_in_constant(x: Any) -> Any:
    CLOSED_OVER[0] = x[0]


def store_number_in_constant(x: Any) -> Any:
    CLOSED_OVER[0] = 5.0


def store_in_part_of_constant(x: Any) -> Any:
    for element in CLOSED_OVER.reshape(3, 1):
        element += 1.0


def add_to_constant(x: Any) -> Any:
    global CLOSED_OVER
    CLOSED_OVER += x


def store_at_traced_position(x: Any) -> Any:
    CLOSED_OVER[np.argmax(x)] = 1.0


def write_to(part: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        part(x)[...] = 0
        return x

    return f


def hold_as_ordinary_array(x: Any) -> Any:
    out = gnp.zeros(3)
    kept = operator.methodcaller("__array__")(out)
    out[0] = x[0]
    return kept


CLOSED_OVER = np.ones(3)
MUTATION = errors.TracerMutationError
OTHERS = "changes an array that was not made in it; give the array as an argument, or change a copy"

ERRORS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (store_in_constant, MUTATION, OTHERS),
    (store_number_in_constant, MUTATION, OTHERS),
    (store_in_part_of_constant, MUTATION, OTHERS),
    (add_to_constant, MUTATION, OTHERS),
    (store_at_traced_position, MUTATION, OTHERS),
    (lambda x: np.copyto(CLOSED_OVER, x), MUTATION, OTHERS),
    (lambda x: np.copyto(CLOSED_OVER, 5.0), MUTATION, OTHERS),
    (lambda x: np.add.at(CLOSED_OVER, 0, x[0]), MUTATION, OTHERS),
    (lambda x: np.add.at(CLOSED_OVER, 0, 5.0), MUTATION, OTHERS),
    (lambda x: np.add(CLOSED_OVER, 1.0, out=CLOSED_OVER), MUTATION, OTHERS),
    (lambda x: CLOSED_OVER.fill(5.0), MUTATION, OTHERS),
    (hold_as_ordinary_array, MUTATION, "made by NumPy, but an ordinary numpy.ndarray"),
    (write_to(lambda x: np.broadcast_to(x, (2, 3))), ValueError, "read-only"),
    (write_to(lambda x: np.diagonal(x[:, None] * x)), ValueError, "read-only"),
    (write_to(lambda x: x.imag), ValueError, "read-only"),
    (write_to(lambda x: np.broadcast_to(x, (2, 3))[0].reshape(3, 1)), ValueError, "read-only"),
    (lambda x: x.__setitem__(0, [1, 2]), errors.ShapeError, "could not broadcast"),
    (lambda x: x.__setitem__(5, 1), IndexError, "out of bounds for axis 0 with size 3"),
    (lambda x: x.astype(int).__iadd__(0.5), TypeError, "Cannot cast `numpy.add` output from"),
    (lambda x: x.__iadd__(np.ones((2, 3))), ValueError, "shape"),
    (
        lambda x: np.add.at(x, [0, 0], 1) or np.divide.at(x, [0, 0], 2),
        errors.UnsupportedError,
        "at",
    ),
    (lambda x: x.view(np.int64), errors.UnsupportedError, "`view` of traced"),
]


@pytest.mark.parametrize(("function", "kind", "message"), ERRORS)
def test_errors(function: Callable[[Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        gd.stage(function).trace(np.arange(3.0))
    assert __file__ in str(caught.value) or not isinstance(caught.value, gd.GradatimError)
    np.testing.assert_array_equal(CLOSED_OVER, np.ones(3))


NOT_REWRITTEN: list[tuple[Callable[[Any], Any], str]] = [
    (store_in_constant, r"`x\[\.\.\.\] = value` would store .*`gradatim\.numpy\.zeros"),
    (add_to_constant, r"`numpy\.add` with `out=`, or an operator such as `\+=`"),
    (store_at_traced_position, "would store a traced value"),
    (lambda x: np.copyto(CLOSED_OVER, x), r"`numpy\.copyto` would store"),
    (lambda x: np.add.at(CLOSED_OVER, 0, x[0]), r"`numpy\.add\.at` would store"),
    (lambda x: np.sum(x, out=np.empty(())), r"`numpy\.sum` with `out=`"),
]


@pytest.mark.parametrize(("function", "message"), NOT_REWRITTEN)
def test_errors_of_functions_that_are_not_rewritten(
    function: Callable[[Any], Any], message: str
) -> None:
    with pytest.raises(MUTATION, match=message):
        gd.stage(function, convert=False).trace(np.arange(3.0))


def test_what_operators_make_of_arrays_of_others_is_the_functions_own() -> None:
    def stores_in_a_branch(x: Any) -> Any:
        doubled, negative, part = CLOSED_OVER * 2, -CLOSED_OVER, CLOSED_OVER[[0, 2]]
        alias = doubled
        if x[0] > 0:
            doubled[0] = 5.0
            negative[1] = x[1]
        part[0] += x[2]
        alias[2] = 7.0
        return doubled, negative, part, alias

    def returned() -> Any:
        return CLOSED_OVER + 1

    def stores_in_a_result(x: Any) -> Any:
        found = returned()
        found[0] = x[0]
        found += x
        return found

    for x in (np.array([1.0, 2, 3]), np.array([-1.0, 2, 3])):
        check(stores_in_a_branch, x)
        check(stores_in_a_result, x)


def test_copies_by_the_standard_library_are_the_functions_own() -> None:
    def copied(x: Any) -> Any:
        shallow, deep = copy_shallow(CLOSED_OVER), deepcopy([CLOSED_OVER])[0]
        shallow[0] = x[0]
        deep[1] = x[1]
        return shallow, deep

    check(copied, np.array([5.0, 6, 7]))


def test_an_array_that_outlives_its_function_cannot_be_changed() -> None:
    kept: list[Any] = []

    def leak(x: Any) -> Any:
        kept.extend((x * 1, gnp.zeros(3)))
        return x

    gd.stage(leak).trace(np.ones(3))
    traced, made = kept
    with pytest.raises(errors.UnexpectedTracerError, match=r"made at .* while `leak` was traced"):
        traced[0] = 1
    made[0] = 1  # it is an array like any other
    np.testing.assert_array_equal(made, [1, 0, 0])

    def use(x: Any) -> Any:
        made[1] = x[0]

    with pytest.raises(MUTATION, match="made while `leak` was traced, which has ended"):
        gd.stage(use).trace(np.ones(3))


# In-out arguments


def advance(x: Any, v: Any, step: float = 1.0) -> Any:
    x += v * step
    v[0] = 0
    part = x[1:]
    part *= 2
    return x.sum()


def test_in_out_arguments_hold_what_the_function_left() -> None:
    staged = gd.stage(advance, inout=(0, 1))
    assert staged is gd.stage(advance, inout=(0, 1)) and "in-out arguments (0, 1)" in repr(staged)
    x, v = np.arange(3.0), np.ones(3)
    xs, vs = x.copy(), v.copy()
    for step in (1.0, 0.5):
        assert staged(x, v, step) == advance(xs, vs, step)
        np.testing.assert_array_equal(x, xs)
        np.testing.assert_array_equal(v, vs)
    strided = np.zeros((3, 2))[:, 1]
    staged(strided, np.ones(3))
    np.testing.assert_array_equal(strided, [1, 2, 2])


def test_in_out_arguments_in_containers_and_0d() -> None:
    def f(state: Any, n: Any) -> None:
        state["x"][0] = 5
        state["unchanged"].sum()
        n += 1

    state = {"x": np.zeros(2), "unchanged": np.zeros(1)}
    number = np.array(3)
    gd.stage(f, inout=(0, 1))(state, number)
    np.testing.assert_array_equal(state["x"], [5, 0])
    assert number == 4


def test_in_out_arguments_in_a_trace() -> None:
    def f(x: Any) -> Any:
        y, z = x * 1, gnp.zeros(3)
        gd.stage(advance, inout=0)(y, np.ones(3))
        gd.stage(advance, inout=0)(z, y)
        return x, y, z

    x = np.arange(3.0)
    require_same(gd.stage(f)(x), (x, np.array([1.0, 4, 6]), np.array([1.0, 8, 12])))


def test_an_array_is_not_an_in_out_argument_twice() -> None:
    staged = gd.stage(advance, inout=0)
    x = np.arange(6.0)
    for arguments in ((x, x), (x[:3], x[2:5]), (x[:3], x[::-1][3:])):
        with pytest.raises(errors.ArgumentError, match="shares memory with another argument"):
            staged(*arguments)
    staged(x[::2], x[1::2])


def test_misuse_of_in_out_arguments() -> None:
    staged = gd.stage(advance, inout=0)
    frozen = np.ones(3)
    frozen.flags.writeable = False
    with pytest.raises(errors.ArgumentError, match="must hold arrays, found a float"):
        staged(1.0, np.ones(3))
    with pytest.raises(errors.ArgumentError, match="has to be given by position"):
        staged(x=np.ones(3), v=np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        staged(frozen, np.ones(3))
    with pytest.raises(errors.ArgumentError, match="cannot be transformed by `grad`"):
        staged.grad()  # type: ignore[attr-defined]
    with pytest.raises(errors.ArgumentError, match="must be positions"):
        gd.stage(advance, inout=-1)
    with pytest.raises(errors.StaticArgumentError, match="inout arguments are told by positions"):
        gd.stage(advance, inout="x")  # type: ignore[call-overload]
    assert staged.compile(np.ones(3), np.ones(3)) is staged
    assert "func" in staged.lower(np.ones(3), np.ones(3)).as_text()


# Copies


def changed_argument(x: Any) -> Any:
    x[3] = 1.0
    return x


def filled_in_a_loop(x: Any) -> Any:
    out = gnp.zeros(1000)
    staged_loop(1000, lambda i: out.__setitem__(i, x[i] + out[i - 1]))
    return out


def changed_in_a_loop(x: Any) -> Any:
    y = x * 2
    staged_loop(999, lambda i: y.__setitem__(i + 1, y[i] * 0.5))
    return y


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (changed_argument, ["an argument is changed, and the caller's array must not be"]),
        (filled_in_a_loop, []),
        (changed_in_a_loop, []),
        (lambda x: (x, x + 1), ["it is an argument"]),
    ],
)
def test_copies_that_remain_have_reasons(
    function: Callable[[Any], Any], expected: list[str]
) -> None:
    copies = gd.stage(function).lower(np.arange(1000.0)).copies()
    assert [copy.reason for copy in copies] == expected
    for copy in copies:
        assert copy.array == "f64[1000]" and copy.nbytes == 8000 and not copy.in_loop
        assert copy.where is not None and copy.where.startswith(__file__)
        assert str(copy) == f"f64[1000] is copied at {copy.where}: {copy.reason}"


def test_copies_in_loops_are_told_apart() -> None:
    def f(x: Any) -> Any:
        y = x * 2

        def body(carry: Any, _: Any) -> Any:
            old = carry.copy()
            carry[0] = old.sum()
            return carry, old

        return lax.scan(body, y, None, 5)

    copies = gd.stage(f).lower(np.arange(1000.0)).copies()
    assert copies and all(copy.in_loop for copy in copies)
    assert "in each step of a loop" in str(copies[0])
