"""Affine index expressions: where a value's element is, in terms of loop axes.

While a loop nest is generated, each value is asked for at an index: one affine form of the nest's
axes for each of its dimensions. Shape ops change the index and make no code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias


class Affine(NamedTuple):
    """``constant`` plus the sum of coefficient times axis; terms are sorted by axis, none is 0."""

    constant: int
    terms: tuple[tuple[int, int], ...] = ()

    def shifted(self, amount: int) -> Affine:
        """Return the form plus a constant."""
        return Affine(self.constant + amount, self.terms) if amount else self

    def scaled(self, factor: int) -> Affine:
        """Return the form times a constant."""
        if factor == 1:
            return self
        if factor == 0:
            return ZERO
        return Affine(self.constant * factor, tuple((a, c * factor) for a, c in self.terms))

    def coefficient(self, axis: int) -> int:
        """Return the coefficient of an axis."""
        return next((c for a, c in self.terms if a == axis), 0)

    def fixed(self, axis: int, position: int) -> Affine:
        """Return the form where an axis is at a position."""
        coefficient = self.coefficient(axis)
        if not coefficient:
            return self
        terms = tuple(term for term in self.terms if term[0] != axis)
        return Affine(self.constant + coefficient * position, terms)

    def range(self, bounds: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
        """Return the least and greatest value for axes within half-open bounds."""
        low = high = self.constant
        for axis, coefficient in self.terms:
            first, end = bounds[axis]
            ends = coefficient * first, coefficient * (end - 1)
            low += min(ends)
            high += max(ends)
        return low, high


Index: TypeAlias = tuple[Affine, ...]

ZERO = Affine(0)


def axis_index(axis: int) -> Affine:
    """Return the form that is an axis itself."""
    return Affine(0, ((axis, 1),))


def combine(parts: Iterable[tuple[Affine, int]]) -> Affine:
    """Return the sum of forms, each times a constant."""
    constant = 0
    terms: dict[int, int] = {}
    for form, factor in parts:
        constant += form.constant * factor
        for axis, coefficient in form.terms:
            terms[axis] = terms.get(axis, 0) + coefficient * factor
    return Affine(constant, tuple(sorted((a, c) for a, c in terms.items() if c)))


def linearize(index: Index, strides: Sequence[int]) -> Affine:
    """Return the position in memory of an element, given the strides of each dimension."""
    return combine(zip(index, strides))
