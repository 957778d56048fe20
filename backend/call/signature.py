"""What a compiled program takes and returns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from .layout import Layout, Leaf, Tuple, leaf_indices

PythonScalar = Literal["bool", "int", "float", "complex"]

# How a Python scalar is passed to the program.
WEAK_DTYPES: dict[PythonScalar, np.dtype[np.generic]] = {
    "bool": np.dtype(np.bool_),
    "int": np.dtype(np.int64),
    "float": np.dtype(np.float64),
    "complex": np.dtype(np.complex128),
}

# Characters of NumPy's own numeric dtypes but for long double, and `isbuiltin` of others' dtypes.
_NUMERIC = "?bhilqBHILQefdFD"
_USER_DEFINED = 2

# Leaves live on the stack of the call; this many take 640 KiB.
_MAXIMUM_LEAVES = 16384


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array or scalar that goes into or comes out of a program.

    Attributes:
        dtype: boolean, integer, floating or complex, in native byte order; or one that another
            package defines, such as bfloat16.
        shape: extents; () for a scalar. An input with shape () accepts a NumPy scalar and a 0-d
            array of exactly this dtype; an output with shape () is returned as a NumPy scalar.
            (Scalars of a dtype that another package defines are not accepted, only 0-d arrays.)
        weak: for an input that was traced as a Python scalar, its type. Then only an object of
            exactly this type is accepted, passed as `WEAK_DTYPES` says.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    weak: PythonScalar | None = None

    def __post_init__(self) -> None:
        known = self.dtype.char in _NUMERIC or self.dtype.isbuiltin == _USER_DEFINED
        if not known or not self.dtype.isnative or self.dtype.itemsize > 16:
            raise ValueError(f"a program cannot take or return arrays of dtype {self.dtype!r}")
        if self.weak is not None and (self.shape or self.dtype != WEAK_DTYPES[self.weak]):
            raise ValueError(
                f"a Python {self.weak} is passed as a scalar of {WEAK_DTYPES[self.weak]}, "
                f"not as {self.dtype} of shape {self.shape}"
            )

    @property
    def accepts_scalars(self) -> bool:
        """Whether an input accepts an object of the dtype's scalar type, or of its Python type."""
        return self.shape == () and self.dtype.isbuiltin != _USER_DEFINED

    @property
    def nbytes(self) -> int:
        """Size of the data in bytes."""
        return self.dtype.itemsize * prod(self.shape)


@dataclass(frozen=True, slots=True)
class CallSignature:
    """How a program is called from Python.

    Attributes:
        parameters: the layout of each argument: first the positional ones, then those passed by
            keyword in the order of `keywords`. Their leaves number the inputs, each once.
        inputs: what each input leaf must be.
        result: the layout of the returned object, whose leaves number the outputs.
        outputs: what each output leaf is.
        captures: how many arrays the program closes over; they precede the inputs in its C entry.
        keywords: names of the arguments that come by keyword, in the order of the call.
    """

    parameters: tuple[Layout, ...]
    inputs: tuple[ArraySpec, ...]
    result: Layout
    outputs: tuple[ArraySpec, ...]
    captures: int = 0
    keywords: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        leaves = sorted(index for layout in self.parameters for index in leaf_indices(layout))
        if leaves != list(range(len(self.inputs))):
            raise ValueError(f"the parameters have leaves {leaves} for {len(self.inputs)} inputs")
        if not set(leaf_indices(self.result)) <= set(range(len(self.outputs))):
            raise ValueError(f"the result names more than the {len(self.outputs)} outputs")
        if any(spec.weak for spec in self.outputs):
            raise ValueError("an output is a NumPy scalar or array and cannot be weak")
        if len(self.keywords) > len(self.parameters):
            raise ValueError(f"{len(self.keywords)} keywords name more than all the parameters")
        if len(self.inputs) + len(self.outputs) > _MAXIMUM_LEAVES:
            raise ValueError(f"a compiled call takes and returns at most {_MAXIMUM_LEAVES} arrays")

    @property
    def is_flat(self) -> bool:
        """Whether argument i is input i, without containers or static arguments."""
        return self.parameters == tuple(map(Leaf, range(len(self.inputs))))

    @property
    def returns_leaf(self) -> bool:
        """Whether the result is the only output itself."""
        return self.result == Leaf(0) and len(self.outputs) == 1


def flat_signature(
    inputs: Iterable[ArraySpec], outputs: Iterable[ArraySpec], *, captures: int = 0
) -> CallSignature:
    """Return the signature of a program that takes each input and returns a tuple of outputs."""
    inputs, outputs = tuple(inputs), tuple(outputs)
    return CallSignature(
        parameters=tuple(map(Leaf, range(len(inputs)))),
        inputs=inputs,
        result=Tuple(tuple(map(Leaf, range(len(outputs))))),
        outputs=outputs,
        captures=captures,
    )
