"""gradatim-opt: its options, its errors, its targets, and that xDSL's own tools know the IR."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from xdsl.passes import PassPipeline
from xdsl.universe import Universe

from gradatim.ir.dialects import DIALECTS, UPSTREAM_DIALECTS, new_context
from gradatim.passes.registry import PASSES
from gradatim.tools import opt
from gradatim.tools.targets import TO_LOOPS

PROGRAM = """
func.func @f(%x: tensor<8xf64>) -> tensor<8xf64> {
  %y = array.sin %x : tensor<8xf64>
  func.return %y : tensor<8xf64>
}
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.mlir"
    path.write_text(PROGRAM)
    return str(path)


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_is_documented_and_has_its_name(name):
    pass_type = PASSES[name]()
    assert pass_type.name == name
    doc = inspect.cleandoc(pass_type.__doc__ or "")
    summary = doc.partition("\n")[0]
    assert summary.endswith(".") and len(summary) <= 100
    options = {field.name.replace("_", "-") for field in dataclasses.fields(pass_type)}
    assert opt.option_meanings(doc).keys() == options


def test_option_meanings_are_read_from_the_docstring():
    options = "    one: the first\n        and more.\n    two_words: b."
    doc = f"Do it.\n\nOptions:\n{options}\n\nEnd: no option."
    assert opt.option_meanings(doc) == {"one": "the first and more.", "two-words": "b."}
    assert opt.option_meanings("Do it.\n\nNo options: none.") == {}


def test_list_passes(capsys):
    with pytest.raises(SystemExit) as stop:
        opt.main(["--list-passes"])
    assert stop.value.code == 0
    listed = capsys.readouterr().out
    assert [line for line in listed.splitlines() if line and line[0] != " "] == [
        *PASSES,
        *opt.UPSTREAM_PASSES,
    ]
    assert "    argnums: tuple[int, ...] = 0\n        the arguments by which to diff" in listed


def test_every_dialect_loads_under_its_name():
    context = new_context()
    for name in UPSTREAM_DIALECTS | DIALECTS:
        assert context.get_dialect(name).name == name


def test_every_pass_can_be_named_on_the_command_line():
    needed = {"array-vmap": "{size=3}", "array-add-status": "{function=f condition=g arguments=1}"}
    specs = [name + needed.get(name, "") for name in PASSES]
    pipeline = PassPipeline.parse_spec(PASSES, ",".join(specs))
    assert [type(p).name for p in pipeline.passes] == list(PASSES)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-p", "no-such-pass"], 2, "no-such-pass"),
        (["-p", "array-vjp{no-such-option=1}"], 2, "no_such_option"),
        (["-p", "array-vjp{"], 2, "gradatim-opt: "),
        (["-p", "array-vmap"], 2, "size"),
        (["-p", "array-vjp{function=g}"], 1, "the module has no function @g"),
        (["-p", ",".join(TO_LOOPS), "-t", "llvm{function=g}"], 1, "the module has no function @g"),
        (["-t", "llvm"], 1, f"run {','.join(TO_LOOPS)} first"),
    ],
)
def test_errors_are_a_line_and_an_exit_code(arguments, code, message, program, capsys):
    assert opt.main([program, *arguments]) == code
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err


def test_a_wrong_program_is_a_line_and_an_exit_code(tmp_path, capsys):
    path = tmp_path / "wrong.mlir"
    path.write_text(PROGRAM.replace("array.sin", "array.not"))
    assert opt.main([str(path)]) == 1
    assert "array.not does not take f64 operands" in capsys.readouterr().err
    path.write_text(PROGRAM.replace("array.sin", "array.sine"))
    assert opt.main([str(path)]) == 1
    assert "array.sine" in capsys.readouterr().err


def test_targets(program, capsys):
    lowered = [program, "-p", ",".join(TO_LOOPS)]
    assert opt.main([*lowered, "-t", "llvm"]) == 0
    assert "define i32 @gd.main(" in capsys.readouterr().out
    assert opt.main([*lowered, "-t", "llvm{function=f vector-bits=512}"]) == 0
    assert '"min-legal-vector-width"="512"' in capsys.readouterr().out
    assert opt.main([*lowered, "-t", "asm"]) == 0
    assert "gd.main:" in capsys.readouterr().out


def test_passes_print_between(program, capsys):
    passes = "array-cse,array-dce"
    assert opt.main([program, "-p", passes, "--print-between-passes", "--time-passes"]) == 0
    printed = capsys.readouterr().out
    assert "IR after array-cse:" in printed and "Pass array-dce took" in printed


def test_xdsl_universe_has_our_dialects_and_passes():
    everything = Universe.get_multiverse()
    assert everything.all_dialects.keys() >= DIALECTS.keys()
    assert everything.all_passes.keys() >= PASSES.keys()


def test_installed_scripts_run(program):
    for tool in ("gradatim-opt", "xdsl-opt"):
        command = [str(Path(sys.executable).with_name(tool)), program, "-p", "array-dce"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "array.sin %x" in done.stdout
