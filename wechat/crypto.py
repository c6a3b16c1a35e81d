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
import threading

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_BLOCK = 16
PADDING_BLOCK = 32  # PKCS#7 over blocks of 32, not over AES' 16
_PADDINGS = [bytes([size]) * size for size in range(PADDING_BLOCK, 0, -1)]  # by how far a message goes into a block
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
    length = len(message).to_bytes(4, "big")
    content = b"".join((random16 or _random16(), length, message, app_id.encode()))
    chain = _Chain(key) if random16 else _chain(threading.get_ident(), key)
    padded = content + _PADDINGS[len(content) % PADDING_BLOCK]
    return binascii.b2a_base64(chain.encrypt(padded), newline=False).decode()


def _decode_base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise UndecryptableError("bad_base64") from None


def _decipher(ciphertext: bytes, key: bytes) -> bytes:
    if not ciphertext or len(ciphertext) % _BLOCK:
        raise UndecryptableError("bad_block_length")
    return _chain(threading.get_ident(), key).decrypt(ciphertext)


class _Chain:
    """AES-CBC with a key of WeChat's, whose beginning is the IV, for one message after another.

    To make OpenSSL's context anew for each takes several times as long as to use it. A context that is kept mixes the
    first block of a message with the last one before it, in the place of the IV. What is encrypted begins with a random
    block, and that is as random mixed with another: nobody looks at it.
    """

    def __init__(self, key: bytes) -> None:
        self._iv = key[:_BLOCK]
        cipher = Cipher(AES(key), CBC(self._iv))
        self.encrypt = cipher.encryptor().update
        self._decrypt = cipher.decryptor().update

    def decrypt(self, ciphertext: bytes) -> bytes:
        return self._decrypt(self._iv + ciphertext)[_BLOCK:]  # the IV as the block before the first


@functools.lru_cache(maxsize=1024)
def _chain(_thread: int, key: bytes) -> _Chain:
    """One for each thread: what one has begun, no other may go on with."""
    return _Chain(key)


_random: list[bytes] = []
os.register_at_fork(after_in_child=_random.clear)


def _random16() -> bytes:
    """Taken from a supply: each look at the system's lets all other threads go first."""
    try:
        return _random.pop()
    except IndexError:
        supply = os.urandom(256 * 16)
        _random.extend(supply[place : place + 16] for place in range(16, len(supply), 16))
        return supply[:16]


def _unpad(content: bytes) -> bytes:
    padding = content[-1]
    if not 1 <= padding <= PADDING_BLOCK or content[-padding:] != bytes([padding]) * padding:
        raise UndecryptableError("bad_padding")
    return content[:-padding]
