"""What the HTTP API says when it does not answer: problem details (RFC 9457), each with a fixed word."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response

from console.i18n import _

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    title: str


def problems() -> Mapping[str, Problem]:
    """All there are, by their words."""
    return {
        "bad_query": Problem(400, _("A parameter is unknown, missing, repeated, or not of its form.")),
        "no_token": Problem(401, _("A token is needed.")),
        "bad_token": Problem(401, _("The token is none, or is revoked.")),
        "not_found": Problem(404, _("There is no such thing, or the token is not for it.")),
        "bad_method": Problem(405, _("This can only be read.")),
        "no_sense": Problem(422, _("Each parameter is of its form, but what they ask for cannot be answered.")),
        "too_many_requests": Problem(429, _("The token has asked too often.")),
        "too_many_failures": Problem(429, _("From this address came too many requests without a good token.")),
        "unexpected": Problem(500, _("Something went wrong here; the log says what.")),
        "no_database": Problem(503, _("The database does not answer, or not in time.")),
    }


class ProblemError(Exception):
    """Ends a request with one of the problems."""

    def __init__(self, reason: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.headers = reason, detail, headers or {}


def answer(error: ProblemError) -> Response:
    problem = problems()[error.reason]
    body = {"type": f"/api/v1/#{error.reason}", "title": problem.title, "status": problem.status}
    body |= {"reason": error.reason} | ({"detail": error.detail} if error.detail else {})
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, problem.status, {**error.headers, "Cache-Control": "no-store"}, content_type=MEDIA_TYPE)
