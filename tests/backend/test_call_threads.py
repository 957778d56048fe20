"""Compiled callables under several threads: calls at once, changes of the list of programs."""

import ctypes
import functools
import gc
import sys
import threading
import time
import weakref

import numpy as np
import pytest

from gradatim.backend.call import CompiledCallable
from gradatim.backend.call.fallback import CtypesCallable
from gradatim.backend.call.layout import Leaf, List

from .call_programs import copying_program, function, program, signature, spec


def in_threads(*workers):
    """Run the workers at once, with frequent switches; reraise what any of them raised."""
    errors = []

    def guarded(worker):
        try:
            worker()
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=guarded, args=(worker,)) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for error in errors:
        raise error


@pytest.mark.parametrize("release_gil", [False, True])
def test_threads_call_at_once(kind, release_gil):
    run = function(copying_program(64, release_gil=release_gil), kind=kind)

    def worker(value):
        array = np.full(64, value)
        for _ in range(2000):
            assert (run(array) == value).all()

    in_threads(*[functools.partial(worker, float(n)) for n in range(3)])


def test_one_thread_calls_while_another_changes_the_programs(kind):
    run = function(copying_program(64, release_gil=True), kind=kind)
    array = np.arange(64.0)
    done = threading.Event()

    def slow(*_):
        return array

    run._slow = slow

    def call():
        try:
            for _ in range(3000):
                assert (run(array) == array).all()
        finally:
            done.set()

    def change():
        n = 0
        while not done.is_set():
            run.add(program(signature([spec("d", 64)]), release_gil=True))
            n += 1
            if n % 5 == 0:
                run.clear()

    in_threads(call, change)


WAITING_KERNEL = """
declare i32 @sched_yield()
define i32 @gd.main(ptr %in, ptr %out) {
entry:
  %entered = getelementptr double, ptr %in, i64 1
  store atomic volatile double 1.0, ptr %entered monotonic, align 8
  br label %wait
wait:
  %ignored = call i32 @sched_yield()
  %value = load atomic volatile double, ptr %in monotonic, align 8
  %set = fcmp une double %value, 0.0
  br i1 %set, label %done, label %wait
done:
  store double %value, ptr %out
  ret i32 0
}
"""


def wait_for(flags):
    """Wait until the kernel says that it runs."""
    deadline = time.monotonic() + 30
    while ctypes.c_double.from_address(flags.ctypes.data + 8).value == 0:
        assert time.monotonic() < deadline


@pytest.mark.skipif(sys.platform == "win32", reason="uses sched_yield")
def test_code_stays_while_a_thread_is_inside():
    """The kernel runs without the lock until it is told to stop, long after it was dropped."""
    call = signature([spec("d", 2)], outputs=[spec("d", 1)])
    compiled = program(call, WAITING_KERNEL, release_gil=True)
    reference = weakref.ref(compiled)
    run = function(compiled)
    del compiled
    flags = np.zeros(2)
    results = []
    thread = threading.Thread(target=lambda: results.append(run(flags)))
    thread.start()
    try:
        wait_for(flags)
        for _ in range(3):
            run.clear()
            run.add(copying_program(1))
            gc.collect()
        assert thread.is_alive()
    finally:
        ctypes.c_double.from_address(flags.ctypes.data).value = 9.0
        thread.join()
    assert results[0].tolist() == [9.0]
    run.clear()
    gc.collect()
    if CompiledCallable is not CtypesCallable:
        assert reference() is None


def test_argument_dropped_from_its_container_during_the_call_stays_alive():
    layout = List((Leaf(0),))
    call = signature([spec("d", 2)], parameters=(layout,), outputs=[spec("d", 1)])
    run = function(program(call, WAITING_KERNEL, release_gil=True))
    items = [np.zeros(2)]
    address, reference = items[0].ctypes.data, weakref.ref(items[0])
    results = []
    thread = threading.Thread(target=lambda: results.append(run(items)))
    thread.start()
    try:
        wait_for(items[0])
        items.clear()
        gc.collect()
        assert reference() is not None
    finally:
        ctypes.c_double.from_address(address).value = 4.0
        thread.join()
    assert results[0].tolist() == [4.0]
    assert reference() is None
