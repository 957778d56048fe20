"""Runs the ``RUN:`` lines of ``.mlir`` and ``.py`` files under pytest, in this process.

A line is a pipe of ``gradatim-opt`` commands, or of ``python %s``, that ends in ``filecheck``;
``%s`` is the file. No process is started, so a test takes some milliseconds. Plain
``lit lit_tests`` runs the same files by the installed tools.
"""

from __future__ import annotations

import io
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from filecheck.finput import FInput
from filecheck.matcher import Matcher
from filecheck.options import parse_argv_options
from filecheck.parser import Parser, pattern_for_opts

from gradatim.tools import opt

_RUN = re.compile(r"^(?://|#)\s*RUN:\s*(.*?)\s*$", re.MULTILINE)


class CheckFailure(Exception):
    """A RUN line did not hold; the message says which, why, and what was printed."""


def run_lines(path: Path) -> list[str]:
    """Return the commands of a file's RUN lines, of which it must have one."""
    lines = _RUN.findall(path.read_text())
    if not lines:
        raise CheckFailure(f"{path} has no RUN line")
    return lines


def check(path: Path, run_line: str) -> None:
    """Run one RUN line.

    Raises:
        CheckFailure: if a command fails, if its output does not fit the CHECK lines, or if the line
            is no pipe of gradatim-opt or python into filecheck.
    """
    commands = [shlex.split(c.replace("%s", str(path))) for c in run_line.split(" | ")]
    tools = [c[0] for c in commands]
    if not set(tools[:-1]) <= _TOOLS.keys() or tools[-1] != "filecheck":
        raise CheckFailure(f"expected 'gradatim-opt ... | filecheck ...', found '{run_line}'")
    text = ""
    for command in commands[:-1]:
        text = _TOOLS[command[0]](command[1:], text)
    _match(path, commands[-1], text)


def _run_opt(arguments: list[str], text: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    with patch.object(sys, "stdin", stdin), redirect_stdout(out), redirect_stderr(err):
        try:
            code = opt.main(arguments)
        except SystemExit as stop:
            code = int(stop.code or 0)
    if code:
        raise CheckFailure(f"gradatim-opt {shlex.join(arguments)} failed:\n{err.getvalue()}")
    return out.getvalue()


def _run_python(arguments: list[str], text: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        runpy.run_path(arguments[0], run_name="__main__")
    return out.getvalue()


_TOOLS = {"gradatim-opt": _run_opt, "python": _run_python}


def _match(path: Path, command: list[str], text: str) -> None:
    options = parse_argv_options(list(command))
    checks = Parser(options, io.StringIO(path.read_text()), *pattern_for_opts(options))
    matcher = Matcher(options, FInput("<gradatim-opt>", text), checks)
    matcher.stderr = io.StringIO()
    if matcher.run():
        raise CheckFailure(f"{matcher.stderr.getvalue()}\nThe whole output was:\n{text}")


class CheckedFile(pytest.File):
    """A FileCheck test file."""

    def collect(self) -> Iterator[RunLine]:
        """Yield a test for each RUN line."""
        for number, line in enumerate(run_lines(self.path), 1):
            yield RunLine.from_parent(self, name=f"RUN{number}", line=line)


class RunLine(pytest.Item):
    """One RUN line of a file."""

    def __init__(self, *, line: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.line = line

    def runtest(self) -> None:
        """Run the line."""
        check(self.path, self.line)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the message alone where the test failed, a traceback where the tool broke."""
        if isinstance(excinfo.value, CheckFailure):
            return f"{self.path}\nRUN: {self.line}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Name the file and the line in reports."""
        return self.path, None, f"{self.path.name}: {self.line}"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CheckedFile | None:
    """Collect ``.mlir`` files, and Python files with RUN lines."""
    is_test = file_path.suffix == ".mlir" or (
        file_path.suffix == ".py" and _RUN.search(file_path.read_text()) is not None
    )
    return CheckedFile.from_parent(parent, path=file_path) if is_test else None
