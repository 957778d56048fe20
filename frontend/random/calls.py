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

from ...ir.locations import spell_location
from ...ir.types import ELEMENT_TYPES, Shape, spell_dtype
from ..errors import ArgumentError, DtypeError, ShapeError
from ..numpy.manipulation import sizes
from ..numpy.operands import is_traced, traced_arrays
from ..source import user_location
from ..stage import Staged, stage
from ..tracer import Tracer
from ..tracing import as_array
from .threefry import WORD

Sampler = Callable[..., Tracer]
"""Takes traced operands, the key first, and by keyword what must be known, such as a shape."""

_PROGRAMS: Final = 1024
"""So many compiled samplers are kept, those that were used last."""

_KINDS: Final = {"f": "float", "i": "integer", "u": "unsigned integer", "c": "complex"}


def draw(sampler: Sampler, *operands: Any, **static: Hashable) -> Any:
    """Compute a sampler's result: a traced value if an operand is one, else an array."""
    if is_traced(operands):
        return sampler(*traced_arrays(*operands)[1], **static)
    return _program(sampler, tuple(static.items()))(*operands)


@lru_cache(maxsize=_PROGRAMS)
def _program(sampler: Sampler, static: tuple[tuple[str, Hashable], ...]) -> Staged:
    known = dict(static)

    def program(*operands: Any) -> Tracer:
        return sampler(*traced_arrays(*operands)[1], **known)

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


def chosen_dtype(name: str, dtype: Any, default: Any, kinds: str) -> np.dtype:
    """Return the dtype that a sampler's result is to have.

    Args:
        name: of the sampler.
        dtype: what the caller asked for; None for the default.
        default: the dtype that NumPy gives to such numbers.
        kinds: letters of NumPy's kinds that the sampler can give.

    Raises:
        DtypeError: if the dtype is of another kind, or not supported.
    """
    found = np.dtype(default if dtype is None else dtype)
    if found not in ELEMENT_TYPES or found.kind not in kinds:
        known = [d for d in ELEMENT_TYPES if d.kind in kinds]
        raise DtypeError(
            f"`{name}` gives numbers of a {' or '.join(_KINDS[k] for k in kinds)} dtype, one of "
            f"{', '.join(map(str, known))}; found {found}",
            _here(),
        )
    return found


def float_dtype(name: str, dtype: Any) -> np.dtype:
    """Return the dtype of a sampler of real numbers: float64 unless the caller asked for another.

    Raises:
        DtypeError: if it is no float dtype, or not supported.
    """
    return chosen_dtype(name, dtype, np.float64, "f")


def result_shape(name: str, shape: Any, *parameters: Any) -> Shape:
    """Return the shape of a sampler's result.

    Args:
        name: of the sampler.
        shape: what the caller asked for; None for the shape of the parameters together.
        parameters: arrays and numbers that must broadcast to it.

    Raises:
        ShapeError: if they don't.
        TypeError: if ``shape`` holds anything but integers known while tracing.
    """
    wanted = None if shape is None else sizes(shape)
    found = [np.shape(p) for p in parameters]
    try:
        common = np.broadcast_shapes(*found, *([] if wanted is None else [wanted]))
    except ValueError:
        common = None
    if common is None or wanted not in (None, common):
        described = ", ".join(map(str, found))
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
