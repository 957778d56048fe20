"""The pages of the documentation and the fenced blocks in them.

What follows the opening fence says what a block is:

* ``python``: run, in order, in one namespace a page;
* ``console run``: commands behind ``$``, run by the shell, and what they print;
* ``text`` or ``mlir`` right behind a ``python`` block: what that prints, ``...`` for anything;
* any language and ``file=PATH``: the file of this name is written;
* ``diff file=PATH``: the file is changed.

All else is only shown.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\bfile=(\S+)")


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        info: what follows the opening fence.
        body: the lines between the fences.
        line: number of the first of them.
        follows: the text between the block before and this one.
    """

    info: str
    body: str
    line: int
    follows: str

    @property
    def language(self) -> str:
        """The first word behind the fence."""
        return self.info.partition(" ")[0]

    @property
    def runs(self) -> bool:
        """Whether it is a console session to be run."""
        return self.info == "console run"

    @property
    def file(self) -> str | None:
        """The file it writes or changes."""
        found = _FILE.search(self.info)
        return found[1] if found else None

    @property
    def is_output(self) -> bool:
        """Whether it shows what the block before prints."""
        return self.info in ("text", "mlir") and not self.follows.strip()


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    blocks, end = [], 0
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("body")) + 1
        blocks.append(Block(found["info"], found["body"], line, text[end : found.start()]))
        end = found.end()
    return blocks


def prose_of(text: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", text)


def name_of(page: Path) -> str:
    """Return a page's path in the repository, to name a test after it."""
    return str(page.relative_to(ROOT))
