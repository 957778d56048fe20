"""Trees of arrays as one vector."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from . import numpy as surface
from . import tree
from .arguments import ShapeDtypeStruct, type_of
from .boundary import public
from .errors import ArgumentError
from .tree import TreeDef


class Unravel:
    """Makes a tree of a vector; equal for equal structures and types.

    Attributes:
        structure: of the tree.
        types: of its leaves.
        dtype: of the vector.
    """

    def __init__(
        self, structure: TreeDef, types: tuple[ShapeDtypeStruct, ...], dtype: np.dtype
    ) -> None:
        self.structure = structure
        self.types = types
        self.dtype = dtype
        self.__name__ = "unravel"

    def __eq__(self, other: object) -> bool:
        return type(other) is Unravel and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.structure, self.types, self.dtype

    @public
    def __call__(self, vector: Any) -> Any:
        """Return the tree whose leaves, one behind the other, are the vector.

        Raises:
            ArgumentError: (a TypeError) if the vector has another length or dtype.
        """
        shape = (sum(prod(type_.shape) for type_ in self.types),)
        found = type_of(vector)
        if found.shape != shape or found.dtype != self.dtype:
            expected = ShapeDtypeStruct(shape, self.dtype)
            raise ArgumentError(f"unravel expected {expected}, found {found}")
        leaves, start = [], 0
        for type_ in self.types:
            end = start + prod(type_.shape)
            leaves.append(_leaf(vector[start:end], type_))
            start = end
        return self.structure.unflatten(leaves)


@public
def ravel_pytree(pytree: Any) -> tuple[Any, Unravel]:
    """Return the leaves of a tree as one vector, and the function that makes the tree of a vector.

    The vector has the dtype that NumPy promotes those of the leaves to; what is made of it has the
    leaves' own ones again.

    Raises:
        ArgumentError: (a TypeError) if a leaf is no array or number.

    Example:
        >>> flat, unravel = ravel_pytree({"a": np.ones(2), "b": 3})
        >>> flat
        array([1., 1., 3.])
        >>> unravel(2 * flat)
        {'a': array([2., 2.]), 'b': np.int64(6)}
    """
    leaves, structure = tree.flatten(pytree)
    types = tuple([type_of(leaf).strong() for leaf in leaves])
    dtype = np.result_type(*[type_.dtype for type_ in types]) if types else np.dtype(np.float64)
    parts = [surface.astype(surface.ravel(surface.asarray(leaf)), dtype) for leaf in leaves]
    flat = surface.concatenate(parts) if parts else np.zeros(0)
    return flat, Unravel(structure, types, dtype)


def _leaf(part: Any, type_: ShapeDtypeStruct) -> Any:
    """Return a part of a vector in the shape and dtype of a leaf; a number as a scalar."""
    if type_.dtype.kind != "c":
        part = surface.real(part)
    shaped = surface.reshape(surface.astype(part, type_.dtype), type_.shape)
    return shaped if type_.shape or not isinstance(shaped, np.ndarray) else shaped[()]
