"""The pipeline: which passes lead from one level to the next, and the driver that runs them.

    array --array-inline-regions, array-split-complex, array-split-short, array-pack-operands,
          array-fuse--> kernel
    kernel --kernel-bufferize, kernel-split-lanes, kernel-lower-to-loops--> loop

The driver knows nothing of levels. It runs passes one after the other and shows the module to hooks
in between: that is how dumps, verification and checks against the reference semantics are made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import MemRefType, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from ..ir.dialects import new_context
from ..ir.errors import GradatimError
from ..ir.functions import find_function
from ..ir.interpreter import Interpreter
from ..ir.kernel.interpreter import BufferInterpreter, has_buffers
from ..ir.kernel.ops import FusionOp
from ..ir.types import tensor_info
from .bufferize.bufferize import KernelBufferize
from .checks.raising import ArrayRaiseChecks
from .fusion.cost import Cost, cost_of, microseconds_in
from .fusion.fuse import ArrayFuse
from .fusion.pack import ArrayPackOperands
from .lanes.split import KernelSplitLanes
from .lowering.lower_to_loops import KernelLowerToLoops
from .simplify.canonicalize import ArrayCanonicalize
from .simplify.drop_rules import ArrayDropRules
from .simplify.inline import ArrayInline
from .simplify.regions import ArrayInlineRegions
from .simplify.rewriting import functions_of
from .split_complex.split_complex import ArraySplitComplex
from .split_short.split_short import ArraySplitShort

Passes = tuple[ModulePass, ...]


@dataclass(frozen=True)
class Options:
    """What the pipeline depends on beside the program.

    Attributes:
        vector_bits: the width of the processor's vector registers.
        fast: allow rewriting that is exact for real numbers only.
    """

    vector_bits: int = 256
    fast: bool = False


def array_pipeline(options: Options) -> Passes:
    """Return the passes that simplify a program at the array level."""
    simplify = ArrayCanonicalize(fast=options.fast, select_branches=True)
    return ArrayDropRules(), ArrayRaiseChecks(), ArrayInline(), simplify


def kernel_pipeline(options: Options) -> Passes:
    """Return the passes from the array level to the kernel level."""
    bits = options.vector_bits
    return (
        ArrayInlineRegions(),
        ArraySplitComplex(),
        ArraySplitShort(),
        ArrayPackOperands(vector_bits=bits),
        ArrayFuse(vector_bits=bits),
    )


def loop_pipeline(options: Options) -> Passes:
    """Return the passes from the kernel level to the loop level."""
    return KernelBufferize(), KernelSplitLanes(), KernelLowerToLoops()


PIPELINES: Final[dict[str, Callable[[Options], Passes]]] = {
    "array": array_pipeline,
    "kernel": kernel_pipeline,
    "loop": loop_pipeline,
}
"""The passes that lead to each level from the one before, in order."""


def passes_to(level: str, options: Options) -> Passes:
    """Return the passes that lead from a traced program to a level.

    Raises:
        GradatimError: if there is no such level.
    """
    if level not in PIPELINES:
        raise GradatimError(f"the levels are {', '.join(PIPELINES)}, not '{level}'")
    names = list(PIPELINES)
    wanted = names[: names.index(level) + 1]
    return tuple(p for name in wanted for p in PIPELINES[name](options))


class PassRecord(NamedTuple):
    """What one pass did: its time, and the ops before and after it, 0 if they were not counted."""

    name: str
    milliseconds: float
    ops_before: int
    ops_after: int


Hook = Callable[[int, PassRecord, ModuleOp], None]
"""Sees the module after each pass, with the pass's number, from 1 on; number 0 is the input."""


def run_passes(
    module: ModuleOp,
    passes: Iterable[ModulePass],
    hooks: Sequence[Hook] = (),
    context: Context | None = None,
    *,
    counted: bool = True,
) -> list[PassRecord]:
    """Run passes on a module, in place, and return what each of them did.

    Hooks run after each pass and once before the first; those that the environment asks for (see
    ``environment_hooks``) come first. Ops are counted if that is asked for: it takes as long as a
    pass does that finds nothing to do.
    """
    context = context or new_context()
    hooks = (*environment_hooks(), *hooks)
    size = count_ops if counted else _uncounted
    count = size(module)
    _show(hooks, 0, PassRecord("input", 0.0, count, count), module)
    records = []
    for number, pass_ in enumerate(passes, 1):
        start = perf_counter()
        pass_.apply(context, module)
        milliseconds = 1e3 * (perf_counter() - start)
        before, count = count, size(module)
        records.append(PassRecord(pass_.name, milliseconds, before, count))
        _show(hooks, number, records[-1], module)
    return records


def _show(hooks: Iterable[Hook], number: int, record: PassRecord, module: ModuleOp) -> None:
    for hook in hooks:
        hook(number, record, module)


def count_ops(op: Operation) -> int:
    """Return the number of ops inside an op."""
    return sum(
        1 + (count_ops(inner) if inner.regions else 0)
        for region in op.regions
        for block in region.blocks
        for inner in block.ops
    )


def environment_hooks() -> list[Hook]:
    """Return the hooks that the environment asks for.

    ``GRADATIM_DUMP`` names a directory where the module is written after each pass;
    ``GRADATIM_VERIFY=1`` verifies it.
    """
    hooks: list[Hook] = []
    directory = os.environ.get("GRADATIM_DUMP")
    if directory:
        hooks.append(dump_to(Path(directory)))
    if os.environ.get("GRADATIM_VERIFY") == "1":
        hooks.append(verify)
    return hooks


def dump_to(directory: Path) -> Hook:
    """Return a hook that writes the module after each pass to ``NN-pass.mlir``."""

    def dump(number: int, record: PassRecord, module: ModuleOp) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        head = (
            f"// {record.name}: {record.ops_before} ops before, {record.ops_after} after, "
            f"{record.milliseconds:.3f} ms\n"
        )
        (directory / f"{number:02}-{record.name}.mlir").write_text(f"{head}{module}\n")

    return dump


def verify(number: int, record: PassRecord, module: ModuleOp) -> None:
    """A hook that verifies the module.

    Raises:
        VerifyException: if the module is not valid.
    """
    module.verify()


def check_against(name: str, arguments: Sequence[np.ndarray], tolerance: float = 0.0) -> Hook:
    """Return a hook that runs a function by its reference semantics after each pass.

    The results must be those of the input: the same bits, or within ``tolerance`` of the largest
    element. It stops at the loop level, which has no reference semantics.

    Raises:
        GradatimError: by the hook, if a pass changed the results; the message names the pass.
    """
    expected: list[np.ndarray] = []

    def check(number: int, record: PassRecord, module: ModuleOp) -> None:
        function = find_function(module, name)
        given = [_as_passed(a, p) for a, p in zip(arguments, function.body.block.args)]
        if not has_buffers(function):
            results = Interpreter(module).call(name, *given)
        elif any(isinstance(op, FusionOp) for op in function.walk()):
            results = BufferInterpreter(module).call(name, *given)
        else:
            return
        if number == 0:
            expected.extend(results)
        for position, (before, after) in enumerate(zip(expected, results, strict=True)):
            if not _equal(_as_parts(before), _as_parts(after), tolerance):
                raise GradatimError(f"{record.name} changed result {position} of @{name}")

    return check


def _as_passed(argument: np.ndarray, parameter: SSAValue) -> np.ndarray:
    """Return an argument as the function takes it; complex arrays may have been split."""
    array = np.asarray(argument)
    takes_parts = isinstance(parameter.type, MemRefType) or tensor_info(parameter).dtype.kind == "f"
    return _as_parts(array) if takes_parts else array


def _as_parts(array: np.ndarray) -> np.ndarray:
    """Return a complex array as a real one with a last dimension of two parts."""
    if array.dtype.kind != "c":
        return array
    return np.stack((array.real, array.imag), axis=-1)


def _equal(before: np.ndarray, after: np.ndarray, tolerance: float) -> bool:
    if before.dtype.kind not in "fc":
        return bool(np.array_equal(before, after))
    finite = before[np.isfinite(before)]
    bound = tolerance * float(np.max(np.abs(finite), initial=0.0))
    return bool(np.allclose(after, before, rtol=0.0, atol=bound, equal_nan=True))


def _uncounted(op: Operation) -> int:
    return 0


def cost_table(module: ModuleOp) -> list[tuple[str, Cost]]:
    """Return the cost of one run of each kernel of a module, as ``("f.0", cost)``.

    The name is that of the function, and the number of the kernel in it, loops and branches
    included.
    """
    return [
        (f"{function.sym_name.data}.{number}", cost_of(fusion))
        for function in functions_of(module)
        for number, fusion in enumerate(op for op in function.walk() if isinstance(op, FusionOp))
    ]


def estimate_microseconds(module: ModuleOp) -> float:
    """Estimate the time of a module at the kernel level on one core, steps of loops counted."""
    return sum(microseconds_in(function.body.block) for function in functions_of(module))
