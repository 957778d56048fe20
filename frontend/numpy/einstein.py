"""`numpy.einsum`: Einstein summation as a sequence of pairwise products."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any, TypeAlias

import numpy as np

from ..tracer import Tracer
from .contraction import contracted
from .manipulation import permuted, reshaped
from .matrices import diagonal
from .operands import broadcast, converted, shape_error, traced_arrays, xp
from .promotion import BOOL
from .reductions import reduced
from .registry import implements

Label: TypeAlias = Hashable
"""The name of a dimension: a letter, or an integer for one that an ellipsis stands for."""


@dataclass(frozen=True)
class Term:
    """An operand and the label of each of its dimensions, no label twice."""

    array: Tracer
    labels: tuple[Label, ...]


@implements(np.einsum)
def einsum(*operands: Any, dtype: Any = None, optimize: Any = False) -> Tracer:
    """Sum the products of operands over the labels that the output lacks.

    Takes a formula such as ``"ij,jk->ik"`` (``"..."`` stands for leading dimensions), or operands
    each followed by a list of labels. Three and more operands are multiplied in pairs, in the order
    that ``optimize`` says, by default in that of `numpy.einsum_path`.

    Raises:
        ValueError: if the formula does not fit the operands.
    """
    inputs, output, arrays = _parsed(operands)
    _, tracers = traced_arrays(*arrays)
    labels, outcome = _resolved(inputs, output, tracers)
    common = np.result_type(*[x.dtype for x in tracers]) if dtype is None else np.dtype(dtype)
    sizes = _sizes(labels, tracers)
    terms = [_simplified(converted(x, common), term, sizes) for x, term in zip(tracers, labels)]
    for pair in _path(terms, outcome, optimize):
        picked = [terms.pop(i) for i in sorted(pair, reverse=True)][::-1]
        needed = set(outcome).union(*(t.labels for t in terms))
        while len(picked) > 1:
            first, second, *picked = picked
            wanted = needed.union(*(t.labels for t in picked))
            picked.insert(0, _product(first, second, wanted))
        terms.append(_summed(picked[0], needed))
    return _arranged(terms[0], outcome, sizes)


Formula: TypeAlias = list[list[Label]]


def _parsed(operands: tuple[Any, ...]) -> tuple[Formula, list[Label] | None, list[Any]]:
    """Return the labels of inputs and output (None if implied), and the operands."""
    if not isinstance(operands[0], str):
        arrays, lists = list(operands[0::2]), list(operands[1::2])
        output = list(arrays.pop()) if len(arrays) > len(lists) else None
        return [list(labels) for labels in lists], output, arrays
    formula, *arrays = operands
    left, arrow, right = formula.replace(" ", "").partition("->")
    terms = [_letters(term) for term in left.split(",")]
    return terms, _letters(right) if arrow else None, arrays


def _letters(term: str) -> list[Label]:
    """Split a term of a formula to letters and at most one Ellipsis."""
    before, dots, after = term.partition("...")
    strange = (before + after).strip(ascii_letters)
    if strange:
        raise ValueError(f"einsum: {strange[0]!r} in term {term!r} is no letter")
    return [*before, *([...] if dots else []), *after]


def _resolved(
    inputs: Formula, output: list[Label] | None, tracers: Sequence[Tracer]
) -> tuple[list[tuple[Label, ...]], tuple[Label, ...]]:
    """Replace each Ellipsis by labels of its own, and find out the output if it is implied."""
    if len(inputs) != len(tracers):
        raise ValueError(f"einsum: the formula has {len(inputs)} terms for {len(tracers)} operands")
    labels = [_without_ellipsis(term, x) for term, x in zip(inputs, tracers)]
    hidden = max((x.ndim - len(t) + 1 for t, x in zip(inputs, tracers) if ... in t), default=0)
    ellipsis = [("...", i) for i in range(-hidden, 0)]
    if output is None:
        named = [label for term in inputs for label in term if label is not ...]
        output = [*ellipsis, *sorted(n for n in set(named) if named.count(n) == 1)]  # type: ignore[type-var]
    elif ... in output:
        place = output.index(...)
        output = [*output[:place], *ellipsis, *output[place + 1 :]]
    elif hidden:
        raise ValueError("einsum: the output must have an ellipsis, as inputs have")
    missing = [label for label in output if not any(label in term for term in labels)]
    if missing or len(set(output)) != len(output):
        raise ValueError(f"einsum: the output's labels {output} must be different ones of inputs")
    return labels, tuple(output)


def _without_ellipsis(term: list[Label], x: Tracer) -> tuple[Label, ...]:
    hidden = x.ndim - len(term) + 1 if ... in term else 0
    if hidden < 0 or (... not in term and len(term) != x.ndim):
        raise shape_error(f"einsum: term {term} does not fit the operand's dimensions", [x])
    if ... not in term:
        return tuple(term)
    place = term.index(...)
    return (*term[:place], *(("...", i) for i in range(-hidden, 0)), *term[place + 1 :])


def _sizes(labels: Sequence[tuple[Label, ...]], tracers: Sequence[Tracer]) -> dict[Label, int]:
    """Return the size of each label's dimensions, of which those of size 1 are broadcast."""
    sizes: dict[Label, int] = {}
    for term, x in zip(labels, tracers):
        for label, size in zip(term, x.shape):
            known = sizes.get(label, 1)
            if 1 not in (known, size) and known != size:
                raise shape_error(f"einsum: label {label!r} has sizes {known} and {size}", tracers)
            sizes[label] = size if known == 1 else known
    return sizes


def _simplified(x: Tracer, labels: tuple[Label, ...], sizes: dict[Label, int]) -> Term:
    """Drop broadcast dimensions, and take the diagonal where a label comes twice."""
    kept = [d for d, label in enumerate(labels) if x.shape[d] == sizes[label]]
    x = reshaped(x, tuple(x.shape[d] for d in kept))
    remaining = [labels[d] for d in kept]
    for label in dict.fromkeys(remaining):
        while remaining.count(label) > 1:
            first = remaining.index(label)
            second = remaining.index(label, first + 1)
            x = diagonal(x, 0, first, second)
            del remaining[second], remaining[first]
            remaining.append(label)
    return Term(x, tuple(remaining))


def _path(terms: Sequence[Term], output: Iterable[Label], optimize: Any) -> list[tuple[int, ...]]:
    """Return which operands to multiply, step by step, as `numpy.einsum_path` numbers them."""
    if len(terms) < 3:
        return [tuple(range(len(terms)))]
    letters: dict[Label, str] = {}
    spelled = [
        "".join(letters.setdefault(label, ascii_letters[len(letters)]) for label in t.labels)
        for t in terms
    ]
    formula = (
        f"{','.join(spelled)}->{''.join(letters[label] for label in output if label in letters)}"
    )
    shapes = [np.broadcast_to(np.float64(0), t.array.shape) for t in terms]
    path, _ = np.einsum_path(formula, *shapes, optimize=optimize or "greedy")
    return [tuple(step) for step in path[1:]]


def _summed(term: Term, needed: set[Label]) -> Term:
    """Sum over the labels that are not needed."""
    axes = [d for d, label in enumerate(term.labels) if label not in needed]
    if not axes:
        return term
    kind = "or" if term.array.dtype == BOOL else "add"
    labels = tuple(label for label in term.labels if label in needed)
    return Term(reduced(term.array, kind, tuple(axes)), labels)


def _product(first: Term, second: Term, needed: set[Label]) -> Term:
    """Multiply two terms, summing over what is needed no more."""
    x = _summed(first, needed | set(second.labels))
    y = _summed(second, needed | set(first.labels))
    shared = [label for label in x.labels if label in y.labels]
    batch = [label for label in shared if label in needed]
    summed = [label for label in shared if label not in needed]
    free = [label for t in (x, y) for label in t.labels if label not in shared]
    if not summed:
        return _elementwise_product(x, y, tuple(batch + free))
    dims = [([t.labels.index(label) for label in part]) for part in (summed, batch) for t in (x, y)]
    product = contracted(x.array, y.array, (dims[0], dims[1]), (dims[2], dims[3]))
    return Term(product, tuple(batch + free))


def _elementwise_product(x: Term, y: Term, labels: tuple[Label, ...]) -> Term:
    return Term(xp.multiply(_spread(x, labels), _spread(y, labels)), labels)


def _spread(term: Term, labels: tuple[Label, ...]) -> Tracer:
    """Bring a term's dimensions to the order of labels, with size 1 for those that it lacks."""
    order = [term.labels.index(label) for label in labels if label in term.labels]
    x = permuted(term.array, order)
    remaining = iter(x.shape)
    return reshaped(x, tuple(next(remaining) if n in term.labels else 1 for n in labels))


def _arranged(term: Term, output: tuple[Label, ...], sizes: dict[Label, int]) -> Tracer:
    """Give the result the order of the output's labels."""
    return broadcast(_spread(term, output), tuple(sizes[label] for label in output))
