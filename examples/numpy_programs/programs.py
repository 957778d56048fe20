"""The table of the programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import (
    floyd_warshall,
    gru,
    jacobi,
    kalman,
    kmeans,
    life,
    lorenz,
    lu,
    mandelbrot,
    needleman_wunsch,
)


class Program(NamedTuple):
    """A program.

    Attributes:
        name: of its module.
        run: what it computes.
        inputs: makes arguments.
        loss: a number to be differentiated by the first argument, where that means something.
    """

    name: str
    run: Callable[..., Any]
    inputs: Callable[[], tuple[Any, ...]]
    loss: Callable[..., Any] | None = None


PROGRAMS = (
    Program("jacobi", jacobi.jacobi, jacobi.inputs, jacobi.loss),
    Program(
        "floyd_warshall", floyd_warshall.shortest_ways, floyd_warshall.inputs, floyd_warshall.loss
    ),
    Program("needleman_wunsch", needleman_wunsch.scores, needleman_wunsch.inputs),
    Program("kalman", kalman.track, kalman.inputs, kalman.loss),
    Program("lorenz", lorenz.trajectory, lorenz.inputs, lorenz.loss),
    Program("life", life.generations, life.inputs),
    Program("kmeans", kmeans.kmeans, kmeans.inputs, kmeans.loss),
    Program("mandelbrot", mandelbrot.escape, mandelbrot.inputs),
    Program("lu", lu.solve, lu.inputs, lu.loss),
    Program("gru", gru.read, gru.inputs, gru.loss),
)
