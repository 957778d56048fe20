"""How samplers are called: at once on arrays, or into the trace of a traced operand.

A sampler has two parts. The public function reads its arguments: it checks the key, chooses the
dtype, and works out the shape. The other part computes, from traced values only, and is given to
`draw`. Where nothing is traced, `draw` compiles it, once for each shape and dtype, and runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any, Final

import numpy as np

from ...ir.locations import CHECKED, spell_location
from ...ir.types import ELEMENT_TYPES, Shape, spell_dtype
from ..errors import ArgumentError, DtypeError, ShapeError
from ..numpy.manipulation import sizes
from ..numpy.operands import is_traced, traced_arrays
from ..scopes import named_scope
from ..source import user_location
from ..stage import Staged, stage
from ..tracer import Tracer
from ..tracing import as_array
from .threefry import WORD, Key

Sampler = Callable[..., Tracer]
"""Takes a traced key and parameters, and by keyword what must be known, such as a shape."""

_PROGRAMS: Final = 1024
"""So many compiled samplers are kept, those that were used last."""

_KINDS: Final = {"f": "float", "i": "integer", "u": "unsigned integer", "c": "complex"}


def draw(sampler: Sampler, *operands: Any, **static: Hashable) -> Any:
    """Compute a sampler's result: a traced value if an operand is one, else an array.

    The key is the first of the operands.
    """
    if is_traced(operands):
        return _traced(sampler, operands, static)
    return _program(sampler, tuple(static.items()))(*operands)


def _traced(sampler: Sampler, operands: tuple[Any, ...], static: dict[str, Hashable]) -> Tracer:
    key, *parameters = traced_arrays(*operands)[1]
    with named_scope(CHECKED):  # what a sampler computes and then does not use may be NaN
        return sampler(Key.of(key), *parameters, **static)


def sampled(
    name: str,
    sampler: Sampler,
    key: Any,
    *parameters: Any,
    shape: Any,
    dtype: Any,
    kinds: str = "f",
    **static: Hashable,
) -> Any:
    """Compute a sampler's result, after a look at its arguments.

    Args:
        name: of the public function.
        sampler: computes.
        key: what should be one key.
        parameters: of the distribution; they broadcast to the shape, or give it.
        shape: of the result; None for that of the parameters together.
        dtype: of the result, or None.
        kinds: letters of NumPy's kinds that the dtype may have; see `chosen_dtype`.
        static: more that the sampler must know.

    Raises:
        ArgumentError: if ``key`` is no key.
        ShapeError: if it is several keys, or the parameters do not broadcast to the shape.
        DtypeError: if the dtype is of another kind, or not supported.
    """
    found = one_key(name, key)
    wanted = chosen_dtype(name, dtype, kinds)
    size = result_shape(name, shape, *map(np.shape, parameters))
    return draw(sampler, found, *parameters, shape=size, dtype=wanted, **static)


@lru_cache(maxsize=_PROGRAMS)
def _program(sampler: Sampler, static: tuple[tuple[str, Hashable], ...]) -> Staged:
    known = dict(static)

    def program(*operands: Any) -> Tracer:
        return _traced(sampler, operands, known)

    program.__name__ = program.__qualname__ = sampler.__name__.lstrip("_")
    return stage(program)


def one_key(name: str, key: Any) -> Any:
    """Return a sampler's key, an array u32[2] or a traced one.

    Raises:
        ArgumentError: if it is no key.
        ShapeError: if it is an array of keys.
    """
    found = any_keys(name, key)
    if found.ndim != 1:
        raise ShapeError(
            f"`{name}` takes one key, found {_spelled(found)}, an array of keys of shape "
            f"{found.shape[:-1]}; map over keys by `gradatim.vmap`",
            _here(),
        )
    return found


def any_keys(name: str, keys: Any) -> Any:
    """Return keys, an array u32[..., 2] or a traced one.

    Raises:
        ArgumentError: if they are none.
    """
    found = keys if type(keys) is Tracer else as_array(keys)
    if found.dtype != WORD or found.shape[-1:] != (2,):
        raise ArgumentError(
            f"`{name}` takes a key u32[2], as `gradatim.random.key` makes it, found "
            f"{_spelled(found)}",
            _here(),
        )
    return found


def chosen_dtype(name: str, dtype: Any, kinds: str = "f") -> np.dtype:
    """Return the dtype that a sampler's result is to have.

    Args:
        name: of the sampler.
        dtype: what the caller asked for; None for 64 bits of the first kind.
        kinds: letters of NumPy's kinds that the sampler can give.

    Raises:
        DtypeError: if the dtype is of another kind, or not supported.
    """
    found = np.dtype(f"{kinds[0]}8" if dtype is None else dtype)
    if found not in ELEMENT_TYPES or found.kind not in kinds:
        known = [d for d in ELEMENT_TYPES if d.kind in kinds]
        raise DtypeError(
            f"`{name}` gives numbers of {' or '.join(_KINDS[k] for k in kinds)} dtype, one of "
            f"{', '.join(map(str, known))}; found {found}",
            _here(),
        )
    return found


def result_shape(name: str, shape: Any, *parameters: Shape) -> Shape:
    """Return the shape of a sampler's result.

    Args:
        name: of the sampler.
        shape: what the caller asked for; None for the shape of the parameters together.
        parameters: the shapes that must broadcast to it.

    Raises:
        ShapeError: if they don't.
        TypeError: if ``shape`` holds anything but integers known while tracing.
    """
    wanted = None if shape is None else sizes(shape)
    try:
        common = np.broadcast_shapes(*parameters, *([] if wanted is None else [wanted]))
    except ValueError:
        common = None
    if wanted is not None and min(wanted, default=0) < 0:
        raise ShapeError(f"`{name}` cannot make an array of shape {wanted}", _here())
    if common is None or wanted not in (None, common):
        described = ", ".join(map(str, parameters))
        raise ShapeError(
            f"`{name}` cannot broadcast parameters of shapes {described}"
            + ("" if wanted is None else f" to shape {wanted}"),
            _here(),
        )
    return common


def _spelled(x: Any) -> str:
    return f"{spell_dtype(x.dtype)}[{','.join(map(str, x.shape))}]"


def _here() -> str | None:
    return spell_location(user_location())
