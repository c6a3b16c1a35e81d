"""The account of the simulated platform, as an installation of Caidan knows it."""

from pydantic import SecretStr

from models.config import Account
from tests import platforms
from wechat.simulator.account import Account as Simulated

KEY = SecretStr("a secret key")


def configured(account: Simulated, **changes: object) -> Account:
    known = {name: getattr(account, name) for name in ("name", "app_id", "token", "app_secret", "original_id")}
    return Account.model_validate(known | changes)


SHOP = configured(platforms.SHOP)
