"""Checks: conditions that a program requires, made a value of it or an error of its calls."""
