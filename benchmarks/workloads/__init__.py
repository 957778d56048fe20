"""The workloads that run many times in one process, in groups; each is an entry of a table."""

from __future__ import annotations

from ..workload import Workload
from .arrays import ARRAYS
from .calls import CALLS
from .control import CONTROL
from .draws import DRAWS
from .models import MODELS
from .ordering import ORDERING

GROUPS: dict[str, tuple[Workload, ...]] = {
    "calls": CALLS,
    "arrays": ARRAYS,
    "ordering": ORDERING,
    "models": MODELS,
    "control": CONTROL,
    "random numbers": DRAWS,
}
