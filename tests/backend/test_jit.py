import ctypes
import os
import threading

import pytest

from gradatim.backend import jit

ADD_ONE = """
define i64 @add_one(i64 %x) {
  %y = add i64 %x, 1
  ret i64 %y
}
"""

CALLS_HELPER = """
declare i64 @helper(i64)
define i64 @twice(i64 %x) {
  %y = call i64 @helper(i64 %x)
  %z = call i64 @helper(i64 %y)
  ret i64 %z
}
"""

SUM = """
define double @sum(ptr %data) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi double [ 0.0, %entry ], [ %more, %loop ]
  %field = getelementptr double, ptr %data, i64 %i
  %x = load double, ptr %field
  %more = fadd reassoc double %sum, %x
  %next = add i64 %i, 1
  %end = icmp eq i64 %next, 64
  br i1 %end, label %done, label %loop
done:
  ret double %more
}
"""


def call_int(address: int, argument: int) -> int:
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(argument)


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"quick": True}])
def test_compiled_code_runs(options):
    linked = jit.link(jit.compile_object(ADD_ONE, **options), {}, ["add_one"])
    assert call_int(linked.address("add_one"), 41) == 42


def test_host_target_is_consistent():
    target = jit.host_target()
    assert target.cpu and target.triple
    assert target.vector_bits in (128, 256, 512)
    assert target.vector_bits == 128 or target.fma
    assert jit.host_target() is target


def test_imported_symbol_is_called():
    helper = jit.link(jit.compile_object(ADD_ONE), {}, ["add_one"])
    symbols = {"helper": helper.address("add_one")}
    linked = jit.link(jit.compile_object(CALLS_HELPER), symbols, ["twice"])
    assert call_int(linked.address("twice"), 40) == 42


def test_symbols_of_the_process_are_found():
    text = "declare i64 @labs(i64)\n" + CALLS_HELPER.replace("@helper", "@labs").split("\n", 2)[2]
    linked = jit.link(jit.compile_object(text), {}, ["twice"])
    assert call_int(linked.address("twice"), -7) == 7


def test_unknown_export_is_a_key_error():
    linked = jit.link(jit.compile_object(ADD_ONE), {}, ["add_one"])
    with pytest.raises(KeyError):
        linked.address("other")


@pytest.mark.parametrize(
    "text",
    ["define foo", "define i32 @f() { ret i64 0 }", "define i32 @f() { br label %nowhere }"],
)
def test_malformed_text_is_refused(text):
    with pytest.raises(jit.BackendError, match="refused the emitted module"):
        jit.compile_object(text)


def test_undefined_symbol_is_refused(capfd):
    with pytest.raises(jit.BackendError, match="could not link"):
        jit.link(jit.compile_object(CALLS_HELPER), {}, ["twice"])
    assert "helper" in capfd.readouterr().err


@pytest.mark.parametrize("code", [b"", b"garbage", b"\x7fELF" + bytes(60)])
def test_bytes_that_are_no_object_are_refused(code, capfd):
    with pytest.raises(jit.BackendError, match="could not link"):
        jit.link(code, {}, ["f"])
    capfd.readouterr()


def test_optimize_vectorises_and_the_default_does_not():
    vector_register = "zmm" if jit.host_target().vector_bits == 512 else "ymm"
    if not jit.host_target().triple.startswith("x86_64") or jit.host_target().vector_bits < 256:
        pytest.skip("looks at AVX assembly")
    assert vector_register not in jit.assembly(SUM).replace("ymm", vector_register)
    optimized = jit.assembly(SUM, optimize=True)
    assert "ymm" in optimized or "zmm" in optimized


def test_alwaysinline_is_honoured():
    text = """
    define internal i64 @inner(i64 %x) alwaysinline { ret i64 %x }
    define i64 @outer(i64 %x) {
      %y = call i64 @inner(i64 %x)
      ret i64 %y
    }
    """
    assert "call" not in jit.assembly(text)
    assert "call" in jit.assembly(text.replace("alwaysinline", "noinline"))


def test_objects_are_reproducible():
    assert jit.compile_object(SUM) == jit.compile_object(SUM)


def test_cached_object_is_compiled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADATIM_CACHE", "1")
    monkeypatch.setenv("GRADATIM_CACHE_DIR", str(tmp_path))
    first = jit.cached_object(ADD_ONE)
    monkeypatch.setattr(jit, "compile_object", lambda *_, **__: pytest.fail("compiled again"))
    assert jit.cached_object(ADD_ONE) == first


def test_code_is_unloaded_with_its_owner_and_others_stay():
    kept = jit.link(jit.compile_object(ADD_ONE), {}, ["add_one"])
    code = jit.compile_object(ADD_ONE)
    for _ in range(50):
        jit.link(code, {}, ["add_one"])
    assert call_int(kept.address("add_one"), 1) == 2


def test_threads_compile_and_link_at_once():
    results = []

    def work(number: int) -> None:
        text = ADD_ONE.replace("%x, 1", f"%x, {number}")
        linked = jit.link(jit.compile_object(text), {}, ["add_one"])
        results.append(call_int(linked.address("add_one"), 0) == number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_child_of_fork_compiles_while_a_thread_of_the_parent_did():
    stop = threading.Event()

    def keep_compiling() -> None:
        while not stop.is_set():
            jit.compile_object(ADD_ONE)

    thread = threading.Thread(target=keep_compiling)
    thread.start()
    try:
        for _ in range(3):
            child = os.fork()
            if child == 0:
                os._exit(0 if jit.compile_object(ADD_ONE) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()
