"""The HTTP API: who may ask what, and what comes back."""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
import time_machine
from flask import Flask
from pydantic import BaseModel
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from console.api import create_app
from console.api_answers import ANSWERS
from console.api_problems import problems
from console.api_questions import questions
from models.config import Config, load
from models.db import connect, transaction
from tests.console.asked import SHOP_DID, told
from tests.console.runner import run

Ask: TypeAlias = Callable[..., TestResponse]

# Of each question what it needs, so that every one of its tables has a row.
NEEDED = {
    "buttons": "",
    "compare": "first=1&second=2",
    "rotation": "",
    "paths": "button=TODAY",
    "funnel": "",
    "cohorts": "weeks=2",
    "scans": "",
    "photos": "",
    "places": "",
    "health": "",
}
OPTIONS = {"compare": ["1", "2"], "paths": ["TODAY"], "cohorts": ["--weeks", "2"]}


@pytest.fixture
def app(asked_shop: time_machine.Traveller) -> Flask:
    return create_app(load(Config), 1000)


@pytest.fixture
def ask(app: Flask) -> Ask:
    """Asks with a token for the account `shop`."""
    token = added("shop")

    def ask(path: str, **headers: str) -> TestResponse:
        return app.test_client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"} | headers)

    return ask


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    engine = connect(load(Config).database_url.get_secret_value())
    yield engine
    engine.dispose()


def added(*accounts: str) -> str:
    given = [word for account in accounts for word in ("--account", account)]
    return run("api-token", "add", "Ann", *given).stdout.strip()


def reason(response: TestResponse) -> tuple[int, str]:
    """Of a problem, which has all that it needs."""
    assert response.json
    assert "application/problem+json" == response.content_type
    word = response.json["reason"]
    assert f"/api/v1/#{word}" == response.json["type"]
    assert (problems()[word].title, response.status_code) == (response.json["title"], response.json["status"])
    return response.status_code, word


def test_every_question_of_the_command_line_has_its_schema() -> None:
    assert NEEDED.keys() == ANSWERS.keys() == {question.name for question in questions()}


@pytest.mark.parametrize("name", NEEDED)
def test_the_answer_is_that_of_the_command_line(ask: Ask, name: str) -> None:
    answer = ask(f"accounts/shop/{name}?{NEEDED[name]}")

    assert 200 == answer.status_code, answer.text
    assert told(name, *OPTIONS.get(name, [])) | {"next": {}} == answer.json


@pytest.mark.parametrize("name", NEEDED)
def test_every_column_is_described_and_no_other(ask: Ask, name: str) -> None:
    answer = ask(f"accounts/shop/{name}?{NEEDED[name]}").json

    assert answer
    assert [] == list(undescribed(ANSWERS[name], answer, name))
    ANSWERS[name].model_validate_json(json.dumps(answer), strict=True)


def undescribed(model: type[BaseModel], answer: dict[str, Any], path: str) -> Iterator[str]:
    if model.model_config.get("extra") != "allow":
        yield from (f"{path}.{name}" for name in answer.keys() - model.model_fields.keys())
    for name, value in answer.items():
        field = model.model_fields.get(name)
        inner = getattr(field and field.annotation, "__args__", ())
        if isinstance(value, list) and value and issubclass(inner[0], BaseModel):
            yield from undescribed(inner[0], value[0], f"{path}.{name}")


def test_no_answer_names_a_follower(ask: Ask) -> None:
    followers = {f"o{who}" for _at, who, *_ in SHOP_DID}

    for name, needed in NEEDED.items():
        words = set(ask(f"accounts/shop/{name}?{needed}").text.split('"'))
        assert set() == words & followers


def test_an_account_that_the_token_is_not_for_is_as_one_that_is_not_there(ask: Ask, app: Flask) -> None:
    answers = [ask(f"accounts/{account}/buttons") for account in ("cafe", "nobody", "%00", "shop%20")]

    assert {(404, "not_found")} == {reason(answer) for answer in answers}
    assert 1 == len({answer.text for answer in answers})

    both = {"Authorization": f"bearer {added('shop', 'cafe')}"}
    assert 200 == app.test_client().get("/api/v1/accounts/cafe/buttons", headers=both).status_code


def test_the_accounts_are_those_of_the_token(ask: Ask) -> None:
    assert [{"name": "shop", "timezone": "Asia/Shanghai"}] == (ask("accounts").json or {})["accounts"]


@pytest.mark.parametrize("name", ["accounts", *(f"accounts/shop/{name}" for name in NEEDED)])
def test_nothing_is_told_without_a_token(app: Flask, name: str) -> None:
    answers = [
        app.test_client().get(f"/api/v1/{name}", headers=headers)
        for headers in (
            {},
            {"Authorization": "Basic YTpi"},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer caidan_none"},
        )
    ]

    assert [(401, "no_token")] * 3 + [(401, "bad_token")] == [reason(answer) for answer in answers]
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer") for answer in answers)


def test_a_revoked_token_is_refused_from_then_on(ask: Ask) -> None:
    assert 200 == ask("accounts").status_code

    run("api-token", "revoke", "1")

    assert (401, "bad_token") == reason(ask("accounts"))


def test_a_token_may_ask_so_often(asked_shop: object) -> None:
    app, token, other = create_app(load(Config), 2), added("shop"), added("shop")

    def answer(token: str) -> TestResponse:
        return app.test_client().get("/api/v1/accounts", headers={"Authorization": f"Bearer {token}"})

    assert [200, 200] == [answer(token).status_code for _ in range(2)]
    refused = answer(token)
    assert (429, "too_many_requests") == reason(refused)
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert 200 == answer(other).status_code


def test_an_address_that_fails_too_often_is_not_listened_to_for_a_while(
    asked_shop: object, caplog: pytest.LogCaptureFixture
) -> None:
    app, token = create_app(load(Config), 2), added("shop")

    def answer(token: str, address: str) -> TestResponse:
        headers, sender = {"Authorization": f"Bearer {token}"}, {"REMOTE_ADDR": address}
        return app.test_client().get("/api/v1/accounts", headers=headers, environ_base=sender)

    guesses = [answer(f"caidan_{number}", "192.0.2.1") for number in range(2)]
    refused = answer(token, "192.0.2.1")

    assert {(401, "bad_token")} == {reason(guess) for guess in guesses}
    assert (429, "too_many_failures") == reason(refused)
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert 200 == answer(token, "192.0.2.2").status_code
    assert [("token failed too often", "192.0.2.1")] == [
        (record.message, record.address)  # type: ignore[attr-defined]
        for record in caplog.records
    ]


def test_behind_a_trusted_proxy_it_is_the_sender_who_fails(asked_shop: object) -> None:
    app = create_app(load(Config).model_copy(update={"trusted_proxies": ("127.0.0.1",)}), 2)
    token = added("shop")

    def answer(token: str, sender: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": sender}
        return app.test_client().get("/api/v1/accounts", headers=headers)

    for number in range(2):
        answer("none", f"2001:db8::{number}")

    assert 429 == answer(token, "2001:db8::ffff").status_code
    assert 200 == answer(token, "2001:db8:0:1::1").status_code


def test_the_same_answer_is_not_sent_twice(ask: Ask, engine: Engine) -> None:
    first = ask("accounts/shop/buttons")
    again = ask("accounts/shop/buttons", **{"If-None-Match": first.headers["ETag"]})

    assert (304, b"") == (again.status_code, again.data)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert "private" in first.headers["Cache-Control"]

    with transaction(engine) as connection:
        connection.execute(text("UPDATE rollup_day SET taps = taps + 1"))
    changed = ask("accounts/shop/buttons", **{"If-None-Match": first.headers["ETag"]})

    assert 200 == changed.status_code
    assert first.headers["ETag"] != changed.headers["ETag"]


@pytest.mark.parametrize(
    ("path", "table"),
    [("buttons?by=day", "rows"), ("scans?time=7d", "codes"), ("funnel?step=follow&step=tap", "steps")],
)
def test_pages_add_up_to_the_whole(ask: Ask, path: str, table: str) -> None:
    whole = ask(f"accounts/shop/{path}").json
    rows, following = [], f"/api/v1/accounts/shop/{path}&limit=1"
    while following:
        page = ask(following.removeprefix("/api/v1/")).json
        assert page
        assert len(page[table]) <= 1
        rows += page[table]
        following = page["next"].get(table)

    assert whole
    assert whole[table] == rows
    assert len(rows) > 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("buttons?what=1", (400, "bad_query")),
        ("buttons?by=year", (400, "bad_query")),
        ("buttons?by=day&by=hour", (400, "bad_query")),
        ("buttons?time=", (400, "bad_query")),
        ("buttons?limit=0", (400, "bad_query")),
        ("buttons?limit=1.5", (400, "bad_query")),
        ("buttons?offset=99999999999999999999", (400, "bad_query")),
        ("compare?first=1", (400, "bad_query")),
        ("compare?first=1&second=2&publications=1", (400, "bad_query")),
        ("funnel?" + 21 * "&step=tap", (400, "bad_query")),
        ("buttons?time=someday", (422, "no_sense")),
        ("buttons?time=7d&since=today", (422, "no_sense")),
        ("buttons?until=today", (422, "no_sense")),
        ("buttons?time=999999w", (422, "no_sense")),
        ("buttons?since=0001-01-01", (422, "no_sense")),
        ("buttons?since=1900-01-01", (422, "no_sense")),
        ("buttons?by=hour&time=200d", (422, "no_sense")),
        ("paths?button=TODAY&gap=999999w", (422, "no_sense")),
        ("scans?offset=1", (422, "no_sense")),
        ("paths?button=NONE", (404, "not_found")),
        ("compare?first=1&second=9", (404, "not_found")),
        ("nothing", (404, "not_found")),
    ],
)
def test_what_is_wrong_is_said_in_a_fixed_word(ask: Ask, query: str, expected: tuple[int, str]) -> None:
    assert expected == reason(ask(f"accounts/shop/{query}"))


def test_nothing_can_be_changed(app: Flask) -> None:
    answer = app.test_client().post("/api/v1/accounts")

    assert (405, "bad_method") == reason(answer)
    assert "GET" in answer.headers["Allow"]


def test_a_database_that_refuses_is_not_the_asker_s_fault(ask: Ask, engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE rollup_day RENAME TO gone"))

    answer = ask("accounts/shop/buttons")

    assert (503, "no_database") == reason(answer)
    assert "rollup_day" not in answer.text


@pytest.mark.parametrize(("language", "word"), [("en", "Count taps"), ("zh-CN,zh;q=0.9", "统计点击")])
def test_the_page_needs_no_network_and_no_token(app: Flask, language: str, word: str) -> None:
    page = app.test_client().get("/api/v1/", headers={"Accept-Language": language})

    assert 200 == page.status_code
    assert word in page.text
    assert all(f'id="{name}"' in page.text for name in (*NEEDED, *problems()))
    assert "src=" not in page.text


def test_the_description_is_openapi_of_all_paths(app: Flask) -> None:
    description = app.test_client().get("/api/v1/openapi.json").json

    assert description
    assert "3.1.0" == description["openapi"]
    assert {"/accounts", *(f"/accounts/{{account}}/{name}" for name in NEEDED)} == description["paths"].keys()
