"""From the loop level to machine code that is called with NumPy arrays."""
