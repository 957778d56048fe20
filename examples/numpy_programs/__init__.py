"""Programs as a NumPy user writes them, with loops, branches and in-place updates.

None of them knows of gradatim: each is plain NumPy. ``python -m examples.numpy_programs`` stages
them as they are, compares results and times, and differentiates those whose derivative means
something.
"""
