"""The HTTP API `/api/v1`: the questions of `caidan stats` for programs, one transaction and one answer each.

Whoever has a token may ask about the accounts that it is for; of all others it is not told whether they are there.
"""

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from console import i18n
from console.api_limits import Limits, block_of
from console.api_openapi import document
from console.api_page import page
from console.api_problems import ProblemError, answer, problems
from console.api_questions import ApiQuestion, Parameter, asked, paging, questions
from console.choosing import zone_of
from console.command import InvalidInputError, NotFoundError
from console.stats_tables import Answer, as_plain
from ingest.addresses import Address, Origins
from models.api_tokens import Permit, permit_of
from models.config import Config
from models.db import connect

log = logging.getLogger(__name__)

PREFIX = "/api/v1"


class Api:
    """What the routes have in common."""

    def __init__(self, config: Config, a_minute: int) -> None:
        self.config = config
        self.engine = connect(config.database_url.get_secret_value())
        self.limits, self.failures = Limits(a_minute), Limits(a_minute)
        self.origins = Origins(config.trusted_proxies)

    def accounts(self) -> Response:
        """Those that the token is for."""
        with self.engine.connect() as connection:
            permit = self._permitted(connection)
        values = _values(paging())
        known = [account for account in self.config.accounts if account.name in permit.accounts]
        rows = [{"name": account.name, "timezone": account.timezone} for account in known]
        limit, offset = values["limit"], values["offset"]
        more = ["accounts"] if len(rows) > offset + limit else []
        return _found({"accounts": rows[offset : offset + limit], "next": _next(more, values, has_tables=False)})

    def ask(self, question: ApiQuestion, account: str) -> Response:
        with self.engine.connect() as connection:
            permit = self._permitted(connection)
            values = _values(question.parameters)
            if account not in permit.accounts or self.config.account(account) is None:
                raise ProblemError("not_found", "There is no such account, or the token is not for it.")
            found = question.ask(asked(self.config, connection, account, values), values)
        return self._page(question, account, found, values)

    def _permitted(self, connection: Connection) -> Permit:
        """Raises ProblemError. An address that has failed too often is not listened to, whatever it says next: else
        it would be told which guess is right."""
        now = time.monotonic()
        sender = self.origins.sender(request.remote_addr or "", ",".join(request.headers.getlist("X-Forwarded-For")))
        if seconds := self.failures.wait(block_of(sender), now):
            raise ProblemError("too_many_failures", headers={"Retry-After": str(seconds)})
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            self._failed(sender, now)
            raise ProblemError("no_token", headers={"WWW-Authenticate": "Bearer"})
        permit = permit_of(connection, token)
        if permit is None:
            self._failed(sender, now)
            raise ProblemError("bad_token", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if seconds := self.limits.take(permit.token_id, now):
            raise ProblemError("too_many_requests", headers={"Retry-After": str(seconds)})
        return permit

    def _failed(self, sender: Address | None, now: float) -> None:
        """Count it; a line of the log tells of the one that was one too many."""
        who = block_of(sender)
        self.failures.take(who, now)
        if self.failures.wait(who, now):
            log.warning("token failed too often", extra={"address": str(sender)})

    def _page(self, question: ApiQuestion, account: str, found: Answer, values: Mapping[str, Any]) -> Response:
        limit, offset = values["limit"], values["offset"]
        if offset and len(found.tables) > 1:
            raise ProblemError("no_sense", "offset is of one table: name it with table.")
        more = [name for name, table in found.tables.items() if len(table.rows) > offset + limit]
        tables = {
            name: replace(table, rows=table.rows[offset : offset + limit]) for name, table in found.tables.items()
        }
        zone = zone_of(self.config, account)
        about = {"account": account, "timezone": zone.key}
        following = {"next": _next(more, values, has_tables=question.has_tables)}
        return _found(about | as_plain(replace(found, tables=tables), zone) | following)


def create_app(config: Config, a_minute: int) -> Flask:
    """The application. Its words are English, but for the page that describes it."""
    app, api = Flask("console", static_folder=None), Api(config, a_minute)
    pages: dict[str, str] = {}
    for language in reversed(i18n.LANGUAGES):  # English last, so that it stays
        i18n.choose(language)
        pages[language] = page(questions())
    asks = questions()
    description = json.dumps(document(asks), ensure_ascii=False)

    @app.get(f"{PREFIX}/")
    def overview() -> Response:
        wish = request.args.get("lang") or request.accept_languages.best_match(i18n.LANGUAGES)
        return Response(pages.get(wish or "", pages["en"]), content_type="text/html; charset=utf-8")

    @app.get(f"{PREFIX}/openapi.json")
    def openapi() -> Response:
        return Response(description, content_type="application/json")

    @app.get("/healthz")
    def healthz() -> Response:
        return Response('{"alive": true}', content_type="application/json")

    app.add_url_rule(f"{PREFIX}/accounts", "accounts", api.accounts)
    for one in asks:
        path = f"{PREFIX}/accounts/<account>/{one.name}"
        app.add_url_rule(path, one.name, api.ask, defaults={"question": one})
    app.register_error_handler(Exception, _failed)
    app.after_request(_guarded)
    return app


def _values(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """What the query says, each by its name.

    Raises ProblemError.
    """
    if unknown := sorted(request.args.keys() - {parameter.name for parameter in parameters}):
        raise ProblemError("bad_query", f"There is no parameter {unknown[0]!r} here.")
    return {parameter.name: parameter.read(request.args.getlist(parameter.name)) for parameter in parameters}


def _next(more: Sequence[str], values: Mapping[str, Any], *, has_tables: bool) -> dict[str, str]:
    """Where the rows after these are, by table."""
    given = [(name, value) for name, value in request.args.items(multi=True) if name not in ("offset", "table")]
    offset = ("offset", str(values["offset"] + values["limit"]))
    return {
        name: f"{request.path}?{urlencode([*given, *([('table', name)] if has_tables else []), offset])}"
        for name in more
    }


def _found(body: Mapping[str, Any]) -> Response:
    """The answer, or that it is what the asker has."""
    text = json.dumps(body, ensure_ascii=False).encode()
    response = Response(text, content_type="application/json")
    response.headers["Cache-Control"] = "private, no-cache"  # kept by the asker alone, who asks whether it is the same
    response.set_etag(hashlib.blake2b(text, digest_size=16).hexdigest())
    response.make_conditional(request)
    return response


def _failed(error: Exception) -> Response:
    """What went wrong, in one of the fixed words."""
    if isinstance(error, ProblemError):
        return answer(error)
    if isinstance(error, NotFoundError):
        return answer(ProblemError("not_found", error.message))
    if isinstance(error, InvalidInputError):
        return answer(ProblemError("no_sense", error.message))
    if isinstance(error, OverflowError):
        return answer(ProblemError("no_sense", "A time is too far away, or too long."))
    if isinstance(error, HTTPException):
        return _of_http(error)
    reason = "no_database" if isinstance(error, SQLAlchemyError) else "unexpected"
    log.error("question not answered", extra={"reason": reason, "error": type(error).__name__})
    return answer(ProblemError(reason))


def _of_http(error: HTTPException) -> Response:
    """Flask's own errors: no such path, and methods that change something."""
    by_status = {problem.status: reason for reason, problem in problems().items()}
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return answer(ProblemError(by_status.get(error.code or 400, "bad_query"), headers=headers))


def _guarded(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return response
