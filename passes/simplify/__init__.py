"""Simplification of array programs: inlining, canonical forms, folding, merging, dead code."""
