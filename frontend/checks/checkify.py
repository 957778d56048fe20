"""Errors as values: `checkify`, whose functions return what their checks found."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...ir.functions import find_function
from ...ir.ops import copy_module
from ...ir.types import tensor_info
from ...passes.checks.functionalize import Check, checks_of
from .. import tree
from ..arguments import Arguments, ShapeDtypeStruct
from ..boundary import public
from ..errors import ArgumentError, CheckError
from ..options import StageOptions
from ..stage import Staged, stage
from ..traced import Traced, call_in, run_passes
from ..tracer import Tracer
from ..tracing import current_trace
from ..transforms import Function, PassCall, Results
from .kinds import Checks, as_checks, user_checks
from .requiring import append_check, raiser


class Error:
    """What the checks of a function found: the first that failed, if any did.

    It is a container of arrays; under `vmap` each example has its own.

    Attributes:
        code: the number of the check that failed first, 0 if none did.
        payload: what messages tell.
        checks: all checks, the first one first.
    """

    def __init__(self, code: Any, payload: Sequence[Any], checks: tuple[Check, ...]) -> None:
        self.code = code
        self.payload = tuple(payload)
        self.checks = checks

    def __repr__(self) -> str:
        return f"Error({self.code if type(self.code) is Tracer else self.get()!r})"

    def get(self) -> str | None:
        """Return what failed and where, with the index of each example of a batch; None if nothing.

        Raises:
            TracerArrayConversionError: (a TypeError) while a function is traced.
        """
        errors = self._errors()
        if np.ndim(self.code) == 0:
            return str(errors[()]) if errors else None
        lines = [f"at mapped index {_spell(i)}: {error}" for i, error in errors.items()]
        return "\n".join(lines) or None

    @public
    def throw(self) -> None:
        """Raise what failed first.

        Raises:
            CheckError: (a ValueError) if a check failed.
        """
        check_error(self)

    def first(self) -> CheckError | None:
        """Return the error of the first example that has one."""
        return next(iter(self._errors().values()), None)

    def _errors(self) -> dict[tuple[int, ...], CheckError]:
        codes = np.asarray(self.code)
        places = [tuple(map(int, place)) for place in np.argwhere(codes)]
        return {place: self._error_at(place, int(codes[place])) for place in places}

    def _error_at(self, place: tuple[int, ...], code: int) -> CheckError:
        check = self.checks[code - 1]
        payload = [np.asarray(self.payload[slot])[place] for slot in check.slots]
        return raiser(check.number).error_of(payload)


def _spell(place: tuple[int, ...]) -> str:
    return ", ".join(map(str, place))


tree.register_node(
    Error,
    lambda error: ((error.code, *error.payload), error.checks),
    lambda checks, leaves: Error(leaves[0], leaves[1:], checks),
)


@public
def check_error(error: Error) -> None:
    """Require that an error of `checkify` is none.

    While a function is traced, it becomes a check of this function, as by `check`.

    Args:
        error: of one example.

    Raises:
        CheckError: (a ValueError) if it is one; with that of the first example of a batch.
        ArgumentError: (a TypeError) if it is traced and of a batch.
    """
    if type(error.code) is not Tracer:
        first = error.first()
        if first is not None:
            raise first
        return
    if error.code.ndim:
        raise ArgumentError("`check_error` takes the error of one example; call it under vmap")
    outer = current_trace()
    assert outer is not None
    for number, check in enumerate(error.checks, 1):
        message = f"{check.message}\n  at {check.where}" if check.where else check.message
        payload = [error.payload[slot] for slot in check.slots]
        class_ = raiser(check.number).error
        append_check(outer, error.code != number, message, check.names, payload, class_)


@public
def checkify(fun: Callable[..., Any], errors: Checks = user_checks) -> Staged:
    """Return the function that gives a pair of an `Error` and what ``fun`` returns.

    The program goes on behind a check that fails, so that what it returns is what ``fun`` would.
    A loop does not end by it. Checks reach into branches and loops; of functions with derivative
    rules of their own they look at what these compute, not at the rules.

    Args:
        fun: the function; it may be staged and transformed.
        errors: what is checked: `user_checks`, `index_checks`, `div_checks`, `nan_checks`, or
            several, joined by ``|``. Conditions of the user's are dropped if they are not among
            them.

    Raises:
        ArgumentError: (a TypeError) if ``errors`` has something else.

    Example:
        >>> def f(x):
        ...     check(x > 0, "x must be positive, not {}", x)
        ...     return np.log(x)
        >>> error, y = checkify(f)(-1.0)
        >>> error.get().splitlines()[0]
        'x must be positive, not -1.0'
    """
    kinds = as_checks(errors)
    inner = stage(fun)
    found = inner.parts.get(kinds)
    if found is None:
        found = inner.parts.setdefault(kinds, _checked(inner.with_options(checks=kinds)))
    assert isinstance(found, Staged)
    return found


def _checked(inner: Staged) -> Staged:
    def checked(*args: Any, **kwargs: Any) -> Any:
        outer = current_trace()
        assert outer is not None  # it is staged
        leaves, arguments = inner.flatten(args, kwargs)
        functional, checks = _functional(inner, leaves, arguments)
        results = call_in(outer, functional, leaves)
        count = functional.function.results.tree.children[0].num_leaves
        out = functional.out_tree.children[0].unflatten(results[:count])
        return Error(results[count], results[count + 1 :], checks), out

    functools.update_wrapper(checked, inner.function, updated=())
    static = inner.options.static
    return Staged(checked, (), StageOptions(static, convert=False))  # what it calls is converted


def _functional(
    inner: Staged, leaves: Sequence[Any], arguments: Arguments
) -> tuple[Traced, tuple[Check, ...]]:
    """Return the function with code and payload behind its results, and what its checks are."""
    traced = inner.trace_call(leaves, arguments)
    name, module = traced.fun_name, copy_module(traced.module)
    run_passes(module, [PassCall("array-checks", {"function": name})])
    function = find_function(module, name)
    found = list(function.function_type.outputs)[len(traced.out_avals) :]
    types = [ShapeDtypeStruct(*tensor_info(type_)) for type_ in found]
    structure = tree.tuple_of([traced.out_tree, tree.flatten(tuple(types))[1]])
    results = Results(structure, (*traced.out_avals, *types))
    known = traced.function
    described = Function(name, known.captures, known.arguments, results)
    functional = Traced(described, traced.captures, module, (), traced.names, traced.flatten)
    return functional, checks_of(function)
