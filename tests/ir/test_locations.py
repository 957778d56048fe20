"""Locations: made, derived, fused, spelled, and read back from text."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, ModuleOp, UnknownLoc

from gradatim.ir.functions import FunctionBuilder, find_function
from gradatim.ir.locations import (
    UNKNOWN,
    derived,
    file_and_line,
    fused,
    source_location,
    spell_location,
)
from gradatim.ir.text import parse_module, to_text
from gradatim.ir.types import tensor_type

F = source_location("a.py", 3, 4, "f")
G = source_location("b.py", 7, 0, "g")


def test_source_locations_are_interned():
    assert source_location("a.py", 3, 4, "f") is F
    assert F.desc.data == "f" and isinstance(F.location, FileLineColLoc)


def test_derived_marks_once():
    marked = derived(F, "vjp")
    assert marked is derived(F, "vjp") is derived(marked, "vjp")
    assert derived(marked, "vmap").desc.data == "vmap"
    assert derived(UNKNOWN, "vjp") is UNKNOWN


def test_fused_keeps_what_is_known_and_distinct():
    assert fused([]) is fused([UNKNOWN, UnknownLoc()]) is UNKNOWN
    assert fused([F, F]) is fused([UNKNOWN, F, UNKNOWN]) is F
    assert fused([F, source_location("a.py", 3, 4, "f"), derived(F, "vjp")]).locations.data == (
        F,
        derived(F, "vjp"),
    )


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (UNKNOWN, None),
        (F, ("a.py", 3)),
        (derived(derived(F, "vjp"), "vmap"), ("a.py", 3)),
        (fused([G, F]), ("b.py", 7)),
        (derived(fused([G, F]), "vjp"), ("b.py", 7)),
        (CallSiteLoc(F, G), ("a.py", 3)),
        (CallSiteLoc(UNKNOWN, G), ("b.py", 7)),
    ],
    ids=str,
)
def test_file_and_line(location, place):
    assert file_and_line(location) == place
    assert spell_location(location) == (f"{place[0]}:{place[1]}" if place else None)


@pytest.mark.parametrize(
    "location",
    [
        UNKNOWN,
        F,
        derived(F, "vjp"),
        fused([F, G]),
        derived(fused([F, G]), "vmap"),
        CallSiteLoc(F, G),
    ],
    ids=str,
)
def test_reads_back_from_text(location):
    function = FunctionBuilder("f", [tensor_type((2,), np.dtype(np.float32))], ["x"], location)
    module = ModuleOp([function.finish([function.builder.neg(function.arguments[0])])])
    again = find_function(parse_module(to_text(module, locations=True)), "f")
    first = again.body.block.first_op
    assert first is not None
    assert first.location == again.body.block.args[0].location == again.location == location
