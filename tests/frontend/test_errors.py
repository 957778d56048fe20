"""What traced values cannot do, and what cannot be an argument: types and texts of the errors."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import checks, errors, lax

from .misuse import Failure, check_failure, each_failure, our_frames

V = np.ones(3)


def branch(x: Any) -> Any:
    return x if x > 0 else -x


def pickled(x: Any) -> Any:
    return pickle.dumps(x)


def store(x: Any) -> Any:
    y = np.zeros(3)
    y[0] = x
    return y


def set_item(x: Any) -> Any:
    x[0] = 1.0
    return x


def delete(x: Any) -> Any:
    del x[0]


def add_to_array(x: Any) -> Any:
    y = np.zeros(3)
    y += x
    return y


CONCRETE = errors.ConcretizationTypeError
BOOL = errors.TracerBoolConversionError
INTEGER = errors.TracerIntegerConversionError
ARRAY = errors.TracerArrayConversionError
MUTATION = errors.TracerMutationError
UNSUPPORTED = errors.UnsupportedError

MISUSE: list[tuple[str, Callable[[Any], Any], Any, type[Exception], str]] = [
    ("if", branch, 1.0, BOOL, r"needs the value of traced bool\[\], made at .*np\.where"),
    ("while", lambda x: [None for _ in iter(lambda: bool(x), False)], 1.0, BOOL, "`while`"),
    ("and", lambda x: x > 0 and x, 1.0, BOOL, "`&`"),
    ("not", lambda x: not x, 1.0, BOOL, "`not`"),
    ("chained comparison", lambda x: 0 < x < 1, 1.0, BOOL, "made at"),
    ("assert", lambda x: [None for _ in "a" if x.all()], V, BOOL, "static_argnums"),
    ("in", lambda x: 1.0 in x, V, BOOL, "`in`.*np.any"),
    ("float", lambda x: float(x), 1.0, CONCRETE, r"`float\(\)`.*traced f64\[\].*astype"),
    ("math", lambda x: math.sin(x), 1.0, CONCRETE, "function of `math`.*functions of numpy"),
    ("int", lambda x: int(x), 1.0, CONCRETE, r"`int\(\)`"),
    ("complex", lambda x: complex(x), 1.0, CONCRETE, r"`complex\(\)`"),
    ("round", lambda x: round(x), 1.0, CONCRETE, "np.round"),
    ("floor", lambda x: math.floor(x), 1.0, CONCRETE, "np.floor"),
    ("tobytes", lambda x: x.tobytes(), V, CONCRETE, "outside"),
    ("format", lambda x: f"{x:.3f}", 1.0, CONCRETE, "formatting by '.3f'"),
    ("pickle", lambda x: pickle.dumps(x), 1.0, CONCRETE, "pickling"),
    ("range", lambda x: range(x), 3, INTEGER, r"a `range`.*traced i64\[\].*static_argnums"),
    ("list index", lambda x: [1, 2][x], 1, INTEGER, "an index"),
    ("shape", lambda x: np.zeros(x), 3, TypeError, "a single integer, got 'traced i64"),
    ("index of an array", lambda x: V[x], 1, ARRAY, "needs the value"),
    ("mask", lambda x: x[x > 0], V, errors.NonConcreteBooleanIndexError, "as many elements"),
    ("asarray", lambda x: np.asarray(x), V, ARRAY, r"ndarray needs the value of traced f64\[3\]"),
    ("array of values", lambda x: np.array([x, x]), 1.0, ARRAY, r"gradatim\.numpy\.array"),
    ("store", store, 1.0, MUTATION, r"`x\[\.\.\.\] = value`.*gradatim\.numpy\.zeros"),
    ("store in a scalar", set_item, 1.0, TypeError, "'float' object does not support item"),
    ("del x[i]", delete, V, ValueError, "cannot delete array elements"),
    ("out", lambda x: np.add(x, 1, out=np.zeros(3)), V, MUTATION, r"`numpy\.add` with `out=`"),
    ("array += x", add_to_array, V, MUTATION, "would store a traced value"),
    ("reduceat", lambda x: np.add.reduceat(x, [0]), V, UNSUPPORTED, "add.reduceat"),
    ("unknown function", lambda x: np.unique(x), V, UNSUPPORTED, "numpy.unique"),
    ("broadcast", lambda x: x + np.ones(2), V, errors.ShapeError, r"f64\[3\].*f64\[2\]"),
    ("result of strings", lambda x: {"a": "text"}, 1.0, errors.OutputError, r"`result\['a'\]`"),
    ("result of objects", lambda x: object(), 1.0, errors.OutputError, "no array or number"),
    ("result too large", lambda x: 2**70, 1.0, OverflowError, "int"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "argument", "kind", "message"),
    [case[1:] for case in MISUSE],
    ids=[case[0] for case in MISUSE],
)
def test_misuse_of_traced_values(
    function: Callable[[Any], Any], argument: Any, kind: type[Exception], message: str
) -> None:
    # Ahead of time, since a call has the values; and as Python runs it, without rewriting.
    with pytest.raises(kind, match=message) as caught:
        gd.stage(function, convert=False).trace(argument)
    if isinstance(caught.value, errors.GradatimError):
        assert f"\n  at {__file__}:" in str(caught.value)


def test_copies_are_new_arrays() -> None:
    def f(x: Any) -> Any:
        for new in (copy.copy(x), copy.deepcopy([x])[0]):
            assert new is not x and new.value is x.value
        return f"{x}"

    with pytest.raises(errors.OutputError, match=r"'traced f64\[\]'"):
        gd.jit(f)(1.0)


ARGUMENTS: list[tuple[str, Any, type[Exception], str]] = [
    ("string", "text", errors.DtypeError, "argument `x`: str 'text' has dtype <U4"),
    ("object array", np.array([object()]), errors.ArgumentError, "argument `x`: .* of numbers"),
    ("datetime", np.datetime64("2020-01-01"), errors.DtypeError, r"datetime64\[D\]"),
    ("half", np.float16(1), errors.DtypeError, "float16, which is not supported"),
    ("long double", np.longdouble(1), errors.DtypeError, "which is not supported"),
    ("record", np.zeros(2, [("a", "f4")]), errors.DtypeError, "which is not supported"),
    ("decimal", Decimal(1), errors.ArgumentError, "Decimal"),
    ("function", len, errors.ArgumentError, "static_argnums"),
    ("large int", 2**63, OverflowError, "does not fit 64 bits"),
    ("masked array", np.ma.ones(3), errors.ArgumentError, "filled()"),
    ("in a dictionary", {"w": [1.0, "a"]}, errors.DtypeError, r"argument `x\['w'\]\[1\]`: str 'a'"),
    ("ragged list is a tree", [[1.0], [1.0, "b"]], errors.DtypeError, r"`x\[1\]\[1\]`"),
    ("keys", {1: 1.0, "a": 1.0}, errors.TreeError, "cannot be sorted"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("argument", "kind", "message"),
    [case[1:] for case in ARGUMENTS],
    ids=[case[0] for case in ARGUMENTS],
)
def test_what_cannot_be_an_argument(argument: Any, kind: type[Exception], message: str) -> None:
    def f(x: Any) -> Any:
        return x

    with pytest.raises(kind, match=message):
        gd.jit(f)(argument)
    with pytest.raises(kind, match=message):
        gd.grad(f)(argument)


def test_wrong_number_of_arguments_is_pythons_error() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        gd.jit(lambda x, y: x)(1.0)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        gd.grad(lambda x: x)(1.0, 2.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        gd.jit(lambda x: x)(1.0, z=2.0)


def test_errors_of_the_user_pass_through() -> None:
    def f(x: Any) -> Any:
        raise LookupError("mine")

    for staged in (gd.jit(f), gd.grad(f), gd.stage(f).grad().vmap().vmap()):
        with pytest.raises(LookupError, match="mine"):
            staged(np.ones((2, 2)))


def test_endless_recursion_is_pythons_error() -> None:
    @gd.jit
    def f(x: Any) -> Any:
        return f(x + 1)

    with pytest.raises(RecursionError):
        f(1.0)


def identity(x: Any) -> Any:
    return x


def custom(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a sum with a backward rule."""
    function = gd.custom_vjp(lambda x: x.sum())
    function.defvjp(lambda x: (x.sum(), None), backward)
    return function


OPTIONS: list[Failure] = [
    ("position as a string", lambda: gd.jit(identity, static_argnums="x"),
     errors.StaticArgumentError, "static arguments are told by positions, .* not 'x'"),
    ("position as a float", lambda: gd.jit(identity, static_argnums=1.0),
     errors.StaticArgumentError, "told by positions, which are ints, not 1.0"),
    ("name as an int", lambda: gd.jit(identity, static_argnames=1),
     errors.StaticArgumentError, "told by names, which are strings, not 1"),
    ("donated by name", lambda: gd.jit(identity, donate_argnums=["x"]),
     errors.StaticArgumentError, "donated arguments are told by positions"),
    ("stored into by name", lambda: gd.stage(identity, inout="x"),
     errors.StaticArgumentError, "inout arguments are told by positions"),
    ("checks as a string", lambda: gd.stage(identity, checks="index"), errors.ArgumentError,
     "checks must be a set of kinds, some of 'div', .*, found index"),
    ("checks as a number", lambda: gd.stage(identity, checks=3), errors.ArgumentError, "found 3"),
    ("axis name as a list", lambda: gd.vmap(identity, axis_name=[1]), errors.ArgumentError,
     r"axis_name must be a string, not \[1\]"),
    ("axis name as an int", lambda: gd.vmap(lambda x: lax.psum(x, 3), axis_name="i")(V),
     errors.AxisNameError, "axis_name 3; there are 'i'"),
    ("level", lambda: gd.stage(identity).lower(V).as_text("no"), errors.ArgumentError, "levels"),
    ("branch", lambda: gd.jit(lambda x: lax.cond(x > 0, 1, 2, x))(1.0), errors.ArgumentError,
     "expected a function, found 2"),
    ("step", lambda: gd.jit(lambda x: lax.scan(3, 0.0, x))(V), errors.ArgumentError,
     "expected a function, found 3"),
    ("axis of prefixes", lambda: lax.associative_scan(np.add, V, axis=4), errors.ArgumentError,
     r"shape \(3,\) has no axis 4"),
    ("prefixes of a number", lambda: lax.associative_scan(np.add, 1.0), errors.ArgumentError,
     r"shape \(\) has no axis 0"),
    ("structure of prefixes", lambda: lax.associative_scan(lambda a, b: (a, b), V),
     errors.ArgumentError, r"must return the structure that it takes, TreeDef\(\*\), not"),
    ("shape of cotangents of a rule", lambda: gd.grad(custom(lambda _, g: (g,)))(V),
     errors.CustomRuleError, r"^`\[0\]` of what the backward rule `lambda` at .* returns must be"),
    ("random shape", lambda: gd.random.normal(gd.random.key(0), (-1,)), errors.ShapeError,
     r"`normal` cannot make an array of shape \(-1,\)"),
    ("number of keys", lambda: gd.random.split(gd.random.key(0), -2), errors.ShapeError,
     r"`split` cannot make an array of shape \(-2,\)"),
    ("trees", lambda: gd.tree.map(np.add, (1, 2), (1,)), errors.TreeError, "different structures"),
    ("leaves", lambda: gd.tree.unflatten(gd.tree.structure((1, 2)), [1]), errors.TreeError,
     "2 leaves was given 1"),
    ("failed check", lambda: checks.checkify(lambda x: 1 / x, checks.div_checks)(0.0)[0].throw(),
     errors.DivisionCheckError, "division by zero"),
]  # fmt: skip


@each_failure(OPTIONS)
def test_misuse_of_functions(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    check_failure(call, kind, message)


CALLS: list[Callable[[], Any]] = [
    lambda: gd.jit(pickled)(1.0),
    lambda: gd.jit(lambda x: x + np.ones(2))(V),
    lambda: gd.grad(lambda x: gd.vmap(pickled)(x).sum())(V),
    lambda: gd.stage(pickled).trace(1.0),
    lambda: gd.stage(pickled).compile(1.0),
    lambda: gd.stage(lambda x: x).compile(1.0)(V),
    lambda: gd.jvp(pickled, (1.0,), (1.0,)),
    lambda: gd.vjp(pickled, 1.0),
    lambda: gd.vmap(lambda x: x, in_axes=(0, 0))(V),
    lambda: gd.stage(3),  # type: ignore[arg-type]
    lambda: gd.grad(lambda x: x)("text"),
]


@pytest.mark.parametrize("call", CALLS)
def test_no_frame_of_ours_in_tracebacks(
    call: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def frames() -> list[str]:
        with pytest.raises(errors.GradatimError) as caught:
            call()
        return our_frames(caught.value)

    assert not frames()
    monkeypatch.setenv("GRADATIM_TRACEBACK", "full")
    assert [name for name in frames() if "gradatim/frontend" in name]


def test_traceback_of_a_script_names_only_the_script() -> None:
    script = "import gradatim as gd\ngd.grad(lambda x: f'{x:.3f}')(1.0)\n"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stderr.count("\n  File ") == run.stderr.count('File "<string>"') == 2
    assert "gradatim.frontend.errors.ConcretizationTypeError" in run.stderr
