"""Short last dimensions, which make poor vectors, become separate arrays."""
