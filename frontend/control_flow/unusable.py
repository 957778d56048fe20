"""Variables that have no value after a traced statement, and say why when they are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from ...ir.locations import spell_location
from ..errors import GradatimError
from ..source import user_location


class Unusable:
    """What stands in a variable whose value cannot be known; every use raises.

    Attributes:
        kind: the error's type.
        message: the error's message.
        where: the statement that leaves it so, ``file:line``.
    """

    __slots__ = ("kind", "message", "where")

    __array_priority__ = 2000

    def __init__(self, kind: type[GradatimError], message: str, where: str | None) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "message", message)
        object.__setattr__(self, "where", where)

    def __repr__(self) -> str:
        return f"<{self.message}>"

    def error(self) -> GradatimError:
        """Return the error of a use at the user's current place."""
        return self.kind(self.message, spell_location(user_location()))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__array_") and name.endswith("struct__"):
            raise AttributeError(name)  # NumPy asks every object for these
        raise self.error()

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise self.error()

    __hash__ = object.__hash__


Literals = frozenset[tuple[str, bool]]


class Maybe(Unusable):
    """A value that is there unless something was left early.

    Attributes:
        value: the value; where it is missing, zeros.
        literals: flags and values that they have wherever it is missing.
    """

    __slots__ = ("literals", "value")

    def __init__(
        self,
        kind: type[GradatimError],
        message: str,
        where: str | None,
        value: Any,
        literals: Literals,
    ) -> None:
        super().__init__(kind, message, where)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "literals", literals)

    def is_there(self, known: Mapping[str, bool]) -> bool:
        """Tell whether it is there, where some flags have known values."""
        literals: Literals = self.literals
        return any(known.get(flag, value) is not value for flag, value in literals)


def require_usable(value: Any) -> None:
    """Raise the error of a value that is returned, at the statement that left it so."""
    if isinstance(value, Unusable):
        raise value.kind(value.message, value.where)


def _refusing(name: str) -> Callable[..., NoReturn]:
    def method(self: Unusable, *args: Any, **kwargs: Any) -> NoReturn:
        raise self.error()

    method.__name__ = name
    return method


_ARITHMETIC: Final = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul"),
    *("and", "or", "xor", "lshift", "rshift"),
)
_OTHERS: Final = (
    *("neg", "pos", "abs", "invert", "lt", "le", "eq", "ne", "gt", "ge", "bool", "len", "iter"),
    *("next", "call", "contains", "getitem", "setitem", "delitem", "int", "float", "complex"),
    *("index", "round", "trunc", "floor", "ceil", "enter", "exit", "format", "array"),
    *("array_ufunc", "array_function"),
)

for _name in (
    *(f"__{kind}{operator}__" for operator in _ARITHMETIC for kind in ("", "r", "i")),
    *(f"__{operator}__" for operator in _OTHERS),
):
    setattr(Unusable, _name, _refusing(_name))
