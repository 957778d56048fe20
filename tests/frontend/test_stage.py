"""Staged functions: specialisation, static and keyword arguments, stages, caches, threads."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import pickle
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gradatim as gd
from gradatim import errors
from gradatim.frontend import tree


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.traces = 0
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.traces += 1
        return self.function(*args, **kwargs)


class Subclass(np.ndarray[Any, Any]):
    """An array that is no plain one."""


def module_level(x: Any) -> Any:
    """Doubles."""
    return 2 * x


def test_one_trace_for_each_structure_and_types() -> None:
    counted = Counted(lambda x: 2 * x["a"])
    f = gd.jit(counted)
    calls: list[tuple[Any, int]] = [
        (1.0, 1), (2.0, 1), (3, 2), (np.float64(1), 3), (np.ones(3), 4), (np.zeros(3), 4),
        (np.ones(4), 5), (np.ones(3, "f4"), 6), (True, 7), (np.array(5.0), 7), (1.0, 7),
    ]  # fmt: skip
    for value, traces in calls:
        np.testing.assert_array_equal(f({"a": value}), 2 * value)
        assert counted.traces == traces
    f({"a": 1.0, "b": None})
    assert counted.traces == 8


RESULTS: list[tuple[Any, Any]] = [
    (1.0, np.float64(2.0)), (3, np.int64(6)), (np.float32(1), np.float32(2)),
    (np.array(1.0), np.float64(2.0)), (np.ones(2), np.array([2.0, 2.0])),
    (np.ones((0, 3)), np.ones((0, 3))), (2j, np.complex128(4j)), (np.int8(3), np.int8(6)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), RESULTS, ids=repr)
def test_results_are_arrays_and_numpy_scalars(value: Any, expected: Any) -> None:
    found = gd.jit(module_level)(value)
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_arrays_of_all_layouts() -> None:
    x = np.arange(24.0).reshape(4, 6)
    unaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view("f8").reshape(4, 6)
    read_only = x.copy()
    read_only.flags.writeable = False
    f = gd.jit(lambda x: x * np.arange(6.0))
    for array in (
        x, np.asfortranarray(x), x[::-1], x[:, ::-1], unaligned, read_only, x.astype(">f8"),
        np.broadcast_to(x[:1], (4, 6)), x.astype(np.longlong).astype("f8"), x.view(Subclass),
    ):  # fmt: skip
        found = f(array)
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, np.asarray(array) * np.arange(6.0))


def test_results_do_not_share_memory_with_arguments_or_each_other() -> None:
    x = np.ones(4)
    first, second = gd.jit(lambda x: (x, x))(x)
    assert not np.shares_memory(first, x)
    assert not np.shares_memory(first, second)


Pair = namedtuple("Pair", ["a", "b"])


@dataclass
class Box:
    content: Any


CONTAINERS: list[Any] = [
    [1.0, (2.0, None)], {"b": 1.0, "a": [2.0]}, Pair(1.0, {"x": 2.0}), Box([1.0, 2.0]),
    OrderedDict([("z", 1.0), ("a", 2.0)]), (), [], {}, None, Box(None), ((), [[]]),
]  # fmt: skip


@pytest.mark.parametrize("value", CONTAINERS, ids=repr)
def test_containers_go_in_and_out(value: Any) -> None:
    found = gd.jit(lambda v: (v, tree.map(lambda leaf: leaf + 1, v)))(value)
    assert found == (value, tree.map(lambda leaf: leaf + 1, value))
    assert type(found[0]) is type(value)


def test_keys_of_a_dictionary_in_any_order() -> None:
    counted = Counted(lambda d: d["a"] - d["b"])
    f = gd.jit(counted)
    assert f({"a": 1.0, "b": 2.0}) == f({"b": 2.0, "a": 1.0}) == -1.0
    assert counted.traces == 1


def test_a_function_that_returns_nothing() -> None:
    assert gd.jit(lambda x: None)(1.0) is None


def test_constant_results() -> None:
    big = np.arange(1000.0)
    number, array, large = gd.jit(lambda x: (3, np.ones(2), big))(1.0)
    assert number == 3
    np.testing.assert_array_equal(array, np.ones(2))
    np.testing.assert_array_equal(large, big)
    assert not np.shares_memory(large, big)


def test_keyword_arguments() -> None:
    def f(x: Any, y: Any = 10.0, *, z: Any = 100.0) -> Any:
        return x + 2 * y + 3 * z

    staged = gd.jit(f)
    calls: list[tuple[tuple[float, ...], dict[str, float]]] = [
        ((1.0,), {}), ((1.0, 2.0), {}), ((1.0,), {"z": 3.0}), ((1.0,), {"y": 2.0}),
        ((), {"z": 1.0, "x": 2.0, "y": 3.0}), ((), {"y": 3.0, "x": 2.0}),
    ]  # fmt: skip
    for args, kwargs in calls:
        assert staged(*args, **kwargs) == f(*args, **kwargs)
    assert gd.grad(f)(1.0, z=5.0) == 1.0


def test_static_arguments() -> None:
    counted = Counted(lambda x, n, kind="add": sum([x] * n) if kind == "add" else x**n)

    def f(x: Any, n: int, kind: str = "add") -> Any:
        return counted(x, n, kind)

    staged = gd.jit(f, static_argnums=1, static_argnames="kind")
    assert staged(2.0, 3) == 6.0
    assert staged(3.0, 3) == 9.0
    assert counted.traces == 1
    assert staged(2.0, 3, "power") == 8.0
    assert staged(2.0, n=3, kind="power") == 8.0
    assert staged(2.0, 4, kind="power") == 16.0
    assert gd.stage(f, static_argnums=-2, static_argnames=["kind"])(2.0, 2, "power") == 4.0
    assert gd.stage(f, static_argnums=(-2, -1))(2.0, n=2) == 4.0
    assert staged.grad()(2.0, 3, "power") == 12.0
    np.testing.assert_array_equal(staged.vmap()(np.arange(3.0), 2), [0.0, 2.0, 4.0])


def test_cleared_caches() -> None:
    counted = Counted(lambda x: x * 2)
    staged = gd.jit(lambda x: counted(x))
    for _ in range(2):
        assert (staged(1.0), staged(2.0)) == (2.0, 4.0)
        staged.clear_cache()
    assert counted.traces == 2


def test_donated_arguments() -> None:
    """They may be given up; what is computed is the same."""
    x = np.ones(3)

    def f(x: Any, n: int = 2) -> Any:
        return x * n

    for options in (
        {"donate_argnums": 0}, {"donate_argnums": (-2,)}, {"donate_argnames": "x"},
        {"donate_argnames": ["x"], "static_argnums": 1}, {"keep_unused": True, "inline": True},
    ):  # fmt: skip
        np.testing.assert_array_equal(gd.jit(**options)(f)(x), [2, 2, 2])  # type: ignore[call-overload]
    wrong = [
        ({"donate_argnums": 2}, "donated argument 2 is no positional parameter"),
        ({"donate_argnames": "y"}, "donated argument 'y' is no parameter"),
        ({"donate_argnums": 1, "static_argnames": "n"}, "1 cannot be both static and donated"),
        ({"donate_argnames": "n", "static_argnums": -1}, "'n' cannot be both static and donated"),
    ]
    for options, message in wrong:
        with pytest.raises(errors.StaticArgumentError, match=message):
            gd.jit(f, **options)  # type: ignore[call-overload]


def test_static_arguments_of_equal_value_and_other_type_differ() -> None:
    f = gd.jit(lambda x, s: x if isinstance(s, bool) else -x, static_argnums=1)
    assert (f(1.0, True), f(1.0, 1), f(1.0, 1.0), f(1.0, True)) == (1.0, -1.0, -1.0, 1.0)


def test_wrong_static_arguments() -> None:
    def f(x: Any, n: Any) -> Any:
        return x * n

    with pytest.raises(errors.StaticArgumentError, match="static argument 2 is no positional"):
        gd.stage(f, static_argnums=2)
    with pytest.raises(errors.StaticArgumentError, match="'m' is no parameter"):
        gd.stage(f, static_argnames="m")
    with pytest.raises(errors.StaticArgumentError, match="must be hashable, found a list"):
        gd.jit(f, static_argnums=1)(1.0, [1])
    with pytest.raises(errors.StaticArgumentError, match="is a traced value"):
        gd.jit(lambda x: gd.jit(f, static_argnums=1)(1.0, x))(1.0)


def test_decorators() -> None:
    @gd.jit
    def plain(x: Any) -> Any:
        return x + 1

    @gd.jit(static_argnames="n")
    def with_options(x: Any, n: int) -> Any:
        return x + n

    class Model:
        offset = 3.0

        @gd.jit(static_argnums=0)
        def __call__(self, x: Any) -> Any:
            return x + self.offset

    assert plain(1.0) == 2.0
    assert with_options(1.0, n=2) == 3.0
    assert Model()(1.0) == 4.0


def test_metadata_is_the_functions() -> None:
    staged = gd.grad(module_level)
    assert staged.__name__ == "module_level"
    assert staged.__doc__ == "Doubles."
    assert inspect.signature(staged) == inspect.signature(module_level)
    assert repr(staged.vmap()) == (
        "<staged module_level.grad(argnums=0, has_aux=False, holomorphic=False, allow_int=False, "
        "value=False).vmap(in_axes=0, out_axes=0, axis_size=None, "
        "axis_name=None)>"
    )


def test_attributes_of_the_function_do_not_hide_methods() -> None:
    def f(x: Any) -> Any:
        return x * x

    f.grad = f.function = f.transforms = None  # type: ignore[attr-defined]
    assert gd.stage(f).grad()(3.0) == 6.0


def test_the_same_function_gives_the_same_object() -> None:
    def f(x: Any) -> Any:
        return x

    assert gd.stage(f) is gd.stage(f)
    assert gd.stage(gd.stage(f)) is gd.stage(f)
    assert gd.grad(f) is gd.grad(f)
    assert gd.vmap(f, in_axes=({"a": 0},)) is gd.vmap(f, in_axes=({"a": 0},))
    assert gd.grad(f) is not gd.grad(f, has_aux=True)
    assert gd.vmap(f, in_axes=(0,)) is not gd.vmap(f, in_axes=0)


def test_wrappers_do_not_inherit_the_cache() -> None:
    def f(x: Any) -> Any:
        return x

    assert gd.jit(f)(1.0) == 1.0

    @functools.wraps(f)
    def wrapper(x: Any) -> Any:
        return f(x) + 1

    assert gd.jit(wrapper)(1.0) == 2.0
    assert gd.jit(gd.jit(f))(1.0) == 1.0


def test_a_function_and_what_was_compiled_die_together() -> None:
    def f(x: Any) -> Any:
        return 2 * x

    gd.grad(f)(1.0)
    function, staged = weakref.ref(f), weakref.ref(gd.grad(f))
    del f
    gc.collect()
    assert function() is None
    assert staged() is None


def test_bound_methods_are_traced_once() -> None:
    class Model:
        def __init__(self) -> None:
            self.counted = Counted(lambda x: x * x)

        def loss(self, x: Any) -> Any:
            return self.counted(x)

    model, other = Model(), Model()
    for _ in range(3):
        assert gd.grad(model.loss)(3.0) == 6.0
    assert gd.grad(other.loss)(1.0) == 2.0
    assert (model.counted.traces, other.counted.traces) == (1, 1)


def test_callables_of_all_kinds() -> None:
    assert gd.jit(np.sin)(1.0) == np.sin(1.0)
    assert gd.grad(functools.partial(pow, exp=3))(2.0) == 12.0
    assert gd.jit(np.add)(1.0, 2.0) == 3.0
    unhashable = type("Unhashable", (), {"__hash__": None, "__call__": lambda self, x: x + 1})()
    assert gd.jit(unhashable)(1.0) == 2.0


def test_copies_and_pickles() -> None:
    staged = gd.stage(module_level).grad().vmap()
    assert copy.copy(staged) is staged
    assert copy.deepcopy({"f": staged})["f"] is staged
    assert pickle.loads(pickle.dumps(staged)) is staged
    assert pickle.loads(pickle.dumps(module_level)) is module_level


def test_traced_shows_structures_and_types() -> None:
    traced = gd.stage(lambda p, *, y: {"r": p["a"] * y}).trace({"a": np.ones((2, 3), "f4")}, y=2.0)
    assert repr(traced.in_tree) == "TreeDef((({'a': *},), {'y': *}))"
    assert repr(traced.out_tree) == "TreeDef({'r': *})"
    assert [str(t) for t in traced.in_avals] == ["f32[2,3]", "Python float"]
    assert [str(t) for t in traced.out_avals] == ["f32[2,3]"]
    assert traced.out_info == {"r": gd.ShapeDtypeStruct((2, 3), "f4")}
    traced.module.verify()


def test_types_stand_for_arrays_ahead_of_time() -> None:
    staged = gd.stage(module_level).vmap()
    types = gd.ShapeDtypeStruct([3, 2], "f4")
    assert str(staged.trace(types).out_avals[0]) == "f32[3,2]"
    compiled = staged.compile(types)
    np.testing.assert_array_equal(compiled(np.ones((3, 2), "f4")), np.full((3, 2), 2.0))
    with pytest.raises(errors.ArgumentError, match="called with a type"):
        staged(types)
    with pytest.raises(errors.DtypeError, match="float16 is not supported"):
        staged.trace(gd.ShapeDtypeStruct((3,), "f2"))


def test_compiled_is_for_one_signature() -> None:
    counted = Counted(lambda p, x: p["w"] * x)
    staged = gd.stage(counted)
    compiled = staged.compile({"w": 2.0}, np.ones(3))
    assert isinstance(compiled, gd.Compiled)
    np.testing.assert_array_equal(compiled({"w": 3.0}, np.arange(3.0)), [0.0, 3.0, 6.0])
    np.testing.assert_array_equal(compiled({"w": 3.0}, np.arange(6.0)[::2]), [0.0, 6.0, 12.0])
    np.testing.assert_array_equal(staged({"w": 3.0}, np.arange(3.0)), [0.0, 3.0, 6.0])
    assert counted.traces == 1
    with pytest.raises(errors.ArgumentError, match=r"`argument 1` of type f64\[3\].* f64\[4\]"):
        compiled({"w": 3.0}, np.arange(4.0))
    with pytest.raises(errors.ArgumentError, match=r"compiled for arguments \(\{'w': Python float"):
        compiled({"v": 3.0}, np.arange(3.0))
    assert staged.compile() is staged


def test_staged_inside_staged_is_a_call() -> None:
    @gd.jit
    def inner(x: Any) -> Any:
        return np.sin(x) * 2.0

    def outer(x: Any) -> Any:
        return inner(x) + inner(x + 1) + inner(np.ones(3)).sum()

    traced = gd.stage(outer).trace(1.0)
    text = str(traced.module)
    assert text.count("func.call @inner(") == 2
    assert text.count("func.func private @inner") == 1
    np.testing.assert_allclose(gd.jit(outer)(1.0), outer(1.0))
    np.testing.assert_allclose(gd.grad(outer)(1.0), 2 * np.cos(1.0) + 2 * np.cos(2.0))
    np.testing.assert_allclose(gd.vmap(outer)(np.arange(3.0)), [outer(x) for x in np.arange(3.0)])


def test_functions_of_one_name_stay_apart() -> None:
    def make(factor: float) -> Callable[[Any], Any]:
        @gd.jit
        def scaled(x: Any) -> Any:
            return x * factor

        return scaled

    first, second = make(2.0), make(3.0)

    def scaled(x: Any) -> Any:
        return first(x) + second(x) + first(second(x))

    assert gd.jit(scaled)(1.0) == 11.0
    assert gd.grad(scaled)(1.0) == 11.0


def test_recursion_on_static_arguments() -> None:
    @gd.jit(static_argnums=1)
    def power(x: Any, n: int) -> Any:
        return 1.0 if n == 0 else x * power(x, n - 1)

    assert power(2.0, 5) == 32.0
    assert power.grad()(2.0, 5) == 80.0


def test_threads_call_one_function() -> None:
    counted = Counted(lambda x: np.sin(x) * x)
    f = gd.jit(counted)
    barrier = threading.Barrier(8)
    wrong: list[Any] = []

    def work(seed: int) -> None:
        barrier.wait()
        for n in range(1, 6):
            x = np.full(n, float(seed))
            if not np.allclose(f(x), np.sin(x) * x):
                wrong.append((seed, n))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len({id(f) for _ in range(3)}) == 1


def test_the_collector_is_as_before() -> None:
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            gd.jit(lambda x: x + 1)(1.0)
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_import_is_lazy() -> None:
    script = (
        "import sys, gradatim; heavy = {'xdsl', 'llvmlite', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert set(gradatim.__all__) <= set(dir(gradatim))\n"
        "for name in gradatim.__all__: getattr(gradatim, name)\n"
        "assert 'llvmlite' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    script = (
        "import gradatim.numpy as gnp, gradatim.errors, gradatim.tree as tree, gradatim as gd\n"
        "from gradatim.errors import GradatimError\n"
        "assert gd.numpy is gnp and gnp.__name__ == 'gradatim.frontend.numpy'\n"
        "assert gd.errors.GradatimError is GradatimError is gd.GradatimError\n"
        "assert tree.leaves([1, (2,)]) == gd.tree.leaves([1, (2,)]) == [1, 2]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gd.nonsense  # noqa: B018
