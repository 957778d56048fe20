"""``python -m gradatim dump``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradatim.frontend.lowered import LEVELS
from gradatim.tools.dump import main

SOURCE = """
import numpy as np

def f(x, y):
    return x * np.sin(y)

def branch(x):
    return x.reshape(7)

number = 3
"""


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.py"
    path.write_text(SOURCE)
    return str(path)


def test_every_level(model, capsys):
    shown = {
        "array": "array.sin",
        "kernel": "kernel.fusion",
        "loop": "math.sin",
        "llvm": "define i32 @gd.main",
        "asm": "gd.main:",
    }
    assert list(shown) == list(LEVELS)
    for level, text in shown.items():
        command = ["dump", f"{model}:f", "--args", "f64[10]", "f64[10]", "--level", level]
        assert main(command) == 0
        assert text in capsys.readouterr().out
    assert main(["dump", f"{model}:f", "--args", "f64[10]", "f64[10]", "--level", "all"]) == 0
    everything = capsys.readouterr().out
    assert re.findall("^// -----// (.*) //----- //$", everything, re.MULTILINE) == list(LEVELS)
    assert all(text in everything for text in shown.values())


@pytest.mark.parametrize(
    ("arguments", "signature"),
    [
        (["--args", "f32[3]", "f32[]"], "tensor<3xf32>, %y: tensor<f32>) -> tensor<3xf32>"),
        (["--args", "f64[]", "2.5", "--grad"], "tensor<f64>, %y: tensor<f64>) -> tensor<f64>"),
        (
            ["--args", "f64[4]", "f64[]", "--grad", "0,1", "--vmap", "0,None"],
            "tensor<4xf64>, %y: tensor<f64>) -> (tensor<4xf64>, tensor<4xf64>)",
        ),
        (
            ["--value-and-grad", "1", "--args", "f64[]", "f64[]"],
            "tensor<f64>, %y: tensor<f64>) -> (tensor<f64>, tensor<f64>)",
        ),
    ],
)
def test_arguments_and_transformations(arguments, signature, model, capsys):
    assert main(["dump", f"{model}:f", *arguments]) == 0
    assert f"func.func @f(%x: {signature}" in capsys.readouterr().out


def test_debug_info_and_passes(model, capsys):
    command = ["dump", f"{model}:f", "--args", "f64[2]", "f64[2]"]
    assert main([*command, "--debug-info"]) == 0
    assert 'model.py":5:' in capsys.readouterr().out
    assert main([*command, "--passes"]) == 0
    assert re.search(r"^array-canonicalize +\d+\.\d+ +\d+ +\d+$", capsys.readouterr().out, re.M)


def test_a_wrong_program_is_a_sentence(model, capsys):
    assert main(["dump", f"{model}:branch", "--args", "f64[]"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("gradatim dump: ") and "model.py:8" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f"], "'f' names no function: write MODULE:FUNCTION"),
        (["no_such_module:f"], "no_such_module cannot be imported"),
        (["no_such_file.py:f"], "no_such_file.py cannot be imported"),
        (["{model}:g"], "has no function g"),
        (["{model}:number"], "has no function number"),
        (["{model}:f", "--args", "f31[2]"], "'f31[2]' is no array type"),
        (["{model}:f", "--grad", "x"], "'x' is no Python literal"),
        (["{model}:f", "--level", "machine"], "invalid choice: 'machine'"),
    ],
)
def test_a_wrong_command_is_a_sentence(arguments, message, model, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["dump", *(a.format(model=model) for a in arguments)])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_runs_as_a_module_on_a_module(model):
    command = [sys.executable, "-m", "gradatim", "dump", "model:f", "--args", "f64[]", "f64[]"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(model).parent)
    assert done.returncode == 0, done.stderr
    assert "array.sin %y" in done.stdout
