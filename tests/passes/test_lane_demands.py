"""What ops need to compute some lanes: the first lanes of every example, from what is demanded."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.ir import Block

from gradatim.ir.array import OPS_BY_FAMILY
from gradatim.ir.types import shape_of, tensor_type
from gradatim.passes.lanes.demands import RULES, demands_of, lanes_type, on_lanes

from ..ir.examples import examples

OPS = [op for family, ops in OPS_BY_FAMILY.items() if family != "effect" for op in ops]


def split_examples(op):
    """Yield the examples whose lanes are apart, with what they demand."""
    for example in examples(op):
        made = example.make()
        if not all(shape_of(result.type)[:1] > (1,) for result in made.results):
            continue
        demands = demands_of(made)
        if demands is not None:
            yield example, made, demands


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_lanes_are_those_of_the_whole(op):
    for example, made, demands in split_examples(op):
        count = shape_of(made.results[0].type)[0] - 1
        types = [
            lanes_type(v.type, count) if some else v.type for v, some in zip(made.operands, demands)
        ]
        given = [
            a[:count] if some else a for a, some in zip(example.operands, demands, strict=True)
        ]
        part = on_lanes(made, Block(arg_types=types).args, count)
        part.verify()
        assert [v.type for v in part.operands] == [tensor_type(a.shape, a.dtype) for a in given]
        with np.errstate(all="ignore"):
            whole, some = made.evaluate_results(*example.operands), part.evaluate_results(*given)
        for expected, got in zip(whole, some):
            np.testing.assert_array_equal(got, expected[:count], str(example))


def test_rules_have_examples():
    assert all(any(True for _ in split_examples(op)) for op in RULES)
