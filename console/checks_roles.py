"""What the doctor looks at of the roles on this host: the journal, the worker, beat."""

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from console.checks import Finding, failure, fine, skipped, warning
from console.i18n import _

if TYPE_CHECKING:
    from ingest.journal_files import JournalStatus

LAGGING, STUCK = 60.0, 900.0  # seconds that the oldest push waits
BEAT_SILENT_AFTER = 900.0  # seconds; it writes down every few minutes what it has set off


def journal(directory: Path, limit: int) -> Iterable[Finding]:
    from ingest.journal_files import status

    if not directory.exists():
        return [skipped(_("There is no journal: no ingress has run on this host."))]
    damaged = [path.name for path in sorted((directory / "damaged").glob("*.journal*"))]
    return [*kept(status(directory), limit), *set_aside(damaged)]


def kept(found: "JournalStatus", limit: int) -> Iterator[Finding]:
    """How the journal is getting on."""
    oldest = found.oldest_pending_seconds or 0.0
    text = _("Pushes that are not in the tables yet: {count}; the oldest is {seconds:.0f} seconds old.")
    waiting = text.format(count=found.pending, seconds=oldest)
    if oldest > STUCK:
        yield failure(waiting, _("Look whether publisher, broker, worker and database run. Nothing is lost meanwhile."))
    elif oldest > LAGGING:
        yield warning(waiting, _("Look whether the workers keep up; more of them, or more worker_processes, may help."))
    else:
        yield fine(waiting if found.pending else _("All that the journal holds is in the tables."))
    if not found.publisher_running:
        text, advice = _("No publisher runs on this host."), _("Start it: caidan ingest (or caidan up)")
        yield failure(text, advice) if found.pending else warning(text, advice)
    if found.bytes > limit * 0.8:
        text = _("The journal has {mebibytes:,} MiB of the {limit:,} MiB that it may have.")
        advice = _("Above journal_limit, pushes are answered 503: look why nothing is recorded, or raise it.")
        yield warning(text.format(mebibytes=found.bytes >> 20, limit=limit >> 20), advice)
    if names := [segment.name for segment in found.segments if segment.damaged]:
        yield _damaged(names)


def set_aside(names: Sequence[str]) -> list[Finding]:
    return [_damaged(names)] if names else []


def _damaged(names: Sequence[str]) -> Finding:
    text = _("Segments of the journal are damaged: {names}. What is intact in them goes out anew.")
    return warning(text.format(names=", ".join(names)), _("Look after the disk; keep or remove the files in damaged/."))


def worker(data_dir: Path, is_embedded: bool) -> Iterable[Finding]:
    from workers import health

    return working(health.silences(data_dir / health.FOLDER), health.SILENT_AFTER, is_embedded)


def working(silences: Sequence[float], silent_after: float, is_embedded: bool) -> Iterable[Finding]:
    """What the workers' signs of life tell; with everything embedded there are no workers but on this host."""
    if not silences:
        text = _("No worker runs on this host.")
        return [failure(text, _("Start one: caidan worker (or caidan up)"))] if is_embedded else [skipped(text)]
    if max(silences) > silent_after:
        text = _("A worker has given no sign of life for {seconds:.0f} seconds.").format(seconds=max(silences))
        return [failure(text, _("End it, and start it anew."))]
    return [fine(_("Workers that run on this host: {count}.").format(count=len(silences)))]


def beat(data_dir: Path, is_embedded: bool) -> Iterable[Finding]:
    return ticking(beat_age(data_dir, time.time()), is_embedded)


def beat_age(data_dir: Path, now: float) -> float | None:
    """Seconds since beat last wrote down, on this host, what it has set off."""
    written = [path.stat().st_mtime for path in data_dir.glob("beat*") if path.is_file()]
    return now - max(written) if written else None


def ticking(age: float | None, is_embedded: bool) -> Iterable[Finding]:
    """Whether beat runs, by the age of the file that it writes; with everything embedded, nowhere but here."""
    if age is not None and age <= BEAT_SILENT_AFTER:
        return [fine(_("Beat runs on this host."))]
    text = _("Beat does not run on this host.")
    return [failure(text, _("Start it: caidan beat (or caidan up)"))] if is_embedded else [skipped(text)]
