"""What the pages name exists: files, anchors, passes, options, variables, public names."""

from __future__ import annotations

import builtins
import io
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest

import gradatim as gd
from gradatim.__main__ import main as gradatim_main
from gradatim.passes.registry import PASSES
from gradatim.tools.opt import UPSTREAM_PASSES
from gradatim.tools.opt import main as opt_main

from .pages import PAGES, ROOT, blocks_of, name_of, prose_of

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)

_SOURCES = [
    path
    for folder in ("frontend", "ir", "passes", "backend")
    for path in (ROOT / folder).rglob("*.py")
]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:\.ci|[a-z_]+)/[\w./]*")
_VARIABLE = re.compile(r"\bGRADATIM_[A-Z_]+\b")
_PASS = re.compile(r"(?<![\w/.-])(?:array|kernel|loop)-[a-z][a-z-]*")
_PUBLIC = re.compile(r"(?<![@\w\"])gd\.(\w+)")  # @gd.main and the like are symbols
_OPTION = re.compile(r"(?<=\s)--[a-z][a-z-]*")


@every_page
def test_links_lead_somewhere(page: Path):
    for target in _LINK.findall(prose_of(page.read_text())):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        found = page.parent / file if file else page
        assert found.exists(), target
        assert not anchor or anchor in _anchors(found), target


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_named_files_exist(page: Path):
    text = page.read_text()
    made = {block.file for block in blocks_of(text)}
    for span in _SPAN.findall(prose_of(text)):
        if _PATH.fullmatch(span) and (ROOT / span.partition("/")[0]).exists():
            assert span in made or (ROOT / span).exists(), span


@every_page
def test_named_passes_exist(page: Path):
    text = page.read_text()
    made = set(re.findall(r'name: ClassVar\[str\] = "([a-z-]+)"', text))
    known = PASSES.keys() | set(UPSTREAM_PASSES) | made
    spans = _SPAN.findall(prose_of(text)) + [b.body for b in blocks_of(text) if b.runs]
    # A name that ends in a dash is a prefix.
    named = {name for span in spans for name in _PASS.findall(span) if not name.endswith("-")}
    assert named <= known


@every_page
def test_named_public_names_exist(page: Path):
    for name in _PUBLIC.findall(page.read_text()):
        assert hasattr(gd, name), name


def _help(main: Callable[[list[str]], object], *arguments: str) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed), pytest.raises(SystemExit):
        main([*arguments, "--help"])
    return printed.getvalue()


@every_page
def test_named_options_exist(page: Path):
    tools = {"gradatim-opt": _help(opt_main), "gradatim dump": _help(gradatim_main, "dump")}
    for line in page.read_text().splitlines():
        for tool, text in tools.items():
            if tool in line:
                for option in _OPTION.findall(line.partition(tool)[2]):
                    assert re.search(rf"{option}\b", text), f"{tool} {option}"


def _variables_of_sources() -> set[str]:
    return {name for path in _SOURCES for name in _VARIABLE.findall(path.read_text())}


@every_page
def test_named_variables_exist(page: Path):
    assert set(_VARIABLE.findall(page.read_text())) <= _variables_of_sources()


def test_every_variable_is_documented():
    page = (ROOT / "docs" / "performance.md").read_text()
    missing = _variables_of_sources() - set(_VARIABLE.findall(page))
    assert not missing, "docs/performance.md has a table of environment variables"


def test_every_folder_of_passes_is_on_the_map():
    page = (ROOT / "docs" / "architecture.md").read_text()
    folders = [path.parent.name for path in (ROOT / "passes").glob("*/__init__.py")]
    assert folders and all(f"`passes/{name}/`" in page for name in folders)


def test_every_error_has_a_row():
    text = (ROOT / "docs/errors.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, re.MULTILINE))
    kinds = {name: getattr(gd.errors, name) for name in gd.errors.__all__}
    expected = {name for name, kind in kinds.items() if issubclass(kind, gd.errors.GradatimError)}
    assert set(rows) == expected - {"GradatimError"}
    for name, base in rows.items():
        assert issubclass(kinds[name], getattr(builtins, base)), name
