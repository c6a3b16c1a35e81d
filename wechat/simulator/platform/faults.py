"""What goes wrong on purpose."""

import random
from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from wechat.simulator.platform.state import Fault

GARBAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"


def draw(faults: list[Fault], path: str) -> list[Fault]:
    """The faults that this call meets; those that were counted are used up by it."""
    met = [fault for fault in faults if _meets(fault, path)]
    for fault in met:
        if fault.times is not None:
            fault.times -= 1
    faults[:] = [fault for fault in faults if fault.times is None or fault.times > 0]
    return met


def _meets(fault: Fault, path: str) -> bool:
    name = short(path)
    return fnmatchcase(name, fault.call.removeprefix("/").removeprefix("cgi-bin/")) and (
        fault.probability >= 1 or random.random() < fault.probability  # noqa: S311
    )


def short(path: str) -> str:
    """menu/create, as the documentation calls it."""
    return path.removeprefix("cgi-bin/")


def first(met: Sequence[Fault], *, after: bool) -> Fault | None:
    """The fault that decides about the answer; those that only delay or void do not."""
    deciding = (fault for fault in met if fault.drop or fault.garbage or fault.errcode is not None or fault.status)
    return next((fault for fault in deciding if fault.after == after), None)


class FaultError(ValueError):
    """A fault that is not written as it has to be."""


def parse(written: str) -> Fault:
    """A fault as in `menu/create:errcode=-1:times=3` or `*:drop:probability=0.1`.

    Raises FaultError.
    """
    call, *parts = written.split(":")
    settings = dict(part.partition("=")[::2] for part in parts)
    try:
        return msgspec.convert(
            {"call": call or "*"} | {name: _value(settings[name]) for name in settings}, Fault, strict=False
        )
    except msgspec.ValidationError as error:
        raise FaultError(str(error)) from None


def _value(written: str) -> str | bool:
    """A switch stands alone."""
    return written or True
