"""Dependence through ops with regions: exactly the operands that regions make results of."""

from __future__ import annotations

import pytest
from xdsl.ir import Operation
from xdsl.parser import Parser

from gradatim.ir.dialects import new_context
from gradatim.ir.functions import find_function
from gradatim.passes.influence import influenced_results

T = "tensor<f64>"
CASE = f"""
  %0, %1 = array.case index(%p : tensor<i1>) operands(%x, %y : {T}, {T}) {{
  ^bb0(%a: {T}, %b: {T}):
    %s = array.sin %a : {T}
    array.yield %s, %b : {T}, {T}
  }} or {{
  ^bb0(%a: {T}, %b: {T}):
    array.yield %a, %a : {T}, {T}
  }}
"""
SCAN = f"""
  %0, %1, %2 = array.scan length 3 consts(%c : {T}) carries(%x, %y : {T}, {T})
      elements(%e : tensor<3xf64>) {{
  ^bb0(%i: tensor<i64>, %k: {T}, %a: {T}, %b: {T}, %f: {T}):
    %n = array.add %b, %f : {T}
    array.yield %b, %n, %k : {T}, {T}, {T}
  }}
"""
WHILE = f"""
  %0, %1, %2 = array.while consts(%c : {T}) carries(%x, %y, %z : {T}, {T}, {T}) {{
  ^bb0(%k: {T}, %a: {T}, %b: {T}, %d: {T}):
    %more = array.compare lt %a, %k : {T} -> tensor<i1>
    array.yield %more : tensor<i1>
  }} do {{
  ^bb0(%k: {T}, %a: {T}, %b: {T}, %d: {T}):
    array.yield %a, %d, %d : {T}, {T}, {T}
  }}
"""
REMAT = f"""
  %0, %1 = array.remat policy "nothing" operands(%x, %y : {T}, {T}) {{
  ^bb0(%a: {T}, %b: {T}):
    %s = array.mul %a, %b : {T}
    array.yield %a, %s : {T}, {T}
  }}
"""
BARRIER = f"  %0, %1 = array.barrier %x, %y : {T}, {T} -> {T}, {T}\n"
CASES = [
    (CASE, "ftf", "tt"), (CASE, "fft", "ft"), (CASE, "tff", "tt"),
    (SCAN, "tfff", "fft"), (SCAN, "ftff", "tff"), (SCAN, "fftf", "ttf"), (SCAN, "ffft", "ttf"),
    (WHILE, "tfff", "ttt"), (WHILE, "ftff", "ttt"), (WHILE, "fftf", "ftf"), (WHILE, "ffft", "ftt"),
    (REMAT, "tf", "tt"), (REMAT, "ft", "ft"), (BARRIER, "tf", "tf"), (BARRIER, "ft", "ft"),
]  # fmt: skip


def op_of(text: str) -> Operation:
    arguments = f"%p: tensor<i1>, %c: {T}, %x: {T}, %y: {T}, %z: {T}, %e: tensor<3xf64>"
    program = f"func.func @f({arguments}) {{\n{text}  func.return\n}}"
    module = Parser(new_context(), program).parse_module()
    found = find_function(module, "f").body.block.first_op
    assert found is not None
    module.verify()
    return found


@pytest.mark.parametrize(("text", "operands", "results"), CASES)
def test_influence(text: str, operands: str, results: str) -> None:
    flags = [letter == "t" for letter in operands]
    found = influenced_results(op_of(text), flags)
    assert "".join("t" if flag else "f" for flag in found) == results
