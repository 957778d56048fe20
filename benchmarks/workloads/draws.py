"""Random numbers: the same ones in each library, since keys and bits are the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..peers import Function, Peer
from ..workload import Target, Work, Workload

COUNT = 10_000_000
_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)


def uniform(peer: Peer) -> Function:
    random = peer.random

    def draw(seed: Any) -> Any:
        return random.uniform(random.key(seed.astype(np.int32)), (COUNT,), np.float32)

    return peer.jit(draw)


def uniform_by_hand(seed: np.float32) -> np.ndarray:
    upper, lower = threefry(0, int(seed), np.arange(COUNT, dtype=np.uint32))
    mantissas = (upper ^ lower) >> 9
    return (mantissas | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)


def threefry(first: int, second: int, counter: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Encrypt counters below 2^32 by Threefry-2x32 with 20 rounds (Salmon et al., SC 2011)."""
    key = [np.uint32(n) for n in (first, second, first ^ second ^ 0x1BD11BDA)]
    x, y = np.full_like(counter, key[0]), counter + key[1]
    for injection in range(1, 6):
        for amount in _ROTATIONS[(injection - 1) % 2]:
            x += y
            y = (y << amount | y >> (32 - amount)) ^ x
        x += key[injection % 3]
        y += key[(injection + 1) % 3] + np.uint32(injection)
    return x, y


DRAWS = (
    Workload(
        name="uniform",
        title="random.uniform, 10,000,000 f32",
        inputs=lambda: (np.float32(42),),
        program=uniform,
        reference=uniform_by_hand,
        tolerance=0.0,
        work=Work(moved=4 * COUNT),
        target=Target(of_baseline=0.25),
    ),
)
