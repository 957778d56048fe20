"""Benchmarks of gradatim beside JAX, Numba, NumPy and PyTorch; see docs/benchmarks.md."""
