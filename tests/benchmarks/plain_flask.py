"""The yardsticks: bare Flask views on the very server of the ingress, set up alike.

One returns `success`; the others, of the mode that CAIDAN_BENCH_REPLY names, a reply, and do nothing else either.
"""

import os
import sys
import time

from flask import Flask, Response, request
from granian import Granian
from granian.constants import HTTPModes, Interfaces

from tests.benchmarks.load import AES_KEY, APP_ID, TOKEN
from tests.benchmarks.rules import SAID
from wechat.envelope import Envelope
from wechat.reply import Text, passive

REPLY = Text(SAID.replace("{event_key}", "MENU_1"))


def application() -> Flask:
    """An application with one view."""
    app = Flask("plain_flask")
    mode = os.environ.get("CAIDAN_BENCH_REPLY")

    def push(account: str) -> str:
        return "success"

    def reply(account: str) -> Response:
        now = int(time.time())
        message = passive(REPLY, request.args["openid"], "gh_0a1b2c3d4e5f", now, "click")
        if mode == "encrypted":
            message = Envelope(TOKEN, AES_KEY, APP_ID, request.args["nonce"]).around(message, now)
        return Response(message, content_type="text/xml")

    app.post("/wechat/<account>")(reply if mode else push)
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
