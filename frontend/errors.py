"""Errors about the user's program that tracing and staging find.

Each is a sentence that says what was expected, what was found and what to do; ``where`` is the
user's file and line. Names that JAX has too mean the same. All derive from `GradatimError` and
from the builtin exception that a NumPy user would expect.
"""

from __future__ import annotations

from ..ir.errors import DtypeError, GradatimError, ShapeError

__all__ = [
    "ArgumentError",
    "AxesError",
    "AxisNameError",
    "BranchError",
    "CallbackError",
    "CarryError",
    "CheckError",
    "ConcretizationTypeError",
    "CustomRuleError",
    "DivisionCheckError",
    "DtypeError",
    "FailedAssertionError",
    "GradatimError",
    "IndexCheckError",
    "LeakedTracerError",
    "NanCheckError",
    "NonConcreteBooleanIndexError",
    "NonDifferentiableArgumentError",
    "NonScalarOutputError",
    "OutputError",
    "PathsWarning",
    "ShapeError",
    "StaticArgumentError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "TracerMutationError",
    "TracingRecursionError",
    "TreeError",
    "UndefinedError",
    "UnexpectedTracerError",
    "UnsupportedError",
]


class ConcretizationTypeError(GradatimError, TypeError):
    """Python asked for the number in a traced value; only running compiled code knows it."""


class TracerBoolConversionError(ConcretizationTypeError):
    """A traced value was used as a condition: ``if``, ``while``, ``and``, ``or``, ``not``."""


class TracerIntegerConversionError(GradatimError, TypeError):
    """A traced value was used where Python needs an int: a list index, ``range``, a shape."""


class TracerArrayConversionError(GradatimError, TypeError):
    """A traced value was asked to become a ``numpy.ndarray``."""


class TracerMutationError(GradatimError, TypeError):
    """A traced value, or an array that would have to hold one, was asked to change in place."""


class NonConcreteBooleanIndexError(GradatimError, IndexError):
    """An array was indexed by a traced mask: the result's shape would depend on values."""


class UnexpectedTracerError(GradatimError, TypeError):
    """A traced value outlived the function that it was made in, and was used."""


class LeakedTracerError(UnexpectedTracerError):
    """A traced value outlived the function that it was made in, where leaks are checked."""


class TracingRecursionError(GradatimError, RecursionError):
    """A function calls itself without end while it is traced."""


class UnsupportedError(GradatimError, TypeError):
    """A NumPy function, argument or way of indexing that traced values do not support."""


class ArgumentError(GradatimError, TypeError):
    """An argument is no array, or arguments do not fit the function's signature."""


class StaticArgumentError(GradatimError, ValueError):
    """A static argument is not hashable, or names no parameter."""


class OutputError(GradatimError, TypeError):
    """The function returned something that is neither an array nor a container of arrays."""


class NonScalarOutputError(GradatimError, TypeError):
    """A function to take the gradient of returned something other than one real 0-d float."""


class NonDifferentiableArgumentError(GradatimError, TypeError):
    """A derivative was asked for with respect to an argument that is not floating point."""


class AxesError(GradatimError, ValueError):
    """``in_axes`` or ``out_axes`` do not fit the arguments or results."""


class AxisNameError(GradatimError, NameError):
    """A function asked for the lanes of an axis that no `vmap` around it names."""


class BranchError(GradatimError, TypeError):
    """The branches of a conditional return different structures or types."""


class CarryError(GradatimError, TypeError):
    """What a loop carries from one step to the next changes its structure or a type."""


class CustomRuleError(GradatimError, TypeError):
    """A derivative rule is missing, or gives something else than derivatives of the results."""


class CallbackError(GradatimError, TypeError):
    """A Python function that compiled code called returned something else than it should."""


class CheckError(GradatimError, ValueError):
    """A check failed while a program ran."""


class FailedAssertionError(CheckError, AssertionError):
    """An ``assert`` failed while a program ran."""


class IndexCheckError(CheckError, IndexError):
    """A computed index was out of bounds while a program ran that checks for that."""


class DivisionCheckError(CheckError, ZeroDivisionError):
    """Something was divided by zero while a program ran that checks for that."""


class NanCheckError(CheckError, FloatingPointError):
    """An operation made NaN of numbers while a program ran that checks for that."""


class UndefinedError(GradatimError, UnboundLocalError):
    """A variable was used that has a value only on some of the paths of a traced condition."""


class TreeError(GradatimError, ValueError):
    """Containers do not have the same structure."""


class PathsWarning(UserWarning):
    """A function is compiled again and again, as Python decides by the values of its arguments."""
