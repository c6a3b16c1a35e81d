from datetime import UTC, datetime

from sqlalchemy import Engine, select

from models.account import account_ids
from models.api_tokens import ApiToken, add_api_token, api_tokens, permit_of, revoke_api_token
from models.db import transaction

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_a_token_is_good_for_its_accounts_until_it_is_revoked(database: Engine) -> None:
    with transaction(database) as connection:
        ids = account_ids(connection, {"wx1": "shop", "wx2": "cafe", "wx3": "bar"})
        row, token = add_api_token(connection, "安娜", [ids["wx2"], ids["wx1"], ids["wx1"]], NOW)
        _, other = add_api_token(connection, "Bert", [ids["wx3"]], NOW)
    with transaction(database) as connection:
        permits = [permit_of(connection, one) for one in (token, other)]

        assert [{"shop", "cafe"}, {"bar"}] == [set(permit.accounts) for permit in permits if permit]
        assert ("安娜", ("cafe", "shop"), NOW, None) == (row.name, row.accounts, row.created_at, row.revoked_at)
        assert revoke_api_token(connection, row.id, NOW)
        assert not revoke_api_token(connection, row.id, NOW)
        assert permit_of(connection, token) is None
        assert permit_of(connection, other)
        assert [NOW, None] == [one.revoked_at for one in api_tokens(connection)]


def test_nothing_but_the_token_itself_is_good(database: Engine) -> None:
    with transaction(database) as connection:
        ids = account_ids(connection, {"wx1": "shop"})
        _, token = add_api_token(connection, "Ann", ids.values(), NOW)
        (digest,) = connection.scalars(select(ApiToken.digest))

        assert token not in digest
        others = ("", digest, token.upper(), token[:-1], token + " ", "\0", "\ud800", "' OR 1=1")
        assert [None] * len(others) == [permit_of(connection, other) for other in others]
