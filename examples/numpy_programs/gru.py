"""A gated recurrent unit that reads a sequence."""

import numpy as np


def logistic(x):
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def read(weights, sequence):
    """Return the hidden states after each item."""
    hidden = np.zeros((sequence.shape[1], weights["uz"].shape[0]))
    states = np.zeros((len(sequence), *hidden.shape))
    for t, x in enumerate(sequence):
        z = logistic(x @ weights["wz"] + hidden @ weights["uz"])
        r = logistic(x @ weights["wr"] + hidden @ weights["ur"])
        n = np.tanh(x @ weights["wn"] + (r * hidden) @ weights["un"])
        hidden = (1 - z) * n + z * hidden
        states[t] = hidden
    return states


def loss(weights, sequence):
    """The mean square of the last state."""
    return np.mean(read(weights, sequence)[-1] ** 2)


def inputs():
    rng = np.random.default_rng(7)
    names = ("wz", "wr", "wn"), ("uz", "ur", "un")
    weights = {n: rng.normal(size=(5, 6)) / 2 for n in names[0]}
    weights |= {n: rng.normal(size=(6, 6)) / 2 for n in names[1]}
    return weights, rng.normal(size=(12, 3, 5))
