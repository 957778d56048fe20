"""Trees: taking apart and putting together, structures, registration."""

from __future__ import annotations

import pickle
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
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


@settings(max_examples=40)
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


def is_pair(node: Any) -> bool:
    return isinstance(node, tuple) and len(node) == 2


@given(trees(st.integers()))
def test_paths_as_keys(value: Any) -> None:
    pairs, structure = tree.flatten_with_path(value)
    assert structure == tree.structure(value)
    assert [leaf for _, leaf in pairs] == tree.leaves(value)
    assert [tree.keystr(path) for path, _ in pairs] == structure.paths()
    assert tree.leaves_with_path(value) == pairs
    spelled = tree.map_with_path(lambda path, leaf: f"{tree.keystr(path)}={leaf}", value)
    assert tree.structure(spelled) == structure
    expected = [f"{path}={leaf}" for path, leaf in zip(structure.paths(), tree.leaves(value))]
    assert tree.leaves(spelled) == expected


@given(trees(st.integers()), trees(st.integers()))
def test_transpose_turns_inside_out(outer: Any, inner: Any) -> None:
    nested = tree.map(lambda leaf: inner, outer)
    outside, inside = tree.structure(outer), tree.structure(inner)
    turned = tree.transpose(outside, inside, nested)
    assert tree.structure(turned) == inside.compose(outside)
    assert tree.transpose(inside, outside, turned) == nested
    if outside.num_leaves:
        assert tree.transpose(outside, None, nested) == turned


@settings(max_examples=40)
@given(trees(st.integers()), st.data())
def test_broadcast_repeats_a_prefix(value: Any, data: st.DataObject) -> None:
    prefix = tree.map(lambda leaf: data.draw(st.integers()), value)
    full = tree.map(lambda leaf: data.draw(trees(st.integers())), value)
    found = tree.broadcast(prefix, full)
    assert tree.structure(found) == tree.structure(full)
    parts = tree.structure(value).flatten_up_to(full)
    expected = [x for x, part in zip(tree.leaves(prefix), parts) for _ in tree.leaves(part)]
    assert tree.leaves(found) == expected


@given(trees(st.integers()))
def test_reductions(value: Any) -> None:
    leaves = tree.leaves(value)
    assert tree.reduce(lambda a, b: [*a, b], value, []) == leaves
    strings = tree.map(str, value)
    joined = tree.reduce_associative(lambda a, b: a + b, strings, identity="")
    assert joined == "".join(map(str, leaves))
    assert tree.all(value) == all(leaves)


def test_reductions_of_nothing() -> None:
    assert tree.reduce(max, [1, 3, 2]) == 3
    for reduction in (tree.reduce, tree.reduce_associative):
        with pytest.raises(TypeError):
            reduction(max, [None, ()])


def test_is_leaf_leaves_parts_whole() -> None:
    value = {"a": (1, 2), "b": [(3, 4), 5]}
    assert tree.leaves(value, is_leaf=is_pair) == [(1, 2), (3, 4), 5]
    assert tree.map(str, value, is_leaf=is_pair) == {"a": "(1, 2)", "b": ["(3, 4)", "5"]}
    assert repr(tree.structure(value, is_leaf=is_pair)) == "TreeDef({'a': *, 'b': [*, *]})"
    assert tree.leaves([1, None], is_leaf=lambda node: node is None) == [1, None]
    below_b = tree.flatten_with_path(
        value, is_leaf=lambda path, node: tree.keystr(path) == "['b']", is_leaf_takes_path=True
    )
    assert [leaf for _, leaf in below_b[0]] == [1, 2, [(3, 4), 5]]


def test_map_takes_trees_of_which_the_first_is_a_prefix() -> None:
    assert tree.map(lambda a, b: (a, b), [1, 2], [[3], None]) == [(1, [3]), (2, None)]
    with pytest.raises(errors.TreeError, match=r"different structures at \['b'\]\[0\]"):
        tree.map(lambda a, b: a, {"a": 1, "b": [[2]]}, {"a": 1, "b": [2]})


def test_numbers_of_nodes() -> None:
    structure = tree.structure({"a": [1, 2], "b": None})
    assert (structure.num_leaves, structure.num_nodes) == (2, 5)


def test_transpose_of_another_structure() -> None:
    with pytest.raises(errors.TreeError, match="expected a tree of the structure"):
        tree.transpose(tree.structure([0, 0]), tree.structure((0, 0)), [(1, 2), (3,)])


def test_keys_are_spelled_as_in_source() -> None:
    value = {"layers": [Layer(1, Point(2, 3))], "p": Polynomial([4], "x")}
    paths = [path for path, _ in tree.flatten_with_path(value)[0]]
    assert [tree.keystr(path) for path in paths] == [
        "['layers'][0].weight", "['layers'][0].bias.x", "['layers'][0].bias.y",
        "['p'][<flat index 0>]",
    ]  # fmt: skip
    assert tree.keystr(paths[1], simple=True, separator="/") == "layers/0/bias/x"


def test_registration_with_keys() -> None:
    @tree.register_pytree_with_keys_class
    class Named:
        def __init__(self, **values: Any) -> None:
            self.values = values

        def tree_flatten_with_keys(self) -> Any:
            pairs = [(tree.GetAttrKey(name), value) for name, value in self.values.items()]
            return pairs, tuple(self.values)

        @classmethod
        def tree_unflatten(cls, names: Any, values: Any) -> Named:
            return cls(**dict(zip(names, values)))

    @tree.register_pytree_node_class
    class Plain:
        def __init__(self, value: Any) -> None:
            self.value = value

        def tree_flatten(self) -> Any:
            return (self.value,), None

        @classmethod
        def tree_unflatten(cls, data: Any, values: Any) -> Plain:
            return cls(*values)

    value = Named(a=Plain(1), b=[2])
    assert tree.leaves(value) == [1, 2]
    assert tree.structure(value).paths("v") == ["v.a[<flat index 0>]", "v.b[0]"]
    assert tree.map(str, value).values["b"] == ["2"]
    assert tree.is_tree_node(Named)
    assert not tree.is_tree_node(int)


def test_static_classes_belong_to_the_structure() -> None:
    @tree.register_static
    class Mode(str):
        __slots__ = ()

    assert tree.leaves([Mode("a"), 1]) == [1]
    assert tree.structure(Mode("a")) == tree.structure(Mode("a"))
    assert tree.structure(Mode("a")) != tree.structure(Mode("b"))

    @dataclass
    class Config:
        x: int
        mode: str = tree.static(default="fast", metadata={"unit": 1})

    assert tree.leaves(Config(1)) == [1]
    assert tree.map(str, Config(1)) == Config("1", "fast")  # type: ignore[arg-type]


def test_dropped_fields_get_their_defaults() -> None:
    @dataclass
    class Cached:
        a: int
        cache: Any = None

    tree.register_dataclass(Cached, ["a"], [], drop_fields=["cache"])
    assert tree.leaves(Cached(1, "x")) == [1]
    assert tree.map(lambda a: a + 1, Cached(1, "x")) == Cached(2, None)


def test_partial_is_a_container() -> None:
    def scaled(factor: Any, x: Any, shift: Any = 0) -> Any:
        return factor * x + shift

    partial = tree.Partial(scaled, 2.0, shift=1.0)
    assert tree.leaves(partial) == [2.0, 1.0]
    doubled = tree.map(lambda leaf: 2 * leaf, partial)
    assert doubled(3.0) == 14.0
    assert tree.structure(doubled) == tree.structure(partial)


def test_names_of_jax() -> None:
    from gradatim import tree_util

    assert tree_util.tree_leaves([1, (2,)]) == [1, 2]
    structure = tree_util.tree_structure((1, [2]))
    assert tree_util.treedef_children(structure) == [tree.LEAF, tree.structure([0])]
    assert tree_util.treedef_tuple(structure.children) == structure
    assert tree_util.treedef_is_leaf(tree.LEAF)
    assert not tree_util.treedef_is_leaf(structure)
    assert tree_util.all_leaves([1, "a"])
    assert not tree_util.all_leaves([1, ()])
    assert tree_util.all_leaves([1, (2, 3)], is_leaf=is_pair)
    assert all(hasattr(tree_util, name) for name in tree_util.__all__)


def test_nesting_that_is_deep_but_not_endless() -> None:
    """Where the stack ends for another reason, the tree is not blamed."""

    def recurse(depth: int) -> None:
        tree.flatten([1, [2]])
        recurse(depth + 1)

    with pytest.raises(RecursionError):
        recurse(0)
