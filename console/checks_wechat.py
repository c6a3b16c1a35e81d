"""What the doctor asks WeChat of an account: the token, the addresses, the way back, and what is left of the day."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.checks import FAILURE, FINE, WARNING, Finding, failure, fine, of_wechat, warning
from console.i18n import _
from models.config import Account, Config
from wechat.answers import CallbackCheck, Ping, Quota
from wechat.client import CREATE_MENU
from wechat.errcodes import STABLE_TOKEN, TOKEN, Unreachable, WeChatError

if TYPE_CHECKING:
    from workers.api import Api
    from workers.held import Held
    from workers.tokens import Tokens

CARRIERS = ("CHINANET", "UNICOM", "CAP", "DEFAULT")
OUTDATED = timedelta(hours=50)  # lists of addresses come daily
NOT_TOLD = {76003, 76021, 48001}  # quotas that WeChat does not tell of


def why_not(account: Account, config: Config, is_made_up: bool) -> str | None:
    """Why WeChat cannot be asked about an account."""
    if is_made_up and config.api_base_url == Config.model_fields["api_base_url"].default:
        return _("The account is made up, and WeChat does not know it.")
    if account.app_secret is None:
        return _("The account has no app_secret, so WeChat cannot be asked.")
    return None


def token(tokens: "Tokens") -> Iterator[Finding]:
    """Fetch it as any role would: gently, which voids nobody's."""
    before = tokens.look()
    yield from unopened(before)
    if before is None or before.source != TOKEN or not before.is_alive(datetime.now(UTC)):
        tokens.refresh()  # without waiting for what was tried before; `token` would void the present one
    held = tokens.look()
    assert held is not None
    yield from judged(held, datetime.now(UTC))


def unopened(held: "Held | None") -> list[Finding]:
    if held is None or held.sealed is None or held.token is not None:
        return []
    text = _("The token in the database was encrypted with another secret_key; a new one is fetched.")
    return [warning(text, _("Give all processes the same secret_key."))]


def judged(held: "Held", now: datetime) -> Iterator[Finding]:
    if held.is_alive(now) and held.expires_at is not None:
        minutes = (held.expires_at - now).total_seconds() / 60
        yield fine(_("There is a token; it lives for {minutes:.0f} minutes more.").format(minutes=minutes))
    else:
        yield failure(_("There is no token that lives."), _("Look with: caidan token show"))
    if held.foreign_at is not None and now - held.foreign_at < timedelta(days=1):
        text = _("Another program replaced the token under our hands, {count} times so far.")
        advice = _("Find it, and let it use stable_token without force_refresh, as Caidan does.")
        yield warning(text.format(count=held.foreign_count), advice)


def quotas(api: "Api", source: str | None) -> Iterator[Finding]:
    """What is left of the calls that a day allows few of."""
    for call in (source or STABLE_TOKEN, CREATE_MENU):
        try:
            found = api.with_token(api.client.quota, call)
        except WeChatError as error:
            if error.errcode not in NOT_TOLD:
                raise
            continue
        yield left(call, found, datetime.now(UTC))


def left(call: str, quota: Quota, now: datetime) -> Finding:
    from wechat.quota import forecast

    text = _("{call}: {used:,} of {limit:,} calls used today.")
    used = text.format(call=call, used=quota.used, limit=quota.daily_limit)
    advice = _("Find who calls so often; counters are reset at midnight, Beijing time, or by clear_quota.")
    if quota.remain <= 0:
        return failure(used, advice)
    expected = forecast(quota.used, quota.daily_limit, now)
    return fine(used) if expected.suffices else warning(used + " " + _("At this rate, they run out today."), advice)


def addresses(api: "Api", app_id: str, snapshot: Path, mode: str) -> Iterable[Finding]:
    """WeChat's addresses, for the firewall; and whether the door of this host knows them."""
    live = api.with_token(api.client.callback_addresses)
    return [*listed(live), *known(live, *_of_door(snapshot, app_id), mode, datetime.now(UTC))]


def listed(live: Sequence[str]) -> list[Finding]:
    if not live:
        text = _("WeChat names no addresses that it pushes from.")
        return [warning(text, _("Let the firewall pass all, and ask again tomorrow."))]
    shown = ", ".join(live[:20]) + (", …" if len(live) > 20 else "")
    text = _("WeChat pushes from {count} addresses and blocks; a firewall has to let them in: {addresses}")
    return [fine(text.format(count=len(live), addresses=shown))]


def known(
    live: Sequence[str], held: Sequence[str] | None, made_at: datetime | None, mode: str, now: datetime
) -> Iterator[Finding]:
    """What the door goes by; `held` is None where it has no list."""
    advice = _("Look whether workers and beat run: they hand out the list once a day.")
    if held is None or made_at is None:
        if mode != "count":
            text = _("The door of this host has no list, so foreign_pushes = {mode!r} does nothing.")
            yield warning(text.format(mode=mode), advice)
        return
    if (age := now - made_at) > OUTDATED:
        text = _("The list of this host's door is {hours:.0f} hours old.")
        yield warning(text.format(hours=age.total_seconds() / 3600), advice)
    if new := sorted(set(live) - set(held)):
        text = _("The door of this host does not know: {addresses}.").format(addresses=", ".join(new[:20]))
        yield Finding(FAILURE if mode == "refuse" else WARNING, text, advice)
    else:
        yield fine(_("The door of this host knows all of them; foreign pushes: {mode}.").format(mode=mode))


def _of_door(file: Path, app_id: str) -> tuple[Sequence[str] | None, datetime | None]:
    from ingest import snapshot

    try:
        found = snapshot.read(file)
    except (snapshot.UnfitError, OSError):
        return None, None
    return found.callback_addresses.get(app_id), found.made_at


def callback(api: "Api") -> Iterator[Finding]:
    """How WeChat reaches the callback, from each carrier's network."""
    for carrier in CARRIERS:
        try:
            yield from reached(carrier, api.with_token(api.client.check_callback, "all", carrier))
        except Unreachable as error:  # it may take WeChat longer than we wait
            yield replace(of_wechat(error), level=WARNING)
        except WeChatError as error:
            yield of_wechat(error)
            return


def reached(carrier: str, found: CallbackCheck) -> Iterator[Finding]:
    if not found.dns:
        cells = (carrier, "", "", "", "", _("name not found"))
        advice = _("Look after the DNS of the callback URL's name.")
        yield Finding(
            FAILURE, _("{carrier} does not find the callback's name.").format(carrier=carrier), advice, cells=cells
        )
    owners = {one.ip: one.operator for one in found.dns}
    for ping in found.pings:
        yield _pinged(carrier, owners.get(ping.ip, ""), ping)


def _pinged(carrier: str, owner: str, ping: Ping) -> Finding:
    time = "" if ping.milliseconds is None else f"{ping.milliseconds:.0f} ms"
    text = _("From {carrier} to {ip}: {loss:.0f} % lost, {time}")
    message = text.format(carrier=carrier, ip=ping.ip, loss=ping.loss, time=time or "-")
    lost, level, advice = f"{ping.loss:.0f} %", FINE, ""
    if ping.loss:
        level, advice = WARNING, _("A firewall that drops pings does no harm; else look at route and DNS.")
    result = _("reached") if level == FINE else _("no answer")
    return Finding(level, message, advice, cells=(carrier, ping.ip, owner, lost, time, result))


def carriers_headings() -> tuple[str, ...]:
    return (_("From"), _("Address"), _("Network"), _("Lost"), _("Time"), _("Result"))
