"""What a benchmark found: a table for people, build/bench/<part>.json for programs."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Figure:
    """A median of runs; `goal` is None where the figure is only for reading."""

    name: str
    runs: Sequence[float]
    better: str = "higher"
    goal: float | None = None

    @property
    def value(self) -> float:
        return statistics.median(self.runs)

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        reached = self.value >= self.goal if self.better == "higher" else self.value <= self.goal
        return "reached" if reached else "missed"

    def as_json(self) -> dict[str, Any]:
        runs = [round(run, 4) for run in self.runs]
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "goal": self.goal,
            "better": self.better,
            "runs": runs,
        }


def report(part: str, figures: Sequence[Figure]) -> None:
    """Print the figures with their spread, and write them down."""
    table = Table(title=part, title_justify="left")
    for heading in ("figure", "median", "least", "most", "goal", ""):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for figure in figures:
        goal = "" if figure.goal is None else f"{'≥' if figure.better == 'higher' else '≤'} {figure.goal:g}"
        numbers = (f"{number:,.2f}" for number in (figure.value, min(figure.runs), max(figure.runs)))
        table.add_row(figure.name, *numbers, goal, figure.verdict)
    console = Console()
    Console(width=max(console.width, 100)).print(table)
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    found = {"machine": _machine(), "commit": _commit(), "figures": [figure.as_json() for figure in figures]}
    (folder / f"{part}.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def _machine() -> dict[str, Any]:
    return {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
