"""Compiled callables as objects: binding, attributes, collection, lists of programs."""

import copy
import functools
import gc
import inspect
import os
import subprocess
import sys
import timeit
import tracemalloc
import weakref

import numpy as np
import pytest

from gradatim.backend.call import CompiledCallable
from gradatim.backend.call.fallback import CtypesCallable
from gradatim.backend.call.layout import Leaf, Tuple
from gradatim.backend.call.program_list import MAXIMUM_PROGRAMS

from .call_programs import (
    SlowPathTaken,
    copying_kernel,
    copying_program,
    function,
    program,
    raise_status,
    refuse,
    signature,
    spec,
)


def test_native_implementation_is_chosen_on_supported_interpreters():
    if os.environ.get("GRADATIM_CALL") == "ctypes":
        assert CompiledCallable is CtypesCallable
    else:
        assert CompiledCallable is not CtypesCallable


@pytest.mark.skipif(CompiledCallable is CtypesCallable, reason="about the native implementation")
def test_native_calls_do_not_enter_python():
    arguments = {"array": np.ones(4)}
    times = [
        min(timeit.repeat("run(array)", globals={"run": run, **arguments}, number=1000, repeat=5))
        for run in (function(copying_program(4)), function(copying_program(4), kind=CtypesCallable))
    ]
    assert times[0] < times[1] / 10


def test_fallback_can_be_chosen():
    command = "from gradatim.backend.call import CompiledCallable; print(CompiledCallable.__name__)"
    environment = {**os.environ, "GRADATIM_CALL": "ctypes"}
    run = [sys.executable, "-c", command]
    output = subprocess.run(run, env=environment, capture_output=True, check=True)
    assert output.stdout.decode().strip() == "CtypesCallable"


def test_without_program_every_call_is_slow(kind):
    run = kind(lambda *args, **kwargs: (args, kwargs), raise_status)
    assert run(1, 2, x=3) == ((1, 2), {"x": 3})
    assert run() == ((), {})


def test_slow_path_may_add_the_program_for_the_next_call(kind):
    calls = []

    def slow(array):
        calls.append(array.shape)
        run.add(copying_program(*array.shape))
        return run(array)

    run = kind(slow, raise_status)
    for shape in [(2,), (3,), (2,), (3,), (2,)]:
        assert run(np.ones(shape)).shape == shape
    assert calls == [(2,), (3,)]


def test_latest_program_comes_first_and_the_oldest_goes(kind):
    run = function(kind=kind)
    for size in range(MAXIMUM_PROGRAMS + 2):
        run.add(copying_program(size + 1))
    sizes = [p.signature.inputs[0].shape[0] for p in run.programs]
    assert sizes == list(range(MAXIMUM_PROGRAMS + 2, 2, -1))
    for size in sizes:
        assert run(np.ones(size)).shape == (size,)
    for size in (1, 2):
        with pytest.raises(SlowPathTaken):
            run(np.ones(size))


def test_adding_a_program_again_moves_it_to_the_front(kind):
    run = function(copying_program(1), copying_program(2), copying_program(1), kind=kind)
    assert run.programs == (copying_program(1), copying_program(2))


def test_cleared_callable_is_slow_again(kind):
    run = function(copying_program(1), kind=kind)
    run.clear()
    assert run.programs == ()
    with pytest.raises(SlowPathTaken):
        run(np.ones(1))
    run.add(copying_program(1))
    assert run(np.ones(1)) == 1


def test_exception_of_the_slow_path_propagates(kind):
    with pytest.raises(SlowPathTaken):
        function(copying_program(1), kind=kind)("other")


def test_binds_as_a_method(kind):
    def slow(*args):
        return args

    class Owner:
        method = kind(slow, raise_status)
        scale = function(program(signature([spec("d")])), kind=kind)

    owner = Owner()
    assert owner.method(1) == (owner, 1)
    assert Owner.method(owner, 1) == (owner, 1)
    bound = owner.method
    assert inspect.ismethod(bound) and bound.__self__ is owner
    assert bound(2) == (owner, 2)
    assert Owner.method is Owner.__dict__["method"]
    with pytest.raises(SlowPathTaken) as caught:
        owner.scale(np.float64(2))
    assert caught.value.args == ((owner, np.float64(2)), {})


def test_subclass_that_binds_in_its_own_way(kind):
    class Static(kind):
        def __get__(self, instance, owner=None):
            return self

    class Owner:
        method = Static(lambda *args: args, raise_status)

    Owner.method.add(copying_program(2))
    owner = Owner()
    for _ in range(50):  # more often than CPython needs to specialise the call
        assert owner.method(1) == (1,)
        assert owner.method(np.ones(2)).tolist() == [1, 1]


def test_other_ways_to_call(kind):
    run = function(copying_program(2), kind=kind)
    array = np.array([1.0, 2.0])
    assert functools.partial(run, array)().tolist() == [1, 2]
    assert run(*[array]).tolist() == [1, 2]
    assert [r.tolist() for r in map(run, [array, array])] == [[1, 2], [1, 2]]


def test_attributes_and_wrapping(kind):
    def original(x: float) -> float:
        """Say what it does."""
        return x

    run = functools.update_wrapper(kind(original, raise_status), original)
    run.extra = 5
    assert run.extra == 5
    assert run.__name__ == "original"
    assert run.__doc__ == "Say what it does."
    assert inspect.signature(run) == inspect.signature(original)
    assert callable(run)


def test_copies_are_the_same_object(kind):
    run = function(copying_program(1), kind=kind)
    assert copy.copy(run) is run
    assert copy.deepcopy([run])[0] is run


def test_subclasses_work(kind):
    class Stage(kind):
        def __init__(self, name):
            super().__init__(refuse, raise_status)
            self.name = name

    class Special(Stage):
        __slots__ = ()

        def add(self, program):
            self.added = True
            super().add(program)

    for cls in (Stage, Special):
        run = cls("f")
        with pytest.raises(SlowPathTaken):
            run(np.ones(2))
        run.add(copying_program(2))
        assert run(np.ones(2)).tolist() == [1, 1]
        assert run.name == "f"
    assert run.added


def test_call_of_a_subclass_is_used_until_there_is_a_program(kind):
    class Counting(kind):
        calls = 0

        def __call__(self, *args):
            self.calls += 1
            return super().__call__(*args)

    run = Counting(lambda *args: "slow", raise_status)
    assert [run(1), run(1)] == ["slow", "slow"]
    assert run.calls == 2
    run.add(copying_program(2))
    assert run(np.ones(2)).tolist() == [1, 1]
    assert run.calls == (3 if kind is CtypesCallable else 2)


def test_instance_without_init_does_not_crash(kind):
    with pytest.raises(AttributeError):
        kind.__new__(kind)(1)


def test_weak_references_and_cycles(kind):
    run = function(copying_program(2), kind=kind)
    run.itself = run
    reference = weakref.ref(run)
    del run
    gc.collect()
    assert reference() is None


def test_program_and_code_live_as_long_as_needed(kind):
    call = signature([spec("d", 5)])
    compiled = program(call)
    reference = weakref.ref(compiled)
    run = function(compiled, kind=kind)
    del compiled
    gc.collect()
    assert run(np.ones(5)).tolist() == [1] * 5
    run.clear()
    run.clear()
    gc.collect()
    assert reference() is None


def test_call_during_collection_does_not_crash(kind):
    outcome = []

    class Finalizer:
        def __del__(self):
            try:
                outcome.append(self.run(np.ones(2)).tolist())
            except Exception as error:
                outcome.append(type(error))

    last = Finalizer()
    last.run = function(copying_program(2), kind=kind)
    last.run.cycle = last
    del last
    gc.collect()
    assert len(outcome) == 1


@pytest.mark.parametrize("missing", ["_slow", "_on_error", "_table"])
def test_cleared_slots_do_not_crash(missing):
    if CompiledCallable is CtypesCallable:
        pytest.skip("about the native implementation")
    call = signature([spec("d")])
    run = function(program(call, copying_kernel(call, 1)))
    delattr(run, missing)
    with pytest.raises((SystemError, ArithmeticError, SlowPathTaken)):
        run(np.float64(1))
    with pytest.raises((SystemError, SlowPathTaken)):
        run("mismatch")


MANY_CALLS = 2_000 if CompiledCallable is CtypesCallable else 100_000


def balanced(run, *args, calls=MANY_CALLS):
    """Call often and report how much memory Python holds afterwards that it did not before."""
    tracemalloc.start()
    try:
        for _ in range(calls):  # until the interpreter's own tables have grown
            run(*args)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(calls):
            run(*args)
        return tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()


def test_no_memory_is_lost():
    array, scalar = np.arange(3.0), np.float64(1)
    pair = signature([spec("d", 3), spec("d")], Tuple((Leaf(0), Leaf(1))))
    failing = program(pair, copying_kernel(pair, 3))
    counts = [sys.getrefcount(x) for x in (array, scalar, array.dtype)]

    def ignore(*_):
        return None

    slow = CompiledCallable(ignore, ignore)
    slow.add(program(pair))
    assert balanced(function(program(pair)), array, scalar)
    assert balanced(slow, array, array)
    error = CompiledCallable(ignore, ignore)
    error.add(failing)
    assert balanced(error, array, scalar)
    gc.collect()
    after = [sys.getrefcount(x) for x in (array, scalar, array.dtype)]
    assert all(abs(x - y) < 20 for x, y in zip(counts, after, strict=True))


SUBINTERPRETER = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    identity = interpreters.create("legacy")
else:
    import _xxsubinterpreters as interpreters
    identity = interpreters.create(isolated=False)
code = '''
import warnings
warnings.simplefilter("ignore")  # NumPy warns of subinterpreters
try:
    import gradatim.backend.call
except ImportError as error:
    print("refused:", error)
'''
assert interpreters.run_string(identity, code) is None
"""


def test_import_in_a_subinterpreter_is_refused():
    run = [sys.executable, "-c", SUBINTERPRETER]
    finished = subprocess.run(run, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("refused:")


def test_subinterpreters_are_refused(monkeypatch):
    from gradatim.backend.call import abi
    from gradatim.backend.call import function as module

    monkeypatch.setattr(abi, "is_main_interpreter", lambda: False)
    with pytest.raises(ImportError, match="main interpreter"):
        module._choose()


def test_unknown_layout_warns_and_takes_the_fallback(monkeypatch):
    from gradatim.backend.call import abi
    from gradatim.backend.call import function as module

    monkeypatch.delenv("GRADATIM_CALL", raising=False)
    monkeypatch.setattr(abi, "mismatch", lambda: "the interpreter is another one")
    with pytest.warns(UserWarning, match="the interpreter is another one"):
        assert module._choose() is CtypesCallable


def test_this_interpreter_is_laid_out_as_assumed():
    from gradatim.backend.call import abi

    assert abi.mismatch() is None
