"""Rewritten functions run as Python runs them where nothing is traced, and keep their places."""

# ruff: noqa: B006, B018, B023, C416, F821, F842, SIM221  # written as users write

from __future__ import annotations

import contextlib
import functools
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim.frontend.control_flow import conversion
from gradatim.frontend.control_flow.conversion import converted, converted_root
from gradatim.frontend.control_flow.need import OUR_CODE, is_library_file, needs_conversion

from .control_flow_programs import PROGRAMS, Program
from .test_control_flow import assert_equal, expected

GLOBAL = 0


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.function.__name__)
def test_programs_run_as_before(program: Program) -> None:
    function = converted(program.function)
    assert function is not program.function
    for arguments in program.arguments:
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        assert_equal(function(*copies), expected(program, arguments))


# What is done in which order, noted in a log


def short_circuit(log):
    def note(name, value):
        log.append(name)
        return value

    a = note("a", 0) and note("b", 1)
    b = note("c", 2) or note("d", 3)
    c = note("e", 1) and note("f", 0) and note("g", 1)
    d = not note("h", [])
    e = note("i", 1) < note("j", 2) < note("k", 0) < note("l", 9)
    f = note("m", 5) if note("n", True) else note("o", 6)
    return a, b, c, d, e, f


def nested_loops_with_exits(log):
    for i in range(5):
        if i == 3:
            break
        for j in range(5):
            if j == i:
                continue
            if j > 3:
                break
            log.append((i, j))
        else:
            log.append("else")
    else:
        log.append("never")
    while True:
        if len(log) > 30:
            return log[-1]
        log.append(len(log))


def finally_and_with(log):
    @contextlib.contextmanager
    def block(name):
        log.append(("enter", name))
        try:
            yield name
        finally:
            log.append(("leave", name))

    for i in range(4):
        with block(i) as n, block(-i):
            try:
                if n == 1:
                    continue
                if n == 2:
                    break
                log.append("body")
            except ValueError:
                log.append("never")
            else:
                log.append("else")
            finally:
                log.append("finally")
    with block("a"):
        if log:
            return "returned"
    return "never"


def suppressed(log):
    with contextlib.suppress(KeyError):
        for k in "ab":
            if k == "b":
                return {}[k]
            log.append(k)
    return "behind"


def exceptions(log):
    try:
        try:
            if log == []:
                raise ValueError("x")
        except ValueError as error:
            log.append(str(error))
            raise KeyError("y") from error
        finally:
            log.append("finally")
    except KeyError as error:
        log.append(type(error.__cause__).__name__)
    try:
        error
    except UnboundLocalError:
        log.append("unbound")


def names_and_scopes(log):
    global GLOBAL
    x = 1

    def inner():
        nonlocal x
        if x:
            x = x + 1
        return lambda: x

    get = inner()
    GLOBAL = 5 if x == 2 else 6
    log.append((x, get(), GLOBAL))
    x = 10
    log.append(get())
    squares = [i * i for i in range(3) if i]
    pairs = {i: j for i, j in zip("ab", range(2)) if j or not j}
    total = sum(y for y in squares if (last := y) > 0)
    log.append((squares, pairs, total, last))
    functions = [lambda i=i: i for i in range(3)] + [lambda: i for i in range(3)]
    log.append([f() for f in functions])
    if x:
        del x
    try:
        x
    except UnboundLocalError:
        log.append("deleted")


def calls(log, *args, key=3, **kwargs):
    log.append((args, key, sorted(kwargs)))
    first, *rest = args or (0,)
    log.append(max(first, *rest, 0))
    log.append("{} {!r}".format(*map(str, range(2))))
    log.append(f"{first:>3}{rest!r}{key if key else None}")
    return [*rest, *(key,)] if rest else dict(**kwargs, k=1)


def generators(log):
    def count(n):
        i = 0
        while i < n:
            received = yield i
            if received:
                log.append(received)
            i += 1

    g = count(3)
    log.append(next(g))
    log.append(g.send("sent"))
    log.append(list(g))
    log.extend(x for x in count(4) if x % 2)


def matches(log):
    for subject in ({"a": 1, "b": 2}, [1, 2, 3], (0,), "text", 5, None):
        match subject:
            case {"a": a, **rest}:
                log.append((a, rest))
            case [first, *others] if len(others) > 1:
                log.append((first, others))
            case str() as text if text:
                log.append(text)
            case int(n) | (n,):
                log.append(n)
                if n == 5:
                    break
            case _:
                log.append("other")


def large_integers(log):
    n = 1
    for i in range(1, 40):
        n *= i
    log.append(n)
    m = 3
    while m < 10**30:
        m = m * m
    log.append(m)


def in_place(log):
    x = [1, 2]
    y = x
    x += [3]
    log.append((x, y, x is y))
    a = np.zeros(3)
    b = a[1:]
    a[0] = 1
    b[:] = 7
    a[1] += 2
    log.append(a.tolist())


def annotated(log):
    x: int = 3 if not log else 4
    y: list[int]
    log.append(x)


ORDER: list[Callable[..., Any]] = [
    short_circuit, nested_loops_with_exits, finally_and_with, suppressed, exceptions,
    names_and_scopes, calls, generators, matches, large_integers, in_place, annotated,
]  # fmt: skip


@pytest.mark.parametrize("function", ORDER, ids=lambda f: f.__name__)
def test_order_and_effects(function: Callable[..., Any]) -> None:
    new = converted(function)
    assert new is not function
    one: list[Any] = []
    other: list[Any] = []
    assert new(one) == function(other)
    assert one == other


def test_arguments_of_all_kinds() -> None:
    new = converted(calls)
    assert inspect.signature(new) == inspect.signature(calls)
    for args, kwargs in [((), {}), ((1, 2), {"key": 0}), ((5,), {"z": 1})]:
        one: list[Any] = []
        other: list[Any] = []
        assert new(one, *args, **kwargs) == calls(other, *args, **kwargs)
        assert one == other


def test_assertions() -> None:
    function = from_text(
        "def f(log):\n"
        "    assert log == [], 'first'\n"
        "    try:\n"
        "        assert log, f'message {len(log)}'\n"
        "    except AssertionError as error:\n"
        "        log.append(str(error))\n"
        "    try:\n"
        "        assert not log\n"
        "    except AssertionError as error:\n"
        "        log.append(error.args)\n"
    )
    assert converted(function) is not function
    log: list[Any] = []
    converted(function)(log)
    assert log == ["message 0", ()]


class Base:
    __private = 3

    def value(self):
        return 1 if self else 0

    def mangled(self):
        return self.__private if self.__private else None


class Derived(Base):
    def value(self):
        return super().value() + 1 if __class__ is Derived else 0

    @classmethod
    def named(cls, x):
        return cls.__name__ if x else ""

    def __call__(self, x):
        return x if x > 0 else -x


def test_methods() -> None:
    object_ = Derived()
    for method in (object_.value, object_.mangled, functools.partial(Derived.named, 1)):
        new = converted(method)
        assert new is not method
        assert new() == method()
    assert converted(object_)(-3) == 3
    assert gd.jit(object_)(-2.0) == 2.0


def test_closures_share_their_variables() -> None:
    count = 0

    def bump(x):
        nonlocal count
        if x:
            count += 1
        return count

    new = converted(bump)
    assert [new(1), bump(1), new(0), count] == [1, 2, 2, 2]


def test_metadata_stays() -> None:
    def function(x, y=[1], *, z=2):
        """Text."""
        return x if x else (y, z)

    new = converted(function)
    for name in ("__name__", "__qualname__", "__module__", "__defaults__", "__kwdefaults__"):
        assert getattr(new, name) == getattr(function, name)
    assert new.__globals__ is function.__globals__


def test_tracebacks_show_the_users_lines() -> None:
    def function(x):
        if x:
            y = [1, 2, 3]
            return y[0] + y[x]

    def entries(f):
        try:
            f(7)
        except IndexError as error:
            frames = traceback.extract_tb(error.__traceback__)[1:]
            return [(f.filename, f.lineno, f.name) for f in frames if "gradatim/" not in f.filename]

    assert entries(converted(function)) == entries(function)


def test_a_function_is_converted_once() -> None:
    def make(k):
        return lambda x: x + k if x > 0 else k

    first, second = converted(make(1)), converted(make(2))
    assert first.__code__ is second.__code__
    assert (first(1), second(-1)) == (2, 2)
    assert converted(first) is first
    assert id(first.__code__) in OUR_CODE


def test_recursion_and_helpers_are_converted_too() -> None:
    def factorial(n):
        return 1.0 if n <= 1 else n * factorial(n - 1)

    assert converted(factorial)(5) == 120.0
    with pytest.raises(gd.errors.TracerBoolConversionError):
        # Each call is traced inside the other's branch, and would never end but for this.
        gd.stage(gd.do_not_convert(factorial)).trace(3.0)


SIMPLE: list[Callable[..., Any]] = [
    lambda x: x * np.sin(x**2),
    lambda x: x.reshape(3, -1).sum(axis=0)[0, 1:2],
    lambda x: np.linalg.norm(x) + x.T @ x,
]

COMPLEX: list[Callable[..., Any]] = [
    lambda x: x if x else 1,
    lambda x: not x,
    lambda x: x[x],
    lambda f, x: f(x),
    lambda x: helper(x),
    lambda x: x.forward(1),
    lambda x: [i for i in x],
    lambda x: float(x),
    lambda x: 1 in x,
]


def helper(x):
    return x if x else -x


def test_functions_that_only_compute_are_left_alone() -> None:
    for function in SIMPLE:
        assert isinstance(function, FunctionType)
        assert not needs_conversion(function.__code__, function.__globals__)
        assert converted_root(function) is function
        assert needs_conversion(function.__code__, function.__globals__, is_called=True)
    for function in COMPLEX:
        assert isinstance(function, FunctionType)
        assert needs_conversion(function.__code__, function.__globals__)


def test_libraries_are_left_alone() -> None:
    for function in (functools.reduce, np.mean, np.linalg.norm, gd.grad, traceback.print_exc):
        assert converted(function) is function


def test_do_not_convert() -> None:
    @gd.do_not_convert
    def function(x):
        return x if x > 0 else -x

    assert converted(function) is function
    with pytest.raises(gd.errors.TracerBoolConversionError):
        gd.stage(function).trace(1.0)
    other = gd.stage(helper, convert=False)
    with pytest.raises(gd.errors.TracerBoolConversionError):
        other.trace(1.0)
    assert gd.stage(helper) is not other
    assert gd.stage(helper).grad().trace(1.0)
    with pytest.raises(gd.errors.TracerBoolConversionError):
        other.grad().trace(1.0)


# Sources


def from_text(text: str, name: str = "f", file: str = "<from text>") -> Any:
    """Return a function defined by text, which `linecache` knows, as interactive shells do."""
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space: dict[str, Any] = {"np": np}
    exec(compile(text, file, "exec"), space)
    return space[name]


def test_lambdas_are_found_among_others() -> None:
    functions = from_text(
        "f = [lambda x: 1 if x else 2, lambda x: 3 if x else 4, (\n"
        "    lambda x: (5 if x\n"
        "        else 6)), dict(a=lambda x, y=(1, 2): [x if y else 0])]\n"
    )
    for function in (*functions[:3], functions[3]["a"]):
        new = converted(function)
        assert new is not function
        assert new(0) == function(0)
        assert new.__code__.co_firstlineno == function.__code__.co_firstlineno


def test_indented_decorated_and_long_definitions() -> None:
    text = (
        "def outer(decorate):\n"
        "    if True:\n"
        "        @decorate\n"
        "        @(lambda g: g)\n"
        "        def f(x, y='''a\n"
        "b'''):\n"
        "            # comment\n"
        "            t = '''c\n"
        "  d'''\n"
        "            return (\n"
        "                x\n"
        "                if x\n"
        "                else t + y\n"
        "            )\n"
        "    return f\n"
    )
    function = from_text(text, "outer")(lambda g: g)
    new = converted(function)
    assert new is not function
    assert new(0) == function(0) == "c\n  da\nb"


def test_a_file_that_changed_is_noticed() -> None:
    function = from_text("def f(x):\n    return 1 if x else 2\n", file="<changes>")
    text = "def f(x):\n    return 1 if x else 3\n"
    linecache.cache["<changes>"] = (len(text), None, text.splitlines(True), "<changes>")
    assert converted(function) is function


def test_without_source() -> None:
    space: dict[str, Any] = {}
    exec("def f(x):\n    return x if x > 0 else -x", space)
    assert converted(space["f"]) is space["f"]
    staged = gd.jit(space["f"])
    assert (staged(2.0), staged(-3.0)) == (2.0, 3.0)


def test_what_cannot_be_rewritten_is_left_alone() -> None:
    def sees_its_variables(x):
        y = 1 if x else 2
        return sorted(locals())

    async def coroutine(x):
        return 1 if x else 2

    def generator(x):
        yield 1 if x else 2

    assert converted(sees_its_variables)(1) == ["x", "y"]
    assert converted(coroutine) is coroutine
    assert converted(generator) is generator


def test_a_package_that_stages_its_own_functions_counts_as_the_users(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "mylibrary.py"
    module.write_text("def f(x):\n    return g(x)\ndef g(x):\n    return x if x > 0 else -x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        "gradatim.frontend.control_flow.conversion.is_library_file",
        lambda file: file.startswith(str(tmp_path)) or is_library_file(file),
    )
    import mylibrary

    assert converted(mylibrary.g) is mylibrary.g
    assert gd.stage(mylibrary.f).trace(1.0)
    assert "mylibrary" in conversion._packages
    assert converted(mylibrary.g) is not mylibrary.g
    del sys.modules["mylibrary"]
