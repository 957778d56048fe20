"""The routines that sort lines of memory, called by their addresses."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import pytest

from gradatim.backend import jit, numpy_sort, sorting

DTYPES = {
    "bool": "?",
    **{f"{kind}{bits}": f"{kind}{bits // 8}" for kind in "iu" for bits in (8, 16, 32, 64)},
    "f32": "f4",
    "f64": "f8",
}
LENGTHS = [0, 1, 2, 3, 15, 16, 17, 31, 33, 48, 63, 64, 65, 100, 193, 641, 1030, 3001, 5000]
GUARD = 0xA5
every_dtype = pytest.mark.parametrize("name", DTYPES)


class Guarded:
    """Memory with bytes before and after it that must not change."""

    def __init__(self, array: np.ndarray) -> None:
        self._all = np.full(array.nbytes + 128, GUARD, np.uint8)
        self.array = self._all[64 : 64 + array.nbytes].view(array.dtype)
        self.array[...] = array

    @property
    def address(self) -> int:
        return self.array.ctypes.data

    def check(self) -> None:
        assert (self._all[:64] == GUARD).all() and (self._all[len(self._all) - 64 :] == GUARD).all()


def call(symbol: str, count: int, *memory: Guarded) -> None:
    types = [*[ctypes.c_void_p] * len(memory), ctypes.c_int64]
    ctypes.CFUNCTYPE(None, *types)(sorting.address_of(symbol))(*(m.address for m in memory), count)
    for guarded in memory:
        guarded.check()


def lines(name: str) -> Iterator[np.ndarray]:
    """Yield lines of many lengths: random ones, ones with many equal elements, ordered ones."""
    random = np.random.default_rng(len(name))
    for count in LENGTHS:
        yield from lines_of(name, random, count)


def lines_of(name: str, random: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """Yield lines of one length."""
    dtype = np.dtype(DTYPES[name])
    if dtype.kind == "f":
        x = random.normal(size=count).astype(dtype)
        special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 3], dtype)
        yield from (x, random.choice(special, count), np.sort(x), np.sort(x)[::-1].copy())
    else:
        limits = np.iinfo(np.uint8 if dtype.kind == "b" else dtype)
        high = 1 if dtype.kind == "b" else limits.max
        x = random.integers(limits.min, high, count, endpoint=True, dtype=limits.dtype)
        yield from (x.astype(dtype), (x % 3).astype(dtype))
    yield from close(random, count, dtype)


FAR = {
    "b": lambda dtype: False,
    "u": lambda dtype: np.iinfo(dtype).max,
    "i": lambda dtype: np.iinfo(dtype).min,
}


def close(random: np.random.Generator, count: int, dtype: np.dtype) -> Iterator[np.ndarray]:
    """Yield lines of which all elements are close, but for one; and of which some are."""
    near = random.integers(0, 2 if dtype.kind == "b" else 100, count).astype(dtype)
    if dtype.kind == "f":
        near = (1 + near * np.finfo(dtype).eps).astype(dtype)
    if count:
        near[count // 3] = -1e30 if dtype.kind == "f" else FAR[dtype.kind](dtype)
    yield near
    if dtype.itemsize == 8:
        spread = random.integers(0, max(count, 1), count) << 50
        yield (spread | random.integers(0, 4, count)).astype(np.int64).view(dtype)


def scratch_of(name: str, count: int, items: int) -> Guarded:
    return Guarded(np.zeros(count * items * np.dtype(DTYPES[name]).itemsize, np.uint8))


@every_dtype
def test_sort(name: str):
    for x in lines(name):
        out = Guarded(np.zeros_like(x))
        source = Guarded(x)
        call(f"gd.sort.{name}", x.size, out, source, scratch_of(name, x.size, 1))
        np.testing.assert_array_equal(source.array, x)
        np.testing.assert_array_equal(out.array, np.sort(x))
        if x.dtype.kind == "f":
            signs = np.signbit(out.array[out.array == 0])
            assert signs.tolist() == sorted(np.signbit(x[x == 0]).tolist(), reverse=True)


def order(action: str, name: str, start: np.ndarray, x: np.ndarray) -> np.ndarray:
    found = Guarded(start)
    call(f"gd.{action}.{name}", x.size, found, Guarded(x), Guarded(np.zeros(2 * x.size, "u8")))
    return found.array


@every_dtype
def test_order_and_reorder_are_stable(name: str):
    for x in lines(name):
        start = np.zeros(x.size, np.int64)
        found = order("order", name, start, x)
        np.testing.assert_array_equal(found, np.argsort(x, kind="stable"))
        y = np.roll(x[::-1], 5)
        np.testing.assert_array_equal(order("reorder", name, found, y), np.lexsort((x, y)))


@every_dtype
def test_take(name: str):
    for x in lines(name):
        places = np.random.default_rng(0).permutation(x.size)
        out = Guarded(np.zeros_like(x))
        call(f"gd.take.{name}", x.size, out, Guarded(x), Guarded(places))
        np.testing.assert_array_equal(out.array, x[places])


def call_lanes(action: str, name: str, shape: tuple[int, ...], *memory: Guarded) -> None:
    """Call a routine for lines along the middle dimension, in two parts."""
    outer, length, inner = shape
    lines = outer * inner
    types = [*[ctypes.c_void_p] * len(memory), *[ctypes.c_int64] * 4]
    routine = ctypes.CFUNCTYPE(None, *types)(sorting.address_of(f"gd.{action}_lanes.{name}"))
    for start, end in ((0, lines // 3), (lines // 3, lines)):
        routine(*(m.address for m in memory), length, inner, start, end)
    for guarded in memory:
        guarded.check()


SHAPES = [(1, 1, 1), (5, 7, 1), (40, 8, 1), (33, 20, 3), (2, 100, 50), (1, 256, 16), (3, 3, 100)]


@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_lanes(name: str, shape: tuple[int, ...]):
    count, dtype = int(np.prod(shape)), np.dtype(DTYPES[name])
    for x in lines_of(name, np.random.default_rng(count), count):
        source = Guarded(x)
        array = x.reshape(shape)
        rows = Guarded(
            np.zeros(shape[1] * min(64 // dtype.itemsize, 16) * dtype.itemsize, np.uint8)
        )
        out = Guarded(np.zeros_like(x))
        call_lanes("sort", name, shape, out, source, rows)
        np.testing.assert_array_equal(out.array.reshape(shape), np.sort(array, axis=1))
        rows = Guarded(np.zeros(2 * rows.array.size, np.uint8))
        order = Guarded(np.zeros(count, np.int64))
        call_lanes("order", name, shape, order, source, rows)
        expected = np.argsort(array, axis=1, kind="stable")
        np.testing.assert_array_equal(order.array.reshape(shape), expected)
        taken = Guarded(np.zeros_like(x))
        call_lanes("take", name, shape, taken, source, order)
        expected = np.take_along_axis(array, expected, 1)
        np.testing.assert_array_equal(taken.array.reshape(shape), expected)
        np.testing.assert_array_equal(source.array, x)


@pytest.fixture
def _without_numpy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(numpy_sort, "address_of", lambda bits: 0)
    sorting.address_of.cache_clear()
    yield
    sorting.address_of.cache_clear()


@pytest.mark.usefixtures("_without_numpy")
@pytest.mark.parametrize("name", ["i32", "u64", "f32", "f64"])
def test_without_numpys_sort(name: str):
    test_sort(name)
    test_order_and_reorder_are_stable(name)


class TestNumpysSort:
    """When NumPy's function is used, and when not."""

    @pytest.fixture(autouse=True)
    def _fresh(self) -> Iterator[None]:
        numpy_sort.address_of.cache_clear()
        yield
        numpy_sort.address_of.cache_clear()

    @pytest.mark.parametrize("bits", [32, 64])
    def test_sorts(self, bits: int):
        address = numpy_sort.address_of(bits)
        if not address:
            pytest.skip("there is none to use here")
        x = np.random.default_rng(0).integers(0, 1 << bits, 5000, dtype=f"u{bits // 8}")
        found = x.copy()
        assert numpy_sort.Sort(address)(found.ctypes.data, x.size, None) == 0
        np.testing.assert_array_equal(found, np.sort(x))

    def test_not_of_another_major_version(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(np, "__version__", "3.0.1")
        assert numpy_sort.address_of(32) == 0

    def test_not_without_vectors(self, monkeypatch: pytest.MonkeyPatch):
        old = jit.HostTarget("x86_64-unknown-linux-gnu", "x86-64", "+sse2,-avx2", 128, False)
        monkeypatch.setattr(jit, "host_target", lambda: old)
        assert numpy_sort.address_of(32) == 0

    @pytest.mark.parametrize("address", [0, 8])
    def test_not_where_the_table_has_none(self, monkeypatch: pytest.MonkeyPatch, address: int):
        monkeypatch.setattr(numpy_sort, "_quicksort", lambda dtype: address)
        assert numpy_sort.address_of(64) == 0

    def test_not_of_another_library(self, monkeypatch: pytest.MonkeyPatch):
        free = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p).value
        monkeypatch.setattr(numpy_sort, "_quicksort", lambda dtype: free)
        assert numpy_sort.address_of(64) == 0

    def test_not_if_it_does_not_sort(self, monkeypatch: pytest.MonkeyPatch):
        unsorted = numpy_sort.Sort(lambda items, count, _: 0)
        address = ctypes.cast(unsorted, ctypes.c_void_p).value
        monkeypatch.setattr(numpy_sort, "_quicksort", lambda dtype: address)
        monkeypatch.setattr(numpy_sort, "_is_numpys", lambda address: True)
        assert numpy_sort.address_of(64) == 0


@pytest.mark.parametrize("symbol", ["gd.sort.f16", "gd.sort.c64", "gd.shuffle.f32", "cblas_dgemm"])
def test_there_are_no_other_routines(symbol: str):
    with pytest.raises(ValueError, match=f"there is no routine {symbol}"):
        sorting.address_of(symbol)
