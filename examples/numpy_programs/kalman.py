"""A Kalman filter that follows a point by noisy measurements of its place."""

import numpy as np


def track(measured, noise=0.5, drift=0.01, dt=0.1):
    """Return the estimated states, place and speed, after each measurement."""
    move = np.array([[1.0, dt], [0.0, 1.0]])
    look = np.array([[1.0, 0.0]])
    state = np.zeros(2)
    covariance = np.eye(2)
    states = np.empty((len(measured), 2))
    for t in range(len(measured)):
        state = move @ state
        covariance = move @ covariance @ move.T + drift * np.eye(2)
        surprise = measured[t] - (look @ state)[0]
        spread = (look @ covariance @ look.T)[0, 0] + noise**2
        gain = (covariance @ look.T)[:, 0] / spread
        state = state + gain * surprise
        covariance = covariance - np.outer(gain, look @ covariance)
        states[t] = state
    return states


def loss(measured, noise=0.5):
    """The mean square of what is left over."""
    return np.mean((track(measured, noise)[:, 0] - measured) ** 2)


def inputs():
    rng = np.random.default_rng(3)
    times = np.arange(40) * 0.1
    return (np.sin(times) + 0.3 * rng.normal(size=40),)
