"""What rewritten source calls, under the name ``@runtime``."""

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
    "not_",
    "or_",
    "rest",
    "slice",
    "text",
    "while_",
]
