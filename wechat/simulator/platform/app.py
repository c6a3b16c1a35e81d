"""The platform as a web application."""

import socket
from contextlib import suppress

from flask import Flask, Response, request

from wechat.simulator.platform.asked import Request
from wechat.simulator.platform.control import control
from wechat.simulator.platform.platform import Platform


def create_app(platform: Platform) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 4 << 20
    app.register_blueprint(control(platform))

    @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
    @app.route("/<path:path>", methods=["GET", "POST"])
    def call(path: str) -> Response:
        answer = platform.answer(
            Request(request.method, path, request.args.to_dict(), request.get_data(), request.remote_addr or "")
        )
        if answer.body is None:
            _hang_up()
        return Response(answer.body or b"", answer.status, content_type=answer.content_type)

    return app


def _hang_up() -> None:
    """End the connection without a word."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
