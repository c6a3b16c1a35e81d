"""The ingress as a Flask application, with the push path as its outermost WSGI layer.

Flask's own dispatch costs several times what verifying, parsing and a shared commit cost together; everything that is
not a push (URL verification, health, metrics, errors) is Flask's.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import IO, Any, TypeAlias

from flask import Flask, Response, jsonify, request

from ingest import metrics
from ingest.account import accounts
from ingest.addresses import Origins
from ingest.door import Door
from ingest.journal import Journal, NotDurableError
from ingest.push import CUT_SHORT, MAX_BYTES, TOO_LARGE, UNKNOWN_ACCOUNT, Answer, verify_url
from ingest.replies import Replies
from ingest.snapshot import Watched
from models.config import DoorConfig, load

log = logging.getLogger(__name__)

Environ: TypeAlias = dict[str, Any]
WsgiApp: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

PREFIX = "/wechat/"
EVERY = 1.0  # seconds between looks at measures and snapshot
_STATUS = {200: "200 OK", 400: "400 Bad Request", 403: "403 Forbidden", 404: "404 Not Found"} | {
    413: "413 Content Too Large",
    503: "503 Service Unavailable",
}


def create_app(config: DoorConfig | None = None) -> Flask:
    """The application; without an argument configured from file and environment, as the server's processes do."""
    config = config or load(DoorConfig)
    metrics.watch_journal(config.journal_dir)
    patient = config.ingest_threads * 3 // 4  # the rest answers those that cannot wait, and /healthz
    journal = Journal(config.journal_dir, config.journal_limit, metrics.note_group, patient)
    origins = Origins(config.trusted_proxies)
    replies = Replies()
    door = Door(accounts(config), journal, config.replay_window, origins, config.foreign_pushes, replies)
    _keep_looking(journal.closed, origins, replies, Watched(config.snapshot_file))
    app = Flask("ingest", static_folder=None)
    _add_routes(app, door)
    app.wsgi_app = PushLayer(app.wsgi_app, door)  # type: ignore[method-assign]
    app.extensions["door"] = door
    return app


class PushLayer:
    """Answers POSTs to /wechat/<account>, and hands everything else on."""

    def __init__(self, app: WsgiApp, door: Door) -> None:
        self._app = app
        self._door = door

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "POST" or not path.startswith(PREFIX):
            return self._app(environ, start_response)
        query, sender = environ.get("QUERY_STRING", ""), _sender(environ)
        answer = self._door.push(path[len(PREFIX) :], query, lambda: _body(environ), *sender)
        start_response(_STATUS[answer.status], _headers(answer))
        return [answer.body]


def _sender(environ: Environ) -> tuple[str, str]:
    """The address of the connection, and who the proxies say was at its other end.

    WSGI does not tell X_Forwarded_For from X-Forwarded-For; proxies drop such names, at least nginx does.
    """
    return environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")


def _body(environ: Environ) -> bytes | Answer:
    """The body of a request, or what to answer when it is not to be had."""
    stream: IO[bytes] = environ["wsgi.input"]
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared:  # chunked, or none
        body = _read(stream, MAX_BYTES + 1) if environ.get("wsgi.input_terminated") else b""
        return body if len(body) <= MAX_BYTES else TOO_LARGE
    if not declared.isdecimal() or len(declared) > 9 or int(declared) > MAX_BYTES:
        return TOO_LARGE
    body = _read(stream, int(declared))
    return body if len(body) == int(declared) else CUT_SHORT


def _read(stream: IO[bytes], size: int) -> bytes:
    body = stream.read(size)
    while 0 < len(body) < size and (more := stream.read(size - len(body))):
        body += more
    return body


def _headers(answer: Answer) -> list[tuple[str, str]]:
    return [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]


def _keep_looking(closed: threading.Event, origins: Origins, replies: Replies, file: Watched) -> None:
    """Do once a second, until the door is closed, what no push shall wait for: add up, and hear what workers say."""

    def look() -> None:
        snapshot = file.look()
        for app_id in origins.hear(snapshot, datetime.now(UTC)):
            log.warning("callback addresses not understood", extra={"app_id": app_id})
        for app_id in replies.hear(snapshot):
            log.warning("reply rules not understood", extra={"app_id": app_id})

    def keep_looking() -> None:
        while not closed.wait(EVERY):
            metrics.add_up()
            look()

    look()
    threading.Thread(target=keep_looking, name="looking", daemon=True).start()


def _add_routes(app: Flask, door: Door) -> None:
    @app.get(f"{PREFIX}<account>")
    def verify(account: str) -> Response:
        known = door.accounts.get(account)
        answer = verify_url(known, request.query_string.decode("latin-1")) if known else UNKNOWN_ACCOUNT
        # Text, and nothing guessed from it: a forged request must not get HTML back.
        headers = dict(_headers(answer)) | {"X-Content-Type-Options": "nosniff"}
        return Response(answer.body, answer.status, headers)

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(alive=True)

    @app.get("/readyz")
    def readyz() -> Response:
        """Whether a push could be made durable now: by making something durable."""
        try:
            seconds = door.journal.check()
        except NotDurableError as error:
            response = jsonify(ready=False, reason=error.reason)
            response.status_code = 503
            return response
        return jsonify(ready=True, durable_by="journal", seconds=round(seconds, 6))

    @app.get("/metrics")
    def measures() -> Response:
        return Response(metrics.exposition(), mimetype="text/plain")
