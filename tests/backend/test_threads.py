"""Parallel loops on the runtime's threads, and their emission."""

from __future__ import annotations

import ctypes
import math
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from xdsl.parser import Parser

from gradatim.backend import jit, threads, vector_math
from gradatim.backend.emit import ENTRY, emit_module
from gradatim.ir.dialects import new_context
from gradatim.ir.errors import GradatimError

COUNT = """
declare void @gd.parallel(ptr, ptr, i64)

define internal void @count(ptr %counts, i64 %i) {
  %place = getelementptr i64, ptr %counts, i64 %i
  %old = atomicrmw add ptr %place, i64 1 monotonic
  ret void
}

define void @loops(ptr %counts, i64 %chunks, i64 %times) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void @gd.parallel(ptr @count, ptr %counts, i64 %chunks)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %times
  br i1 %more, label %loop, label %done
done:
  ret void
}

%nested = type { ptr, i64 }
define internal void @row(ptr %context, i64 %i) {
  %pair = load %nested, ptr %context
  %counts = extractvalue %nested %pair, 0
  %columns = extractvalue %nested %pair, 1
  %first = mul i64 %i, %columns
  %row = getelementptr i64, ptr %counts, i64 %first
  call void @gd.parallel(ptr @count, ptr %row, i64 %columns)
  ret void
}
define void @nest(ptr %counts, i64 %rows, i64 %columns) {
  %context = alloca %nested
  %one = insertvalue %nested undef, ptr %counts, 0
  %both = insertvalue %nested %one, i64 %columns, 1
  store %nested %both, ptr %context
  call void @gd.parallel(ptr @row, ptr %context, i64 %rows)
  ret void
}

; Each chunk notes its thread, and waits until all have started.
declare ptr @pthread_self()
declare i32 @sched_yield()
define internal void @meet(ptr %threads, i64 %i) {
entry:
  %self = call ptr @pthread_self()
  %own = getelementptr i64, ptr %threads, i64 %i
  %next = getelementptr i64, ptr %own, i64 2
  store ptr %self, ptr %next
  %all = load i64, ptr %threads
  %started.field = getelementptr i64, ptr %threads, i64 1
  %before = atomicrmw add ptr %started.field, i64 1 seq_cst
  br label %wait
wait:
  %ignored = call i32 @sched_yield()
  %started = load atomic i64, ptr %started.field seq_cst, align 8
  %everyone = icmp eq i64 %started, %all
  br i1 %everyone, label %done, label %wait
done:
  ret void
}
define void @gather(ptr %threads, i64 %chunks) {
  call void @gd.parallel(ptr @meet, ptr %threads, i64 %chunks)
  ret void
}
"""


@pytest.fixture(scope="module")
def native():
    return link_native()


def link_native():
    exports = {"loops": 3, "nest": 3, "gather": 2}
    linked = jit.link(jit.compile_object(COUNT), threads.symbols(), exports)
    functions = {}
    for name, arguments in exports.items():
        types = [ctypes.c_void_p, *[ctypes.c_int64] * (arguments - 1)]
        functions[name] = ctypes.CFUNCTYPE(None, *types)(linked.address(name))
    functions["code"] = linked
    return functions


def in_process(body, thread_count, **environment):
    """Run statements in a process of its own with so many threads; return what it prints."""
    script = f"import time\nfrom tests.backend.test_threads import *\n{body}"
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "GRADATIM_THREADS": str(thread_count), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# The runtime


@pytest.mark.parametrize("chunks", [*range(20), 63, 128, 1000])
def test_each_chunk_runs_once(native, chunks):
    counts = np.zeros(chunks + 1, np.int64)
    native["loops"](counts.ctypes.data, chunks, 50)
    assert counts.tolist() == [50] * chunks + [0]


@pytest.mark.parametrize("thread_count", [1, 2, 7])
def test_many_small_loops(thread_count):
    """The workers are awake for some of them and asleep for others."""
    in_process(
        """
native = link_native()
counts = np.zeros(9, np.int64)
native["loops"](counts.ctypes.data, 9, 100_000)
for _ in range(100):
    time.sleep(0.001)
    native["loops"](counts.ctypes.data, 9, 2)
assert counts.tolist() == [100_200] * 9, counts
""",
        thread_count,
    )


def test_a_loop_within_a_loop(native):
    counts = np.zeros((30, 40), np.int64)
    native["nest"](counts.ctypes.data, 30, 40)
    assert (counts == 1).all()


def test_loops_of_several_callers(native):
    """One of them has the workers, the others run their loops alone."""

    def call(counts):
        for chunks in range(2, 34):
            native["loops"](counts.ctypes.data, chunks, 100)

    results = [np.zeros(40, np.int64) for _ in range(8)]
    callers = [threading.Thread(target=call, args=(counts,)) for counts in results]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    expected = [100 * sum(i < chunks for chunks in range(2, 34)) for i in range(40)]
    assert all(counts.tolist() == expected for counts in results)


@pytest.mark.parametrize("thread_count", [2, 4])
def test_chunks_run_at_once(thread_count):
    """As many chunks as threads wait for each other; so each is run by another thread."""
    in_process(
        f"""
native = link_native()
for _ in range(20):
    threads_of = np.zeros(2 + {thread_count}, np.int64)
    threads_of[0] = {thread_count}
    native["gather"](threads_of.ctypes.data, {thread_count})
    assert len(set(threads_of[2:].tolist())) == {thread_count}
""",
        thread_count,
    )


def test_the_same_chunk_runs_in_the_same_thread():
    """Each of two threads begins with its own share, so that its caches keep it.

    Nearly always: a thread that is stopped between two looks may find the other's share first.
    """
    in_process(
        """
native = link_native()
pairs = {}
for _ in range(200):
    threads_of = np.zeros(4, np.int64)
    threads_of[0] = 2
    native["gather"](threads_of.ctypes.data, 2)
    pair = tuple(threads_of[2:].tolist())
    pairs[pair] = pairs.get(pair, 0) + 1
assert max(pairs.values()) > 150, pairs
""",
        2,
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="reads Linux's /proc")
def test_workers_leave_signals_to_the_program():
    in_process(
        """
def blocked():
    tasks = [f"/proc/self/task/{task}/status" for task in os.listdir("/proc/self/task")]
    lines = [line for task in tasks for line in open(task) if line.startswith("SigBlk")]
    return [int(line.split()[1], 16) for line in lines]
native = link_native()
before = blocked()
native["loops"](np.zeros(2, np.int64).ctypes.data, 2, 1)
after = blocked()
assert len(after) == len(before) + 3
interrupt = 1 << 1
assert sum(bool(mask & interrupt) for mask in after) >= 3
assert not int(next(line for line in open("/proc/self/status")
                    if line.startswith("SigBlk")).split()[1], 16) & interrupt
""",
        4,
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fork_while_loops_run():
    """A child has no workers and starts its own; a loop of another thread does not concern it."""
    in_process(
        """
import warnings
warnings.simplefilter("ignore")  # newer Pythons warn of a fork beside threads
native = link_native()
stop = False
def run():
    counts = np.zeros(64, np.int64)
    while not stop:
        native["loops"](counts.ctypes.data, 64, 100)
caller = threading.Thread(target=run)
caller.start()
for _ in range(30):
    child = os.fork()
    if not child:
        counts = np.zeros(64, np.int64)
        native["loops"](counts.ctypes.data, 64, 100)
        together = np.zeros(5, np.int64)
        together[0] = 3
        native["gather"](together.ctypes.data, 3)
        os._exit(int(counts.tolist() != [100] * 64))
    assert os.waitpid(child, 0)[1] == 0
    time.sleep(0.001)
stop = True
caller.join()
counts = np.zeros(64, np.int64)
native["loops"](counts.ctypes.data, 64, 100)
assert counts.tolist() == [100] * 64
""",
        3,
    )


# How many threads


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("1", 1), ("0", 1), ("-2", 1)])
def test_thread_count_from_the_environment(monkeypatch, text, count):
    monkeypatch.setenv("GRADATIM_THREADS", text)
    assert threads.thread_count() == count


def test_thread_count_of_the_machine(monkeypatch):
    monkeypatch.setenv("GRADATIM_THREADS", "many")
    assert 1 <= threads.thread_count() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, math.inf),
        ({"cpu.max": "max 100000\n"}, math.inf),
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, math.inf),
        ({"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "100000\n"}, 0.5),
    ],
)
def test_granted_time(monkeypatch, tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(threads, "_cgroup_directories", lambda: iter([tmp_path]))
    assert threads._granted_cpus() == quota
    monkeypatch.delenv("GRADATIM_THREADS", raising=False)
    monkeypatch.setattr(threads, "_available_cpus", lambda: 8)
    assert threads.thread_count() == min(math.ceil(min(quota, 8)), 8)


# Emission


def run(text, *arrays):
    """Compile a function ``f`` on buffers and call it."""
    module = Parser(new_context(), text).parse_module()
    module.verify()
    host = jit.host_target()
    emitted = emit_module(module, "f", vector_math.Target(host.vector_bits, host.fma))
    linked = jit.link(jit.compile_object(emitted.text), threads.symbols(), [ENTRY])
    pointers = [array.ctypes.data for array in arrays]
    signature = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * len(pointers))
    assert signature(linked.address(ENTRY))(*pointers) == 0


def test_dimensions_and_steps():
    """Each iteration of a loop of two dimensions, of bounds known and unknown, once."""
    text = """
func.func @f(%bounds: memref<6xindex>, %y: memref<2000xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c50 = arith.constant 50 : index
  %one = arith.constant 1 : i64
  %low = memref.load %bounds[%c0] : memref<6xindex>
  %high = memref.load %bounds[%c1] : memref<6xindex>
  %step = memref.load %bounds[%c2] : memref<6xindex>
  "scf.parallel"(%low, %c1, %high, %c50, %step, %c3)
      <{operandSegmentSizes = array<i32: 2, 2, 2, 0>}> ({
  ^bb0(%i: index, %j: index):
    %row = arith.muli %i, %c50 : index
    %place = arith.addi %row, %j : index
    %before = memref.load %y[%place] : memref<2000xi64>
    %after = arith.addi %before, %one : i64
    memref.store %after, %y[%place] : memref<2000xi64>
    scf.reduce
  }) : (index, index, index, index, index, index) -> ()
  func.return
}
"""
    for low, high, step in [(0, 40, 1), (3, 40, 7), (5, 6, 10), (5, 5, 1), (9, 2, 1)]:
        y = np.zeros((40, 50), np.int64)
        run(text, np.array([low, high, step, 0, 0, 0]), y)
        expected = np.zeros_like(y)
        expected[low:high:step, 1:50:3] = 1
        np.testing.assert_array_equal(y, expected)


def test_vectors_and_masks_from_outside():
    text = """
func.func @f(%x: memref<8xf64>, %y: memref<24xf64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c5 = arith.constant 5 : index
  %c8 = arith.constant 8 : index
  %two = arith.constant dense<2.0> : vector<8xf64>
  %v = vector.load %x[%c0] : memref<8xf64>, vector<8xf64>
  %m = vector.create_mask %c5 : vector<8xi1>
  "scf.parallel"(%c0, %c3, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %place = arith.muli %i, %c8 : index
    %w = arith.mulf %v, %two : vector<8xf64>
    vector.maskedstore %y[%place], %m, %w : memref<24xf64>, vector<8xi1>, vector<8xf64>
    scf.reduce
  }) : (index, index, index) -> ()
  func.return
}
"""
    x, y = np.arange(8.0) + 1, np.zeros((3, 8))
    run(text, x, y)
    np.testing.assert_array_equal(y, [np.where(np.arange(8) < 5, 2 * x, 0)] * 3)


def test_a_loop_in_a_parallel_loop_in_a_parallel_loop():
    text = """
func.func @f(%y: memref<60xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  "scf.parallel"(%c0, %c3, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
  ^bb0(%i: index):
    %a = arith.muli %i, %c4 : index
    "scf.parallel"(%c0, %c4, %c1) <{operandSegmentSizes = array<i32: 1, 1, 1, 0>}> ({
    ^bb1(%j: index):
      %b = arith.addi %a, %j : index
      %c = arith.muli %b, %c5 : index
      scf.for %k = %c0 to %c5 step %c1 {
        %d = arith.addi %c, %k : index
        %e = arith.index_cast %d : index to i64
        memref.store %e, %y[%d] : memref<60xi64>
      }
      scf.reduce
    }) : (index, index, index) -> ()
    scf.reduce
  }) : (index, index, index) -> ()
  func.return
}
"""
    y = np.zeros(60, np.int64)
    run(text, y)
    assert y.tolist() == list(range(60))


def test_results_of_a_parallel_loop_are_refused():
    text = """
func.func @f(%y: memref<f64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f64
  %r = "scf.parallel"(%c0, %c1, %c1, %zero) <{operandSegmentSizes = array<i32: 1, 1, 1, 1>}> ({
  ^bb0(%i: index):
    scf.reduce (%zero : f64) {
    ^bb0(%a: f64, %b: f64):
      %s = arith.addf %a, %b : f64
      scf.reduce.return %s : f64
    }
  }) : (index, index, index, f64) -> f64
  func.return
}
"""
    with pytest.raises(GradatimError, match="parallel with results"):
        run(text, np.zeros(()))


# Whole programs

PROGRAMS = """
import hashlib
import gradatim as gd
random = np.random.default_rng(5)
x = random.random((1003, 517), dtype=np.float32)
v = random.random(300_001)
def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
programs = [
    (lambda v: v * np.sin(v * v), v),
    (lambda v: np.sum(np.exp(v)) + np.max(v), v),
    (softmax, x),
    (lambda x: np.sum(np.exp(x), axis=0), x),
    (lambda x: x.T @ x, x),
    (gd.grad(lambda v: np.sum(v * np.sin(v * v))), v),
    (gd.grad(lambda x: np.sum(np.log(softmax(x)) ** 2)), x),
]
for program, argument in programs:
    staged = gd.stage(program)
    results = {np.asarray(staged(argument)).tobytes() for _ in range(5)}
    assert len(results) == 1
    print(hashlib.sha256(results.pop()).hexdigest())
"""


def test_results_do_not_depend_on_the_number_of_threads():
    expected = in_process(PROGRAMS, 1)
    assert in_process(PROGRAMS, 2) == expected
    assert in_process(PROGRAMS, 5) == expected
