"""What rewritten source calls, under the name ``@runtime``."""

from ..local import new_array, storable
from .assertions import assert_, text
from .branches import if_, leave, rest
from .loops import begin_while, iterate, while_
from .operators import and_, choose, in_, item, not_, or_, slice
from .sources import joined

__all__ = [
    "and_",
    "assert_",
    "begin_while",
    "choose",
    "if_",
    "in_",
    "item",
    "iterate",
    "joined",
    "leave",
    "new_array",
    "not_",
    "or_",
    "rest",
    "slice",
    "storable",
    "text",
    "while_",
]
