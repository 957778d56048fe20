"""The wheel built from the source distribution holds the whole package and works by itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("frontend", "ir", "passes", "backend")
SOURCES = (*FOLDERS, "gradatim", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build in a copy, so that nothing left over in the tree can get in."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source)
    _run(sys.executable, "-m", "build", "--outdir", "dist", ".", cwd=source)
    (found,) = (source / "dist").glob("*.whl")
    return found


def test_wheel_is_pure_python_and_complete(wheel: Path):
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
        links = [n for n in packed if archive.getinfo(n).external_attr >> 28 == 0o12]
    assert not links
    expected = {
        f"gradatim/{p.relative_to(ROOT)}" for f in FOLDERS for p in (ROOT / f).rglob("*.py")
    }
    expected |= {"gradatim/py.typed", "gradatim/tools/opt.py"}
    assert expected <= packed
    assert {n.partition("/")[0].partition("-")[0] for n in packed} == {"gradatim"}


def test_installed_wheel_runs(wheel: Path, tmp_path: Path):
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", "site")
    _run(*pip, str(wheel), cwd=tmp_path)
    program = tmp_path / "program.mlir"
    program.write_text(
        "func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> { func.return %x : tensor<2xf32> }"
    )
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
import gradatim.tools.opt
assert gradatim.__file__.startswith({str(tmp_path)!r}), gradatim.__file__
sys.exit(gradatim.tools.opt.main([{str(program)!r}]))
"""
    assert "func.func @f(%x: tensor<2xf32>)" in _run(sys.executable, "-c", code, cwd=tmp_path)
