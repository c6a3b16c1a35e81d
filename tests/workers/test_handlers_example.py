"""The example of a package with handlers: installed by pip, found, and called for real pushes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pushes import event_of, push
from tests.workers.handled import Handled, changes, events
from tests.workers.running import Running

STOCK = Path(__file__).parents[1] / "examples" / "stock"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where pip has put the package; it is built from a copy, as building leaves files behind."""
    source = tmp_path / "source"
    source.mkdir()
    for path in (STOCK / "pyproject.toml", STOCK / "caidan_example_stock.py"):
        (source / path.name).write_bytes(path.read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [*pip, "--disable-pip-version-check", "--target", str(tmp_path / "site"), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return tmp_path / "site"


def test_the_example_is_installed_and_called(
    site: Path, embedded_url: str, run_worker: Callable[..., Running], tmp_path: Path
) -> None:
    handled = Handled(run_worker(embedded_url, changes(site), "handlers"), tmp_path)
    handled.wait_for_handlers("stock", "opening-hours", "returns")
    scan = "<ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN_13,6911316223400</ScanResult></ScanCodeInfo>"
    handled.record(event_of(push("scancode_waitmsg", key="STOCK", more=scan)), *events("HOURS", "OTHER"))
    # The account has no AppSecret here: what is to be said comes as far as that.
    handled.wait_for({"STOCK": "failed"}, "stock")
    handled.wait_for({"HOURS": "failed", "OTHER": "done"}, "opening-hours")
    handled.tables.dispose()

    assert {"STOCK": ("no_secret", None, 1)} == handled.reasons("stock")
    assert {"HOURS": ("no_secret", None, 1), "OTHER": (None, None, 1)} == handled.reasons("opening-hours")
    assert {} == handled.rows("returns")
