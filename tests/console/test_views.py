import json
from pathlib import Path

import pytest

from models.view_readers import statements
from tests.console.runner import run


@pytest.mark.parametrize(("language", "words"), [("en", "name of the button"), ("zh", "按钮的名称")])
def test_every_column_is_explained_in_the_reader_s_language(language: str, words: str) -> None:
    done = run("--lang", language, "db", "views")

    assert 0 == done.exit_code
    assert words in done.stdout


def test_programs_get_both_languages() -> None:
    found = {view["name"]: view for view in json.loads(run("db", "views", "--json").stdout)}

    assert {"name", "english", "chinese"} == set(found["v_tap"]["columns"][0])
    assert "button_name" in {column["name"] for column in found["v_daily_button"]["columns"]}


@pytest.mark.parametrize("url", ["postgresql+psycopg://a:b@127.0.0.1:1/shop", "mysql+pymysql://a:b@127.0.0.1:1/shop"])
def test_the_sql_for_a_reader_is_printed_without_asking_the_database(url: str) -> None:
    account = '[[accounts]]\nname = "shop"\napp_id = "wx0123456789abcdef"\ntoken = "token"\n'
    Path("caidan.toml").write_text(f'database_url = "{url}"\nsecret_key = "a secret key"\n{account}')

    done = run("db", "reader", "analyst")

    assert 0 == done.exit_code, done.stderr
    assert "".join(f"{one};\n" for one in statements(url.partition("+")[0], "shop", "analyst")) == done.stdout


@pytest.mark.parametrize("name", ["", "A", "a-b", "a; DROP ROLE b", "a" * 33])
def test_a_name_that_is_none_of_a_role_is_refused(name: str) -> None:
    assert 4 == run("db", "reader", "--", name).exit_code


def test_sqlite_has_no_roles() -> None:
    done = run("db", "reader", "analyst")

    assert 4 == done.exit_code
    assert "no roles" in done.stderr
