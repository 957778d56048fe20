"""The pool of large blocks, seen from NumPy and from kernels."""

import ctypes
import gc
import os
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest

from gradatim.backend.call import CompiledCallable, pool
from gradatim.backend.call.fallback import CtypesCallable
from gradatim.backend.call.layout import Leaf

from .call_programs import function, program, signature, spec

pytestmark = pytest.mark.skipif(not pool.is_supported(), reason="no pool on this system")
needs_native = pytest.mark.skipif(CompiledCallable is CtypesCallable, reason="the native call")

KIB = 1024
MIB = 1024 * KIB


@pytest.fixture(autouse=True)
def empty_pool():
    pool.set_limit(64 * MIB)
    pool.trim()
    yield
    pool.set_limit(pool._default_limit())
    pool.trim()


def alloc(size):
    address = pool.symbols()["gd.alloc"]
    return ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)(address)(size)


def free(address):
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(pool.symbols()["gd.free"])(address)


def fill(address, size, value):
    ctypes.memset(address, value, size)


def in_four_threads(work):
    """Run it with a number for each thread until all have ended."""
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def copier(count, dtype="u1"):
    return function(program(signature([spec(dtype, count)])))


@pytest.mark.parametrize("size", [0, 1, 100, 64 * KIB - 1, 64 * KIB, 5 * MIB, 5 * MIB + 3])
def test_blocks_are_aligned_and_usable(size):
    address = alloc(size)
    assert address % 64 == 0
    fill(address, size, 7)
    assert ctypes.string_at(address, size) == b"\7" * size
    free(address)
    free(None)


@pytest.mark.parametrize("size", [2**62, 2**63, 2**64 - 1, 2**61])
def test_impossible_sizes_give_null(size):
    assert alloc(size) is None


def test_large_blocks_are_taken_again_newest_first():
    first, second = alloc(MIB), alloc(MIB)
    free(first)
    free(second)
    assert pool.bytes_kept() == 2 * MIB
    assert alloc(MIB - 10) == second
    assert alloc(MIB) == first
    assert pool.bytes_kept() == 0
    free(first)
    free(second)


def test_small_blocks_are_not_kept():
    free(alloc(64 * KIB - 1))
    assert pool.bytes_kept() == 0


def test_another_size_is_not_taken():
    block = alloc(MIB)
    free(block)
    other = alloc(2 * MIB)
    assert pool.bytes_kept() == MIB
    free(other)


def test_limit_drops_the_oldest():
    blocks = [alloc(MIB) for _ in range(5)]
    pool.set_limit(3 * MIB)
    for block in blocks:
        free(block)
    assert pool.bytes_kept() == 3 * MIB
    assert [alloc(MIB) for _ in range(3)] == blocks[:1:-1]
    assert pool.bytes_kept() == 0
    for block in blocks[2:]:
        free(block)


def test_block_beyond_the_limit_is_not_kept():
    pool.set_limit(MIB)
    free(alloc(MIB))
    free(alloc(MIB + 1))
    assert pool.bytes_kept() == MIB


def test_number_of_blocks_is_bounded():
    blocks = [alloc(64 * KIB) for _ in range(100)]
    for block in blocks:
        free(block)
    assert pool.bytes_kept() == 64 * 64 * KIB
    pool.trim()
    assert pool.bytes_kept() == 0


@needs_native
def test_large_result_owns_pooled_memory():
    run = copier(MIB)
    source = np.random.default_rng(0).integers(0, 255, MIB, np.uint8)
    result = run(source)
    np.testing.assert_array_equal(result, source)
    assert result.flags.owndata and result.flags.c_contiguous and result.flags.writeable
    assert result.base is None
    assert result.ctypes.data % 64 == 0
    address = result.ctypes.data
    del result
    assert pool.bytes_kept() == MIB
    assert run(source).ctypes.data == address


def handler_name(array):
    return np._core.multiarray.get_handler_name(array)


@needs_native
@pytest.mark.parametrize("size", [1025, 64 * KIB - 1])
def test_middling_results_are_numpys_own(size):
    result = copier(size)(np.zeros(size, np.uint8))
    assert handler_name(result) == "default_allocator"
    del result
    assert pool.bytes_kept() == 0


@needs_native
@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1000, 1024])
def test_small_results_take_small_blocks_again(size):
    run = copier(size)
    source = np.arange(size).astype(np.uint8)
    result = run(source)
    assert handler_name(result) == "gradatim"
    assert result.flags.owndata
    np.testing.assert_array_equal(result, source)
    address = result.__array_interface__["data"][0]
    assert address % 64 == 0
    del result
    assert run(source).__array_interface__["data"][0] == address


@needs_native
def test_many_small_results_do_not_share_memory():
    run = copier(100)
    for _ in range(3):
        results = [run(np.full(100, n % 251, np.uint8)) for n in range(1000)]
        assert all((result == n % 251).all() for n, result in enumerate(results))
        del results


@needs_native
@pytest.mark.parametrize("size", [1, 64, 65, 2000, 100_000, MIB])
def test_small_results_can_be_resized(size):
    source = np.arange(100).astype(np.uint8)
    results = [copier(100)(source) for _ in range(3)]
    for result in results:
        result.resize(size, refcheck=False)
        common = min(size, 100)
        np.testing.assert_array_equal(result[:common], source[:common])
        assert not result[common:].any()
        result.resize(50, refcheck=False)
        common = min(common, 50)
        np.testing.assert_array_equal(result[:common], source[:common])


@needs_native
def test_views_keep_the_memory():
    result = copier(MIB)(np.ones(MIB, np.uint8))
    view = result[5:10]
    del result
    gc.collect()
    assert pool.bytes_kept() == 0
    assert view.tolist() == [1] * 5
    del view
    assert pool.bytes_kept() == MIB


@needs_native
@pytest.mark.parametrize("size", [10, 64 * KIB, MIB - 1, MIB + 1, 6 * MIB])
def test_results_can_be_resized(size):
    source = np.arange(MIB) % 251
    result = copier(MIB, "u1")(source.astype(np.uint8))
    result.resize(size, refcheck=False)
    common = min(size, MIB)
    np.testing.assert_array_equal(result[:common], source[:common])
    assert not result[common:].any()
    del result


@needs_native
def test_references_to_the_memory_handler_are_balanced():
    run = copier(MIB)
    source = np.zeros(MIB, np.uint8)
    capsule_address = pool._linked().address("gd.pool.capsule")
    capsule = ctypes.cast(
        ctypes.c_void_p.from_address(capsule_address).value, ctypes.py_object
    ).value
    before = sys.getrefcount(capsule)
    results = [run(source) for _ in range(10)]
    assert sys.getrefcount(capsule) == before + 10
    del results
    assert sys.getrefcount(capsule) == before


@needs_native
def test_memory_is_visible_to_tracemalloc():
    run = copier(MIB)
    source = np.zeros(MIB, np.uint8)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = run(source)
        assert tracemalloc.get_traced_memory()[0] - before >= MIB
        del result
        assert tracemalloc.get_traced_memory()[0] - before < MIB // 2
    finally:
        tracemalloc.stop()


@needs_native
def test_no_memory_for_a_result_is_a_memory_error():
    outputs = [spec("d"), spec("u1", MIB), spec("u1", 2**50)]
    call = signature([spec("d"), spec("u1", MIB)], Leaf(0), outputs=outputs)
    run = function(program(call))
    with pytest.raises(MemoryError):
        run(np.float64(1), np.zeros(MIB, np.uint8))
    assert pool.bytes_kept() == MIB


TEMPORARY_KERNEL = """
declare ptr @gd.alloc(i64)
declare void @gd.free(ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
define i32 @gd.main(ptr %in, ptr %out) {
  %temporary = call ptr @gd.alloc(i64 200000)
  %none = icmp eq ptr %temporary, null
  br i1 %none, label %fail, label %copy
copy:
  call void @llvm.memcpy.p0.p0.i64(ptr %temporary, ptr %in, i64 200000, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %out, ptr %temporary, i64 200000, i1 false)
  call void @gd.free(ptr %temporary)
  ret i32 0
fail:
  ret i32 1
}
"""


def test_kernels_in_threads_take_temporaries_without_the_lock(kind):
    call = signature([spec("d", 25000)])
    compiled = program(call, TEMPORARY_KERNEL, release_gil=True)
    run = function(compiled, kind=kind)
    wrong = []

    def work(value):
        source = np.full(25000, float(value))
        for _ in range(200):
            wrong.extend(run(source)[run(source) != value])

    in_four_threads(work)
    assert wrong == []
    assert pool.bytes_kept() % 4096 == 0


def test_threads_never_share_a_block():
    wrong = []

    def work(number):
        rng = np.random.default_rng(number)
        for _ in range(400):
            size = int(rng.choice([64 * KIB, 68 * KIB, 128 * KIB]))
            block = alloc(size)
            words = (ctypes.c_uint64 * (size // 8)).from_address(block)
            words[0] = words[size // 8 - 1] = number
            if rng.random() < 0.3:
                ctypes.CDLL(None).sched_yield()
            if (words[0], words[size // 8 - 1]) != (number, number):
                wrong.append(number)
            free(block)

    in_four_threads(work)
    assert wrong == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_child_of_fork_starts_with_an_empty_pool():
    kept = alloc(MIB)
    free(alloc(2 * MIB))
    fill(kept, MIB, 3)
    child = os.fork()
    if child == 0:
        good = pool.bytes_kept() == 0
        block = alloc(MIB)
        free(block)
        free(kept)
        os._exit(0 if good and pool.bytes_kept() == 2 * MIB else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert pool.bytes_kept() == 2 * MIB
    free(kept)


@pytest.mark.parametrize(("setting", "expected"), [("0", 0), ("1048576", MIB), ("much", None)])
def test_limit_from_the_environment(setting, expected, monkeypatch):
    monkeypatch.setenv("GRADATIM_POOL_BYTES", setting)
    if expected is None:
        monkeypatch.setenv("GRADATIM_POOL_BYTES", "")
        expected = pool._default_limit()
        monkeypatch.setenv("GRADATIM_POOL_BYTES", setting)
    assert pool._default_limit() == expected


EXIT = """
import numpy as np
from tests.backend.test_call_pool import copier, MIB
class Late:
    def __del__(self):
        print(int(self.array.sum()))
late = Late()
late.array = copier(MIB)(np.ones(MIB, np.uint8))
late.itself = late
np.kept_until_the_end = [late, copier(MIB)(np.ones(MIB, np.uint8))]
"""


def test_results_may_outlive_the_modules():
    run = [sys.executable, "-X", "faulthandler", "-c", EXIT]
    finished = subprocess.run(run, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
