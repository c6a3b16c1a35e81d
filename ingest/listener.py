"""Granian with one listening socket for all its processes, and a reload that cannot end it."""

import logging
import signal
import socket
import sys
from types import FrameType

from granian._granian import SocketHolder
from granian.server.mp import MPServer

from models.config import ConfigError, DoorConfig, load

log = logging.getLogger(__name__)

BACKLOG = 2048  # connections that wait in the kernel while all processes are busy, or being replaced
SILENT_AT_MOST = 5  # seconds that a connection waits in the kernel for its first byte; then it is taken all the same


def listen(address: str) -> socket.socket:
    """Raises OSError and OverflowError."""
    host, _, port = address.rpartition(":")
    place = (host.strip("[]"), int(port))
    family = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)[0][0]
    listener = socket.create_server(place, family=family, backlog=BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
    if sys.platform == "linux":
        # A connection is taken once it has said something: one that was taken and not read is cut off by a reload.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_AT_MOST)
    return listener


class Server(MPServer):
    """On Linux Granian gives each process a listening socket of its own. What waits in that of a process that ends is
    refused, and what waits in that of a slow one is not taken by its idle neighbour."""

    listener: socket.socket

    def _init_shared_socket(self) -> None:
        self.listener.setblocking(False)
        self.listener.set_inheritable(True)
        holder = SocketHolder(self.listener.fileno(), False, BACKLOG)  # type: ignore[call-arg]
        self._ssp, self._sso, self._shd = None, self.listener, holder  # type: ignore[assignment]

    def signal_handler_reload(self, *_: int | FrameType | None) -> None:
        """Replace the processes, unless the new ones would find a configuration that they cannot take."""
        try:
            load(DoorConfig)
        except ConfigError as error:
            log.error("not reloaded", extra={"reason": "bad_configuration", "problems": error.problems})
        else:
            super().signal_handler_reload(signal.SIGHUP)  # type: ignore[no-untyped-call]
