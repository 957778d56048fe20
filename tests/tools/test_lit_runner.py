"""The FileCheck runner must fail where it should, and agree with LLVM's own runner."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

LIT_TESTS = Path(__file__).parents[2] / "lit_tests"

PROGRAM = """\
{run}
// CHECK: {check}
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {{
  %y = array.neg %x : tensor<2xf32>
  func.return %y : tensor<2xf32>
}}
"""


def _load_runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lit_conftest", LIT_TESTS / "conftest.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = _load_runner()


@pytest.fixture
def program(tmp_path: Path):
    def write(check: str, run: str = "// RUN: gradatim-opt %s | filecheck %s") -> Path:
        path = tmp_path / "program.mlir"
        path.write_text(PROGRAM.format(run=run, check=check))
        return path

    return write


def _check(path: Path) -> None:
    for line in runner.run_lines(path):
        runner.check(path, line)


def test_right_check_line_passes(program):
    _check(program("array.neg %x : tensor<2xf32>"))


def test_wrong_check_line_fails_and_shows_the_output(program):
    with pytest.raises(runner.CheckFailure, match=r"(?s)array\.sin.*array\.neg %x"):
        _check(program("array.sin %x"))


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("// no run line", "has no RUN line"),
        ("// RUN: cat %s | filecheck %s", "expected 'gradatim-opt"),
        ("// RUN: gradatim-opt %s", "expected 'gradatim-opt"),
        ("// RUN: gradatim-opt %s -p no-such-pass | filecheck %s", "no-such-pass"),
        ("// RUN: gradatim-opt %s --no-such-option | filecheck %s", "--no-such-option"),
    ],
)
def test_broken_run_line_fails(program, run, message):
    with pytest.raises(runner.CheckFailure, match=message):
        _check(program("array.neg", run))


def test_pytest_and_lit_agree(program, tmp_path):
    for name in ("conftest.py", "lit.cfg.py"):
        shutil.copy(LIT_TESTS / name, tmp_path)
    pytest_command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    lit_command = [str(Path(sys.executable).with_name("lit")), "-q", str(tmp_path)]
    for check, passes in (("array.neg", True), ("array.sin", False)):
        program(check)
        for command in (pytest_command, lit_command):
            done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
            assert (done.returncode == 0) == passes, done.stdout + done.stderr
