"""Fusion: from array ops to kernels, each a group of ops that one loop nest computes."""
