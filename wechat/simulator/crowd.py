"""An account's followers: a few tap all day, most hardly ever (Zipf)."""

import base64
import hashlib
from itertools import accumulate
from random import Random


class Crowd:
    """Followers by rank of activity; people come at the quiet end, and leave from anywhere."""

    def __init__(self, random: Random, app_id: str, size: int) -> None:
        self._random = random
        self._app_id = app_id
        self._people = [open_id(app_id, number) for number in range(size)]
        self._gone: list[str] = []
        self._arrived = size
        # Not one over the rank alone: the first would be a tenth of all traffic.
        self._weights = list(accumulate(1 / (rank + 10) for rank in range(size)))

    def someone(self) -> str:
        return self._random.choices(self._people, cum_weights=self._weights)[0]

    def join(self) -> str:
        """Somebody new, or now and then somebody who had left."""
        if self._gone and self._random.random() < 0.2:
            person = self._gone.pop(self._random.randrange(len(self._gone)))
        else:
            person = open_id(self._app_id, self._arrived)
            self._arrived += 1
        self._people.append(person)
        self._weights.append(self._weights[-1] + 1 / (len(self._weights) + 10))
        return person

    def leave(self) -> str:
        """Somebody who goes; the last one never does, or there would be nobody to speak."""
        if len(self._people) == 1:
            return self._people[0]
        person = self._people.pop(self._random.randrange(len(self._people)))
        self._weights.pop()
        self._gone.append(person)
        return person


def open_id(app_id: str, number: int) -> str:
    """28 characters, the first six alike for all followers of an account, as WeChat's are."""
    account = base64.urlsafe_b64encode(hashlib.blake2b(app_id.encode(), digest_size=6).digest())
    person = base64.urlsafe_b64encode(hashlib.blake2b(f"{app_id} {number}".encode(), digest_size=18).digest())
    return "o" + (account[:5] + person[:22]).decode()
