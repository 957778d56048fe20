"""Checks: conditions on values that only running programs know, as JAX's checkify.

A call of a program raises where a condition of the user's does not hold, or, if asked for, where an
operation is given what it should not get. `checkify` makes the error a value instead.
"""
