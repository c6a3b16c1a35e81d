"""Processes that tests look at through /proc."""

import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that other processes bring about."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie, which nobody may have reaped in a container, does not."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """All that a process started, and what those started."""
    found, parents = [], {pid}
    by_parent: dict[int, list[int]] = {}
    for one in _all():
        by_parent.setdefault(_parent(one), []).append(one)
    while parents:
        born = [child for parent in parents for child in by_parent.get(parent, ())]
        found += born
        parents = set(born)
    return [one for one in found if is_alive(one)]


def command(pid: int) -> str:
    return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def environment(pid: int) -> dict[str, str]:
    pairs = (PROC / str(pid) / "environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def _all() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def _parent(pid: int) -> int:
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
