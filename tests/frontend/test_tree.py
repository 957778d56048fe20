"""Trees: taking apart and putting together, structures, registration."""

from __future__ import annotations

import pickle
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradatim import errors
from gradatim.frontend import tree

Point = namedtuple("Point", ["x", "y"])


@dataclass
class Layer:
    weight: Any
    bias: Any
    activation: str = field(default="tanh", metadata={"static": True})


@dataclass(frozen=True)
class Empty:
    pass


class Polynomial:
    """A container that has to be registered."""

    def __init__(self, coefficients: list[Any], variable: str) -> None:
        self.coefficients = coefficients
        self.variable = variable

    def __repr__(self) -> str:
        return f"Polynomial({self.coefficients}, {self.variable!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and vars(self) == vars(other)


tree.register_node(
    Polynomial, lambda p: (p.coefficients, p.variable), lambda data, c: Polynomial(list(c), data)
)


def trees(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(inner, max_size=3)
        names = st.text("abc", min_size=1, max_size=2)
        return st.one_of(
            several,
            several.map(tuple),
            st.dictionaries(names, inner, max_size=3),
            st.dictionaries(names, inner, max_size=3).map(OrderedDict),
            st.dictionaries(names, inner, max_size=3).map(lambda d: defaultdict(list, d)),
            st.builds(Point, inner, inner),
            st.builds(Layer, inner, inner, st.sampled_from(["tanh", "relu"])),
            st.builds(Polynomial, several, names),
            st.none(),
            st.just(Empty()),
        )

    return st.recursive(leaf, extend, max_leaves=12)


@given(trees(st.integers()))
def test_unflatten_reverses_flatten(value: Any) -> None:
    leaves, structure = tree.flatten(value)
    assert structure.num_leaves == len(leaves)
    assert tree.unflatten(structure, leaves) == value
    assert tree.leaves(value) == leaves


@given(trees(st.integers()))
def test_structure_does_not_depend_on_leaves(value: Any) -> None:
    structure = tree.structure(value)
    other = tree.structure(tree.map(str, value))
    assert structure == other
    assert hash(structure) == hash(other)
    assert repr(structure) == repr(other)


@given(trees(st.integers()), trees(st.integers()))
def test_different_structures_differ(first: Any, second: Any) -> None:
    same = tree.map(lambda leaf: 0, first) == tree.map(lambda leaf: 0, second)
    # 0-leaf containers of one type can be equal Python objects: types tell the others apart.
    if tree.structure(first) == tree.structure(second):
        assert same
    elif same:
        assert repr(tree.structure(first)) != repr(tree.structure(second))


@given(trees(st.integers()))
def test_paths_lead_to_the_leaves(value: Any) -> None:
    leaves, structure = tree.flatten(value)
    paths = structure.paths("value")
    if "Polynomial" not in repr(value):  # its children are not reached by an index
        assert [eval(path, {"value": value}) for path in paths] == leaves
    assert len(paths) == len(leaves)


@given(trees(st.integers()), st.data())
def test_compose_replaces_leaves(value: Any, data: st.DataObject) -> None:
    leaves, structure = tree.flatten(value)
    parts = [data.draw(trees(st.integers())) for _ in leaves]
    remaining = iter(parts)
    expected = tree.structure(tree.map(lambda leaf: next(remaining), value))
    assert structure.compose([tree.structure(part) for part in parts]) == expected


def test_dictionaries_are_sorted_and_ordered_ones_are_not() -> None:
    assert tree.leaves({"b": 1, "a": 2}) == [2, 1]
    assert tree.leaves(OrderedDict([("b", 1), ("a", 2)])) == [1, 2]
    assert tree.structure({"b": 1, "a": 2}) == tree.structure({"a": 1, "b": 2})


def test_factory_of_defaultdict_is_structure() -> None:
    lists, ints = (tree.structure(defaultdict(kind, a=1)) for kind in (list, int))
    assert lists != ints
    assert lists.unflatten([1]).default_factory is list


def test_static_fields_are_structure() -> None:
    assert tree.leaves(Layer(1, 2, "relu")) == [1, 2]
    assert tree.structure(Layer(1, 2, "relu")) != tree.structure(Layer(1, 2, "tanh"))
    assert tree.map(str, Layer(1, 2, "relu")) == Layer("1", "2", "relu")


def test_static_values_of_different_types_differ() -> None:
    values = [1, 1.0, True, "1", (1,)]
    structures = [tree.structure(tree.Static(value)) for value in values]
    assert len(set(structures)) == len(values)
    assert tree.structure(tree.Static((1, "a"))) == tree.structure(tree.Static((1, "a")))


def test_repr_shows_the_containers() -> None:
    value = {"layers": [Layer(1, 2)], "point": Point(1, None), "none": None}
    assert repr(tree.structure(value)) == (
        "TreeDef({'layers': [Layer(weight=*, bias=*, activation='tanh')], 'none': None, "
        "'point': Point(x=*, y=None)})"
    )


def test_register_dataclass_chooses_fields() -> None:
    @tree.register_dataclass
    @dataclass
    class Plain:
        a: int
        b: int

    @dataclass
    class Chosen:
        a: int
        b: int

    tree.register_dataclass(Chosen, data_fields=["b"], meta_fields=["a"])
    assert tree.leaves(Plain(1, 2)) == [1, 2]
    assert tree.leaves(Chosen(1, 2)) == [2]
    assert tree.structure(Chosen(1, 2)) != tree.structure(Chosen(3, 2))
    assert tree.structure(Chosen(1, 2)).paths("c") == ["c.b"]


@pytest.mark.parametrize(
    ("data_fields", "meta_fields"), [(["a"], []), (["a", "b"], ["c"]), (["a", "b"], ["b"])]
)
def test_register_dataclass_refuses_other_fields(
    data_fields: list[str], meta_fields: list[str]
) -> None:
    @dataclass
    class Pair:
        a: int
        b: int

    with pytest.raises(ValueError, match=r"are not the fields \['a', 'b'\] of Pair"):
        tree.register_dataclass(Pair, data_fields, meta_fields)


@pytest.mark.parametrize("type_", [list, dict, Polynomial, type(None)])
def test_a_type_is_registered_once(type_: type[Any]) -> None:
    with pytest.raises(ValueError, match="registered as a container already"):
        tree.register_node(type_, lambda x: ((), None), lambda data, children: None)


def test_keys_that_cannot_be_sorted() -> None:
    with pytest.raises(errors.TreeError, match=r"keys \[1, 'a'\] of a dictionary cannot be sorted"):
        tree.flatten({1: 0, "a": 0})


def test_a_container_that_holds_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(errors.TreeError, match="holds itself"):
        tree.flatten(endless)


def test_number_of_leaves_is_checked() -> None:
    structure = tree.structure([1, 2])
    with pytest.raises(errors.TreeError, match="structure of 2 leaves was given 3"):
        structure.unflatten([1, 2, 3])


def test_map_of_several_trees() -> None:
    assert tree.map(lambda a, b: a + b, {"x": [1, 2]}, {"x": [10, 20]}) == {"x": [11, 22]}
    with pytest.raises(errors.TreeError, match="different structures"):
        tree.map(lambda a, b: a + b, [1, 2], (1, 2))


def test_static_is_picklable() -> None:
    assert pickle.loads(pickle.dumps(tree.Static(3))) == tree.Static(3)
