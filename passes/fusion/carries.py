"""Arrays that loops carry: what steps need of them is read before they are computed anew.

A kernel can write the next value of a carry over the old one if it reads each element where it
writes it, and nowhere else. Where it also reads small parts of the array at other places, such as
the row and the column of a pivot, these are computed on their own before.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Final, NamedTuple

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Block, Operation, SSAValue

from ...ir.array.control import ScanOp, WhileOp
from ...ir.array.shape import ReshapeOp
from ...ir.kernel.space import is_elementwise, squeeze
from ...ir.types import shape_of, tensor_info
from .anti_dependences import Test, root_of

SMALL_PART: Final = 1 / 8
"""What is at most such a part of an array is stored and read again rather than have it moved."""

LARGE_BYTES: Final = 1 << 18
"""From this size on, half a second-level cache, it pays to have no second array for a carry."""

CACHE_LINE: Final = 64

LARGE_UNEVEN_BYTES: Final = 1 << 21
"""The same where rows do not end with a cache line.

A kernel that writes over what it reads masks the last vector of each row; any other may compute
some elements twice instead, which is faster as long as both arrays are near.
"""


def parts_read_before(block: Block, is_loop: Test, is_inline: Test) -> set[Operation]:
    """Return the ops to be computed before the carries that they are parts of change.

    Args:
        block: of a function, or of a loop or a branch.
        is_loop: whether an op is computed in loops over its elements.
        is_inline: whether an op is evaluated where its result is needed.
    """
    found: set[Operation] = set()
    for carry, following in _carries(block):
        search = _Search(carry, is_loop, is_inline)
        if is_loop(following) and is_elementwise(type(following)) and search.succeeds(following):
            found |= search.parts
    return found


def _carries(block: Block) -> Iterator[tuple[SSAValue, Operation]]:
    """Yield the large arrays that a loop carries, and what computes the next value of each."""
    loop, last = block.parent_op(), block.last_op
    if not isinstance(loop, ScanOp | WhileOp) or last is None or block is not loop.body.block:
        return
    carries = block.args[len(loop.groups[0]) :] if isinstance(loop, WhileOp) else loop.parts.carries
    for carry, value in zip(carries, last.operands):
        if isinstance(carry.type, TensorType) and _is_large(carry):
            owner = root_of(value).owner
            if isinstance(owner, Operation) and owner.parent is block:
                yield carry, owner


def _is_large(value: SSAValue) -> bool:
    shape, dtype = tensor_info(value)
    row = shape[-1] * dtype.itemsize if shape else 0
    least = LARGE_UNEVEN_BYTES if row % CACHE_LINE else LARGE_BYTES
    return prod(shape) * dtype.itemsize >= least


class _Read(NamedTuple):
    """A value that is read while the next value of a carry is computed.

    ``in_place`` tells whether each element is read where the carry's is written, and ``part`` is
    the op of the fewest elements among those that are evaluated in place of the value.
    """

    value: SSAValue
    in_place: bool
    part: Operation | None


class _Search:
    """Follows what is computed in one loop over a carry's elements."""

    def __init__(self, carry: SSAValue, is_loop: Test, is_inline: Test) -> None:
        self.parts: set[Operation] = set()
        self._carry = carry
        self._is_loop = is_loop
        self._is_inline = is_inline

    def succeeds(self, following: Operation) -> bool:
        """Tell whether an op reads each element of the old array where it is, and small parts."""
        if squeeze(shape_of(following.results[0])) != squeeze(shape_of(self._carry)):
            return False
        most = SMALL_PART * _size(self._carry)
        in_place = False
        pending = [_Read(value, True, None) for value in following.operands]
        seen = set(pending)
        while pending:
            read = pending.pop()
            if read.value is not self._carry:
                beyond = [r for r in self._beyond(read) if r not in seen]
                seen.update(beyond)
                pending += beyond
            elif read.in_place:
                in_place = True
            elif read.part is None or _size(read.part.results[0]) > most:
                return False
            else:
                self.parts.add(read.part)
        return in_place

    def _beyond(self, read: _Read) -> Iterator[_Read]:
        """Yield what is read for a value in the same loop."""
        op = read.value.owner
        if not isinstance(op, Operation):
            return
        in_place, part = read.in_place, read.part
        if isinstance(op, ReshapeOp):
            in_place &= squeeze(shape_of(op.operand)) == squeeze(shape_of(op.result))
        elif is_elementwise(type(op)):
            if not self._is_inline(op) and not (in_place and self._is_loop(op)):
                return
        elif self._is_inline(op):
            in_place = False
        else:
            return
        if not in_place and self._is_inline(op):
            part = min(part or op, op, key=lambda each: _size(each.results[0]))
        for value in op.operands:
            yield _Read(value, in_place, part)


def _size(value: SSAValue) -> int:
    return prod(shape_of(value))
