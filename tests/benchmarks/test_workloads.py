"""The results of every workload agree with NumPy, for each library that is installed."""

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.child import ELEMENTS, mixed_chain, mixed_chain_gradient
from benchmarks.pair import WORKLOADS
from benchmarks.workloads.control import control_workloads

INSTALLED = peers.installed({"gradatim", "numpy", "jax"})  # Numba and PyTorch take long to start

SMALL = {w.name: w for w in control_workloads(0.02)}
"""Loops of fewer steps and over smaller arrays, since references walk through them in Python."""

TESTED = [SMALL.get(name, workload) for name, workload in WORKLOADS.items()]
CASES = [(w, peer) for w in TESTED for peer in w.peers if peer in INSTALLED]

ALONE = {"while-gradient"}
"""What JAX cannot do."""


@pytest.fixture(autouse=True)
def _jax_as_it_was():
    yield
    if "jax" in INSTALLED:
        peers.Jax().use_double(False)


@pytest.mark.filterwarnings("default")  # of other libraries
@pytest.mark.parametrize("workload, peer", CASES, ids=lambda case: getattr(case, "name", case))
def test_results_agree_with_numpy(workload, peer):
    workload.prepare([peer])


def test_every_workload_runs_on_both_sides():
    for name, workload in WORKLOADS.items():
        assert {"gradatim"} <= set(workload.peers) <= set(peers.PEERS)
        assert ("jax" in workload.peers) == (name not in ALONE)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda w: w.name)
def test_inputs_are_of_the_precision_that_is_stated(workload):
    arrays = [np.asarray(leaf) for value in workload.inputs() for leaf in _leaves(value)]
    floats = {a.dtype for a in arrays if a.dtype.kind == "f"}
    assert floats <= {np.dtype("float64" if workload.double else "float32")}


def _leaves(value):
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("operations", [1, 4, 7, 40])
def test_the_chain_gradient_by_hand_is_that_of_the_chain(operations):
    x, step = np.linspace(0.1, 0.9, ELEMENTS), 1e-6
    function = mixed_chain(np, operations)
    slopes = (function(x + step) - function(x - step)) / (2 * step)
    smooth = np.abs(slopes - np.roll(slopes, 1)) < 0.1  # not where the larger operand changes
    np.testing.assert_allclose(
        slopes[smooth], mixed_chain_gradient(operations)(x)[smooth], rtol=1e-5
    )
    assert smooth.mean() > 0.9
