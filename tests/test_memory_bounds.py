"""Compiled code reads nothing outside of its arguments: they lie against unmapped pages here.

A read beyond them ends the process, so a failure is a crash of the test run.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

import gradatim as gd

from .test_random_programs import Program, assert_close, compiled, programs, seeds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="maps pages as Linux does")

PAGE = mmap.PAGESIZE
RANDOM = np.random.default_rng(3)


def guarded(array: np.ndarray, at_end: bool) -> np.ndarray:
    """Return a copy that begins, or ends, where memory that may be read does."""
    if array.size == 0:
        return array
    pages = -(-array.nbytes // PAGE)
    block = mmap.mmap(-1, (pages + 2) * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(block))
    protect = ctypes.CDLL(None).mprotect
    for guard in (start, start + (pages + 1) * PAGE):
        assert protect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0) == 0
    offset = PAGE + (pages * PAGE - array.nbytes if at_end else 0)
    copy = np.frombuffer(block, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy


def both_ends(arrays: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    for at_end in (True, False):
        yield [guarded(a, at_end) for a in arrays]


CASES = {
    "odd lengths": (lambda x: np.sin(x) + 1, [(13,)]),
    "sum": (lambda x: np.sum(np.exp(x)), [(1003,)]),
    "softmax": (lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), [(7, 13)]),
    "column sums": (lambda x: x.sum(axis=0), [(7, 13)]),
    "transpose": (lambda x: x.T + 1, [(7, 13)]),
    "reverse": (lambda x: x[::-1, ::-1] * 2, [(7, 13)]),
    "every third": (lambda x: x[1::3, ::3] * 2, [(7, 13)]),
    "stencil": (lambda x: x[2:] - 2 * x[1:-1] + x[:-2], [(33,)]),
    "pad": (lambda x: np.pad(x, ((2, 1), (0, 3))) + 1, [(7, 13)]),
    "cut and pad": (lambda x: np.pad(x[1:-1], 3)[2:-2] * 2, [(13,)]),
    "concatenate": (lambda x, y: np.concatenate([x, y, x]) * 2, [(3,), (2,)]),
    "block": (lambda x, y: np.block([[x, y], [y, x]]), [(2, 2), (2, 2)]),
    "pad of a broadcast": (
        lambda x: np.pad(np.broadcast_to(x[:, None], (5, 7)), 2) + 1,
        [(5,)],
    ),
    "running sum": (lambda x: np.cumsum(x, axis=1), [(5, 7)]),
    "argmax": (lambda x: np.argmax(x, axis=0), [(5, 13)]),
    "small product": (lambda x, y: x @ y, [(3, 5), (5, 7)]),
    "large product": (lambda x, y: x @ y, [(33, 45), (45, 17)]),
    "product with a vector": (lambda x, y: x @ y, [(130, 45), (45,)]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reads_stay_within_arguments(name, dtype):
    function, shapes = CASES[name]
    arrays = [RANDOM.normal(size=shape).astype(dtype) for shape in shapes]
    expected = function(*arrays)
    staged = gd.stage(lambda *arguments: function(*arguments))
    for arguments in both_ends(arrays):
        np.testing.assert_allclose(staged(*arguments), expected, rtol=2e-5, atol=2e-5)


@given(programs, seeds)
@settings(max_examples=25, deadline=None)
def test_random_programs_stay_within_arguments(program: Program, seed: int) -> None:
    arrays = program.draw(seed)
    expected = program(*arrays)
    staged = compiled(program)
    for arguments in both_ends(arrays):
        for found, wanted in zip(staged(*arguments), expected, strict=True):
            assert_close(found, wanted, 1e-12)
