"""The yardstick: a bare Flask view that returns `success`, on the very server of the ingress, set up alike."""

import sys

from flask import Flask
from granian import Granian
from granian.constants import HTTPModes, Interfaces


def application() -> Flask:
    """An application whose only view does nothing."""
    app = Flask("plain_flask")

    @app.post("/wechat/<account>")
    def push(account: str) -> str:
        return "success"

    return app


if __name__ == "__main__":
    Granian(
        "tests.benchmarks.plain_flask:application",
        factory=True,
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        blocking_threads=64,
        backlog=2048,
        backpressure=512,
        websockets=False,
    ).serve()
