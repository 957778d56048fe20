"""Differentiation as passes: forward mode (jvp) and reverse mode (vjp), by one rule an op."""
