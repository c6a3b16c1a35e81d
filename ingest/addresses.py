"""Where pushes come from: WeChat, elsewhere, or nobody can tell. Pure.

A second line only, behind the signature: addresses behind proxies are what the proxies say, and WeChat's list may be
old. So whatever cannot be known for sure is `unknown`, and nobody is refused for it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple, TypeAlias

from ingest.snapshot import Snapshot

KNOWN, FOREIGN, UNKNOWN = "known", "foreign", "unknown"
FRESH = timedelta(days=8)  # workers hand out the lists daily; older ones say nothing
REMEMBERED = 4096  # verdicts; strangers come from any number of addresses
LONGEST_REMEMBERED = 200  # characters of X-Forwarded-For, most of which strangers may write
MOST_PROXIES = 20  # one behind the other

Address: TypeAlias = IPv4Address | IPv6Address


class Addresses:
    """Addresses and blocks; however many, looking for one costs a step for each length of prefix."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Raises ValueError."""
        self._blocks: dict[tuple[int, int], set[int]] = {}
        for text in texts:
            version, number, shift = _block(text)
            self._blocks.setdefault((version, shift), set()).add(number >> shift)

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def __contains__(self, address: Address) -> bool:
        number, version = int(address), address.version
        return any(its == version and number >> shift in blocks for (its, shift), blocks in self._blocks.items())


class _Lists(NamedTuple):
    """The lists of one snapshot, and what they said so far: replaced together, so that no verdict outlives its list."""

    by_app: dict[str, Addresses]
    verdicts: dict[tuple[str, str, str], str]


class Origins:
    """Judges where a push comes from, by the lists of the last snapshot."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._proxies = Addresses(trusted_proxies)
        self._heard: Snapshot | None = None
        self._lists = _Lists({}, {})

    def hear(self, snapshot: Snapshot | None, now: datetime) -> list[str]:
        """Go by this snapshot from now on, unless it is too old; the AppIDs whose lists cannot be read.

        To be called again and again: time alone makes a snapshot too old.
        """
        if snapshot is not None and abs(now - snapshot.made_at) > FRESH:
            snapshot = None
        if snapshot is self._heard:
            return []
        lists, unreadable = _read(snapshot.callback_addresses if snapshot else {})
        self._heard, self._lists = snapshot, _Lists(lists, {})
        return unreadable

    def of(self, app_id: str, peer: str, forwarded: str) -> str:
        """`known`, `foreign` or `unknown`; `peer` is the address of the connection, `forwarded` X-Forwarded-For."""
        lists, key = self._lists, (app_id, peer, forwarded)
        verdict = lists.verdicts.get(key)
        if verdict is None:
            verdict = self._judged(lists.by_app.get(app_id), peer, forwarded)
            if len(forwarded) <= LONGEST_REMEMBERED:
                if len(lists.verdicts) >= REMEMBERED:
                    lists.verdicts.clear()
                lists.verdicts[key] = verdict
        return verdict

    def sender(self, peer: str, forwarded: str) -> Address | None:
        """Who sent a request: the peer, or where that is a trusted proxy, the last address that is none.

        What stands left of it anybody may have written; a trusted proxy appends the address it was called from.
        """
        try:
            address = _address(peer)
            hops = forwarded.rsplit(",", MOST_PROXIES)
            while address in self._proxies:
                address = _address(hops.pop().strip(" \t"))
        except (ValueError, IndexError):  # nonsense, or nobody but proxies
            return None
        return address

    def _judged(self, addresses: Addresses | None, peer: str, forwarded: str) -> str:
        sender = self.sender(peer, forwarded) if addresses else None
        if not addresses or sender is None:
            return UNKNOWN
        return KNOWN if sender in addresses else FOREIGN


def _read(texts: Mapping[str, Iterable[str]]) -> tuple[dict[str, Addresses], list[str]]:
    """The lists by AppID, and whose are not to be gone by: with one line that cannot be read, none can be missed."""
    lists: dict[str, Addresses] = {}
    unreadable = []
    for app_id, its in texts.items():
        try:
            lists[app_id] = Addresses(its)
        except ValueError:
            unreadable.append(app_id)
    return lists, unreadable


def _address(text: str) -> Address:
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _block(text: str) -> tuple[int, int, int]:
    """Version, first address, and how many bits below the prefix."""
    block = ip_network(text.strip(), strict=False)
    first, shift = block.network_address, block.max_prefixlen - block.prefixlen
    if isinstance(first, IPv6Address) and first.ipv4_mapped:
        first = first.ipv4_mapped
    return first.version, int(first), shift
