"""Samples of calls and answers; `manifest.json` says of what."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def body(name: str) -> Any:
    """What the request sends, or the answer says."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["body"]
