"""Integers and arrays of them among the attributes, each made once: making one checks it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    IntegerType,
    i32,
    i64,
)
from xdsl.ir import Attribute


def dense_i64(values: Iterable[int]) -> DenseArrayBase:
    """Return ``array<i64: ...>``, which gives offsets, sizes, strides and positions."""
    return _dense_i64(tuple(values))


@lru_cache(maxsize=4096)
def _dense_i64(values: tuple[int, ...]) -> DenseArrayBase:
    return DenseArrayBase.from_list(i64, values)


@lru_cache(maxsize=4096)
def segment_sizes(*sizes: int) -> DenseArrayBase:
    """Return ``array<i32: ...>``: how many operands, or results, an op has of each group."""
    return DenseArrayBase.from_list(i32, sizes)


@lru_cache(maxsize=4096)
def integer(value: int, type_: Attribute) -> IntegerAttr:
    """Return an integer of an integer type, modulo what that holds, or an index."""
    assert isinstance(type_, IntegerType | IndexType)
    return IntegerAttr(value, type_, truncate_bits=True)


@lru_cache(maxsize=64)
def one_group(rank: int) -> ArrayAttr[ArrayAttr[IntegerAttr]]:
    """Return the reassociation of all dimensions with one, or with none."""
    return ArrayAttr([ArrayAttr([integer(d, i64) for d in range(rank)])] if rank else [])
