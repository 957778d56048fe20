"""Where in the user's program the running code is.

Frames of gradatim and of NumPy are skipped, so that an op made deep inside ``np.mean`` carries the
line that called it. Columns count from 1, as MLIR's do.
"""

from __future__ import annotations

import dis
import os
import site
import sys
from itertools import islice
from types import CodeType, FrameType, TracebackType

import numpy as np
from xdsl.dialects.builtin import LocationAttr

from ..ir.locations import UNKNOWN, source_location

_CACHE_LIMIT = 65536

OUR_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_SKIPPED_FOLDERS = (OUR_FOLDER, os.path.dirname(os.path.abspath(np.__file__)) + os.sep)

_LIBRARIES = ("<frozen", "<string>", os.path.dirname(os.__file__) + os.sep, *site.getsitepackages())

# Both keyed by the identity of code objects, which are kept so that it stays theirs: equality of
# code objects compares contents and ignores the file.
_skipped: dict[int, tuple[CodeType, bool]] = {}
_locations: dict[tuple[int, int], tuple[CodeType, LocationAttr]] = {}


def user_location() -> LocationAttr:
    """Return file, line, column and function of the innermost frame of the user's code."""
    frame = _user_frame()
    if frame is None:
        return UNKNOWN
    found = _locations.get((id(frame.f_code), frame.f_lasti))
    return found[1] if found is not None else _locate(frame.f_code, frame.f_lasti)


def _user_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        known = _skipped.get(id(code))
        if not (known[1] if known is not None else _is_skipped(code)):
            return frame
        frame = frame.f_back
    return None


_STORES = frozenset(
    dis.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in dis.opmap
)


def is_storing() -> bool:
    """Tell whether the user's code is at a statement such as ``x[i] = value``."""
    frame = _user_frame()
    return frame is not None and frame.f_code.co_code[frame.f_lasti] in _STORES


def innermost_user_location(trace: TracebackType | None) -> LocationAttr:
    """Return where in the user's code an error came from, be it through a library's."""
    found: LocationAttr = UNKNOWN
    while trace is not None:
        code = trace.tb_frame.f_code
        if not _is_skipped(code) and not code.co_filename.startswith(_LIBRARIES):
            found = _locate(code, trace.tb_lasti)
        trace = trace.tb_next
    return found


def definition_location(code: CodeType) -> LocationAttr:
    """Return where a function is defined."""
    return source_location(code.co_filename, code.co_firstlineno, 1, code.co_qualname)


def _is_skipped(code: CodeType) -> bool:
    if len(_skipped) >= _CACHE_LIMIT:
        _skipped.clear()
    skipped = code.co_filename.startswith(_SKIPPED_FOLDERS)
    _skipped[id(code)] = (code, skipped)
    return skipped


def _locate(code: CodeType, instruction: int) -> LocationAttr:
    if len(_locations) >= _CACHE_LIMIT:
        _locations.clear()
    line, _, column, _ = next(islice(code.co_positions(), instruction // 2, None))
    location = source_location(
        code.co_filename,
        line or code.co_firstlineno,
        (column or 0) + 1,
        code.co_qualname,
    )
    _locations[id(code), instruction] = (code, location)
    return location
