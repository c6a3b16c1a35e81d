import signal
import subprocess
import sys
import time

import pytest

CHILD = """
import os, signal, sys, time
from ingest import lifeline
lifeline.LOOK_EVERY, lifeline.PATIENCE = 0.05, 0.3
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
lifeline.follow_parent()
print(os.getpid(), flush=True)
time.sleep(60)
"""

PARENT = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", *sys.argv[1:]]).wait()
"""


def is_running(process: int) -> bool:
    """Whoever adopts an orphan may leave it a zombie."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return said.stdout.strip() != "" and not said.stdout.startswith("Z")


@pytest.mark.parametrize("manner", ["willing", "deaf"])
def test_a_child_ends_with_its_parent(manner: str) -> None:
    command = [sys.executable, "-c", PARENT, CHILD, manner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())

        assert is_running(child)

        time.sleep(0.2)

        assert is_running(child)

        parent.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while is_running(child) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert not is_running(child)
