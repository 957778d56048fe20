"""gradatim: a staged compiler for array programs in Python."""
