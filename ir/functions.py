"""Functions of a module and blocks of regions: making, finding, and one from the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from xdsl.dialects.builtin import DenseArrayBase, FunctionType, LocationAttr, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from .array.regions import YieldOp, terminator_of
from .builder import Builder
from .errors import GradatimError
from .integer_arrays import dense_i64
from .locations import UNKNOWN, spell_location
from .ops import append_op, copy_op

IN_OUT: Final = "gradatim.inout"
"""The attribute of a function that says which results are the new contents of its arguments.

It has a number for each result: that of the argument, or -1.
"""


class BlockBuilder:
    """Builds a region's block: use ``arguments``, append by ``builder``, end with ``finish``."""

    def __init__(
        self,
        argument_types: Sequence[Attribute],
        argument_names: Sequence[str | None] = (),
        location: LocationAttr = UNKNOWN,
    ) -> None:
        self.location = location
        self.block = Block(arg_types=argument_types)
        self.builder = Builder(self.block, location)
        for argument, hint in zip(self.block.args, argument_names, strict=False):
            argument.name_hint = hint
        for argument in self.block.args:
            argument.location = location

    @property
    def arguments(self) -> Sequence[SSAValue]:
        """The arguments."""
        return self.block.args

    def finish(self, results: Sequence[SSAValue]) -> Block:
        """Append the ``array.yield`` and give back the block, which the caller puts into an op."""
        self.block.add_op(YieldOp.create(operands=results, location=self.location))
        return self.block


class FunctionBuilder:
    """Builds a ``func.func``: use ``arguments``, append ops by ``builder``, end with ``finish``."""

    def __init__(
        self,
        name: str,
        argument_types: Sequence[Attribute],
        argument_names: Sequence[str | None] = (),
        location: LocationAttr = UNKNOWN,
    ) -> None:
        self.name = name
        self.location = location
        self._body = BlockBuilder(argument_types, argument_names, location)
        self.block = self._body.block
        self.builder = self._body.builder

    @property
    def arguments(self) -> Sequence[SSAValue]:
        """The function's arguments."""
        return self.block.args

    def finish(self, results: Sequence[SSAValue], visibility: str | None = None) -> FuncOp:
        """Append the return and give back the function, which the caller puts into a module."""
        self.block.add_op(ReturnOp.create(operands=results, location=self.location))
        return _function_with(self.block, self.name, self.location, visibility)


def _function_with(
    block: Block, name: str, location: LocationAttr, visibility: str | None = None
) -> FuncOp:
    assert block.last_op is not None
    results = [value.type for value in block.last_op.operands]
    type_ = FunctionType.from_lists(list(block.arg_types), results)
    function = FuncOp(name, type_, Region(block), visibility)
    function.location = location
    return function


def function_of(block: Block, name: str, location: LocationAttr = UNKNOWN) -> FuncOp:
    """Return a function that does what a region's block does; the block is left as it is."""
    function = FunctionBuilder(name, block.arg_types, [a.name_hint for a in block.args], location)
    mapped: dict[SSAValue, SSAValue] = dict(zip(block.args, function.arguments))
    terminator = terminator_of(block)
    for op in block.ops:
        if op is not terminator:
            append_op(function.block, copy_op(op, mapped))
    return function.finish([mapped[value] for value in terminator.operands])


def block_of(function: FuncOp) -> Block:
    """Take the block out of a function, which is of no use afterwards, to be a region's."""
    block = function.body.block
    terminator = return_of(function)
    operands, location = terminator.operands, terminator.location
    function.body.detach_block(block)
    block.erase_op(terminator)
    block.add_op(YieldOp.create(operands=operands, location=location))
    return block


def find_function(module: ModuleOp, name: str) -> FuncOp:
    """Return the module's function of this name.

    Raises:
        GradatimError: if there is none.
    """
    for op in module.body.block.ops:
        if isinstance(op, FuncOp) and op.sym_name.data == name:
            return op
    raise GradatimError(f"the module has no function @{name}")


def return_of(function: FuncOp) -> ReturnOp:
    """Return the terminator of a function."""
    last = function.body.block.last_op
    assert isinstance(last, ReturnOp)
    return last


def in_out_numbers(function: FuncOp, count: int) -> list[int | None]:
    """Return for each of so many results the argument whose new contents it is, or None."""
    attribute = function.attributes.get(IN_OUT)
    if not isinstance(attribute, DenseArrayBase):
        return [None] * count
    return [None if n < 0 else int(n) for n in attribute.get_values()]


def in_out_arguments(function: FuncOp) -> list[int | None]:
    """Return for each result the argument whose new contents it is, None where it is of its own.

    Raises:
        GradatimError: if what `IN_OUT` says is not possible.
    """
    results = return_of(function).operands
    numbers = in_out_numbers(function, len(results))
    arguments = [n for n in numbers if n is not None]
    types = function.body.block.arg_types
    if (
        len(numbers) != len(results)
        or len(set(arguments)) != len(arguments)
        or any(n >= len(types) for n in arguments)
        or any(n is not None and types[n] != v.type for n, v in zip(numbers, results))
    ):
        raise GradatimError(
            f"`{IN_OUT}` of @{function.sym_name.data} must name for each result an argument of "
            "its type, each at most once, or -1",
            spell_location(function.location),
        )
    return numbers


def set_in_out(function: FuncOp, arguments: Sequence[int | None]) -> None:
    """Let results be the new contents of arguments; see `in_out_arguments`."""
    function.attributes[IN_OUT] = dense_i64([-1 if n is None else n for n in arguments])
