"""Virtual followers: made up from the AppID, the same each time."""

import hashlib
from random import Random

from wechat.simulator.crowd import open_id
from wechat.simulator.platform.state import Follower, Holdings

TAGS = (2, 100, 101, 102)  # 2 is the one that every account has (星标组)
_OLD_CACHE = 86400.0  # clients that keep a menu for a day: one in twenty
_PLACES = (("广东", "广州"), ("广东", "深圳"), ("上海", "浦东新区"), ("北京", "朝阳"), ("", ""))


def new_holdings(app_id: str) -> Holdings:
    """An account as it begins; menus of different accounts have different ids."""
    return Holdings(last_menu_id=400_000_000 + int(hashlib.blake2b(app_id.encode(), digest_size=3).hexdigest(), 16))


def made_up(app_id: str, count: int, start: int = 0) -> dict[str, Follower]:
    """`count` followers, numbered from `start`, by OpenID."""
    followers = [_follower(app_id, number) for number in range(start, start + count)]
    return {follower.open_id: follower for follower in followers}


def _follower(app_id: str, number: int) -> Follower:
    random = Random(f"{app_id} {number}")  # noqa: S311
    province, city = random.choice(_PLACES)
    return Follower(
        open_id=open_id(app_id, number),
        wechat_id=f"follower{number}",
        tags=random.sample(TAGS, random.choice((0, 0, 1, 1, 2))),
        platform=random.choices((1, 2, 3), (40, 55, 5))[0],
        language=random.choices(("zh_CN", "zh_TW", "en"), (90, 5, 5))[0],
        sex=random.choice((0, 1, 2)),
        province=province,
        city=city,
        cache_seconds=_OLD_CACHE if random.random() < 0.05 else 300.0,
    )
