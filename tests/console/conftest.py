import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import i18n


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, English, and nothing about Caidan in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CAIDAN_") or name in ("LANG", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.choose(None)
    yield
    monkeypatch.setenv("LANGUAGE", "en")
    i18n.choose(None)
