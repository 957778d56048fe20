"""Errors about the user's program that the IR itself can find: wrong shapes and wrong dtypes."""

from __future__ import annotations


class GradatimError(Exception):
    """Base of every error that gradatim raises about a user's program.

    ``where`` is the place in the user's source (``file:line``) once it is known.
    """

    def __init__(self, message: str, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.message}\n  at {self.where}" if self.where else self.message


class ShapeError(GradatimError, ValueError):
    """Shapes do not fit the operation."""


class DtypeError(GradatimError, TypeError):
    """An element type does not fit the operation."""
