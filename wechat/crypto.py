"""Signatures and message encryption of pushes.

Source: developers.weixin.qq.com/doc/subscription/guide/dev/push/encryption.html
"""

import base64
import binascii
import functools
import hashlib
import hmac
import os
import re

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

PADDING_BLOCK = 32  # PKCS#7 over blocks of 32, not over AES' 16
_ENCODING_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")


class UndecryptableError(ValueError):
    """A ciphertext that is not for us or not whole; `reason` is one of a few fixed words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signature(*parts: str) -> str:
    """Lower-case hex SHA-1 over the parts, sorted by code point and joined without separator."""
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def is_signed(given: str, *parts: str) -> bool:
    """Compare in constant time, and on bytes: a value that is not ASCII must not raise."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), signature(*parts).encode())


def decode_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey.

    The console's keys often carry surplus bits in the 43rd character; they are dropped, as the platform does.

    Raises ValueError unless it is 43 characters out of a-z, A-Z, 0-9.
    """
    if not _ENCODING_AES_KEY.fullmatch(encoding_aes_key):
        raise ValueError("an EncodingAESKey is exactly 43 letters and digits")
    return base64.b64decode(encoding_aes_key + "=")


def decrypt(encrypt: str, key: bytes, app_id: str) -> bytes:
    """The message inside an `Encrypt` text: UTF-8 bytes, possibly none.

    Raises UndecryptableError with the first check that fails.
    """
    content = _unpad(_decipher(_decode_base64(encrypt), key))
    if len(content) < 20:
        raise UndecryptableError("too_short")
    end = 20 + int.from_bytes(content[16:20], "big")
    if end > len(content):
        raise UndecryptableError("bad_length_field")
    if content[end:] != app_id.encode():
        raise UndecryptableError("wrong_app_id")
    message = content[20:end]
    try:
        message.decode()
    except UnicodeDecodeError:
        raise UndecryptableError("not_utf8") from None
    return message


def encrypt(message: bytes, key: bytes, app_id: str, random16: bytes | None = None) -> str:
    """The `Encrypt` text of a message; `random16` is for reproducing known ciphertexts only."""
    content = (random16 or os.urandom(16)) + len(message).to_bytes(4, "big") + message + app_id.encode()
    padding = PADDING_BLOCK - len(content) % PADDING_BLOCK
    encryptor = _cipher(key).encryptor()
    ciphertext = encryptor.update(content + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(ciphertext).decode()


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UndecryptableError("bad_base64") from None


def _decipher(ciphertext: bytes, key: bytes) -> bytes:
    if not ciphertext or len(ciphertext) % 16:
        raise UndecryptableError("bad_block_length")
    decryptor = _cipher(key).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


@functools.lru_cache
def _cipher(key: bytes) -> Cipher[CBC]:
    """Made once per key, which halves the price of decrypting; it keeps no state, and threads may share it."""
    return Cipher(AES(key), CBC(key[:16]))


def _unpad(content: bytes) -> bytes:
    padding = content[-1]
    if not 1 <= padding <= PADDING_BLOCK or content[-padding:] != bytes([padding]) * padding:
        raise UndecryptableError("bad_padding")
    return content[:-padding]
