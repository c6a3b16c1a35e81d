"""What a run of chaos leaves behind: JSON, with where and of what it was taken."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any


def write(path: Path, **found: Any) -> None:
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    machine = f"{platform.platform()}, {os.cpu_count()} processors"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "commit": commit} | found, indent=2))
