"""How much of everything; less is quicker, and says less."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@dataclass(frozen=True)
class Options:
    runs: int = field(default=3, metadata={"help": "of what is measured in turn"})
    events: int = field(default=80_000, metadata={"help": "of one run; four of the largest batches at least"})
    common: int = field(default=3_000, metadata={"help": "events of one run of the common way"})
    rows: int = field(default=10_000_000, metadata={"help": "in the tables that have grown"})
    backlog: int = field(default=1_000_000, metadata={"help": "events that wait for the workers"})
    taps: int = field(default=300, metadata={"help": "one by one, on each idle installation"})


@contextmanager
def bar(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """A bar where somebody watches; what it yields is told how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
