"""A worker that has begun to stop comes to its end."""

import subprocess
import sys
from pathlib import Path

HANGING = """
import os, threading, time
os.environ["CAIDAN_DATA_DIR"] = {folder!r}
from workers.app import app

class Step:
    state = 1
    def stop(self, *_, **__):
        time.sleep(60)

worker = object.__new__(app.Worker)
worker.patience, worker.blueprint, worker.pool = 0.5, Step(), None
worker.signal_consumer_close = lambda: None
worker.stop(exitcode=1)
"""


def test_a_worker_that_hangs_while_stopping_is_ended(tmp_path: Path) -> None:
    script = HANGING.format(folder=str(tmp_path))

    done = subprocess.run([sys.executable, "-c", script], timeout=30, capture_output=True, text=True, cwd=tmp_path)

    assert 1 == done.returncode
    assert "worker ended" in done.stderr


def test_the_application_runs_this_worker(tmp_path: Path) -> None:
    script = f"import os; os.environ['CAIDAN_DATA_DIR'] = {str(tmp_path)!r}\nfrom workers.app import app\n"
    script += "from workers.worker import Worker\nassert issubclass(app.Worker, Worker)"

    assert 0 == subprocess.run([sys.executable, "-c", script], timeout=30, cwd=tmp_path).returncode
