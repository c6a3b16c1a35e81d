import re
import threading
from pathlib import Path

from sqlalchemy import Engine, inspect, text

import migrations
from models.base import Base
from models.db import transaction
from models.partition import is_partition


def tables(engine: Engine) -> set[str]:
    return {name for name in inspect(engine).get_table_names() if not is_partition(name)}


def test_migrations_are_numbered_in_line() -> None:
    files = sorted(Path(migrations.__file__).with_name("versions").glob("[0-9]*.py"))
    numbers = [file.name[:4] for file in files]
    revisions = [re.findall(r'^(?:down_)?revision = "?(\w+)', file.read_text(), re.MULTILINE) for file in files]

    assert [f"{number:04}" for number in range(1, len(files) + 1)] == numbers
    assert list(zip(numbers, ["None", *numbers], strict=False)) == [tuple(pair) for pair in revisions]


def test_an_upgraded_database_is_what_the_models_say(empty_database: Engine) -> None:
    migrations.upgrade(empty_database)

    assert migrations.problems(empty_database) == []
    assert {*Base.metadata.tables, "alembic_version"} == tables(empty_database)


def test_an_empty_database_says_what_to_do(empty_database: Engine) -> None:
    assert migrations.problems(empty_database) == ["The database has no tables yet: run `caidan db upgrade`."]


def test_upgrading_twice_changes_nothing(empty_database: Engine) -> None:
    migrations.upgrade(empty_database)
    migrations.upgrade(empty_database)

    assert migrations.problems(empty_database) == []


def test_down_to_nothing_and_up_again(empty_database: Engine) -> None:
    migrations.upgrade(empty_database)
    migrations.downgrade(empty_database, "base")

    assert {"alembic_version"} == tables(empty_database)

    migrations.upgrade(empty_database)

    assert migrations.problems(empty_database) == []


def test_several_upgrades_at_once_all_succeed(empty_database: Engine) -> None:
    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            migrations.upgrade(empty_database)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert migrations.problems(empty_database) == []


def test_a_database_of_a_newer_program_is_left_alone(database: Engine) -> None:
    head = revision(database)
    revise(database, "9999")
    found = migrations.problems(database)
    revise(database, head)

    assert found == ["The database is at revision 9999, which is newer than this program: install its release."]


def test_a_missing_column_and_a_strange_one_are_named(empty_database: Engine) -> None:
    migrations.upgrade(empty_database)
    with transaction(empty_database) as connection:
        connection.execute(text("ALTER TABLE holiday RENAME COLUMN name TO title"))

    said = sorted(migrations.problems(empty_database))

    assert said == [
        "The tables differ from what this program expects: missing column holiday.name.",
        "The tables differ from what this program expects: unexpected column holiday.title.",
    ]


def revise(engine: Engine, revision: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def revision(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
