"""A child ends with its parent, however the parent ended."""

import os
import signal
import threading
import time

LOOK_EVERY = 0.5  # seconds
PATIENCE = 10.0  # seconds for an orderly end


def follow_parent(parent: int | None = None) -> None:
    """From now on this process ends when the one that started it does.

    `parent` is its id, for a child that may have lost it while starting. By looking, not by PR_SET_PDEATHSIG: that is
    Linux only, and follows the parent's thread rather than the parent.
    """
    threading.Thread(target=_follow, args=(parent or os.getppid(),), name="lifeline", daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)
