"""What a function is called with: the structure of its arguments and the type of each leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from operator import index
from typing import Any, Final

import numpy as np

from ..ir.errors import GradatimError
from ..ir.types import ELEMENT_TYPES, Shape, Tensor, spell_dtype, tensor_type
from . import tree
from .errors import ArgumentError, DtypeError
from .tracer import Tracer
from .tracing import as_array, require_open
from .tree import NodeKind, TreeDef

FLOAT0: Final = np.dtype([("float0", np.void, 0)])
"""JAX's dtype for derivatives of integers: there is nothing to store."""


_PYTHON_NAMES: Final = {"b": "bool", "i": "int", "f": "float", "c": "complex"}


@dataclass(frozen=True, slots=True, init=False)
class ShapeDtypeStruct:
    """The type of an array: what an argument, a result or a traced value is known to be.

    Instances may stand for arrays where a function is only traced or compiled.

    Args:
        shape: sizes of the dimensions, a sequence.
        dtype: anything that ``numpy.dtype`` takes.
        weak_type: whether it is a Python scalar, which takes the dtype of what it meets.
    """

    shape: Shape
    dtype: np.dtype
    weak_type: bool

    def __init__(self, shape: Sequence[int], dtype: Any, weak_type: bool = False) -> None:
        assign = object.__setattr__
        assign(self, "shape", tuple(map(index, shape)))
        assign(self, "dtype", dtype if isinstance(dtype, np.dtype) else np.dtype(dtype))
        assign(self, "weak_type", weak_type)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def tensor(self) -> Tensor:
        """The type in the IR."""
        return tensor_type(self.shape, self.dtype)

    @property
    def inexact(self) -> bool:
        """Whether it is real or complex floating point, so that derivatives exist."""
        return self.dtype.kind in "fc"

    def strong(self) -> ShapeDtypeStruct:
        """Return the same type of an array instead of a Python scalar."""
        return ShapeDtypeStruct(self.shape, self.dtype) if self.weak_type else self

    def update(self, **changes: Any) -> ShapeDtypeStruct:
        """Return the type with another ``shape``, ``dtype`` or ``weak_type``."""
        same = {"shape": self.shape, "dtype": self.dtype, "weak_type": self.weak_type}
        return ShapeDtypeStruct(**{**same, **changes})

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")  # NumPy's words
        return self.shape[0]

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype}{weak})"

    def __str__(self) -> str:
        if self.weak_type:
            return f"Python {_PYTHON_NAMES[self.dtype.kind]}"
        return f"{spell_dtype(self.dtype)}[{','.join(map(str, self.shape))}]"


tree.register_leaf(ShapeDtypeStruct)

_PYTHON_TYPES: Final = {
    bool: ShapeDtypeStruct((), np.bool_, weak_type=True),
    int: ShapeDtypeStruct((), np.int64, weak_type=True),
    float: ShapeDtypeStruct((), np.float64, weak_type=True),
    complex: ShapeDtypeStruct((), np.complex128, weak_type=True),
}


@dataclass(frozen=True)
class Arguments:
    """The structure and types of a call's arguments.

    Attributes:
        trees: structure of each argument: the positional ones, then those passed by keyword.
        keywords: names of the latter.
        types: type of each leaf, in order.
    """

    trees: tuple[TreeDef, ...]
    keywords: tuple[str, ...]
    types: tuple[ShapeDtypeStruct, ...]

    @cached_property
    def _hash(self) -> int:
        return hash((self.trees, self.keywords, self.types))

    def __hash__(self) -> int:
        return self._hash

    @property
    def positional(self) -> int:
        """How many arguments are positional."""
        return len(self.trees) - len(self.keywords)

    @cached_property
    def offsets(self) -> list[int]:
        """Index of the first leaf of each argument, and the number of all leaves."""
        offsets = [0]
        for structure in self.trees:
            offsets.append(offsets[-1] + structure.num_leaves)
        return offsets

    def leaves_of(self, argument: int) -> range:
        """Return the indices of an argument's leaves."""
        return range(self.offsets[argument], self.offsets[argument + 1])

    def paths(self, names: Sequence[str]) -> list[str]:
        """Return how each leaf is called, as ``params['w'][0]``."""
        roots = argument_names(names, self.positional) + list(self.keywords)
        return [path for root, t in zip(roots, self.trees) for path in t.paths(root)]

    def unflatten(self, leaves: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return positional and keyword arguments with the given leaves."""
        values = [
            structure.unflatten(leaves[self.offsets[i] : self.offsets[i + 1]])
            for i, structure in enumerate(self.trees)
        ]
        return values[: self.positional], dict(zip(self.keywords, values[self.positional :]))


def argument_names(names: Sequence[str], count: int) -> list[str]:
    """Return what to call ``count`` positional arguments of a function of these parameters."""
    return [names[i] if i < len(names) else f"argument {i}" for i in range(count)]


def flatten_arguments(
    args: Sequence[Any], kwargs: Mapping[str, Any], names: Sequence[str]
) -> tuple[list[Any], Arguments]:
    """Return the leaves of a call's arguments, and what they are.

    Raises:
        ArgumentError: if a leaf is no array or scalar.
        DtypeError: if its dtype is not supported.
        TreeError: if a container cannot be flattened.
    """
    leaves: list[Any] = []
    trees = []
    keywords = tuple(sorted(kwargs)) if kwargs else ()
    values = (*args, *[kwargs[name] for name in keywords])
    for value in values:
        found, structure = tree.flatten(value)
        leaves += found
        trees.append(structure)
    try:
        types = tuple([type_of(leaf) for leaf in leaves])
    except _NoDerivativeStored:
        parts = [without_float0(*tree.flatten(value)) for value in values]
        leaves, trees = [leaf for part, _ in parts for leaf in part], [t for _, t in parts]
        types = tuple([type_of(leaf) for leaf in leaves])
    except (GradatimError, OverflowError):
        _explain(leaves, Arguments(tuple(trees), keywords, ()).paths(names))
        raise
    return leaves, Arguments(tuple(trees), keywords, types)


def type_of(leaf: Any) -> ShapeDtypeStruct:
    """Return the type of a leaf of the arguments.

    Raises:
        ArgumentError: if it is no array or scalar.
        DtypeError: if its dtype is not supported.
        OverflowError: if it is an int of more than 64 bits.
        UnexpectedTracerError: if it is a value of a trace that has ended.
    """
    kind = type(leaf)
    known = _PYTHON_TYPES.get(kind)
    if known is not None:
        if kind is int and not -(2**63) <= leaf < 2**63:
            raise OverflowError(f"the int {leaf} does not fit 64 bits")
        return known
    if kind is np.ndarray or isinstance(leaf, np.generic):
        dtype = leaf.dtype
        if dtype in ELEMENT_TYPES and dtype.isnative:
            return ShapeDtypeStruct(leaf.shape, dtype)
        if dtype == FLOAT0:
            raise _NoDerivativeStored
    if kind is Tracer:
        require_open(leaf)
        return ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=leaf.weak)
    if kind is ShapeDtypeStruct:
        return leaf
    if isinstance(leaf, np.ma.MaskedArray):
        raise ArgumentError("a masked array has no counterpart in compiled code; use `filled()`")
    array = as_array(leaf)
    return ShapeDtypeStruct(array.shape, array.dtype)


def no_derivative(shape: Shape) -> TreeDef:
    """Return the structure that stands for the derivative of an integer: zeros of `FLOAT0`."""
    return TreeDef(FLOAT0_ZEROS, shape, (), 0)


def _float0_zeros(shape: Any, children: Sequence[Any]) -> np.ndarray:
    return np.zeros(shape, FLOAT0)


FLOAT0_ZEROS: Final = NodeKind(
    "float0", lambda node: ((), node.shape), _float0_zeros, lambda shape, count: ()
)
"""An array of `FLOAT0`, which has no element to store and so no leaf."""


class _NoDerivativeStored(Exception):
    """A leaf is an array of FLOAT0, which belongs to the structure."""


def without_float0(leaves: list[Any], structure: TreeDef) -> tuple[list[Any], TreeDef]:
    """Move arrays of FLOAT0 from the leaves of a tree into its structure."""
    stored = [isinstance(leaf, np.ndarray) and leaf.dtype == FLOAT0 for leaf in leaves]
    if not any(stored):
        return leaves, structure
    pairs = list(zip(leaves, stored))
    replaced = [no_derivative(leaf.shape) if empty else tree.LEAF for leaf, empty in pairs]
    return [leaf for leaf, empty in pairs if not empty], structure.compose(replaced)


def _explain(leaves: list[Any], paths: list[str]) -> None:
    """Raise the error of the first leaf that has none of the types, with the leaf's name."""
    for leaf, path in zip(leaves, paths):
        try:
            type_of(leaf)
        except (ArgumentError, DtypeError) as error:
            raise type(error)(
                f"argument `{path}`: {error.message}; pass arrays and numbers, in containers if "
                "need be (`gradatim.tree.register_node` makes a type one), or make the argument "
                "static (`static_argnums`, `static_argnames`)",
                error.where,
            ) from None
