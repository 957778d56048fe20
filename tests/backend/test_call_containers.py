"""Containers among the arguments and results of the compiled call."""

import collections
import contextlib
import dataclasses
import gc
import sys
import typing

import numpy as np
import pytest

from gradatim.backend.call.layout import (
    Dataclass,
    Dict,
    Leaf,
    List,
    NamedTuple,
    NoneNode,
    Static,
    Tuple,
    leaf_indices,
)

from .call_programs import SlowPathTaken, function, program, signature, spec


class Point(typing.NamedTuple):
    x: object
    y: object


class CheckedPoint(collections.namedtuple("Base", ["x", "y"])):
    def __new__(cls, x, y):
        if x is None:
            raise ValueError("x is missing")
        return super().__new__(cls, x, y)


@dataclasses.dataclass
class Model:
    weight: object
    bias: object


@dataclasses.dataclass
class LabelledModel:
    weight: object
    bias: object
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class FrozenModel:
    weight: object
    bias: object

    def __post_init__(self):
        if self.weight is None:
            raise ValueError("weight is missing")


A = np.arange(3.0)
B = np.float64(7)

# Layout of two leaves (float64[3] and float64) and an object of that layout.
PAIRS = {
    "tuple": (Tuple((Leaf(0), Leaf(1))), (A, B)),
    "list": (List((Leaf(0), Leaf(1))), [A, B]),
    "dict": (Dict(("a", "b"), (Leaf(0), Leaf(1))), {"a": A, "b": B}),
    "dict with other keys": (Dict((3, (1, "x")), (Leaf(0), Leaf(1))), {3: A, (1, "x"): B}),
    "leaves in another order": (Tuple((Leaf(1), Leaf(0))), (B, A)),
    "named tuple": (NamedTuple(Point, (Leaf(0), Leaf(1))), Point(A, B)),
    "named tuple with __new__": (
        NamedTuple(CheckedPoint, (Leaf(0), Leaf(1))),
        CheckedPoint(A, B),
    ),
    "dataclass": (Dataclass(Model, ("weight", "bias"), (Leaf(0), Leaf(1))), Model(A, B)),
    "dataclass with a static field": (
        Dataclass(LabelledModel, ("weight", "name", "bias"), (Leaf(0), Static("it"), Leaf(1))),
        LabelledModel(A, B, "it"),
    ),
    "frozen dataclass with slots": (
        Dataclass(FrozenModel, ("weight", "bias"), (Leaf(0), Leaf(1))),
        FrozenModel(A, B),
    ),
    "with None": (Tuple((Leaf(0), NoneNode(), Leaf(1))), (A, None, B)),
    "with static": (Tuple((Static("mode"), Leaf(0), Leaf(1), Static(3))), ("mode", A, B, 3)),
    "with empty containers": (
        Tuple((Tuple(()), List(()), Dict((), ()), Leaf(0), Leaf(1))),
        ((), [], {}, A, B),
    ),
    "nested": (
        Dict(("layers", "scale"), (List((Tuple((Leaf(0),)), NoneNode())), Leaf(1))),
        {"layers": [(A,), None], "scale": B},
    ),
    "deep": (
        List((Tuple((Dict(("k",), (NamedTuple(Point, (Leaf(0), List((Leaf(1),)))),)),)),)),
        [({"k": Point(A, [B])},)],
    ),
}


def assert_same(result, expected):
    assert type(result) is type(expected)
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(result, expected)
    elif isinstance(expected, tuple | list):
        assert len(result) == len(expected)
        for one, other in zip(result, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert list(result) == list(expected)
        for key in expected:
            assert_same(result[key], expected[key])
    elif dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_same(getattr(result, field.name), getattr(expected, field.name))
    else:
        assert result == expected


def of_one_argument(kind, layout, result=None):
    specs = [spec("d", 3), spec("d")]
    return function(program(signature(specs, result or layout, (layout,))), kind=kind)


@pytest.mark.parametrize("name", PAIRS)
def test_containers_go_in_and_come_out(kind, name):
    layout, value = PAIRS[name]
    assert_same(of_one_argument(kind, layout)(value), value)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("given", PAIRS)
def test_another_structure_goes_the_slow_way(kind, name, given):
    layout, value = PAIRS[name][0], PAIRS[given][1]
    if name != given:
        with pytest.raises(SlowPathTaken) as caught:
            of_one_argument(kind, layout)(value)
        assert caught.value.args[0][0] is value


class TupleSubclass(tuple):
    pass


class ListSubclass(list):
    pass


class DictSubclass(dict):
    pass


class ModelSubclass(Model):
    pass


class PointSubclass(Point):
    pass


def without_attribute():
    model = Model(A, B)
    del model.bias
    return model


MISMATCHES = {
    "tuple": [(), (A,), (A, B, B), (B, A), [A, B], TupleSubclass((A, B)), Point(A, B), None, A],
    "list": [[], [A], [A, B, B], (A, B), ListSubclass([A, B]), "ab", np.zeros(2)],
    "dict": [
        {},
        {"a": A},
        {"a": A, "c": B},
        {"a": A, "b": B, "c": B},
        {"a": A, b"b": B},
        DictSubclass(a=A, b=B),
        collections.OrderedDict(a=A, b=B),
        collections.defaultdict(list, a=A, b=B),
        [("a", A), ("b", B)],
    ],
    "named tuple": [
        (A, B),
        PointSubclass(A, B),
        CheckedPoint(A, B),
        tuple.__new__(Point, (A,)),
        tuple.__new__(Point, (A, B, B)),
    ],
    "dataclass": [ModelSubclass(A, B), FrozenModel(A, B), without_attribute(), {"weight": A}],
    "dataclass with a static field": [
        LabelledModel(A, B, "other"),
        LabelledModel(A, B, None),
        LabelledModel(A, B, 3),
        Model(A, B),
    ],
    "with None": [(A, 0, B), (A, False, B), (A, (), B)],
    "with static": [
        ("Mode", A, B, 3),
        ("mode", A, B, 4),
        ("mode", A, B, 3.0),
        ("mode", A, B, np.int64(3)),
        (b"mode", A, B, 3),
    ],
    "with empty containers": [((), [], {"k": 1}, A, B), ((), [()], {}, A, B), ([], [], {}, A, B)],
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_almost_the_right_container_goes_the_slow_way(kind, name):
    run = of_one_argument(kind, PAIRS[name][0])
    for value in MISMATCHES[name]:
        before = [sys.getrefcount(x) for x in (A, B)]
        with pytest.raises(SlowPathTaken):
            run(value)
        gc.collect()  # tracebacks
        assert [sys.getrefcount(x) for x in (A, B)] == before
    assert_same(run(PAIRS[name][1]), PAIRS[name][1])


def test_keys_may_come_in_any_order_and_need_not_be_interned(kind):
    layout = Dict(("alpha", "beta"), (Leaf(0), Leaf(1)))
    run = of_one_argument(kind, layout)
    expected = {"alpha": A, "beta": B}
    for value in [{"beta": B, "alpha": A}, {"".join(["al", "pha"]): A, "".join(["be", "ta"]): B}]:
        assert_same(run(value), expected)


def test_dictionary_with_changed_and_deleted_keys(kind):
    run = of_one_argument(kind, Dict(("a", "b"), (Leaf(0), Leaf(1))))
    value = {str(i): i for i in range(10)}
    value.update(b=B, a=A)
    with pytest.raises(SlowPathTaken):
        run(value)
    for i in range(10):
        del value[str(i)]
    assert_same(run(value), {"a": A, "b": B})
    value["b"] = None
    with pytest.raises(SlowPathTaken):
        run(value)


def test_static_strings_and_integers_match_by_equality(kind):
    layout = Tuple((Static("some mode"), Static(10**30), Leaf(0), Leaf(1)))
    run = of_one_argument(kind, layout, Tuple((Leaf(0), Leaf(1))))
    assert_same(run(("".join(["some ", "mode"]), 10**29 * 10, A, B)), (A, B))


def test_other_static_objects_match_by_identity(kind):
    class AlwaysEqual:
        def __eq__(self, other):
            return True

        __hash__ = object.__hash__

    value = AlwaysEqual()
    run = of_one_argument(kind, Tuple((Static(value), Leaf(0), Leaf(1))))
    assert run((value, A, B))[0] is value
    with pytest.raises(SlowPathTaken):
        run((AlwaysEqual(), A, B))


def test_one_output_in_several_places(kind):
    result = Tuple((Leaf(0), List((Leaf(0), Leaf(1), Leaf(1)))))
    first, (second, scalar, _) = of_one_argument(kind, Tuple((Leaf(0), Leaf(1))), result)((A, B))
    assert first is second
    assert scalar == B


def test_unused_outputs_are_dropped(kind):
    assert of_one_argument(kind, Tuple((Leaf(0), Leaf(1))), Leaf(1))((A, B)) == B
    assert of_one_argument(kind, Tuple((Leaf(0), Leaf(1))), NoneNode())((A, B)) is None


def test_result_dictionaries_are_independent(kind):
    run = of_one_argument(kind, PAIRS["dict"][0])
    first = run({"a": A, "b": B})
    first["c"] = 1
    first["a"] = None
    assert_same(run({"a": A, "b": B}), {"a": A, "b": B})


def test_constructors_that_refuse(kind):
    @dataclasses.dataclass
    class Picky:
        weight: object
        bias: object

        def __post_init__(self):
            if armed:
                raise ValueError("no")

    armed = False
    value = Picky(A, B)
    layout = Dataclass(Picky, ("weight", "bias"), (Leaf(0), Leaf(1)))
    for container in [layout, List((Tuple((layout,)), Leaf(0)))]:
        run = of_one_argument(kind, layout, container)
        armed = True
        with pytest.raises(ValueError, match="no"):
            run(value)
        armed = False
        run(value)


def test_attributes_that_raise_or_vanish_go_the_slow_way(kind):
    class Moody:
        @property
        def weight(self):
            raise KeyError("not now")

    run = of_one_argument(kind, Dataclass(Moody, ("weight", "bias"), (Leaf(0), Leaf(1))))
    with pytest.raises((SlowPathTaken, KeyError)):
        run(Moody())


def test_attribute_that_empties_the_list_it_is_in(kind):
    class Saboteur:
        @property
        def weight(self):
            items.clear()
            return np.arange(3.0)

    layout = List((Dataclass(Saboteur, ("weight",), (Leaf(0),)), Tuple((Leaf(1),))))
    run = of_one_argument(kind, layout, Leaf(0))
    items = [Saboteur(), (np.float64(5),)]
    with contextlib.suppress(SlowPathTaken):
        assert_same(run(items), A)
    assert items == []


def test_keys_whose_comparison_raises_go_the_slow_way(kind):
    class Evil:
        def __hash__(self):
            return hash("a")

        def __eq__(self, other):
            raise RuntimeError("compared")

    with pytest.raises((SlowPathTaken, RuntimeError)):
        of_one_argument(kind, PAIRS["dict"][0])({Evil(): A, "b": B})


def test_recursive_containers_go_the_slow_way(kind):
    for container in ([], {}):
        layout = PAIRS["list" if container == [] else "dict"][0]
        if container == []:
            container += [container, container]
        else:
            container.update(a=container, b=container)
        with pytest.raises(SlowPathTaken):
            of_one_argument(kind, layout)(container)


def test_layouts_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="2 dictionary keys but 1"):
        Dict(("a", "b"), (Leaf(0),))
    with pytest.raises(ValueError, match="1 fields of Model but 2"):
        Dataclass(Model, ("weight",), (Leaf(0), Leaf(1)))


def test_leaf_indices_are_in_depth_first_order():
    layout = Tuple((Leaf(3), List((Leaf(1), NoneNode())), Static(0), Dict(("k",), (Leaf(2),))))
    assert list(leaf_indices(layout)) == [3, 1, 2]


@pytest.mark.parametrize("name", PAIRS)
def test_references_are_balanced(kind, name):
    layout, value = PAIRS[name]
    run = of_one_argument(kind, layout)
    watched = [A, B, A.dtype, value, None, type(value)]
    run(value)
    before = [sys.getrefcount(x) for x in watched]
    for _ in range(1000):
        run(value)
    after = [sys.getrefcount(x) for x in watched]
    assert all(abs(x - y) < 500 for x, y in zip(before, after, strict=True))
