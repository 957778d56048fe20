"""Misuse: what users do wrong, with the error that tells them."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gradatim import errors

Failure = tuple[str, Callable[[], Any], type[Exception], str]
"""A name, what is done wrong, the class of the error, and a pattern of its message."""


def each_failure(failures: Sequence[Failure]) -> Any:
    """Return the mark that runs a test on each failure of a table."""
    return pytest.mark.parametrize(
        ("call", "kind", "message"), [f[1:] for f in failures], ids=[f[0] for f in failures]
    )


def check_failure(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    """Require an error of the kind, of ours, with the caller's file and without our frames."""
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, errors.GradatimError)
    assert f"{call.__code__.co_filename}:" in str(caught.value)
    assert not our_frames(caught.value)


def our_frames(error: BaseException) -> list[str]:
    """Return the files of the frames of gradatim and xDSL in an error's traceback."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return [file for file in files if "gradatim/" in file or "xdsl" in file]
