"""Emitters of interleaved loads and stores: whole vectors of memory, taken apart by shuffles."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Operation

from .function import FunctionEmitter
from .memory import from_memory, load_at, shuffle, to_memory
from .types import INDEX, value_type


def interleaved_load(e: FunctionEmitter, op: Operation) -> None:
    """Load as many whole vectors as there are results, and sort their lanes."""
    buffer, offset = op.operands
    type_ = value_type(op.results[0].type)
    first = e.element_pointer(e.ref(buffer), type_.scalar.storage, e.ref(offset))
    parts = [load_at(e, type_, first, i * type_.lanes) for i in range(len(op.results))]
    for result, found in zip(op.results, _taken_apart(e, type_.storage, type_.lanes, parts)):
        e.bind(result, from_memory(e, type_, found))


def interleaved_store(e: FunctionEmitter, op: Operation) -> None:
    """Mix the lanes of all vectors, and store them as as many whole ones."""
    *vectors, buffer, offset = op.operands
    type_ = value_type(vectors[0].type)
    first = e.element_pointer(e.ref(buffer), type_.scalar.storage, e.ref(offset))
    stored = [to_memory(e, v).removeprefix(f"{type_.storage} ") for v in vectors]
    for i, part in enumerate(_joined(e, type_.storage, type_.lanes, stored)):
        place = f"{INDEX} {i * type_.lanes}"
        moved = e.compute(f"getelementptr {type_.scalar.storage}, ptr {first}, {place}")
        e.line(f"store {type_.storage} {part}, ptr {moved}, align {type_.scalar.bytes}")


def _taken_apart(e: FunctionEmitter, text: str, lanes: int, parts: Sequence[str]) -> list[str]:
    """Return the vectors whose lanes alternate in consecutive ones; halves of them first."""
    count = len(parts)
    if count % 2:
        return [
            _gathered(e, text, lanes, parts, range(j, count * lanes, count), count > 1)
            for j in range(count)
        ]
    pairs = list(zip(parts[::2], parts[1::2]))
    even, odd = (
        _taken_apart(
            e, text, lanes, [shuffle(e, text, *pair, range(j, 2 * lanes, 2)) for pair in pairs]
        )
        for j in range(2)
    )
    return [vector for pair in zip(even, odd) for vector in pair]


def _joined(e: FunctionEmitter, text: str, lanes: int, vectors: Sequence[str]) -> list[str]:
    """Return consecutive vectors in which the lanes of the given ones alternate."""
    count = len(vectors)
    if count % 2:
        places = [place % count * lanes + place // count for place in range(count * lanes)]
        return [
            _gathered(e, text, lanes, vectors, places[i * lanes : (i + 1) * lanes], count > 1)
            for i in range(count)
        ]
    even, odd = (_joined(e, text, lanes, vectors[j::2]) for j in range(2))
    first, second = (
        [lane for i in range(start, start + lanes // 2) for lane in (i, lanes + i)]
        for start in (0, lanes // 2)
    )
    return [shuffle(e, text, *pair, order) for pair in zip(even, odd) for order in (first, second)]


def _gathered(
    e: FunctionEmitter,
    text: str,
    lanes: int,
    vectors: Sequence[str],
    places: Sequence[int],
    moves: bool,
) -> str:
    """Return a vector of the elements at places of several vectors one after the other."""
    if not moves:
        return vectors[0]
    found = "poison"
    for number, vector in enumerate(vectors):
        inside = [place // lanes == number for place in places]
        order = [
            lanes + p % lanes if here else lane
            for lane, (p, here) in enumerate(zip(places, inside))
        ]
        found = shuffle(e, text, found, vector, order)
    return found
