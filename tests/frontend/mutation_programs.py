"""NumPy programs that change arrays, for `test_mutation`.

Each takes arrays of the given shapes, may change them, and returns arrays. NumPy runs it on copies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import gradatim.numpy as gnp

Shape = tuple[int, ...]


class Program(NamedTuple):
    """A program with the shapes of its arguments."""

    run: Callable[..., Any]
    shapes: Sequence[Shape]


PROGRAMS: dict[str, Program] = {}


def program(*shapes: Shape) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[function.__name__] = Program(function, shapes)
        return function

    return register


# Views


@program((4,))
def store_through_slice(x):
    y = x[1:]
    y[:] = 0
    x[0] += 5
    return x, y


@program((3, 4))
def store_in_transpose(x):
    x.T[0] = 1
    x.T[1, 2] = 7
    return x, x.T


@program((2, 3))
def reshape_is_a_view(x):
    x.reshape(-1)[3] = 2
    x.ravel()[0] = 3
    x.reshape(3, 2).T[1] += 1
    return x


@program((2, 3))
def reshape_is_a_copy(x):
    flat = x.T.reshape(-1)
    flat[0] = 9
    other = x.T.ravel()
    other[1] = 8
    x.flatten()[2] = 7
    return x, flat, other


@program((4, 6))
def reshape_of_slices(x):
    rows = x[1:3].reshape(-1)  # contiguous
    rows[0] = 1
    columns = x[:, ::2].reshape(4, 3, 1)  # a new dimension needs no copy
    columns[0] = 2
    copied = x[:, ::2].reshape(-1)
    copied[:] = 3
    blocks = x.reshape(2, 2, 3, 2).transpose(0, 2, 1, 3)
    blocks[1, 1] = 4
    return x, rows, columns, copied, blocks


@program((3, 3))
def ravel_in_memory_order(x):
    x.T.ravel("K")[1] = 5
    x.T.ravel("A")[2] = 6
    x.T.reshape(9, order="F")[3] = 7
    x.reshape(9, order="F")[4] = 8
    return x, x.T.ravel("K"), x[:, ::-1].ravel("K"), x.T.ravel("A")


@program((2, 4))
def rows_in_a_loop(x):
    for row in x:
        row *= 2
        row[1:3] -= row[0]
    return x


@program((5,))
def overlapping_views(x):
    a, b = x[:4], x[1:]
    a += 1
    b *= 2
    a[1:] = b[:-1] + a[0]
    x[::-1][0] = a[3]
    return x, a, b


@program((5,))
def overlapping_assignment(x):
    x[1:] = x[:-1]
    x[:-1] += x[1:]
    x[::2] = x[2::-1]
    return x


@program((2, 3, 4))
def views_of_views(x):
    y = x[0].T[1:]
    z = y[::-1, 1]
    z *= 3
    y[..., 0] = z
    w = np.expand_dims(np.squeeze(x[:1]), -1)
    w[1, 2] = [11]
    return x, y, z, w


@program((3, 4))
def functions_that_give_views(x):
    np.moveaxis(x, 0, 1)[0] = 1
    np.swapaxes(x, 0, 1)[1, 0] = 2
    np.flip(x, 0)[0] += x[0]
    np.rot90(x)[0, 0] = 4
    np.atleast_3d(x)[2, 2, 0] = 5
    left, right = np.hsplit(x, 2)
    left[:] = right
    np.array_split(x, 2)[1][0] = 6
    np.unstack(x)[1][3] = 7
    np.rollaxis(x, 1)[0, 0] = 8
    np.broadcast_to(x, (2, 3, 4))
    return x


@program((4,), (4,))
def complex_parts(x, y):
    z = x + 1j * y
    z.real[0] = 7
    z.imag *= 2
    z.real = z.imag + 1
    z[1:].imag[1] = 0
    x.real[1] = 5
    return z, x


@program((3, 4))
def diagonals(x):
    np.fill_diagonal(x, x[0, 0])
    x.reshape(-1)[1::5] = 0
    return x, np.diagonal(x)


@program((2, 3))
def flat_iterators(x):
    x.flat[2] = 11
    x.flat[[0, 5]] = 12
    x.T.flat[1:3] += 1
    total = 0.0
    for element in x.flat:
        total = total + element
    x.flat = x.flat[::-1]
    return x, total, x.flat[1:3]


# Names, copies and scalars


@program((3,))
def two_names(x):
    y = x
    y += 1
    z = x.copy()
    z *= 2
    w = np.array(x) if isinstance(x, np.ndarray) else gnp.array(x)
    w[0] = 0
    v = x.view()
    v[1] = -1
    return x, y, z, w, v


@program((3,))
def scalars_do_not_change(x):
    s = x.sum()
    t = s
    t += 1
    first = x[0]
    x[0] = 10
    first *= 2
    return s, t, first, x


@program((3,))
def zero_dim_arrays_change(x):
    total = gnp.zeros(())
    alias = total
    total += x.sum()
    part = x[1, ...]
    part += 5
    return total, alias, x


@program((3,), (3,))
def swap(x, y):
    x, y = y, x
    x[0], y[0] = y[0], x[0]
    x[1:], y[1:] = y[1:].copy(), x[1:].copy()
    return x, y


@program((4,))
def containers(x):
    box = {"a": x, "b": [x[:2]]}
    box["a"][0] += 1
    box["b"][0] *= 3
    return x, box["b"][0]


@program((3,))
def functions_change_arguments(x):
    def fill(target, value):
        target[:] = value

    def add(target, value):
        target += value
        return target

    fill(x[1:], 2)
    y = add(x, 1)
    y[0] = 0
    return x


# Indices


@program((5,), (5,))
def advanced_indices(x, y):
    x[[0, 2]] = 1
    x[[1, 1, 3]] += 2
    np.add.at(x, [4, 4], 3)
    x[np.array([True, False, False, True, False])] = y[:2]
    copy = x[[0, 1]]
    copy[:] = 0
    return x


@program((3, 4), (3,))
def traced_indices(x, y):
    i = np.argmax(y)
    x[i] = 0
    row = x[i - 1]
    row += y[i]
    x[:, i] *= 2
    x[i, i] = x[i - 1, 0] + 1
    x[np.argsort(np.array([2, 0, 1])), 0] = y
    return x, row


@program((4, 3), (4, 3))
def masks(x, y):
    x[x < 0] = 0
    x[y > 0] += 1
    x[y > 0.5] *= y[y > 0.5]
    x[x[:, 0] > 1] = 3
    y[y < 0] = -y[y < 0]
    y[~(x > 1)] -= 2
    return x, y


@program((4, 3))
def what_masks_select(x):
    m = x > 0
    y = gnp.zeros((4, 3))
    y[m] = np.log(x[m]) + 1
    rows = x[:, 0] > 0
    return y, x[m].sum(), x[rows].mean(axis=0), (x[m] ** 2).max(), x[x > 99].sum(), x[m].size


@program((3, 2))
def new_axes(x):
    x[:, None][1] = 4
    x[None, ..., 0] += 1
    x[..., None, :1] -= 2
    return x


@program((3,))
def outputs(x):
    y = np.empty_like(x)
    np.multiply(x, 2, out=y)
    np.subtract(y, x, y, where=x > 0)
    np.cumsum(x, out=x)
    np.divide(1.0, x[1:], out=y[1:], where=x[1:] > 0)
    return x, y


# Arrays made in the function


@program((4,))
def made_by_zeros(x):
    out = gnp.zeros(4)
    for i in range(4):
        out[i] = np.sin(x[i]) + i
    return out


@program((3,))
def names_and_views_of_made_arrays(x):
    out = gnp.zeros((3, 3))
    alias, flat, column = out, out.reshape(-1), out[:, 1]
    out[0] = x
    flat[4] = 5
    column += 1
    for row in out:
        row *= x
    return out, alias, flat, column


@program((3,))
def made_arrays_are_concrete_before(x):
    index = gnp.array([2, 0, 1])
    counts = gnp.arange(3)
    counts += 1
    total = 0.0
    for i, n in zip(index, counts):
        total = total + x[i] * n
    assert isinstance(index, np.ndarray)
    assert int(counts[0]) == 1 and [10, 20, 30][index[0]] == 30 and bool(counts[2] == 3)
    table = gnp.eye(3)[index]
    table[counts > 2] = 7
    return total, x[index], table @ x


@program((2, 2))
def triangular_factors(x):
    lower, upper = gnp.eye(2), x + 3 * gnp.eye(2)
    for k in range(2):
        for i in range(k + 1, 2):
            lower[i, k] = upper[i, k] / upper[k, k]
            upper[i] -= lower[i, k] * upper[k]
    return lower, upper, lower @ upper


@program((3,))
def made_from_made(x):
    a = gnp.ones(3) * 2
    b = a + 1
    c = b[::-1]
    c[0] = x[0]
    d = np.concatenate([a, b])
    d[:3] *= x
    np.add(a, x, out=a)
    np.copyto(b[1:2], x[2:])
    return a, b, c, d


# Loops, unrolled


@program((3,))
def prefix_sums(x):
    for i in range(1, 3):
        x[i] += x[i - 1]
    return x


@program((3, 3))
def floyd_warshall(d):
    for k in range(3):
        for i in range(3):
            for j in range(3):
                d[i, j] = np.minimum(d[i, j], d[i, k] + d[k, j])
    return d


@program((5, 5))
def jacobi_steps(u):
    for _ in range(3):
        new = u.copy()
        new[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
        u = new
    return u


@program((5,), (5,))
def gauss_seidel(u, f):
    for i in range(1, 4):
        u[i] = 0.5 * (u[i - 1] + u[i + 1] + f[i])
    return u
