"""The account that the simulator's tests push for."""

from wechat.event import Addressee
from wechat.simulator.account import Account

DEMO = Account("demo", "wx1234567890abcdef", "token", "5YTZWhHanluh8NlyUjOeOXQ0BuFej0DPAYUxQvVDNM7", "gh_0a1b2c3d4e5f")
ADDRESSEE = Addressee(DEMO.name, DEMO.app_id, DEMO.original_id)
