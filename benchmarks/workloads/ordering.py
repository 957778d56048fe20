"""Sorting and searching."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..peers import Function
from ..workload import TOLERANCES, Target, Workload

MILLION = 1_000_000


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _workload(
    name: str, title: str, shapes: tuple[tuple[int, ...], ...], order: Function, target: float
) -> Workload:
    """Return the workload of ``order(np)``, a function of arrays of the shapes.

    NumPy, which sorts stably only if it is asked to, does the same by hand.
    """
    return Workload(
        name=name,
        title=title,
        inputs=lambda: tuple(_normal(*shape) for shape in shapes),
        program=lambda peer: peer.jit(order(peer.np)),
        reference=order(np),
        tolerance=TOLERANCES["float32"],
        staging=("jax",),
        by_hand={"numpy": lambda: order(np)},
        target=Target(of_baseline=target),
    )


def _sort(axis: int = -1) -> Function:
    return lambda np: partial(np.sort, axis=axis)


def _argsort(np: Any) -> Function:
    return partial(np.argsort, stable=True)


def _median(np: Any) -> Function:
    return partial(np.median, axis=-1)


def _search(np: Any) -> Function:
    return lambda table, x: np.searchsorted(np.sort(table), x)


ORDERING = (
    _workload("sort", "sort of 1,000,000 f32", ((MILLION,),), _sort(), 0.05),
    _workload("argsort", "stable argsort of 1,000,000 f32", ((MILLION,),), _argsort, 0.1),
    _workload(
        "sort-columns", "sort along columns, 1000 x 1000 f32", ((1000, 1000),), _sort(0), 0.1
    ),
    _workload("sort-short", "sort of 100,000 rows of 8 f32", ((100_000, 8),), _sort(), 0.1),
    _workload("median", "medians of rows, 1000 x 1000 f32", ((1000, 1000),), _median, 0.1),
    _workload("search", "1,000,000 f32 searched among 1,000", ((1000,), (MILLION,)), _search, 0.5),
)
