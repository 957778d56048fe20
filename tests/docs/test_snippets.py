"""What the pages show is true: code runs, commands run, and both print what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import PAGES, blocks_of, name_of
from .session import PageError, Session, patched

every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


@every_page
def test_blocks_are_true(page: Path, tmp_path: Path):
    Session(page, tmp_path).run()


@every_page
def test_blocks_are_of_a_known_kind(page: Path):
    known = {"python", "console", "console run", "text", "mlir", "diff", "sh"}
    infos = {block.info.partition(" file=")[0] for block in blocks_of(page.read_text())}
    assert infos <= known


def run(text: str, directory: Path) -> None:
    page = directory / "page.md"
    page.write_text(text)
    Session(page, directory).run()


@pytest.mark.parametrize(
    "text, message",
    [
        ("```python\nx = 1\n1 / 0\n```\n", "page.md:2: ZeroDivisionError"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "page.md:6: it prints\n1\ninstead of\n2"),
        ("```console run\n$ false\n```\n", "page.md:2: false"),
        ("```console run\n$ echo 1\n2\n$ echo 3\n3\n```\n", "it prints\n1\ninstead of\n2"),
        ("It:\n```text file=a.txt\n1\n```\n", "page.md:3: the text before does not name `a.txt`"),
    ],
)
def test_what_is_not_true_is_found(text: str, message: str, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tests.docs.session.name_of", lambda page: page.name)
    with pytest.raises(PageError) as caught:
        run(text, tmp_path)
    assert message in str(caught.value)


def test_blocks_share_names_files_and_wildcards(tmp_path: Path):
    run(
        "Write `a.txt`:\n```text file=a.txt\none\n```\n"
        "```console run\n$ cat a.txt\none\n```\n"
        "```python\nx = 'one'\n```\n\n```python\nprint(x, x, sep='\\n')\n```\n\n"
        "```text\none\n...\n```\n",
        tmp_path,
    )


def test_patched():
    assert patched("a\nb\nc\n", " b\n+new\n") == "a\nb\nnew\nc\n"
    assert patched("a\nb\nc\n", "+new\n c\n") == "a\nb\nnew\nc\n"
    assert patched("a\nb\nc\n", " a\n-b\n+new\n c\n") == "a\nnew\nc\n"


@pytest.mark.parametrize("diff", [" x\n+new\n", " a\n", "-b\n+new\n", "+new\n", "?a\n+new\n"])
def test_patch_that_does_not_fit(diff: str):
    with pytest.raises(ValueError):
        patched("a\nb\nb\nc\n", diff)
