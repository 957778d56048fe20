"""Misuse: what users do wrong, with the error that tells them."""

from __future__ import annotations

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
    """Require that the error is of its kind and ours, and names the file of the one who calls."""
    with pytest.raises(kind, match=message) as caught:
        call()
    assert isinstance(caught.value, errors.GradatimError)
    assert f"{call.__code__.co_filename}:" in str(caught.value)
