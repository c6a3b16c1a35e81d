"""How far something is that takes long: a bar on stderr, where somebody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


@contextmanager
def progress(title: str, total: float, *, shown: bool = True) -> Iterator[Callable[[float], None]]:
    """A bar, and what it is to be told: how much is done now."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def progress_in_time(
    title: str, span: tuple[datetime, datetime] | None, *, shown: bool = True
) -> Iterator[Callable[[datetime], None]]:
    """The same for walking through events: how much is done is the time that has been reached."""
    first, last = span or (datetime.now(UTC),) * 2
    with progress(title, (last - first).total_seconds() or 1, shown=shown) as advance:
        yield lambda reached: advance((reached - first).total_seconds())
