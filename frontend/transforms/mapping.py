"""Mapping over an axis of the arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import tree
from ..arguments import Arguments, ShapeDtypeStruct, argument_names
from ..axes import Axes, AxesNode, spread
from ..errors import AxesError
from .base import Function, Lanes, PassCall, Results, Transform


@dataclass(frozen=True)
class Vmap(Transform):
    """Map over an axis of the arguments: ``in_axes``, ``out_axes``, ... as JAX's."""

    in_axes: Axes = 0
    out_axes: Axes = 0
    axis_size: int | None = None
    axis_name: str | None = None

    def inner_arguments(self, outer: Arguments, names: Sequence[str]) -> Arguments:
        """Take the mapped axis out of the arguments' types.

        Raises:
            AxesError: if the axes do not fit the arguments, or differ in size.
        """
        self._size(outer, names)
        types = [
            type_ if axis is None else _without_axis(type_, axis)
            for type_, axis in zip(outer.types, self._axes_in(outer, names))
        ]
        return Arguments(outer.trees, outer.keywords, tuple(types))

    def outer_results(self, outer: Arguments, inner: Function) -> Results:
        """Put the mapped axis into the results' types.

        Raises:
            AxesError: if ``out_axes`` does not fit the results.
        """
        size = self._size(outer)
        types = [
            type_.strong() if axis is None else _with_axis(type_, axis, size)
            for type_, axis in zip(inner.results.types, self._axes_out(inner.results))
        ]
        return Results(inner.results.tree, tuple(types))

    def lanes(self, outer: Arguments) -> Lanes:
        """Return the axes of all leaves."""
        axes = tuple([_or_unmapped(axis) for axis in self._axes_in(outer)])
        return Lanes(axes, self._size(outer), self.axis_name)

    def passes(self, outer: Arguments, inner: Function) -> list[PassCall]:
        """Batch, with captures and unmapped arguments shared by all."""
        in_axes = [-1] * inner.captures + [_or_unmapped(axis) for axis in self._axes_in(outer)]
        options = {
            "function": inner.name,
            "in_axes": tuple(in_axes),
            "out_axes": tuple(map(_or_unmapped, self._axes_out(inner.results))),
            **self.lanes(outer).options,
        }
        return [PassCall("array-vmap", options)]

    def _axes_in(self, outer: Arguments, names: Sequence[str] = ()) -> list[int | None]:
        """Return the axis of each leaf of the arguments; those by keyword are mapped along 0."""
        count = outer.positional
        per_argument: list[Axes] = [self.in_axes] * count
        if isinstance(self.in_axes, AxesNode):
            if self.in_axes.kind not in (tree.TUPLE, tree.LIST):
                raise AxesError(
                    "in_axes must be an int, None or a tuple with one entry an argument"
                )
            per_argument = list(self.in_axes.children)
        if len(per_argument) != count:
            raise AxesError(
                f"in_axes has {len(per_argument)} entries for {count} positional arguments"
            )
        axes: list[int | None] = []
        for spec, structure, name in zip(per_argument, outer.trees, argument_names(names, count)):
            axes += spread(spec, structure, "in_axes", name)
        axes += [0] * (len(outer.types) - len(axes))
        return _normalized(axes, outer.types, 0, lambda: outer.paths(names))

    def _axes_out(self, inner: Results) -> list[int | None]:
        axes = spread(self.out_axes, inner.tree, "out_axes", "")
        return _normalized(axes, inner.types, 1, lambda: inner.tree.paths("result"))

    def _size(self, outer: Arguments, names: Sequence[str] = ()) -> int:
        sizes: dict[int, str] = {}
        paths = outer.paths(names)
        for axis, type_, path in zip(self._axes_in(outer, names), outer.types, paths):
            if axis is not None:
                sizes.setdefault(type_.shape[axis], f"axis {axis} of `{path}` ({type_})")
        if self.axis_size is not None:
            sizes.setdefault(self.axis_size, "axis_size")
        if len(sizes) > 1:
            found = ", ".join(f"{size} for {what}" for size, what in sizes.items())
            raise AxesError(f"vmap needs one size for all mapped axes, found {found}")
        if not sizes:
            raise AxesError("vmap needs an argument with an axis to map over, or axis_size")
        return next(iter(sizes))


def _normalized(
    axes: Sequence[int | None],
    types: Sequence[ShapeDtypeStruct],
    extra: int,
    paths: Callable[[], list[str]],
) -> list[int | None]:
    """Return the axes counted from 0; ``paths`` names the arrays in errors."""
    ranks = [len(type_.shape) + extra for type_ in types]
    for i, (axis, rank) in enumerate(zip(axes, ranks)):
        if axis is not None and not -rank <= axis < rank:
            raise AxesError(f"axis {axis} is out of range for `{paths()[i]}`, which is {types[i]}")
    return [None if axis is None else axis % rank for axis, rank in zip(axes, ranks)]


def _without_axis(type_: ShapeDtypeStruct, axis: int) -> ShapeDtypeStruct:
    return ShapeDtypeStruct(type_.shape[:axis] + type_.shape[axis + 1 :], type_.dtype)


def _with_axis(type_: ShapeDtypeStruct, axis: int, size: int) -> ShapeDtypeStruct:
    return ShapeDtypeStruct((*type_.shape[:axis], size, *type_.shape[axis:]), type_.dtype)


def _or_unmapped(axis: int | None) -> int:
    return -1 if axis is None else axis
