"""What the processor offers to the vector math functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """The properties of a processor that decide which instructions are emitted.

    ``vector_bits`` is the width of a vector register (128, 256 or 512), ``fma`` says that
    a fused multiply-add is one instruction, and ``scale_by_power`` that a vector can be
    multiplied by powers of two in one instruction (``vscalef`` of AVX-512).
    """

    vector_bits: int
    fma: bool
    scale_by_power: bool = False

    @staticmethod
    def from_features(features: Mapping[str, bool], machine: str = "x86_64") -> Target:
        """The target of LLVM's CPU ``features`` on ``machine`` (first part of the triple).

        AArch64 always has fused multiply-add and 128 bits of NEON; every other machine
        than x86 is taken to be like it.
        """
        if machine not in ("x86_64", "amd64", "i386", "i686"):
            return Target(vector_bits=128, fma=True)
        if features.get("avx512f") and features.get("avx512dq") and features.get("avx512vl"):
            return Target(vector_bits=512, fma=True, scale_by_power=True)
        wide = bool(features.get("avx2"))
        return Target(vector_bits=256 if wide else 128, fma=bool(features.get("fma")))

    @property
    def function_attributes(self) -> str:
        """Attributes that caller and callee must share to pass vectors the same way.

        LLVM prefers 256-bit vectors on many processors with AVX-512 and would split
        wider ones, also as arguments.
        """
        if self.vector_bits < 512:
            return ""
        return '"prefer-vector-width"="512" "min-legal-vector-width"="512"'
