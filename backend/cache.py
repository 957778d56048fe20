"""A cache on disk that maps keys to bytes and never fails.

Whatever goes wrong with the disk (no permission, no space, a truncated or foreign file, another
process writing the same entry) only means that a lookup finds nothing. An entry is written to a
temporary file and renamed, and carries a checksum that is verified on reading. Since entries hold
machine code, files that another user could have written are not read.

Environment variables:
    GRADATIM_CACHE: "0" turns the cache off.
    GRADATIM_CACHE_DIR: where it lives; by default the platform's directory for caches.
    GRADATIM_CACHE_BYTES: bound on its size, by default 1 GiB. The entries used least recently go.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_MAGIC = b"gradatim-cache-1"
_HEADER_BYTES = len(_MAGIC) + hashlib.sha256().digest_size
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_DEFAULT_BOUND = 1 << 30
_PRUNE_INTERVAL_SECONDS = 3600.0
_RECENCY_SECONDS = 3600.0
_ABANDONED_SECONDS = 3600.0


def key(*parts: str | bytes) -> str:
    """Return the key of an entry: a hash of `parts` and of all versions that code depends on.

    Those are gradatim (its version and the state of its source files), llvmlite, NumPy and the
    Python ABI. Processor, options and program are the caller's to name in `parts`.
    """
    digest = hashlib.sha256(_versions())
    for part in parts:
        encoded = part.encode() if isinstance(part, str) else part
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return digest.hexdigest()


def enabled() -> bool:
    """Whether entries can be expected to be kept."""
    return _directory() is not None


def lookup(key: str) -> bytes | None:
    """Return the bytes stored under `key`, or None."""
    directory = _directory()
    if directory is None:
        return None
    path = _path(directory, key)
    try:
        content = _read_trusted(path)
    except OSError:
        return None
    payload = _payload(content)
    with suppress(OSError):
        if payload is None:
            path.unlink()
        else:
            _mark_used(path)
    return payload


def store(key: str, payload: bytes) -> None:
    """Store `payload` under `key`; do nothing if that is impossible."""
    directory = _directory()
    if directory is None:
        return
    path = _path(directory, key)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_atomically(path, _MAGIC + hashlib.sha256(payload).digest() + payload)
        _prune_sometimes(directory, len(payload))
    except OSError:
        return


def _directory() -> Path | None:
    if os.environ.get("GRADATIM_CACHE") == "0":
        return None
    chosen = os.environ.get("GRADATIM_CACHE_DIR")
    if chosen:
        return Path(chosen)
    try:
        return _platform_directory() / "gradatim"
    except RuntimeError:  # no home directory
        return None


def _platform_directory() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _path(directory: Path, key: str) -> Path:
    return directory / key[:2] / key


def _read_trusted(path: Path) -> bytes:
    with path.open("rb") as file:
        if hasattr(os, "geteuid"):
            status = os.fstat(file.fileno())
            if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022:
                raise PermissionError(f"{path} can be written by another user")
        return file.read()


def _payload(content: bytes) -> bytes | None:
    payload = content[_HEADER_BYTES:]
    intact = content[:_HEADER_BYTES] == _MAGIC + hashlib.sha256(payload).digest()
    return payload if intact else None


def _mark_used(path: Path) -> None:
    # The time of modification serves as time of use: access times are often not recorded.
    if time.time() - path.stat().st_mtime > _RECENCY_SECONDS:
        os.utime(path)


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        descriptor = os.open(temporary, _CREATE, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


class _Unpruned:
    """How much this process has stored since it last pruned."""

    size = 0


def _prune_sometimes(directory: Path, stored: int) -> None:
    """Prune once an hour, and whenever this process has stored a sixteenth of the bound."""
    _Unpruned.size += stored
    stamp = directory / ".pruned"
    with suppress(FileNotFoundError):
        recent = time.time() - stamp.stat().st_mtime < _PRUNE_INTERVAL_SECONDS
        if recent and _Unpruned.size < _bound() // 16:
            return
    stamp.touch()
    _Unpruned.size = 0
    _prune(directory, _bound())


def _bound() -> int:
    try:
        return int(os.environ["GRADATIM_CACHE_BYTES"])
    except (KeyError, ValueError):
        return _DEFAULT_BOUND


def _prune(directory: Path, bound: int) -> None:
    """Remove the entries used least recently until four fifths of `bound` are left."""
    entries = sorted(_entries(directory))
    excess = sum(size for _, size, _ in entries) - bound
    if excess > 0:
        excess += bound // 5
    for _, size, path in entries:
        if excess <= 0:
            break
        with suppress(OSError):
            os.unlink(path)
        excess -= size


def _entries(directory: Path) -> Iterator[tuple[float, int, str]]:
    """Yield time of last use, size and path of each entry; remove what a killed writer left."""
    for shelf in directory.glob("[0-9a-f][0-9a-f]"):
        with suppress(OSError), os.scandir(shelf) as files:
            for file in files:
                status = file.stat()
                if not file.name.startswith("."):
                    yield status.st_mtime, status.st_size, file.path
                elif time.time() - status.st_mtime > _ABANDONED_SECONDS:
                    os.unlink(file.path)


@lru_cache(maxsize=1)
def _versions() -> bytes:
    import llvmlite
    import numpy as np

    interpreter = (sys.implementation.cache_tag, sys.hexversion, getattr(sys, "abiflags", ""))
    return repr((interpreter, llvmlite.__version__, np.__version__, _source_state())).encode()


def _source_state() -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of each source file, so that a changed compiler finds nothing old."""
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    folders = ("frontend", "ir", "passes", "backend")
    return tuple(sorted(f for name in folders for f in _source_files(os.path.join(package, name))))


def _source_files(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".ll")):
                status = entry.stat()
                yield entry.name, status.st_size, status.st_mtime_ns
            elif "." not in entry.name and entry.name != "__pycache__":
                yield from _source_files(entry.path)
