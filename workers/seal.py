"""Access tokens at rest: encrypted with a key that is derived from the configuration's secret key."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

_VERSION = "1."
_NONCE = 12  # bytes


class Seal:
    """Of one account: what is sealed for another cannot be opened."""

    def __init__(self, secret_key: SecretStr, app_id: str) -> None:
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"caidan access token")
        self._cipher = AESGCM(derivation.derive(secret_key.get_secret_value().encode()))
        self._app_id = app_id.encode()

    def close(self, token: SecretStr) -> str:
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, token.get_secret_value().encode(), self._app_id)
        return _VERSION + base64.b64encode(sealed).decode()

    def open(self, text: str) -> SecretStr | None:
        """None where it was sealed with another key, or for another account, or is not whole."""
        if not text.startswith(_VERSION):
            return None
        try:
            sealed = base64.b64decode(text.removeprefix(_VERSION), validate=True)
            return SecretStr(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._app_id).decode())
        except (binascii.Error, ValueError, InvalidTag):
            return None
