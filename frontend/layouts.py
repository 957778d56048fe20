"""From structures and types to the signatures of compiled calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..backend.call import ArraySpec, CallSignature, flat_signature
from ..backend.call import layout as backend
from ..backend.call.layout import Layout
from . import tree
from .arguments import FLOAT0_ZEROS, ShapeDtypeStruct
from .traced import Traced
from .tree import NodeKind, TreeDef

_PYTHON_SCALARS: Final = {"b": "bool", "i": "int", "f": "float", "c": "complex"}


class NoLayout(Exception):
    """The structure has a container that compiled calls do not know."""


def call_signature(
    traced: Traced, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> CallSignature | None:
    """Return how the function is called with such arguments.

    Args:
        traced: the function.
        args: positional arguments, which give the order of keys in dictionaries.
        kwargs: arguments by keyword, in the order of the call.

    Returns:
        The signature; None if a container has a type that compiled calls do not know.
    """
    arguments = traced.function.arguments
    count = arguments.positional
    order = [*range(count), *(count + arguments.keywords.index(name) for name in kwargs)]
    examples = (*args, *kwargs.values())
    try:
        return CallSignature(
            tuple(
                layout_of(arguments.trees[i], arguments.offsets[i], example)
                for i, example in zip(order, examples)
            ),
            tuple(map(array_spec, traced.in_avals)),
            layout_of(traced.out_tree, 0),
            _outputs(traced),
            len(traced.captures),
            tuple(kwargs),
        )
    except NoLayout:
        return None


def flat_call(traced: Traced) -> CallSignature:
    """Return how the function is called with the leaves of its arguments, for a tuple of leaves."""
    inputs = map(array_spec, traced.in_avals)
    return flat_signature(inputs, _outputs(traced), captures=len(traced.captures))


def array_spec(type_: ShapeDtypeStruct) -> ArraySpec:
    """Return how compiled calls know the type of an array."""
    weak: Any = _PYTHON_SCALARS[type_.dtype.kind] if type_.weak_type else None
    return ArraySpec(type_.dtype, type_.shape, weak)


def _outputs(traced: Traced) -> tuple[ArraySpec, ...]:
    return tuple([array_spec(type_.strong()) for type_ in traced.out_avals])


def layout_of(structure: TreeDef, first: int, example: Any = None) -> Layout:
    """Return the layout of a structure.

    Args:
        structure: the structure.
        first: number of its first leaf.
        example: a tree of this structure, whose dictionaries give the order of their keys.

    Raises:
        NoLayout: if there is none, because of a container of a registered type.
    """
    if structure.kind is None:
        return backend.Leaf(first)
    convert = _CONVERSIONS.get(structure.kind)
    if convert is not None:
        return convert(structure, first, example)
    if isinstance(structure.data, tree.DataclassData):
        return _dataclass(structure, structure.data, first, example)
    raise NoLayout


def _children(structure: TreeDef, first: int, parts: Sequence[Any]) -> tuple[Layout, ...]:
    layouts = []
    for child, part in zip(structure.children, parts):
        layouts.append(layout_of(child, first, part))
        first += child.num_leaves
    return tuple(layouts)


def _parts(structure: TreeDef, example: Any) -> Sequence[Any]:
    return [None] * len(structure.children) if example is None else example


def _dictionary(structure: TreeDef, first: int, example: Any) -> Layout:
    keys = structure.data
    parts = [None if example is None else example[key] for key in keys]
    layouts = dict(zip(keys, _children(structure, first, parts)))
    order = tuple(keys if example is None else example)
    return backend.Dict(order, tuple([layouts[key] for key in order]))


def _named_tuple(structure: TreeDef, first: int, example: Any) -> Layout:
    children = _children(structure, first, _parts(structure, example))
    return backend.NamedTuple(structure.data, children)


def _dataclass(structure: TreeDef, data: tree.DataclassData, first: int, example: Any) -> Layout:
    parts = [None if example is None else getattr(example, name) for name in data.data_fields]
    static = [backend.Static(value.value) for value in data.values]
    return backend.Dataclass(
        data.type,
        data.data_fields + data.meta_fields,
        (*_children(structure, first, parts), *static),
    )


_CONVERSIONS: dict[NodeKind, Callable[[TreeDef, int, Any], Layout]] = {
    tree.NONE: lambda structure, first, example: backend.NoneNode(),
    tree.TUPLE: lambda structure, first, example: backend.Tuple(
        _children(structure, first, _parts(structure, example))
    ),
    tree.LIST: lambda structure, first, example: backend.List(
        _children(structure, first, _parts(structure, example))
    ),
    tree.DICT: _dictionary,
    tree.NAMED_TUPLE: _named_tuple,
    tree.STATIC: lambda structure, first, example: backend.Static(structure.data.value),
    FLOAT0_ZEROS: lambda structure, first, example: backend.Static(structure.unflatten(())),
}
