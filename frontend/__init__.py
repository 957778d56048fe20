"""From a Python function to array IR: tracer, NumPy surface, staging."""
