"""What people write on a command line about rotations: weekdays, hours, shares."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import click

from console.command import InvalidInputError
from console.i18n import _

_ENGLISH = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CHINESE = "一二三四五六日"
_GROUPS = {
    "weekdays": "mon-fri",
    "weekend": "sat,sun",
    "weekends": "sat,sun",
    "周末": "六,日",
    "daily": "mon-sun",
    "每天": "mon-sun",
}
_TO = "[-–—~～到至]"
_TIME = r"(\d{1,2})(?:[:：](\d{2}))?"
_HOURS = re.compile(f"{_TIME}{_TO}{_TIME}")
_Read = TypeVar("_Read")


def read_by(read: Callable[[str], _Read]) -> Callable[[click.Context, click.Parameter, str | None], _Read | None]:
    """A callback for an option that is read so, and may be left out."""
    return lambda _context, _parameter, text: None if text is None else read(text)


def weekdays(text: str) -> str:
    """ISO numbers, as "1,2,3,4,5", of "mon-fri", "sat,sun" or "周一到周五".

    Raises InvalidInputError.
    """
    found: set[int] = set()
    for part in _parts(text):
        first, *last = [_weekday(name, text) for name in re.split(_TO, part, maxsplit=1)]
        end = last[0] if last else first
        found |= {(first + step - 1) % 7 + 1 for step in range((end - first) % 7 + 1)}  # sat-mon goes round
    return ",".join(map(str, sorted(found)))


def hours(text: str) -> str:
    """Times of a day, as "09:00-12:00,14:00-18:00", of "9-12, 14:00–18:00".

    Raises InvalidInputError.
    """
    spans = [_HOURS.fullmatch(part) for part in _parts(text)]
    if not all(spans) or not spans:
        text = _("{text!r} are no hours; give them like 11:00-14:00, or 09:00-12:00,14:00-18:00").format(text=text)
        raise InvalidInputError(text)
    return ",".join(f"{_clock(*span.group(1, 2))}-{_clock(*span.group(3, 4))}" for span in spans if span)


def share(text: str) -> float:
    """A part of the whole: 0.5 or 50%.

    Raises InvalidInputError.
    """
    number = text.strip().replace("％", "%")
    try:
        return float(number[:-1]) / 100 if number.endswith("%") else float(number)
    except ValueError:
        raise InvalidInputError(_("{text!r} is no share; give one like 0.5 or 50%").format(text=text)) from None


def _parts(text: str) -> Iterator[str]:
    """What stands between commas; blanks around the word for "to" belong to it."""
    joined = re.sub(rf"\s*({_TO})\s*", r"\1", text.strip().lower())
    for part in re.split(r"[,，、;；\s]+", joined):
        yield from _GROUPS.get(part, part).split(",")


def _weekday(name: str, text: str) -> int:
    plain = re.sub("^(周|星期|礼拜|週)", "", name).replace("天", "日")
    for number, (english, chinese) in enumerate(zip(_ENGLISH, _CHINESE, strict=True), 1):
        if plain in (chinese, str(number)) or (len(plain) >= 2 and english.startswith(plain)):
            return number
    if name in ("workdays", "holidays", "工作日", "节假日"):
        raise InvalidInputError(_("Workdays and holidays are no weekdays; give --days workdays or --days holidays."))
    text = _("{name!r} in {text!r} is no weekday; give them like mon-fri, or sat,sun").format(name=name, text=text)
    raise InvalidInputError(text)


def _clock(hour: str, minute: str | None) -> str:
    return f"{int(hour):02}:{minute or '00'}"
