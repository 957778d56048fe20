"""Lowering: from kernels on buffers to loops of the upstream dialects."""
