"""Where the processes of the ingress keep what they measure, so that one page can show it all."""

import os
import shutil
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus-client when it is imported


def share_measures(data_dir: Path) -> dict[str, str]:
    """The environment of processes that measure together: an empty directory, unless whoever started us made one."""
    if VARIABLE in os.environ:
        return {}
    directory = data_dir.absolute() / "metrics"
    shutil.rmtree(directory, ignore_errors=True)  # of processes that are gone: every start counts anew
    directory.mkdir(parents=True)
    return {VARIABLE: str(directory)}
