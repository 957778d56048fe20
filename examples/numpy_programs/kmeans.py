"""Lloyd's algorithm for k-means."""

import numpy as np


def kmeans(points, centres, most=50):
    """Return the centres of clusters, and which cluster each point belongs to."""
    centres = centres.copy()
    for _ in range(most):
        apart = points[:, None, :] - centres[None, :, :]
        nearest = np.argmin(np.sum(apart**2, axis=-1), axis=1)
        moved = centres.copy()
        for k in range(len(centres)):
            mine = nearest == k
            count = np.sum(mine)
            if count > 0:
                moved[k] = np.sum(np.where(mine[:, None], points, 0.0), axis=0) / count
        if np.all(moved == centres):
            break
        centres = moved
    return centres, nearest


def loss(points, centres):
    """The mean square distance to the nearest centre."""
    centres, nearest = kmeans(points, centres)
    return np.mean(np.sum((points - centres[nearest]) ** 2, axis=1))


def inputs():
    rng = np.random.default_rng(5)
    points = np.concatenate([rng.normal(c, 0.5, size=(30, 2)) for c in (-2.0, 0.0, 3.0)])
    return points, points[[0, 40, 80]]
