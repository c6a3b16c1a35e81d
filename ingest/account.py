"""The accounts as the door needs them: secrets unwrapped and keys decoded, once, at start."""

from dataclasses import dataclass

from models.config import DoorConfig
from wechat.crypto import decode_key
from wechat.event import Addressee


@dataclass(frozen=True)
class Account(Addressee):
    """Whose pushes to accept, and how to read them; the current token and key first, then the previous ones."""

    tokens: tuple[str, ...] = ()
    aes_keys: tuple[bytes, ...] = ()


def accounts(config: DoorConfig) -> dict[str, Account]:
    """The accounts of the configuration by name."""
    return {
        account.name: Account(
            name=account.name,
            app_id=account.app_id,
            original_id=account.original_id,
            tokens=tuple(token.get_secret_value() for token in (account.token, account.previous_token) if token),
            aes_keys=tuple(
                decode_key(key.get_secret_value()) for key in (account.aes_key, account.previous_aes_key) if key
            ),
        )
        for account in config.accounts
    }
