"""What the doctor finds, and how it asks: with a time limit, and so that nothing that goes wrong ends it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import click

from console import i18n
from console.i18n import _

FINE, WARNING, FAILURE, SKIPPED = "fine", "warning", "failure", "skipped"
SECONDS = 20.0


@dataclass(frozen=True)
class Finding:
    """One line: how it is, and what to do about it. `cells` are the message in columns, where several are a table."""

    level: str
    message: str
    advice: str = ""
    is_refusal: bool = False  # WeChat's
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    check: str
    account: str | None
    finding: Finding


Ask: TypeAlias = Callable[[], Iterable[Finding]]


def fine(message: str) -> Finding:
    return Finding(FINE, message)


def warning(message: str, advice: str = "") -> Finding:
    return Finding(WARNING, message, advice)


def failure(message: str, advice: str = "") -> Finding:
    return Finding(FAILURE, message, advice)


def skipped(message: str) -> Finding:
    return Finding(SKIPPED, message)


def asked(check: str, ask: Ask, account: str | None = None, seconds: float = SECONDS) -> list[Line]:
    """What a check finds; that it crashed, or came to no end in time, is a finding as well."""
    found: list[list[Finding]] = []
    # Left behind if it hangs; as a daemon, it does not keep the process.
    thread = threading.Thread(target=lambda: found.append(_found(ask)), name=f"check {check}", daemon=True)
    thread.start()
    thread.join(seconds)
    late = failure(
        _("No answer within {seconds:.0f} seconds.").format(seconds=seconds),
        _("Something that it asks hangs; run it again, and look at network and disk if it lasts."),
    )
    return [Line(check, account, finding) for finding in (found[0] if found else [late])]


def has_failed(lines: Sequence[Line]) -> bool:
    return any(line.finding.level == FAILURE for line in lines)


def exit_code(lines: Sequence[Line]) -> int:
    """0 without a failure, 5 where it is WeChat alone who refuses, else 2."""
    failures = [line.finding for line in lines if line.finding.level == FAILURE]
    if not failures:
        return 0
    return 5 if all(finding.is_refusal for finding in failures) else 2


def as_json(line: Line) -> dict[str, str | None]:
    finding = line.finding
    named = {"check": line.check, "account": line.account, "level": finding.level}
    return {**named, "message": finding.message, "advice": finding.advice}


def _found(ask: Ask) -> list[Finding]:
    from wechat.errcodes import WeChatError

    try:
        return list(ask())
    except WeChatError as error:
        return [of_wechat(error)]
    except click.ClickException as error:
        return [failure(error.message)]
    except Exception as error:
        # Its text may hold anything, secrets too.
        text = _("The check itself failed ({kind}).").format(kind=type(error).__name__)
        return [failure(text, _("Please report it."))]


def of_wechat(error: Exception) -> Finding:
    """A call that failed, with the advice apart."""
    from wechat.errcodes import Unreachable, WeChatError

    assert isinstance(error, WeChatError)
    language = i18n.language()
    stop, meaning = "。" if language == "zh" else ". ", error.meaning.said(language)
    head, _meaning, tail = error.explained(language).partition(meaning)
    facts, _stop, advice = tail.partition(stop)
    if error.ip:
        text = _("Add {ip} to the IP allow-list (IP 白名单) of the AppSecret in WeChat's console.")
        advice = text.format(ip=error.ip)
    is_refusal = error.errcode is not None and not isinstance(error, Unreachable)
    return Finding(FAILURE, head + meaning + facts, advice, is_refusal)
