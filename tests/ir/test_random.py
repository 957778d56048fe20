"""The block cipher that random numbers are made of."""

from __future__ import annotations

import numpy as np
import pytest

from gradatim.ir import threefry
from gradatim.ir.array.random import ThreefryOp
from gradatim.ir.attributes import ThreefryWord, ThreefryWordAttr

from .examples import Example

KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]
"""Keys, counters and what they give: the known answers of Random123, by the authors of Threefry."""


def words(*numbers: int) -> list[np.ndarray]:
    return [np.uint32(n) * np.ones((), np.uint32) for n in numbers]


@pytest.mark.parametrize(("key", "counter", "expected"), KNOWN)
def test_known_answers(key, counter, expected):
    operands = words(*key, *counter)
    upper, lower = expected
    for word, value in zip(ThreefryWord, (upper, lower, upper ^ lower)):
        example = Example(ThreefryOp, tuple(operands), {"word": ThreefryWordAttr(word)})
        assert int(example.run()) == value
    assert tuple(map(int, threefry.encrypt(*operands))) == expected


def test_blocks_of_one_key_differ():
    count = 100_000
    zeros = np.zeros(count, np.uint32)
    upper, lower = threefry.encrypt(zeros + 3, zeros, zeros, np.arange(count, dtype=np.uint32))
    assert len(np.unique(upper.astype(np.uint64) << 32 | lower)) == count
