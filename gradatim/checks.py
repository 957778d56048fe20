"""Conditions that programs require, and what becomes of them where they do not hold."""

from .frontend.checks.checkify import Error, check_error, checkify
from .frontend.checks.kinds import (
    all_checks,
    automatic_checks,
    div_checks,
    float_checks,
    index_checks,
    nan_checks,
    user_checks,
)
from .frontend.checks.requiring import check

__all__ = [
    "Error",
    "all_checks",
    "automatic_checks",
    "check",
    "check_error",
    "checkify",
    "div_checks",
    "float_checks",
    "index_checks",
    "nan_checks",
    "user_checks",
]
