"""Celery's worker, which always comes to its end once it has begun to stop."""

import logging
import os
import threading
from typing import Any

from celery.apps import worker

log = logging.getLogger(__name__)


class Worker(worker.Worker):
    """After what Celery calls an unrecoverable error its worker stops, and may hang in it: a pool that was being
    refilled when a child was killed never ends. Whoever supervises us starts a new one, but only once this one is gone;
    what it holds is given back by the broker, or sent again by the journal."""

    patience = 60.0  # seconds; a warm shutdown under load takes half of them

    def stop(self, *arguments: Any, **settings: Any) -> None:
        """As Celery's, and the end of the process if that takes too long."""
        end = threading.Timer(self.patience, _end)
        end.daemon = True
        end.start()
        super().stop(*arguments, **settings)


def _end() -> None:
    log.critical("worker ended", extra={"reason": "does_not_stop"})
    os._exit(1)
