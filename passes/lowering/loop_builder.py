"""Builds ops of the loop level: arithmetic on scalars or vectors, memory, and loops.

A value of the loop level is a scalar or, with ``lanes``, a one-dimensional vector. Constants are
made once a function; index arithmetic folds constants and is shared within a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import prod

import numpy as np
from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    Float32Type,
    Float64Type,
    FloatAttr,
    IndexType,
    IntegerType,
    LocationAttr,
    MemRefType,
    ModuleOp,
    StridedLayoutAttr,
    StringAttr,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
    VectorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.dialects.utils.fast_math import FastMathFlag
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from ...ir.integer_arrays import dense_i64, integer, one_group, segment_sizes
from ...ir.kernel.buffers import part_type
from ...ir.locations import UNKNOWN
from ...ir.ops import append_op, default_properties, make_op
from ...ir.types import dtype_of
from .affine import Affine

INDEX = IndexType()
CONTRACT = arith.FastMathFlagsAttr([FastMathFlag.ALLOW_CONTRACT])
REASSOCIATE = arith.FastMathFlagsAttr([FastMathFlag.REASSOC])

STACK_LIMIT = 16384
"""The most bytes of one buffer on the stack."""

_FLOATS = {4: Float32Type(), 8: Float64Type()}
_INTEGERS = {n: IntegerType(n) for n in (1, 8, 16, 32, 64)}


@lru_cache(maxsize=256)
def scalar_type(dtype: np.dtype) -> Attribute:
    """Return the loop-level type of an element: integers lose their sign, which ops carry."""
    if dtype.kind == "f":
        return _FLOATS[dtype.itemsize]
    return _INTEGERS[1 if dtype.kind == "b" else 8 * dtype.itemsize]


@lru_cache(maxsize=1024)
def value_type(dtype: np.dtype, lanes: int) -> Attribute:
    """Return the type of a scalar (no lanes) or vector of ``dtype``."""
    element = scalar_type(dtype)
    return VectorType(element, [lanes]) if lanes else element


@lru_cache(maxsize=1024)
def buffer_type(dtype: np.dtype, size: int) -> MemRefType:
    """Return the type of a flat buffer of ``size`` elements."""
    return MemRefType(scalar_type(dtype), [size])


class ModuleSymbols:
    """What a module's loops refer to by name: constant arrays and library functions.

    Attributes:
        has_scratch: whether memory is allocated elsewhere than at the start of a function.
    """

    def __init__(self, module: ModuleOp) -> None:
        self.module = module
        self.has_scratch = False
        self._symbols: dict[Attribute, str] = {}
        self._declared: set[str] = set()
        self._defined: list[str] = []
        self._functions: dict[object, str] = {}

    def declare(self, name: str, arguments: Sequence[Attribute]) -> None:
        """Declare a library function without result."""
        if name not in self._declared:
            self._declared.add(name)
            self.module.body.block.add_op(FuncOp.external(name, arguments, []))

    def define(self, prefix: str, body: Block, location: LocationAttr) -> str:
        """Add a private function without result, and return its name."""
        name = f"{prefix}_{len(self._defined)}"
        self._defined.append(name)
        function = FuncOp(name, (body.arg_types, ()), Region(body), "private")
        function.location = location
        self.module.body.block.add_op(function)
        return name

    def shared(self, key: object, define: Callable[[], str]) -> str:
        """Return the name of the function of a key, which ``define`` adds at first use."""
        if key not in self._functions:
            self._functions[key] = define()
        return self._functions[key]

    def symbol(self, value: DenseIntOrFPElementsAttr) -> str:
        """Return the symbol of a constant, made at first use."""
        found = self._symbols.get(value)
        if found is None:
            found = self._symbols[value] = f"constant_{len(self._symbols)}"
            self._define(found, value)
        return found

    def _define(self, symbol: str, value: DenseIntOrFPElementsAttr) -> None:
        dtype = dtype_of(value.type)
        type_ = buffer_type(dtype, prod(value.get_shape()))
        elements = TensorType(type_.element_type, type_.shape)
        first = self.module.body.block.first_op
        assert first is not None
        self.module.body.block.insert_op_before(
            memref.GlobalOp.get(
                StringAttr(symbol),
                type_,
                DenseIntOrFPElementsAttr(elements, value.data),  # type: ignore[type-var]
                constant=UnitAttr(),
            ),
            first,
        )


class LoopBuilder:
    """Appends loop-level ops to the current block."""

    def __init__(
        self, block: Block, symbols: ModuleSymbols, location: LocationAttr = UNKNOWN
    ) -> None:
        self.block = block
        self.symbols = symbols
        self.location = location
        self._entry = block
        self._last_constant: Operation | None = None
        self._constants: dict[object, SSAValue] = {}
        self._scalar_constants: dict[SSAValue, np.ndarray] = {}
        self._shared: list[dict[object, SSAValue]] = [{}]

    def append(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        result: Attribute,
        properties: Mapping[str, Attribute] = {},
    ) -> SSAValue:
        """Append an op of one result."""
        return self._append(op_type, operands, (result,), properties).results[0]

    def effect(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        properties: Mapping[str, Attribute] = {},
    ) -> None:
        """Append an op without results."""
        self._append(op_type, operands, (), properties)

    def _append(
        self,
        op_type: type[Operation],
        operands: Sequence[SSAValue],
        results: Sequence[Attribute],
        properties: Mapping[str, Attribute],
    ) -> Operation:
        properties = {**default_properties(op_type), **properties}
        op = make_op(op_type, operands, results, properties, self.location)
        append_op(self.block, op)
        return op

    # Constants

    def constant(self, dtype: np.dtype, lanes: int, value: object) -> SSAValue:
        """Return a scalar constant, or a vector of equal lanes."""
        element = np.asarray(value).astype(dtype)
        key = (dtype, lanes, element.tobytes())
        value = self._constant(key, lambda: _constant_attribute(element, lanes))
        if not lanes:
            self._scalar_constants[value] = element
        return value

    def constant_vector(self, elements: np.ndarray) -> SSAValue:
        """Return a constant vector."""
        key = (elements.dtype, elements.tobytes())
        return self._constant(key, lambda: _vector_attribute(elements, len(elements)))

    def known(self, value: SSAValue) -> np.ndarray | None:
        """Return the number that a scalar is if it was made by ``constant``."""
        return self._scalar_constants.get(value)

    def index(self, value: int) -> SSAValue:
        """Return an index constant."""
        return self._constant(value, lambda: integer(value, INDEX))

    def lane_numbers(self, dtype: np.dtype, lanes: int, step: int) -> SSAValue:
        """Return the vector 0, step, 2 * step, ..."""
        return self.constant_vector((np.arange(lanes) * step).astype(dtype))

    def _constant(self, key: object, make: Callable[[], Attribute]) -> SSAValue:
        found = self._constants.get(key)
        if found is None:
            value = make()
            op = arith.ConstantOp.create(
                result_types=(value.type,),  # type: ignore[attr-defined]
                properties={"value": value},
                location=UNKNOWN,
            )
            self._insert_constant(op)
            found = self._constants[key] = op.results[0]
        return found

    def _insert_constant(self, op: Operation) -> None:
        """Put a constant at the top of the function, after those made before."""
        if self._last_constant is not None:
            self._entry.insert_op_after(op, self._last_constant)
        elif self._entry.first_op is not None:
            self._entry.insert_op_before(op, self._entry.first_op)
        else:
            self._entry.add_op(op)
        self._last_constant = op

    # Index arithmetic

    def shared(self, key: object, make: Callable[[], SSAValue]) -> SSAValue:
        """Return what ``make`` built for ``key`` in this block or an enclosing one."""
        for scope in self._shared:
            if key in scope:
                return scope[key]
        made = self._shared[-1][key] = make()
        return made

    def affine(self, form: Affine, axes: Mapping[int, SSAValue | int]) -> SSAValue:
        """Return the value of an affine form; an axis is a loop variable or a known number."""
        constant = form.constant
        moving: list[tuple[SSAValue, int]] = []
        for axis, coefficient in form.terms:
            position = axes[axis]
            if isinstance(position, int):
                constant += position * coefficient
            else:
                moving.append((position, coefficient))
        total: SSAValue | None = None
        for position, coefficient in moving:
            term = self._scaled(position, coefficient)
            total = term if total is None else self._sum(total, term)
        if total is None:
            return self.index(constant)
        return self._sum(total, self.index(constant)) if constant else total

    def _scaled(self, value: SSAValue, factor: int) -> SSAValue:
        if factor == 1:
            return value
        return self._index_op(arith.MuliOp, value, self.index(factor))

    def sum(self, value: SSAValue, amount: int) -> SSAValue:
        """Return an index plus a constant."""
        return self._sum(value, self.index(amount)) if amount else value

    def _sum(self, left: SSAValue, right: SSAValue) -> SSAValue:
        return self._index_op(arith.AddiOp, left, right)

    def _index_op(self, op: type[Operation], left: SSAValue, right: SSAValue) -> SSAValue:
        return self.shared(
            (op, left, right), lambda: self.append(op, (left, right), INDEX, NO_OVERFLOW_FLAGS)
        )

    # Memory

    def load(self, buffer: SSAValue, offset: SSAValue, dtype: np.dtype, lanes: int) -> SSAValue:
        """Load a scalar or contiguous lanes."""
        if lanes:
            return self.append(vector.LoadOp, (buffer, offset), value_type(dtype, lanes))
        return self.append(memref.LoadOp, (buffer, offset), scalar_type(dtype))

    def store(self, value: SSAValue, buffer: SSAValue, offset: SSAValue) -> None:
        """Store a scalar or contiguous lanes."""
        op = vector.StoreOp if isinstance(value.type, VectorType) else memref.StoreOp
        self.effect(op, (value, buffer, offset))

    def masked_load(
        self, buffer: SSAValue, offset: SSAValue, mask: SSAValue, dtype: np.dtype, lanes: int
    ) -> SSAValue:
        """Load the lanes whose mask is set; the others are 0."""
        default = self.constant(dtype, lanes, 0)
        operands = (buffer, offset, mask, default)
        return self.append(vector.MaskedLoadOp, operands, value_type(dtype, lanes))

    def masked_store(
        self, value: SSAValue, buffer: SSAValue, offset: SSAValue, mask: SSAValue
    ) -> None:
        """Store the lanes whose mask is set."""
        self.effect(vector.MaskedStoreOp, (buffer, offset, mask, value))

    def mask(self, count: SSAValue, lanes: int) -> SSAValue:
        """Return the mask of the first ``count`` lanes."""
        return self.append(vector.CreateMaskOp, (count,), value_type(np.dtype(bool), lanes))

    def splat(self, scalar: SSAValue, lanes: int) -> SSAValue:
        """Return the vector of equal lanes."""
        known = self._scalar_constants.get(scalar)
        if known is not None:
            return self.constant(known.dtype, lanes, known)
        type_ = VectorType(scalar.type, [lanes])
        return self.shared(
            ("splat", scalar, lanes), lambda: self.append(vector.BroadcastOp, (scalar,), type_)
        )

    def shifted(self, buffer: SSAValue, offset: SSAValue, size: int) -> SSAValue:
        """Return ``size`` elements of a flat buffer from ``offset`` on."""
        lists = {"static_offsets": [DYNAMIC_INDEX], "static_sizes": [size], "static_strides": [1]}
        return self.append(
            memref.ReinterpretCastOp,
            (buffer, offset),
            part_type(buffer.type, (size,)),  # type: ignore[arg-type]
            {
                **{name: dense_i64(values) for name, values in lists.items()},
                "operandSegmentSizes": segment_sizes(1, 1, 0, 0),
            },
        )

    def scratch(self, dtype: np.dtype, size: int, owned: list[SSAValue]) -> SSAValue:
        """Return scratch memory: on the stack, or if it is large in ``owned``, to be given back."""
        large = size * dtype.itemsize > STACK_LIMIT
        segments = segment_sizes(0, 0)
        op = (memref.AllocOp if large else memref.AllocaOp).create(
            result_types=(buffer_type(dtype, size),),
            properties={"operandSegmentSizes": segments},
            location=self.location,
        )
        self.block.add_op(op)
        if large:
            owned.append(op.results[0])
            self.symbols.has_scratch = True
        return op.results[0]

    def global_constant(self, value: DenseIntOrFPElementsAttr) -> SSAValue:
        """Return the memory of a constant array of the module."""
        dtype = dtype_of(value.type)
        return self.append(
            memref.GetGlobalOp,
            (),
            buffer_type(dtype, prod(value.get_shape())),
            {"name": SymbolRefAttr(self.symbols.symbol(value))},
        )

    def flat(self, buffer: SSAValue, dtype: np.dtype, size: int) -> SSAValue:
        """Return a contiguous buffer of any shape as a flat one."""
        target = buffer_type(dtype, size)
        if buffer.type == target:
            return buffer
        if isinstance(buffer.type.layout, StridedLayoutAttr):  # type: ignore[attr-defined]
            return self._flat_view(buffer, dtype, size)
        lists = {"static_offsets": [0], "static_sizes": [size], "static_strides": [1]}
        return self.append(
            memref.ReinterpretCastOp,
            (buffer,),
            target,
            {
                **{name: dense_i64(values) for name, values in lists.items()},
                "operandSegmentSizes": segment_sizes(1, 0, 0, 0),
            },
        )

    def _flat_view(self, view: SSAValue, dtype: np.dtype, size: int) -> SSAValue:
        """Return a part of a buffer that lies in one piece as a flat one."""
        type_ = view.type
        assert isinstance(type_, MemRefType)
        rank = type_.get_num_dims()
        target = part_type(buffer_type(dtype, size), (size,))
        if rank == 1:
            return view if type_ == target else self.append(memref.CastOp, (view,), target)
        groups = one_group(rank)
        properties: dict[str, Attribute] = {"reassociation": groups}
        if rank:
            return self.append(memref.CollapseShapeOp, (view,), target, properties)
        properties["static_output_shape"] = dense_i64([1])
        return self.append(memref.ExpandShapeOp, (view,), target, properties)

    # Loops

    @contextmanager
    def loop(
        self,
        lower: SSAValue | int,
        upper: SSAValue | int,
        step: int,
        carried: Sequence[SSAValue] = (),
    ) -> Iterator[Loop]:
        """Open a ``scf.for``; what is built in the ``with`` block is its body."""
        body = Block(arg_types=[INDEX, *(value.type for value in carried)])
        loop = Loop(body.args[0], list(body.args[1:]))
        with self.within(body):
            yield loop
            body.add_op(scf.YieldOp.create(operands=loop.next, location=self.location))
        op = scf.ForOp.create(
            operands=(*map(self._position, (lower, upper, step)), *carried),
            result_types=[value.type for value in carried],
            regions=[Region(body)],
            location=self.location,
        )
        self.block.add_op(op)
        loop.results = list(op.results)

    @contextmanager
    def parallel(self, count: int) -> Iterator[SSAValue]:
        """Open a ``scf.parallel`` over ``count`` iterations, and give the number of the one."""
        body = Block(arg_types=[INDEX])
        with self.within(body):
            yield body.args[0]
            body.add_op(scf.ReduceOp.create(location=self.location))
        segments = segment_sizes(1, 1, 1, 0)
        op = scf.ParallelOp.create(
            operands=[*map(self.index, (0, count, 1))],
            properties={"operandSegmentSizes": segments},
            regions=[Region(body)],
            location=self.location,
        )
        self.block.add_op(op)

    @contextmanager
    def within(self, block: Block) -> Iterator[None]:
        """Append to a block of its own scope."""
        outer, self.block = self.block, block
        with self.scope():
            yield
        self.block = outer

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Share what is built within no longer afterwards."""
        self._shared.append({})
        yield
        self._shared.pop()

    def _position(self, value: SSAValue | int) -> SSAValue:
        return self.index(value) if isinstance(value, int) else value

    @contextmanager
    def when(self, condition: SSAValue) -> Iterator[None]:
        """Open a ``scf.if`` without results; what is built in the ``with`` block is its branch."""
        block = Block()
        with self.within(block):
            yield
            block.add_op(scf.YieldOp.create(location=self.location))
        op = scf.IfOp.create(
            operands=(condition,), regions=[Region(block), Region()], location=self.location
        )
        self.block.add_op(op)

    def either(self, condition: SSAValue, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """Append a ``scf.if`` without results that does what ``yes`` or ``no`` builds in it."""
        blocks = []
        for build in (yes, no):
            blocks.append(Block())
            with self.within(blocks[-1]):
                build()
                self.block.add_op(scf.YieldOp.create(location=self.location))
        op = scf.IfOp.create(
            operands=(condition,), regions=[Region(b) for b in blocks], location=self.location
        )
        self.block.add_op(op)

    def branch(
        self,
        condition: SSAValue,
        yes: Callable[[], SSAValue],
        no: Callable[[], SSAValue],
    ) -> SSAValue:
        """Append a ``scf.if`` that gives what ``yes`` or ``no`` builds within it."""
        regions, results = [], []
        for make in (yes, no):
            block = Block()
            with self.within(block):
                results.append(make())
                block.add_op(scf.YieldOp.create(operands=results[-1:], location=self.location))
            regions.append(Region(block))
        op = scf.IfOp.create(
            operands=(condition,),
            result_types=[results[0].type],
            regions=regions,
            location=self.location,
        )
        self.block.add_op(op)
        return op.results[0]


class Loop:
    """A loop under construction: its variable, what it carries, and what it gives."""

    def __init__(self, variable: SSAValue, carried: list[SSAValue]) -> None:
        self.variable = variable
        self.carried = carried
        self.next = list(carried)
        self.results: list[SSAValue] = []


def memory_of(buffer: SSAValue) -> SSAValue:
    """Return the buffer that a view is a view of."""
    while isinstance(buffer.owner, memref.ReinterpretCastOp):
        buffer = buffer.owner.operands[0]
    return buffer


def _vector_attribute(elements: np.ndarray, lanes: int) -> DenseIntOrFPElementsAttr:
    type_ = value_type(elements.dtype, lanes)
    return DenseIntOrFPElementsAttr(type_, BytesAttr(elements.tobytes()))  # type: ignore[arg-type]


def _constant_attribute(element: np.ndarray, lanes: int) -> Attribute:
    dtype = element.dtype
    if lanes:
        return _vector_attribute(element, lanes)
    if dtype.kind == "f":
        return FloatAttr(float(element), 8 * dtype.itemsize)
    return integer(int(element), scalar_type(dtype))


NO_OVERFLOW_FLAGS = {"overflowFlags": arith.IntegerOverflowAttr("none")}
