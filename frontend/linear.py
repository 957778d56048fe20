"""Functions that are computed in two parts: what depends on a point, and what is linear there.

`vjp` and `linearize` run the first part, which leaves residuals, and return the second one as a
function that holds them. Such a function is a container of its residuals, so that it can be
returned from a staged function, passed to one, and mapped over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument, SSAValue

from ..ir.functions import find_function, return_of
from ..ir.types import tensor_info
from ..passes.simplify.inline import erase_uncalled
from . import tree
from .arguments import Arguments, ShapeDtypeStruct, flatten_arguments
from .boundary import PublicCallable, public
from .compiled import Compiled
from .errors import ArgumentError
from .execution import raise_status
from .stage import Staged, stage
from .traced import Traced, call_in, run_passes
from .tracer import Tracer
from .tracing import find_trace
from .transforms import Function, PassCall, Results
from .transforms.shared import (
    cast,
    check_derivatives,
    derivative_tree,
    derivative_trees,
    inexact_parameters,
    join,
    split_aux,
)


class _Kind(NamedTuple):
    """What the second part is.

    Attributes:
        pass_name: the pass that parts a function.
        part: what it calls the second part.
        given: what that takes, for messages.
    """

    pass_name: str
    part: str
    given: str


_VJP: Final = _Kind("array-split-vjp", "pullback", "cotangents")
_LINEARIZE: Final = _Kind("array-linearize", "linear", "tangents")


class LinearCode(PublicCallable):
    """The second part of a function, without residuals: ``(residuals, given) -> results``.

    Args:
        traced: the second part.
        given: what it takes besides residuals, for messages.
    """

    def __init__(self, traced: Traced, given: str) -> None:
        super().__init__(self._call_slowly, raise_status)
        self.traced = traced
        self._given = given
        arguments = traced.function.arguments
        self._types = arguments.unflatten(arguments.types)[0][1]

    def __repr__(self) -> str:
        return f"<{self.traced.fun_name}>"

    @public
    def _call_slowly(self, residuals: Sequence[Any], given: Any) -> Any:
        names = ("residuals", self._given)
        leaves, found = flatten_arguments((residuals, cast(given, self._types)), {}, names)
        self._check(found)
        outer = find_trace(leaves)
        if outer is not None:
            return self.traced.out_tree.unflatten(call_in(outer, self.traced, leaves))
        compiled = self._compiled
        if compiled.program is not None and compiled.program not in self.programs:
            self.add(compiled.program)
        return compiled.run(leaves)

    @cached_property
    def _compiled(self) -> Compiled:
        arguments = self.traced.function.arguments
        return Compiled(self.traced, arguments.unflatten(arguments.types))

    def _check(self, found: Arguments) -> None:
        expected = self.traced.function.arguments
        count = expected.offsets[1]
        for have, want in zip(found.types[:count], expected.types):
            if have.shape != want.shape:
                raise ArgumentError(
                    f"the function holds residuals of shape {have.shape} instead of {want.shape}; "
                    "if it stands for a batch of functions, call it under vmap"
                )
        check_derivatives(
            self._given,
            found.trees[1],
            expected.trees[1],
            found.types[count:],
            expected.types[count:],
        )


class _Linear:
    """A linear function at a point: residuals and what to do with them.

    Attributes:
        residuals: what was computed at the point, the leaves of this container.
        code: the function of residuals and what else is given.
    """

    def __init__(self, residuals: Sequence[Any], code: LinearCode) -> None:
        self.residuals = tuple(residuals)
        self.code = code

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code.traced.fun_name}>"


class VjpFunction(_Linear):
    """Multiplies by the transposed Jacobian of a function at one point; what `vjp` returns."""

    def __call__(self, cotangents: Any) -> tuple[Any, ...]:
        """Return a gradient for each primal.

        Raises:
            TreeError: (a ValueError) if cotangents have another structure than the result.
            ArgumentError: (a TypeError) if they have other types.
        """
        return self.code(self.residuals, cotangents)


class JvpFunction(_Linear):
    """Multiplies by the Jacobian of a function at one point; what `linearize` returns."""

    def __call__(self, *tangents: Any) -> Any:
        """Return the tangents of the results.

        Raises:
            TreeError: (a ValueError) if tangents have another structure than the primals.
            ArgumentError: (a TypeError) if they have other types.
        """
        return self.code(self.residuals, tangents)


def _flatten(node: _Linear) -> tuple[Sequence[Any], LinearCode]:
    return node.residuals, node.code


tree.register_node(VjpFunction, _flatten, lambda code, residuals: VjpFunction(residuals, code))
tree.register_node(JvpFunction, _flatten, lambda code, residuals: JvpFunction(residuals, code))


@public
def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``fun(*primals)`` and the function that multiplies its transposed Jacobian.

    Args:
        fun: the function.
        primals: its arguments.
        has_aux: ``fun`` returns a pair of what is differentiated and something else.

    Returns:
        ``(result, vjp_fun)``, or ``(result, vjp_fun, aux)``. ``vjp_fun`` takes cotangents of the
        structure, shapes and dtypes of the result, and returns a tuple with a gradient for each
        primal. It holds what it needs of the point, and can be called many times; it is a
        container of these arrays.

    Example:
        >>> y, vjp_fun = vjp(np.sin, 0.0)
        >>> vjp_fun(2.0)
        (np.float64(2.0),)
    """
    result, residuals, code = _first_part(stage(fun), _VJP, has_aux, primals)
    pullback = VjpFunction(residuals, code)
    return (result[0], pullback, result[1]) if has_aux else (result, pullback)


@public
def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Return ``fun(*primals)`` and the function that multiplies its Jacobian there.

    Unlike `gradatim.jvp` it computes what depends on the point once, for any number of tangents.

    Args:
        fun: the function.
        primals: its arguments.
        has_aux: ``fun`` returns a pair of what is differentiated and something else.

    Returns:
        ``(result, f_jvp)``, or ``(result, f_jvp, aux)``. ``f_jvp`` takes a tangent for each primal,
        of its structure, shapes and dtypes, and returns those of the result. It holds what it
        needs of the point; it is a container of these arrays.

    Example:
        >>> y, f_jvp = linearize(np.sin, 0.0)
        >>> f_jvp(2.0)
        np.float64(2.0)
    """
    result, residuals, code = _first_part(stage(fun), _LINEARIZE, has_aux, primals)
    linear = JvpFunction(residuals, code)
    return (result[0], linear, result[1]) if has_aux else (result, linear)


def _first_part(
    staged: Staged, kind: _Kind, has_aux: bool, primals: Sequence[Any]
) -> tuple[Any, list[Any], LinearCode]:
    """Run the first part of a function; return its result, the residuals, and the second part."""
    leaves, arguments = staged.flatten_derivable(primals)
    key = (kind, has_aux, arguments)
    parts = staged.parts.get(key)
    if parts is None:
        traced = staged.trace_call(leaves, arguments)
        parts = Parts(traced.without_guards(), kind, has_aux)
        # What closes over traced values belongs into one call of the outer function, what was
        # decided by values to these values.
        if not traced.closes_over_tracers and not traced.guards:
            parts = staged.parts.setdefault(key, parts)
    return *parts(primals, leaves), parts.code


@public
def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Staged:
    """Return the transpose of a linear function.

    Args:
        fun: a function that is linear in all of its arguments.
        primals: its arguments, or their types, as `ShapeDtypeStruct`; values do not matter.

    Returns:
        A function that takes cotangents of the structure, shapes and dtypes of the result, and
        returns a tuple with one for each argument.

    Raises, when called:
        GradatimError: if the function is not linear; the message names the op and its line.
        NonDifferentiableArgumentError: (a TypeError) if an argument is not floating point.

    Example:
        >>> f = linear_transpose(lambda x: 3 * x[1:], np.zeros(3))
        >>> f(np.array([1.0, 2.0]))
        (array([0., 3., 6.]),)
    """
    return stage(fun).linear_transpose(*primals)


class Parts:
    """A function in two parts, for arguments of known structure and types.

    Args:
        traced: the function.
        kind: what the second part is to be.
        has_aux: whether the function returns a pair of results and what has no derivative.
    """

    def __init__(self, traced: Traced, kind: _Kind, has_aux: bool) -> None:
        self.forward, self._sources, second = _parted(traced, kind, has_aux)
        self.code = LinearCode(second, kind.given)

    def __call__(self, primals: Sequence[Any], leaves: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Return the results of the first part, and the residuals.

        Args:
            primals: the arguments.
            leaves: their leaves.
        """
        outer = find_trace((*leaves, *self.forward.captures))
        if outer is None:
            results, kept = self._compiled(*primals)
        else:
            found = call_in(outer, self.forward, leaves)
            results, kept = self.forward.out_tree.unflatten(found)
        captures = self.forward.captures
        return results, [captures[~i] if i < 0 else kept[i] for i in self._sources]

    @cached_property
    def _compiled(self) -> Compiled:
        arguments = self.forward.function.arguments
        return Compiled(self.forward, arguments.unflatten(arguments.types))


def _parted(traced: Traced, kind: _Kind, has_aux: bool) -> tuple[Traced, list[int], Traced]:
    """Part a function.

    Captured arrays that the second part needs are captures of it, too, and no residuals.

    Returns:
        The first part, ``(x...) -> (results, residuals)``; for each residual of the second part,
        which of these it is, or, as ``~i``, that it is the capture ``i``; and the second part.
    """
    function = traced.function
    primal, aux = split_aux(function.results, has_aux)
    options = {
        "function": function.name,
        "argnums": inexact_parameters(function),
        "aux": len(aux.types) if aux else 0,
    }
    module = traced.module.clone()
    run_passes(module, [PassCall(kind.pass_name, options)])
    name, late = f"{function.name}.forward", f"{function.name}.{kind.part}"
    second = module.clone()
    first = _without(module, late)
    _without(second, name)
    count = len(function.results.types)
    handed = return_of(find_function(first, name)).operands[count:]
    types = [ShapeDtypeStruct(*tensor_info(value)) for value in handed]
    arrays, sources, kept = _sources(handed, traced.captures)
    selection = {"function": name, "results": (*range(count), *(count + i for i in kept))}
    run_passes(first, [PassCall("array-select-results", selection)])
    held = [i for i in range(len(handed)) if i not in arrays]
    total = len(find_function(second, late).body.block.args)
    order = {"function": late, "arguments": (*arrays, *held, *range(len(handed), total))}
    run_passes(second, [PassCall("array-permute-arguments", order)])
    returned = join([function.results, _flat([types[i] for i in kept])])
    forward = Function(name, function.captures, function.arguments, returned)
    described = _second_part(function, primal, kind, late, len(arrays), [types[i] for i in held])
    names = ("residuals", kind.given)

    def flatten(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], Arguments]:
        return flatten_arguments(args, kwargs, names)

    captures = list(arrays.values())
    return (
        Traced(forward, traced.captures, first, (), traced.names, traced.flatten),
        sources,
        Traced(described, captures, second, (), names, flatten),
    )


def _sources(
    handed: Sequence[SSAValue], captures: Sequence[np.ndarray | Tracer]
) -> tuple[dict[int, np.ndarray], list[int], list[int]]:
    """Return where what the first part hands to the second one comes from.

    Returns:
        The captured arrays, by position; for each of the others its place among those that the
        first part returns, or ``~i`` for the capture ``i``; and the positions of those that it
        returns.
    """
    arrays: dict[int, np.ndarray] = {}
    sources: list[int] = []
    kept: list[int] = []
    for position, value in enumerate(handed):
        if isinstance(value, BlockArgument) and value.index < len(captures):
            capture = captures[value.index]
            if isinstance(capture, np.ndarray):
                arrays[position] = capture
            else:
                sources.append(~value.index)
        else:
            sources.append(len(kept))
            kept.append(position)
    return arrays, sources, kept


def _second_part(
    function: Function,
    primal: Results,
    kind: _Kind,
    name: str,
    captures: int,
    residuals: Sequence[ShapeDtypeStruct],
) -> Function:
    arguments = function.arguments
    trees = derivative_trees(arguments, range(len(arguments.trees)), arguments.trees)
    by_arguments = Results(tree.tuple_of(trees), _inexact(arguments.types))
    of_results = Results(derivative_tree(primal.tree, primal.types), _inexact(primal.types))
    given, returned = (of_results, by_arguments) if kind is _VJP else (by_arguments, of_results)
    held = _flat(residuals)
    takes = Arguments((held.tree, given.tree), (), (*held.types, *given.types))
    return Function(name, captures, takes, returned)


def _flat(types: Sequence[ShapeDtypeStruct]) -> Results:
    """Return results that are a tuple of arrays."""
    return Results(tree.tuple_of([tree.LEAF] * len(types)), tuple(types))


def _inexact(types: Sequence[ShapeDtypeStruct]) -> tuple[ShapeDtypeStruct, ...]:
    return tuple([type_.strong() for type_ in types if type_.inexact])


def _without(module: ModuleOp, name: str) -> ModuleOp:
    """Erase one of the two functions of a module, and what only that calls."""
    module.body.block.erase_op(find_function(module, name))
    erase_uncalled(module)
    return module
