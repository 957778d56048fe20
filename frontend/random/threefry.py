"""Keys of traced functions, and the random bits that the generator gives under them.

The generator is the block cipher Threefry-2x32, of which `gradatim.ir.threefry` says more: element
i of a draw is what counter i gives, so that all can be computed at once. Counters and words are
those of JAX with its setting ``jax_threefry_partitionable``, its default.
"""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from xdsl.ir import SSAValue

from ...ir.builder import Builder
from ...ir.types import Shape, shape_of
from ..tracer import Tracer
from ..tracing import Trace

WORD: Final = np.dtype(np.uint32)
_DOUBLE_WORD: Final = np.dtype(np.uint64)
_WORD_BITS: Final = 32

Words: TypeAlias = tuple[SSAValue, SSAValue]
"""Two values of one shape: the upper and the lower words of counters or of what they give."""


def counters(b: Builder, shape: Shape) -> Words:
    """Return 0, 1, 2, ... in row-major order, as upper and lower words of 64-bit numbers."""
    size = prod(shape)
    if size <= 1 << _WORD_BITS:
        lower = b.reshape(b.iota((size,), WORD, 0), shape)
        return b.full(shape, WORD, 0), lower
    numbers = b.reshape(b.iota((size,), _DOUBLE_WORD, 0), shape)
    upper = b.shift_right_logical(numbers, b.full_like(numbers, _WORD_BITS))
    return b.convert(upper, WORD), b.convert(numbers, WORD)


class Key(NamedTuple):
    """A key of a traced function: its upper and its lower word, two values u32[]."""

    upper: Tracer
    lower: Tracer

    @staticmethod
    def of(array: Tracer) -> Key:
        """Return the key that an array u32[2] holds."""
        b = array.trace.builder
        words = (b.reshape(b.slice(array.value, (i,), (i + 1,)), ()) for i in range(2))
        return Key(*map(array.trace.tracer, words))

    @property
    def trace(self) -> Trace:
        """The function under construction."""
        return self.upper.trace

    def encrypt(self, word: str, counter: Words) -> SSAValue:
        """Return a word of what counters give under the key; see ``array.threefry_2x32``."""
        b, shape = self.trace.builder, shape_of(counter[0])
        upper, lower = (b.broadcast(x.value, shape, ()) for x in self)
        return b.threefry_2x32(word, (upper, lower), counter)

    def words(self, shape: Shape) -> Words:
        """Return 64 random bits for each element of a shape, as two words."""
        counter = counters(self.trace.builder, shape)
        return self.encrypt("upper", counter), self.encrypt("lower", counter)

    def fold_in(self, number: SSAValue) -> Key:
        """Return the key that this one and a number u32[] give."""
        counter = (self.trace.builder.full((), WORD, 0), number)
        return Key(*(self.trace.tracer(self.encrypt(w, counter)) for w in ("upper", "lower")))

    def split(self, count: int = 2) -> list[Key]:
        """Return several keys."""
        b = self.trace.builder
        return [self.fold_in(b.full((), WORD, i)) for i in range(count)]

    def bits(self, shape: Shape, dtype: np.dtype) -> SSAValue:
        """Return random unsigned integers of a shape: all bits of ``dtype`` are random."""
        b = self.trace.builder
        if dtype != _DOUBLE_WORD:
            return b.convert(self.encrypt("both", counters(b, shape)), dtype)
        upper, lower = (b.convert(word, dtype) for word in self.words(shape))
        return b.or_(b.shift_left(upper, b.full_like(upper, _WORD_BITS)), lower)


def joined(b: Builder, words: Words) -> SSAValue:
    """Return two words as keys: along a new last dimension."""
    shape = (*shape_of(words[0]), 1)
    return b.concatenate([b.reshape(word, shape) for word in words], len(shape) - 1)
