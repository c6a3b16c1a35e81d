"""A file that a command writes: it gets its name when it is whole, so that nobody ever finds half of one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from console.command import InvalidInputError, UnfitError
from console.i18n import _


def check_free(path: Path, *, force: bool) -> None:
    """Raises InvalidInputError where something is there that may not be replaced."""
    if path.exists() and not force:
        raise InvalidInputError(_("{file} is there already; --force replaces it.").format(file=path))


@contextmanager
def draft(path: Path) -> Iterator[IO[bytes]]:
    """A file beside that of a name, whose place it takes when all is written; only its owner may read it.

    Raises UnfitError.
    """
    unfinished = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            unfinished = Path(file.name)
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise UnfitError(_("{file} cannot be written: {error}").format(file=path, error=error.strerror)) from None
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
