"""Runs the blocks of one page, in order, as a reader who follows it literally would."""

from __future__ import annotations

import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

from .pages import ROOT, Block, blocks_of, name_of

_COPIED = ("frontend", "ir", "passes", "backend", "gradatim", "tests", "lit_tests")
_COMMAND = re.compile(r"^\$ (.*\n(?:> .*\n)*)((?:(?!\$ ).*\n)*)", re.MULTILINE)


class PageError(AssertionError):
    """A block of a page is not true; the message names the page and the line."""


class Session:
    """One page being followed in a directory of its own.

    A page that changes files of the project (by ``diff`` blocks) gets a copy of it.
    """

    def __init__(self, page: Path, directory: Path) -> None:
        self.page = page
        self.directory = directory
        self.blocks = blocks_of(page.read_text())
        self.prose = ""
        self.namespace: dict[str, Any] = {"__name__": "__page__"}
        self.changes_project = any(block.language == "diff" for block in self.blocks)
        if self.changes_project:
            copy_project(directory)

    def run(self) -> None:
        """Run all blocks.

        Raises:
            PageError: if one fails or prints something else than the page says.
        """
        with chdir(self.directory):
            for block, following in zip(self.blocks, [*self.blocks[1:], None]):
                self.prose += block.follows
                if block.file:
                    self._change(block, self.directory / block.file)
                elif block.runs:
                    self._run_commands(block)
                elif block.language == "python":
                    printed = self._run_python(block)
                    if following is not None and following.is_output:
                        self._compare(following, following.body, printed)

    def _change(self, block: Block, path: Path) -> None:
        if f"`{block.file}`" not in self.prose:
            raise self._error(block, f"the text before does not name `{block.file}`")
        try:
            is_diff = block.language == "diff"
            text = patched(path.read_text(), block.body) if is_diff else block.body
        except (OSError, ValueError) as error:
            raise self._error(block, str(error)) from None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _run_python(self, block: Block) -> str:
        printed = io.StringIO()
        code = compile("\n" * (block.line - 1) + block.body, str(self.page), "exec")
        try:
            with redirect_stdout(printed):
                exec(code, self.namespace)
        except Exception as error:
            raise self._error(block, f"{type(error).__name__}: {error}") from error
        return printed.getvalue()

    def _run_commands(self, block: Block) -> None:
        for spelled, expected in _COMMAND.findall(block.body):
            command = spelled.replace("\n> ", "\n")
            done = subprocess.run(
                command, shell=True, capture_output=True, text=True, env=self._environment()
            )
            if done.returncode:
                raise self._error(block, f"{command}\n{done.stdout}{done.stderr}")
            self._compare(block, expected, done.stdout)

    def _environment(self) -> dict[str, str]:
        """Return variables with which ``python`` and ``gradatim-opt`` are those under test."""
        tools = self.directory / ".tools"
        if not tools.exists():
            write_tools(tools)
        sources = self.directory if self.changes_project else ROOT
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONPATH": str(sources)}

    def _compare(self, block: Block, expected: str, printed: str) -> None:
        checker = doctest.OutputChecker()
        expected, printed = (text.rstrip() + "\n" for text in (expected, printed))
        if not checker.check_output(expected, printed, doctest.ELLIPSIS):
            raise self._error(block, f"it prints\n{printed}instead of\n{expected}")

    def _error(self, block: Block, message: str) -> PageError:
        return PageError(f"{name_of(self.page)}:{block.line}: {message}")


def copy_project(target: Path) -> None:
    """Copy what the project's code and tests are made of."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        shutil.copytree(ROOT / name, target / name, symlinks=True, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", target)


def write_tools(directory: Path) -> None:
    """Write ``python`` and ``gradatim-opt`` as scripts that run this interpreter."""
    directory.mkdir()
    for name, arguments in (("python", ""), ("gradatim-opt", "-m gradatim.tools.opt")):
        script = directory / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        script.chmod(0o755)


def patched(text: str, diff: str) -> str:
    """Return a text with a diff applied, as in a unified diff but without line numbers.

    Lines that begin with a space stay, with ``-`` go, with ``+`` come.

    Raises:
        ValueError: if those that stay and go are not in the text, once, one behind the other, or if
            a line begins with anything else.
    """
    lines = diff.splitlines(keepends=True)
    if any(line[:1] not in (" ", "-", "+") for line in lines):
        raise ValueError(f"lines of a diff begin with a space, - or +:\n{diff}")
    before = "".join(line[1:] for line in lines if line[0] != "+")
    after = "".join(line[1:] for line in lines if line[0] != "-")
    if before == after or text.count(before) != 1:
        raise ValueError(f"these lines occur {text.count(before)} times, or none changes:\n{diff}")
    return text.replace(before, after)
