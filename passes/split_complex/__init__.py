"""Complex numbers as pairs of real ones, which is how kernels compute with them."""
