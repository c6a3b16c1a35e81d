"""A function called in a process of its own, whose death is no more than an exception here."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

Result = TypeVar("Result")


class DiedError(Exception):
    """The process ended without a result; `how` is a short word: a signal's name, an exit code or an error's type."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


def call(function: Callable[..., Result], *arguments: Any, patience: float) -> Result:
    """What a function of a module returns; it has `patience` seconds.

    Raises DiedError.
    """
    # Not forked: connections and threads of this process are none of its business.
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sending, function, arguments), daemon=True)
    process.start()
    sending.close()
    try:
        with contextlib.suppress(EOFError):  # it died
            if not receiving.poll(patience):
                raise DiedError("too_slow")
            error, result = receiving.recv()
            if error is not None:
                raise DiedError(error)
            returned: Result = result
            return returned
        process.join()
        raise DiedError(_how(process.exitcode))
    finally:
        process.kill()
        process.join()
        process.close()
        receiving.close()


def _run(sending: "Connection[Any, Any]", function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    error, result = None, None
    try:
        result = function(*arguments)
    except Exception as raised:  # whose words may quote what a follower wrote
        error = type(raised).__name__
    sending.send((error, result))


def _how(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit_{exit_code}"
    return signal.Signals(-exit_code).name
