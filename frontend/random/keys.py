"""Keys: what a random draw depends on beside its shape.

A key is an array u32[2], the upper and the lower word of a 64-bit number, so that keys pass through
transformations, loops and containers as all arrays do. JAX's typed keys and its raw ones are both
this. The same key gives the same numbers again; `split` and `fold_in` make new keys of one.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ...ir.locations import spell_location
from ...ir.types import Shape
from ..boundary import public
from ..errors import ArgumentError, ShapeError
from ..numpy.operands import converted, traced_array
from ..source import user_location
from ..tracer import Tracer
from .calls import any_keys, draw, one_key, result_shape
from .threefry import WORD, Key, Words, joined

GENERATOR: Final = "threefry2x32"
"""The name of the only generator."""

_MASK: Final = 0xFFFFFFFF


@public
def key(seed: Any, *, impl: str | None = None, dtype: str | None = None) -> Any:
    """Return the key of a seed, u32[2].

    Args:
        seed: an integer of at most 64 bits; of those, the key is the upper and the lower half.
            JAX gives the same key with 64-bit numbers enabled, and else for seeds from 0 to 2^31.
        impl: the generator, ``"threefry2x32"`` or None.
        dtype: as ``impl``.

    Raises:
        ArgumentError: (a TypeError) if the seed is no integer, or the generator is another one.
        ShapeError: (a ValueError) if the seed is an array of several.
        OverflowError: if the seed is an int of more than 64 bits.
    """
    return _seeded("key", seed, impl if dtype is None else dtype)


@public
def PRNGKey(seed: Any, *, impl: str | None = None) -> Any:
    """Return the key of a seed; the same as `key`."""
    return _seeded("PRNGKey", seed, impl)


@public
def wrap_key_data(key_bits_array: Any, *, impl: str | None = None, dtype: str | None = None) -> Any:
    """Return words as keys: the array itself, u32[..., 2].

    Raises:
        ArgumentError: (a TypeError) if it is of another type.
    """
    _require_generator("wrap_key_data", impl if dtype is None else dtype)
    return any_keys("wrap_key_data", key_bits_array)


@public
def key_data(keys: Any) -> Any:
    """Return the words of keys: the array itself, u32[..., 2].

    Raises:
        ArgumentError: (a TypeError) if these are no keys.
    """
    return any_keys("key_data", keys)


@public
def key_impl(keys: Any) -> str:
    """Return the name of the generator that keys are for, ``"threefry2x32"``.

    Raises:
        ArgumentError: (a TypeError) if these are no keys.
    """
    any_keys("key_impl", keys)
    return GENERATOR


@public
def clone(key: Any) -> Any:
    """Return a copy of keys, which says to the reader that they are used again on purpose.

    Raises:
        ArgumentError: (a TypeError) if these are no keys.
    """
    found = any_keys("clone", key)
    return found if type(found) is Tracer else found.copy()


@public
def split(key: Any, num: Any = 2) -> Any:
    """Return new keys, u32[num, 2], or u32[*num, 2] where ``num`` is a tuple.

    Key i of them is ``fold_in(key, i)``. A key that was split should be used for nothing else.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key.
        ShapeError: (a ValueError) if it is an array of several, or ``num`` negative.
    """
    return draw(_split, one_key("split", key), shape=result_shape("split", num))


@public
def fold_in(key: Any, data: Any) -> Any:
    """Return the key, u32[2], that a key and a number give.

    Args:
        key: a key, u32[2].
        data: an integer; its lower 32 bits count.

    Raises:
        ArgumentError: (a TypeError) if ``key`` is no key, or ``data`` no integer.
        ShapeError: (a ValueError) if either is an array of several.
        OverflowError: if ``data`` is a Python int that is no unsigned number of 32 bits.
    """
    found = one_key("fold_in", key)
    number = WORD.type(data) if type(data) is int else _one_integer("fold_in", data)
    return draw(_fold_in, found, number)


def _split(key: Key, *, shape: Shape) -> Tracer:
    return key.trace.tracer(joined(key.trace.builder, key.words(shape)))


def _fold_in(key: Key, data: Tracer) -> Tracer:
    b = key.trace.builder
    upper, lower = key.fold_in(b.convert(data.value, WORD))
    return key.trace.tracer(joined(b, (upper.value, lower.value)))


def _seeded(name: str, seed: Any, generator: str | None) -> Any:
    _require_generator(name, generator)
    if type(seed) is int:
        seed = np.int64(seed)
    number = _one_integer(name, seed)
    wide = number.dtype.itemsize == 8
    if type(number) is Tracer:
        return _words_of(number, wide)
    bits = int(number)
    return np.array([bits >> 32 & _MASK if wide else 0, bits & _MASK], WORD)


def _words_of(seed: Tracer, wide: bool) -> Tracer:
    """Return the upper and lower half of a traced seed; the upper one of a narrow seed is 0."""
    seed = traced_array(seed)
    b = seed.trace.builder
    lower = converted(seed, WORD).value
    upper = b.full((), WORD, 0)
    if wide:
        shifted = b.shift_right_logical(seed.value, b.full_like(seed.value, 32))
        upper = b.convert(shifted, WORD)
    words: Words = (upper, lower)
    return seed.trace.tracer(joined(b, words))


def _one_integer(name: str, number: Any) -> Any:
    """Return an integer as a 0-d array, or as a traced one.

    Raises:
        ArgumentError: if it is none.
        ShapeError: if it is an array of several.
    """
    found = number if type(number) is Tracer else np.asarray(number)
    if found.dtype.kind not in "iu":
        raise ArgumentError(f"`{name}` takes an integer, found one of dtype {found.dtype}", _here())
    if found.ndim:
        raise ShapeError(
            f"`{name}` takes one integer, found an array of shape {found.shape}; map over several "
            "by `gradatim.vmap`",
            _here(),
        )
    return found


def _require_generator(name: str, generator: str | None) -> None:
    if generator not in (None, GENERATOR):
        raise ArgumentError(f"`{name}` knows no generator but {GENERATOR!r}, found {generator!r}")


def _here() -> str | None:
    return spell_location(user_location())
