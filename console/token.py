"""The verbs on access tokens: what is held of one, and fetching one. None of them prints it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from console.choosing import dry_run, zone_of
from console.command import as_json, group, one_account, option
from console.database import chosen_account, working
from console.i18n import _, language
from console.output import local, print_json, print_pairs, print_table
from models import logs
from models.config import Account, Config, load

if TYPE_CHECKING:
    from models.api_use import Use
    from workers.held import Held
    from workers.tokens import Tokens

_MOMENTS = ("expires_at", "refreshed_at", "lease_until", "retry_at", "foreign_at")


@group()
def token() -> None:
    """The access token: look at it, renew it. It is never printed."""


@token.command()
@one_account
@as_json
def show(account: str | None, as_json: bool) -> None:
    """Show whether there is a token, until when and from where, what went wrong, and the calls of the day."""
    config, now = load(Config), datetime.now(UTC)
    logs.set_up("error")  # what would be logged is shown
    with _tokens(config, account) as (chosen, tokens):
        held = tokens.look()
        uses = tokens.uses(held, now) if held else []
    shown = {"account": chosen.name, **_shown(held, now), "uses": [_use(use, now) for use in uses]}
    if as_json:
        print_json(shown)
        return
    zone = zone_of(config, chosen.name)
    moments = {name: local(shown[name], zone) for name in _MOMENTS}
    print_pairs([(name, value) for name, value in (shown | moments).items() if name not in ("failure", "uses")])
    if shown["failure"]:
        click.echo("\n" + shown["failure"]["message"])
    if uses:
        rows = [tuple(use.values()) for use in shown["uses"]]
        print_table((_("Call"), _("Used today"), _("Limit"), _("Expected today")), rows)
    if shown["state"] == "none" and not shown["failure"]:
        click.echo(_("Nobody has asked for a token yet; fetch one with: caidan token refresh"), err=True)


@token.command()
@one_account
@option("--force", is_flag=True, help="Get another token, which voids the present one for everybody who uses it.")
@dry_run
def refresh(account: str | None, force: bool, dry_run: bool) -> None:
    """Ask WeChat for the token now. Without --force that voids nobody's."""
    config = load(Config)
    logs.set_up("warning")
    with _tokens(config, account) as (chosen, tokens):
        if dry_run:
            click.echo(_plan(tokens, force))
            return
        before = tokens.look()
        tokens.refresh(force=force)
        held = tokens.look()
    assert held is not None
    is_new = before is None or before.digest != held.digest
    text = _("A new token, good until {time}.") if is_new else _("The same token as before, good until {time}.")
    click.echo(text.format(time=local(held.expires_at, zone_of(config, chosen.name))))


@contextmanager
def _tokens(config: Config, name: str | None) -> Iterator[tuple[Account, "Tokens"]]:
    from wechat.client import Client
    from workers.tokens import Tokens

    chosen = chosen_account(config, name)
    assert isinstance(chosen, Account)  # those of a Config are
    with working(config) as engine, Client(config.api_base_url) as client:
        yield chosen, Tokens(engine, client, chosen, config.secret_key)


def _shown(held: "Held | None", now: datetime) -> dict[str, Any]:
    """What may be known of a token."""
    from wechat.errcodes import recorded

    failure = recorded(held.failure) if held and held.failure else None
    said = failure and {
        "call": failure.call,
        "errcode": failure.errcode,
        "reason": failure.reason,
        "message": failure.explained(language()),
    }
    names = ("digest", "source", *_MOMENTS, "lease_owner", "failures", "foreign_count")
    return {"state": _state(held, now), **{name: getattr(held, name, None) for name in names}, "failure": said}


def _state(held: "Held | None", now: datetime) -> str:
    if held is None or held.sealed is None:
        return "none"
    if held.token is None:
        return "secret_key_changed"
    return "valid" if held.is_alive(now) else "expired"


def _use(use: "Use", now: datetime) -> dict[str, Any]:
    """How often a call was made today, and what the day may come to; limits are those of new accounts."""
    from wechat.quota import DAILY, forecast

    limit = DAILY.get(use.call)
    expected = forecast(use.count, limit, now).expected if limit else None
    return {"call": use.call, "used": use.count, "limit": limit, "expected": expected}


def _plan(tokens: "Tokens", force: bool) -> str:
    from workers.held import FORCED_A_DAY

    if not force:
        return _("WeChat would be asked for the present token, which voids nobody's.")
    text = _("The present token would be voided for everybody; forced today: {used} of {limit} times.")
    return text.format(used=tokens.forced_today(), limit=FORCED_A_DAY)
