"""The random number generator: Threefry-2x32 with 20 rounds.

Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3* (SC 2011). A block
cipher encrypts a counter under a key; whatever the key, each counter gives two words of 32 bits
that look random. Element i of a draw is what counter i gives, so that all can be computed at once.

Counters and words are those of JAX with its setting ``jax_threefry_partitionable``, its default.
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
"""Two values of one shape: the upper and the lower words of keys, counters or what they give."""

_ROTATIONS: Final = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY: Final = 0x1BD11BDA
"""What the third word of an extended key is combined from the two others with."""

_INJECTIONS: Final = 5
"""The extended key is added after every four rounds."""


def threefry_2x32(b: Builder, key: Words, counter: Words) -> Words:
    """Return the two words that each counter gives under a key.

    Args:
        b: appends the ops.
        key: two values u32[].
        counter: two values u32 of one shape.
    """
    shape = shape_of(counter[0])
    first, second = key
    third = b.xor(b.xor(first, second), b.full((), WORD, _PARITY))
    extended = (first, second, third)

    def key_word(number: int, added: int = 0) -> SSAValue:
        word = extended[number % 3]
        if added:
            word = b.add(word, b.full((), WORD, added))
        return b.broadcast(word, shape, ())

    x, y = b.add(counter[0], key_word(0)), b.add(counter[1], key_word(1))
    for injection in range(1, _INJECTIONS + 1):
        for amount in _ROTATIONS[(injection - 1) % 2]:
            x = b.add(x, y)
            y = b.xor(x, b.rotate_left(y, b.full(shape, WORD, amount)))
        x = b.add(x, key_word(injection))
        y = b.add(y, key_word(injection + 1, injection))
    return x, y


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

    def encrypt(self, counter: Words) -> Words:
        """Return what counters give under the key."""
        return threefry_2x32(self.trace.builder, (self.upper.value, self.lower.value), counter)

    def words(self, shape: Shape) -> Words:
        """Return 64 random bits for each element of a shape, as two words."""
        return self.encrypt(counters(self.trace.builder, shape))

    def fold_in(self, number: SSAValue) -> Key:
        """Return the key that this one and a number u32[] give."""
        zero = self.trace.builder.full((), WORD, 0)
        return Key(*map(self.trace.tracer, self.encrypt((zero, number))))

    def split(self, count: int = 2) -> list[Key]:
        """Return several keys, computed together in an array."""
        b, tracer = self.trace.builder, self.trace.tracer
        words = self.words((count,))
        return [
            Key(*(tracer(b.reshape(b.slice(w, (i,), (i + 1,)), ())) for w in words))
            for i in range(count)
        ]

    def split_apart(self, count: int = 2) -> list[Key]:
        """Return the same keys as `split`, each computed by itself.

        That takes more operations, but none on arrays of ``count`` elements, which would be inner
        loops where many keys are split at once.
        """
        b = self.trace.builder
        return [self.fold_in(b.full((), WORD, i)) for i in range(count)]

    def bits(self, shape: Shape, dtype: np.dtype) -> SSAValue:
        """Return random unsigned integers of a shape: all bits of ``dtype`` are random."""
        b = self.trace.builder
        upper, lower = self.words(shape)
        if dtype != _DOUBLE_WORD:
            return b.convert(b.xor(upper, lower), dtype)
        shifted = b.convert(upper, dtype)
        shifted = b.shift_left(shifted, b.full_like(shifted, _WORD_BITS))
        return b.or_(shifted, b.convert(lower, dtype))


def joined(b: Builder, words: Words) -> SSAValue:
    """Return two words as keys: along a new last dimension."""
    shape = (*shape_of(words[0]), 1)
    return b.concatenate([b.reshape(word, shape) for word in words], len(shape) - 1)
