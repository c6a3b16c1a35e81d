"""A million pushes while no broker is there: does the door slow down, does its memory grow?

The journal keeps all of them; the rate is taken in windows along the way. `make bench-door` runs it last.
"""

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from ingest.journal_files import status
from tests import servers
from tests.benchmarks.door import LOAD_CORE, Door, caidan, wait_for
from tests.benchmarks.report import Figure, report

CONNECTIONS = 64
WINDOW = 5.0  # seconds


def main() -> None:
    """Push until the journal holds so many, then compare the last windows with the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pushes", type=int, default=1_000_000)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "door"
        nowhere = f"redis://127.0.0.1:{servers.free_port()}/0"
        door = caidan(stack, "nothing", "plain", nowhere, folder)
        wait_for(door.port)
        memory: list[float] = []
        while door.answers() < arguments.pushes:
            door.load(CONNECTIONS, WINDOW)
            memory.append(_megabytes(door))
            print(f"{door.answers():,} of {arguments.pushes:,} pushes", end="\x1b[K\r", file=sys.stderr)
        assert status(folder / "journal").pending >= door.answers()
    rates = door.rates(CONNECTIONS)
    several = max(1, min(5, len(rates) // 3))
    ratios = [last / first for first, last in zip(rates[:several], rates[-several:], strict=True)]
    grown = memory[-1] / memory[0]
    report(
        "bench-door-backlog",
        [
            Figure("pushes a second, no backlog", rates[:several]),
            Figure(f"pushes a second, backlog of {door.answers():,}", rates[-several:]),
            Figure("rate with the backlog, × without", ratios, goal=0.9),
            Figure("memory of door and publisher after the first window, MiB", memory[:1], "lower"),
            Figure("memory at the end, × after the first window", [grown], "lower", 1.1),
        ],
    )


def _megabytes(door: Door) -> float:
    """Resident memory of the server, its processes, and the publisher."""
    roots = [process.pid for process in (door.process, door.publisher) if process]
    return sum(map(_resident, roots)) / 1024


def _resident(root: int) -> int:
    children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    lines = Path(f"/proc/{root}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return own + sum(map(_resident, map(int, children)))


if __name__ == "__main__":
    main()
