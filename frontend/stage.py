"""Staged functions: Python functions that are traced, transformed and compiled when called."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any, overload

from . import tree
from .arguments import Arguments, flatten_arguments
from .axes import freeze
from .boundary import PublicCallable, public
from .compiled import Compiled
from .control_flow.conversion import converted_root
from .errors import ArgumentError, StaticArgumentError
from .execution import GuardFailed, raise_status
from .inout import InOut
from .paths import Paths
from .recursion import entered
from .traced import Traced, call_in, symbol_of, trace
from .tracer import Tracer
from .tracing import find_trace
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

_CACHE_ATTRIBUTE = "__gradatim__"
_CACHED_CALLABLES = 128
_NO_STATIC = "jvp, vjp and linearize do not take functions with static arguments; close over them"


class Staged(PublicCallable):
    """A function and what is to be done to it; immutable.

    Calling it compiles for the structure and types of the arguments, once for each, and runs. The
    methods return further staged functions, and are the same operations as the functions of their
    names: ``stage(f).grad().vmap()`` is ``vmap(grad(f))``.

    Attributes:
        function: the user's function.
        transforms: what is done to it, the first one first.
        static_argnums: positions of arguments that are compiled in.
        static_argnames: names of such arguments.
        check: what is checked when it compiles, ``"each-pass"`` or None.
        convert: whether Python's control flow on traced values is rewritten.
        parts: what `vjp` and `linearize` made of the function, by signature.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        transforms: tuple[Transform, ...] = (),
        static_argnums: tuple[int, ...] = (),
        static_argnames: tuple[str, ...] = (),
        check: str | None = None,
        convert: bool = True,
    ) -> None:
        super().__init__(self._call_slowly, raise_status)
        functools.update_wrapper(self, function, updated=())  # attributes could hide our methods
        self.function = function
        self.transforms = transforms
        self.static_argnums = static_argnums
        self.static_argnames = static_argnames
        self.check = check
        self.convert = convert
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
        return _restore, (
            self.function,
            self.transforms,
            self.static_argnums,
            self.static_argnames,
            self.check,
            self.convert,
        )

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

    def vmap(self, in_axes: Any = 0, out_axes: Any = 0, axis_size: int | None = None) -> Staged:
        """Return the function mapped over an axis of its arguments; see `gradatim.vmap`."""
        return self.transformed(
            Vmap(freeze(in_axes, "in_axes"), freeze(out_axes, "out_axes"), axis_size)
        )

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
            steps = (*self.transforms, transform)
            options = (self.static_argnums, self.static_argnames, self.check, self.convert)
            new = Staged(self.function, steps, *options)
            found = self._derived.setdefault(transform, new)
        return found

    def checked(self, check: str) -> Staged:
        """Return the function with checks when it compiles; see `compile`.

        Raises:
            ArgumentError: if ``check`` is not ``"each-pass"``.
        """
        if check != "each-pass":
            raise ArgumentError(f"check must be 'each-pass', not {check!r}")
        found = self._derived.get(check)
        if found is None:
            options = (self.static_argnums, self.static_argnames, check, self.convert)
            new = Staged(self.function, self.transforms, *options)
            found = self._derived.setdefault(check, new)
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
        return self._traced(arguments, leaves)

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
    def compile(self, *args: Any, check: str | None = None, **kwargs: Any) -> Staged | Compiled:
        """Compile ahead of time for such arguments; without any, return the function itself.

        Args:
            args: arguments; in the place of arrays there may be their types, as
                `ShapeDtypeStruct`.
            check: ``"each-pass"`` runs the IR by its reference semantics on the arguments before
                and after each pass, and requires the same results. A parameter of the function
                with this name must be passed by position.
            kwargs: arguments by keyword.

        Raises:
            GradatimError: if a pass changes the results.
        """
        if check is not None:
            return self.checked(check).compile(*args, **kwargs)
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
                self.convert,
            )
        # What closes over traced values, or is traced while it is being traced, belongs into one
        # call of the outer function; what has guards belongs to calls that decide alike.
        if depth or traced.closes_over_tracers or traced.guards:
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
            return Compiled(traced, self._mark_static(args, kwargs), leaves if self.check else None)

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
                    found = Compiled(traced, example, leaves if self.check else None)
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
        if self.static_argnums or self.static_argnames:
            raise StaticArgumentError(_NO_STATIC)
        return flatten_arguments(primals, {}, self._names)

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        """Names of the function's positional parameters."""
        try:
            parameters = inspect.signature(self.function).parameters.values()
        except (TypeError, ValueError):
            return ()
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return tuple([p.name for p in parameters if p.kind in positional])

    def _mark_static(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        """Wrap static arguments, so that they become part of the structure."""
        if not self.static_argnums and not self.static_argnames:
            return args, kwargs
        if any(isinstance(t, (Jvp, Vjp)) for t in self.transforms):
            raise StaticArgumentError(_NO_STATIC)
        return (
            tuple(
                [_static(v, i) if self._is_static(i, len(args)) else v for i, v in enumerate(args)]
            ),
            {k: _static(v, k) if self._is_static_name(k) else v for k, v in kwargs.items()},
        )

    def check_donated(
        self,
        donate_argnums: int | Sequence[int] | None,
        donate_argnames: str | Sequence[str] | None,
    ) -> None:
        """Raise StaticArgumentError unless these are parameters, and none of them static."""
        numbers, names = _as_tuple(donate_argnums, int), _as_tuple(donate_argnames, str)
        _check_parameters(self, numbers, names, "donated")
        for number in _from_front(self, numbers):
            if self._is_static(number, len(self._names)):
                raise StaticArgumentError(f"argument {number} cannot be both static and donated")
        for name in names:
            if self._is_static_name(name):
                raise StaticArgumentError(f"argument {name!r} cannot be both static and donated")

    def _is_static(self, position: int, count: int) -> bool:
        if position in self.static_argnums or position - count in self.static_argnums:
            return True
        names = self._names
        return position < len(names) and names[position] in self.static_argnames

    def _is_static_name(self, name: str) -> bool:
        names = self._names
        return name in self.static_argnames or (
            name in names and names.index(name) in self.static_argnums
        )


@overload
def stage(
    function: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
    inout: None = ...,
    convert: bool = ...,
) -> Staged: ...


@overload
def stage(
    function: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] | None = ...,
    static_argnames: str | Sequence[str] | None = ...,
    inout: int | Sequence[int],
    convert: bool = ...,
) -> InOut: ...


@public
def stage(
    function: Callable[..., Any],
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    inout: int | Sequence[int] | None = None,
    convert: bool = True,
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
            what it left in them. The arrays of all others stay as they are, whatever the function
            does.
        convert: whether Python's control flow on traced values (``if``, ``while``, ``for``,
            ``and``, ...) becomes control flow of the program, in the function and in functions that
            it calls, where their source is at hand. What is not traced is left to Python.

    Raises:
        ArgumentError: if ``function`` cannot be called, or ``inout`` names no position.
        StaticArgumentError: if a static argument is no parameter.
    """
    numbers = _as_tuple(static_argnums, int)
    names = _as_tuple(static_argnames, str)
    if isinstance(function, Staged) and not numbers and not names:
        return function
    cache = _cache_of(function)
    if inout is not None:
        return _in_out(function, cache, numbers, names, _as_tuple(inout, int), convert)
    found = cache.get((numbers, names, convert))
    if found is None:
        plain = Staged(function)
        _check_parameters(plain, numbers, names, "static")
        new = Staged(function, (), _from_front(plain, numbers), names, None, convert)
        found = cache.setdefault((numbers, names, convert), new)
    return found


def _in_out(
    function: Callable[..., Any],
    cache: dict[Any, Any],
    numbers: tuple[int, ...],
    names: tuple[str, ...],
    positions: tuple[int, ...],
    convert: bool,
) -> InOut:
    if not all(isinstance(n, int) and n >= 0 for n in positions) or set(positions) & set(numbers):
        raise ArgumentError(f"inout must be positions of arguments, not {positions}")
    key = (numbers, names, positions, convert)
    found: InOut | None = cache.get(key)
    if found is None:
        pairs = functools.partial(stage, static_argnums=numbers, static_argnames=names)
        run = converted_root(function) if convert else function
        found = cache.setdefault(key, InOut(run, positions, pairs))
    return found


class _Cache(dict[Any, Staged]):
    """The staged forms of one function, kept on the function itself.

    ``functools.wraps`` copies a function's attributes; ``function`` tells the original.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def __reduce__(self) -> Any:  # what is compiled is not pickled with the function
        return dict, ()


def _cache_of(function: Callable[..., Any]) -> dict[Any, Staged]:
    if type(function) is not FunctionType and not _is_its_own_key(function):
        return _cache_of_equal(function)
    found = function.__dict__.get(_CACHE_ATTRIBUTE)
    if type(found) is not _Cache or found.function is not function:
        found = function.__dict__[_CACHE_ATTRIBUTE] = _Cache(function)
    return found


def _is_its_own_key(function: Any) -> bool:
    """Tell whether a callable is equal to itself only, and can keep its cache."""
    return (
        callable(function)
        and getattr(type(function), "__hash__", None) is object.__hash__
        and type(getattr(function, "__dict__", None)) is dict
    )


def _cache_of_equal(function: Callable[..., Any]) -> dict[Any, Staged]:
    """Return the cache of a bound method or another callable, kept for those used last."""
    if not callable(function):
        raise ArgumentError(f"expected a function, found {function!r}")
    try:
        return _recent(function)
    except TypeError:  # not hashable
        return {}


@functools.lru_cache(maxsize=_CACHED_CALLABLES)
def _recent(function: Callable[..., Any]) -> dict[Any, Staged]:
    return {}


def _as_tuple(value: Any, kind: type[Any]) -> tuple[Any, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, kind) else tuple(value)


def _check_parameters(
    staged: Staged, numbers: Sequence[int], names: Sequence[str], what: str
) -> None:
    """Raise StaticArgumentError if there are no parameters of these positions and names."""
    try:
        parameters = inspect.signature(staged.function).parameters
    except (TypeError, ValueError):
        return
    kinds = {p.kind for p in parameters.values()}
    for name in names:
        if name not in parameters and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise StaticArgumentError(f"{what} argument {name!r} is no parameter of {staged!r}")
    count = len(staged._names)
    for n in numbers:
        if not -count <= n < count and inspect.Parameter.VAR_POSITIONAL not in kinds:
            raise StaticArgumentError(
                f"{what} argument {n} is no positional parameter of {staged!r}, which has {count}"
            )


def _from_front(staged: Staged, numbers: Sequence[int]) -> tuple[int, ...]:
    """Count positions of parameters from the front, where a function's signature tells how many."""
    count = len(staged._names)
    return tuple([n + count if -count <= n < 0 else n for n in numbers])


def _static(value: Any, name: int | str) -> tree.Static:
    if type(value) is Tracer:
        raise StaticArgumentError(f"static argument {name!r} is a traced value, {value}")
    try:
        hash(value)
    except TypeError:
        raise StaticArgumentError(
            f"static argument {name!r} must be hashable, found a {type(value).__name__}"
        ) from None
    return tree.Static(value)


def _restore(
    function: Any,
    transforms: Any,
    static_argnums: Any,
    static_argnames: Any,
    check: Any,
    convert: bool = True,
) -> Staged:
    static = {"static_argnums": static_argnums, "static_argnames": static_argnames}
    staged = stage(function, **static, convert=convert)
    staged = staged.checked(check) if check else staged
    return functools.reduce(Staged.transformed, transforms, staged)


def _spell(transform: Transform) -> str:
    text = repr(transform)
    return text[0].lower() + text[1:]
