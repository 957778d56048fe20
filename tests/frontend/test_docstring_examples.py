"""The examples in docstrings of the public functions are true."""

from __future__ import annotations

import doctest
from importlib import import_module

import numpy as np
import pytest

import gradatim as gd

MODULES = (
    "api", "checkpointing", "closures", "custom.gradient", "custom.jvp", "custom.stop",
    "custom.vjp", "flatten_util", "inspection", "leaks", "linear", "scopes", "test_util",
    "tree.functions", "tree.keys", "tree.registration",
)  # fmt: skip
NAMES = {name: getattr(gd, name) for name in gd.__all__}
OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = import_module(f"gradatim.frontend.{name}")
    more = vars(gd.tree) if name.startswith("tree.") else {}
    names = {**NAMES, **more, **vars(module), "np": np}
    outcome = doctest.testmod(module, globs=names, optionflags=OPTIONS)
    assert outcome.failed == 0
    assert outcome.attempted or name == "closures"
