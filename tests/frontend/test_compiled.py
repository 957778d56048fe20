"""Lowered and compiled functions: levels, records, compiled calls, and programs on disk."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend import execution, tree
from gradatim.frontend.artifacts import fingerprint
from gradatim.frontend.lowered import LEVELS


@pytest.fixture(autouse=True)
def machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile, whatever the environment of the test run says."""
    monkeypatch.delenv("GRADATIM_EXECUTE", raising=False)


XS = np.linspace(0.0, 1.0, 1000)


def f(x: Any) -> Any:
    return x * np.sin(x**2)


def df(x: Any) -> Any:
    return np.sin(x**2) + 2 * x**2 * np.cos(x**2)


MARKS = {
    "array": "array.cos", "kernel": "kernel.fusion", "loop": "scf.for", "llvm": "@gd.main",
    "asm": "gd.entry:",
}  # fmt: skip


def test_every_level_has_a_text() -> None:
    lowered = gd.stage(f).grad().vmap().lower(XS)
    assert set(MARKS) == set(LEVELS)
    for level, mark in MARKS.items():
        assert mark in lowered.as_text(level)
    assert __file__ in lowered.as_text("array", debug_info=True)
    with pytest.raises(errors.ArgumentError, match="the levels are array, kernel"):
        lowered.as_text("hlo")


def test_lowered_tells_passes_and_costs() -> None:
    lowered = gd.stage(f).grad().vmap().lower(XS)
    names = [record.name for record in lowered.passes]
    assert names[:2] == ["array-vjp", "array-vmap"]
    assert names[-1] == "kernel-lower-to-loops"
    assert all(record.milliseconds >= 0 and record.ops_after > 0 for record in lowered.passes)
    ((_, cost),) = lowered.cost()
    assert cost.bytes_read == cost.bytes_written == XS.nbytes
    np.testing.assert_allclose(lowered.compile()(XS), df(XS))


def test_stages_follow_each_other() -> None:
    traced = gd.stage(lambda d: d["b"] - d["a"]).trace({"b": XS, "a": 2.0})
    compiled = traced.lower().compile()
    np.testing.assert_array_equal(compiled({"a": 2.0, "b": XS}), XS - 2.0)
    np.testing.assert_array_equal(compiled({"b": XS, "a": 3.0}), XS - 3.0)

    def outer(x: Any) -> Any:
        with pytest.raises(errors.ArgumentError, match="closes over a traced value"):
            gd.stage(lambda y: y * x).trace(1.0).lower()
        with pytest.raises(errors.ArgumentError, match="closes over a traced value"):
            gd.stage(lambda y: y * x).compile(1.0)
        return x

    gd.stage(outer).trace(1.0)


def test_lowering_leaves_the_traced_module_as_it_is() -> None:
    staged = gd.stage(f).grad().vmap()
    traced = staged.trace(XS)
    before = str(traced.module)
    staged.lower(XS).as_text("asm")
    staged(XS)
    assert str(traced.module) == before


class Counter:
    """Counts how often compiled calls give up."""

    def __init__(self, staged: gd.Staged) -> None:
        self.calls = 0
        self.slow = staged._slow
        staged._slow = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.slow(*args, **kwargs)


def test_known_arguments_never_enter_python() -> None:
    staged = gd.stage(lambda p, x: {"y": p["w"] * x, "n": None})
    counter = Counter(staged)
    calls: list[tuple[Any, Any]] = [
        ({"w": 2.0}, 3.0), ({"w": XS}, 2), ({"w": np.float32(1)}, np.ones((2, 2), "f4")),
        ({"w": True}, np.int8(3)),
    ]  # fmt: skip
    for p, x in calls:
        staged(p, x)
    assert counter.calls == len(calls)
    for _ in range(3):
        for p, x in calls:
            np.testing.assert_array_equal(staged(p, x)["y"], p["w"] * x)
    assert counter.calls == len(calls)
    staged({"w": XS[::-1]}, 2)  # not contiguous
    assert counter.calls == len(calls) + 1


def test_more_signatures_than_compiled_calls_keep() -> None:
    staged = gd.stage(lambda x: x + 1)
    for _ in range(2):
        for n in range(20):
            np.testing.assert_array_equal(staged(np.zeros(n)), np.ones(n))


def test_containers_without_layout_are_flattened_in_python() -> None:
    staged = gd.stage(lambda d: OrderedDict((k, v + 1) for k, v in reversed(d.items())))
    for _ in range(2):
        found = staged(OrderedDict([("b", 1.0), ("a", XS)]))
        assert list(found) == ["a", "b"]
        np.testing.assert_array_equal(found["a"], XS + 1)


def test_keyword_order() -> None:
    staged = gd.stage(lambda **kwargs: kwargs["b"] - kwargs["a"])
    assert staged(a=1.0, b=3.0) == staged(b=3.0, a=1.0) == 2.0
    assert staged(b=4.0, a=1.0) == 3.0


def test_captures_are_linked() -> None:
    w, b = np.random.default_rng(0).normal(size=(2, 40, 40))

    def layer(x: Any) -> Any:
        return np.tanh(x @ w) @ b.T

    x = np.linspace(-1, 1, 40)
    np.testing.assert_allclose(gd.jit(layer)(x), layer(x))
    found = gd.grad(lambda x: layer(x).sum())(x)
    expected = w @ ((1 - np.tanh(x @ w) ** 2) * b.sum(axis=0))
    np.testing.assert_allclose(found, expected)


def test_each_pass_is_checked() -> None:
    checked = gd.stage(f).grad().vmap().compile(check="each-pass")
    np.testing.assert_allclose(checked(XS), df(XS))
    assert checked is gd.stage(f).grad().vmap().compile(check="each-pass")
    np.testing.assert_allclose(gd.stage(f).compile(0.5, check="each-pass")(0.5), f(0.5))
    with pytest.raises(errors.ArgumentError, match="check must be 'each-pass'"):
        gd.stage(f).compile(check="always")


def test_a_wrong_pass_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradatim.passes.simplify import canonicalize

    def broken(self: Any, context: Any, module: Any) -> None:
        for op in list(module.ops.first.body.block.ops):
            if op.name == "array.sin":
                op.results[0].replace_all_uses_with(op.operands[0])

    monkeypatch.setattr(canonicalize.ArrayCanonicalize, "apply", broken)
    with pytest.raises(errors.GradatimError, match="array-canonicalize changed result 0"):
        gd.stage(lambda x: np.sin(x)).compile(0.5, check="each-pass")


def test_interpreter_instead_of_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADATIM_EXECUTE", "interpreter")
    monkeypatch.setattr(execution, "compile_program", None)
    found = gd.value_and_grad(lambda p: f(p["x"]).sum())({"x": XS})
    np.testing.assert_allclose(found[0], f(XS).sum())
    np.testing.assert_allclose(found[1]["x"], df(XS))
    assert type(found[0]) is np.float64


def test_dumps_show_each_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADATIM_DUMP", str(tmp_path))
    gd.stage(lambda x: f(x) + 1).grad().compile(0.25)
    names = sorted(path.name for path in tmp_path.rglob("*.mlir"))
    assert any("array-vjp" in name for name in names)
    assert any("kernel-lower-to-loops" in name for name in names)


SAME: list[tuple[Callable[[Any], Any], Callable[[Any], Any]]] = [
    (lambda x: x * 2 + 1, lambda y: (y * 2) + 1),
    (lambda x: np.sin(x)[1:], lambda x: np.sin(x)[1:None]),
    (lambda x: x + np.arange(3.0), lambda x: x + np.array([0.0, 1.0, 2.0])),
]
OTHERS: list[Callable[[Any], Any]] = [
    lambda x: x, lambda x: -x, lambda x: x * 2, lambda x: x * 3, lambda x: 2 - x, lambda x: x - 2,
    lambda x: x[1:], lambda x: x[:2], lambda x: (x, x), lambda x: x + np.arange(3.0),
    lambda x: x + np.arange(1.0, 4.0), lambda x: x.sum(), lambda x: x.max(), lambda x: x > 2,
    lambda x: x < 2, lambda x: np.sin(x) * np.cos(x), lambda x: np.cos(x) * np.sin(x),
    lambda x: x.astype("f4"), lambda x: np.ones(3), lambda x: np.ones(3, "f4"),
    lambda x: (x * 2) * (x + 2), lambda x: (x * 2) * (x * 2),
]  # fmt: skip


def fingerprint_of(function: Callable[[Any], Any]) -> bytes:
    return fingerprint(gd.stage(function).trace(np.ones(3)).source)


def test_fingerprints_tell_programs_apart() -> None:
    for first, second in SAME:
        assert fingerprint_of(first) == fingerprint_of(second)
    assert len({fingerprint_of(function) for function in OTHERS}) == len(OTHERS)


SCRIPT = """
import os, sys
import numpy as np
import gradatim as gd
from gradatim.backend import jit
from gradatim.passes import pipeline

compiled = []
compile_object = jit.compile_object
jit.compile_object = lambda text, **o: compiled.append(text) or compile_object(text, **o)
big = np.arange(1000.0)

def f(x, y):
    return x * np.sin(x ** 2) + (y * big).sum()

print(float(gd.grad(f)(0.13, 2.0)), float(gd.stage(f).vmap()(np.ones(5), np.ones(5)).sum()))
print(sum("@gd.main" in text for text in compiled))
"""


def run(script: str, **environment: str) -> list[str]:
    import os

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_new_process_finds_the_program_on_disk(tmp_path: Path) -> None:
    directory = str(tmp_path)
    first = run(SCRIPT, GRADATIM_CACHE_DIR=directory)
    second = run(SCRIPT, GRADATIM_CACHE_DIR=directory)
    assert first[0] == second[0]
    assert (first[1], second[1]) == ("2", "0")
    other = run(SCRIPT.replace("x ** 2", "x ** 3"), GRADATIM_CACHE_DIR=directory)
    assert other[1] == "2"
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-7])
    third = run(SCRIPT, GRADATIM_CACHE_DIR=directory)
    assert third == first


def test_scalars_and_empty_arrays_compile() -> None:
    for value in (np.float64(2), np.array(2.0), np.ones(0), np.ones((2, 0, 3)), 3, True):
        found = gd.jit(lambda x: tree.map(lambda leaf: leaf * 2, [x, x + 1]))(value)
        np.testing.assert_array_equal(found[0], np.asarray(value) * 2)


def test_large_functions_work_in_place_on_views() -> None:
    """The kernels of a large function are outlined, and still see which buffers share memory."""

    def steps(x: np.ndarray, shift: np.ndarray) -> Any:
        y = (x + shift).reshape(-1)  # in the memory of the result, under another shape
        for _ in range(300):
            y = np.abs(y * np.float32(1.001)) + np.float32(0.01)
        return y.reshape(x.shape)

    x = np.linspace(-1, 1, 203, dtype=np.float32).reshape(29, 7)  # vectors overlap at the end
    found = gd.stage(steps)(x, x)
    np.testing.assert_allclose(found, steps(x, x), rtol=1e-4)
