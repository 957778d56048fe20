"""Python's control flow on traced values, by rewriting the source of staged functions.

A function is rewritten (`conversion`, `rewriting`) so that each of its ``if``, ``while``, ``for``,
``and``, ``or``, ``not``, conditional expressions and calls first asks whether the value that it
depends on is traced. If it is not, the user's own statement runs as it was written. If it is, a
function of this package takes over, for which the bodies of the statement are compiled as functions
of their own (`units`) when they are first needed. They share their variables with the user's
function: the same cells.

What a body changes is found out by looking (`state`), and becomes results of the control-flow op
that is appended to the program (`branches`, `loops`).
"""
