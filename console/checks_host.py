"""What the doctor looks at on this host: configuration, files, disk and clock."""

import shutil
import tempfile
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from console.checks import Finding, failure, fine, skipped, warning
from console.i18n import _
from models.config import Account, Config

ENOUGH_BYTES = 1 << 30
SKEW = 30.0  # seconds; the Date of an answer is of whole ones, and on its way for a while
_SOURCE = " → "  # in models/config.py, before the path of a file


def configuration(config: Config, sources: Mapping[str, str]) -> Iterator[Finding]:
    names = ", ".join(account.name for account in config.accounts)
    yield fine(_("Without problems; accounts: {names}.").format(names=names))
    if is_made_up(sources):
        yield warning(
            _("The account is made up: there is no configuration file."),
            _("For an account of WeChat's, write caidan.toml."),
        )


def is_made_up(sources: Mapping[str, str]) -> bool:
    """Whether no account is configured, and one was generated that WeChat does not know."""
    return sources["accounts"].startswith("generated")


def files(config: Config, sources: Mapping[str, str]) -> Iterator[Finding]:
    yield from _directory(config.data_dir)
    for path in secret_files(config, sources):
        yield from modes(path, path.stat().st_mode)


def _directory(path: Path) -> Iterator[Finding]:
    from ingest.journal import FREE_BYTES
    from models.disk import is_network, mount_of, mounts

    if not path.exists():
        yield skipped(_("{path} is not there yet; caidan up makes it.").format(path=path))
        return
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        text = _("{path} cannot be written to ({reason}).").format(path=path, reason=error.strerror)
        yield failure(text, _("Give it to the user that Caidan runs as, and make room on its disk."))
        return
    yield fine(_("{path} can be written to.").format(path=path))
    yield space(path, shutil.disk_usage(path).free, FREE_BYTES)
    mount = mount_of(path.resolve(), mounts())
    if mount and is_network(mount[1]):
        text = _("{path} is on a network disk ({kind}), which can lose what several processes write.")
        yield failure(text.format(path=path, kind=mount[1]), _("Put data_dir on a local disk."))


def space(path: Path, free: int, needed: int) -> Finding:
    """Whether there is room for the journal, which leaves `needed` bytes to others."""
    text = _("{mebibytes:,} MiB are free on the disk of {path}.").format(mebibytes=free >> 20, path=path)
    if free < needed:
        return failure(text, _("Make room: pushes are answered 503."))
    return (
        warning(text, _("Make room: pushes are answered 503 when it is full.")) if free < ENOUGH_BYTES else fine(text)
    )


def secret_files(config: Config, sources: Mapping[str, str]) -> list[Path]:
    """The files in which secrets stand: those of `<field>_file`, what was generated, and caidan.toml if it has any."""
    found = {Path(source.partition(_SOURCE)[2]) for source in sources.values() if _SOURCE in source}
    for path in {Path(source) for source in sources.values() if source.endswith(".toml")}:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        tables = [table, *table.get("accounts", [])]
        if any(name in _SECRETS for one in tables for name in one):
            found.add(path)
        found |= {Path(one[f"{name}_file"]) for one in tables for name in _SECRETS if f"{name}_file" in one}
    generated = {config.data_dir / name for name in ("secret.key", "demo.json")}
    return sorted(path for path in found | {path for path in generated if path.exists()} if path.is_file())


_SECRETS = {
    name
    for model in (Config, Account)
    for name, field in model.model_fields.items()
    if "Secret" in str(field.annotation) or "Token" in str(field.annotation)
}


def modes(path: Path, mode: int) -> Iterator[Finding]:
    if mode & 0o002:
        yield failure(_("Anybody can write to {path}.").format(path=path), f"chmod o-rwx {path}")
    elif mode & 0o004:
        yield warning(
            _("Anybody on this host can read the secrets in {path}.").format(path=path), f"chmod o-rwx {path}"
        )
    else:
        yield fine(_("{path} is closed to others.").format(path=path))


def clock(config: Config) -> Iterable[Finding]:
    theirs = _their_time(config.api_base_url)
    if theirs is None:
        text = _("{url} tells no time, so the clock cannot be compared.")
        return [skipped(text.format(url=config.api_base_url))]
    return [skew((datetime.now(UTC) - theirs).total_seconds(), config.replay_window)]


def skew(seconds: float, replay_window: int) -> Finding:
    """What it means that this host's clock is ahead of WeChat's by so many seconds."""
    text = _("The clock differs from WeChat's by {seconds:.0f} s.").format(seconds=seconds)
    advice = _("Let the clock be set by NTP (timedatectl, chronyc).")
    if abs(seconds) <= SKEW:
        return fine(text)
    if replay_window and abs(seconds) >= replay_window:
        more = _("That is more than replay_window: every push is refused.")
        return failure(f"{text} {more}", advice)
    return warning(text, advice)


def _their_time(url: str) -> datetime | None:
    """The Date of an answer, whatever it answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the configuration takes http(s) only
            date = answer.headers["Date"]
    except urllib.error.HTTPError as error:
        date = error.headers["Date"]
        error.close()
    except OSError:
        return None
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
