"""The compiled callable for interpreters whose objects are not laid out as call.ll assumes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

import numpy as np

from . import layout as tree
from .entry import MISMATCH
from .layout import Layout
from .program import Program
from .program_list import ProgramList
from .signature import ArraySpec, CallSignature

_PYTHON_SCALARS: dict[str, type] = {"bool": bool, "int": int, "float": float, "complex": complex}

# A call with the interpreter's lock: an entry releases it itself where this pays.
_ENTRY = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


class _Mismatch(Exception):
    """The arguments are not what the program takes."""


class CtypesCallable(ProgramList):
    """`function.CompiledCallable` in Python and ctypes: some hundred times slower per call."""

    __slots__ = ("__dict__", "__weakref__", "_on_error", "_programs", "_slow")

    def __init__(self, slow: Callable[..., Any], on_error: Callable[..., Any]) -> None:
        self._slow = slow
        self._on_error = on_error
        self._programs: tuple[Program, ...] = ()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the first program that takes these arguments, or else the slow path."""
        for program in self._programs:
            try:
                inputs = _inputs(program.signature, args, kwargs)
            except _Mismatch:
                continue
            status, result = _run(program, inputs)
            if status == MISMATCH:
                continue
            return self._on_error(status, *args, **kwargs) if status else result
        return self._slow(*args, **kwargs)

    def _replace(self, programs: tuple[Program, ...]) -> None:
        self._programs = programs


def _run(program: Program, inputs: list[np.ndarray[Any, Any]]) -> tuple[int, Any]:
    """Return the status of a program, and its result if the status is 0."""
    signature = program.signature
    outputs = [np.empty(spec.shape, spec.dtype) for spec in signature.outputs]
    arrays = inputs + outputs
    addresses = [array.ctypes.data for array in arrays]
    buffers = (ctypes.c_void_p * len(arrays))(*addresses)
    status = _ENTRY(program.entry_address)(ctypes.addressof(buffers))
    if status:
        return status, None
    results = [array if array.ndim else array[()] for array in outputs]
    return 0, _build(signature.result, results)


def _inputs(
    signature: CallSignature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[np.ndarray[Any, Any]]:
    """Return arrays that hold the inputs; raise _Mismatch if the arguments do not fit."""
    arguments = [*args, *kwargs.values()]
    _require(tuple(kwargs) == signature.keywords)
    _require(len(arguments) == len(signature.parameters))
    leaves: dict[int, Any] = {}
    _flatten_all(signature.parameters, arguments, leaves)
    return [_input(spec, leaves[i]) for i, spec in enumerate(signature.inputs)]


def _require(condition: bool) -> None:
    if not condition:
        raise _Mismatch


def _input(spec: ArraySpec, value: Any) -> np.ndarray[Any, Any]:
    if spec.weak is not None:
        _require(type(value) is _PYTHON_SCALARS[spec.weak])
        _require(type(value) is not int or -(1 << 63) <= value < 1 << 63)
        return np.array(value, spec.dtype)
    if type(value) is spec.dtype.type and spec.accepts_scalars:
        return np.array(value, spec.dtype)
    _require(type(value) is np.ndarray and value.shape == spec.shape and value.dtype == spec.dtype)
    _require(bool(value.flags.c_contiguous and value.flags.aligned))
    return value


def _flatten_all(layouts: Iterable[Layout], values: Iterable[Any], leaves: dict[int, Any]) -> None:
    for layout, value in zip(layouts, values, strict=True):
        _flatten(layout, value, leaves)


def _flatten(layout: Layout, value: Any, leaves: dict[int, Any]) -> None:
    match layout:
        case tree.Leaf(index):
            leaves[index] = value
        case tree.NoneNode():
            _require(value is None)
        case tree.Static(expected):
            comparable = type(value) is type(expected) and type(value) in (int, str)
            _require(value is expected or (comparable and value == expected))
        case _:
            _flatten_all(layout.children, _items(layout, value), leaves)


def _items(layout: Layout, value: Any) -> list[Any]:
    """Return what the container holds, in the order of the layout's children."""
    match layout:
        case tree.Tuple(children):
            _require(type(value) is tuple and len(value) == len(children))
        case tree.List(children):
            _require(type(value) is list and len(value) == len(children))
        case tree.NamedTuple(type_, children):
            _require(type(value) is type_ and len(value) == len(children))
        case tree.Dict(keys):
            _require(type(value) is dict and len(value) == len(keys))
            _require(all(key in value for key in keys))
            return [value[key] for key in keys]
        case tree.Dataclass(type_, fields):
            _require(type(value) is type_ and all(hasattr(value, name) for name in fields))
            return [getattr(value, name) for name in fields]
    return list(value)


def _build(layout: Layout, outputs: list[Any]) -> Any:
    match layout:
        case tree.Leaf(index):
            return outputs[index]
        case tree.NoneNode():
            return None
        case tree.Static(value):
            return value
    children = [_build(child, outputs) for child in layout.children]
    match layout:
        case tree.List():
            return children
        case tree.Dict(keys):
            return dict(zip(keys, children, strict=True))
        case tree.NamedTuple(type_):
            return type_(*children)
        case tree.Dataclass(type_, fields):
            return type_(**dict(zip(fields, children, strict=True)))
    return tuple(children)
