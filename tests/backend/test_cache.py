import hashlib
import os
import subprocess
import sys
import threading
import time

import pytest

from gradatim.backend import cache


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADATIM_CACHE", "1")
    monkeypatch.setenv("GRADATIM_CACHE_DIR", str(tmp_path))
    return tmp_path


def entry_files(directory):
    return [path for path in directory.rglob("*") if path.is_file() and path.name != ".pruned"]


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 1000])
def test_what_is_stored_is_found(payload):
    key = cache.key("program", payload)
    assert cache.lookup(key) is None
    cache.store(key, payload)
    assert cache.lookup(key) == payload


def test_keys_depend_on_every_part_and_their_borders():
    keys = {cache.key(*parts) for parts in [("ab",), ("a", "b"), ("", "ab"), ("ab", ""), ()]}
    assert len(keys) == 5
    assert cache.key("a", b"b") == cache.key(b"a", "b")


def test_key_depends_on_versions(monkeypatch):
    before = cache.key("a")
    monkeypatch.setattr(cache, "_versions", lambda: b"another llvmlite")
    assert cache.key("a") != before


def test_key_is_the_same_in_another_process():
    command = "from gradatim.backend import cache; print(cache.key('a'))"
    output = subprocess.run([sys.executable, "-c", command], capture_output=True, check=True)
    cache._versions.cache_clear()
    assert output.stdout.decode().strip() == cache.key("a")


def test_off_switch(directory, monkeypatch):
    monkeypatch.setenv("GRADATIM_CACHE", "0")
    cache.store(cache.key("a"), b"payload")
    assert cache.lookup(cache.key("a")) is None
    assert entry_files(directory) == []
    assert not cache.enabled()


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def damage_header(path):
    path.write_bytes(b"other" + path.read_bytes()[5:])


def damage_payload(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def damage_empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_truncate, damage_header, damage_payload, damage_empty])
def test_damaged_entry_is_dropped_and_can_be_stored_again(directory, damage):
    key = cache.key("a")
    cache.store(key, b"payload")
    (path,) = entry_files(directory)
    damage(path)
    assert cache.lookup(key) is None
    assert not path.exists()
    cache.store(key, b"payload")
    assert cache.lookup(key) == b"payload"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_entry_that_others_may_write_is_not_trusted(directory):
    cache.store(cache.key("a"), b"payload")
    (path,) = entry_files(directory)
    path.chmod(0o666)
    assert cache.lookup(cache.key("a")) is None


def test_directory_that_is_a_file_is_no_error(directory, monkeypatch):
    blocked = directory / "file"
    blocked.write_text("")
    monkeypatch.setenv("GRADATIM_CACHE_DIR", str(blocked))
    cache.store(cache.key("a"), b"payload")
    assert cache.lookup(cache.key("a")) is None


def test_entry_that_is_a_directory_is_no_error(directory):
    key = cache.key("a")
    (directory / key[:2] / key).mkdir(parents=True)
    cache.store(key, b"payload")
    assert cache.lookup(key) is None


def test_full_disk_leaves_nothing_behind(directory, monkeypatch):
    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    cache.store(cache.key("a"), b"payload")
    assert entry_files(directory) == []
    assert cache.lookup(cache.key("a")) is None


def test_no_home_directory_is_no_error(monkeypatch):
    monkeypatch.delenv("GRADATIM_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cache.Path, "home", no_home)
    cache.store(cache.key("a"), b"payload")
    assert cache.lookup(cache.key("a")) is None


def test_xdg_directory_is_respected(directory, monkeypatch):
    monkeypatch.delenv("GRADATIM_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "xdg"))
    monkeypatch.setattr(sys, "platform", "linux")
    cache.store(cache.key("a"), b"payload")
    assert entry_files(directory / "xdg" / "gradatim")


def test_concurrent_writers_and_readers():
    key = cache.key("a")
    payload = hashlib.sha256(b"a").digest() * 4000
    seen = []

    def work():
        for _ in range(30):
            cache.store(key, payload)
            seen.append(cache.lookup(key) == payload)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen)
    assert len(seen) == 120


def test_entries_used_least_recently_are_pruned(directory, monkeypatch):
    keys = [cache.key(str(i)) for i in range(10)]
    for age, key in enumerate(keys):
        cache.store(key, bytes(1000))
        os.utime(cache._path(directory, key), (time.time() - 7200 + age,) * 2)
    assert cache.lookup(keys[0]) is not None  # refreshes it
    monkeypatch.setenv("GRADATIM_CACHE_BYTES", "5500")
    os.utime(directory / ".pruned", (0, 0))
    cache.store(cache.key("new"), bytes(1000))
    kept = [key for key in keys if cache.lookup(key) is not None]
    assert kept[0] == keys[0]
    assert kept[1:] == keys[len(keys) - len(kept) + 1 :]
    assert len(kept) + 1 <= 5
    assert cache.lookup(cache.key("new")) is not None


def test_bound_holds_within_one_process(directory, monkeypatch):
    monkeypatch.setenv("GRADATIM_CACHE_BYTES", "20000")
    for i in range(100):
        cache.store(cache.key(str(i)), bytes(1000))
    assert sum(path.stat().st_size for path in entry_files(directory)) <= 20000 + 20000 // 16
    assert cache.lookup(cache.key("99")) is not None


def test_what_a_killed_writer_left_is_removed(directory, monkeypatch):
    cache.store(cache.key("a"), b"payload")
    (path,) = entry_files(directory)
    fresh, old = path.with_name(".fresh"), path.with_name(".old")
    fresh.write_bytes(b"")
    old.write_bytes(b"")
    os.utime(old, (0, 0))
    os.utime(directory / ".pruned", (0, 0))
    cache.store(cache.key("b"), b"payload")
    assert fresh.exists()
    assert not old.exists()
