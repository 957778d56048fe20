"""A linked program and the tables by which the compiled call (call.ll) reads its signature."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .. import threads
from ..jit import Linked, link
from . import layout as tree
from . import pool, runtime
from .entry import ENTRY, capture_symbol
from .layout import Layout
from .signature import ArraySpec, CallSignature

# Kinds of %node in containers.ll.
_LEAF, _STATIC, _TUPLE, _LIST, _DICT, _OBJECT = range(6)

# Conversions of %input in call.ll, for scalars whose value does not lie in the object as C has it.
_CONVERSIONS = {"int": 1, "bool": 2}

_PYTHON_SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "complex": complex}

# An array of this rank does not exist: the input takes a scalar only.
_NO_RANK = 1 << 32


class Program:
    """One compilation: code, its signature, and what else must live as long.

    Args:
        linked: the linked module, with `entry.ENTRY` among its exports.
        signature: how it is called.
        keep: objects whose memory the code refers to, such as the captured arrays.
    """

    def __init__(self, linked: Linked, signature: CallSignature, keep: object = None) -> None:
        self.signature = signature
        self.entry_address = linked.address(ENTRY)
        self._keep = [linked, keep]

    @cached_property
    def table_address(self) -> int:
        """Address of this program's %program table (call.ll)."""
        return _Tables(self._keep).program(self.signature, self.entry_address)


def link_program(
    code: bytes,
    signature: CallSignature,
    *,
    captured: Sequence[np.ndarray[Any, Any]] = (),
    symbols: Mapping[str, int] | None = None,
    keep: object = None,
) -> Program:
    """Load a compiled program into this process.

    Args:
        code: the object of a module that defines ``@gd.main`` and what `entry.emit_entry` emits.
        signature: how it is called.
        captured: the arrays it closes over, C-contiguous and aligned. They are kept alive, not
            copied: a program reads what they hold when it is called.
        symbols: addresses of what else it refers to. Those of the pool and of
            the threads need not be given.
        keep: what must live as long as the program, besides.

    Raises:
        ValueError: the captured arrays are not what the program expects.
        backend.jit.BackendError: the object cannot be linked.
    """
    if len(captured) != signature.captures:
        raise ValueError(f"{len(captured)} arrays for a program with {signature.captures} captures")
    if not all(array.flags.c_contiguous and array.flags.aligned for array in captured):
        raise ValueError("a captured array has to be C-contiguous and aligned")
    addresses = {capture_symbol(i): array.ctypes.data for i, array in enumerate(captured)}
    runtime_symbols = {
        **(pool.symbols() if b"gd.alloc" in code else {}),
        **(threads.symbols() if b"gd.parallel" in code else {}),
    }
    linked = link(code, {**addresses, **runtime_symbols, **(symbols or {})}, [ENTRY])
    return Program(linked, signature, (tuple(captured), keep))


class _Tables:
    """Lays tables of 64-bit words out in memory; `keep` receives them and what they refer to."""

    def __init__(self, keep: list[Any]) -> None:
        self._keep = keep

    def program(self, signature: CallSignature, entry_address: int) -> int:
        inputs = [word for spec in signature.inputs for word in self._input(spec)]
        outputs = [word for spec in signature.outputs for word in self._output(spec)]
        words = [entry_address, len(signature.parameters) - len(signature.keywords)]
        words.append(self._keyword_tuple(signature.keywords))
        words += self._flatten(signature)
        words += [len(signature.inputs), self._words(inputs)]
        words += [len(signature.outputs), self._words(outputs)]
        words += self._build(signature)
        return self._words(words)

    def _flatten(self, signature: CallSignature) -> list[int]:
        if signature.is_flat:
            return [0, 0]
        node = self._node(tree.Tuple(signature.parameters), is_result=False)
        return [runtime.flatten_address(), self._words(node)]

    def _build(self, signature: CallSignature) -> list[int]:
        if signature.returns_leaf:
            return [0, 0]
        return [runtime.build_address(), self._words(self._node(signature.result, is_result=True))]

    def _words(self, words: list[int]) -> int:
        table = (ctypes.c_uint64 * len(words))(*words)
        self._keep.append(table)
        return ctypes.addressof(table)

    def _object(self, value: object) -> int:
        self._keep.append(value)
        return id(value)

    def _keyword_tuple(self, names: tuple[str, ...]) -> int:
        return self._object(tuple(map(sys.intern, names))) if names else 0

    def _input(self, spec: ArraySpec) -> list[int]:
        first, second = _type_numbers(spec.dtype)
        if spec.weak is not None:
            scalar, conversion = _PYTHON_SCALARS[spec.weak], _CONVERSIONS.get(spec.weak, 0)
            rank = _NO_RANK
        else:
            scalar, conversion = spec.dtype.type, 0
            rank = len(spec.shape)
        type_address = self._object(scalar) if spec.accepts_scalars else 0
        shape = self._words(list(spec.shape))
        return [type_address, conversion, first | second << 32, rank, shape]

    def _output(self, spec: ArraySpec) -> list[int]:
        pooled = bool(spec.shape) and pool.allocates(spec.nbytes)
        allocator = pool.array_allocator() if pooled else 0
        shape = self._words(list(spec.shape))
        return [self._object(spec.dtype), len(spec.shape), shape, allocator, spec.nbytes]

    def _node(self, node: Layout, is_result: bool) -> list[int]:
        match node:
            case tree.Leaf(index):
                return [_LEAF, index, 0, 0, 0, 0]
            case tree.NoneNode():
                return [_STATIC, 0, self._object(None), 0, 0, 0]
            case tree.Static(value):
                comparable = id(type(value)) if type(value) in (int, str) else 0
                return [_STATIC, 0, self._object(value), comparable, 0, 0]
        children = [word for child in node.children for word in self._node(child, is_result)]
        kind, type_, names, template = self._container(node, is_result)
        return [kind, len(node.children), type_, names, self._words(children), template]

    def _container(self, node: Layout, is_result: bool) -> tuple[int, int, int, int]:
        """Return kind, type, names and template of a container's node."""
        match node:
            case tree.Tuple():
                return _TUPLE, id(tuple), 0, 0
            case tree.List():
                return _LIST, id(list), 0, 0
            case tree.Dict(keys):
                template = self._object(dict.fromkeys(keys))
                return _DICT, id(dict), self._names(keys), template
            case tree.NamedTuple(type_):
                if is_result and not _is_plain_namedtuple(type_):
                    return _OBJECT, self._object(type_), 0, 0
                return _TUPLE, self._object(type_), 0, id(type_) if is_result else 0
            case tree.Dataclass(type_, fields):
                fields = tuple(map(sys.intern, fields))
                template = self._object(fields) if fields else 0
                return _OBJECT, self._object(type_), self._names(fields), template
        raise TypeError(f"{node!r} is not a container")

    def _names(self, names: tuple[object, ...]) -> int:
        return self._words([self._object(name) for name in names])


def _is_plain_namedtuple(type_: type) -> bool:
    """Whether constructing `type_` does nothing but fill a tuple of its size."""
    return type_.__bases__ == (tuple,) and "__init__" not in vars(type_)


def _type_numbers(dtype: np.dtype[np.generic]) -> tuple[int, int]:
    """Return the type numbers of `dtype`; C has two integer types of one size (long, long long)."""
    twins = [np.dtype(char) for char in ("ilq" if dtype.kind == "i" else "ILQ")]
    equal = [twin.num for twin in twins if dtype.kind in "iu" and twin == dtype]
    return (equal[0], equal[-1]) if equal else (dtype.num, dtype.num)
