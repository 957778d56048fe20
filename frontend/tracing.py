"""A function under construction: what the operations on traced values append to.

A `Trace` builds one ``func.func``, or the region of a control-flow op. Its parameters are, in this
order, the captures (large arrays and values of outer traces that the function closes over) and the
leaves of the function's arguments.

Traces nest as the functions do that Python runs, and an operation on traced values belongs to the
innermost trace that is open, whichever its operands come from: what a branch computes from values
around it is computed in the branch.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from xdsl.dialects.builtin import LocationAttr, ModuleOp, StringAttr, SymbolRefAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import BlockArgument, SSAValue

from ..ir.builder import Builder
from ..ir.errors import DtypeError
from ..ir.functions import FunctionBuilder
from ..ir.locations import UNKNOWN, file_and_line, spell_location
from ..ir.types import ELEMENT_TYPES, Tensor, tensor_type
from . import leaks
from .checks.kinds import Checks, user_checks
from .errors import ArgumentError, UnexpectedTracerError
from .scopes import scoped
from .source import user_location
from .tracer import Cell, Tracer
from .views import SAME, View

if TYPE_CHECKING:
    from .guards import Example, Guard

INLINE_BYTES: Final = 1024
"""Captured arrays up to this size become constants; larger ones become hidden arguments."""

PYTHON_SCALARS: Final = (bool, int, float, complex)
"""Types whose values take the dtype of what they meet (NEP 50's weak scalars)."""

Scalar: TypeAlias = bool | int | float | complex
Operand: TypeAlias = Tracer | Scalar

_serials = itertools.count()


class _OpenTraces(threading.local):
    """The traces that are open in a thread, the innermost one last."""

    def __init__(self) -> None:
        self.stack: list[Trace] = []


_open = _OpenTraces()


def current_trace() -> Trace | None:
    """Return the innermost trace that is open in this thread."""
    stack = _open.stack
    return stack[-1] if stack else None


@contextmanager
def within(trace: Trace) -> Iterator[None]:
    """Let the operations of this thread belong to an outer trace again."""
    _open.stack.append(trace)
    try:
        yield
    finally:
        _open.stack.pop()


class Trace:
    """One function, or region of one, under construction.

    Attributes:
        name: of the function.
        parent: for a region, the trace that the op with the region belongs to.
        builder: appends ops at the user's current place, once `locate` was called.
        captures: what the leading parameters stand for, arrays (snapshots) or outer tracers.
        example: the arguments of the call that the function is traced for, if it is for one.
        guards: what was needed of traced values in that call, by value.
        convert: whether Python's control flow in functions that it calls is rewritten.
        axes: the names that the function, or one around it, is mapped under, with sizes.
        checks: the kinds of checks that the program makes when it runs.
        leak: raised instead of an error if a value of this trace is used after its end, while the
            function around it is still being traced.
        decisions: how statements of rewritten source are to be run, by statement.
        functions: those that this one calls, made by nested transformations, by symbol.
        memo: what is made once for the function and its regions, by keys of whoever makes it.
        serial: rises with every trace; the innermost of several open traces has the highest.
        finished: whether the function has ended, so that its values may no longer be used.
        outdated: whether an array of an outer trace has become traced meanwhile, so that what was
            computed with its numbers before holds for the first step of a loop only.
    """

    def __init__(
        self,
        name: str,
        types: Sequence[Tensor],
        names: Sequence[str | None] = (),
        location: LocationAttr = UNKNOWN,
        parent: Trace | None = None,
    ) -> None:
        self.name = name
        self.parent = parent
        self.serial = next(_serials)
        self.finished = False
        self.outdated = False
        self.captures: list[np.ndarray | Tracer] = []
        self.convert = True
        self.axes: dict[str, int] = parent.axes if parent else {}
        self.checks: Checks = parent.checks if parent else user_checks
        self.leak: BaseException | None = None
        self.example: Example | None = None
        self.guards: dict[SSAValue, Guard] = {}
        self.decisions: dict[Any, str] = parent.decisions if parent else {}
        self.functions: dict[str, FuncOp] = parent.functions if parent else {}
        self.memo: dict[Any, Any] = parent.memo if parent else {}
        self._reserved: set[str] = parent._reserved if parent else {name}
        self._function = FunctionBuilder(name, types, names, location)
        self.builder: Builder = self._function.builder
        self.parameters: tuple[SSAValue, ...] = tuple(self._function.arguments)
        self._callees: dict[int, tuple[object, str]] = parent._callees if parent else {}
        self._captured_arrays: dict[int, tuple[weakref.ref[np.ndarray], np.ndarray, SSAValue]] = {}
        self._captured_contents: dict[Any, list[tuple[np.ndarray, SSAValue]]] = {}
        self._captured_cells: dict[int, tuple[Tracer, Tracer]] = {}
        self._captured_values: dict[SSAValue, SSAValue] = {}
        self._bound: list[_Bound] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let the operations of this thread belong to this trace; at the end it is finished."""
        _open.stack.append(self)
        try:
            yield
        finally:
            _open.stack.pop()
            for bound in reversed(self._bound):
                bound.restore()
            self.finished = True

    def bind(self, cell: Tracer) -> None:
        """Let a cell that is no view hold a value of this trace, until the trace ends.

        The value is the one that it has; a cell of an outer trace becomes a capture.

        Raises:
            UnexpectedTracerError: if the cell's trace has ended.
        """
        if cell._trace is self:
            return
        inner = self._capture_tracer(cell)._value
        self._bound.append(_Bound(cell, inner, user_location()))
        cell._value, cell._trace = inner, self

    @property
    def mutations(self) -> list[Mutation]:
        """The cells of outer traces that this trace changed, with what they held at its end."""
        changes = [bound.mutation for bound in self._bound]
        return [change for change in changes if change.value is not change.parameter]

    def held(self, cell: Tracer) -> SSAValue:
        """Return what a cell of an outer trace, which is no view, held at the end of this trace."""
        found = [bound.mutation.value for bound in self._bound if bound.mutation.cell is cell]
        return found[0] if found else self._capture_tracer(cell)._value

    def locate(self) -> LocationAttr:
        """Give the ops that follow the user's current place, and return it."""
        location = self.builder.location = scoped(user_location())
        return location

    def tracer(self, value: SSAValue, weak: bool = False) -> Tracer:
        """Wrap a value of this trace."""
        made = Tracer(value, self, weak)
        leaks.note(made)
        return made

    def lift(self, operand: Any) -> Operand:
        """Make an operand usable in this trace.

        Python scalars are returned as they are. A value of this trace too; one of an outer trace
        becomes a capture. Everything else is read by ``numpy.asarray``: a small array becomes a
        constant, a large one a capture.

        Raises:
            UnexpectedTracerError: if the operand is a value of a trace that has ended.
            DtypeError: if it has a dtype that is not supported.
            ArgumentError: if it is nothing that NumPy would make an array of.
        """
        kind = type(operand)
        if kind is Tracer:
            trace = operand._trace if operand._view is None else operand.trace
            return operand if trace is self else self._capture_tracer(operand)
        if kind in PYTHON_SCALARS:
            return operand
        if isinstance(operand, Cell):  # an array that may become traced
            return self.tracer(self.value_of_array(operand._value))
        return self.tracer(self.value_of_array(as_array(operand)))

    def callee(self, key: object, copy: Callable[[], ModuleOp]) -> str:
        """Return the symbol by which this function can call what ``key`` stands for.

        Args:
            key: the same object for the same callee.
            copy: gives a module whose first function is the callee, and whose others it calls;
                asked for once for each key.
        """
        known = self._callees.get(id(key))
        if known is None:
            known = self._callees[id(key)] = (key, self._adopt(copy()))
        return known[1]

    def reserve(self, wanted: str) -> str:
        """Return a free symbol, for a function that is to come."""
        symbol = self._free_symbol(wanted)
        self._reserved.add(symbol)
        return symbol

    def constant(self, scalar: Scalar) -> Tracer:
        """Return a Python scalar as a 0-d constant, which is weak as the scalar is.

        Raises:
            OverflowError: if it is an int of more than 64 bits.
        """
        dtype = np.dtype(np.int64 if type(scalar) is int else type(scalar))
        return self.tracer(self.builder.full((), dtype, scalar), weak=True)

    def finish(self, results: Sequence[SSAValue]) -> FuncOp:
        """End the function and return it; its values must not be used after this."""
        self.finished = True
        return self._function.finish(results)

    def _adopt(self, module: ModuleOp) -> str:
        """Move a module's functions here under new names where theirs are taken."""
        functions = [op for op in module.ops if isinstance(op, FuncOp)]
        renamed = {}
        for function in functions:
            module.body.block.detach_op(function)
            old = function.sym_name.data
            renamed[old] = new = self._free_symbol(old)
            function.properties["sym_name"] = StringAttr(new)
            function.properties["sym_visibility"] = StringAttr("private")
            self.functions[new] = function
        for function in functions:
            for op in function.walk():
                if type(op) is CallOp:
                    op.properties["callee"] = SymbolRefAttr(renamed[op.callee.root_reference.data])
        return next(iter(renamed.values()))

    @property
    def root(self) -> Trace:
        """The trace of the function that this one is a region of, or itself."""
        return self.parent.root if self.parent else self

    def _free_symbol(self, wanted: str) -> str:
        taken = self.functions.keys() | self._reserved
        numbered = (f"{wanted}_{i}" for i in itertools.count(1))
        return next(s for s in itertools.chain((wanted,), numbered) if s not in taken)

    def value_of_array(self, array: np.ndarray) -> SSAValue:
        """Return an array as a value of this trace: a constant or, if it is large, a capture."""
        if array.nbytes <= INLINE_BYTES:
            return self.builder.constant(array)
        if _is_uniform(array):
            return self.builder.full(array.shape, array.dtype, array.flat[0])
        if self.parent is not None:
            outer = self.parent.tracer(self.parent.value_of_array(array))
            outer._fixed = True
            return self._capture_fixed(outer).value
        known = self._captured_arrays.get(id(array))
        if known is not None and known[0]() is array and _same_bits(known[1], array):
            return known[2]
        snapshot = _snapshot(array)
        alike = self._captured_contents.setdefault(_sample(snapshot), [])
        value = next((v for other, v in alike if _same_bits(other, snapshot)), None)
        if value is None:
            value = self._add_capture(snapshot, tensor_type(array.shape, array.dtype))
            alike.append((snapshot, value))
        self._captured_arrays[id(array)] = (weakref.ref(array), snapshot, value)
        return value

    def _capture_tracer(self, tracer: Tracer) -> Tracer:
        """Return a value of an outer trace as one of this trace: a view of the outer cell.

        A view is captured by what it is a view of, and taken again here, as the latter may change.
        """
        require_open(tracer)
        if tracer._fixed or tracer.is_scalar:
            return self._capture_fixed(tracer)
        known = self._captured_cells.get(id(tracer))
        if known is not None:
            return known[1]
        if tracer._view is not None:
            inner = tracer._view.kind.read(self.lift(tracer._view.parent))
        else:
            inner = Tracer(self._capture_value(tracer), self)
        inner._view = View(tracer, SAME)
        self._captured_cells[id(tracer)] = (tracer, inner)
        return inner

    def _capture_fixed(self, tracer: Tracer) -> Tracer:
        """Return what does not change, such as a scalar or an array of numbers, in this trace."""
        value = self._captured_values.get(tracer.value)
        if value is None:
            value = self._captured_values[tracer.value] = self._capture_value(tracer)
        inner = self.tracer(value, tracer.weak)
        inner._fixed = True
        return inner

    def _capture_value(self, tracer: Tracer) -> SSAValue:
        """Add a parameter for the value of a cell that is no view."""
        if self.parent is None:  # the function may be called after the cell has changed
            source = Tracer(tracer.value, tracer.trace, tracer.weak)
        elif tracer.trace is self.parent:
            source = tracer
        else:
            source = self.parent._capture_tracer(tracer)
        return self._add_capture(source, source.value.type)

    def _add_capture(self, source: np.ndarray | Tracer, type_: Any) -> SSAValue:
        argument = self._function.block.insert_arg(type_, len(self.captures))
        argument.name_hint = f"capture{len(self.captures)}"
        argument.location = self.builder.location
        self.captures.append(source)
        return argument


class Mutation(NamedTuple):
    """A cell of an outer trace that an inner one changed.

    Attributes:
        cell: the outer one; once the inner trace has ended, it holds again what it did before.
        parameter: the inner trace's parameter for what it held at first.
        value: what the inner trace left in it.
        location: of the first change, in the user's program.
    """

    cell: Tracer
    parameter: SSAValue
    value: SSAValue
    location: LocationAttr


class _Bound:
    """A cell of an outer trace while it holds a value of an inner one.

    Attributes:
        mutation: what the inner trace did to the cell, once it has ended.
    """

    def __init__(self, cell: Tracer, parameter: SSAValue, location: LocationAttr) -> None:
        self.mutation = Mutation(cell, parameter, parameter, location)
        self._outer = cell._value, cell._trace

    def restore(self) -> None:
        """Let the cell hold again what it held before."""
        cell = self.mutation.cell
        self.mutation = self.mutation._replace(value=cell._value)
        cell._value, cell._trace = self._outer


def trace_of_store(cell: Tracer) -> Trace:
    """Return the trace that a store into a cell belongs to: the innermost one that is open.

    Raises:
        UnexpectedTracerError: if the cell's trace has ended.
    """
    require_open(cell)
    stack = _open.stack
    trace = stack[-1] if cell.trace in stack else cell.trace
    trace.locate()
    return trace


def outdate(outer: Trace) -> None:
    """Note in the traces that are open inside another one that an array of that became traced."""
    stack = _open.stack
    if outer in stack:
        for trace in stack[stack.index(outer) + 1 :]:
            trace.outdated = True


def origin_of(tracer: Tracer) -> Tracer:
    """Return the value that a capture of a region stands for, from the trace that made it."""
    trace, value = tracer.trace, tracer.value
    while trace.parent is not None and isinstance(value, BlockArgument):
        if value.index >= len(trace.captures):
            break
        source = trace.captures[value.index]
        assert type(source) is Tracer
        tracer, trace, value = source, source.trace, source.value
    return tracer


def find_trace(operands: Iterable[Any]) -> Trace | None:
    """Return the trace that an operation belongs to, None if no operand is traced.

    It is the innermost one that is open; for a traced value that got into another thread or
    outlived its trace, its own.
    """
    innermost: Trace | None = None
    for operand in operands:
        if type(operand) is Tracer:
            trace = operand._trace if operand._view is None else operand.trace
            if innermost is None or trace.serial > innermost.serial:
                innermost = trace
    if innermost is None:
        return None
    stack = _open.stack
    return stack[-1] if innermost in stack else innermost


def lift_all(*operands: Any) -> tuple[Trace, list[Operand]]:
    """Begin an operation: find its trace, note the user's place, and lift all operands.

    At least one operand must be traced. What comes back is a `Tracer` of the trace for each
    operand that is an array, and the operand itself if it is a Python scalar.

    Raises:
        UnexpectedTracerError: if an operand is a value of a trace that has ended.
        DtypeError: if an operand has a dtype that is not supported.
        ArgumentError: if an operand is nothing that NumPy would make an array of.
    """
    trace = find_trace(operands)
    assert trace is not None, "no operand is traced"
    if trace.finished:
        require_open(next(x for x in operands if type(x) is Tracer and x.trace is trace))
    trace.locate()
    return trace, [trace.lift(operand) for operand in operands]


def require_open(tracer: Tracer) -> None:
    """Raise UnexpectedTracerError if the tracer's function has ended."""
    if not tracer.trace.finished:
        return
    current = current_trace()
    if tracer.trace.leak is not None and current and current.root is tracer.trace.root:
        raise tracer.trace.leak
    made = spell_location(location_of(tracer)) or "an unknown place"
    raise UnexpectedTracerError(
        f"{tracer} was made at {made} while `{tracer.trace.name}` was traced, and is used after "
        "that ended; return the value from the function instead of storing it elsewhere",
        spell_location(user_location()),
    )


def location_of(tracer: Tracer) -> LocationAttr:
    """Return where in the user's program a traced value was made."""
    owner = tracer.value.owner
    location = getattr(owner, "location", None) or getattr(tracer.value, "location", None)
    return location if location is not None and file_and_line(location) else UNKNOWN


def as_array(value: Any) -> np.ndarray:
    """Return ``value`` as a NumPy array of a supported dtype in native byte order.

    Raises:
        DtypeError: if the dtype is not supported.
        ArgumentError: if NumPy cannot make an array of it, or only one of objects.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # a ragged list
        raise ArgumentError(f"{_describe(value)} is no array: {error}", _here()) from None
    if array.dtype in ELEMENT_TYPES:
        return array
    native = array.dtype.newbyteorder("=")
    if native not in ELEMENT_TYPES:
        raise _unsupported(value, array.dtype)
    return array.astype(native)


def _unsupported(value: Any, dtype: np.dtype) -> Exception:
    known = ", ".join(map(str, ELEMENT_TYPES))
    if dtype.kind == "O":
        return ArgumentError(
            f"{_describe(value)} is not an array of numbers; expected one of dtype {known}", _here()
        )
    return DtypeError(
        f"{_describe(value)} has dtype {dtype}, which is not supported; supported are {known}",
        _here(),
    )


def _describe(value: Any) -> str:
    text = repr(value)
    kind = type(value).__name__
    return f"{kind} {text}" if len(text) <= 40 else f"a value of type {kind}"


def _here() -> str | None:
    return spell_location(user_location())


def _snapshot(array: np.ndarray) -> np.ndarray:
    """Return a C-contiguous array that later changes of ``array`` do not reach."""
    flags = array.flags
    if flags.owndata and flags.c_contiguous and flags.aligned and not flags.writeable:
        return array
    copy = array.copy(order="C")
    copy.flags.writeable = False
    return copy


def _is_uniform(array: np.ndarray) -> bool:
    """Tell whether all elements have the same bits."""
    if (array.flat[0] != array.flat[-1]) and array.dtype.kind != "f":
        return False
    rows = _bytes_of(array).reshape(array.size, array.itemsize)
    return bool((rows == rows[0]).all())


def _sample(snapshot: np.ndarray) -> Any:
    """Return what arrays of the same contents have in common, and few others."""
    flat = snapshot.reshape(-1)
    return snapshot.shape, snapshot.dtype, flat[:: max(flat.size // 16, 1)].tobytes()


def _same_bits(snapshot: np.ndarray, array: np.ndarray) -> bool:
    if snapshot is array:
        return True
    if snapshot.shape != array.shape or snapshot.dtype != array.dtype:
        return False
    return bool(np.array_equal(_bytes_of(snapshot), _bytes_of(array)))


def _bytes_of(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
