"""The kernel dialect: iteration spaces, schedules, and the interpreter on buffers."""

from __future__ import annotations

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError

from gradatim.ir.array.base import ArrayOp
from gradatim.ir.dialects import new_context
from gradatim.ir.errors import GradatimError
from gradatim.ir.functions import find_function
from gradatim.ir.interpreter import Interpreter
from gradatim.ir.kernel.interpreter import BufferInterpreter, has_buffers
from gradatim.ir.kernel.ops import FusionOp
from gradatim.ir.kernel.space import NO_LOOP, iteration_space, operand_dims
from gradatim.ir.types import dtype_of, shape_of

SOFTMAX = """
func.func @f(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = kernel.fusion ins(%a = %x : tensor<2x3xf32>) schedule<rows = [0]> {
    %m = array.reduce max %a dims [1] : tensor<2x3xf32> -> tensor<2xf32>
    %b = array.broadcast %m dims [0] : tensor<2xf32> -> tensor<2x3xf32>
    %c = array.sub %a, %b : tensor<2x3xf32>
    kernel.yield %c : tensor<2x3xf32>
  } -> (tensor<2x3xf32>)
  func.return %y : tensor<2x3xf32>
}
"""

ON_BUFFERS = """
func.func @f(%x: memref<4xf32>, %out0: memref<4xf32>, %out1: memref<2x2xf32>) {
  %arena = memref.alloca() : memref<128xi8>
  %shift = arith.constant 64 : index
  %t = memref.view %arena[%shift][] : memref<128xi8> to memref<4xf32>
  kernel.fusion ins(%a = %x : memref<4xf32>) outs(%t : memref<4xf32>) schedule<rows = []> {
    %n = array.neg %a : tensor<4xf32>
    kernel.yield %n : tensor<4xf32>
  }
  kernel.fusion ins(%a = %t : memref<4xf32>) outs(%out0 : memref<4xf32>) schedule<rows = []> {
    %s = array.add %a, %a : tensor<4xf32>
    kernel.yield %s : tensor<4xf32>
  }
  %v = memref.reinterpret_cast %out1 to offset: [0], sizes: [4], strides: [1] : memref<2x2xf32> to memref<4xf32>
  "memref.copy"(%t, %v) : (memref<4xf32>, memref<4xf32>) -> ()
  func.return
}
"""  # noqa: E501


def parse(text: str) -> ModuleOp:
    module = Parser(new_context(), text).parse_module()
    module.verify()
    return module


def body_of(text: str) -> Block:
    ops = find_function(parse(text), "f").body.block.ops
    return next(op for op in ops if isinstance(op, FusionOp)).body.block


def body(arguments: str, ops: str) -> Block:
    """Return the body of a fusion, which need not verify."""
    ins = ", ".join(f"%{i} = %p{i} : {type_}" for i, type_ in enumerate(arguments.split()))
    parameters = ", ".join(f"%p{i}: {type_}" for i, type_ in enumerate(arguments.split()))
    text = f"func.func @f({parameters}) {{ kernel.fusion ins({ins}) schedule<rows = []> {{ {ops} }}"
    module = Parser(new_context(), f"{text} func.return }}").parse_module()
    function = find_function(module, "f")
    fusion = function.body.block.first_op
    assert isinstance(fusion, FusionOp)
    return fusion.body.block


class TestIterationSpace:
    def test_axes_follow_reductions_and_broadcasts(self) -> None:
        block = body_of(SOFTMAX)
        space = iteration_space(block)
        assert space.domain == (2, 3)
        axes = [space.axes[op.results[0]] for op in list(block.ops)[:-1]]
        assert axes == [(0,), (0, 1), (0, 1)]
        assert space.axes[block.args[0]] == (0, 1)

    def test_dimensions_of_size_one_have_no_loop(self) -> None:
        block = body(
            "tensor<1x8x1xf32> tensor<8xf32>",
            """%a = array.neg %0 : tensor<1x8x1xf32>
            %b = array.reshape %a : tensor<1x8x1xf32> -> tensor<8x1xf32>
            %c = array.reshape %b : tensor<8x1xf32> -> tensor<8xf32>
            %d = array.add %c, %1 : tensor<8xf32>
            kernel.yield %d : tensor<8xf32>""",
        )
        space = iteration_space(block)
        assert space.domain == (1, 8, 1)
        assert space.axes[block.args[0]] == (NO_LOOP, 1, NO_LOOP)
        assert space.axes[block.args[1]] == (1,)

    @pytest.mark.parametrize(
        "text",
        [
            "array.broadcast %0 dims [0, 2] : tensor<2x3xf64> -> tensor<2x4x3xf64>",
            "array.reshape %0 : tensor<2x3xf64> -> tensor<2x1x3x1xf64>",
            "array.pad %0, %1 low [1, 0] high [0, 2] interior [0, 1] : "
            "tensor<2x3xf64>, tensor<f64> -> tensor<3x7xf64>",
            "array.dynamic_slice %0[%2, %2] : tensor<2x3xf64> -> tensor<1x2xf64>",
            "array.dynamic_update_slice %0[%2, %2], %3 : tensor<2x3xf64>, tensor<1x2xf64>",
            "array.gather %0[%4, %5] dims [1, 0] : "
            "tensor<2x3xf64>, tensor<2x2xi64>, tensor<2x2xi64> -> tensor<2x2xf64>",
        ],
        ids=lambda text: text.split()[0],
    )
    def test_an_element_needs_the_elements_that_operand_dims_tell(self, text: str) -> None:
        """Whatever else changes in an operand that lies in the loops, the element stays."""
        types = "tensor<2x3xf64> tensor<f64> tensor<i64> tensor<1x2xf64> tensor<2x2xi64>"
        block = body(f"{types} tensor<2x2xi64>", f"%r = {text} kernel.yield %1 : tensor<f64>")
        op = block.first_op
        assert isinstance(op, ArrayOp)
        rng = np.random.default_rng(3)
        shapes = [shape_of(v) for v in op.operands]
        drawn = [
            rng.integers(0, 9, (2, *shape)).astype(dtype_of(v))
            for v, shape in zip(op.operands, shapes)
        ]
        before, other = ([a[i, ...] for a in drawn] for i in range(2))
        expected = op.evaluate(*before)
        for index in np.ndindex(expected.shape):
            operands = list(before)
            for i, dims in enumerate(operand_dims(op)):
                if dims is not None:
                    needed = tuple(0 if d == NO_LOOP else index[d] for d in dims)
                    operands[i] = other[i].copy()
                    operands[i][needed] = before[i][needed]
            assert op.evaluate(*operands)[index] == expected[index]

    def test_operands_of_index_maps_are_not_in_the_loops(self) -> None:
        block = body(
            "tensor<9xf32> tensor<4x4xf32>",
            """
            %a = array.slice %0 starts [1] limits [9] strides [2] : tensor<9xf32> -> tensor<4xf32>
            %b = array.broadcast %a dims [1] : tensor<4xf32> -> tensor<4x4xf32>
            %c = array.transpose %1 permutation [1, 0] : tensor<4x4xf32> -> tensor<4x4xf32>
            %d = array.add %b, %c : tensor<4x4xf32>
            kernel.yield %d : tensor<4x4xf32>""",
        )
        space = iteration_space(block)
        assert space.domain == (4, 4)
        first, *_ = block.ops
        assert space.axes[first.results[0]] == (1,)
        assert all(argument not in space.axes for argument in block.args)

    def test_empty_arrays_have_the_loops_of_the_highest_rank(self) -> None:
        block = body(
            "tensor<0xf32>",
            """%a = array.broadcast %0 dims [0] : tensor<0xf32> -> tensor<0x4xf32>
            kernel.yield %a : tensor<0x4xf32>""",
        )
        assert iteration_space(block).domain == (0, 4)

    def test_a_sum_is_not_read_at_other_positions(self) -> None:
        block = body(
            "tensor<4x4xf32>",
            """%s = array.reduce add %0 dims [1] : tensor<4x4xf32> -> tensor<4xf32>
            %r = array.reverse %s dims [0] : tensor<4xf32>
            kernel.yield %r : tensor<4xf32>""",
        )
        assert block.args[0] not in iteration_space(block).axes


class TestSchedule:
    @pytest.mark.parametrize(
        ("schedule", "message"),
        [
            ("rows = [0], rows = [1]", "given twice"),
            (
                "lanes = 4",
                "a schedule has rows, parallel, vector, unroll, tile, library, registers, whole, "
                "not 'lanes'",
            ),
        ],
    )
    def test_syntax_errors(self, schedule: str, message: str) -> None:
        with pytest.raises(ParseError, match=message):
            parse(SOFTMAX.replace("rows = [0]", schedule))


class TestInterpreter:
    def test_a_fusion_on_tensors_runs_its_body(self) -> None:
        x = np.array([[1, 2, 4], [0, 0, -1]], np.float32)
        (result,) = Interpreter(parse(SOFTMAX)).call("f", x)
        np.testing.assert_array_equal(result, x - x.max(1, keepdims=True))

    def test_buffers(self) -> None:
        module = parse(ON_BUFFERS)
        assert has_buffers(find_function(module, "f"))
        x = np.arange(4, dtype=np.float32)
        doubled, negated = BufferInterpreter(module).call("f", x)
        np.testing.assert_array_equal(doubled, -2 * x)
        np.testing.assert_array_equal(negated, -x.reshape(2, 2))

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            (
                "ins(%a = %x : memref<4xf32>) outs(%t",
                "ins(%a = %x : memref<4xf32>) outs(%x",
                "writes",
            ),
            ("(%t, %v)", "(%v, %x)", "writes to its arguments"),
            ("func.return", '"test.op"() : () -> ()', "no reference semantics"),
        ],
    )
    def test_misuse_is_found(self, old: str, new: str, message: str) -> None:
        context = new_context()
        context.allow_unregistered = True
        module = Parser(context, ON_BUFFERS.replace(old, new)).parse_module()
        with pytest.raises(GradatimError, match=message):
            BufferInterpreter(module).call("f", np.arange(4, dtype=np.float32))

    def test_overlapping_results_are_found(self) -> None:
        second = "%t2 = memref.view %arena[%s2][] : memref<128xi8> to memref<4xf32>"
        text = ON_BUFFERS.replace(
            "  kernel.fusion ins(%a = %x",
            f"  %s2 = arith.constant 72 : index\n  {second}\n  kernel.fusion ins(%a = %x",
            1,
        ).replace("outs(%out0", "outs(%t2")
        with pytest.raises(GradatimError, match="written twice or while read"):
            BufferInterpreter(parse(text)).call("f", np.zeros(4, np.float32))
