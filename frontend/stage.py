"""Staged functions: Python functions that are traced, transformed and compiled when called."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from numbers import Integral
from typing import TYPE_CHECKING, Any, overload

from .arguments import Arguments, flatten_arguments
from .axes import freeze
from .boundary import PublicCallable, public
from .caches import cache_of
from .checks.kinds import Checks, as_checks, user_checks
from .compiled import Compiled
from .control_flow.conversion import converted_root
from .errors import ArgumentError, StaticArgumentError
from .execution import GuardFailed, raise_status
from .inout import InOut
from .options import DEFAULTS, StageOptions
from .paths import Paths
from .recursion import entered
from .static import as_tuple, positional_parameters, static_arguments
from .traced import Traced, call_in, symbol_of, trace
from .tracing import current_trace, find_trace
from .transforms import (
    Checkpoint,
    Grad,
    Jacobian,
    Jvp,
    LinearTranspose,
    Transform,
    Vjp,
    Vmap,
    as_argnums,
)

if TYPE_CHECKING:
    from .checkpointing import Policy
    from .lowered import Lowered

_NO_STATIC = "jvp, vjp and linearize do not take functions with static arguments; close over them"


class Staged(PublicCallable):
    """A function and what is to be done to it; immutable.

    Calling it compiles for the structure and types of the arguments, once for each, and runs. The
    methods return further staged functions, and are the same operations as the functions of their
    names: ``stage(f).grad().vmap()`` is ``vmap(grad(f))``.

    Attributes:
        function: the user's function.
        transforms: what is done to it, the first one first.
        options: how it is traced and compiled.
        parts: what `vjp` and `linearize` made of the function, by signature.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        transforms: tuple[Transform, ...] = (),
        options: StageOptions = DEFAULTS,
    ) -> None:
        super().__init__(self._call_slowly, raise_status)
        functools.update_wrapper(self, function, updated=())  # attributes could hide our methods
        self.function = function
        self.transforms = transforms
        self.options = options
        self.parts: dict[Any, Any] = {}
        self._derived: dict[Any, Staged] = {}
        self._traces: dict[Arguments, Traced] = {}
        self._specialisations: dict[Arguments, Compiled] = {}
        self._paths: dict[Arguments, Paths] = {}
        self._specialising = threading.Lock()

    def __repr__(self) -> str:
        steps = "".join(f".{_spell(transform)}" for transform in self.transforms)
        return f"<staged {getattr(self.function, '__qualname__', self.function)}{steps}>"

    def __reduce__(self) -> Any:
        return _restore, (self.function, self.transforms, self.options)

    # Transformations

    def grad(
        self,
        argnums: int | Sequence[int] = 0,
        has_aux: bool = False,
        holomorphic: bool = False,
        allow_int: bool = False,
    ) -> Staged:
        """Return the function's gradient; see `gradatim.grad`."""
        return self._gradient(argnums, has_aux, holomorphic, allow_int, False)

    def value_and_grad(
        self,
        argnums: int | Sequence[int] = 0,
        has_aux: bool = False,
        holomorphic: bool = False,
        allow_int: bool = False,
    ) -> Staged:
        """Return the function that gives value and gradient; see `gradatim.value_and_grad`."""
        return self._gradient(argnums, has_aux, holomorphic, allow_int, True)

    def jacfwd(
        self, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
    ) -> Staged:
        """Return the function's Jacobian by forward mode; see `gradatim.jacfwd`."""
        return self.transformed(Jacobian("forward", as_argnums(argnums), has_aux, holomorphic))

    def jacrev(
        self,
        argnums: int | Sequence[int] = 0,
        has_aux: bool = False,
        holomorphic: bool = False,
        allow_int: bool = False,
    ) -> Staged:
        """Return the function's Jacobian by reverse mode; see `gradatim.jacrev`."""
        options = (as_argnums(argnums), has_aux, holomorphic, allow_int)
        return self.transformed(Jacobian("reverse", *options))

    def jacobian(
        self,
        argnums: int | Sequence[int] = 0,
        has_aux: bool = False,
        holomorphic: bool = False,
        allow_int: bool = False,
    ) -> Staged:
        """Return the function's Jacobian by reverse mode, as `jacrev`."""
        return self.jacrev(argnums, has_aux, holomorphic, allow_int)

    def hessian(
        self, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
    ) -> Staged:
        """Return the function's second derivatives; see `gradatim.hessian`."""
        rows = self.jacrev(argnums, has_aux, holomorphic)
        return rows.jacfwd(argnums, has_aux, holomorphic)

    def hvp(self, argnums: int | Sequence[int] = 0) -> Staged:
        """Return ``(primals, tangents) -> Hessian times tangents``; see `gradatim.hvp`."""
        return self.grad(argnums).transformed(Jvp(value=False))

    def jvp(self, has_aux: bool = False) -> Staged:
        """Return ``(primals, tangents) -> (results, their tangents[, aux])``."""
        return self.transformed(Jvp(has_aux))

    def vjp(self, has_aux: bool = False) -> Staged:
        """Return ``(primals, cotangents) -> (results, a gradient for each primal[, aux])``."""
        return self.transformed(Vjp(has_aux))

    def linearize(self, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
        """Return the result and the function that multiplies the Jacobian; `gradatim.linearize`."""
        from .linear import linearize

        return linearize(self, *primals, has_aux=has_aux)

    @public
    def linear_transpose(self, *primals: Any) -> Staged:
        """Return the transpose of the linear function; see `gradatim.linear_transpose`."""
        return self.transformed(LinearTranspose(self.flatten_derivable(primals)[1]))

    def vmap(
        self,
        in_axes: Any = 0,
        out_axes: Any = 0,
        axis_size: int | None = None,
        axis_name: str | None = None,
    ) -> Staged:
        """Return the function mapped over an axis of its arguments; see `gradatim.vmap`."""
        if not (axis_name is None or isinstance(axis_name, str)):
            raise ArgumentError(f"axis_name must be a string, not {axis_name!r}")
        axes = freeze(in_axes, "in_axes"), freeze(out_axes, "out_axes")
        return self.transformed(Vmap(*axes, axis_size, axis_name))

    def checkpoint(self, policy: Policy | None = None) -> Staged:
        """Return the function, to be computed again in reverse mode; see `gradatim.checkpoint`."""
        from .checkpointing import policy_text

        return self.transformed(Checkpoint(policy_text(policy)))

    def jit(self) -> Staged:
        """Return the function itself, which compiles when it is called."""
        return self

    def transformed(self, transform: Transform) -> Staged:
        """Return the function with one more transformation; the same one for an equal one."""
        found = self._derived.get(transform)
        if found is None:
            new = Staged(self.function, (*self.transforms, transform), self.options)
            found = self._derived.setdefault(transform, new)
        return found

    def with_options(self, check: str | None = None, checks: Iterable[str] | None = None) -> Staged:
        """Return the function with checks when it compiles or when it runs; see `compile`.

        Raises:
            ArgumentError: if ``check`` is not ``"each-pass"``, or there are no such ``checks``.
        """
        if check not in (None, "each-pass"):
            raise ArgumentError(f"check must be 'each-pass', not {check!r}")
        changes: dict[str, Any] = {} if check is None else {"check": check}
        if checks is not None:
            changes["checks"] = as_checks(checks)
        options = self.options._replace(**changes)
        if options == self.options:
            return self
        found = self._derived.get(options)
        if found is None:
            new = Staged(self.function, self.transforms, options)
            found = self._derived.setdefault(options, new)
        return found

    def _gradient(
        self,
        argnums: int | Sequence[int],
        has_aux: bool,
        holomorphic: bool,
        allow_int: bool,
        value: bool,
    ) -> Staged:
        # A tuple as key is found in a third of the time that the transformation takes to hash.
        key = (argnums, has_aux, holomorphic, allow_int, value)
        try:
            found = self._derived.get(key)
        except TypeError:  # argnums is a list
            return self.transformed(Grad(as_argnums(argnums), *key[1:]))
        if found is None:
            found = self.transformed(Grad(as_argnums(argnums), *key[1:]))
            self._derived[key] = found
        return found

    # Stages

    @public
    def trace(self, *args: Any, **kwargs: Any) -> Traced:
        """Return the function in the IR for such arguments.

        In the place of arrays there may be their types, as `ShapeDtypeStruct`.
        """
        return self._traced(self.flatten(args, kwargs)[1])

    def trace_call(self, leaves: Sequence[Any], arguments: Arguments) -> Traced:
        """Return the function in the IR for a call, by whose values Python may take decisions.

        Args:
            leaves: of the arguments.
            arguments: their structure and types.
        """
        return self._here()._traced(arguments, leaves)

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Return the result with types in the place of arrays; nothing is computed."""
        return self.trace(*args, **kwargs).out_info

    def clear_cache(self) -> None:
        """Forget what was traced and compiled; the cache on disk stays."""
        for known in (self._traces, self._specialisations, self.parts):
            known.clear()
        self.clear()

    @public
    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Return the function at every level of the IR for such arguments.

        In the place of arrays there may be their types, as `ShapeDtypeStruct`.
        """
        return self._traced(self.flatten(args, kwargs)[1]).lower()

    @public
    def compile(
        self,
        *args: Any,
        check: str | None = None,
        checks: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> Staged | Compiled:
        """Compile ahead of time for such arguments; without any, return the function itself.

        Args:
            args: arguments; in the place of arrays there may be their types, as
                `ShapeDtypeStruct`.
            check: ``"each-pass"`` runs the IR by its reference semantics on the arguments before
                and after each pass, and requires the same results.
            checks: what is checked when it runs; see `stage`. Parameters of the function that are
                named ``check`` or ``checks`` must be passed by position.
            kwargs: arguments by keyword.

        Raises:
            GradatimError: if a pass changes the results.
        """
        if check is not None or checks is not None:
            return self.with_options(check, checks).compile(*args, **kwargs)
        if not args and not kwargs:
            return self
        leaves, arguments = self.flatten(args, kwargs)
        traced = self._traced(arguments)
        traced.require_closed()
        return self._specialise(traced, leaves, args, kwargs)

    # Calls

    @public
    def _call_slowly(self, *args: Any, **kwargs: Any) -> Any:
        """Answer a call that none of the programs matches."""
        here = self._here()
        if here is not self:
            return here._call_slowly(*args, **kwargs)
        leaves, arguments = self.flatten(args, kwargs)
        paths = self._paths.get(arguments)
        if paths is not None:
            with suppress(GuardFailed):
                return paths.follow(leaves)
        traced = self._traced(arguments, leaves)
        if traced.guards:
            return self._take_path(traced, leaves, args, kwargs)
        outer = find_trace((*leaves, *traced.captures))
        if outer is not None:
            return traced.out_tree.unflatten(call_in(outer, traced, leaves))
        compiled = self._specialise(traced, leaves, args, kwargs)
        if compiled.program is None or compiled.program in self.programs:
            return compiled.run(leaves)  # compiled calls cannot take these arguments as they are
        self.add(compiled.program)
        return compiled(*args, **kwargs)

    def _here(self) -> Staged:
        """Return the function as one that is called here: it checks what a caller checks."""
        outer = current_trace()
        if outer is None or outer.checks == user_checks or self.options.checks is not None:
            return self
        return self.with_options(checks=outer.checks)

    def _traced(self, arguments: Arguments, leaves: Sequence[Any] | None = None) -> Traced:
        found = self._traces.get(arguments)
        if found is not None:
            return found
        with entered(symbol_of(self.function), (id(self), arguments)) as depth:
            traced = trace(
                self.function,
                self.transforms,
                arguments,
                self._names,
                self.flatten,
                leaves,
                self.options,
            )
        # What closes over traced values, or is traced while it is being traced, belongs into one
        # call of the outer function; what has guards belongs to calls that decide alike, and what
        # may ask for other lanes to the function that is mapped.
        outer = current_trace()
        knows_lanes = outer is not None and bool(outer.axes)
        if depth or traced.closes_over_tracers or traced.guards or knows_lanes:
            return traced
        return self._traces.setdefault(arguments, traced)

    def _take_path(
        self,
        traced: Traced,
        leaves: Sequence[Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        """Answer a call for whose values the function was traced."""

        def add(compiled: Compiled) -> None:
            if compiled.program is not None:
                self.add(compiled.program)

        def tried(compiled: Compiled) -> bool:
            return compiled.program is not None and compiled.program in self.programs

        def compile_() -> Compiled:
            return Compiled(
                traced, self._mark_static(args, kwargs), leaves if self.options.check else None
            )

        arguments = traced.function.arguments
        with self._specialising:
            new = Paths(traced.fun_name, add, tried)
            return self._paths.setdefault(arguments, new).take(traced, compile_, leaves)

    def _specialise(
        self,
        traced: Traced,
        leaves: Sequence[Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Compiled:
        """Return a traced function compiled, once for its arguments."""
        arguments = traced.function.arguments
        found = self._specialisations.get(arguments)
        if found is None:
            with self._specialising:  # another thread may have been faster
                found = self._specialisations.get(arguments)
                if found is None:
                    example = self._mark_static(args, kwargs)
                    found = Compiled(traced, example, leaves if self.options.check else None)
                    self._specialisations[arguments] = found
        return found

    def flatten(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[list[Any], Arguments]:
        """Return the leaves of a call's arguments, and their structure and types."""
        return flatten_arguments(*self._mark_static(args, kwargs), self._names)

    def flatten_derivable(self, primals: Sequence[Any]) -> tuple[list[Any], Arguments]:
        """Return the leaves of arguments, all of which take part in derivatives, and what they are.

        Raises:
            StaticArgumentError: if the function has static arguments.
        """
        if self.options.static.exist:
            raise StaticArgumentError(_NO_STATIC)
        return flatten_arguments(primals, {}, self._names)

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        """Names of the function's positional parameters."""
        return positional_parameters(self.function)

    def _mark_static(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """Wrap static arguments, so that they become part of the structure."""
        static = self.options.static
        if static.exist and any(isinstance(t, (Jvp, Vjp)) for t in self.transforms):
            raise StaticArgumentError(_NO_STATIC)
        return static.marked(args, kwargs, self._names)

    def check_donated(
        self,
        donate_argnums: int | Sequence[int] | None,
        donate_argnames: str | Sequence[str] | None,
    ) -> None:
        """Raise StaticArgumentError unless these are parameters, and none of them static."""
        given = (donate_argnums, donate_argnames, self._names)
        self.options.static.require_donatable(self.function, *given)


@overload
def stage(
    function: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
    inout: None = ...,
    convert: bool = ...,
    checks: Iterable[str] | None = ...,
) -> Staged: ...


@overload
def stage(
    function: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
    inout: int | Sequence[int],
    convert: bool = ...,
    checks: Iterable[str] | None = ...,
) -> InOut: ...


@public
def stage(
    function: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    inout: int | Sequence[int] | None = None,
    convert: bool = True,
    checks: Iterable[str] | None = None,
) -> Staged | InOut:
    """Return a function as a staged one, to be transformed and compiled.

    The same function, staged again, gives the same object, which keeps what was compiled.

    Args:
        function: takes and returns trees of arrays and numbers, and computes by NumPy. It is run
            with traced values once for each structure and types of arguments, so that what it
            does besides, such as printing, happens then only.
        static_argnums: positions of arguments that the function gets as they are, and for each
            value of which it is compiled anew; they must be hashable.
        static_argnames: names of such arguments.
        inout: positions of arguments whose arrays the function may change: after a call they hold
            what it left in them; see `inout.InOut`. The arrays of all others stay as they are,
            whatever the function does.
        convert: whether Python's control flow on traced values (``if``, ``while``, ``for``,
            ``and``, ...) becomes control flow of the program, in the function and in functions that
            it calls, where their source is at hand. What is not traced is left to Python.
        checks: what is checked when it runs, of the function and of what is made of it: the sets
            of `gradatim.checks`, joined by ``|``. By default the user's own conditions are.

    Raises:
        ArgumentError: if ``function`` cannot be called, ``inout`` names no position, or there are
            no such ``checks``.
        StaticArgumentError: if a static argument is no parameter.
    """
    key = (as_tuple(static_argnums, Integral), as_tuple(static_argnames, str))
    kinds = None if checks is None else as_checks(checks)
    if isinstance(function, Staged) and key == ((), ()):
        return function if kinds is None else function.with_options(checks=kinds)
    cache = cache_of(function)
    if inout is not None:
        return _in_out(function, cache, as_tuple(inout, Integral, "inout"), *key, convert, kinds)
    found = cache.get((*key, convert, kinds))
    if found is None:
        options = StageOptions(static_arguments(function, *key), None, convert, kinds)
        found = cache.setdefault((*key, convert, kinds), Staged(function, (), options))
    return found


def _in_out(
    function: Callable[..., Any],
    cache: dict[Any, Any],
    positions: tuple[int, ...],
    numbers: tuple[int, ...],
    names: tuple[str, ...],
    convert: bool,
    checks: Checks | None,
) -> InOut:
    if not all(n >= 0 for n in positions) or set(positions) & set(numbers):
        raise ArgumentError(f"inout must be positions of arguments, not {positions}")
    key = (numbers, names, positions, convert, checks)
    found: InOut | None = cache.get(key)
    if found is None:

        def staged(function: Callable[..., Any], inout: tuple[int, ...]) -> Staged:
            static = static_arguments(function, numbers, names)
            return Staged(function, (), StageOptions(static, None, True, checks, inout))

        run = converted_root(function) if convert else function
        found = cache.setdefault(key, InOut(run, positions, staged))
    return found


def _restore(
    function: Callable[..., Any], transforms: Sequence[Transform], options: StageOptions
) -> Staged:
    staged = stage(
        function,
        static_argnums=options.static.numbers,
        static_argnames=options.static.names,
        convert=options.convert,
        checks=options.checks,
    )
    return functools.reduce(Staged.transformed, transforms, staged.with_options(options.check))


def _spell(transform: Transform) -> str:
    text = repr(transform)
    return text[0].lower() + text[1:]
