"""The description of the HTTP API: OpenAPI 3.1, made of the verbs' parameters and the answers' schemas."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from console import api_answers
from console.api_problems import MEDIA_TYPE, problems
from console.api_questions import ApiQuestion, Parameter, paging

_REFERENCE = "#/components/schemas/{model}"
_ABOUT = """\
What people do with the menus, for programs. Everything is read, and nothing changed; no answer names a follower.

Give a token as `Authorization: Bearer caidan_…`; `caidan api-token add` makes one, for some accounts. Answers have an
ETag: with it in If-None-Match, the answer to an unchanged question is an empty 304. A table has at most `limit` rows;
`next` tells where the following ones are. Problems are those of RFC 9457, each with a fixed `reason`.
"""
_OF_ALL = ("no_token", "bad_token", "too_many_requests", "too_many_failures", "no_database")
_ACCOUNT = {
    "name": "account",
    "in": "path",
    "required": True,
    "description": "The name of an account.",
    "schema": {"type": "string"},
}


def document(questions: Sequence[ApiQuestion]) -> dict[str, Any]:
    models: list[type[BaseModel]] = [*api_answers.ANSWERS.values(), api_answers.Accounts, api_answers.ProblemDetails]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    paths = {f"/accounts/{{account}}/{one.name}": _question(one) for one in questions}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Caidan", "version": version("caidan"), "description": _ABOUT},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": {"/accounts": _accounts()} | paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _accounts() -> dict[str, Any]:
    summary = "The accounts that the token is for."
    operation = {"operationId": "accounts", "summary": summary, "parameters": list(map(_parameter, paging()))}
    return {"get": operation | {"responses": _responses("Accounts", ("bad_query",))}}


def _question(question: ApiQuestion) -> dict[str, Any]:
    operation = {
        "operationId": question.name,
        "summary": question.help.split("\n", 1)[0],
        "description": question.help,
        "parameters": [_ACCOUNT, *map(_parameter, question.parameters)],
    }
    answer = api_answers.ANSWERS[question.name].__name__
    return {"get": operation | {"responses": _responses(answer, ("bad_query", "not_found", "no_sense"))}}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.help,
        "schema": dict(parameter.schema),
    }


def _responses(answer: str, reasons: Sequence[str]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REFERENCE.format(model=answer)}}}
    etag = {"ETag": {"schema": {"type": "string"}}}
    found: dict[str, Any] = {
        "200": {"description": "The answer.", "headers": etag, "content": content},
        "304": {"description": "The answer is the one that If-None-Match names."},
        "414": {"description": "The URL has more than the 64 KiB that the server reads."},
    }
    details = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="ProblemDetails")}}}
    for status, titles in _titles(_OF_ALL + tuple(reasons)).items():
        found[status] = {"description": " ".join(titles), "content": details}
    return found


def _titles(reasons: Sequence[str]) -> Mapping[str, list[str]]:
    titles: dict[str, list[str]] = {}
    known = problems()
    for reason in reasons:
        titles.setdefault(str(known[reason].status), []).append(known[reason].title)
    return titles
