"""The demo runs, and checks by itself the errors that it prints."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .pages import ROOT


@pytest.fixture(scope="module")
def printed() -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "examples" / "demo.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "float64  0.05069436884920",
        "float32  0.0506943",
        "by x     1.05069436884920",
        "by y     0.13 ",
        "1,000,000 points",
        *(f"at level `{level}`" for level in ("array", "kernel", "loop", "llvm", "asm")),
        "array.cos",
        "kernel.fusion",
        "scf.for",
        "define i32 @gd.main",
        "gd.main:",
        "first call    compiled",
        "f'(0.13)",
    ],
)
def test_shows(text: str, printed: str):
    assert text in printed
