"""Where a push comes from, as far as that can be known; when in doubt, nobody says that it is not WeChat's."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import addresses
from ingest.addresses import FOREIGN, FRESH, KNOWN, UNKNOWN, Addresses, Origins
from ingest.snapshot import Snapshot

NOW = datetime(2026, 10, 1, 4, tzinfo=UTC)
WECHAT, BLOCK, STRANGER = "101.226.103.61", "101.226.0.0/16", "8.8.8.8"


def snapshot(*texts: str, made_at: datetime = NOW, app_id: str = "wx1") -> Snapshot:
    return Snapshot(1, made_at, {app_id: texts})


def origins(*texts: str, proxies: Sequence[str] = ()) -> Origins:
    made = Origins(proxies)
    assert [] == made.hear(snapshot(*texts), NOW)
    return made


@pytest.mark.parametrize(
    ("listed", "peer", "expected"),
    [
        (WECHAT, WECHAT, KNOWN),
        (BLOCK, WECHAT, KNOWN),
        ("101.226.103.99/16", WECHAT, KNOWN),  # as nobody should write a block
        (f" {WECHAT}\n", WECHAT, KNOWN),
        ("101.226.103.0/25", "101.226.103.127", KNOWN),
        ("101.226.103.0/25", "101.226.103.128", FOREIGN),
        (WECHAT, STRANGER, FOREIGN),
        (WECHAT, "10.0.0.1", FOREIGN),
        (WECHAT, "::1", FOREIGN),
        ("2402:4e00::/32", "2402:4e00:0:1::9", KNOWN),
        ("2402:4e00::/32", "2402:4e01::9", FOREIGN),
        ("2402:4E00::1", "2402:4e00:0:0:0:0:0:1", KNOWN),
        (WECHAT, f"::ffff:{WECHAT}", KNOWN),
        (BLOCK, "::ffff:65e2:673d", KNOWN),
        (BLOCK, "::ffff:8.8.8.8", FOREIGN),
        (f"::ffff:{WECHAT}", WECHAT, KNOWN),
        ("::ffff:101.226.0.0/112", WECHAT, KNOWN),
        ("::ffff:101.226.0.0/112", "101.227.0.0", FOREIGN),
        ("::65e2:673d", WECHAT, FOREIGN),  # the same number is another address
        ("fe80::/10", "fe80::1%eth0", KNOWN),
        (WECHAT, "", UNKNOWN),
        (WECHAT, f"{WECHAT}:443", UNKNOWN),
        (WECHAT, "101.226.103.061", UNKNOWN),
        (WECHAT, "unix:", UNKNOWN),
    ],
)
def test_an_address_is_compared_with_the_list(listed: str, peer: str, expected: str) -> None:
    assert expected == origins("1.2.3.4", listed).of("wx1", peer, "")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.9", WECHAT, KNOWN),
        ("10.0.0.9", STRANGER, FOREIGN),
        ("10.0.0.9", f"{WECHAT}, {STRANGER}", FOREIGN),  # the first is the stranger's own invention
        ("10.0.0.9", f"{STRANGER}, {WECHAT}", KNOWN),
        ("10.0.0.9", f"nonsense,\t{WECHAT} , 10.1.1.1,::1", KNOWN),
        ("::ffff:10.0.0.9", WECHAT, KNOWN),
        ("::1", f"::ffff:{WECHAT}", KNOWN),
        ("10.0.0.9", "", UNKNOWN),  # the proxy does not tell
        ("10.0.0.9", "10.0.0.1, ::1", UNKNOWN),
        ("10.0.0.9", f"{WECHAT}, nonsense", UNKNOWN),
        ("10.0.0.9", f"{WECHAT},", UNKNOWN),
        ("10.0.0.9", f"{WECHAT}:4711", UNKNOWN),
        ("10.0.0.9", f"{WECHAT}, unknown, 10.0.0.1", UNKNOWN),
        ("10.0.0.9", "\udcff\x00", UNKNOWN),
        ("10.0.0.9", WECHAT + ", 10.0.0.1" * 1000, UNKNOWN),
        ("10.0.0.9", "8.8.8.8, " * 10_000 + WECHAT, KNOWN),
        # Whoever is no proxy may say what they like.
        (STRANGER, WECHAT, FOREIGN),
        (WECHAT, STRANGER, KNOWN),
        ("11.0.0.9", WECHAT, FOREIGN),
        ("", WECHAT, UNKNOWN),
    ],
)
def test_x_forwarded_for_is_believed_of_trusted_proxies_alone(peer: str, forwarded: str, expected: str) -> None:
    judging = origins(WECHAT, proxies=["10.0.0.0/8", "::1"])

    assert [expected] * 2 == [judging.of("wx1", peer, forwarded) for _ in range(2)]


def test_without_trusted_proxies_the_header_says_nothing() -> None:
    assert FOREIGN == origins(WECHAT).of("wx1", "127.0.0.1", WECHAT)


def test_without_a_list_nobody_is_foreign() -> None:
    judging = Origins([])

    assert UNKNOWN == judging.of("wx1", STRANGER, "")

    judging.hear(snapshot(WECHAT, app_id="another"), NOW)

    assert UNKNOWN == judging.of("wx1", STRANGER, "")

    judging.hear(snapshot(), NOW)

    assert UNKNOWN == judging.of("wx1", STRANGER, "")


def test_a_list_with_a_line_that_cannot_be_read_is_not_gone_by() -> None:
    judging = Origins([])
    lists = {"wx1": (WECHAT, "1.2.3.4-1.2.3.9"), "wx2": (WECHAT,)}
    heard = Snapshot(1, NOW, lists)

    assert [["wx1"], []] == [judging.hear(heard, NOW) for _ in range(2)]
    assert (UNKNOWN, UNKNOWN) == (judging.of("wx1", STRANGER, ""), judging.of("wx1", WECHAT, ""))
    assert (FOREIGN, KNOWN) == (judging.of("wx2", STRANGER, ""), judging.of("wx2", WECHAT, ""))


def test_a_list_that_is_too_old_says_nothing_until_a_newer_one_comes() -> None:
    judging, heard, second = Origins([]), snapshot(WECHAT), timedelta(seconds=1)
    verdicts = []
    for now in (NOW, NOW + FRESH, NOW + FRESH + second, NOW - FRESH - second, NOW - FRESH):
        judging.hear(heard, now)
        verdicts.append(judging.of("wx1", STRANGER, ""))

    assert [FOREIGN, FOREIGN, UNKNOWN, UNKNOWN, FOREIGN] == verdicts

    judging.hear(snapshot(STRANGER, made_at=NOW + FRESH), NOW + FRESH + second)

    assert KNOWN == judging.of("wx1", STRANGER, "")


def test_a_new_list_takes_back_what_the_old_one_said() -> None:
    judging = origins(WECHAT)

    assert FOREIGN == judging.of("wx1", STRANGER, "")

    judging.hear(snapshot(STRANGER), NOW)

    assert (KNOWN, FOREIGN) == (judging.of("wx1", STRANGER, ""), judging.of("wx1", WECHAT, ""))


def test_strangers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "REMEMBERED", 10)
    judging = origins(WECHAT, proxies=["10.0.0.9"])
    for number in range(100):
        judging.of("wx1", f"8.8.8.{number}", "")
        judging.of("wx1", "10.0.0.9", "1, " * 1000 + f"8.8.8.{number}")

        assert len(judging._lists.verdicts) <= 10
        assert all(len(forwarded) < 1000 for _, _, forwarded in judging._lists.verdicts)
    assert KNOWN == judging.of("wx1", WECHAT, "")


some_address = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
some_block = st.builds(
    lambda address, part: ipaddress.ip_network((address, round(part * address.max_prefixlen)), strict=False),
    some_address,
    st.floats(0, 1),
)


@given(st.lists(some_block, max_size=6), st.lists(some_address, min_size=1, max_size=6))
@example([ipaddress.ip_network("::ffff:0:0/128")], [ipaddress.ip_address("0.0.0.0"), ipaddress.ip_address("0.0.0.1")])
def test_looking_in_many_blocks_is_looking_in_each(
    blocks: list[ipaddress.IPv4Network | ipaddress.IPv6Network],
    others: list[ipaddress.IPv4Address | ipaddress.IPv6Address],
) -> None:
    found = Addresses(map(str, blocks))
    unmapped = [_unmapped(block) for block in blocks]

    for address in [*others, *(block.network_address for block in blocks), *(block[-1] for block in blocks)]:
        if address.version == 4 or address.ipv4_mapped is None:
            assert any(address in block for block in unmapped) == (address in found)


def _unmapped(block: ipaddress.IPv4Network | ipaddress.IPv6Network) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """IPv4 written as IPv6 is IPv4."""
    mapped = block.network_address.ipv4_mapped if isinstance(block, ipaddress.IPv6Network) else None
    return ipaddress.IPv4Network((mapped, block.prefixlen - 96)) if mapped else block
