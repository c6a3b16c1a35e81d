"""The public process holds no table and no task: nothing of SQLAlchemy or Celery is even loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIST_MODULES = "import sys, {}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"


@pytest.mark.parametrize("module", ["ingest.app, ingest.serve", "ingest.publish"])
def test_a_process_of_the_ingress_loads_neither_tables_nor_tasks(module: str) -> None:
    command = [sys.executable, "-c", LIST_MODULES.format(module)]

    loaded = set(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split())

    assert {"ingest", "models", "wechat"} <= loaded
    assert set() == loaded & {"alembic", "celery", "console", "migrations", "sqlalchemy"}
