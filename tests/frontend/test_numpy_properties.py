"""Random shapes, axes and formulas: what tracing gives is what NumPy gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .numpy_harness import ALL_DTYPES, F64, I32, compare, samples

bounded = settings(max_examples=60, deadline=None, derandomize=True)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
dtypes = st.sampled_from(ALL_DTYPES)


def whole(shape, seed=0):
    """Return floats that are small integers, whose sums and products are exact in any order."""
    return samples(I32, shape, seed).astype(F64)


@bounded
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3), dtypes, dtypes)
def test_operands_broadcast_and_promote(found, first, second):
    arguments = [
        samples(d, s, i) for i, (d, s) in enumerate(zip((first, second), found.input_shapes))
    ]
    compare(np.add, arguments, ulps=0)
    compare(lambda x, y: np.where(x, x, y), arguments, ulps=0)
    compare(lambda x, y: np.broadcast_arrays(x, y), arguments, ulps=0)


@pytest.mark.parametrize("ufunc", [np.matmul, np.vecdot, np.matvec, np.vecmat])
def test_products_broadcast(ufunc):
    signature = ufunc.signature.replace("?", "")

    @bounded
    @given(hnp.mutually_broadcastable_shapes(signature=signature, max_dims=3, max_side=3))
    def check(found):
        compare(ufunc, [whole(s, i) for i, s in enumerate(found.input_shapes)], ulps=0)

    check()


@bounded
@given(st.data(), shapes, st.booleans())
def test_reductions_over_any_axes(data, shape, keepdims):
    axis = data.draw(st.none() | hnp.valid_tuple_axes(len(shape)))
    x = whole(shape)
    for function in (np.sum, np.max, np.any, np.mean):
        compare(lambda x, f=function: f(x, axis=axis, keepdims=keepdims), [x], ulps=1)


@bounded
@given(st.data(), shapes)
def test_movements_of_dimensions(data, shape):
    rank = len(shape)
    x = samples(I32, shape)
    axes = data.draw(hnp.valid_tuple_axes(rank))
    places = data.draw(st.permutations(range(rank)))[: len(axes)]
    shifts = data.draw(st.tuples(*[st.integers(-4, 4)] * len(axes)))
    compare(lambda x: np.moveaxis(x, axes, places), [x], ulps=0)
    compare(lambda x: np.flip(x, axes), [x], ulps=0)
    if axes:  # NumPy does not roll along no axes
        compare(lambda x: np.roll(x, shifts, axes), [x], ulps=0)
    compare(lambda x: np.expand_dims(x, axes), [x], ulps=0)


@bounded
@given(
    st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
    st.data(),
)
def test_formulas_of_einsum(terms, sizes, data):
    labels = sorted(set("".join(terms)))
    output = "".join(data.draw(st.permutations(labels)))[: data.draw(st.integers(0, len(labels)))]
    size_of = dict(zip("abcd", sizes))
    operands = [whole([size_of[label] for label in t], seed) for seed, t in enumerate(terms)]
    formula = f"{','.join(terms)}->{output}"
    compare(lambda *x: np.einsum(formula, *x), operands, ulps=0, label=formula)


@bounded
@given(
    hnp.array_shapes(max_dims=2, max_side=5),
    st.sampled_from(["constant", "edge", "reflect", "symmetric", "wrap"]),
    st.data(),
)
def test_padding(shape, mode, data):
    width = st.tuples(st.integers(0, 9), st.integers(0, 9))
    widths = data.draw(st.tuples(*[width] * len(shape)))
    compare(lambda x: np.pad(x, widths, mode), [samples(I32, shape)], ulps=0, label=f"{widths}")


@bounded
@given(st.lists(st.integers(-5, 4), max_size=12))
def test_positions_known_while_tracing(positions):
    indices = np.array(positions, int)
    compare(lambda x: np.take(x, indices, axis=0), [samples(I32, (5, 2))], ulps=0)
