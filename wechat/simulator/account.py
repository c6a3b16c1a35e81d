"""An account as the platform knows it."""

import hashlib
from dataclasses import dataclass

from wechat import crypto


@dataclass(frozen=True)
class Account:
    """Whom the pushes are for; `aes_key` is needed for compatible and security mode only.

    `app_secret` is what its calls of the simulated platform have to name.
    """

    name: str
    app_id: str
    token: str
    aes_key: str | None = None
    original_id: str | None = None
    app_secret: str | None = None

    @property
    def to_user(self) -> str:
        """ToUserName of its pushes; made up where the configuration does not say."""
        return self.original_id or "gh_" + hashlib.blake2b(self.app_id.encode(), digest_size=6).hexdigest()

    @property
    def key(self) -> bytes:
        """Raises ValueError where there is none."""
        if self.aes_key is None:
            raise ValueError(f"account {self.name} has no aes_key; compatible and security mode need one")
        return crypto.decode_key(self.aes_key)
