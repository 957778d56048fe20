"""Random programs with Python's control flow: staged, they do what Python does."""

from __future__ import annotations

import linecache
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gradatim as gd
from gradatim.checks import all_checks

VARIABLES = ("a", "b", "c", "d['k']", "s.v", "l[0]")
_files = count()


class Writer:
    """Writes one function, with choices that Hypothesis draws."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.loops = 0
        self.budget = 22

    def choose(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def number(self) -> str:
        return f"{self.draw(st.integers(-30, 30)) / 7:.3f}"

    def value(self, depth: int = 0) -> str:
        kind = self.choose("variable", "variable", "number", "sum", "product", "sin", "choice")
        if depth > 2 or kind == "variable":
            return str(self.choose(*VARIABLES, "x", "y"))
        if kind == "number":
            return self.number()
        one, other = self.value(depth + 1), self.value(depth + 1)
        if kind == "choice":
            return f"({one} if {self.condition(depth + 1)} else {other})"
        return {"sum": f"({one} - {other})", "product": f"0.3 * {one} * {other}"}.get(
            kind, f"np.sin({one})"
        )

    def condition(self, depth: int = 0) -> str:
        kind = self.choose("less", "less", "chain", "and", "or", "not", "known", "count")
        if kind == "known":
            return str(self.choose("flag", "not flag", "True", "n < 9"))
        if kind == "count" and self.loops:
            return f"i{self.loops - 1} % 2 == {self.choose(0, 1)}"
        if depth > 1 or kind in ("less", "count"):
            return f"{self.value(2)} < {self.value(2)}"
        if kind == "chain":
            return f"{self.value(2)} < {self.value(2)} <= {self.value(2)}"
        if kind == "not":
            return f"not ({self.condition(depth + 1)})"
        return f"({self.condition(depth + 1)} {kind} {self.condition(depth + 1)})"

    def block(self, indent: int, in_loop: bool) -> None:
        for _ in range(self.draw(st.integers(1, 3))):
            if self.statement(indent, in_loop):
                return

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def statement(self, indent: int, in_loop: bool) -> bool:
        """Write a statement; tell whether it leaves the block."""
        self.budget -= 1
        kinds = ["assign"] * 3 + ["update"]
        if self.budget > 0 and indent < 5:
            kinds += ["if"] * 3 + ["for", "while", "with", "helper"]
        if indent > 1:
            kinds += ["return"] + ["break", "continue"] * in_loop
        kind = self.choose(*kinds)
        if kind in ("break", "continue", "return"):
            self.line(indent, kind + (f" {self.value()}" if kind == "return" else ""))
            return True
        getattr(self, f"_{kind}")(indent, in_loop)
        return False

    def _assign(self, indent: int, in_loop: bool) -> None:
        self.line(indent, f"{self.choose(*VARIABLES)} = {self.value()}")

    def _update(self, indent: int, in_loop: bool) -> None:
        operator = self.choose("+=", "-=")
        self.line(indent, f"{self.choose(*VARIABLES)} {operator} {self.value(1)}")

    def _if(self, indent: int, in_loop: bool) -> None:
        self.line(indent, f"if {self.condition()}:")
        self.block(indent + 1, in_loop)
        if self.choose(True, False):
            self.line(indent, "else:")
            self.block(indent + 1, in_loop)

    def _for(self, indent: int, in_loop: bool) -> None:
        name = f"i{self.loops}"
        heads = ("range(3)", "range(n)", "[1.5, -0.5]", "range(n, 0, -1)", "array")
        self.line(indent, f"for {name} in {self.choose(*heads)}:")
        self._loop(indent)

    def _while(self, indent: int, in_loop: bool) -> None:
        name = f"i{self.loops}"
        self.line(indent, f"{name} = 0")
        self.line(indent, f"while {name} < 3 and {self.condition(1)}:")
        self.line(indent + 1, f"{name} += 1")
        self._loop(indent)

    def _loop(self, indent: int) -> None:
        self.loops += 1
        self.block(indent + 1, True)
        if self.choose(True, False, False):
            self.line(indent, "else:")
            self.loops -= 1
            self.block(indent + 1, False)
            self.loops += 1
        self.loops -= 1

    def _with(self, indent: int, in_loop: bool) -> None:
        self.line(indent, self.choose("with np.errstate(all='ignore'):", "try:"))
        is_try = self.lines[-1].endswith("try:")
        self.block(indent + 1, in_loop)
        if is_try:
            self.line(indent, "finally:")
            self.line(indent + 1, f"c = {self.value(2)}")

    def _helper(self, indent: int, in_loop: bool) -> None:
        self.line(indent, f"{self.choose(*VARIABLES)} = helper({self.value(2)}, s)")

    def text(self) -> str:
        head = ["def f(x, y, n):", "    flag = True", "    a, b, c = x, y, 0.5"]
        head += ["    d, s, l = {'k': 0.25}, SimpleNamespace(v=-1.5), [x]"]
        head += ["    array = x * np.array([0.5, -1.0, 2.0])"]
        for _ in range(3):
            self.block(1, False)
        return "\n".join([*head, *self.lines, f"    return {' + '.join(VARIABLES)}", ""])


def helper(v: Any, s: Any) -> Any:
    if v > 0.7:
        return v - 1.0
    s.v = s.v * 0.5
    return v * v


@st.composite
def programs(draw: Any) -> str:
    return Writer(draw).text()


def from_text(text: str) -> Any:
    file = f"<random {next(_files)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space = {"np": np, "helper": helper, "SimpleNamespace": SimpleNamespace}
    exec(compile(text, file, "exec"), space)
    return space["f"]


ARGUMENTS = [(0.3, -1.2, 2), (-0.8, 0.45, 0), (1.7, 1.1, 3), (-2.3, -0.6, 1)]


def check(text: str, **options: Any) -> None:
    function = from_text(text)
    staged = gd.stage(function, **options)
    for arguments in ARGUMENTS:
        expected = function(*arguments)
        assert np.isfinite(expected)
        np.testing.assert_allclose(staged(*arguments), expected, rtol=1e-9, atol=1e-9)
    # All paths are in one program.
    assert len(staged._traces) == 1


@settings(max_examples=25, deadline=None)
@given(programs())
def test_random_programs(text: str) -> None:
    check(text)


@settings(max_examples=10, deadline=None)
@given(programs())
def test_random_programs_with_checks(text: str) -> None:
    check(text, checks=all_checks)
