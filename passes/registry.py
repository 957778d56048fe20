"""Every pass by its name, imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from xdsl.passes import ModulePass


def _lazy(module: str, name: str) -> Callable[[], type[ModulePass]]:
    def load() -> type[ModulePass]:
        found = getattr(import_module(module, __package__), name)
        assert issubclass(found, ModulePass)
        return found

    return load


PASSES: Final[dict[str, Callable[[], type[ModulePass]]]] = {
    "array-jvp": _lazy(".autodiff.jvp", "ArrayJvp"),
    "array-vjp": _lazy(".autodiff.vjp", "ArrayVjp"),
    "array-jacobian": _lazy(".autodiff.jacobian", "ArrayJacobian"),
    "array-split-vjp": _lazy(".autodiff.linearize", "ArraySplitVjp"),
    "array-linearize": _lazy(".autodiff.linearize", "ArrayLinearize"),
    "array-transpose": _lazy(".autodiff.linearize", "ArrayTranspose"),
    "array-remat": _lazy(".autodiff.remat", "ArrayRemat"),
    "array-vmap": _lazy(".batching.vmap", "ArrayVmap"),
    "array-insert-checks": _lazy(".checks.insertion", "ArrayInsertChecks"),
    "array-checks": _lazy(".checks.functionalize", "ArrayChecks"),
    "array-add-status": _lazy(".status", "ArrayAddStatus"),
    "array-select-results": _lazy(".signatures", "ArraySelectResults"),
    "array-permute-arguments": _lazy(".signatures", "ArrayPermuteArguments"),
    "array-drop-rules": _lazy(".simplify.drop_rules", "ArrayDropRules"),
    "array-raise-checks": _lazy(".checks.raising", "ArrayRaiseChecks"),
    "array-inline": _lazy(".simplify.inline", "ArrayInline"),
    "array-canonicalize": _lazy(".simplify.canonicalize", "ArrayCanonicalize"),
    "array-fold": _lazy(".simplify.fold", "ArrayFold"),
    "array-cse": _lazy(".simplify.cse", "ArrayCse"),
    "array-dce": _lazy(".simplify.dce", "ArrayDce"),
    "array-inline-regions": _lazy(".simplify.regions", "ArrayInlineRegions"),
    "array-split-complex": _lazy(".split_complex.split_complex", "ArraySplitComplex"),
    "array-split-short": _lazy(".split_short.split_short", "ArraySplitShort"),
    "array-pack-operands": _lazy(".fusion.pack", "ArrayPackOperands"),
    "array-fuse": _lazy(".fusion.fuse", "ArrayFuse"),
    "kernel-bufferize": _lazy(".bufferize.bufferize", "KernelBufferize"),
    "kernel-split-lanes": _lazy(".lanes.split", "KernelSplitLanes"),
    "kernel-lower-to-loops": _lazy(".lowering.lower_to_loops", "KernelLowerToLoops"),
}
"""What ``gradatim-opt`` and any tool that reads the xDSL universe can run, by name.

An entry reads ``"array-cse": _lazy(".simplify.cse", "ArrayCse")``, in the order of the pipeline.
"""
