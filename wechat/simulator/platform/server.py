"""The platform's HTTP server: threads in one process, because its state is one."""

import socket
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from wechat.simulator.platform.app import create_app
from wechat.simulator.platform.platform import Platform


class _Quiet(WSGIRequestHandler):
    """Logs nothing: its lines have tokens and secrets in them."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


class Server:
    """Serves from `start` until `stop`."""

    def __init__(self, platform: Platform, listener: socket.socket) -> None:
        self.platform = platform
        host, port = listener.getsockname()[:2]
        app = create_app(platform)
        self._server: BaseWSGIServer = make_server(
            host, port, app, threaded=True, request_handler=_Quiet, fd=listener.fileno()
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="platform")
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.platform.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
