"""How often one may ask: so many times a minute, of which all at once where it was silent before.

Of a token its questions count, of an address the tokens that were none.
"""

import threading
from collections.abc import Hashable
from math import ceil

from ingest.addresses import Address

_MINUTE = 60.0
_REMEMBERED = 10_000  # of whom is kept until when; strangers come from any number of addresses
_BITS_OF_A_HOME = 64  # whoever has one address of version 6, has all of its block


class Limits:
    """In the memory of the one process that serves, so it begins anew with it."""

    def __init__(self, a_minute: int) -> None:
        self._every = _MINUTE / a_minute
        self._patience = _MINUTE - self._every
        self._paid: dict[Hashable, float] = {}  # until when the requests of each are enough, one after another
        self._lock = threading.Lock()

    def take(self, who: Hashable, now: float) -> int:
        """0, and the request counts; or the seconds after which the next may come. `now` is in seconds of any clock."""
        with self._lock:
            early = self._early(who, now)
            if early <= 0:
                self._make_room(who, now)
                self._paid[who] = max(self._paid.get(who, now), now) + self._every
        return max(0, ceil(early))

    def wait(self, who: Hashable, now: float) -> int:
        """The same, and nothing counts."""
        with self._lock:
            return max(0, ceil(self._early(who, now)))

    def _early(self, who: Hashable, now: float) -> float:
        paid = max(self._paid.get(who, now), now)
        return round(paid - now - self._patience, 6)

    def _make_room(self, who: Hashable, now: float) -> None:
        if who in self._paid or len(self._paid) < _REMEMBERED:
            return
        self._paid = {one: paid for one, paid in self._paid.items() if paid > now}
        if len(self._paid) >= _REMEMBERED:  # the one that has to wait least
            del self._paid[min(self._paid, key=self._paid.__getitem__)]


def block_of(address: Address | None) -> Hashable:
    """Who shares a limit with an address; nobody knows whose it is where it is None."""
    if address is None or address.version == 4:
        return address
    return int(address) >> _BITS_OF_A_HOME
