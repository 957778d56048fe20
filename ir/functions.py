"""Functions of a module: making, finding and walking ``func.func``."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import FunctionType, LocationAttr, ModuleOp
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from .builder import Builder
from .errors import GradatimError
from .locations import UNKNOWN


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
        self.block = Block(arg_types=argument_types)
        self.builder = Builder(self.block, location)
        for argument, hint in zip(self.block.args, argument_names, strict=False):
            argument.name_hint = hint
        for argument in self.block.args:
            argument.location = location

    @property
    def arguments(self) -> Sequence[SSAValue]:
        """The function's arguments."""
        return self.block.args

    def finish(self, results: Sequence[SSAValue], visibility: str | None = None) -> FuncOp:
        """Append the return and give back the function, which the caller puts into a module."""
        self.block.add_op(ReturnOp.create(operands=results, location=self.location))
        type_ = FunctionType.from_lists(
            [a.type for a in self.block.args], [v.type for v in results]
        )
        function = FuncOp(self.name, type_, Region(self.block), visibility)
        function.location = self.location
        return function


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
